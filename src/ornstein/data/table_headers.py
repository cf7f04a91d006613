"""Whether the first row of a text table names its columns.

It does if it has text above every column of numbers. A row of numbers is a point, but for 0, 1, 2,
..., which is what pandas writes when nobody names the columns. In a table of text alone it names
them if no cell of it comes again below, and values below do.
"""

from __future__ import annotations

__all__ = ["has_header"]

from ornstein.data.table_cells import Signs, is_filled_number, is_number

_FEW_COLUMNS = 3  # a row 0, 1 may well be a data point


def has_header(rows: list[list[str]], signs: Signs) -> bool:
    """Whether the first of `rows` names the columns.

    Raises
    ------
    ValueError
        If all cells are text, and it may do so or not.

    Examples
    --------
    >>> has_header([["a", "b"], ["1", "2"]], Signs()), has_header([["a", "2"], ["1", "2"]], Signs())
    (True, False)
    """
    first, below = rows[0], rows[1:]
    if not below:
        return not all(is_filled_number(cell, signs) for cell in first)
    columns = [
        index for index in range(len(first)) if _is_numbers([row[index] for row in below], signs)
    ]
    if columns:
        text = [index for index in columns if not is_number(first[index], signs)]
        numbers = [index for index in columns if is_filled_number(first[index], signs)]
        if text and not numbers:
            return True
        # One bad cell among numbers is not a name.
        return not text and _counts(first)
    if any(first[index] in {row[index] for row in below} for index in range(len(first))):
        return False
    distinct = [len({row[index] for row in below}) for index in range(len(first))]
    if len(set(first)) == len(first) and (min(distinct) < len(below) or len(below) == 1):
        return True
    raise ValueError(
        f"its first row {', '.join(first[:4])!r} may name the columns or be a point, since all "
        "cells are text: choose with --header yes or no"
    )


def _is_numbers(cells: list[str], signs: Signs) -> bool:
    """Whether more than half of the cells that are not missing are numbers."""
    numbers = sum(is_filled_number(cell, signs) for cell in cells)
    missing = sum(is_number(cell, signs) for cell in cells) - numbers
    return numbers > (len(cells) - missing) / 2


def _counts(first: list[str]) -> bool:
    """Whether a row reads 0, 1, 2, ..., the names that pandas gives when nobody does."""
    for names in (first, first[1:]):
        if len(names) >= _FEW_COLUMNS and names == [str(index) for index in range(len(names))]:
            return names is first or not first[0].strip() or is_number(first[0])
    return False
