"""Figures for a paper: black and white first, colours that the colour-blind can distinguish.

Colours are those of Okabe and Ito; every series also has its own marker or line style, so that a
figure survives a grey printer.
"""

from __future__ import annotations

__all__ = [
    "save_figure",
    "style",
    "caption",
    "legend_below",
    "Look",
    "looks",
    "size_looks",
    "size_entries",
    "legend_key",
]

import textwrap
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.colors import to_hex
from matplotlib.lines import Line2D

from ornstein.reports.tables import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure


BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
_MARKERS = "osD^vP*X"
_CHARACTERS_PER_INCH = 14.5

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
        if len(paths) > 1:  # the layout is found once, and holds for all
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
        for path in paths:
            # Without a date, the same study writes the same file.
            metadata: Any = {"Date": None} if path.suffix == ".svg" else None
            figure.savefig(path, dpi=150, metadata=metadata)


def caption(figure: Figure, parts: Sequence[str], remark: str = "") -> None:
    """Write what was studied above all panels, in lines as wide as the figure.

    Parameters
    ----------
    figure : Figure
    parts : sequence of str
        Joined by commas; those that are empty are left out.
    remark : str
        On lines of its own.
    """
    characters = int(_CHARACTERS_PER_INCH * figure.get_figwidth())
    lines = (", ".join(filter(None, parts)), remark)
    text = "\n".join(textwrap.fill(line, characters) for line in lines if line)
    figure.suptitle(text.replace("^2", "²"), fontsize=8, color="#333333")


def legend_below(figure: Figure, entries: Mapping[str, Any]) -> None:
    """Put a legend of these handles, by label, below all panels, in as many columns as fit."""
    widest = max(map(len, entries), default=1)
    columns = int(figure.get_figwidth() / (0.55 + 0.075 * widest))
    figure.legend(
        list(entries.values()),
        list(entries),
        loc="outside lower center",
        ncols=max(1, min(columns, len(entries))),
        frameon=False,
    )


class Look(NamedTuple):
    """Of a training size, where a panel has one curve for each."""

    colour: str
    marker: str
    size: float
    """Of the marker."""

    @property
    def points(self) -> dict[str, Any]:
        """Options of a curve with markers."""
        return {"color": self.colour, "marker": self.marker, "ms": self.size}


def looks(count: int) -> list[Look]:
    """Looks of `count` sizes: colours from dark to light, markers ever smaller.

    So a curve that lies on another one leaves the marker below it to be seen.
    """
    shades = mpl.colormaps["viridis"](np.linspace(0.0, 0.85, max(count, 1)))
    sizes = np.linspace(5.0, 2.5, count)
    return [
        Look(to_hex(shade), _MARKERS[index % len(_MARKERS)], size)
        for index, (shade, size) in enumerate(zip(shades, sizes, strict=False))
    ]


def size_looks(sizes: Sequence[int]) -> dict[int, Look]:
    """Looks of these training sizes."""
    return dict(zip(sizes, looks(len(sizes)), strict=True))


def legend_key(ls: str = "-", lw: float = 1.0, **options: Any) -> Line2D:
    """Handle of a legend that stands for lines of all colours."""
    return Line2D([], [], **{"color": "black", "ls": ls, "lw": lw, **options})


def size_entries(chosen: Mapping[int, Look], dim: int | None = None) -> dict[str, Any]:
    """Handles of the curves of training sizes, by label, with n in units of `dim` if given."""
    units = {n: "" if dim is None else f" ({number(n / dim, 2)} d)" for n in chosen}
    return {
        f"n = {n}{units[n]}": legend_key(**{**look.points, "ms": 4}) for n, look in chosen.items()
    }
