"""Maps: the right word on each side, lines and hatching named, no label on another."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure

from ornstein.cli.predict import PREDICTIONS
from ornstein.reports.charts import MapChart
from ornstein.reports.maps import map_figure
from ornstein.reports.prediction import prediction_figure
from ornstein.theory.phase import PhaseMap, delta_map, kl_map

Names = Callable[[Figure], list[str]]
Check = Callable[[Figure], None]

N, T = np.geomspace(10, 300, 40).round(), np.geomspace(0.1, 3, 40)


def drawn(phase: PhaseMap, *, signed: bool = False) -> Figure:
    chart = MapChart(phase, "training size n", "diffusion time T", "KL / d, nats", signed)
    return map_figure(chart, ["A title", "d = 20"])


def test_axes_title_and_colour_bar_are_labelled() -> None:
    figure = drawn(kl_map(N, T, dim=20))
    axis, bar = figure.axes
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("training size n", "diffusion time T")
    assert bar.get_ylabel() == "KL / d, nats"
    assert figure._suptitle is not None
    assert figure._suptitle.get_text() == "A title\nd = 20"
    assert axis.get_xlim() == (10, 300)
    assert axis.get_ylim() == (0.1, 3)
    assert axis.get_xscale() == axis.get_yscale() == "log"


def test_values_lie_where_they_belong() -> None:
    phase = kl_map(N, T, dim=20)
    axis = drawn(phase).axes[0]
    values = np.ma.masked_invalid(phase.values)
    np.testing.assert_array_equal(axis.collections[0].get_array(), values)
    low, high = axis.collections[0].get_clim()
    assert low == values.min()
    assert values.min() < high <= values.max()


@pytest.mark.parametrize("flip", [1.0, -1.0])
def test_negative_and_positive_are_written_where_the_sign_is(names: Names, flip: float) -> None:
    phase = delta_map(N, T, dim=20, n_original=500)
    phase = phase._replace(values=flip * phase.values)
    axis = drawn(phase, signed=True).axes[0]
    words = {text.get_text(): text.get_position() for text in axis.texts}
    for word, sign in (("negative", -1), ("positive", 1)):
        x, y = words[word]
        row, column = np.abs(phase.y - y).argmin(), np.abs(phase.x - x).argmin()
        assert np.sign(phase.values[row, column]) == sign
    # And the colours: orange below 0, blue above.
    colour = axis.collections[0]
    red, _, blue, _ = colour.cmap(colour.norm(-0.8))
    assert red > blue
    red, _, blue, _ = colour.cmap(colour.norm(0.8))
    assert blue > red
    assert names(axis.figure)[0] == r"$\Delta = 0$"  # type: ignore[arg-type]


def test_one_sign_has_one_word() -> None:
    phase = delta_map(N[:10], T, dim=20)
    words = {text.get_text() for text in drawn(phase, signed=True).axes[0].texts}
    assert "negative" in words
    assert "positive" not in words


def test_contours_of_a_signed_map_say_what_they_are(names: Names) -> None:
    figure = drawn(delta_map(N, T, dim=20), signed=True)
    assert r"contours: $|E\,\Delta|$" in names(figure)


def test_lines_are_drawn_named_and_told_apart(names: Names) -> None:
    phase = kl_map(N, T, dim=20)
    figure = drawn(phase)
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    for name, (x, y) in phase.lines.items():
        np.testing.assert_array_equal(lines[name].get_xdata(), x)
        np.testing.assert_array_equal(lines[name].get_ydata(), y)
        assert name in names(figure)
    assert phase.lines["n = d"][0] == pytest.approx([20, 20])
    rho2 = 1 / (2 - np.exp(-2 * T))
    np.testing.assert_allclose(phase.lines["n*"][0], 20 / rho2)
    dashes = {str(lines[name]._dash_pattern) for name in phase.lines}
    assert len(dashes) == len(phase.lines) >= 2


def test_hatching_means_infinite_and_says_so(names: Names) -> None:
    figure = drawn(kl_map(N, T, dim=20))
    assert "infinite" in names(figure)
    (legend,) = figure.legends
    patch = legend.legend_handles[names(figure).index("infinite")]
    assert patch.get_hatch() == "///"  # type: ignore[union-attr]
    finite = drawn(kl_map(N[N > 30], T, dim=20))
    assert "infinite" not in names(finite)
    axis = figure.axes[0]
    assert axis.get_facecolor() == to_rgba("#eeeeee")


def test_a_map_that_is_infinite_everywhere_is_refused() -> None:
    with pytest.raises(ValueError, match="infinite everywhere: move the training sizes"):
        drawn(kl_map([5, 9], T, dim=20))


def test_contour_labels_are_the_values_of_their_contours() -> None:
    phase = kl_map(N, T, dim=20)
    axis = drawn(phase).axes[0]
    logs = np.log(phase.x), np.log(phase.y)
    labels = [text for text in axis.texts if text.get_text()]
    assert labels
    for text in labels:
        x, y = text.get_position()
        i = int(np.clip(np.searchsorted(logs[1], np.log(y)), 1, len(logs[1]) - 1))
        j = int(np.clip(np.searchsorted(logs[0], np.log(x)), 1, len(logs[0]) - 1))
        around = phase.values[i - 1 : i + 1, j - 1 : j + 1]
        assert around.min() * 0.9 <= float(text.get_text()) <= around.max() * 1.1


ODD: tuple[dict[str, Any], ...] = (
    {},
    {"quantity": "delta"},
    {"quantity": "delta", "y": "noise_scale"},
    {"y": "noise_scale"},
    {"quantity": "test_loss"},
    {"quantity": "excess_loss", "y": "train_time"},
    {"quantity": "excess_loss", "spectrum": "power-law:1"},
    {"x_range": "120:140", "y_range": "1:1.2"},
    {"x_range": "2:1000000"},
    {"dim": 5, "x_range": "3:60", "y_range": "0.001:1000"},
    {"quantity": "delta", "x_range": "2000:20000"},
    {"quantity": "delta", "x_range": "25:90"},
    {"quantity": "test_loss", "spectrum": "50,1,1", "x_range": "2:100"},
    {"quantity": "test_loss", "points": 2},
)


@pytest.mark.parametrize("options", ODD)
def test_no_label_of_a_map_hides_another(
    assert_labels_apart: Check, options: dict[str, Any]
) -> None:
    figure = prediction_figure(PREDICTIONS["phase"](**{"points": 60, **options}))
    assert_labels_apart(figure)


@pytest.mark.parametrize(
    ("options", "y_label", "label"),
    [
        ({}, "diffusion time T", "KL(generated || population) / d, nats"),
        ({"y": "noise_scale"}, "noise scale", "KL(generated || population) / d, nats"),
        ({"quantity": "delta"}, "diffusion time T", r"$\Delta$ relative to its terms"),
        ({"quantity": "test_loss"}, "EDM noise s", "test loss / d"),
        (
            {"quantity": "excess_loss", "y": "train_time"},
            r"training time $\tau$",
            "test loss / optimum - 1",
        ),
    ],
)
def test_labels_of_phase_maps(options: dict[str, Any], y_label: str, label: str) -> None:
    prediction = PREDICTIONS["phase"](**{"points": 8, "dim": 30, **options})
    chart = prediction.chart()
    assert isinstance(chart, MapChart)
    assert (chart.x_label, chart.y_label, chart.label) == ("training size n", y_label, label)
    assert chart.signed == (options.get("quantity") == "delta")
    np.testing.assert_array_equal(chart.phase.values, prediction.fields["values"])
    axis, bar = prediction_figure(prediction).axes
    assert (axis.get_ylabel(), bar.get_ylabel()) == (y_label, label)
