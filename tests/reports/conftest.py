"""What every figure has to keep: its labels inside, apart from each other, and in its legend."""

import itertools
from collections.abc import Callable

import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.transforms import Bbox


def entries(figure: Figure) -> list[str]:
    """Entries of the legends."""
    return [text.get_text() for legend in figure.legends for text in legend.get_texts()]


def boxes(figure: Figure) -> dict[str, Bbox]:
    """Where every text of a figure stands, in pixels."""
    canvas = FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    found = {}
    for number, text in enumerate(figure.findobj(Text)):
        assert isinstance(text, Text)
        box = text.get_window_extent(canvas.get_renderer())
        if text.get_text().strip() and text.get_visible() and box.width:
            found[f"{number} {text.get_text()}"] = box
    return found


def check_labels(figure: Figure) -> None:
    """Fail if a text leaves the figure or lies on another one, by a pixel or more."""
    found = boxes(figure)
    width, height = figure.canvas.get_width_height()
    for name, box in found.items():
        assert box.x0 > -1, name
        assert box.y0 > -1, name
        assert box.x1 < width + 1, name
        assert box.y1 < height + 1, name
    for (first, a), (second, b) in itertools.combinations(found.items(), 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        up = min(a.y1, b.y1) - max(a.y0, b.y0)
        assert min(across, up) < 1, f"{first!r} on {second!r}"


@pytest.fixture
def names() -> Callable[[Figure], list[str]]:
    return entries


@pytest.fixture
def assert_labels_apart() -> Callable[[Figure], None]:
    return check_labels
