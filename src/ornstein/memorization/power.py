r"""Which share of copies would have been found: copies planted among the generated points.

An empty list of copies says little without what could have been on it. A planted copy is a training
point, drawn at random, plus noise of a fraction of the data's standard deviation (root of the mean
coordinate variance) in every coordinate. Of the N generated points, k are replaced by planted
copies, and the list is made again: it *finds* them if it is not empty. The least fraction k/N found
with probability 0.8 is the minimum detectable fraction at that noise.

The points that are not replaced must know nothing of the training set. Whatever the generator did,
signs of contrasts are made so: each point of the pool draws its sign anew, positive with odds
``a : b``, and the absolute values stay. Points that are on the list of copies are left out first.
So a search costs one search of neighbours for each noise, and all repetitions no more.
"""

from __future__ import annotations

__all__ = ["Detectable", "minimum_detectable", "NOISES", "PROBABILITY"]

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.memorization.contrasts import measure
from ornstein.memorization.copies import mirror_threshold, unit_contrasts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from ornstein.memorization.contrasts import Blocks, Contrasts
    from ornstein.memorization.copies import Reference
    from ornstein.memorization.pool import Pool

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]

NOISES = (0.01, 0.1, 0.3)
"""Of planted copies, in standard deviations of the data."""
PROBABILITY = 0.8
_REPETITIONS = 200
_PLANTED, _FEWEST = 1000, 100  # copies that are drawn from
_BACKGROUND = 4000  # largest contrasts of the others that are kept


class Detectable(NamedTuple):
    """Least fraction of copies at this noise that is found with probability 0.8.

    NaN if even that of all generated points is not.
    """

    noise: float
    fraction: float
    copies: int
    """Among the generated points; 0 if no number is found."""


def minimum_detectable(
    train: Array,
    contrasts: Contrasts,
    pool: Pool,
    blocks: Blocks,
    fdr: float,
    reference: Reference,
    rng: np.random.Generator,
    *,
    listed: Sequence[int] = (),
    noises: Sequence[float] = NOISES,
    **search: Any,
) -> list[Detectable]:
    """Plant copies at each noise, and find how few of them the list of copies still finds.

    Parameters
    ----------
    train : ndarray of shape (n_train, dim)
    contrasts : Contrasts
        Of the generated points with respect to the blocks.
    pool : Pool
    blocks : Blocks
    fdr : float
        Of the list.
    reference : Reference
        Of the list.
    rng : Generator
        Draws the copies and the signs.
    listed : sequence of int
        Generated points that are on the list, and no background.
    noises : sequence of float
        In standard deviations of the data.
    **search
        Options of :func:`~ornstein.memorization.neighbours.nearest_neighbours`.
    """
    count = contrasts.contrast.size
    clean = np.setdiff1d(np.arange(count), np.asarray(listed, dtype=np.intp))
    background = np.sort(np.abs(unit_contrasts(contrasts.of(clean), pool)))[::-1]
    unit = np.zeros(len(pool.values), dtype=np.intp)
    unit[pool.train] = pool.train_groups
    std = math.sqrt(train.var(axis=0).mean())
    found = []
    for noise in noises:
        rows = rng.integers(0, len(train), max(min(_PLANTED, count), _FEWEST))
        points = train[rows] + noise * std * rng.standard_normal((rows.size, train.shape[1]))
        _, planted = measure(points, pool, blocks, **search)
        rising = np.argsort(planted.contrast)
        planting = _Planting(
            planted.contrast[rising],
            np.unique(unit[planted.train[rising]], return_inverse=True)[1],
            np.argsort(rising),
            background[:_BACKGROUND],
            clean.size,
            count,
            blocks.odds,
        )
        least = _least(
            lambda k, planting=planting: planting.power(k, fdr, reference, rng) >= PROBABILITY,
            count,
            max(1, math.ceil(blocks.odds / fdr)),
        )
        found.append(Detectable(noise, least / count if least else math.nan, least))
    return found


class _Planting(NamedTuple):
    """Contrasts and units of planted copies, absolute contrasts of what stands beside them."""

    contrasts: Array
    """Of planted copies, rising."""
    units: Index
    """Of these, from 0 on."""
    ranks: Index
    """Places of the copies, as they were drawn, in this order."""
    background: Array
    clean: int
    """Generated points that the background is of."""
    generated: int
    """All generated points."""
    odds: float

    def power(self, k: int, fdr: float, reference: Reference, rng: np.random.Generator) -> float:
        """Share of repetitions in which the list with k planted copies is not empty."""
        found = sum(
            not math.isnan(mirror_threshold(self._drawn(k, rng), fdr, self.odds, reference))
            for _ in range(_REPETITIONS)
        )
        return found / _REPETITIONS

    def _drawn(self, k: int, rng: np.random.Generator) -> Array:
        """Contrasts, of each unit one, of k planted copies and ``count - k`` clean points."""
        kept = rng.random(self.background.size) * self.clean < self.generated - k
        size = self.background[kept]
        positive = rng.random(size.size) * (1 + self.odds) < self.odds
        chosen = np.zeros(self.contrasts.size, dtype=np.bool_)
        chosen[self.ranks[rng.integers(0, self.contrasts.size, k)]] = True
        rising = chosen.nonzero()[0]
        # Of each unit the last to be written stays, which is the largest.
        largest = np.full(self.contrasts.size, np.nan)
        largest[self.units[rising]] = self.contrasts[rising]
        copies = largest[~np.isnan(largest)]
        return np.concatenate([np.where(positive, size, -size), copies])


def _least(seen: Callable[[int], bool], count: int, start: int) -> int:
    """Least k of `start` to `count` that is seen, to 2%, by doubling and halving; 0 if none is.

    Examples
    --------
    >>> _least(lambda k: k >= 21, 1000, 8), _least(lambda k: k >= 900, 1000, 1), _least(bool, 9, 3)
    (21, 908, 3)
    >>> _least(lambda k: False, 1000, 1), _least(bool, 5, 6)
    (0, 0)
    """
    if start > count:
        return 0
    low, high = start - 1, start
    while not seen(high):
        if high == count:
            return 0
        low, high = high, min(2 * high, count)
    while high - low > max(1, high // 50):
        middle = (low + high) // 2
        low, high = (low, middle) if seen(middle) else (middle, high)
    return high
