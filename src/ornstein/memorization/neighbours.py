r"""Has a generated point a training point that is much nearer than all others?

Of each generated point ``g``, let ``d_1 <= d_2`` be the Euclidean distances to the nearest and the
second nearest of the *distinct* training points. It counts as memorized if

    d_1 / d_2 < threshold.

Independent draws in many dimensions have ratios close to 1; a copy has a ratio close to 0. What is
the share of such points if nothing was copied depends on the data: it is measured on held-out
points, the baseline beside which the memorized fraction is to be read.

Points that occur several times in the training set count once: otherwise a copy of them would have
ratio 1 (or 0/0). With that, ``d_2 > 0`` always, and a generated point that equals a training point
has ratio 0.

Distances come from a matrix product, which finds the candidates with a bound on its rounding
(:mod:`ornstein.memorization.exact_search`); the candidates' distances are computed again from
differences of coordinates. So the neighbours are exact; of equally near points the one with the
lowest index comes first.

References
----------
Yoon, Choi, Kwon, Ryu, "Diffusion probabilistic models generalize when they fail to memorize", 2023;
Gu, Du, Pang, Li, Lin, Wang, arXiv 2310.02664 (both with threshold 1/3).
"""

from __future__ import annotations

__all__ = [
    "Neighbours",
    "NearestPair",
    "MemorizedFraction",
    "nearest_neighbours",
    "memorized_fraction",
]

import math
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from joblib import cpu_count
from threadpoolctl import threadpool_limits

from ornstein.data.duplicates import distinct_rows
from ornstein.intervals import wilson_interval
from ornstein.memorization.exact_search import ExactSearch, single_precision_suffices
from ornstein.progress import progress_bar
from ornstein.validation import as_count, as_points, as_positive

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]

_BLOCK = 2**20  # squared distances held at a time, by each thread
_ROWS = 128  # queries at a time, at least: products of fewer rows are slow
_PRINTED = 20  # numbers that are shown one by one


class Neighbours(NamedTuple):
    """Nearest points of each query: distances, ascending, and indices; both (n_queries, k)."""

    distances: NDArray[np.float64]
    indices: NDArray[np.intp]

    def __repr__(self) -> str:
        """Both arrays if they are short, otherwise their shape and range."""
        if self.distances.size <= _PRINTED:
            return f"Neighbours(distances={self.distances!r}, indices={self.indices!r})"
        n, k = self.distances.shape
        low, high = self.distances.min(), self.distances.max()
        return f"Neighbours({n} queries, k = {k}, distances {low:.6g} to {high:.6g})"


class NearestPair(NamedTuple):
    """Indices of a generated and its nearest training point; their distance; ``d_1 / d_2``."""

    generated: int
    train: int
    distance: float
    ratio: float


class MemorizedFraction(NamedTuple):
    """The fraction of generated points with ``d_1 / d_2`` below the threshold, and its baseline.

    Both with Wilson's 95% interval. The baseline is that of the held-out points, NaN without them.
    ``ratios``, of shape (n_generated,); ``nearest_pairs``, those of smallest ratio first.
    """

    fraction: float
    low: float
    high: float
    held_out_fraction: float
    held_out_low: float
    held_out_high: float
    ratios: NDArray[np.float64]
    nearest_pairs: tuple[NearestPair, ...]

    def __repr__(self) -> str:
        """Fractions with their intervals, and how many ratios and pairs there are."""
        held_out = "no held-out points"
        if not math.isnan(self.held_out_fraction):
            held_out = f"held out {self.held_out_fraction:.3g} {_interval(*self[4:6])}"
        return (
            f"MemorizedFraction({self.fraction:.3g} {_interval(self.low, self.high)}, {held_out}, "
            f"{self.ratios.size} ratios, {len(self.nearest_pairs)} nearest pairs)"
        )


def nearest_neighbours(
    queries: ArrayLike,
    points: ArrayLike,
    k: int = 2,
    *,
    n_jobs: int = 1,
    max_memory: float | None = None,
    progress: bool = False,
) -> Neighbours:
    """The `k` nearest of `points` to each of `queries`, exactly.

    Parameters
    ----------
    queries : array-like of shape (n_queries, dim)
    points : array-like of shape (n_points, dim)
        At least `k`. Equal points all count.
    k : int
    n_jobs : int
        Threads; -1 for one per core. The result does not depend on it.
    max_memory : float, optional
        Bytes that the search may take beside its input and its result. By default what 128 queries
        at a time take, or 10 MB if that is more, for each thread; and a copy of the points in
        single precision.
    progress : bool
        Show a bar on stderr.

    Returns
    -------
    Neighbours
        Of equally near points, the one with the lowest index comes first.

    Raises
    ------
    ValueError
        If dimensions disagree, a value is not finite, points are fewer than `k`, `n_jobs` is 0,
        or `max_memory` is less than is needed for one query at a time.

    Examples
    --------
    >>> nearest_neighbours([[0.0, 0.0]], [[3.0, 4.0], [1.0, 0.0], [0.0, 1.0]])
    Neighbours(distances=array([[1., 1.]]), indices=array([[1, 2]]))
    """
    k = as_count(k, "k")
    q = as_points(queries, "queries")
    p = as_points(points, "points", dim=q.shape[1], at_least=k)
    threads = _threads(n_jobs)
    single = single_precision_suffices(q.shape[1])
    step = _rows_at_a_time(len(p), q.shape[1], threads, single, max_memory)
    search = ExactSearch(q, p, k, single=single)
    distances, indices = np.empty((len(q), k)), np.empty((len(q), k), dtype=np.intp)

    def found(start: int) -> int:
        rows = slice(start, min(start + step, len(q)))
        distances[rows], indices[rows] = search(rows)
        return rows.stop - rows.start

    starts = range(0, len(q), step)
    if threads == 1 or len(starts) == 1:
        with progress_bar(len(q), "point", progress, label="neighbours") as bar:
            for start in starts:
                bar.update(found(start))
        return Neighbours(distances, indices)
    with (
        threadpool_limits(1, "blas"),  # the blocks are what runs in parallel
        ThreadPoolExecutor(threads) as pool,
        progress_bar(len(q), "point", progress, label="neighbours") as bar,
    ):
        for count in pool.map(found, starts):
            bar.update(count)
    return Neighbours(distances, indices)


def memorized_fraction(
    generated: ArrayLike,
    train: ArrayLike,
    held_out: ArrayLike | None = None,
    threshold: float = 0.5,
    *,
    n_pairs: int = 10,
) -> MemorizedFraction:
    """Fraction of generated points that have one training point much nearer than all others.

    Parameters
    ----------
    generated : array-like of shape (n_generated, dim)
    train : array-like of shape (n_train, dim)
        At least two distinct points.
    held_out : array-like of shape (n_held_out, dim), optional
        Fresh points of the population, for the baseline.
    threshold : float
        Between 0 and 1, of ``d_1 / d_2``.
    n_pairs : int
        How many of the nearest pairs to return.

    Returns
    -------
    MemorizedFraction

    Raises
    ------
    ValueError
        If dimensions disagree, a value is not finite, the training set has fewer than two distinct
        points, or the threshold is not in (0, 1].

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> train, fresh = rng.standard_normal((50, 8)), rng.standard_normal((200, 8))
    >>> generated = np.concatenate([train[:3], fresh[:1]])
    >>> result = memorized_fraction(generated, train, fresh)
    >>> result
    MemorizedFraction(0.75 [0.301, 0.954], held out 0.005 [0.000883, 0.0278],
    4 ratios, 4 nearest pairs)
    >>> result.nearest_pairs[0]
    NearestPair(generated=0, train=0, distance=0.0, ratio=0.0)
    """
    new = as_points(generated, "generated")
    old = as_points(train, "train", dim=new.shape[1], at_least=2)
    if not 0 < float(as_positive(threshold, "threshold")) <= 1:
        raise ValueError(f"threshold is {threshold:g}, expected a ratio of distances in (0, 1]")
    first = distinct_rows(old)
    if first.size < 2:
        raise ValueError(
            "train has one distinct point, expected at least 2: there is no second nearest"
        )
    near = nearest_neighbours(new, old[first])
    ratios = near.distances[:, 0] / near.distances[:, 1]
    baseline = (math.nan, math.nan, math.nan)
    if held_out is not None:
        fresh = as_points(held_out, "held_out", dim=new.shape[1])
        distances = nearest_neighbours(fresh, old[first]).distances
        baseline = _fraction(distances[:, 0] / distances[:, 1] < threshold)
    order = np.lexsort((near.distances[:, 0], ratios))[: as_count(n_pairs, "n_pairs", at_least=0)]
    pairs = tuple(
        NearestPair(
            int(i),
            int(first[near.indices[i, 0]]),
            float(near.distances[i, 0]),
            float(ratios[i]),
        )
        for i in order
    )
    return MemorizedFraction(*_fraction(ratios < threshold), *baseline, ratios, pairs)


def _threads(n_jobs: int) -> int:
    count = as_count(n_jobs, "n_jobs", at_least=-1)
    if count == 0:
        raise ValueError("n_jobs is 0, expected 1 or more threads, or -1 for one per core")
    return _cores() if count == -1 else count


@cache
def _cores() -> int:
    """Counted once: asking the system takes longer than a small search."""
    return cpu_count()


def _rows_at_a_time(n: int, dim: int, threads: int, single: bool, max_memory: float | None) -> int:
    """Queries in a block: as many as the memory allows."""
    step = max(_ROWS, _BLOCK // n)
    if max_memory is None:
        return step
    # In single precision the points may be needed in double precision too.
    fixed, each = n * (dim + 1) * (12 if single else 8), threads * (9 * n + 24 * dim)
    allowed = int((float(as_positive(max_memory, "max_memory")) - fixed) / each)
    if allowed < 1:
        raise ValueError(
            f"max_memory is {max_memory:.3g} bytes, expected at least {fixed + each:.3g} for "
            f"{n} points of {dim} coordinates and {threads} threads"
        )
    return min(step, allowed)


def _interval(low: float, high: float) -> str:
    return f"[{low:.3g}, {high:.3g}]"


def _fraction(memorized: NDArray[np.bool_]) -> tuple[float, float, float]:
    """A fraction with its Wilson 95% interval."""
    count, total = int(memorized.sum()), memorized.size
    return count / total, *wilson_interval(count, total)
