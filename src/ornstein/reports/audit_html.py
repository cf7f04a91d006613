"""An audit as HTML: a table for notebooks, a page for everybody else, and the picture of pairs.

The picture has two halves: the listed pairs (or, without a list, the suspects) with their
difference, and beside them held-out points with *their* nearest training points. Two fresh images
can be much alike: only what is nearer than those is a copy. Below each image stands its row in its
set, counted from 0, and below each difference the distance of the two.
"""

from __future__ import annotations

__all__ = ["audit_fragment", "audit_page", "write_audit_html", "pairs_figure"]

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.reports.audit_document import audit_document
from ornstein.reports.documents import Picture
from ornstein.reports.explanations import AUDIT
from ornstein.reports.pages.images import ImagePairs, Pair, difference
from ornstein.reports.tables import number

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ornstein.memorization.audit_report import AuditReport, Pairs
    from ornstein.reports.documents import Document, Section

    Array = NDArray[np.float64]

_BELOW = 0.3  # of the height of an image, for its label
_COLUMN = 1.0  # inches
_LABEL: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 7.5}


def audit_fragment(report: AuditReport) -> str:
    """What was compared, the answer, a sentence and numbers for each verdict, for a notebook."""
    from ornstein.reports.pages import fragment

    document = audit_document(report)
    return fragment(replace(document, sections=document.sections[:1]))


def write_audit_html(report: AuditReport, path: str | Path) -> None:
    """Write a page that holds everything, pictures too, in one file."""
    from ornstein.reports.pages import write_page

    write_page(audit_page(report), path)


def audit_page(
    report: AuditReport,
    *,
    rows: Section | None = None,
    settings: Mapping[str, Any] | None = None,
    versions: Mapping[str, str] | None = None,
    command: str = "",
) -> Document:
    """Return the document of the page of an audit.

    Parameters
    ----------
    report : AuditReport
    rows : Section, optional
        Rows of the data themselves, if they are to be shown.
    settings, versions : mappings, optional
        Of the run.
    command : str
        That repeats it.
    """
    document = audit_document(report)
    pairs = None if report.pairs is None else _pairs(report, report.pairs)
    text = (
        "Pairs of the largest contrast and their difference; then held-out images with the "
        "training images nearest to them, as alike as fresh images can be: only what is nearer "
        "than those is a copy. With --augment a generated image is shown turned or moved as it is "
        "nearest to its training image."
    )
    return replace(
        document,
        title=AUDIT.title,
        question=AUDIT.question,
        made=AUDIT.made,
        figures=[] if pairs is None else [Picture(pairs.title, pairs, text)],
        sections=[*document.sections, *([] if rows is None else [rows])],
        configuration=settings or {},
        versions=versions or {},
        command=command,
    )


def _pairs(report: AuditReport, pairs: Pairs) -> ImagePairs | None:
    """Pairs of images with their numbers, and controls; None if there are none."""
    from ornstein.memorization.image_variants import image_axes

    if not len(pairs.generated):
        return None
    drawn = [[_drawn(image, image_axes(image.shape)) for image in images] for images in pairs[:4]]
    names, controls = (_row_names(rows) for rows in (pairs.rows, pairs.held_out_rows))
    listed = report.copies or report.exact_copies
    return ImagePairs(
        "Listed pairs" if listed else "Suspects, none listed",
        ("rows", "generated", "nearest training"),
        [Pair(*each) for each in zip(names, drawn[0], drawn[1], strict=True)],
        ("rows", "held out", "nearest training"),
        [Pair(*each) for each in zip(controls, drawn[2], drawn[3], strict=True)],
        float(pairs.train.min()),
        float(pairs.train.max()),
    )


def _row_names(rows: Sequence[tuple[int, int, float]]) -> list[str]:
    return [f"{first} and {second}, distance {number(gap)}" for first, second, gap in rows]


def pairs_figure(report: AuditReport) -> Figure | None:
    """Pairs as images with their difference, beside held-out points; None without images."""
    from matplotlib.figure import Figure

    from ornstein.memorization.image_variants import image_axes
    from ornstein.reports.figures import style

    if report.pairs is None or len(report.pairs.generated) == 0:
        return None
    shown = [
        [_drawn(image, image_axes(image.shape)) for image in images] for images in report.pairs[:4]
    ]
    labels = (report.pairs.rows, report.pairs.held_out_rows)
    low, high = float(report.pairs.train.min()), float(report.pairs.train.max())
    span = (high - low) or 1.0
    known = {copy.generated for copy in (*report.copies, *report.exact_copies)}
    count, total = sum(row[0] in known for row in report.pairs.rows), len(report.pairs.generated)
    listed = "listed pairs" if count == total else f"{count} of {total} listed"
    listed = listed if count else "suspects, none listed"
    titles = (f"generated\n({listed})", "nearest\ntraining", "difference,\ndistance")
    titles += ("held out\n(fresh)", "nearest\ntraining", "difference,\ndistance")
    with style():
        rows = max(map(len, shown))
        height, width = shown[0][0].shape[:2]
        tall = _COLUMN * (height + _gap(height)) / width
        figure = Figure(figsize=(6.6, 0.5 + tall * rows), layout="constrained")
        halves: Any = figure.subfigures(1, 2, wspace=0.08)
        for first, half in zip((0, 2), halves, strict=True):
            grid = half.subplots(1, 3)
            images, others = shown[first], shown[first + 1]
            gaps = [difference(a, b) / span for a, b in zip(images, others, strict=True)]
            scaled = [[(image - low) / span for image in each] for each in (images, others)]
            for axes, column, place in zip(grid, (*scaled, gaps), range(3), strict=True):
                axes.set_title(titles[3 * (first > 0) + place], fontsize=7)
                axes.set_axis_off()
                axes.set_anchor("N")
                axes.imshow(
                    _stacked(column), vmin=0, vmax=1, cmap="gray_r" if place == 2 else "gray"
                )
                gap = _gap(height)
                for row, label in enumerate(labels[first // 2]):
                    text = number(label[2]) if place == 2 else f"row {label[place]}"
                    low_edge = row * (height + gap) + height - 0.5
                    axes.text((width - 1) / 2, low_edge + gap / 2, text, **_LABEL)
    return figure


def _gap(height: int) -> int:
    """Rows of pixels below an image, in which its label stands."""
    return max(1, round(_BELOW * height))


def _stacked(images: Sequence[Array]) -> Array:
    """Images of values 0 to 1 below each other, with white or nothing below each."""
    grey = images[0].ndim == 2
    line = np.full((_gap(len(images[0])), *images[0].shape[1:]), np.nan if grey else 1.0)
    parts = [part for image in images for part in (image, line)]
    stacked = np.concatenate(parts)
    return stacked if grey else np.clip(stacked, 0, 1)


def _drawn(image: Array, axes: tuple[int, int]) -> Array:
    """Height, width, and three colours if there are three."""
    channels = [axis for axis in range(image.ndim) if axis not in axes]
    moved = np.moveaxis(image, channels, range(image.ndim - len(channels), image.ndim))
    return moved[..., 0] if moved.ndim == 3 and moved.shape[2] == 1 else moved
