"""Rows that are equal: which are the first of their kind, and an order that depends on values only.

Rows are told apart by the 20 bytes of a BLAKE2b digest, so that this takes one pass, whatever their
length. Ordered by their digests, the distinct rows of a set come in an order that depends on
nothing but the rows: not on where they stood, nor on which set they came from.
"""

from __future__ import annotations

__all__ = ["distinct_rows", "row_digests"]

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def row_digests(points: NDArray[np.float64]) -> list[bytes]:
    """Digest of each row of `points`, shape (n, dim): equal if and only if the rows are.

    Examples
    --------
    >>> first, second, third = row_digests(np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0]]))
    >>> first == second, first == third
    (True, False)
    """
    # Adding 0 turns -0 into 0: they are equal, and their bytes are not.
    return [hashlib.blake2b((row + 0.0).tobytes(), digest_size=20).digest() for row in points]


def distinct_rows(points: NDArray[np.float64]) -> NDArray[np.intp]:
    """Index of the first of each group of equal rows, ascending.

    Examples
    --------
    >>> distinct_rows(np.array([[1.0], [2.0], [1.0]]))
    array([0, 1])
    """
    first: dict[bytes, int] = {}
    for index, digest in enumerate(row_digests(points)):
        first.setdefault(digest, index)
    return np.fromiter(first.values(), dtype=np.intp, count=len(first))
