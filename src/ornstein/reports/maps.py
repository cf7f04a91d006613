"""Maps: one result over two parameters, in colours that keep their order in grey.

Colour scales are perceptually uniform and readable for the colour-blind: viridis for sizes, and
orange to blue, through white at 0, for a sign. Contours are labelled, so that a printed map can be
read without its colours; where the value is infinite the map is hatched. Lines, hatching and what
the contours are stand in a legend below the axes.
"""

from __future__ import annotations

__all__ = ["map_figure"]

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import patheffects
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize

from ornstein.reports.curves import heading, round_numbers, set_ticks, tick_text
from ornstein.reports.figures import new_figure, points, style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ornstein.reports.charts import MapChart
    from ornstein.theory.phase import PhaseMap

_SIGNED = LinearSegmentedColormap.from_list(
    "orange to blue",
    ["#7a3300", "#d55e00", "#f3b98b", "#f7f7f7", "#9ecae1", "#0072b2", "#003f66"],
)
_DASHES: Any = {
    "n = d": (0, (4, 2)),
    "n*": (0, (7, 1.5, 1, 1.5, 1, 1.5)),
    "collapse": (0, (1, 1.5)),
    "speciation": (0, (5, 1.5, 1, 1.5)),
    "best stop": "-",
}
_LEVELS = 7
_OUTLINE: list[Any] = [patheffects.withStroke(linewidth=1.6, foreground="#222222")]
# Half the width of a word and of a label, in units of the width of the map.
_WORD_MARGIN, _LABEL_MARGIN = 0.09, 0.05


def map_figure(chart: MapChart, title: Sequence[str] = ()) -> Figure:
    """Draw a map with its contours and lines.

    Parameters
    ----------
    chart : MapChart
        Grid, values and lines, and the labels of the axes and of the values.
    title : sequence of str
        Lines above the axes: what is drawn, with its parameters.

    Raises
    ------
    ValueError
        If the map is infinite everywhere: there would be nothing to see.
    """
    phase = chart.phase
    with style():
        figure = new_figure(5.6, 4.4, panels=1)
        axis = figure.subplots()
        axis.grid(visible=False)
        axis.set_xscale("log")
        axis.set_yscale("log")
        mesh, ticks = (_signed_values if chart.signed else _sizes)(axis, phase)
        _draw_lines(axis, phase)
        axis.set_xlim(phase.x[0], phase.x[-1])
        axis.set_ylim(phase.y[0], phase.y[-1])
        set_ticks(axis.xaxis, whole=True)
        set_ticks(axis.yaxis)
        axis.set_xlabel(chart.x_label)
        axis.set_ylabel(chart.y_label)
        heading(figure, title)
        bar = figure.colorbar(mesh, ax=axis, pad=0.02)
        bar.set_ticks(ticks, labels=[tick_text(tick) for tick in ticks])
        bar.minorticks_off()
        bar.set_label(chart.label)
        bar.outline.set_visible(False)  # type: ignore[union-attr]
        handles, labels = axis.get_legend_handles_labels()
        if handles:
            width = points(8) / 8 * sum(0.55 + 0.06 * len(label) for label in labels)
            columns = int(len(labels) * min(1.0, figure.get_figwidth() / width))
            figure.legend(
                handles, labels, loc="outside lower center", ncols=min(5, columns), frameon=False
            )
    return figure


def _sizes(axis: Axes, phase: PhaseMap) -> tuple[Any, Any]:
    """Draw sizes, hatched where infinite, on a logarithmic scale over a decade or more."""
    values = np.ma.masked_invalid(phase.values)
    axis.set_facecolor("#eeeeee")
    if not values.count():
        raise ValueError("the map is infinite everywhere: move the training sizes above d + 2")
    # A divergence would take the whole scale: the top percent shares one colour.
    low, high = float(values.min()), float(np.percentile(values.compressed(), 99))
    levels = round_numbers(low, high, _LEVELS)
    norm = LogNorm(low, high) if high > 10 * low > 0 else Normalize(low, high)
    mesh = axis.pcolormesh(
        phase.x, phase.y, values, norm=norm, cmap="viridis", shading="nearest", rasterized=True
    )
    endless = np.isinf(phase.values).astype(float)
    if endless.any():
        axis.contourf(phase.x, phase.y, endless, levels=[0.5, 1.5], colors="none", hatches=["///"])
        axis.fill([], [], facecolor="#eeeeee", edgecolor="black", hatch="///", label="infinite")
    _contours(axis, phase, values, levels, tick_text, _line_points(phase))
    return mesh, levels


def _signed_values(axis: Axes, phase: PhaseMap) -> tuple[Any, Any]:
    """Values between -1 and 1; contours of the size behind them, and a heavy one where it is 0."""
    mesh = axis.pcolormesh(
        phase.x,
        phase.y,
        phase.values,
        norm=Normalize(-1, 1),
        cmap=_SIGNED,
        shading="nearest",
        rasterized=True,
    )
    taken = _line_points(phase)
    if phase.values.min() < 0 < phase.values.max():
        zero = axis.contour(
            phase.x, phase.y, phase.values, levels=[0.0], colors="black", linewidths=2.0
        )
        axis.plot([], [], color="black", lw=2.0, label=r"$\Delta = 0$")
        on_it = [_place(phase, *np.asarray(path.vertices).T) for path in zero.get_paths()]
        taken = np.concatenate([taken, *on_it])
    for sign, text in ((-1, "negative"), (1, "positive")):
        taken = _name_region(axis, phase, phase.values * sign > 0, text, taken)
    if phase.log_abs is not None:
        # Where terms cancel the size dips to 0: contours would crowd along that line.
        size = np.ma.masked_where(np.abs(phase.values) < 0.05, phase.log_abs / math.log(10))
        low, high = np.percentile(size.compressed(), [1, 99]) if size.count() else (0.0, 0.0)
        step = max(1, math.ceil((high - low) / _LEVELS))
        levels = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
        if _contours(axis, phase, size, levels, lambda level: f"$10^{{{level:g}}}$", taken):
            (key,) = axis.plot([], [], color="white", lw=0.7, label=r"contours: $|E\,\Delta|$")
            key.set_path_effects(_OUTLINE)
    return mesh, np.linspace(-1, 1, 5)


def _name_region(
    axis: Axes, phase: PhaseMap, region: np.ndarray, text: str, taken: np.ndarray
) -> np.ndarray:
    """Write a word into a region, as far from lines as it can be; grey prints need it.

    Returns what is taken then.
    """
    rows, columns = np.nonzero(region)
    if not rows.size:
        return taken
    chosen = slice(None, None, max(1, rows.size // 2000))
    rows, columns = rows[chosen], columns[chosen]
    places = _place(phase, phase.x[columns], phase.y[rows])
    best = _farthest(places, taken, _WORD_MARGIN)
    best = int(np.abs(places - places.mean(0)).sum(1).argmin()) if best is None else best
    axis.text(
        float(phase.x[columns[best]]),
        float(phase.y[rows[best]]),
        text,
        ha="center",
        va="center",
        style="italic",
        path_effects=[patheffects.withStroke(linewidth=2.5, foreground="white")],
    )
    word = places[best] + np.linspace(-1, 1, 9)[:, None] * [_WORD_MARGIN, 0.0]
    return np.concatenate([taken, word])


def _contours(
    axis: Axes, phase: PhaseMap, values: Any, levels: Any, text: Any, taken: np.ndarray
) -> bool:
    """Draw contours, labelled away from the edges, from lines and from each other."""
    if len(levels) == 0:
        return False
    drawn = axis.contour(
        phase.x, phase.y, values, levels=levels, colors="white", linewidths=0.7, linestyles="solid"
    )
    drawn.set_path_effects(_OUTLINE)
    where = []
    for path in drawn.get_paths():
        vertices = np.asarray(path.vertices)
        places = _place(phase, *vertices.T)
        best = _farthest(places, taken, _LABEL_MARGIN) if len(places) else None
        if best is not None:
            where.append(tuple(vertices[best]))
            taken = np.concatenate([taken, places[best : best + 1]])
    if where:
        for label in axis.clabel(drawn, fmt=text, fontsize=points(7), inline=True, manual=where):
            label.set_path_effects(_OUTLINE)
    return True


def _place(phase: PhaseMap, x: Any, y: Any) -> np.ndarray:
    """Points of the plane in units of the height and width of the map, of shape (points, 2)."""
    across, up = (
        np.log(values / ends[0]) / math.log(ends[-1] / ends[0])
        for values, ends in ((x, phase.x), (y, phase.y))
    )
    return np.stack([across, up], axis=1)


def _line_points(phase: PhaseMap) -> np.ndarray:
    """Points on the named lines, close enough together that nothing fits between them."""
    places = [np.empty((0, 2))]
    for x, y in phase.lines.values():
        ends = _place(phase, np.asarray(x, dtype=float), np.asarray(y, dtype=float))
        ends = ends[np.isfinite(ends).all(axis=1)]
        steps = np.linspace(0, 1, 50)[:, None]
        places += [ends, *(a + steps * (b - a) for a, b in pairwise(ends) if len(ends) < 10)]
    return np.concatenate(places)


def _farthest(places: np.ndarray, taken: np.ndarray, margin: float) -> int | None:
    """The place farthest from all that is taken and from the edges; None if all are too near."""
    edge = np.minimum(places, 1 - places).min(axis=1)
    gaps = np.linalg.norm(places[:, None] - taken[None], axis=2).min(axis=1, initial=1.0)
    free = np.minimum(edge, gaps)
    best = int(free.argmax())
    return best if free[best] > margin else None


def _draw_lines(axis: Axes, phase: PhaseMap) -> None:
    """Named lines, black with a white outline: visible on every colour."""
    outline = [patheffects.withStroke(linewidth=3.2, foreground="white")]
    for name, (x, y) in phase.lines.items():
        axis.plot(
            x, y, color="black", lw=1.4, ls=_DASHES.get(name, "-"), label=name, path_effects=outline
        )
