"""A matplotlib figure on a page: inline SVG with words to be read, or an image.

What has many points (:data:`MOST_POINTS` in a figure) is drawn as an image inside the SVG, the
largest parts first, all points of it; axes and words stay sharp. A figure that is still large, or
that is made of images, becomes one PNG. Either way it says in words what it shows: the title and
the axes of each panel.
"""

from __future__ import annotations

__all__ = ["Drawing", "drawing", "MOST_POINTS", "in_words"]

import base64
import html
import io
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from ornstein.reports.figures import style

if TYPE_CHECKING:
    from collections.abc import Iterator

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MOST_POINTS = 6000
"""Points of a figure that are drawn one by one."""
MOST_BYTES = 300_000
"""Of a figure on a page."""
_RESOLUTIONS = (150, 110, 80, 55, 40)
_MATHEMATICS = (
    (r"\\mathrm\{(.*?)\}", r"\1"),
    (r"\\(Delta|Sigma|sigma|tau|lambda|rho|times)", r"\1"),
    (r"\\[,;!]", " "),
    (r"[${}]", ""),
)


class Drawing(NamedTuple):
    """A figure on a page."""

    html: str
    """An ``svg`` or an ``img`` element, with its text for those who do not see it."""
    remark: str
    """What of it is drawn as an image, and why; empty if nothing is."""


def drawing(figure: Figure, title: str, prefix: str) -> Drawing:
    """Return a figure as an element of a page.

    Parameters
    ----------
    figure : Figure
        Parts of it with very many points are drawn as images from then on.
    title : str
        Its name, for those who do not see it.
    prefix : str
        Of the identifiers within; unique on the page.
    """
    text = f"{title}. {in_words(figure)}"
    if any(axes.images for axes in figure.axes):
        return Drawing(_as_image(figure, text), "")
    as_image = _rasterised(figure)
    found = _as_svg(figure, text, prefix)
    if len(found) > MOST_BYTES:
        return Drawing(
            _as_image(figure, text),
            "The figure is drawn as an image, to keep this file small; all points are there.",
        )
    remark = ""
    if as_image:
        remark = (
            f"{as_image} points are drawn as an image, to keep this file small; all of them are "
            "there."
        )
    return Drawing(found, remark)


def in_words(figure: Figure) -> str:
    """Say what a figure shows: the title and the axes of each panel."""
    axes = [axis for axis in figure.axes if axis.axison]
    below = next((text for axis in reversed(axes) if (text := axis.get_xlabel())), "")
    panels = []
    for axis in axes:
        name = axis.get_title() or axis.get_ylabel()
        across = axis.get_xlabel() or below
        if name:
            panels.append(f"{_plain(name)} against {_plain(across)}" if across else _plain(name))
    if not panels:
        return ""
    return f"{'Panels' if len(panels) > 1 else 'Shown'}: {'; '.join(dict.fromkeys(panels))}."


def _plain(text: str) -> str:
    for pattern, words in _MATHEMATICS:
        text = re.sub(pattern, words, text)
    return " ".join(text.split())


def _rasterised(figure: Figure) -> int:
    """Mark the largest parts of a figure to be drawn as images; return their points."""
    parts = sorted(_parts(figure), key=lambda part: -part[0])
    left = sum(count for count, _ in parts)
    marked = 0
    for count, artist in parts:
        if left <= MOST_POINTS:
            break
        artist.set_rasterized(True)
        left -= count
        marked += count
    return marked


def _parts(figure: Figure) -> Iterator[tuple[int, Any]]:
    """Parts of a figure with the number of points that each writes."""
    for axis in figure.axes:
        for line in axis.get_lines():
            yield len(line.get_xdata()), line  # type: ignore[arg-type]
        for collection in axis.collections:
            if not collection.get_rasterized():
                yield _points_of(axis, collection), collection


def _points_of(axis: Axes, collection: Any) -> int:
    """How many points a collection writes: markers, or corners of its outlines."""
    offsets = collection.get_offsets()
    if len(offsets) > 1 or collection.get_offset_transform() == axis.transData:
        return len(offsets)
    return sum(len(path.vertices) for path in collection.get_paths())


def _as_svg(figure: Figure, text: str, prefix: str) -> str:
    stream = io.StringIO()
    metadata: Any = {"Date": None, "Creator": None}
    with style():
        figure.savefig(stream, format="svg", dpi=150, transparent=True, metadata=metadata)
    written = stream.getvalue()
    written = written[written.index("<svg") :]
    written = re.sub(r"<metadata>.*?</metadata>", "", written, flags=re.DOTALL)
    written = re.sub(r'\bid="', f'id="{prefix}-', written)
    written = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{prefix}-", written)
    head, _, body = written.partition(">")
    width = float(re.search(r'width="([\d.]+)pt"', head)[1])  # type: ignore[index]
    box = re.search(r'viewBox="[^"]*"', head)[0]  # type: ignore[index]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" {box} '
        f'role="img" aria-label="{html.escape(text)}" style="--width:{width * 4 / 3:.0f}px">{body}'
    ).strip()


def _as_image(figure: Figure, text: str) -> str:
    """A PNG in the page, of the highest resolution that is not too large."""
    data = b""
    for resolution in _RESOLUTIONS:
        stream = io.BytesIO()
        with style():
            figure.savefig(stream, format="png", dpi=resolution)
        data = stream.getvalue()
        if len(data) < MOST_BYTES:
            break
    width = round(96 * figure.get_figwidth())
    encoded = base64.b64encode(data).decode("ascii")
    return f'<img alt="{html.escape(text)}" width="{width}" src="data:image/png;base64,{encoded}">'
