"""Figures for a paper: black and white first, colours that the colour-blind can tell apart.

Colours are those of Okabe and Ito; every series also has its own marker or line style, so that a
figure survives a grey printer.
"""

from __future__ import annotations

__all__ = ["save_figure", "style", "count_axis", "value_axis", "landmark"]

import math
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import numpy as np
from matplotlib.ticker import LogLocator, NullFormatter

if TYPE_CHECKING:
    from pathlib import Path

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"

_STYLE: Any = {
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "legend.fontsize": 8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "grid.linewidth": 0.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "ornstein",
}


def style() -> Any:
    """Context in which all figures of the package are drawn."""
    return mpl.rc_context(_STYLE)


def save_figure(figure: Figure, *paths: Path) -> None:
    """Write a figure to each of `paths`; the ending decides the format."""
    with style():
        for path in paths:
            # Without a date, the same study writes the same file.
            metadata: Any = {"Date": None} if path.suffix == ".svg" else None
            figure.savefig(path, dpi=150, metadata=metadata)


def count_axis(axis: Axes, values: np.ndarray) -> None:
    """Make the horizontal axis logarithmic, with plain labels at 1, 2, 5 times powers of ten.

    Where `values` span less than a factor 3, the labels are those of the axis itself.
    """
    axis.set_xscale("log")
    narrow = values.max() < 3 * values.min()
    if narrow:
        middle = math.sqrt(values.min() * values.max())
        axis.set_xlim(middle / 2, middle * 2)
    axis.xaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7) if narrow else (1, 2, 5)))
    axis.xaxis.set_major_formatter("{x:g}")
    axis.xaxis.set_minor_formatter(NullFormatter())


def value_axis(axis: Axes) -> None:
    """Make the vertical axis logarithmic, if all that is drawn is above 0."""
    values = [y for line in axis.get_lines() for y in np.asarray(line.get_ydata(), dtype=float)]
    known = [y for y in values if math.isfinite(y)]
    if not known or min(known) <= 0:
        return
    axis.set_yscale("log")
    if max(known) < 10 * min(known):
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.yaxis.set_major_formatter("{x:g}")
    axis.yaxis.set_minor_formatter(NullFormatter())


def landmark(axis: Axes, x: float, text: str, dashes: tuple[float, float], side: str) -> None:
    """Mark a place on the horizontal axis, with its name to the given side at the bottom."""
    axis.axvline(x, color=GREY, lw=0.9, dashes=dashes, zorder=1)
    axis.text(
        x,
        0.01,
        f" {text} ",
        color=GREY,
        fontsize=7,
        rotation=90,
        va="bottom",
        ha=side,
        transform=axis.get_xaxis_transform(),
        clip_on=True,
    )
