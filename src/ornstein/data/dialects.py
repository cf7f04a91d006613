r"""How a text table is written: encoding, separator, decimal sign, comments, header.

A sample of the file (its first rows) is read in every way that is possible, and the way that makes
most of its cells numbers is taken. If two ways do that equally well and give different numbers, the
table is refused with both, since nobody but its owner can tell:

``1,5`` on every line          two columns of whole numbers, or one with decimal commas
``1,234;5,678``                decimal commas, or thousands
first row ``a 2``, then numbers one column named, and one not

*Encoding.* A byte order mark decides; then UTF-8 if all bytes are; else cp1252, with a note.

*Comments.* Lines that begin with # are left out, and what follows a # if that makes numbers of
cells that are none otherwise.

*Header.* The first row names the columns if it has text above every column of numbers; a row of
numbers is data, but for 0, 1, 2, ..., which is what pandas writes when nobody names the columns.
"""

from __future__ import annotations

__all__ = ["Dialect", "find_dialect"]

import codecs
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ornstein.data.findings import Finding, note, warning
from ornstein.data.table_cells import Signs, is_number
from ornstein.data.table_headers import has_header
from ornstein.data.table_readings import SEPARATORS, Reading, best_reading, read_sample

if TYPE_CHECKING:
    from pathlib import Path

    from ornstein.data.reading_options import ReadingOptions

_SAMPLE_BYTES, _SAMPLE_ROWS, _LEAST_ROWS, _MOST_BYTES = 2**16, 1000, 20, 2**26
_LEADING_ZERO = re.compile(r"0+[1-9]\d*")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NAMES = {",": "comma", ";": "semicolon", "\t": "tab", "|": "bar", " ": "space"}


@dataclass(frozen=True)
class Dialect:
    """How a text table is written."""

    encoding: str
    separator: str
    signs: Signs
    comment: str | None
    header: bool
    skipped: int
    """Lines before the first row: comments, and lines that are blank."""
    names: tuple[str, ...]
    """Cells of the first row, if it is the header."""
    has_comment_lines: bool
    findings: tuple[Finding, ...] = ()

    @property
    def separator_name(self) -> str:
        """The separator in words."""
        return _NAMES.get(self.separator, repr(self.separator))


def find_dialect(path: Path, options: ReadingOptions) -> Dialect:
    """Find how a file is written; what `options` say is taken as it is.

    Raises
    ------
    ValueError
        If it is empty, not text, or can be read in two ways.
    """
    with path.open("rb") as stream:
        start = stream.read(_SAMPLE_BYTES)
        while start.count(b"\n") < _LEAST_ROWS and len(start) < _MOST_BYTES:
            more = stream.read(len(start))
            if not more:
                break
            start += more
        whole = not stream.read(1)
    encoding, findings = _encoding(path, start, options.encoding)
    lines = _lines(start, encoding, whole)
    skipped, rows_from = _skipped(lines)
    sample = lines[rows_from : rows_from + _SAMPLE_ROWS]
    comments = sum(line.startswith("#") for line in lines)
    sample = [line for line in sample if line.strip() and not line.startswith("#")]
    if not sample:
        raise ValueError("it holds no rows: expected a table of one point per row")
    if comments:
        findings.append(note(f"lines that begin with # left out ({comments} in the first rows)"))
    blank = _blank_lines(lines)
    if blank:
        findings.append(note(f"blank lines left out ({blank} in the first rows)"))
    readings = [
        reading
        for comment in ((None, "#") if any("#" in line for line in sample) else (None,))
        for separator in _possible_separators(path, sample, options.separator)
        for signs in _signs(options)
        if (reading := read_sample(sample, separator, signs, comment)) is not None
    ]
    if not readings:
        raise ValueError(
            "its rows have different numbers of cells, whatever separates them: repair it, or give "
            "--separator"
        )
    chosen = best_reading(readings, sample)
    if chosen.comment and not comments:
        findings.append(note("what follows a # left out"))
    header = options.header == "yes"
    if options.header is None:
        header = has_header(chosen.rows, chosen.signs)
    return Dialect(
        encoding=encoding,
        separator=chosen.separator,
        signs=chosen.signs,
        comment=chosen.comment,
        header=header,
        skipped=skipped,
        names=tuple(cell.strip() for cell in chosen.rows[0]) if header else (),
        has_comment_lines=comments > 0 or _has_comments(path),
        findings=(*findings, *_told(chosen, path), *_codes(chosen, header)),
    )


def _blank_lines(lines: list[str]) -> int:
    """Blank lines among others; those at the end say nothing."""
    filled = [index for index, line in enumerate(lines) if line.strip()]
    return sum(not line.strip() for line in lines[filled[0] : filled[-1]])


def _codes(reading: Reading, header: bool) -> list[Finding]:
    """Whole numbers with leading zeros, which are often codes."""
    findings = []
    for index, name in enumerate(reading.rows[0]):
        cells = [row[index].strip() for row in reading.rows[header:]]
        zeros = next((cell for cell in cells if _LEADING_ZERO.fullmatch(cell)), None)
        if zeros is not None and all(is_number(cell, reading.signs) for cell in cells):
            shown = name.strip() if header else str(index)
            findings.append(
                warning(
                    f"column {shown} holds numbers with leading zeros, as {zeros}, read as numbers",
                    "drop it if they are codes",
                )
            )
    return findings


def _encoding(path: Path, start: bytes, given: str | None) -> tuple[str, list[Finding]]:
    for mark, name in _MARKS:
        if start.startswith(mark):
            if given is None:
                return name, [note(f"byte order mark: read as {name.removesuffix('-sig')}")]
            return (name if given.lower() in {"utf-8", "utf8"} else given), []
    if given is not None:
        return given, []
    if b"\x00" in start:
        raise ValueError("it holds bytes that are no text: expected a table, or give --encoding")
    try:
        with path.open(encoding="utf-8") as stream:
            while stream.read(_MOST_BYTES):
                pass
    except UnicodeDecodeError as error:
        return "cp1252", [
            note(f"read as cp1252, since it is not UTF-8 (byte {error.start})", "--encoding tells")
        ]
    return "utf-8", []


def _has_comments(path: Path) -> bool:
    """Whether any line begins with #."""
    last = b"\n"
    with path.open("rb") as stream:
        while block := stream.read(_MOST_BYTES):
            if b"\n#" in last + block:
                return True
            last = block[-1:]
    return False


def _lines(start: bytes, encoding: str, whole: bool) -> list[str]:
    try:
        text = codecs.getincrementaldecoder(encoding)("strict").decode(start, final=whole)
    except UnicodeDecodeError as error:
        raise ValueError(f"it cannot be read as {encoding} ({error.reason})") from None
    lines = text.splitlines()
    return lines if whole or len(lines) < 2 else lines[:-1]


def _skipped(lines: list[str]) -> tuple[int, int]:
    count = 0
    for line in lines:
        if line.strip() and not line.startswith("#"):
            break
        count += 1
    return count, count


def _possible_separators(path: Path, sample: list[str], given: str | None) -> tuple[str, ...]:
    if given is not None:
        return (given,)
    if path.suffix.lower() == ".tsv":
        return ("\t",)
    found = tuple(each for each in SEPARATORS if any(each in line for line in sample))
    return (*found, "\n")  # the last: one column


def _signs(options: ReadingOptions) -> list[Signs]:
    if options.thousands is not None:
        decimal = options.decimal or ("," if options.thousands == "." else ".")
        return [Signs(decimal, options.thousands)]
    if options.decimal is not None:
        return [Signs(options.decimal)]
    return [Signs("."), Signs(","), Signs(",", "."), Signs(".", ",")]


def _told(reading: Reading, path: Path) -> list[Finding]:
    usual = "\t" if path.suffix.lower() == ".tsv" else ","
    parts = []
    if reading.separator not in {usual, "\n"}:
        parts.append(f"cells separated by {_NAMES.get(reading.separator, repr(reading.separator))}")
    if reading.signs.decimal != ".":
        parts.append("decimal commas")
    if reading.signs.thousands is not None:
        parts.append(f"thousands separated by {reading.signs.thousands!r}")
    return [note(f"read with {' and '.join(parts)}")] if parts else []
