"""An audit as HTML: a table for notebooks, one file for everybody else, and the picture of pairs.

The picture has two halves: the listed pairs (or, without a list, the suspects) with their
difference, and beside them held-out points with *their* nearest training points. Two fresh images
can be much alike: only what is nearer than those is a copy. Below each image stands its row in its
set, counted from 0, and below each difference the distance of the two.
"""

from __future__ import annotations

__all__ = ["audit_fragment", "write_audit_html", "pairs_figure"]

import base64
import html
import io
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.files import atomic_write
from ornstein.reports.audit import (
    SHARES,
    TITLES,
    audit_rows,
    copy_headings,
    copy_rows,
    how_found,
)
from ornstein.reports.audit_sentences import audit_sentences, compared, gaussian_line
from ornstein.reports.tables import number

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from ornstein.memorization.audit_report import AuditReport

    Array = NDArray[np.float64]

_STYLE = (
    "body{font-family:system-ui,sans-serif;max-width:60em;margin:2em auto;padding:0 1em;"
    "line-height:1.45}table{border-collapse:collapse;margin:1em 0}"
    "th,td{padding:.25em .7em;border-bottom:1px solid #ccc;text-align:right;vertical-align:top}"
    "th:first-child,td:first-child,td:last-child{text-align:left}img{max-width:100%}"
)
_MOST_ROWS = 200
_BELOW = 0.3  # of the height of an image, for its label
_COLUMN = 1.0  # inches
_LABEL: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 7.5}


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
        f"<p>{_text(gaussian_line(report))}.</p>"
        f"{_notes(report.warnings)}"
    )


def write_audit_html(report: AuditReport, path: str | Path) -> None:
    """Write a page that holds everything, pictures too, in one file."""
    rows = copy_rows(report)
    columns = ("generated", "train", "distance", "contrast")
    pairs = _table(
        (*columns, "found"),
        [[*(_cell(row[name]) for name in columns), how_found(row)] for row in rows[:_MOST_ROWS]],
    )
    more = f"<p>{len(rows) - _MOST_ROWS} more are not shown.</p>" if len(rows) > _MOST_ROWS else ""
    meanings = "".join(
        f"<li>{_text(name)}: {_text(text)}</li>" for name, text in copy_headings().items()
    )
    detectable = _table(
        ("noise in standard deviations", "found from, share", "points"),
        [
            [_cell(each.noise), _cell(each.fraction) or "never", _cell(each.copies)]
            for each in report.detectable
        ],
    )
    metrics = _table(
        ("metric", "generated", "held out", "copying makes it", "meaning"),
        [
            [_text(m.name), _cell(m.value), _cell(m.held_out), _text(m.direction), _text(m.meaning)]
            for m in report.metrics
        ],
    )
    page = (
        "<!DOCTYPE html><html lang='en'><head><meta charset='utf-8'><title>Audit</title>"
        f"<style>{_STYLE}</style></head><body><h1>Audit of generated data</h1>"
        f"<p>{_text(compared(report))}.</p>"
        f"{audit_fragment(report)}"
        "<h2>Copies that would have been found</h2><p>Planted copies at several distances from "
        f"training points, found with probability 0.8.</p>{detectable}"
        f"<h2>Pairs of the largest contrast</h2>{_picture(report)}{pairs}{more}<ul>{meanings}</ul>"
        "<h2>Descriptive metrics</h2><p>No tests: read each beside its held-out value.</p>"
        f"{metrics}"
        "</body></html>"
    )
    with atomic_write(path) as draft:
        draft.write_text(page, encoding="utf-8")


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
            gaps = [_difference(a, b) / span for a, b in zip(images, others, strict=True)]
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


def _difference(image: Array, other: Array) -> Array:
    """Absolute difference, the mean over colours."""
    gap = np.abs(image - other)
    return gap.mean(axis=2) if gap.ndim == 3 else gap


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


def _picture(report: AuditReport) -> str:
    figure = pairs_figure(report)
    if figure is None:
        return ""
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=110)
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    text = (
        "Left: pairs with the largest contrast and their difference. Right: held-out images with "
        "the training images nearest to them, as alike as fresh images can be. Below each image "
        "its row, counted from 0; below each difference the distance of the two."
    )
    return f"<p>{text}</p><img alt='{text}' src='data:image/png;base64,{data}'>"


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
