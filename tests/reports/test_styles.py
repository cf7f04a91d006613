"""``--style``: sizes, type and lines of figures, and that no label hides another in any style."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import rcParams
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.text import Text
from tests.reports import test_linear, test_recursion, test_steps, test_unet
from tests.reports.reading import check_layout

from ornstein.cli.predict import PREDICTIONS
from ornstein.engine.summary import Summary
from ornstein.reports.figure_styles import STYLES, chosen, figure_style
from ornstein.reports.figures import new_figure, save_figure, style
from ornstein.reports.prediction import prediction_figure

Check = Callable[[Figure], None]


def linear(*sizes: int) -> Any:
    return test_linear.summary(*map(test_linear.row, sizes))


SUMMARIES: dict[str, Callable[[], Summary]] = {
    "linear": lambda: linear(25, 60, 300),
    "linear, one size": lambda: linear(60),
    "recursion": test_recursion.summary,
    "steps": lambda: test_steps.summary(12, 40),
    "unet": lambda: test_unet.summary(*map(test_unet.row, (20, 100))),
}
WIDE = (("guidance", "paper"), ("split-consistency", "paper"), ("one-step", "talk"))


def type_of(figure: Figure) -> list[float]:
    """Sizes of all words of a figure that has been drawn."""
    return [
        float(text.get_fontsize())
        for text in figure.findobj(Text)
        if isinstance(text, Text) and text.get_text().strip() and text.get_visible()
    ]


@pytest.mark.parametrize(
    ("what", "name"), [*((what, "paper") for what in SUMMARIES), ("linear", "talk")]
)
def test_studies(what: str, name: str) -> None:
    figure = SUMMARIES[what]().figure(name)
    assert chosen().name == "screen"
    width, height = figure.get_size_inches()
    assert width == STYLES[name].text
    assert height <= STYLES[name].tallest
    check_layout(figure)
    assert min(type_of(figure)) > (5.99 if name == "paper" else 9.79)


def test_the_same_is_drawn_in_other_lines_and_type() -> None:
    summary = linear(25, 60, 300)
    figure, screen = summary.figure("paper"), summary.figure("screen")
    assert "".join(figure.get_suptitle().split()) == "".join(screen.get_suptitle().split())
    for a, b in zip(figure.axes, screen.axes, strict=True):
        assert (a.get_title(), a.get_xlabel()) == (b.get_title(), b.get_xlabel())
        for one, two in zip(a.get_lines(), b.get_lines(), strict=True):
            np.testing.assert_array_equal(one.get_xydata(), two.get_xydata())
            assert one.get_linewidth() == pytest.approx(0.85 * two.get_linewidth())
            assert one.get_markersize() == pytest.approx(0.85 * two.get_markersize())
        for one, two in zip(a.collections, b.collections, strict=True):
            expected = 0.85 * np.asarray(two.get_linewidth())
            np.testing.assert_allclose(one.get_linewidth(), expected)


@pytest.mark.parametrize(("name", "style_name"), WIDE)
def test_predictions(assert_labels_apart: Check, name: str, style_name: str) -> None:
    with figure_style(style_name):
        figure = prediction_figure(PREDICTIONS[name]())
    assert figure.get_figwidth() == STYLES[style_name].column
    assert_labels_apart(figure)


def test_a_map(assert_labels_apart: Check) -> None:
    with figure_style("paper"):
        phase = PREDICTIONS["phase"](quantity="delta", y="noise_scale", points=30)
        figure = prediction_figure(phase)
    assert_labels_apart(figure)
    assert figure.get_figwidth() == 3.35


def test_a_screen_is_what_was_asked_for() -> None:
    figure = new_figure(5.6, 4.2, panels=1)
    np.testing.assert_allclose(figure.get_size_inches(), (5.6, 4.2))
    with style():
        assert rcParams["font.size"] == 9
        assert rcParams["axes.linewidth"] == 0.8
    with figure_style("talk"), style():
        assert rcParams["font.size"] == pytest.approx(1.4 * 9)
        assert rcParams["axes.linewidth"] == pytest.approx(1.5 * 0.8)
    with figure_style("paper"):
        np.testing.assert_allclose(new_figure(9, 4).get_size_inches(), (6.75, 3.4))
        assert new_figure(9, 4, panels=1).get_figwidth() == 3.35


def test_what_is_written_has_the_size_that_was_drawn(tmp_path: Path) -> None:
    with figure_style("paper"):
        figure = linear(25, 60, 300).figure()
    save_figure(figure, tmp_path / "a.svg")
    text = (tmp_path / "a.svg").read_text()
    assert 'width="486pt"' in text  # 6.75 inches
    # Numbers on the axes are made when it is written, in the type of the style all the same.
    assert "font-size: 7.65px" in text
    assert "font-size: 9px" not in text


@pytest.mark.parametrize("name", ["screen", "paper"])
def test_nothing_to_draw_is_said(name: str) -> None:
    with pytest.raises(ValueError, match="no cell is finished, so there is nothing to draw"):
        test_linear.summary().figures(name)
    with pytest.raises(ValueError, match="style is 'poster', expected one of screen, paper, talk"):
        linear(60).figure("poster")


def test_lines_are_scaled_once() -> None:
    summary = linear(60, 300)
    with figure_style("talk"):
        first, second = summary.figure(), summary.figure()
    widths = [[line.get_linewidth() for line in f.findobj(Line2D)] for f in (first, second)]
    assert widths[0] == widths[1]
