"""A study folder as a document: what it asks, what it found so far, and what repeats it."""

from __future__ import annotations

__all__ = ["study_document"]

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ornstein.reports.documents import Document, Picture, document_of
from ornstein.reports.explanations import EXPLANATIONS
from ornstein.reports.tables import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ornstein.engine.status import Status
    from ornstein.engine.summary import Summary
    from ornstein.reports.explanations import Explanation

_SHOWN = 5
_OTHERS = {
    "samples.png": (
        "Generated images beside the nearest training images",
        "A model that copies shows its first panel twice.",
    )
}


def study_document(
    summary: Summary,
    status: Status,
    settings: Mapping[str, Any],
    versions: Mapping[str, str],
    command: str,
) -> Document:
    """Return the document of a study.

    Parameters
    ----------
    summary : Summary
        Of its finished cells.
    status : Status
        Which cells are planned, done and failed.
    settings, versions : mappings
        Of the study, and what it was computed with.
    command : str
        That repeats it.
    """
    said = EXPLANATIONS[summary.report]
    document = Document(subject=[]) if not summary.rows else document_of(summary)
    pictures = [
        _picture(name, figure, said)
        for name, figure in (summary.figures() if summary.rows else {}).items()
    ]
    failed = [
        f"Failed: n = {cell.train_size}, run {cell.replicate}: {' '.join(error.split())}"
        for cell, error in status.errors[:_SHOWN]
    ]
    if len(status.errors) > _SHOWN:
        failed.append(f"{counted(len(status.errors) - _SHOWN, 'more failure')}: ornstein status.")
    return replace(
        document,
        title=said.title,
        question=said.question,
        made=said.made,
        figures=pictures,
        state=_state(status),
        notes=[*document.notes, *failed],
        configuration=settings,
        versions={**versions, **({"CPU": "; ".join(status.cpus)} if status.cpus else {})},
        command=command,
    )


def _picture(name: str, figure: Any, said: Explanation) -> Picture:
    title, text = _OTHERS.get(name, ("What was measured", said.figure))
    return Picture(title, figure, text)


def _state(status: Status) -> str:
    """How many cells are done, unless all that are planned are."""
    planned, done = sum(status.planned.values()), sum(status.done.values())
    failed = sum(status.failed.values())
    if not status.left and not failed:
        return ""
    text = f"{done} of {planned} cells are done"
    if failed:
        text += f", {failed} failed"
    numbers = "what stands here is of those" if done else "so that there are no numbers yet"
    return f"{text}; {numbers}."
