"""Sizes of figures: for a screen, for the columns of a paper, for a slide.

One layout serves all. A style has the widths of a figure of one panel and of several, a factor of
all type, and one of all lines and marks; `figures.new_figure` asks for it. matplotlib is not loaded
here.
"""

from __future__ import annotations

__all__ = ["FigureSizes", "STYLES", "chosen", "figure_style"]

import math
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class FigureSizes(NamedTuple):
    """Sizes of a style, in inches and as factors of those on a screen."""

    name: str
    column: float | None = None
    """Width of a figure of one panel; None: as it is."""
    text: float | None = None
    """Width of a figure of several panels."""
    tallest: float = math.inf
    type: float = 1.0
    lines: float = 1.0
    smallest: float = 0.0
    """Points of the smallest type."""

    def size(self, width: float, height: float, panels: int) -> tuple[float, float]:
        """Width and height of a figure that has this size on a screen."""
        own = self.column if panels == 1 else self.text
        return (width if own is None else own), min(self.type * height, self.tallest)

    def points(self, size: float) -> float:
        """Size of type that has this size on a screen."""
        return max(self.type * size, min(size, self.smallest))


STYLES = {
    "screen": FigureSizes("screen"),
    "paper": FigureSizes("paper", 3.35, 6.75, type=0.85, lines=0.85, smallest=6.0),
    "talk": FigureSizes("talk", 8.5, 12.0, tallest=7.0, type=1.4, lines=1.5),
}
"""By the values of ``--style``."""

_CHOSEN: ContextVar[str] = ContextVar("style of figures", default="screen")


def chosen() -> FigureSizes:
    """The style in which figures are drawn now."""
    return STYLES[_CHOSEN.get()]


@contextmanager
def figure_style(name: str) -> Iterator[None]:
    """Draw figures in a style within this context.

    Parameters
    ----------
    name : str
        Of `STYLES`.

    Raises
    ------
    ValueError
        If there is no such style.
    """
    if name not in STYLES:
        raise ValueError(f"style is {name!r}, expected one of {', '.join(STYLES)}")
    before = _CHOSEN.set(name)
    try:
        yield
    finally:
        _CHOSEN.reset(before)
