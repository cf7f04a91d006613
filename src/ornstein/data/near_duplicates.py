r"""Rows that are almost equal: copies that were saved again, resized, rounded or touched up.

A pair is a near-duplicate if it is much closer than rows that have nothing to do with each other
are. Of a row let ``d_5`` be the distance to its fifth nearest row. If rows lay around it as at
random, in ``k`` dimensions, the nearest would be closer than ``t d_5`` with probability

    1 - (1 - t^k)^4 <= 4 t^k.

``k`` is measured: ``(d_5/d_10)^k`` has the median 1/2 then, whatever the density, and copies in
small groups do not change ``d_5`` and ``d_10``. The limit ``t`` is such that among all n rows
0.01 such pairs are expected by chance, and never above 1/3.

*Search.* In up to 8 dimensions by a k-d tree, exactly. Otherwise rows are projected to 48 random
directions (Johnson and Lindenstrauss), where all pairs are compared by products of blocks in
float32, and pairs closer than ``1.27 t`` times the ``d_5`` of 95% of the rows are compared again
with all their digits (that of 5%, where they are too many, as in a dense cluster). A pair below
the limit is lost with probability below 0.5%, since ``P(chi^2_48 / 48 > 1.27^2) = 0.004``, and much
less if it is closer. From 48 dimensions down nothing is projected. Of more than :data:`MOST_ROWS`
rows a sample is searched, which is said.

References
----------
Facco, d'Errico, Rodriguez, Laio, "Estimating the intrinsic dimension of datasets by a minimal
neighborhood information", 2017, for ratios of distances; Johnson and Lindenstrauss, 1984.
"""

from __future__ import annotations

__all__ = ["NearPairs", "near_pairs", "MOST_ROWS"]

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.data.blocks import sample_of_rows
from ornstein.data.close_pairs import MOST_PAIRS, NO_PAIRS, TREE, Coordinates, close_pairs
from ornstein.validation import as_generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.data.contents import ArrayContents

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]

MOST_ROWS = 100_000
_LEAST_ROWS = 30
_DIRECTIONS = 48
_NEAR, _FAR = 5, 10
_BY_CHANCE = 0.01
_MOST_RATIO = 1 / 3
_QUERIES = 512
_CHECKED = 2000
_CLOSEST = 16
_BEYOND = 1e15  # in units of the typical length of a row


class NearPairs(NamedTuple):
    """Pairs of rows that are almost equal, the closest first."""

    pairs: NDArray[np.intp]
    """Rows of the first and the second set (or both of the one), shape (n_pairs, 2)."""
    distances: NDArray[np.float64]
    ratios: NDArray[np.float64]
    """To the distance of the fifth nearest row."""
    limit: float
    """Largest ratio that counts."""
    dimension: float
    """Measured from distances, ``k``."""
    typical: float
    """Median distance of a row to its fifth nearest."""
    searched: int
    """Rows of the first set that were looked at."""
    complete: bool
    """Whether all pairs that were found could be checked."""
    nearest: tuple[tuple[int, int, float], ...] = ()
    """Of a sample of rows, those with the least ratios: the row, its nearest, and the ratio."""
    others: int = 0
    """Rows of the second set that were looked at."""

    @property
    def rows(self) -> int:
        """Rows of the first set that have a near-duplicate."""
        return len(np.unique(self.pairs)) if self.pairs.size else 0


def near_pairs(
    contents: ArrayContents,
    distinct: Index,
    mean: Array,
    other: ArrayContents | None = None,
    other_distinct: Index | None = None,
    *,
    show: bool | None = None,
) -> NearPairs | None:
    """Find near-duplicates in one set, or between two.

    Parameters
    ----------
    contents : ArrayContents
    distinct : ndarray of int
        The rows to search, which are finite and all different.
    mean : ndarray of shape (dim,)
        Of the set, about which distances are taken.
    other : ArrayContents, optional
        Another set, of the same coordinates, in which the second of each pair stands.
    other_distinct : ndarray of int, optional
        Its rows to search.
    show : bool, optional
        A progress bar; by default of many rows, if stderr is a terminal.

    Returns
    -------
    NearPairs or None
        None for fewer than 30 rows, of which nothing can be said.
    """
    if len(distinct) < _LEAST_ROWS:
        return None
    rows = distinct[sample_of_rows(len(distinct), MOST_ROWS, "near-duplicates")]
    others = None
    if other is not None:
        chosen = np.arange(other.n_rows) if other_distinct is None else other_distinct
        others = chosen[sample_of_rows(len(chosen), MOST_ROWS, "near-duplicates")]
        if not len(others):
            return None
    coordinates = _Coordinates(contents, mean)
    z = coordinates.of(contents, rows)
    w = z if other is None or others is None else coordinates.of(other, others)
    scale = _Scale.of(z, len(rows))
    complete, reach = False, math.inf
    i, j = NO_PAIRS
    for reach in scale.reaches:
        i, j = close_pairs(z, None if other is None else w, reach, show)
        complete = len(i) < MOST_PAIRS
        if complete:
            break
    second = contents if other is None else other
    second_rows = rows if others is None else others
    distances = _exact(contents, second, rows[i], second_rows[j])
    factor = coordinates.factor
    kept = distances <= reach * factor
    i, j, distances = i[kept], j[kept], distances[kept]
    order = np.argsort(distances, kind="stable")
    i, j, distances = i[order], j[order], distances[order]
    ratios, checked = _ratios(z, i, distances / factor)
    near = checked & (ratios <= scale.limit)
    return NearPairs(
        pairs=np.column_stack([rows[i[near]], second_rows[j[near]]]).astype(np.intp),
        distances=distances[near],
        ratios=ratios[near],
        limit=scale.limit,
        dimension=scale.dimension,
        typical=scale.typical * factor,
        searched=len(rows),
        complete=complete and bool(checked.all()),
        nearest=tuple((int(rows[a]), int(rows[b]), ratio) for a, b, ratio in scale.nearest),
        others=0 if others is None else len(others),
    )


class _Coordinates:
    """Rows about the mean, in units of their typical length, projected if they have many."""

    def __init__(self, contents: ArrayContents, mean: Array) -> None:
        self.mean = mean
        some = contents.rows(sample_of_rows(contents.n_rows, _QUERIES, "scale")) - mean
        some = some[np.isfinite(some).all(axis=1)]
        size = float(np.sqrt(np.square(some / (np.abs(some).max() or 1.0)).sum(axis=1).mean()))
        self.factor = size * float(np.abs(some).max()) or 1.0
        self.directions: Array | None = None
        if contents.dim > _DIRECTIONS:
            rng = as_generator(0, "ornstein data, directions")
            gaussian = rng.standard_normal((contents.dim, _DIRECTIONS))
            self.directions = gaussian / math.sqrt(_DIRECTIONS)

    def of(self, contents: ArrayContents, rows: Index) -> Coordinates:
        """Coordinates of some rows, shape (n_rows, at most 48)."""
        width = contents.dim if self.directions is None else _DIRECTIONS
        # In few dimensions rows lie close enough for digits to count.
        found = np.empty((len(rows), width), dtype=np.float64 if width <= TREE else np.float32)
        step = max(1, 2**23 // contents.dim)
        for start in range(0, len(rows), step):
            part = slice(start, start + step)
            points = (contents.rows(rows[part]) - self.mean) / self.factor
            # Rows of another set may be in quite another unit, and are near none then.
            points = np.clip(points, -_BEYOND, _BEYOND)
            found[part] = points if self.directions is None else points @ self.directions
        return found


class _Scale(NamedTuple):
    """How close rows are that have nothing to do with each other."""

    limit: float
    dimension: float
    typical: float
    reaches: tuple[float, ...]
    """Distances up to which pairs are looked at: the next where there are too many."""
    nearest: list[tuple[int, int, float]]

    @classmethod
    def of(cls, z: Coordinates, n_rows: int) -> _Scale:
        """Measure it on a sample of rows."""
        queries = sample_of_rows(n_rows, _QUERIES, "queries")
        far = min(_FAR, n_rows - 1)
        near = min(_NEAR, far - 1)
        distances, indices = _nearest(z, queries, far)
        inner, outer = distances[:, near - 1], distances[:, far - 1]
        ratio = float(np.median(inner[outer > 0] / outer[outer > 0])) if (outer > 0).any() else 0.0
        # The median of (d_5/d_10)^k, of which Beta(5, 5) has 1/2.
        dimension = math.log(0.5) / math.log(ratio) if 0 < ratio < 1 else math.inf
        chance = _BY_CHANCE / (n_rows * max(near - 1, 1))
        limit = min(_MOST_RATIO, chance ** (1 / dimension))
        typical, low, high = np.percentile(inner, [50, 5, 95])
        ratios = distances[:, 0] / np.where(inner > 0, inner, np.inf)
        nearest = [
            (int(queries[row]), int(indices[row, 0]), float(ratios[row]))
            for row in np.argsort(ratios, kind="stable")[:_CLOSEST]
        ]
        return cls(limit, dimension, float(typical), (limit * high, limit * low), nearest)


def _nearest(z: Coordinates, queries: Index, count: int) -> tuple[Array, Index]:
    """Distances and indices of the nearest rows to each query, itself left out."""
    distances = np.empty((len(queries), count))
    indices = np.empty((len(queries), count), dtype=np.intp)
    sizes = np.square(z.astype(np.float64)).sum(axis=1)
    step = max(1, 2**22 // len(z))
    for start in range(0, len(queries), step):
        part = queries[start : start + step]
        gaps = sizes[None] + sizes[part, None] - 2.0 * (z[part] @ z.T).astype(np.float64)
        gaps[np.arange(len(part)), part] = np.inf
        few = np.argpartition(gaps, count - 1, axis=1)[:, :count]
        exact = np.square(z[part][:, None].astype(np.float64) - z[few].astype(np.float64)).sum(
            axis=2
        )
        order = np.argsort(exact, axis=1)
        rows = slice(start, start + len(part))
        indices[rows] = np.take_along_axis(few, order, axis=1)
        distances[rows] = np.sqrt(np.take_along_axis(exact, order, axis=1))
    return distances, indices


def _exact(first: ArrayContents, second: ArrayContents, i: Index, j: Index) -> Array:
    """Distances of pairs of rows, from their differences."""
    distances = np.empty(len(i))
    step = max(1, 2**22 // first.dim)
    for start in range(0, len(i), step):
        part = slice(start, start + step)
        gaps = first.rows(i[part]) - second.rows(j[part])
        largest = np.abs(gaps).max(axis=1, initial=0.0)
        unit = np.where(largest > 0, largest, 1.0)
        distances[part] = unit * np.sqrt(np.square(gaps / unit[:, None]).sum(axis=1))
    return distances


def _ratios(z: Coordinates, i: Index, distances: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Distance of each pair over that of its first row to the fifth nearest; which are known."""
    queries, place = np.unique(i, return_inverse=True)
    chosen = queries
    if len(queries) > _CHECKED:
        _, first = np.unique(i, return_index=True)
        chosen = np.sort(i[np.sort(first)[:_CHECKED]])
    if not len(chosen):
        return np.empty(0), np.empty(0, dtype=bool)
    far = min(_NEAR, len(z) - 1)
    fifth = np.full(len(queries), np.nan)
    fifth[np.searchsorted(queries, chosen)] = _nearest(z, chosen, far)[0][:, far - 1]
    around = fifth[place.ravel()]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.where(around > 0, distances / around, np.inf)
    return ratios, ~np.isnan(around)
