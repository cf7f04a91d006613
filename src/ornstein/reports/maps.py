"""Maps: one result over two parameters, in colours that keep their order in grey.

Colour scales are perceptually uniform and readable for the colour-blind: viridis for sizes, and
blue to orange, through white at 0, for a sign. Contours are labelled, so that a printed map can be
read without its colours; where the value is infinite the map is hatched.
"""

from __future__ import annotations

__all__ = ["map_figure"]

import math
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import patheffects
from matplotlib.colors import LinearSegmentedColormap, LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from ornstein.reports.figures import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

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


def map_figure(
    phase: PhaseMap, *, x_label: str, y_label: str, label: str, note: str = "", signed: bool = False
) -> Figure:
    """Draw a map with its contours and lines.

    Parameters
    ----------
    phase : PhaseMap
        Grid, values and lines, as :mod:`ornstein.theory.phase` returns them.
    x_label, y_label, label : str
        Of the axes and of the values.
    note : str
        A line under the title: what has been approximated.
    signed : bool
        Values lie between -1 and 1 and their sign matters.
    """
    with style():
        figure = Figure(figsize=(5.6, 4.2), layout="constrained")
        axis = figure.subplots()
        axis.grid(visible=False)
        axis.set_xscale("log")
        axis.set_yscale("log")
        mesh, ticks = (_signed_values if signed else _sizes)(axis, phase)
        _draw_lines(axis, phase)
        axis.set_xlim(phase.x[0], phase.x[-1])
        axis.set_ylim(phase.y[0], phase.y[-1])
        for direction in (axis.xaxis, axis.yaxis):
            direction.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
            direction.set_major_formatter("{x:g}")
            direction.set_minor_formatter(NullFormatter())
        axis.set_xlabel(x_label)
        axis.set_ylabel(y_label)
        axis.set_title(note, fontsize=8, loc="left", color="#444444")
        bar = figure.colorbar(mesh, ax=axis, pad=0.02, ticks=ticks, format="%g")
        bar.minorticks_off()
        bar.set_label(label)
        bar.outline.set_visible(False)  # type: ignore[union-attr]
        if phase.lines:
            figure.legend(loc="outside lower center", ncols=5, frameon=False)
    return figure


def _sizes(axis: Axes, phase: PhaseMap) -> tuple[Any, Any]:
    """Draw sizes, hatched where infinite, on a logarithmic scale over a decade or more."""
    values = np.ma.masked_invalid(phase.values)
    axis.set_facecolor("#eeeeee")
    if not values.count():
        raise ValueError("the map is infinite everywhere: move the training sizes above d + 2")
    # A divergence would take the whole scale: the top percent shares one colour.
    low, high = float(values.min()), float(np.percentile(values.compressed(), 99))
    levels = _round_levels(low, high)
    norm = LogNorm(low, high) if high > 10 * low > 0 else Normalize(low, high)
    mesh = axis.pcolormesh(
        phase.x, phase.y, values, norm=norm, cmap="viridis", shading="nearest", rasterized=True
    )
    endless = np.isinf(phase.values).astype(float)
    if endless.any():
        axis.contourf(phase.x, phase.y, endless, levels=[0.5, 1.5], colors="none", hatches=["///"])
    _contours(axis, phase, values, levels, "{:g}".format)
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
    if phase.log_abs is not None:
        # Where terms cancel the size dips to 0: contours would crowd along that line.
        size = np.ma.masked_where(np.abs(phase.values) < 0.05, phase.log_abs / math.log(10))
        low, high = np.percentile(size.compressed(), [1, 99])
        step = max(1, math.ceil((high - low) / _LEVELS))
        levels = np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step
        _contours(axis, phase, size, levels, lambda level: f"$10^{{{level:g}}}$")
    if phase.values.min() < 0 < phase.values.max():
        axis.contour(phase.x, phase.y, phase.values, levels=[0.0], colors="black", linewidths=2.0)
        axis.plot([], [], color="black", lw=2.0, label=r"$\Delta = 0$")
    for sign, text in ((-1, "negative"), (1, "positive")):
        _name_region(axis, phase, phase.values * sign > 0, text)
    return mesh, np.linspace(-1, 1, 5)


def _name_region(axis: Axes, phase: PhaseMap, region: np.ndarray, text: str) -> None:
    """Write a word into a region, at its place nearest to its middle; grey prints need it."""
    places = np.argwhere(region)
    if not len(places):
        return
    row, column = places[np.square(places - places.mean(axis=0)).sum(axis=1).argmin()]
    axis.text(
        float(phase.x[column]),
        float(phase.y[row]),
        text,
        ha="center",
        va="center",
        style="italic",
        path_effects=[patheffects.withStroke(linewidth=2.5, foreground="white")],
    )


def _contours(axis: Axes, phase: PhaseMap, values: Any, levels: Any, text: Any) -> None:
    if len(levels) == 0:
        return
    drawn = axis.contour(
        phase.x, phase.y, values, levels=levels, colors="white", linewidths=0.7, linestyles="solid"
    )
    outline: list[Any] = [patheffects.withStroke(linewidth=1.6, foreground="#222222")]
    drawn.set_path_effects(outline)
    for label in axis.clabel(drawn, fmt=text, fontsize=7, inline=True):
        label.set_path_effects(outline)


def _draw_lines(axis: Axes, phase: PhaseMap) -> None:
    """Named lines, black in a white sheath: visible on every colour."""
    sheath = [patheffects.withStroke(linewidth=3.2, foreground="white")]
    for name, (x, y) in phase.lines.items():
        label = "$n^*$" if name == "n*" else name
        axis.plot(
            x, y, color="black", lw=1.4, ls=_DASHES.get(name, "-"), label=label, path_effects=sheath
        )


def _round_levels(low: float, high: float) -> np.ndarray:
    """A handful of round numbers between two others."""
    if high > 10 * low > 0:
        powers = 10.0 ** np.arange(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
        for digits in ((1,), (1, 3), (1, 2, 5)):
            levels = np.sort(np.outer(powers, digits).ravel())
            levels = levels[(levels > low) & (levels < high)]
            if len(levels) >= 4:
                return levels
    levels = np.asarray(MaxNLocator(_LEVELS, steps=[1, 2, 5, 10]).tick_values(low, high))
    return levels[(levels > low) & (levels < high)]
