"""Figures of curves show what they are given, name all of it, and no label hides another."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import Polygon, Rectangle

from ornstein import theory
from ornstein.cli.predict import PREDICTIONS
from ornstein.reports.charts import Chart, Curve, Mark, density, sweep
from ornstein.reports.curves import curve_figure, round_numbers, tick_text
from ornstein.reports.figures import save_figure
from ornstein.reports.prediction import prediction_figure

Names = Callable[[Figure], list[str]]
Check = Callable[[Figure], None]

X = np.linspace(1.0, 10.0, 30)


def chart(*curves: Curve, **options: Any) -> Chart:
    return Chart("size n", "loss, nats", curves, **options)


def axis_of(figure: Figure) -> Axes:
    (axis,) = figure.axes
    return axis


# ---- what is drawn


def test_every_curve_is_drawn_named_and_told_apart_in_grey(names: Names, tmp_path: Path) -> None:
    curves = [Curve(name, X, X**power) for power, name in enumerate("abcd", start=1)]
    figure = curve_figure(chart(*curves), ["A title", "d = 3"])
    axis = axis_of(figure)
    assert (axis.get_xlabel(), axis.get_ylabel()) == ("size n", "loss, nats")
    assert figure._suptitle is not None
    assert figure._suptitle.get_text() == "A title\nd = 3"
    for line, curve in zip(axis.lines, curves, strict=True):
        assert line.get_label() == curve.label
        np.testing.assert_array_equal(line.get_xdata(), curve.x)
        np.testing.assert_array_equal(line.get_ydata(), curve.y)
    assert names(figure) == ["a", "b", "c", "d"]
    for look in ("_color", "_linewidth", "zorder", "_dash_pattern"):
        assert len({str(getattr(line, look)) for line in axis.lines}) == 4
    save_figure(figure, tmp_path / "x.png")


def test_a_curve_that_lies_on_another_is_seen() -> None:
    figure = curve_figure(chart(Curve("first", X, X), Curve("second", X, X)))
    first, second = axis_of(figure).lines
    assert second.get_linewidth() < first.get_linewidth()
    assert second.get_zorder() > first.get_zorder()
    assert second.get_linestyle() != "-"


def test_more_curves_than_styles_are_all_drawn(names: Names) -> None:
    figure = curve_figure(chart(*(Curve(f"{k}", X, X + k) for k in range(7))))
    assert len(axis_of(figure).lines) == 7
    looks = {(str(line.get_color()), line.get_linestyle()) for line in axis_of(figure).lines}
    assert len(names(figure)) == 7
    assert len(looks) >= 5


def test_landmarks_stand_where_they_are_and_only_inside(names: Names) -> None:
    marks = (Mark("n = d", 4.0), Mark("n*", 7.5), Mark("far", 99.0))
    figure = curve_figure(chart(Curve("a", X, X), marks=marks))
    lines = {line.get_label(): line for line in axis_of(figure).lines}
    assert lines.keys() == {"a", "n = d", "n*"}
    assert list(lines["n = d"].get_xdata()) == [4.0, 4.0]
    assert list(lines["n*"].get_xdata()) == [7.5, 7.5]
    assert lines["n = d"].get_linestyle() == lines["n*"].get_linestyle() == "--"
    assert lines["n = d"]._dash_pattern != lines["n*"]._dash_pattern  # type: ignore[attr-defined]
    assert names(figure) == ["a", "n = d", "n*"]


def test_marked_points(names: Names) -> None:
    curves = Curve("a", X, X, [2.0, 3.0], [5.0, np.inf]), Curve("b", X, X**2, [4.0], [6.0])
    figure = curve_figure(chart(*curves, marked="asked for"))
    first, second = [line for line in axis_of(figure).lines if line.get_marker() == "o"]
    assert list(first.get_xdata()) == [2.0, 3.0]
    np.testing.assert_array_equal(first.get_ydata(), [5.0, np.nan])
    assert (list(second.get_xdata()), list(second.get_ydata())) == ([4.0], [6.0])
    assert names(figure) == ["a", "b", "asked for"]


def hatched(axis: Axes) -> dict[str, tuple[float, float]]:
    """Hatched spans by their names."""
    spans = {}
    for patch in axis.patches:
        if patch.get_hatch():
            assert isinstance(patch, Rectangle | Polygon)
            corners = patch.get_path().vertices if isinstance(patch, Polygon) else patch.get_bbox()
            x = np.asarray(corners)[:, 0]
            spans[str(patch.get_label())] = (float(x.min()), float(x.max()))
    return spans


def test_each_curve_has_a_hatching_of_its_own() -> None:
    first = Curve("first", X, np.where(X > 6, np.inf, X))
    second = Curve("second", X, np.where(X < 4, np.inf, X))
    axis = axis_of(curve_figure(chart(first, second)))
    lines = {str(line.get_label()): line.get_color() for line in axis.lines}
    spans = {str(patch.get_label()): patch for patch in axis.patches if patch.get_hatch()}
    assert set(spans) == {"infinite: first", "infinite: second"}
    for curve in (first, second):
        patch = spans[f"infinite: {curve.label}"]
        assert to_rgba(patch.get_edgecolor())[:3] == to_rgba(lines[curve.label])[:3]
        places = patch.get_extents().transformed(axis.transData.inverted())
        infinite = X[np.isinf(curve.y)]
        assert (places.x0, places.x1) == pytest.approx((infinite[0], infinite[-1]))


def test_infinite_spans_are_hatched_and_named(names: Names) -> None:
    values = np.where(X < 4, np.inf, X)
    figure = curve_figure(chart(Curve("KL", X, values), Curve("W", X, X)))
    ((name, (low, high)),) = hatched(axis_of(figure)).items()
    assert name == "infinite: KL"
    assert low == 1.0
    assert high == X[X < 4].max()
    assert names(figure) == ["KL", "W", "infinite: KL"]
    assert np.isnan(np.asarray(axis_of(figure).lines[0].get_ydata())[X < 4]).all()


def test_nothing_finite_is_refused() -> None:
    with pytest.raises(ValueError, match=r"KL: infinite for all of size n .* give other values"):
        curve_figure(chart(Curve("KL", X, np.full(X.shape, np.inf))))


def test_values_over_decades_have_a_logarithmic_axis() -> None:
    assert axis_of(curve_figure(chart(Curve("a", X, X)))).get_yscale() == "linear"
    assert axis_of(curve_figure(chart(Curve("a", X, X**3)))).get_yscale() == "log"
    assert axis_of(curve_figure(chart(Curve("a", X, X**3 - 2)))).get_yscale() == "linear"
    assert axis_of(curve_figure(chart(Curve("a", X, X), logarithmic=True))).get_xscale() == "log"


def test_a_constant_is_no_mountain() -> None:
    axis = axis_of(curve_figure(chart(Curve("a", X, 1 - 1e-12 * X))))
    low, high = axis.get_ylim()
    assert high - low > 0.009
    assert [text.get_text() for text in axis.get_yticklabels()].count("1") == 1


# ---- ticks


@pytest.mark.parametrize("low", [1e-7, 0.003, 0.9, 17.0, 1e5])
@pytest.mark.parametrize("factor", [1.05, 1.7, 9.0, 40.0, 1e3, 1e5, 1e12])
def test_ticks_are_a_handful_of_round_numbers(low: float, factor: float) -> None:
    ticks = round_numbers(low, low * factor)
    assert 2 <= len(ticks) <= 9
    assert (np.diff(ticks) > 0).all()
    assert ticks[0] >= low
    assert ticks[-1] <= low * factor
    assert len({tick_text(tick) for tick in ticks}) == len(ticks)


@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize(("high", "lift"), [(1.3, 1), (7, 1e-6), (1e2, 1e6), (1e4, 1), (1e9, 1e9)])
def test_tick_labels_do_not_overlap(
    assert_labels_apart: Check, high: float, lift: float, logarithmic: bool
) -> None:
    x = np.geomspace(1, high, 50)
    assert_labels_apart(curve_figure(chart(Curve("a", x, lift * x**2), logarithmic=logarithmic)))


def test_ticks_of_whole_numbers_are_whole() -> None:
    figure = curve_figure(chart(Curve("a", np.arange(1.0, 5), X[:4]), logarithmic=True, whole=True))
    figure.draw_without_rendering()
    assert [text.get_text() for text in axis_of(figure).get_xticklabels()] == ["1", "2", "3", "4"]


# ---- the grid


def test_a_sweep_covers_the_range_and_marks_what_was_asked_for() -> None:
    found = sweep(
        [40, 10, 20],
        lambda n: {"a": n**2, "b": -n},
        x_label="n",
        y_label="y",
        marks=[Mark("n = d", 15)],
        least=1,
    )
    first, second = found.curves
    assert (first.x[0], first.x[-1]) == (10, 40)
    assert (first.x == np.round(first.x)).all()
    assert {10, 15, 20, 40} <= set(first.x)
    np.testing.assert_array_equal(first.y, first.x**2)
    np.testing.assert_array_equal(second.y, -second.x)
    assert list(first.marked_x) == [40, 10, 20]
    assert list(first.marked_y) == [1600, 100, 400]
    assert (found.x_label, found.y_label, found.marks[0].x) == ("n", "y", 15)
    assert found.logarithmic
    assert found.whole


def test_the_grid_is_fine_around_a_landmark() -> None:
    found = sweep(
        [2, 10**6], lambda n: {"a": n}, x_label="n", y_label="", marks=[Mark("d", 100)], least=1
    )
    assert {95, 97, 98, 99, 100, 101, 102, 103, 105} <= set(found.curves[0].x)


@pytest.mark.parametrize(
    ("values", "least", "ends"),
    [
        ([400], 1, (100, 1600)),
        ([400, 401], 1, (100, 1604)),
        ([2], 2, (2, 8)),
        ([300, 1000], 1, (300, 1000)),
        ([0.7], None, (0.175, 2.8)),
        ([0.0, 5.0, np.inf, 50.0], None, (5, 50)),
        ([0.0], None, (0.01, 100)),
    ],
)
def test_one_value_has_a_range_too(
    values: list[float], least: int | None, ends: tuple[float, float]
) -> None:
    curve = sweep(values, lambda x: {"a": x}, x_label="", y_label="", least=least).curves[0]
    assert (curve.x[0], curve.x[-1]) == pytest.approx(ends)
    assert list(curve.marked_x) == [v for v in values if 0 < v < np.inf]


@pytest.mark.parametrize(("value", "ends"), [(3.0, (0, 6)), (0.0, (0, 1))])
def test_one_value_on_a_linear_axis(value: float, ends: tuple[float, float]) -> None:
    curve = sweep([value], lambda x: {"a": x}, x_label="", y_label="", logarithmic=False).curves[0]
    assert (curve.x[0], curve.x[-1]) == ends
    assert list(curve.marked_x) == [value]


def test_many_values_are_not_marked() -> None:
    curve = sweep(range(1, 40), lambda x: {"a": x}, x_label="", y_label="").curves[0]
    assert len(curve.marked_x) == 0


def test_a_density_ends_at_its_edges() -> None:
    low, high = theory.sample_covariance_range(np.ones(100), 200)
    found = density(
        low,
        high,
        [0.5, 9.0],
        lambda x: theory.sample_covariance_spectrum(x, np.ones(100), 200),
        "eigenvalue",
    )
    curve = found.curves[0]
    assert (curve.x[0], curve.x[-1]) == (low, high)
    assert np.isfinite(curve.y).all()
    assert (curve.y[[0, -1]] == 0).all()
    assert not found.logarithmic
    assert list(curve.marked_x) == [0.5]
    assert curve.marked_y == pytest.approx([0.636620], rel=1e-5)
    mass = np.trapezoid(curve.y, curve.x)
    assert mass == pytest.approx(1, abs=1e-4)


def test_gaps_of_a_support_are_not_drawn() -> None:
    values = np.array([10.0, 10.0, 1.0, 1.0])
    low, high = theory.sample_covariance_range(values, 60)
    curve = density(
        low, high, [], lambda x: theory.sample_covariance_spectrum(x, values, 60), "eigenvalue"
    ).curves[0]
    gap = np.isnan(curve.y)
    assert 1.2 < curve.x[gap].min() < 2
    assert 6 < curve.x[gap].max() < 8
    lower = curve.x < curve.x[gap].min()
    assert np.trapezoid(curve.y[lower], curve.x[lower]) == pytest.approx(0.5, rel=1e-3)
    # The curve comes down to 0 on both sides.
    edge = np.flatnonzero(np.diff(gap.astype(int)))
    assert [curve.y[edge[0]], curve.y[edge[-1] + 1]] == [0, 0]


@pytest.mark.parametrize(("ratio", "logarithmic"), [(0.8, False), (0.99, True), (2.0, False)])
def test_a_density_with_a_long_tail_has_logarithmic_axes(ratio: float, logarithmic: bool) -> None:
    low, high = theory.one_step_support(ratio, 0.5)
    found = density(low, high, [], lambda s: theory.one_step_spectrum(s, ratio, 0.5), "s")
    axis = axis_of(curve_figure(found))
    assert (axis.get_xscale() == "log") == logarithmic
    assert (axis.get_yscale() == "log") == logarithmic


# ---- figures of predictions

ODD: tuple[tuple[str, dict[str, Any]], ...] = (
    ("one-step", {"n_train": "400"}),
    ("one-step", {"n_train": "10:50:10"}),
    ("one-step", {"n_train": "2,1000000"}),
    ("one-step", {"dim": 1, "n_train": "2:30"}),
    ("spectrum", {"aspect_ratio": 1.0}),
    ("spectrum", {"aspect_ratio": 1.01}),
    ("spectrum", {"aspect_ratio": 0.4, "s": "0.5,1,3"}),
    ("wishart-kl", {"dim": 5, "n_train": "1:20"}),
    ("wishart-kl", {"n_train": "10000000"}),
    ("sample-covariance", {"spectrum": "power-law:2", "n_train": 50.0}),
    ("sample-covariance", {"spectrum": "10,1,1,0.1", "n_train": 40.0}),
    ("sample-covariance", {"n_train": 100.0}),
    ("split-consistency", {"aspect_ratio": "0.001,10000"}),
    ("renormalized-noise", {"n_train": "2,10000000"}),
    ("denoising-losses", {"noise_variance": 0.0, "n_train": "50:300:50"}),
    ("generated-variance", {"spectrum": "power-law:1"}),
    ("generated-variance", {"train_time": "0.00001,1000000"}),
    ("emergence", {"spectrum": "power-law:2"}),
    ("early-stopping", {"train_time": "0.3"}),
    ("speciation", {"spectrum": "1000000,1"}),
    ("cloning", {"time": "0:0.5:0.1"}),
    ("collapse", {"n_train": "1"}),
    ("collapse", {"dim": 2, "n_train": "2,1000000000"}),
    ("random-features", {"noise_draws": "4", "ridge": 1e-7}),
)
# In fewer dimensions it is the same figure, and takes less long to compute.
CHEAPER: dict[str, dict[str, Any]] = {
    "best-steps": {"dim": 8, "points_per_dimension": "2,10,40", "samplers": "heun"}
}
DEFAULTS = tuple((name, CHEAPER.get(name, {})) for name in PREDICTIONS if name != "phase")


@pytest.mark.parametrize(("name", "options"), [*DEFAULTS, *ODD])
def test_no_label_of_a_prediction_hides_another(
    names: Names, assert_labels_apart: Check, name: str, options: dict[str, Any]
) -> None:
    prediction = PREDICTIONS[name](**options)
    figure = prediction_figure(prediction)
    assert_labels_apart(figure)
    axis = axis_of(figure)
    assert figure._suptitle is not None
    shown = " ".join(figure._suptitle.get_text().split())
    assert shown == " ".join(prediction.title.split()).replace("^2", "²")
    # Nothing is blank: some finite value lies inside the axes.
    low, high = axis.get_ylim()
    inside = [np.asarray(line.get_ydata(), dtype=float) for line in axis.lines]
    assert any(((y > low) & (y < high)).sum() > 1 for y in inside if y.size > 2)
    # Everything that is drawn has a name, if there is more than one thing.
    labels = {str(line.get_label()) for line in axis.lines if not line.get_label().startswith("_")}
    assert labels <= {*names(figure)} or len(labels) == 1
    assert set(hatched(axis)) <= {*names(figure)}


def test_a_size_below_n_d_shows_where_the_divergence_is_infinite() -> None:
    figure = prediction_figure(PREDICTIONS["one-step"](n_train="50"))
    assert hatched(axis_of(figure))["infinite: KL(gen||pop) / d, nats"] == (12, 102)
    with pytest.raises(ValueError, match="infinite for all of training size n"):
        prediction_figure(PREDICTIONS["wishart-kl"](n_train="10,20"))
