r"""Training points, prepared for many queries, and their weights under each.

The weights ``w_i ~ exp(-|y - x_i|^2 / 2 s^2)`` of the training points under a noisy ``y`` depend on
differences of squared distances only. So ``|y|^2`` is left out, and

    h_i = |x_i|^2 - 2 y . x_i,        w_i ~ exp(-(h_i - min h) / 2 s^2),

comes from one matrix product of centred points; in high dimension from several, of some of the
coordinates each, if they round by so much less. Where rounding could still shift an exponent by
more than 1e-10, the points that can matter are found from ``h`` and its error bound
(:mod:`ornstein.kernels.rounding`), and their differences of squared distances are computed again
from coordinates, to 1e-12 (:mod:`ornstein.denoisers.distance_gaps`). Bounds are those of each
point: one outlier does not spoil them for the others. Points below ``2^-53 / n`` of the largest
weight do not matter; where few do, the weights are sparse, and a product with them costs next to
nothing.
"""

from __future__ import annotations

__all__ = ["TrainingPoints", "QueryWeights", "weights_in_parts", "as_moderate"]

import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from threadpoolctl import ThreadpoolController

from ornstein.denoisers.distance_gaps import distance_gaps
from ornstein.kernels.rounding import height_error, inner_products, pairwise_sum
from ornstein.validation import as_points

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]

_BLOCK = 2**24  # entries of h held at a time, 128 MB
_FEWEST_ROWS = 16  # of them, however many training points there are
_SLAB = 2**17  # entries of h that stay in the cache
_LISTED = 2**20  # candidates held at a time
_PAIRS = 2**18  # coordinates per array when distances are computed again
_CENTRE_FROM = 128  # training points whose median is the origin of products
_FEW = 0.03  # share of training points below which a sparse product is the faster
_PARTS = (1, 4, 16, 64)  # of the coordinates, for inner products that round less
_TOLERANCE = 1e-10  # nats that rounding of h may shift an exponent
_FINE_TOLERANCE = 1e-12  # nats, where exponents are computed again
_NEGLIGIBLE = 53 * math.log(2.0)  # nats
_LARGEST = 1e150  # squares of larger numbers overflow
_NOISE_RANGE = (1e-140, 1e140)  # in units of the data; beyond, weights have reached their limits


@dataclass(frozen=True, repr=False, eq=False)
class TrainingPoints:
    """Training points prepared once for many queries; see :meth:`of`.

    Attributes
    ----------
    points : ndarray of shape (n_train, dim)
        In data units.
    centre : ndarray of shape (dim,)
        The median of some of them, which outliers do not draw away from the others.
    factor : float
        A power of two that takes centred points into [-1, 1].
    centred : ndarray of shape (n_train, dim)
        ``factor * (points - centre)``.
    squares, norms : ndarray of shape (n_train,)
        ``|.|^2`` and ``|.|`` of the rows of `centred`.
    """

    points: Array
    centre: Array
    factor: float
    centred: Array
    squares: Array
    norms: Array

    @classmethod
    def of(cls, train: ArrayLike | TrainingPoints) -> TrainingPoints:
        """Validate and prepare `train`, shape (n_train, dim); what is prepared stays as it is.

        Raises
        ------
        TypeError, ValueError
            If it is no finite real matrix, or its squares overflow.
        """
        if isinstance(train, TrainingPoints):
            return train
        points = as_moderate(as_points(train, "train"), "train")
        centre = np.median(points[:: 1 + len(points) // _CENTRE_FROM], axis=0)
        centred = points - centre
        exponent = int(np.frexp(max(centred.max(), -centred.min()))[1])
        factor = math.ldexp(1.0, -max(exponent, -1000))
        centred *= factor
        step = max(1, _PAIRS // centred.shape[1])
        blocks = (centred[start : start + step] for start in range(0, len(centred), step))
        squares = np.concatenate([pairwise_sum(np.square(block)) for block in blocks])
        return cls(points, centre, factor, centred, squares, np.sqrt(squares))

    def check_reach(self, queries: Array) -> None:
        """Refuse `queries`, shape (n_queries, dim), so far away that their products overflow."""
        with np.errstate(over="ignore"):
            reach = self.factor * np.abs(queries - self.centre).max()
        if reach > _LARGEST:
            raise ValueError(
                f"queries are {reach:g} times as far from train as train is wide, expected at most "
                f"{_LARGEST:g}: give both in the same unit"
            )


class QueryWeights(NamedTuple):
    """Weights of some queries, relative to the largest of each, and their sums."""

    rows: Index
    nearest: Index
    weights: Array | csr_array
    total: Array


def weights_in_parts(queries: Array, train: TrainingPoints, noise: Array) -> Iterator[QueryWeights]:
    """All queries, in parts of few and of many points that matter."""
    limit = max(_FEWEST_ROWS, _BLOCK // len(train.points))
    for rows in np.array_split(np.arange(len(queries)), -(-len(queries) // limit)):
        yield from _split(rows, queries[rows], train, noise[rows])


def _split(
    rows: Index, queries: Array, train: TrainingPoints, noise: Array
) -> Iterator[QueryWeights]:
    """One block of queries: sparse weights where few points matter, or where rounding shows."""
    n = len(train.points)
    y = (queries - train.centre) * train.factor
    sizes = np.sqrt(np.einsum("ij,ij->i", y, y))
    with np.errstate(over="ignore"):
        scale = 2 * np.square(np.clip(noise * train.factor, *_NOISE_RANGE))
    reach = (_NEGLIGIBLE + math.log(n)) * scale
    parts, error = _parts(y.shape[1], train.norms.max(), sizes, _TOLERANCE * scale)
    heights = inner_products(-2 * y, train.centred, parts)
    nearest, counts = np.empty((2, len(rows)), dtype=np.intp)
    line = reach + 2 * error

    def survey(slab: slice) -> None:
        part = heights[slab]
        part += train.squares
        nearest[slab] = part.argmin(axis=1)
        line[slab] += part.min(axis=1)
        counts[slab] = np.count_nonzero(part <= line[slab, None], axis=1)

    _in_slabs(survey, len(rows), n)
    few = counts <= _FEW * n
    if few.mean() < 0.5:  # the copy of the other rows would cost more than they save
        few[:] = False
    listed = np.flatnonzero(few | (error > _TOLERANCE * scale))
    sparse = np.zeros(len(rows), dtype=bool)
    pieces = min(listed.size, 1 + int(counts[listed].sum()) // _LISTED)
    for some in np.array_split(listed, pieces) if pieces else ():
        found = _candidates(
            _rows(heights, some), line[some], sizes[some], reach[some], train, parts
        )
        exact = found.largest_error > _TOLERANCE * scale[some]
        kept = exact | few[some]
        at = some[kept]
        sparse[at] = True
        if at.size:
            yield _sparse_part(
                rows[at], queries[at], train, scale[at], nearest[at], found.only(kept), exact[kept]
            )
    dense = np.flatnonzero(~sparse)
    if dense.size:
        weights, total = _rows(heights, dense), np.empty(dense.size)
        inverse = -1 / scale[dense]

        def exponentiate(slab: slice) -> None:
            part = weights[slab]
            part -= part.min(axis=1, keepdims=True)
            part *= inverse[slab, None]
            np.exp(part, out=part)
            total[slab] = part.sum(axis=1)

        _in_slabs(exponentiate, dense.size, n)
        yield QueryWeights(rows[dense], nearest[dense], weights, total)


def _parts(dim: int, largest: float, sizes: Array, tolerance: Array) -> tuple[int, Array]:
    """Fewest parts of the coordinates with which as many rows as possible are within tolerance.

    And the bound of the error of each row.
    """
    choices = [parts for parts in _PARTS if parts == 1 or parts**2 <= dim]
    errors = [height_error(dim, largest, sizes, parts) for parts in choices]
    within = [int(np.count_nonzero(error <= tolerance)) for error in errors]
    best = int(np.argmax(within))
    return choices[best], errors[best]


def _rows(heights: Array, chosen: Index) -> Array:
    """Some rows, without a copy if they are all."""
    return heights if chosen.size == len(heights) else heights[chosen]


def _in_slabs(work: Callable[[slice], None], n_rows: int, n_columns: int) -> None:
    """Call `work` on slices of rows that fit the cache, on as many threads as BLAS would use."""
    step = max(1, _SLAB // n_columns)
    slabs = [slice(start, min(start + step, n_rows)) for start in range(0, n_rows, step)]
    libraries = ThreadpoolController().lib_controllers if len(slabs) > 1 else []
    threads = max((lib.num_threads or 1 for lib in libraries if lib.user_api == "blas"), default=1)
    if threads == 1:
        for slab in slabs:
            work(slab)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(work, slabs))


class _Candidates(NamedTuple):
    """Training points that can matter, of one query after the other.

    ``starts`` is where each query begins in `columns` and `heights`, ``largest_error`` the bound
    of the rounding error of its heights.
    """

    starts: Index
    columns: Index
    heights: Array
    largest_error: Array

    def only(self, kept: NDArray[np.bool_]) -> _Candidates:
        """The candidates of some of the queries."""
        counts = np.diff(self.starts)
        inside = np.repeat(kept, counts)
        starts = np.concatenate([[0], np.cumsum(counts[kept])])
        return _Candidates(
            starts, self.columns[inside], self.heights[inside], self.largest_error[kept]
        )


def _candidates(
    heights: Array, line: Array, sizes: Array, reach: Array, train: TrainingPoints, parts: int
) -> _Candidates:
    """Points below `line`, less those that their own error bound excludes.

    An outlier makes the bound of the whole training set useless, but not that of other points.
    """
    at, columns = np.nonzero(heights <= line[:, None])
    values = heights[at, columns]
    errors = height_error(train.points.shape[1], train.norms[columns], sizes[at], parts)
    starts = np.searchsorted(at, np.arange(len(heights)))
    ceiling = np.minimum.reduceat(values + errors, starts) + reach
    near = values - errors <= ceiling[at]
    at, columns, values, errors = at[near], columns[near], values[near], errors[near]
    starts = np.searchsorted(at, np.arange(len(heights) + 1))
    return _Candidates(starts, columns, values, np.maximum.reduceat(errors, starts[:-1]))


def _sparse_part(
    rows: Index,
    queries: Array,
    train: TrainingPoints,
    scale: Array,
    nearest: Index,
    found: _Candidates,
    exact: NDArray[np.bool_],
) -> QueryWeights:
    """Weights of the candidates only, their gaps computed again for the queries in `exact`."""
    starts, columns, gaps, _ = found
    at = np.repeat(np.arange(len(rows)), np.diff(starts))
    gaps = gaps - np.minimum.reduceat(gaps, starts[:-1])[at]
    stale = exact.copy()
    # A second round where the first finds a nearer point: gaps to the nearest are the sharpest.
    for _ in range(2):
        again = np.flatnonzero(stale[at] & (columns != nearest[at]))
        gaps[stale[at]] = 0.0
        step = max(1, _PAIRS // train.points.shape[1])
        for begin in range(0, again.size, step):
            pairs = again[begin : begin + step]
            own = at[pairs]
            gaps[pairs] = distance_gaps(
                queries[own],
                train.points[columns[pairs]],
                train.points[nearest[own]],
                _FINE_TOLERANCE * scale[own],
                train.factor,
            )
        lowest = np.minimum.reduceat(gaps, starts[:-1])
        stale = lowest < 0
        if not stale.any():
            break
        first = np.flatnonzero(gaps == lowest[at])
        found_at, position = np.unique(at[first], return_index=True)
        nearest = nearest.copy()
        nearest[found_at[stale]] = columns[first[position[stale]]]
    gaps -= np.minimum.reduceat(gaps, starts[:-1])[at]
    weights = np.exp(-gaps / scale[at])
    total = np.add.reduceat(weights, starts[:-1])
    sparse = csr_array((weights, columns, starts), shape=(len(rows), len(train.points)))
    return QueryWeights(rows, nearest, sparse, total)


def as_moderate(points: Array, name: str) -> Array:
    """Return `points` if their squares do not overflow."""
    largest = max(points.max(), -points.min())
    if largest > _LARGEST:
        raise ValueError(
            f"{name} reaches {largest:g}, expected at most {_LARGEST:g}: "
            "squared distances would overflow, divide data and noise by a constant"
        )
    return points
