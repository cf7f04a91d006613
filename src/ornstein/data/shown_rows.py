"""Rows of data as text, for a reader who asked to see them."""

from __future__ import annotations

__all__ = ["MOST_COLUMNS", "shown_rows"]

from typing import TYPE_CHECKING

import numpy as np

from ornstein.data.contents import ArrayContents, TableContents

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ornstein.data.contents import Contents

MOST_COLUMNS = 12


def shown_rows(contents: Contents, index: Sequence[int]) -> tuple[list[str], list[list[str]]]:
    """Return the names of the first columns, and of some rows their values there.

    Parameters
    ----------
    contents : Contents
    index : sequence of int
        Rows, counted from 0.

    Returns
    -------
    names : list of str
        Of at most `MOST_COLUMNS` columns; of an array their numbers, as x0.
    rows : list of list of str
        Missing values are empty.

    Raises
    ------
    ValueError
        If points are images, which are no rows of numbers.
    """
    if isinstance(contents, TableContents):
        table = contents.table[list(contents.kinds)[:MOST_COLUMNS]].iloc[list(index)]
        missing = table.isna().to_numpy()
        rows = [
            ["" if gone else _text(value) for value, gone in zip(row, empty, strict=True)]
            for row, empty in zip(table.itertuples(index=False), missing, strict=True)
        ]
        return [str(name) for name in table.columns], rows
    if not isinstance(contents, ArrayContents) or contents.kind == "images":
        raise ValueError(f"{contents.name} holds images, which are no rows of values")
    values = contents.rows(np.asarray(index, dtype=int))[:, :MOST_COLUMNS]
    names = [f"x{place}" for place in range(values.shape[1])]
    return names, [[f"{value:.6g}" for value in row] for row in values]


def _text(value: object) -> str:
    """As it stands in a file: all digits of a number, and 10 rather than 10.0."""
    if isinstance(value, float) and value.is_integer():
        return f"{value:.0f}"
    return str(value)
