r"""Ways to read the first rows of a text table, and which of them is meant.

The way that makes most cells numbers is taken. If two ways do that equally well and give different
numbers, the table is refused with both, since nobody but its owner can tell:

==========================  ====================================================
``1,5`` on every line       two columns of whole numbers, or one of decimals
``1,234;5,678``             decimal commas, or thousands
==========================  ====================================================
"""

from __future__ import annotations

__all__ = ["Reading", "SEPARATORS", "read_sample", "best_reading"]

import csv
from dataclasses import dataclass

from ornstein.data.table_cells import Signs, is_filled_number, is_number, value_of

SEPARATORS = (",", ";", "\t", "|", " ")


@dataclass(frozen=True)
class Reading:
    """One way to read the sample."""

    separator: str
    signs: Signs
    comment: str | None
    rows: list[list[str]]
    numbers: int
    """Cells below the first row that are numbers."""

    @property
    def columns(self) -> int:
        """Cells of a row."""
        return len(self.rows[0])

    @property
    def is_bare(self) -> bool:
        """Whether the first row is numbers, too."""
        return all(is_number(cell, self.signs) for cell in self.rows[0])

    @property
    def share(self) -> float:
        """Part of the cells below the first row that are numbers."""
        cells = self.columns * max(1, len(self.rows) - 1)
        return self.numbers / cells

    @property
    def rank(self) -> tuple[float, float]:
        """The share, and that of the first row, which decides between equal ones."""
        first = sum(is_filled_number(cell, self.signs) for cell in self.rows[0])
        return self.share, first / self.columns


def read_sample(
    sample: list[str], separator: str, signs: Signs, comment: str | None
) -> Reading | None:
    """Read lines in one way; None if that gives rows of different lengths."""
    lines = [line.partition(comment)[0].rstrip() for line in sample] if comment else sample
    if separator == "\n":
        rows = [[line.strip().strip('"')] for line in lines]
    else:
        rows = list(csv.reader(lines, delimiter=separator, skipinitialspace=True))
    rows = [row for row in rows if row]
    if not rows or any(len(row) != len(rows[0]) for row in rows):
        return None
    if separator == " " and len(rows[0]) == 1:
        return None
    below = rows[1:] or rows
    numbers = sum(is_filled_number(cell, signs) for row in below for cell in row)
    if separator == "\n":
        first = rows[0][0]
        named = not is_number(first, signs) and _is_split([first])
        if named or (_is_split(lines) and numbers < len(below)):
            return None
    return Reading(separator, signs, comment, rows, numbers)


def best_reading(readings: list[Reading], sample: list[str]) -> Reading:
    """The reading with most numbers; refuse where another one is as good and differs."""
    simple = [reading for reading in readings if not _is_needless(reading, readings)]
    top = max(reading.rank for reading in simple)
    best = [reading for reading in simple if reading.rank == top]
    if top[0] == 0:
        # Text alone: what splits it into most columns.
        return max(best, key=lambda reading: (reading.columns, reading.signs.decimal == "."))
    if any(reading.columns > 1 for reading in best):
        narrow = [each for each in best if each.columns == 1 and each.is_bare]
        wide = [reading for reading in best if reading.columns > 1]
        if narrow and any(_commas_alone(reading) for reading in wide):
            _refuse_two(sample, wide[0], narrow[0])
        best = wide
    first = best[0]
    for other in best[1:]:
        if _values(other) != _values(first):
            _refuse_two(sample, first, other)
    return first


def _is_needless(reading: Reading, readings: list[Reading]) -> bool:
    """Whether a sign or a comment is assumed that changes nothing against the plain reading."""
    plainer = [
        other
        for other in readings
        if other.separator == reading.separator
        and (other.comment is None) >= (reading.comment is None)
        and (other.signs.thousands is None) >= (reading.signs.thousands is None)
        and (other.signs.decimal == ".") >= (reading.signs.decimal == ".")
        and other is not reading
    ]
    return any(
        other.rank >= reading.rank and _values(other) == _values(reading) for other in plainer
    ) or any(
        other.rank >= reading.rank and other.comment is None and reading.comment is not None
        for other in plainer
    )


def _is_split(sample: list[str]) -> bool:
    """Whether lines hold what may separate cells."""
    return any(sign in line for line in sample for sign in SEPARATORS if sign != " ")


def _commas_alone(reading: Reading) -> bool:
    """Whether it has two columns that one column with decimal commas would have, too."""
    return reading.separator == "," and reading.columns == 2


def _values(reading: Reading) -> list[list[float | str]]:
    return [[value_of(cell, reading.signs) for cell in row] for row in reading.rows]


def _refuse_two(sample: list[str], one: Reading, other: Reading) -> None:
    line = sample[-1].strip()
    shown = line if len(line) <= 40 else line[:37] + "..."
    raise ValueError(
        f"it can be read in two ways, {shown!r} as {_said(one)} ({_options(one, other)}) or as "
        f"{_said(other)} ({_options(other, one)}): choose one"
    )


def _said(reading: Reading) -> str:
    values = _values(reading)[-1]
    shown = ", ".join(
        f"{value:g}" if isinstance(value, float) else str(value) for value in values[:3]
    )
    return shown + (", ..." if len(values) > 3 else "")


def _options(reading: Reading, other: Reading) -> str:
    """What to give for this reading and not the other."""
    parts = []
    if reading.separator not in {other.separator, "\n"}:
        parts.append(f"--separator {_shell(reading.separator)}")
    if reading.signs.decimal != other.signs.decimal or reading.separator == "\n":
        parts.append(f"--decimal {_shell(reading.signs.decimal)}")
    if reading.separator == "\n":
        parts.append("--separator ';'")
    if reading.signs.thousands is not None:
        parts.append(f"--thousands {_shell(reading.signs.thousands)}")
    return " ".join(parts)


def _shell(sign: str) -> str:
    return {"\t": "tab", " ": "space", ";": "';'", "|": "'|'"}.get(sign, sign)
