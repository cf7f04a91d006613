"""Axes: round numbers in full, landmarks, nothing that is drawn is hidden."""

import math
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from tests.reports.reading import check_layout, drawn, landmarks

from ornstein.reports.axes import (
    count_axis,
    landmark,
    legend_inside,
    plain_axis,
    round_numbers,
    share_axis,
    tick_text,
    value_axis,
)
from ornstein.reports.series import means, perfect_model, shares


def an_axis() -> Axes:
    return Figure(layout="constrained").subplots()


def ticks(axis: Axes, name: str = "x") -> list[float]:
    direction = axis.xaxis if name == "x" else axis.yaxis
    low, high = sorted(direction.get_view_interval())
    return [float(t) for t in direction.get_majorticklocs() if low <= t <= high]


@given(st.floats(-12, 12), st.floats(0.001, 14), st.integers(3, 8), st.booleans())
@settings(max_examples=300)
def test_round_numbers_are_few_and_within(
    start: float, decades: float, most: int, logarithmic: bool
) -> None:
    low, high = 10.0**start, 10.0 ** (start + decades)
    found = round_numbers(low, high, most, logarithmic=logarithmic)
    assert 1 <= len(found) <= most
    assert (np.diff(found) > 0).all()
    slack = 1e-9 * (high - low)
    assert found.min() >= low - slack
    assert found.max() <= high + slack


@given(st.integers(-9, 12), st.sampled_from([1, 1.5, 2, 2.5, 3, 5, 7]))
def test_a_tick_reads_back(power: int, digits: float) -> None:
    value = digits * 10.0**power
    text = tick_text(value)
    assert "e+" not in text
    match = re.fullmatch(r"\$(?:([\d.]+)\\times )?10\^\{(-?\d+)\}\$", text)
    read = float(text) if match is None else float(match[1] or 1) * 10.0 ** int(match[2])
    assert read == pytest.approx(value, rel=1e-9)


def test_counts_have_a_logarithmic_axis_with_full_labels() -> None:
    axis = an_axis()
    count_axis(axis, [50, 1050])
    assert axis.get_xscale() == "log"
    assert ticks(axis) == [50, 100, 200, 500, 1000]
    low, high = axis.get_xlim()
    assert low < 50
    assert high > 1050
    labels = [label.get_text() for label in axis.get_xticklabels()]
    assert labels == ["50", "100", "200", "500", "1000"]


def test_one_count_stands_in_the_middle() -> None:
    axis = an_axis()
    count_axis(axis, [40])
    assert axis.get_xlim() == pytest.approx((20, 80))
    assert len(ticks(axis)) >= 3


def test_an_axis_goes_on_to_landmarks_that_are_near() -> None:
    near, far = an_axis(), an_axis()
    count_axis(near, [20, 200], [16])
    count_axis(far, [20, 200], [3, 4000])
    assert near.get_xlim()[0] < 16
    assert far.get_xlim() == pytest.approx((20 / 1.12, 200 * 1.12))
    landmark(near, 16, "n = d", (4, 2), "left")
    landmark(far, 3, "n = d", (4, 2), "left")
    assert landmarks(near) == {"n = d": 16}
    assert landmarks(far) == {}
    (line,) = near.get_lines()
    assert list(line.get_xdata()) == [16, 16]


def rows_of(values: list[float], error: float = 0.1) -> list[dict[str, float]]:
    return [{"kl_mean": value, "kl_se": error} for value in values]


def test_means_and_their_errors() -> None:
    axis = an_axis()
    rows = rows_of([1.0, math.inf, 3.0, math.nan], 0.25)
    assert means(axis, np.array([5.0, 6.0, 7.0, 8.0]), rows, "kl", 2.0, fmt="s", label="x")
    found = drawn(axis)["x"]
    assert found.x.tolist() == [5, 7]
    assert found.y.tolist() == [2, 6]
    assert found.low.tolist() == [1.5, 5.5]
    assert found.high.tolist() == [2.5, 6.5]
    assert not means(axis, np.array([5.0]), rows_of([math.inf]), "kl")
    # The mean of one run has no error.
    assert means(axis, np.array([5.0]), rows_of([4.0], math.nan), "kl", label="one")
    assert drawn(axis)["one"].high.tolist() == [4.0]


def test_shares_and_their_intervals() -> None:
    axis = an_axis()
    rows = [{"delta_positive": 0.5, "delta_positive_low": 0.2, "delta_positive_high": 0.9}]
    shares(axis, np.array([3.0]), rows, "delta", fmt="s", label="x")
    found = drawn(axis)["x"]
    assert (found.y[0], found.low[0], found.high[0]) == pytest.approx((0.5, 0.2, 0.9))


def test_a_perfect_model_is_drawn_only_if_it_is_known() -> None:
    axis = an_axis()
    perfect_model(axis, {})
    assert not axis.get_lines()
    perfect_model(axis, {"perfect_delta": {"train_size": [10, 20], "share": [0.4, 0.6]}}, 5.0)
    found = drawn(axis)["perfect model"]
    assert (found.x.tolist(), found.y.tolist(), found.dash) == ([2, 4], [0.4, 0.6], "-.")


class TestValueAxis:
    def test_positive_values_have_a_logarithmic_axis(self) -> None:
        axis = an_axis()
        count_axis(axis, [1, 3])
        means(axis, np.arange(1.0, 4), rows_of([0.02, 1.0, 40.0], 0.001), "kl")
        value_axis(axis)
        assert axis.get_yscale() == "log"
        low, high = axis.get_ylim()
        assert low < 0.02
        assert high > 40.001
        assert len(ticks(axis, "y")) >= 3

    @pytest.mark.parametrize("values", [[0.30, 0.38], [0.091, 0.2], [5.0], [1.0, 1.000001]])
    def test_narrow_ranges_have_labels_too(self, values: list[float]) -> None:
        axis = an_axis()
        count_axis(axis, [1, 3])
        means(axis, np.linspace(1.0, 2, len(values)), rows_of(values, 0.0), "kl")
        value_axis(axis)
        assert len(ticks(axis, "y")) >= 2
        low, high = axis.get_ylim()
        assert high / low > 1.01  # what hardly changes is not magnified

    def test_what_is_at_or_below_0_is_marked_at_the_bottom(self) -> None:
        axis = an_axis()
        count_axis(axis, [1, 4])
        means(axis, np.arange(1.0, 5), rows_of([2.0, -0.1, 0.5, 0.0]), "kl", fmt="o-", label="x")
        value_axis(axis)
        assert axis.get_yscale() == "log"
        below = drawn(axis)["at or below 0"]
        assert below.x.tolist() == [2, 4]
        assert below.marker == "v"
        assert (below.y < 0.1).all()  # in heights of the axis

    def test_an_error_bar_does_not_take_the_scale(self) -> None:
        axis = an_axis()
        count_axis(axis, [1, 2])
        rows = [{"kl_mean": 1.0, "kl_se": 1 - 1e-9}, {"kl_mean": 2.0, "kl_se": 0.1}]
        means(axis, np.array([1.0, 2.0]), rows, "kl")
        value_axis(axis)
        assert axis.get_ylim()[0] > 0.1

    def test_nothing_above_0_has_a_plain_axis(self) -> None:
        axis = an_axis()
        count_axis(axis, [1, 2])
        means(axis, np.array([1.0, 2.0]), rows_of([-1.0, -3.0]), "kl")
        value_axis(axis)
        assert axis.get_yscale() == "linear"

    def test_axes_that_share_a_scale_see_all_that_is_drawn(self) -> None:
        axes = Figure().subplots(1, 2, sharey=True)
        for axis, value in zip(axes, (0.01, 100.0), strict=True):
            count_axis(axis, [1])
            means(axis, np.array([1.0]), rows_of([value], 0.0), "kl")
        value_axis(list(axes))
        low, high = axes[1].get_ylim()
        assert low < 0.01
        assert high > 100


def test_a_plain_axis_needs_no_offset() -> None:
    axis = an_axis()
    count_axis(axis, [1, 3])
    means(axis, np.arange(1.0, 4), rows_of([1 - 1e-7, 1.0, 1 - 3e-8], 0.0), "kl")
    plain_axis(axis)
    low, high = axis.get_ylim()
    assert high - low > 0.02
    assert [float(label.get_text()) for label in axis.get_yticklabels()] == ticks(axis, "y")


def test_shares_go_from_0_to_1_and_half_is_half() -> None:
    axis = an_axis()
    share_axis(axis)
    assert ticks(axis, "y") == [0, 0.25, 0.5, 0.75, 1]
    assert not axis.texts
    share_axis(axis, half=True)
    (text,) = axis.texts
    assert (text.get_text(), text.xy[1]) == ("1/2", 0.5)
    (line,) = axis.get_lines()
    assert list(line.get_ydata()) == [0.5, 0.5]


@pytest.mark.parametrize("scale", ["log", "linear"])
def test_a_legend_stands_above_all_that_is_drawn(scale: str) -> None:
    figure = Figure(figsize=(3.2, 2.6), layout="constrained")
    axis = figure.subplots()
    count_axis(axis, [10, 100])
    x = np.array([10.0, 30, 100])
    means(axis, x, rows_of([3.0, 1.0, 3.0]), "kl", label="original-generated")
    means(axis, x, rows_of([2.0, 2.5, 3.1]), "kl", label="train-generated")
    (value_axis if scale == "log" else plain_axis)(axis)
    legend_inside(axis)
    check_layout(figure)
