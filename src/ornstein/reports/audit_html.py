"""An audit as HTML: a table for notebooks, a page for everybody else, and the picture of pairs.

The picture has two halves: the listed pairs (or, without a list, the suspects) with their
difference, and beside them held-out points with *their* nearest training points. Two fresh images
can be much alike: only what is nearer than those is a copy.
"""

from __future__ import annotations

__all__ = ["audit_fragment", "audit_page", "write_audit_html", "pairs_figure"]

import html
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.reports.audit import SHARES, TITLES, audit_rows
from ornstein.reports.audit_document import audit_document
from ornstein.reports.audit_sentences import audit_sentences
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


def audit_fragment(report: AuditReport) -> str:
    """The verdict, a sentence and numbers for each question, and notes, for a notebook."""
    said = audit_sentences(report)
    sentences = "".join(
        f"<li><b>{_text(TITLES[name])}.</b> {_text(each)}</li>" for name, each in said.items()
    )
    keys = ("value", "low", "high", "reference", "p_value", "detectable")
    table = _table(
        ("share", "of the points", "low", "high", "expected", "p", "found from"),
        [
            [_text(SHARES[row["name"]]), *(_cell(row[key]) for key in keys)]
            for row in audit_rows(report)
            if row["name"] in said
        ],
    )
    cautions = "".join(f"<p><b>Caution:</b> {_text(each)}</p>" for each in report.cautions)
    return (
        f"<p><b>Verdict: {_text(report.verdict)}</b></p>{cautions}<ol>{sentences}</ol>{table}"
        f"{_notes(report.warnings)}"
    )


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
        "than those is a copy."
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
    drawn = [[_drawn(image, image_axes(image.shape)) for image in images] for images in pairs]
    found = (*report.copies, *report.exact_copies, *report.suspects)
    numbers = list({copy.generated: copy for copy in found}.values())
    names = [f"{copy.generated} and {copy.train}" for copy in numbers[: len(drawn[0])]]
    names += [""] * (len(drawn[0]) - len(names))
    listed = report.copies or report.exact_copies
    return ImagePairs(
        "Listed pairs" if listed else "Suspects, none listed",
        ("rows", "generated", "nearest training"),
        [Pair(*each) for each in zip(names, drawn[0], drawn[1], strict=True)],
        ("", "held out", "nearest training"),
        [
            Pair(f"control {place}", *each)
            for place, each in enumerate(zip(drawn[2], drawn[3], strict=True), 1)
        ],
        float(pairs.train.min()),
        float(pairs.train.max()),
    )


def pairs_figure(report: AuditReport) -> Figure | None:
    """Pairs as images with their difference, beside held-out points; None without images."""
    from matplotlib.figure import Figure

    from ornstein.memorization.image_variants import image_axes
    from ornstein.reports.figures import style

    if report.pairs is None or len(report.pairs.generated) == 0:
        return None
    shown = [
        [_drawn(image, image_axes(image.shape)) for image in images] for images in report.pairs
    ]
    low, high = float(report.pairs.train.min()), float(report.pairs.train.max())
    span = (high - low) or 1.0
    listed = "listed pairs" if report.copies or report.exact_copies else "suspects, none listed"
    titles = (f"generated\n({listed})", "nearest\ntraining", "difference")
    titles += ("held out\n(fresh)", "nearest\ntraining", "difference")
    with style():
        rows = max(map(len, shown))
        figure = Figure(figsize=(6.2, 0.6 + 0.85 * rows), layout="constrained")
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
    return figure


def _stacked(images: Sequence[Array]) -> Array:
    """Images of values 0 to 1 below each other, with a row of white or nothing between."""
    grey = images[0].ndim == 2
    line = np.full((1, *images[0].shape[1:]), np.nan if grey else 1.0)
    parts = [part for image in images for part in (image, line)][:-1]
    stacked = np.concatenate(parts)
    return stacked if grey else np.clip(stacked, 0, 1)


def _drawn(image: Array, axes: tuple[int, int]) -> Array:
    """Height, width, and three colours if there are three."""
    channels = [axis for axis in range(image.ndim) if axis not in axes]
    moved = np.moveaxis(image, channels, range(image.ndim - len(channels), image.ndim))
    return moved[..., 0] if moved.ndim == 3 and moved.shape[2] == 1 else moved


def _table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{_text(name)}</th>" for name in headings)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _notes(notes: Sequence[str]) -> str:
    if not notes:
        return ""
    return "<p>Notes</p><ul>" + "".join(f"<li>{_text(note)}</li>" for note in notes) + "</ul>"


def _cell(value: Any) -> str:
    if isinstance(value, int):
        return str(value)
    return _text(value if isinstance(value, str) else number(float(value)))


def _text(value: str) -> str:
    return html.escape(value)
