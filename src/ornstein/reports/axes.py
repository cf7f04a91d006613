"""Axes: round numbers written out, landmarks above, a place for the legend.

Counts and positive values have logarithmic axes. Every axis shows a handful of round numbers, each
written in full where that is short, so that the reader need not add an offset or a factor.
"""

from __future__ import annotations

__all__ = [
    "count_axis",
    "value_axis",
    "plain_axis",
    "share_axis",
    "landmark",
    "level",
    "legend_inside",
    "set_ticks",
    "round_numbers",
    "tick_text",
]

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.container import ErrorbarContainer
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from ornstein.reports.figures import GREY, points

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.lines import Line2D
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_DIGITS = ((1, 1.5, 2, 3, 5, 7), (1, 2, 5), (1, 3), (1,))
_FEWEST = 3
_MARGIN = 1.12
_NEAR = 3.0
# A change of less than this is not magnified to the height of a panel.
_LEAST = 0.02


def count_axis(
    axis: Axes, values: Sequence[float] | Array, landmarks: Sequence[float] = (), most: int = 7
) -> None:
    """Make the horizontal axis logarithmic, from the least to the greatest of some counts.

    Parameters
    ----------
    axis : Axes
    values : sequence of float
        Positive. Where they span less than a factor 3, the axis spans a factor 4 around them.
    landmarks : sequence of float
        The axis goes on to those that are not far.
    most : int
        Numbers on the axis, at most.
    """
    low, high = float(min(values)), float(max(values))
    if high < 3 * low:
        middle = math.sqrt(low * high)
        low, high = middle / 2, middle * 2
    else:
        low, high = low / _MARGIN, high * _MARGIN
    for place in landmarks:
        if low / _NEAR < place < high * _NEAR:
            low, high = min(low, place / _MARGIN), max(high, place * _MARGIN)
    axis.set_xscale("log")
    axis.set_xlim(low, high)
    set_ticks(axis.xaxis, round_numbers(low, high, most))


def value_axis(axes: Axes | Sequence[Axes], most: int = 6) -> None:
    """Make a vertical axis logarithmic, if anything that is drawn is above 0.

    Points at or below 0, which a correction may leave, become open triangles at the bottom, and
    the legend says so.

    Parameters
    ----------
    axes : Axes, or sequence of Axes
        Several share their vertical axis.
    most : int
        Numbers on the axis, at most.
    """
    row = list(np.atleast_1d(np.asarray(axes, dtype=object)))
    middle, ends = _drawn(row)
    if not (middle > 0).any():
        plain_axis(row, most)
        return
    row[0].set_yscale("log")
    lowest, highest = float(middle[middle > 0].min()), float(middle.max())
    low = max(lowest / 3, min([lowest, *ends[ends > 0]]))
    high = max([highest, *ends])
    margin = max((high / low) ** 0.05, 1 + _LEAST)
    low, high = low / margin, high * margin
    row[0].set_ylim(low, high)
    set_ticks(row[0].yaxis, round_numbers(low, high, most))
    for axis in row:
        _mark_what_is_below(axis)


def plain_axis(axes: Axes | Sequence[Axes], most: int = 6, highest: float = math.inf) -> None:
    """Put round numbers on a vertical axis, and do not magnify what hardly changes.

    Parameters
    ----------
    axes : Axes, or sequence of Axes
        Several share their vertical axis.
    most : int
        Numbers on the axis, at most.
    highest : float
        The axis does not go above it: the largest value that there is.
    """
    row = list(np.atleast_1d(np.asarray(axes, dtype=object)))
    axis, drawn = row[0], np.concatenate(_drawn(row))
    if drawn.size:
        low, high = float(drawn.min()), float(drawn.max())
        pad = max(0.05 * (high - low), _LEAST * max(abs(low), abs(high)), 1e-12)
        axis.set_ylim(low - pad, min(high + pad, highest))
    low, high = axis.get_ylim()
    set_ticks(axis.yaxis, round_numbers(low, high, most, logarithmic=False))


def share_axis(axis: Axes, *, half: bool = False) -> None:
    """Make the vertical axis one of shares, from 0 to 1; with a line at one half, if wanted."""
    axis.set_ylim(-0.04, 1.04)
    set_ticks(axis.yaxis, [0.0, 0.25, 0.5, 0.75, 1.0])
    if half:
        axis.axhline(0.5, color=GREY, lw=0.8, ls=":", zorder=1)
        place = {"xycoords": axis.get_yaxis_transform(), "xytext": (2, 0), "va": "center"}
        axis.annotate("1/2", (1, 0.5), **place, **_small())


def landmark(axis: Axes, x: float, text: str, dashes: tuple[float, float], side: str) -> None:
    """Mark a place on the horizontal axis, named above it to the given side, if it is in sight."""
    low, high = axis.get_xlim()
    if not low <= x <= high:
        return
    axis.axvline(x, color=GREY, lw=0.9, dashes=dashes, zorder=1)
    shift, align = (2, "left") if side == "right" else (-2, "right")
    place = {"xycoords": axis.get_xaxis_transform(), "xytext": (shift, 1), "va": "bottom"}
    axis.annotate(text, (x, 1), ha=align, **place, **_small())


def level(axis: Axes, y: float, text: str, most: int = 6) -> None:
    """Mark a height on a logarithmic axis, named at its left, if it is in sight or nearly so."""
    low, high = axis.get_ylim()
    if axis.get_yscale() != "log" or not low / _NEAR < y < high:
        return
    if y < low * _MARGIN:
        axis.set_ylim(y / _MARGIN, high)
        set_ticks(axis.yaxis, round_numbers(y / _MARGIN, high, most))
    axis.axhline(y, color=GREY, lw=0.9, dashes=(1, 2.5), zorder=1)
    place = {"xycoords": axis.get_yaxis_transform(), "xytext": (2, 1), "va": "bottom"}
    axis.annotate(text, (0, y), ha="left", **place, **_small())


def legend_inside(axis: Axes, lines: int = 1) -> None:
    """Put the legend of an axis above all that is drawn, in `lines` lines of empty space."""
    share = 0.04 + 0.11 * lines
    low, high = axis.get_ylim()
    if axis.get_yscale() == "log":
        axis.set_ylim(low, high * (high / low) ** (share / (1 - share)))
    else:
        axis.set_ylim(low, high + (high - low) * share / (1 - share))
    # White, so that lines that cross the panel pass behind it.
    axis.legend(
        loc="upper center",
        ncols=2,
        edgecolor="none",
        facecolor="white",
        framealpha=1.0,
        borderaxespad=0.1,
        columnspacing=1.0,
        handlelength=1.6,
        fontsize=points(7.5),
    ).set_zorder(5)


def round_numbers(low: float, high: float, most: int = 7, *, logarithmic: bool = True) -> Array:
    """A handful of round numbers from `low` to `high`; powers of ten over many decades.

    Examples
    --------
    >>> round_numbers(0.9, 110.0)
    array([  1.,   2.,   5.,  10.,  20.,  50., 100.])
    >>> round_numbers(2.0, 3e9, most=4)
    array([1.e+01, 1.e+04, 1.e+07])
    >>> round_numbers(0.3, 0.38)
    array([0.3 , 0.32, 0.34, 0.36, 0.38])
    """
    if logarithmic and 0 < low < high:
        powers = np.arange(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for digits in _DIGITS:
            numbers = _between(np.outer(10.0**powers, digits).ravel(), low, high)
            if _FEWEST <= len(numbers) <= most:
                return numbers
        numbers = _between(10.0**powers, low, high)
        if len(numbers) > most:
            return numbers[:: math.ceil(len(numbers) / most)]
    numbers = np.empty(0)
    # The locator counts intervals, and may go beyond the ends.
    for intervals in range(most, 0, -1):
        locator = MaxNLocator(intervals, steps=[1, 2, 2.5, 5, 10], min_n_ticks=1)
        numbers = _between(np.asarray(locator.tick_values(low, high)), low, high)
        if len(numbers) <= most:
            break
    return numbers


def tick_text(value: float) -> str:
    r"""A round number as text: in full where that is short, else as a power of ten.

    Examples
    --------
    >>> [tick_text(value) for value in (0.002, 50_000.0, 2e6, 1e-5)]
    ['0.002', '50000', '$2\\times 10^{6}$', '$10^{-5}$']
    """
    if value == 0 or 1e-3 <= abs(value) < 1e6:
        return f"{value:.10g}"
    power = math.floor(math.log10(abs(value)) + 1e-9)
    digits = f"{value / 10.0**power:.6g}"
    return f"$10^{{{power}}}$" if digits == "1" else f"${digits}\\times 10^{{{power}}}$"


def set_ticks(direction: Axis, numbers: Sequence[float] | Array) -> None:
    """Show these numbers on an axis, and no others."""
    direction.set_major_locator(FixedLocator(list(numbers)))
    direction.set_major_formatter(FuncFormatter(lambda value, _: tick_text(value)))
    direction.set_minor_locator(NullLocator())


def _small() -> dict[str, Any]:
    return {"textcoords": "offset points", "fontsize": points(7), "color": GREY}


def _between(numbers: Any, low: float, high: float) -> Array:
    slack = 1e-9 * (high - low)
    # Over many decades a part of the range is more than the low end itself.
    below = min(slack, 1e-9 * low) if low > 0 else slack
    return np.sort(numbers[(numbers >= low - below) & (numbers <= high + slack)])


def _drawn(axes: Sequence[Axes]) -> tuple[Array, Array]:
    """Finite heights of lines and points, and those where error bars end."""
    middle, ends = [np.empty(0)], [np.empty(0)]
    for axis in axes:
        left, right = axis.get_xlim()
        middle += [y[(x >= left) & (x <= right)] for _, x, y in _lines(axis)]
        ends += [
            segment[:, 1]
            for container in axis.containers
            if isinstance(container, ErrorbarContainer)
            for bars in container.lines[2]
            for segment in bars.get_segments()
        ]
    heights, errors = (np.concatenate(parts) for parts in (middle, ends))
    return heights[np.isfinite(heights)], errors[np.isfinite(errors)]


def _lines(axis: Axes) -> list[tuple[Line2D, Array, Array]]:
    """Lines in the coordinates of the data, with theirs."""
    own = [line for line in axis.get_lines() if line.get_transform() == axis.transData]
    parts = [[np.asarray(part, dtype=float) for part in line.get_data()] for line in own]
    return [(line, x, y) for line, (x, y) in zip(own, parts, strict=True)]


def _mark_what_is_below(axis: Axes) -> None:
    """Draw an open triangle at the bottom for each point that a logarithmic axis cannot show."""
    label: str | None = "at or below 0"
    for line, x, y in _lines(axis):
        if not (y <= 0).any():
            continue
        axis.plot(
            x[y <= 0],
            np.full((y <= 0).sum(), 0.03),
            "v",
            ms=4.5,
            mfc="none",
            mec=line.get_color(),
            label=label,
            transform=axis.get_xaxis_transform(),
            zorder=4,
        )
        label = None
