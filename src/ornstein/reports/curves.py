"""Draw curves over one axis, for a paper: black and white first.

Every curve has its own dashes beside its colour, and later ones are thinner, so that curves that
coincide are all seen. The vertical axis is logarithmic where the curves span decades. Where a curve
is infinite the axes are hatched in its colour. Landmarks are upright lines; like curves and
hatching they are named in the legend below the axes, where no label can lie on another.
"""

from __future__ import annotations

__all__ = ["curve_figure", "round_numbers", "set_ticks", "tick_text", "heading", "label_lines"]

import math
import textwrap
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.ticker import MaxNLocator, NullFormatter

from ornstein.reports.figures import (
    BLUE,
    GREEN,
    GREY,
    VERMILION,
    characters,
    new_figure,
    points,
    style,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ornstein.reports.charts import Chart, Curve

_COLOURS = (BLUE, VERMILION, GREEN, "black", GREY)
_DASHES: Any = ("-", (0, (5, 2)), (0, (5, 1.5, 1, 1.5)), (0, (1, 1)))
_WIDTHS = (2.6, 2.0, 1.5, 1.1)
_MARKS: Any = ((0, (3, 2)), (0, (1, 1.5)), (0, (6, 1, 1, 1, 1, 1)))
# From here on a linear axis would show its small values as 0.
_DECADES = 20.0
_LINE, _ENTRY = 86 / 5.6, 36 / 5.6  # letters an inch
_LABEL = 0.75  # letters of a label over those of a caption
_NARROWEST, _LEAST = 0.01, 0.01


def curve_figure(chart: Chart, title: Sequence[str] = ()) -> Figure:
    """Draw a chart under its title.

    Parameters
    ----------
    chart : Chart
        At least one value of its curves is finite.
    title : sequence of str
        Lines above the axes: what is drawn, with its parameters.

    Raises
    ------
    ValueError
        If nothing in the range is finite: there would be nothing to see.
    """
    finite = np.concatenate([curve.y[np.isfinite(curve.y)] for curve in chart.curves])
    if not finite.size:
        raise ValueError(
            f"{' and '.join(curve.label for curve in chart.curves)}: infinite for all of "
            f"{chart.x_label} that was given, so there is nothing to draw: give other values"
        )
    with style():
        figure = new_figure(5.6, 4.2, panels=1)
        axis = figure.subplots()
        if chart.logarithmic:
            axis.set_xscale("log")
        spans_decades = finite.max() > _DECADES * finite.min() > 0
        if spans_decades if chart.logarithmic_y is None else chart.logarithmic_y:
            axis.set_yscale("log")
        _draw_curves(axis, chart)
        low, high = min(c.x[0] for c in chart.curves), max(c.x[-1] for c in chart.curves)
        pad = (high / low) ** 0.02 if chart.logarithmic else 0.02 * (high - low)
        limits = (low / pad, high * pad) if chart.logarithmic else (low - pad, high + pad)
        axis.set_xlim(*limits)
        for mark, dashes in zip(chart.marks, _MARKS, strict=False):
            if limits[0] <= mark.x <= limits[1]:
                axis.axvline(mark.x, color="#333333", lw=1.0, ls=dashes, label=mark.label, zorder=1)
        _set_height(axis, chart)
        set_ticks(axis.xaxis, whole=chart.whole)
        set_ticks(axis.yaxis)
        axis.set_xlabel(label_lines(figure, chart.x_label))
        axis.set_ylabel(chart.y_label)
        heading(figure, title)
        handles, labels = axis.get_legend_handles_labels()
        if len(handles) > 1:
            wide = max(map(len, labels)) > _ENTRY * figure.get_figwidth() * 8 / points(8)
            figure.legend(
                handles, labels, loc="outside lower center", ncols=1 if wide else 2, frameon=False
            )
    return figure


def heading(figure: Figure, title: Sequence[str]) -> None:
    """Write the lines of a title above the axes, wrapped to the width of the figure."""
    width = int(_LINE * figure.get_figwidth() * 8 / points(8))
    lines = [wrapped for line in title for wrapped in textwrap.wrap(line, width)]
    text = "\n".join(lines).replace("^2", "²")
    figure.suptitle(text, fontsize=points(8), x=0.01, ha="left", color="#222222")


def label_lines(figure: Figure, label: str) -> str:
    """Break a label that is wider than a figure of one panel."""
    return "\n".join(textwrap.wrap(label, int(_LABEL * characters(figure))))


def set_ticks(direction: Axis, *, whole: bool = False) -> None:
    """Put a handful of round numbers on an axis, each written out: no offset to be added."""
    low, high = sorted(direction.get_view_interval())
    ticks = round_numbers(low, high, logarithmic=direction.get_scale() == "log")
    powers = any(tick_text(tick).startswith("$") for tick in ticks)
    pure = [tick for tick in ticks if tick > 0 and (math.log10(tick) + 1e-9) % 1 < 1e-6]
    if whole:
        ticks = [tick for tick in ticks if float(tick).is_integer()]
    elif powers and direction.get_scale() == "log" and len(pure) > 2:
        ticks = pure
    direction.set_ticks(list(ticks), labels=[tick_text(tick, powers=powers) for tick in ticks])
    direction.set_minor_formatter(NullFormatter())


def tick_text(value: float, *, powers: bool = False) -> str:
    r"""A round number as text: plain where that is short, else with a power of ten.

    Examples
    --------
    >>> [tick_text(value) for value in (0.002, 5000.0, 2e6, 1e-5)]
    ['0.002', '5000', '$2\\times 10^{6}$', '$10^{-5}$']
    """
    if value == 0 or (1e-3 <= abs(value) < 1e5 and not powers):
        return f"{value:.10g}"
    exponent = math.floor(math.log10(abs(value)) + 1e-9)
    digits = f"{value / 10.0**exponent:.6g}"
    return f"$10^{{{exponent}}}$" if digits == "1" else f"${digits}\\times 10^{{{exponent}}}$"


def round_numbers(
    low: float, high: float, most: int = 8, *, logarithmic: bool = True
) -> NDArray[np.float64]:
    """A handful of round numbers from `low` to `high`; powers of ten over many decades.

    Examples
    --------
    >>> round_numbers(0.9, 110.0)
    array([  1.,   2.,   5.,  10.,  20.,  50., 100.])
    >>> round_numbers(2.0, 3e9)
    array([1.e+02, 1.e+04, 1.e+06, 1.e+08])
    >>> round_numbers(190.0, 310.0)
    array([200., 220., 240., 260., 280., 300.])
    """
    if logarithmic and high >= 8 * low > 0:
        powers = np.arange(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1.0)
        for digits in ((1, 2, 5), (1, 3), (1,)):
            levels = _between(np.outer(np.power(10.0, powers), digits).ravel(), low, high)
            if len(levels) <= most:
                return levels
        stride = math.ceil(len(levels) / most)
        return _between(np.power(10.0, powers[powers % stride == 0]), low, high)
    locator = MaxNLocator(most - 1, steps=[1, 2, 5, 10])
    return _between(np.asarray(locator.tick_values(low, high)), low, high)


def _between(numbers: NDArray[Any], low: float, high: float) -> NDArray[np.float64]:
    return np.sort(numbers[(numbers >= low) & (numbers <= high)])


def _draw_curves(axis: Axes, chart: Chart) -> None:
    hatched = []
    for index, curve in enumerate(chart.curves):
        colour = _COLOURS[index % len(_COLOURS)]
        axis.plot(
            curve.x,
            np.where(np.isfinite(curve.y), curve.y, np.nan),
            color=colour,
            ls=_DASHES[index % len(_DASHES)],
            lw=_WIDTHS[min(index + (len(chart.curves) == 1), len(_WIDTHS) - 1)],
            label=curve.label,
            zorder=2.5 + 0.01 * index,
        )
        hatched += [(curve.label, span, colour) for span in _infinite(curve, chart.logarithmic)]
    points = [curve for curve in chart.curves if np.isfinite(curve.marked_y).any()]
    for curve in points:
        axis.plot(
            curve.marked_x,
            np.where(np.isfinite(curve.marked_y), curve.marked_y, np.nan),
            ls="",
            marker="o",
            ms=4,
            color="black",
            markerfacecolor="white",
            zorder=3,
            label=chart.marked if curve is points[0] else None,
        )
    for label, (left, right), colour in hatched:
        axis.axvspan(
            left,
            right,
            facecolor="none",
            edgecolor=colour,
            alpha=0.5,
            hatch="///",
            lw=0,
            zorder=0.5,
            label=f"infinite: {label}",
        )


def _set_height(axis: Axes, chart: Chart) -> None:
    """Leave out what is too low, and do not magnify a change of less than one percent."""
    low, high = axis.get_ylim()
    if chart.bottom is not None:
        axis.set_ylim(chart.bottom, high)
    elif high - low < _LEAST * max(abs(low), abs(high)):
        pad = 0.5 * _LEAST * max(abs(low), abs(high))
        axis.set_ylim(low - pad, high + pad)


def _infinite(curve: Curve, logarithmic: bool) -> list[tuple[float, float]]:
    """Spans where a curve is infinite, without those too narrow to be seen."""
    place = np.log(curve.x) if logarithmic else curve.x
    infinite = np.flatnonzero(np.isinf(curve.y))
    runs = np.split(infinite, np.flatnonzero(np.diff(infinite) > 1) + 1)
    narrow = _NARROWEST * (place[-1] - place[0])
    return [
        (float(curve.x[run[0]]), float(curve.x[run[-1]]))
        for run in runs
        if run.size and place[run[-1]] - place[run[0]] > narrow
    ]
