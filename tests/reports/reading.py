"""What a reader sees of tables and figures, as values."""

import itertools
import re
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.text import Text


class Table(NamedTuple):
    """A table of a text: the line above it, and its columns from left to right."""

    title: str
    columns: list[tuple[str, list[str]]]

    def column(self, heading: str) -> list[str]:
        """Cells of the one column of that heading."""
        (cells,) = [cells for name, cells in self.columns if name == heading]
        return cells


def read_tables(text: str) -> list[Table]:
    """All tables of a text, as they are printed."""
    lines = text.splitlines()
    found = []
    for index, line in enumerate(lines):
        if not re.fullmatch(r"-+(  -+)*", line):
            continue
        spans = [match.span() for match in re.finditer(r"-+", line)]
        rows = [lines[index - 1]]
        for row in lines[index + 1 :]:
            if not row:
                break
            rows.append(row)
        cells = [[row[left:right].strip() for row in rows] for left, right in spans]
        above = [text for text in lines[: index - 1] if text]
        found.append(Table(above[-1], [(column[0], column[1:]) for column in cells]))
    return found


_ENTRY = re.compile(r"  (\S.*?) {2,}(\S.*)")


def legend_of(text: str) -> dict[str, str]:
    """Meanings of columns, by heading; each of them has one line."""
    found = {}
    for block in text.split("\n\n"):
        lines = block.splitlines()
        # The indentation tells a legend from a table, and the wide gap from a note.
        if lines and not lines[0].startswith("   ") and _ENTRY.fullmatch(lines[0]):
            if any(re.fullmatch(r"-+(  -+)*", line.strip()) for line in lines):
                continue
            entries = [_ENTRY.fullmatch(line) for line in lines]
            assert all(entries), block
            found |= {match[1]: match[2] for match in entries if match}
    return found


def sentences(text: str) -> str:
    """A text in one line."""
    return " ".join(text.split())


class Series(NamedTuple):
    """Points with error bars, or a curve."""

    x: np.ndarray
    y: np.ndarray
    low: np.ndarray
    high: np.ndarray
    colour: str
    marker: str
    dash: str
    edge: str
    """Colour around the markers."""


def drawn(axis: Axes) -> dict[str, Series]:
    """Series of an axis by label; those without a label by their number, _0, _1, ..."""
    found: dict[str, Series] = {}
    within = set()
    for container in axis.containers:
        if isinstance(container, ErrorbarContainer):
            line, _, (bars,) = container.lines
            within.add(line)
            ends = np.array([segment[:, 1] for segment in bars.get_segments()]).reshape(-1, 2)
            label = str(container.get_label())
            name = f"_{len(found)}" if label.startswith("_") or label == "None" else label
            found[name] = _series(line, ends[:, 0], ends[:, 1])
    for line in axis.get_lines():
        if line not in within:
            label = str(line.get_label())
            name = f"_{len(found)}" if label.startswith("_") else label
            y = np.asarray(line.get_ydata(), dtype=float)
            found[name] = _series(line, y, y)
    return found


def _series(line: Any, low: np.ndarray, high: np.ndarray) -> Series:
    x, y = (np.asarray(part, dtype=float) for part in line.get_data())
    colours = to_hex(line.get_color()), to_hex(line.get_markeredgecolor())
    return Series(x, y, low, high, colours[0], line.get_marker(), line.get_linestyle(), colours[1])


def landmarks(axis: Axes) -> dict[str, float]:
    """Names above an axis, and their places on it."""
    return {text.get_text().strip(): float(text.xy[0]) for text in axis.texts}  # type: ignore[attr-defined]


def entries_of(figure: Figure) -> dict[str, Any]:
    """Handles of the legend below a figure, by label."""
    (legend,) = figure.legends
    labels = [text.get_text() for text in legend.get_texts()]
    return dict(zip(labels, legend.legend_handles, strict=True))


def caption_of(figure: Figure) -> str:
    return sentences(figure.get_suptitle())


def check_layout(figure: Figure) -> None:
    """No two labels overlap, none leaves the figure, and no legend hides what is drawn."""
    canvas = FigureCanvasAgg(figure)
    figure.draw_without_rendering()
    renderer = canvas.get_renderer()
    width, height = figure.bbox.width, figure.bbox.height
    hidden = _ticks_out_of_sight(figure)
    boxes = [
        (text.get_text(), text.get_window_extent(renderer))
        for text in figure.findobj(Text)
        if isinstance(text, Text) and text.get_visible() and text.get_text() and text not in hidden
    ]
    for (one, a), (two, b) in itertools.combinations(boxes, 2):
        across = min(a.x1, b.x1) - max(a.x0, b.x0)
        up = min(a.y1, b.y1) - max(a.y0, b.y0)
        # Boxes have a margin of a pixel around what is seen.
        assert min(across, up) <= 1.0, f"{one!r} overlaps {two!r}"
    for text, box in boxes:
        assert min(box.x0, box.y0) > -1, text
        assert box.x1 < width + 1, text
        assert box.y1 < height + 1, text
    for axis in figure.axes:
        legend = axis.get_legend()
        if legend is not None:
            bottom = legend.get_window_extent(renderer).y0
            points = [
                np.asarray(line.get_xydata(), dtype=float)
                for line in axis.get_lines()
                if line.get_transform() == axis.transData
            ]
            points += [
                segment
                for container in axis.containers
                if isinstance(container, ErrorbarContainer)
                for bars in container.lines[2]
                for segment in bars.get_segments()
            ]
            for place in points:
                assert (axis.transData.transform(place)[:, 1] < bottom).all(), axis.get_title()


def _ticks_out_of_sight(figure: Figure) -> set[Text]:
    """Labels of ticks beyond the ends of their axis, which are not drawn."""
    found = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            ticks = {*axis.get_major_ticks(), *axis.get_minor_ticks()}
            for tick in ticks - set(axis._update_ticks()):
                found |= {tick.label1, tick.label2}
    return found


def check_width(text: str) -> None:
    """It fits a terminal of 80 columns without colours, and shows no NaN and no huge count."""
    assert max(map(len, text.splitlines())) <= 80
    assert "nan" not in text
    assert "\x1b" not in text
