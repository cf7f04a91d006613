"""Figures for a paper: black and white first, colours that the colour-blind can distinguish.

Colours are those of Okabe and Ito; every series also has its own marker or line style, so that a
figure survives a grey printer.
"""

from __future__ import annotations

__all__ = [
    "save_figure",
    "style",
    "new_figure",
    "drawn_figures",
    "points",
    "characters",
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
from matplotlib.collections import Collection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from ornstein.reports.figure_styles import STYLES, chosen
from ornstein.reports.tables import number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path


BLUE, VERMILION, GREEN, GREY = "#0072B2", "#D55E00", "#009E73", "#666666"
_MARKERS = "osD^vP*X"
_CHARACTERS_PER_INCH = 14.5
_LINES = (
    *("axes.linewidth", "patch.linewidth", "hatch.linewidth"),
    *(f"{axis}tick.major.{part}" for axis in "xy" for part in ("width", "size")),
)

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
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "svg.fonttype": "none",
    "pdf.fonttype": 42,
    "svg.hashsalt": "ornstein",
}


def style(name: str | None = None) -> Any:
    """Context in which all figures of the package are drawn, in a style or the chosen one."""
    sizes = STYLES[name] if name else chosen()
    scaled = {key: sizes.points(value) for key, value in _STYLE.items() if key.endswith("size")}
    # Lines of axes, which no module draws, are made anew at each drawing.
    usual: Any = mpl.rcParamsDefault
    own = {key: sizes.lines * usual[key] for key in _LINES}
    settings: Any = {**_STYLE, **scaled, **own}
    return mpl.rc_context(settings)


def new_figure(width: float, height: float, panels: int = 2) -> Figure:
    """Return a figure that has this size, in inches, on a screen.

    Parameters
    ----------
    width, height : float
    panels : int
        One has the width of a column in a paper, more that of the text.
    """
    sizes = chosen()
    figure = Figure(figsize=sizes.size(width, height, panels), layout="constrained")
    figure.set_label(sizes.name)
    return figure


def drawn_figures(draw: Callable[[], dict[str, Figure]]) -> dict[str, Figure]:
    """Return what `draw` draws, with lines and marks in the chosen style."""
    figures = draw()
    for figure in figures.values():
        _scale_lines(figure, STYLES[_style_of(figure)].lines)
    return figures


def points(size: float) -> float:
    """Return the size of type that has this size on a screen."""
    return chosen().points(size)


def characters(figure: Figure) -> int:
    """Return how many letters of a caption one line of a figure takes."""
    return int(_CHARACTERS_PER_INCH * figure.get_figwidth() * 8 / points(8))


def save_figure(figure: Figure, *paths: Path) -> None:
    """Write a figure to each of `paths`; the ending decides the format."""
    with style(_style_of(figure)):
        engine = figure.get_layout_engine()
        if len(paths) > 1 and engine is not None:  # the layout is found once, and holds for all
            engine.execute(figure)
            figure.set_layout_engine(None)  # with one, each file draws it once more
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
    lines = (", ".join(filter(None, parts)), remark)
    text = "\n".join(textwrap.fill(line, characters(figure)) for line in lines if line)
    figure.suptitle(text.replace("^2", "²"), fontsize=points(8), color="#333333")


def legend_below(figure: Figure, entries: Mapping[str, Any]) -> None:
    """Put a legend of these handles, by label, below all panels, in as many columns as fit."""
    widest = max(map(len, entries), default=1)
    columns = int(figure.get_figwidth() / (points(8) / 8 * (0.55 + 0.075 * widest)))
    figure.legend(
        list(entries.values()),
        list(entries),
        loc="outside lower center",
        ncols=max(1, min(columns, len(entries))),
        frameon=False,
    )


def _style_of(figure: Figure) -> str:
    """The style that a figure was made in, which is its label."""
    return str(figure.get_label() or "screen")


def _scale_lines(figure: Figure, factor: float) -> None:
    """Scale what modules have drawn: lines, marks and edges."""
    if factor == 1.0:
        return
    for line in figure.findobj(Line2D):
        assert isinstance(line, Line2D)
        line.set(
            linewidth=factor * line.get_linewidth(),
            markersize=factor * line.get_markersize(),
            markeredgewidth=factor * line.get_markeredgewidth(),
        )
    for collection in figure.findobj(Collection):
        assert isinstance(collection, Collection)
        collection.set_linewidth([factor * width for width in collection.get_linewidth()])  # type: ignore[union-attr]


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
