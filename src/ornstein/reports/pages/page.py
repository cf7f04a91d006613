"""The page of a document.

From top to bottom: what is asked and what was found; figures; tables with what each column means;
notes; how each number was made; configuration, versions and the command that repeats it. Headings
are in order, every table has a caption and headers with their scope, every picture its words. A
content policy in the page itself forbids every request.
"""

from __future__ import annotations

__all__ = ["page", "write_page", "fragment"]

import html
import re
from typing import TYPE_CHECKING, Any

from ornstein import __version__
from ornstein.files import atomic_write
from ornstein.reports.documents import plain_answer
from ornstein.reports.pages.drawings import Drawing, drawing
from ornstein.reports.pages.stylesheet import STYLESHEET

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from ornstein.reports.documents import Document, Picture, Section, Table

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_MOST_ROWS = 300
_WORDS = 24  # characters of a cell from which on it is text that wraps


def write_page(document: Document, path: str | Path) -> None:
    """Write the page of a document, whole or not at all.

    Raises
    ------
    OSError
        If the file cannot be written.
    """
    text = page(document)
    with atomic_write(path) as draft:
        draft.write_text(text, encoding="utf-8")


def page(document: Document) -> str:
    """Return a document as one HTML file."""
    title = document.title or "Report"
    parts = [
        _head(document, title),
        _section("Figures", "".join(map(_picture, document.figures, _prefixes(document.figures)))),
        _section("Tables", "".join(map(_tables, document.sections))),
        _section("Notes", _list(document.notes)),
        _section("How each number was made", _definitions(document.made)),
        _section("Configuration", _settings("Options of the run", document.configuration)),
        _section("Versions", _settings("What it ran with", document.versions)),
        _section("Run it again", _command(document.command)),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="generator" content="ornstein {__version__}">'
        f"<title>{_text(title)}</title><style>{STYLESHEET}</style></head>\n"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def fragment(document: Document) -> str:
    """Return what a document says as a part of another page, such as a notebook's."""
    answer = plain_answer(document)
    return "".join(
        [
            *(f"<p>{_text(line)}</p>" for line in document.subject),
            f"<p><strong>Answer.</strong> {_text(answer)}</p>" if answer else "",
            *map(_caution, document.cautions),
            _found(document.findings),
            *map(_tables, document.sections),
            _list(document.notes),
        ]
    )


def _head(document: Document, title: str) -> str:
    answer, question, state = plain_answer(document), document.question, document.state
    parts = [
        '<header><p class="kind">ornstein report</p>',
        f"<h1>{_text(title)}</h1>",
        f'<p class="question">{_text(question)}</p>' if question else "",
        f'<p class="state"><strong>Not finished.</strong> {_text(state)}</p>' if state else "",
        f'<p class="answer"><strong>Answer.</strong> {_text(answer)}</p>' if answer else "",
        *map(_caution, document.cautions),
        _found(document.findings),
        *(f'<p class="subject">{_text(line)}</p>' for line in document.subject),
        "</header>",
    ]
    return "".join(parts)


def _caution(said: str) -> str:
    return f'<p class="state"><strong>Caution.</strong> {_text(said)}</p>'


def _found(findings: Mapping[str, str]) -> str:
    entries = "".join(
        f"<li><strong>{_text(name)}.</strong> {_text(said)}</li>" for name, said in findings.items()
    )
    return f"<ol>{entries}</ol>" if entries else ""


def _section(title: str, body: str) -> str:
    return f"\n<section><h2>{title}</h2>{body}</section>" if body else ""


def _prefixes(pictures: Sequence[Picture]) -> list[str]:
    return [f"figure{place}" for place in range(1, len(pictures) + 1)]


def _picture(picture: Picture, prefix: str) -> str:
    if hasattr(picture.figure, "html"):
        made = Drawing(picture.figure.html(), "")
    else:
        made = drawing(picture.figure, picture.title, prefix)
    said = " ".join(filter(None, [f"{picture.title}.", picture.text, made.remark]))
    label = f'aria-label="{_text(picture.title)}"'
    return (
        f'<figure><div class="scroll" role="region" tabindex="0" {label}>'
        f"{made.html}</div><figcaption>{_text(said)}</figcaption></figure>"
    )


def _tables(section: Section) -> str:
    found = "".join(map(_table, section.tables))
    return found + _definitions(section.shown()) if found else ""


def _table(table: Table) -> str:
    columns = table.columns
    if not columns:
        return ""
    long = [max(map(len, column.cells), default=0) > _WORDS for column in columns]
    classes = [' class="words"' if each else "" for each in long]
    head = "".join(
        f'<th scope="col"{kind}>{_heading(column.heading)}</th>'
        for column, kind in zip(columns, classes, strict=True)
    )
    rows = list(zip(*(column.cells for column in columns), strict=True))
    body = "".join(_row(row, classes) for row in rows[:_MOST_ROWS])
    more = ""
    if len(rows) > _MOST_ROWS:
        more = f"<p>{len(rows) - _MOST_ROWS} of {len(rows)} rows are not shown.</p>"
    title = table.title or "Table"
    return (
        f'<div class="scroll" role="region" tabindex="0" aria-label="{_text(title)}"><table>'
        f"<caption>{_text(title)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>{more}"
    )


def _heading(text: str) -> str:
    """A heading that may break before its parenthesis, but not within."""
    before, _, within = text.partition(" (")
    return f'{_text(before)} <span class="whole">({_text(within)}</span>' if within else _text(text)


def _row(cells: Sequence[str], classes: Sequence[str]) -> str:
    first, *others = cells
    data = "".join(
        f"<td{kind}>{_text(cell.strip())}</td>"
        for cell, kind in zip(others, classes[1:], strict=True)
    )
    return f'<tr><th scope="row">{_text(first.strip())}</th>{data}</tr>'


def _definitions(meanings: Mapping[str, str]) -> str:
    if not meanings:
        return ""
    entries = "".join(f"<dt>{_text(k)}</dt><dd>{_text(v)}</dd>" for k, v in meanings.items())
    return f"<dl>{entries}</dl>"


def _settings(title: str, values: Mapping[str, Any]) -> str:
    given = {name: value for name, value in values.items() if value is not None}
    if not given:
        return ""
    rows = "".join(
        f'<tr><th scope="row">{_text(name)}</th><td class="words">{_text(str(value))}</td></tr>'
        for name, value in given.items()
    )
    return (
        f"<table><caption>{title}</caption><thead><tr>"
        f'<th scope="col">name</th><th scope="col" class="words">value</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>"
    )


def _command(command: str) -> str:
    return f'<pre tabindex="0"><code>{html.escape(command)}</code></pre>' if command else ""


def _list(lines: Sequence[str]) -> str:
    return f"<ul>{''.join(f'<li>{_text(line)}</li>' for line in lines)}</ul>" if lines else ""


def _text(text: str) -> str:
    """Escaped, with squares written as such."""
    return re.sub(r"\^2(?![\d.])", "²", html.escape(text))
