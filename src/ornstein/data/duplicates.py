"""Rows that are equal, by their digests: within a set, and between two.

Rows are told apart by a BLAKE2b digest, so that this takes one pass, whatever their length. Ordered
by their digests, the distinct rows of a set come in an order that depends on nothing but the rows:
not on where they stood, nor on which set they came from.
"""

from __future__ import annotations

__all__ = ["Groups", "row_digests", "digest_pairs", "distinct_rows", "equal_rows", "common_rows"]

import hashlib
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Index = NDArray[np.intp]


_PAIR = 16  # bytes of two whole numbers of 64 bits


def row_digests(points: NDArray[np.float64], size: int = 20) -> list[bytes]:
    """Digest of each row of `points`, shape (n, dim): equal where the rows are (NaN apart), only.

    Examples
    --------
    >>> first, second, third = row_digests(np.array([[0.0, 1.0], [-0.0, 1.0], [1.0, 0.0]]))
    >>> first == second, first == third
    (True, False)
    """
    # Adding 0 turns -0 into 0: they are equal, and their bytes are not.
    plain = np.ascontiguousarray(points + 0.0)
    return [hashlib.blake2b(row, digest_size=size).digest() for row in plain]


def digest_pairs(points: NDArray[np.float64]) -> NDArray[np.uint64]:
    """The same as whole numbers, shape (n, 2): 16 bytes a row, for as many as a file holds."""
    joined = b"".join(row_digests(points, _PAIR))
    return np.frombuffer(joined, dtype=np.uint64).reshape(len(points), 2)


def distinct_rows(points: NDArray[np.float64]) -> NDArray[np.intp]:
    """Index of the first of each group of equal rows, ascending.

    Examples
    --------
    >>> distinct_rows(np.array([[1.0], [2.0], [1.0]]))
    array([0, 1])
    """
    return equal_rows(digest_pairs(points)).first


class Groups(NamedTuple):
    """Rows of a set by their values."""

    first: NDArray[np.intp]
    """The first of each group of equal rows, ascending."""
    repeats: int
    """Rows that are equal to one before them."""
    example: tuple[int, int] | None
    """The first such row, and the one that it repeats."""
    largest: int
    """Rows of the largest group."""


def equal_rows(digests: NDArray[np.uint64]) -> Groups:
    """Group rows by digests of shape (n_rows, 2).

    Examples
    --------
    >>> equal_rows(np.array([[1, 0], [2, 0], [1, 0]], dtype=np.uint64))
    Groups(first=array([0, 1]), repeats=1, example=(2, 0), largest=2)
    """
    # Stable, so that the first of equal rows comes first.
    order = np.lexsort((digests[:, 1], digests[:, 0]))
    ordered = digests[order]
    new = np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))
    group = np.cumsum(new) - 1
    first = order[new]
    repeated = order[~new]
    example = None
    if repeated.size:
        row = int(repeated.min())
        example = row, int(first[group[np.flatnonzero(order == row)[0]]])
    sizes = np.bincount(group)
    return Groups(np.sort(first), int(repeated.size), example, int(sizes.max(initial=0)))


def common_rows(
    digests: NDArray[np.uint64], others: NDArray[np.uint64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Rows of the second set that also stand in the first, and one row there for each.

    Examples
    --------
    >>> one = np.array([[1, 0], [2, 0]], dtype=np.uint64)
    >>> common_rows(one, np.array([[2, 0], [3, 0], [2, 0]], dtype=np.uint64))
    (array([0, 2]), array([1, 1]))
    """
    both = np.concatenate([digests, others])
    order = np.lexsort((both[:, 1], both[:, 0]))
    ordered = both[order]
    group = np.cumsum(np.append(True, (ordered[1:] != ordered[:-1]).any(axis=1))) - 1
    of_row = np.empty(len(both), dtype=np.intp)
    of_row[order] = group
    # Of each group, a row of the first set that is in it.
    partner = np.full(group[-1] + 1 if len(group) else 0, -1, dtype=np.intp)
    partner[of_row[: len(digests)][::-1]] = np.arange(len(digests))[::-1]
    found = partner[of_row[len(digests) :]]
    rows = np.flatnonzero(found >= 0)
    return rows, found[rows]
