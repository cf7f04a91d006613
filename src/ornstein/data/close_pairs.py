r"""All pairs of rows that are closer than a given distance, and perhaps some that are not.

Rows are given about their mean, in units of their typical length. In up to 8 dimensions a k-d tree
finds the pairs. Otherwise squared distances of two blocks of rows are one product in float32,

    |z - w|^2 = (-2 z, |z|^2, 1) . (w, 1, |w|^2),

which rounding moves by less than ``64 * 1.2e-7 * max |z|^2``: by so much the limit is raised. So
that single rows far away do not raise it for all, those longer than 10 are compared apart, in
float64, with the rows longer than 5.
"""

from __future__ import annotations

__all__ = ["close_pairs", "Coordinates", "TREE", "MOST_PAIRS", "NO_PAIRS"]

import os
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from ornstein.progress import progress_bar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Index = NDArray[np.intp]

Coordinates: TypeAlias = "NDArray[Any]"
"""float32, or float64 where a tree is used."""
TREE = 8
"""Dimensions up to which a tree is used."""
MOST_PAIRS = 500_000
NO_PAIRS = (np.empty(0, dtype=np.intp), np.empty(0, dtype=np.intp))
_SLACK = 1.27  # of distances that a projection has changed
_LONG = 10.0  # rows that are compared apart
_TALL, _WIDE = 512, 4096
_LARGE = 20_000  # rows from which on a bar is shown


def close_pairs(
    z: Coordinates, w: Coordinates | None, reach: float, show: bool | None = None
) -> tuple[Index, Index]:
    """Indices of the pairs, i < j within one set; the first :data:`MOST_PAIRS`, if there are more.

    Parameters
    ----------
    z, w : ndarray of shape (n_rows, dim)
        The first set, and the second if there is one.
    reach : float
        Distance up to which all pairs are among those returned.
    show : bool, optional
        A progress bar; by default of many rows, if stderr is a terminal.
    """
    if z.shape[1] <= TREE:
        return _in_tree(z, w, reach)
    lengths = [np.sqrt(np.square(each.astype(np.float64)).sum(axis=1)) for each in _both(z, w)]
    ordinary = [np.flatnonzero(each <= _LONG) for each in lengths]
    chosen = [each[rows] for each, rows in zip(_both(z, w), ordinary, strict=True)]
    i, j = _in_blocks(chosen[0], None if w is None else chosen[1], reach, show)
    i, j = ordinary[0][i], ordinary[-1][j]
    k, l = _long(z, w, lengths, reach)  # noqa: E741 - as i and j
    return np.append(i, k)[:MOST_PAIRS], np.append(j, l)[:MOST_PAIRS]


def _both(z: Coordinates, w: Coordinates | None) -> list[Coordinates]:
    return [z] if w is None else [z, w]


def _in_blocks(
    z: Coordinates, w: Coordinates | None, reach: float, show: bool | None
) -> tuple[Index, Index]:
    if not len(z) or (w is not None and not len(w)):
        return NO_PAIRS
    left = _extended(z, -2.0, first=True)
    right = _extended(z if w is None else w, 1.0, first=False)
    largest = float(max(left[:, -2].max(), right[:, -1].max()))
    bound = np.float32((_SLACK * reach) ** 2 + 64 * np.finfo(np.float32).eps * largest)
    blocks = [
        (row, column)
        for row in range(0, len(left), _TALL)
        for column in range(0, len(right), _WIDE)
        if w is not None or column + _WIDE > row
    ]
    total = 0

    def look(block: tuple[int, int]) -> tuple[Index, Index]:
        if total >= MOST_PAIRS:
            return NO_PAIRS
        row, column = block
        gaps = left[row : row + _TALL] @ right[column : column + _WIDE].T
        mask = gaps <= bound
        if not np.count_nonzero(mask):
            return NO_PAIRS
        i, j = np.nonzero(mask)
        i, j = i + row, j + column
        fine = i < j if w is None else slice(None)
        return i[fine], j[fine]

    from threadpoolctl import threadpool_limits

    found = [NO_PAIRS]
    quiet = False if max(len(left), len(right)) < _LARGE else show
    with (
        threadpool_limits(1),
        ThreadPoolExecutor(os.cpu_count()) as pool,
        progress_bar(len(blocks), "blocks", quiet, label="comparing rows") as bar,
    ):
        for pairs in pool.map(look, blocks):
            bar.update()
            if len(pairs[0]):
                found.append(pairs)
                total += len(pairs[0])
    i, j = (np.concatenate(side) for side in zip(*found, strict=True))
    return i, j


def _long(
    z: Coordinates, w: Coordinates | None, lengths: list[NDArray[np.float64]], reach: float
) -> tuple[Index, Index]:
    """Pairs of which one row, or both, are long."""
    one, other = lengths[0], lengths[-1]
    rows, columns = np.flatnonzero(one > _LONG / 2), np.flatnonzero(other > _LONG / 2)
    second = z if w is None else w
    found = [NO_PAIRS]
    step = max(1, 2**22 // max(1, len(columns) * z.shape[1]))
    for start in range(0, len(rows), step):
        part = rows[start : start + step]
        gaps = z[part][:, None].astype(np.float64) - second[columns].astype(np.float64)
        fine = np.sqrt(np.square(gaps).sum(axis=2)) <= _SLACK * reach
        fine &= (one[part, None] > _LONG) | (other[columns] > _LONG)
        i, j = np.nonzero(fine)
        i, j = part[i], columns[j]
        kept = i < j if w is None else slice(None)
        found.append((i[kept], j[kept]))
    i, j = (np.concatenate(side) for side in zip(*found, strict=True))
    return i, j


def _in_tree(z: Coordinates, w: Coordinates | None, reach: float) -> tuple[Index, Index]:
    from scipy.spatial import KDTree

    reach = reach * (1 + 1e-9)  # distances are compared again, in another order of summation
    tree = KDTree(z)
    if w is None:
        pairs = tree.query_pairs(reach, output_type="ndarray")[:MOST_PAIRS]
        return pairs[:, 0], pairs[:, 1]
    lists = tree.query_ball_tree(KDTree(w), reach)
    i = np.repeat(np.arange(len(lists)), [len(each) for each in lists])
    j = np.fromiter((k for each in lists for k in each), dtype=np.intp)
    return i[:MOST_PAIRS], j[:MOST_PAIRS]


def _extended(z: Coordinates, factor: float, *, first: bool) -> NDArray[np.float32]:
    sizes = np.square(z).sum(axis=1)
    ones = np.ones(len(z), dtype=np.float32)
    columns = [sizes, ones] if first else [ones, sizes]
    return np.column_stack([np.float32(factor) * z, *columns]).astype(np.float32)
