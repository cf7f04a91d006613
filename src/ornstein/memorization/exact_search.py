r"""Exact nearest neighbours from a matrix product in single precision, and a bound on its rounding.

``|q - p|^2 = |q|^2 + h``, ``h = |p|^2 - 2 q . p``, and only h decides which p is nearest to q. That
is one matrix product, with ``|p|^2`` as a last column, in single precision: twice as fast as double
precision, in half the memory. The bound of :mod:`ornstein.kernels.rounding` holds
with ``u = 2^-24`` in the place of ``2^-53``: storing a coordinate in single precision is off by a
factor ``1 + e``, ``|e| <= u``, as the shift is for which its proof has ``gamma_2``; and its third
step needs ``2 k^2 u < 1``, ``k = d + 8``: dimensions up to 2888. The last column's share
doubles, so that

    |fl(h) - h| <= c (2 |p|^2 + 2 |p| |q|) <= 3 c |p|^2 + c |q|^2;

one ``c |p|^2`` more covers the rounding of the column itself. Products below the smallest normal
number are lost: at most ``(d + 8) 2^-125``, coordinates being at most 1.

With ``upper = fl(h) + slack >= h - c |q|^2``, the k-th least upper bounds the k-th least h, and a
pair can be among the k nearest only if ``upper - 2 slack`` is at most that, and ``2 c |q|^2``.

Where single precision tells too few pairs apart (an outlier, by which all other points are near
each other), or the dimension is too large for its proof, double precision is used. The distances of
all pairs that remain are computed again in double precision, from differences of coordinates.
"""

from __future__ import annotations

__all__ = ["ExactSearch", "Targets", "targets_of", "candidates", "single_precision_suffices"]

import math
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.kernels.rounding import rounding_factor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]

_GROUPS, _LEAST_GROUP = 32, 64  # groups of points, times k, and points in each
_SHIFTED = 2**16  # coordinates that are shifted at a time
_PAIRS = 2**18  # coordinates per array when distances are computed again
_SINGLE = 2.0**29  # unit roundoff over that of double precision
_CROWD = 64  # pairs for each neighbour, above which single precision tells too little apart


class Targets(NamedTuple):
    """Points ``(p, |p|^2 + slack)``, filled up with very far ones to whole groups."""

    points: NDArray[Any]
    slack: Array
    groups: int
    factor: float
    """``c`` of the bound."""
    lost: float
    """Bound of what is lost to underflow."""

    @property
    def single(self) -> bool:
        """Whether products are in single precision."""
        return self.points.dtype == np.float32


def single_precision_suffices(dim: int) -> bool:
    """Whether the bound is proved for this dimension in single precision."""
    return 2 * (dim + 8) ** 2 < 2**24


def targets_of(points: Array, centre: Array, scale: float, k: int, *, single: bool) -> Targets:
    """Shift and scale points, which are then at most 1 in each coordinate.

    Parameters
    ----------
    points : ndarray of shape (n, dim)
    centre : ndarray of shape (dim,)
    scale : float
        A power of two.
    k : int
        Neighbours that will be asked for.
    single : bool
        Store in single precision.
    """
    n, dim = points.shape
    groups = min(_GROUPS * k, max(k, n // _LEAST_GROUP))
    filled = np.zeros((-(-n // groups) * groups, dim + 1), np.float32 if single else np.float64)
    factor = rounding_factor(dim) * (_SINGLE if single else 1.0)
    lost = (dim + 8) * 2.0**-125 if single else 0.0
    slack = np.empty(n)
    step = max(1, _SHIFTED // dim)
    for start in range(0, n, step):
        rows = slice(start, min(start + step, n))
        shifted = (points[rows] - centre) * scale
        sizes = np.square(shifted).sum(axis=1)
        slack[rows] = 4 * factor * sizes + lost
        filled[rows, :dim], filled[rows, dim] = shifted, sizes + slack[rows]
    # Not infinite: some matrix products multiply that by their own padding, and warn.
    filled[n:, dim] = np.finfo(filled.dtype).max / 4
    return Targets(filled, slack, groups, factor, lost)


def candidates(queries: Array, targets: Targets, k: int) -> tuple[Index, Index, bool]:
    """Rows and columns of all pairs that may be among the `k` nearest of the row.

    Parameters
    ----------
    queries : ndarray of shape (n, dim)
        Shifted and scaled as the targets are.
    targets : Targets
    k : int

    Returns
    -------
    row, column : ndarray of shape (n_pairs,)
        Rows ascending.
    crowded : bool
        Single precision tells too few pairs apart: pairs are missing, and are to be found in
        double precision.
    """
    own = targets.factor * np.square(queries).sum(axis=1) + targets.lost
    kind = targets.points.dtype
    left = np.column_stack([-2 * queries, np.ones(len(queries))]).astype(kind, copy=False)
    upper = left @ targets.points.T
    # The k-th least of the groups' minima is no less than the k-th least of all, and found faster.
    minima = upper.reshape(len(queries), targets.groups, -1).min(axis=2)
    bound = np.partition(minima, k - 1, axis=1)[:, k - 1].astype(np.float64) + 2 * own
    limit = (bound + 2 * targets.slack.max()).astype(kind)
    limit = np.nextafter(limit, np.array(np.inf, dtype=kind))  # rounded up
    near = upper[:, : targets.slack.size] <= limit[:, None]  # without those that fill up
    if targets.single and np.count_nonzero(near) > _CROWD * k * len(queries):
        return np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp), True
    row, column = np.nonzero(near)
    kept = upper[row, column] - 2 * targets.slack[column] <= bound[row]
    return row[kept], column[kept], False


class ExactSearch:
    """Neighbours of some of the queries; in double precision from where single does not do."""

    def __init__(self, queries: Array, points: Array, k: int, *, single: bool) -> None:
        self.queries, self.points, self.k = queries, points, k
        self.centre = points.mean(axis=0)
        far = max(_reach(queries, self.centre), _reach(points, self.centre))
        # A power of two, so that squares neither overflow nor underflow.
        self.scale = math.ldexp(1.0, -max(int(np.frexp(far)[1]), -1000))
        self.targets = targets_of(points, self.centre, self.scale, k, single=single)
        self.lock = Lock()

    def __call__(self, rows: slice) -> tuple[Array, Index]:
        """Distances and indices of the neighbours of these rows."""
        own = self.queries[rows]
        shifted = (own - self.centre) * self.scale
        row, column, crowded = candidates(shifted, self.targets, self.k)
        if crowded:
            with self.lock:
                if self.targets.single:
                    self.targets = targets_of(
                        self.points, self.centre, self.scale, self.k, single=False
                    )
            row, column, _ = candidates(shifted, self.targets, self.k)
        length = _lengths(own, self.points, row, column)
        order = np.lexsort((length, row))  # stable, so that ties keep their order of columns
        first = np.searchsorted(row[order], np.arange(len(own)))
        best = order[first[:, None] + np.arange(self.k)]
        return length[best], column[best]


def _reach(points: Array, centre: Array) -> float:
    """Largest coordinate of the shifted points, without a copy of them all."""
    step = max(1, _SHIFTED // points.shape[1])
    return max(
        float(np.abs(points[start : start + step] - centre).max())
        for start in range(0, len(points), step)
    )


def _lengths(queries: Array, points: Array, row: Index, column: Index) -> Array:
    """``|queries[row] - points[column]|`` from differences; 0 only if they are equal."""
    lengths = np.empty(row.size)
    step = max(1, _PAIRS // points.shape[1])
    for start in range(0, row.size, step):
        part = slice(start, start + step)
        gaps = np.abs(queries[row[part]] - points[column[part]])
        # In units of the largest, as a power of two: no square overflows, or underflows to 0.
        _, exponent = np.frexp(gaps.max(axis=1))
        scaled = np.ldexp(gaps, -exponent[:, None])
        lengths[part] = np.ldexp(np.sqrt(np.square(scaled).sum(axis=1)), exponent)
    return lengths
