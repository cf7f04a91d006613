r"""A document as LaTeX, CSV or Markdown, for ``--format``.

- LaTeX: a ``table`` with the rules of booktabs for each table; its caption is the title of the
  table and what was studied. Meanings, answer and notes are comments.
- CSV: a header and a line for each row; a mean and its error, or a share and its interval, are
  columns of their own. Titles and all other words are lines that begin with ``# ``, and an empty
  line stands between tables. Infinity is ``inf``.
- Markdown: tables with their titles, meanings, answer and notes, as on GitHub.
"""

from __future__ import annotations

__all__ = ["FORMATS", "formatted", "as_latex", "as_csv", "as_markdown"]

import csv
import io
import re
from typing import TYPE_CHECKING

from ornstein.reports.documents import document_text, said_below
from ornstein.reports.tables import Column

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ornstein.reports.documents import Document, Section, Table

_WITH_ERROR = re.compile(r"(\S+) ± (\S+)")
_INTERVAL = re.compile(r"(\S+) \[(\S+), (\S+)\]")
_RANGE = re.compile(r"(\S+) to (\S+)")
_SPLIT = (
    (_WITH_ERROR, ("", " s.e.")),
    (_INTERVAL, ("", " low", " high")),
    (_RANGE, (" low", " high")),
)
_INFINITE = {"infinite": "inf", "-infinite": "-inf"}

_LATEX = {
    "\\": r"\textbackslash{}", "&": r"\&", "%": r"\%", "$": r"\$", "#": r"\#", "_": r"\_",
    "{": r"\{", "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "±": r"$\pm$", "<": "$<$", ">": "$>$", "|": "$|$", "²": "$^2$", "∞": r"$\infty$", "≤": r"$\le$",
    "≥": r"$\ge$", "Δ": r"$\Delta$", "…": r"\dots{}",
}  # fmt: skip
_SYMBOLS = re.compile(
    r"(?P<wasserstein>W2\^2)|(?P<sigma>Sigma_G)|(?P<delta>\bDelta\b)|(?P<tau>\btau_mem\b)"
    r"|(?P<star>n\*)|(?P<norm>\|\|)|(?P<base>[A-Za-z]+|\d+|\))\^(?P<power>-?[\w.]+)"
    r"|(?P<digits>\d)e(?P<exponent>[+-]?\d+)|(?P<minus>(?<![\w.)])-(?=[\d.]|infinite))"
)
_MATHEMATICS = {
    "wasserstein": "$W_2^2$",
    "sigma": r"$\Sigma_G$",
    "delta": r"$\Delta$",
    "tau": r"$\tau_{\mathrm{mem}}$",
    "star": "$n^*$",
    "norm": r"$\|$",
    "minus": "$-$",
}


def formatted(document: Document, name: str) -> str:
    """Return a document in one of `FORMATS`, ``text`` among them."""
    return FORMATS[name](document)


def as_latex(document: Document) -> str:
    """Return a ``table`` environment for each table, for a document that loads booktabs."""
    about = "; ".join(document.subject)
    parts = [r"% \usepackage{booktabs}"]
    for section in document.sections:
        for table in section.tables:
            # A line of text has no more room than a terminal.
            apart = [table._replace(parts=[part]) for part in table.parts]
            parts += [_latex_table(each, about) for each in apart if each.columns]
        parts += _comments(_meanings(section), "% ")
    parts += _comments(_said(document), "% ")
    return "\n".join(parts)


def as_csv(document: Document) -> str:
    """Return the tables with a header each; words are lines that begin with ``# ``."""
    blocks = ["\n".join(_comments(document.subject, "# "))]
    for section in document.sections:
        for table in section.tables:
            if table.columns:
                title = _comments([table.title], "# ")
                blocks.append("\n".join([*title, _csv_table(table)]))
        blocks.append("\n".join(_comments(_meanings(section), "# ")))
    blocks.append("\n".join(_comments(_said(document), "# ")))
    return "\n\n".join(filter(None, blocks))


def as_markdown(document: Document) -> str:
    """Return tables with their titles, meanings, answer and notes."""
    blocks = ["  \n".join(map(_markdown, document.subject))]
    for section in document.sections:
        for table in section.tables:
            if table.columns:
                title = [f"**{_markdown(table.title)}**"] if table.title else []
                blocks += [*title, _markdown_table(table)]
        blocks.append("\n".join(f"- {_markdown(line)}" for line in _meanings(section)))
    answer, *others = _said(document)
    blocks.append(_markdown(answer))
    blocks.append("\n".join(f"- {_markdown(each)}" for each in others))
    return "\n\n".join(filter(None, blocks))


FORMATS: dict[str, Callable[[Document], str]] = {
    "text": document_text,
    "latex": as_latex,
    "csv": as_csv,
    "markdown": as_markdown,
}
"""Of tables, by the values of ``--format``."""


def _said(document: Document) -> list[str]:
    """Answer, findings and notes, the first of them empty if there is no answer."""
    return [document.answer, *said_below(document)]


def _meanings(section: Section) -> list[str]:
    return [f"{name}: {meaning}" for name, meaning in section.shown().items()]


def _comments(lines: Sequence[str], mark: str) -> list[str]:
    return [f"{mark}{' '.join(line.split())}" for line in lines if line.strip()]


def _rows(columns: Sequence[Column]) -> list[tuple[str, ...]]:
    return list(zip(*(column.cells for column in columns), strict=True))


def _latex_table(table: Table, about: str) -> str:
    columns = table.columns
    lines = [" & ".join(_latex(column.heading) for column in columns)]
    rows = [" & ".join(map(_latex, row)) for row in _rows(columns)]
    caption = ". ".join(filter(None, [table.title, about])).rstrip(".")
    return "\n".join(
        [
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{_latex(caption)}.}}",
            rf"  \begin{{tabular}}{{{'r' * len(columns)}}}",
            r"    \toprule",
            *(rf"    {line} \\" for line in lines),
            r"    \midrule",
            *(rf"    {row} \\" for row in rows),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
        ]
    )


def _latex(text: str) -> str:
    r"""Text for LaTeX: symbols and powers as mathematics, all else as it is.

    Examples
    --------
    >>> print(_latex("W2^2 & -1.5 ± 2e-05 > 0"))
    $W_2^2$ \& $-$1.5 $\pm$ 2$\times 10^{-5}$ $>$ 0
    """
    found, end = [], 0
    for match in _SYMBOLS.finditer(text):
        found += [_LATEX.get(letter, letter) for letter in text[end : match.start()]]
        end = match.end()
        if match["exponent"] is not None:
            found.append(rf"{match['digits']}$\times 10^{{{int(match['exponent'])}}}$")
        elif match["power"] is not None:
            base = match["base"]
            single = rf"\mathrm{{{base}}}" if base[1:].isalpha() else base
            found.append(f"${single}^{{{match['power']}}}$")
        else:
            found.append(_MATHEMATICS[str(match.lastgroup)])
    written = "".join([*found, *(_LATEX.get(letter, letter) for letter in text[end:])])
    return re.sub(r"(?<!\\)\$\$", "", written)  # two formulas that touch are one


def _csv_table(table: Table) -> str:
    columns = [part for column in table.columns for part in _apart(column)]
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([column.heading for column in columns])
    writer.writerows(
        [[_INFINITE.get(cell, cell) for cell in map(str.strip, row)] for row in _rows(columns)]
    )
    return stream.getvalue().rstrip("\n")


def _apart(column: Column) -> list[Column]:
    """Columns of one number each, of a column of numbers with errors or intervals.

    Examples
    --------
    >>> for part in _apart(Column("KL", ["1.5 ± 0.2", "infinite"])):
    ...     print(part.heading, part.cells)
    KL ['1.5', 'infinite']
    KL s.e. ['0.2', '']
    """
    for pattern, endings in _SPLIT:
        matches = [pattern.fullmatch(cell.strip()) for cell in column.cells]
        if any(matches):
            rows = [
                match.groups() if match else (cell, *[""] * (len(endings) - 1))
                for match, cell in zip(matches, column.cells, strict=True)
            ]
            return [
                Column(column.heading + ending, [row[place] for row in rows])
                for place, ending in enumerate(endings)
            ]
    return [column]


def _markdown_table(table: Table) -> str:
    columns = table.columns
    lines = [
        [_markdown(column.heading) for column in columns],
        ["---:"] * len(columns),
        *([_markdown(cell) for cell in row] for row in _rows(columns)),
    ]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _markdown(text: str) -> str:
    return re.sub(r"([\\`*_<>|\[\]#])", r"\\\1", " ".join(text.split()))
