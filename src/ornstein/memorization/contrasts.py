r"""How much nearer a generated point is to the training set than to fresh points: its contrast.

With training points T' and held-out points H' of equal number and d the distance to the nearest,

    s(g) = ln d(g, H') - ln d(g, T').

Had the labels of T' and H' been dealt at random, s would be positive or negative with equal
chances, whatever the generator does.

**Unequal sizes.** The training set is divided at random into a blocks, the held-out set into b, all
of one size. With the nearest block at distance ``d_1`` and the median distance ``d_med`` to the
other blocks, ``|s| = ln d_med - ln d_1``, and s is positive if the nearest block is one of training
points. Under exchangeable labels the nearest block is any of the ``a + b`` with equal chances and
whatever ``|s|`` is, so s is positive with probability ``a/(a + b)``. For a = b = 1 that is the
contrast above. The median does not see one near duplicate in another block.

With groups whole groups are dealt to blocks. Near-equal training points go to one block, as far as
they fit: in most blocks at once they would make the median small for every copy of them.

References
----------
This project. Gimenez, Zou, "Improving the stability of the knockoff procedure: multiple
simultaneous knockoffs", 2019 (several fresh sets).
"""

from __future__ import annotations

__all__ = ["Blocks", "Contrasts", "blocks_of", "measure"]

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.memorization.neighbours import nearest_neighbours

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ornstein.memorization.pool import Pool

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]
    Variants = Callable[[Array], list[Array]]

_MOST_BLOCKS = 12  # where neither set is a single block
_MOST_FRESH = 20  # blocks of held-out points; more add little
_COVERED = 0.95  # of the training units are in some block


class Blocks(NamedTuple):
    """Values of each block (ascending indices into the pool), and of the rows that are in none."""

    train: tuple[Index, ...]
    held_out: tuple[Index, ...]
    train_rest: Index
    held_out_rest: Index
    size: int
    """Rows, or groups, in each block."""

    @property
    def odds(self) -> float:
        """``a/b``: of a positive contrast, under exchangeable labels."""
        return len(self.train) / len(self.held_out)


class Contrasts(NamedTuple):
    """Of each generated point: nearest training and held-out value, distances, and contrast.

    The contrast is infinite if a distance is 0, and 0 where nothing tells the two sets apart.
    """

    train: Index
    train_distance: Array
    held_out: Index
    held_out_distance: Array
    contrast: Array

    @property
    def nearest(self) -> Index:
        """The nearest value of the pool; of two equally near, the first in the pool's order."""
        nearer = np.where(self.train_distance < self.held_out_distance, self.train, self.held_out)
        equal = self.train_distance == self.held_out_distance
        return np.where(equal, np.minimum(self.train, self.held_out), nearer)

    def of(self, chosen: Index) -> Contrasts:
        """Those of some of the generated points."""
        return Contrasts(
            self.train[chosen],
            self.train_distance[chosen],
            self.held_out[chosen],
            self.held_out_distance[chosen],
            self.contrast[chosen],
        )


def blocks_of(pool: Pool, rng: np.random.Generator, near: Index | None = None) -> Blocks:
    """Divide both sets at random into blocks of one size; of units in none there are few.

    Parameters
    ----------
    pool : Pool
    rng : Generator
    near : ndarray of shape (n_train_rows,), optional
        Label of each training row; rows of one label are dealt together, unless there are groups.
    """
    ours, theirs = _units(pool.train_groups, pool), _units(pool.held_out_groups, pool)
    n, m = int(ours.max()) + 1, int(theirs.max()) + 1
    a, b = _numbers(n, m)
    size = min(n // a, m // b)
    parts = []
    for unit, total, count, values in ((ours, n, a, pool.train), (theirs, m, b, pool.held_out)):
        place = rng.permutation(total)
        if near is not None and not pool.grouped and values is pool.train:
            place[np.lexsort((place, rng.permutation(near.max() + 1)[near]))] = np.arange(total)
        block = place[unit] // size
        parts.append([np.unique(values[block == i]) for i in range(count)])
        parts.append([np.unique(values[block >= count])])
    train, (train_rest,), held_out, (held_out_rest,) = parts
    return Blocks(tuple(train), tuple(held_out), train_rest, held_out_rest, size)


def measure(
    generated: Array,
    pool: Pool,
    blocks: Blocks,
    variants: Variants | None = None,
    **search: Any,
) -> tuple[Contrasts, Contrasts]:
    """Contrasts with respect to all points, of whatever number; and with respect to the blocks.

    Parameters
    ----------
    generated : ndarray of shape (n_generated, dim)
    pool : Pool
    blocks : Blocks
    variants : callable, optional
        From generated points to their variants, a list of arrays of the same shape, of which the
        nearest counts; the points themselves among them.
    **search
        Options of :func:`~ornstein.memorization.neighbours.nearest_neighbours`.
    """
    shapes = [generated] if variants is None else variants(generated)

    def near(values: Index) -> tuple[Array, Index]:
        found = [nearest_neighbours(x, pool.values[values], k=1, **search) for x in shapes]
        index, distance = _nearest([(f.distances[:, 0], values[f.indices[:, 0]]) for f in found])
        return distance, index

    train = [near(values) for values in blocks.train]
    held_out = [near(values) for values in blocks.held_out]
    rests = [
        [near(values)] if values.size else []
        for values in (blocks.train_rest, blocks.held_out_rest)
    ]
    within = (*_nearest(train), *_nearest(held_out))
    everything = within
    if rests[0] or rests[1]:
        everything = (*_nearest(train + rests[0]), *_nearest(held_out + rests[1]))
    distances = np.stack([distance for distance, _ in train + held_out])
    distances.sort(axis=0)
    size = _log_ratio(np.median(distances[1:], axis=0), distances[0])
    sign = np.sign(within[3] - within[1])
    signed = np.copysign(np.where(sign == 0, 0.0, size), sign)
    return (
        Contrasts(*everything, _log_ratio(everything[3], everything[1])),
        Contrasts(*within, signed),
    )


def _nearest(found: list[tuple[Array, Index]]) -> tuple[Index, Array]:
    """Over several sets, the nearest value and its distance; the first in order among equals."""
    distances, values = (np.stack(part) for part in zip(*found, strict=True))
    least = distances.min(axis=0)
    first = np.where(distances == least, values, np.iinfo(np.intp).max).min(axis=0)
    return first, least


def _log_ratio(above: Array, below: Array) -> Array:
    """``ln above - ln below`` of distances; 0 if both are 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(above) - np.log(below)
    return np.where(above == below, 0.0, ratio)


def _numbers(n: int, m: int) -> tuple[int, int]:
    """Numbers of blocks of n and m units: 95% of the n covered, and as few to each fresh one.

    Examples
    --------
    >>> _numbers(1000, 1000), _numbers(5000, 1000), _numbers(1500, 1000), _numbers(100, 950)
    ((1, 1), (5, 1), (3, 2), (1, 10))
    """
    choices = [(-(-n // m), 1), (max(1, n // m), 1), (1, min(max(1, m // n), _MOST_FRESH))]
    choices += [(a, s - a) for s in range(2, _MOST_BLOCKS + 1) for a in range(1, s)]
    best = (-1.0, 0.0, 0.0, 1, 1)
    for a, b in choices:
        size = min(n // a, m // b)
        covered = a * size / n
        best = max(best, (min(covered, _COVERED), -a / b, -(a + b), a, b))
    return best[3], best[4]


def _units(groups: Index, pool: Pool) -> Index:
    """What is dealt to blocks: rows, or groups, numbered from 0."""
    if not pool.grouped:
        return np.arange(groups.size)
    return np.unique(groups, return_inverse=True)[1].astype(np.intp)
