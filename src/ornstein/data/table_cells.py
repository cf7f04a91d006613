"""Cells of a text table: which are numbers, which are missing."""

from __future__ import annotations

__all__ = ["MISSING", "is_number", "is_filled_number", "value_of", "Signs"]

import re
from typing import NamedTuple

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none", "-", "?", "."})
"""Cells that stand for a missing value, in lower case."""
_EMPTY = MISSING - {"nan"}
_FLOAT = re.compile(
    r"[+-]?(?:\d+\.?\d*(?:e[+-]?\d+)?|\.\d+(?:e[+-]?\d+)?|inf|infinity|nan)", re.IGNORECASE
)
"""Without the underscores and the digits of other scripts that Python's ``float`` takes."""


class Signs(NamedTuple):
    """Signs in the numbers of a table."""

    decimal: str = "."
    thousands: str | None = None


def is_number(cell: str, signs: Signs = Signs()) -> bool:  # noqa: B008 - it cannot be changed
    """Whether a cell reads as a number, or as a missing value.

    Examples
    --------
    >>> is_number("1,5"), is_number("1,5", Signs(",")), is_number(" -2e3 "), is_number("n/a")
    (False, True, True, True)
    >>> is_number("1,234", Signs(".", ",")), is_number("0,234", Signs(".", ","))
    (True, False)
    """
    text, (decimal, thousands) = cell.strip(), signs
    if text.lower() in MISSING:
        return True
    if thousands is not None and thousands in text:
        whole, point, rest = text.partition(decimal)
        if not _is_grouped(whole, thousands):
            return False
        text = whole.replace(thousands, "") + point + rest
    if decimal != ".":
        if "." in text or text.endswith(decimal):
            return False
        text = text.replace(decimal, ".")
    return _FLOAT.fullmatch(text.strip()) is not None


def is_filled_number(cell: str, signs: Signs) -> bool:
    """Whether a cell reads as a number, and not as a missing value."""
    return cell.strip().lower() not in _EMPTY and is_number(cell, signs)


def value_of(cell: str, signs: Signs) -> float | str:
    """The number that a cell reads as, or its text."""
    text = cell.strip()
    if not is_number(cell, signs) or text.lower() in MISSING:
        return text
    return float(text.replace(signs.thousands or "\0", "").replace(signs.decimal, "."))


def _is_grouped(text: str, sign: str) -> bool:
    """Whether digits stand in groups of three."""
    pattern = rf"[+-]?[1-9]\d{{0,2}}(?:{re.escape(sign)}\d{{3}})+"
    return re.fullmatch(pattern, text.strip()) is not None
