"""What a report says, before it is text, LaTeX, CSV, Markdown or HTML.

A `Document` is what was studied, tables with the meanings of their columns, an answer and notes;
for a page also a title, a question, figures, how the numbers were made, and what repeats it. Each
kind of result has one function that makes its document; `document_text` here,
`ornstein.reports.formats` and `ornstein.reports.pages` write any of them.
"""

from __future__ import annotations

__all__ = [
    "Table",
    "Section",
    "Picture",
    "Document",
    "table",
    "document_of",
    "document_text",
    "said_below",
    "plain_answer",
]

from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from ornstein.reports.tables import Column, format_groups, legend, paragraph, report

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ornstein.engine.summary import Summary

_ANSWER = "Answer: "


class Table(NamedTuple):
    """Columns under a title."""

    title: str
    """Empty for a table that goes on with what stands above it."""
    keys: Sequence[Column]
    """Columns that say what a row is of."""
    parts: Sequence[Sequence[Sequence[Column]]] = ((),)
    """Groups of columns that stay together; on a terminal each part begins a new line of tables."""

    @property
    def columns(self) -> list[Column]:
        """All columns with any value, keys first.

        Of several with one heading, those inside a group say which it is: ``theory (KL)``.
        """
        groups = [[column] for column in self.keys] + [g for part in self.parts for g in part]
        filled = [[column for column in group if any(column.cells)] for group in groups]
        headings = [column.heading for group in filled for column in group]
        return [
            Column(f"{column.heading} ({group[0].heading})", column.cells)
            if place and headings.count(column.heading) > 1
            else column
            for group in filled
            for place, column in enumerate(group)
        ]


def table(title: str, columns: Sequence[Column]) -> Table:
    """Return a table of one part, whose first column says what a row is of."""
    return Table(title, columns[:1], [[[column] for column in columns[1:]]])


class Section(NamedTuple):
    """Tables, and what their columns mean."""

    tables: Sequence[Table]
    meanings: Mapping[str, str] = {}
    """By heading, or a part of it; of those that do not occur nothing is said."""

    def shown(self) -> dict[str, str]:
        """Meanings of what occurs in the tables and their titles."""
        text = _tables_text(self.tables)
        return {name: meaning for name, meaning in self.meanings.items() if name in text}


class Picture(NamedTuple):
    """A figure of a page."""

    title: str
    figure: Any
    """A ``matplotlib.figure.Figure``, or what a page has ready: an object with ``html(prefix)``."""
    text: str = ""
    """What is to be seen on it, below it."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """What a report says.

    Parameters
    ----------
    subject : sequence of str
        Lines that say what was studied.
    sections : sequence of Section
    answer : str
        One sentence; may begin with ``Answer:``.
    cautions : sequence of str
        What may make all of it meaningless; stands beside the answer.
    findings : mapping of str to str
        Where there are several answers, each of them, by what it is about.
    notes : sequence of str
        What a reader of the tables needs to know.
    title, question : str
        Of a page; the question in words.
    figures : sequence of Picture
    made : mapping of str to str
        How each number was made and with what error, by what it is.
    state : str
        How much of it is done, if it is not all of it.
    configuration, versions : mappings
        Of the run, by name.
    command : str
        What repeats it.
    """

    subject: Sequence[str]
    sections: Sequence[Section] = ()
    answer: str = ""
    cautions: Sequence[str] = ()
    findings: Mapping[str, str] = field(default_factory=dict)
    notes: Sequence[str] = ()
    title: str = ""
    question: str = ""
    figures: Sequence[Picture] = ()
    made: Mapping[str, str] = field(default_factory=dict)
    state: str = ""
    configuration: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    command: str = ""


def document_of(summary: Summary) -> Document:
    """Return the document of a study's summary."""
    return import_module(f"ornstein.reports.{summary.report}").document(summary)


def document_text(document: Document) -> str:
    """Return a document as text of 80 columns: what was studied, tables, answers, notes."""
    blocks = ["\n".join(paragraph(line, "") for line in document.subject)]
    for section in document.sections:
        blocks += _blocks(section.tables)
        if shown := section.shown():
            blocks.append(legend(shown))
    return report(blocks, document.answer, said_below(document))


def said_below(document: Document) -> list[str]:
    """Cautions, findings and notes, in this order, each with what it is."""
    cautions = [f"Caution: {each}" for each in document.cautions]
    findings = [f"{name}: {said}" for name, said in document.findings.items()]
    return [*cautions, *findings, *document.notes]


def plain_answer(document: Document) -> str:
    """Return the answer as a sentence of its own."""
    text = document.answer.removeprefix(_ANSWER)
    return text[:1].upper() + text[1:]


def _blocks(tables: Sequence[Table]) -> list[str]:
    blocks = []
    for each in tables:
        if each.title:
            blocks.append(paragraph(each.title, ""))
        blocks.append("\n\n".join(format_groups(each.keys, part) for part in each.parts))
    return blocks


def _tables_text(tables: Sequence[Table]) -> str:
    return "\n".join(_blocks(tables))
