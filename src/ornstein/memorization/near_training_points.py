r"""Training points that nearly equal another one: counted, and kept from hiding copies.

Exact duplicates count once (:mod:`ornstein.memorization.pool`). Points that were saved again,
resized or touched up are not equal. Of a training point let ``h_5`` be the distance to its fifth
nearest *held-out* point: a scale that duplicates among the training points do not change, however
many they are. Two training points are near-duplicates if they are closer than ``t h_5``. If points
lay as at random around it, in k dimensions, ``5 (n/m) t^k`` of n training points would be so close,
m being the number of held-out points. ``k`` is measured on held-out points, whose ``(h_5/h_10)^k``
has the median 1/2, and t is such that among all n points 0.01 such pairs are expected by chance,
and at most 1/3. Two points are in one group if a chain of near-duplicates leads from one to the
other.

What they change:

* *The list of copies* compares with held-out points, and not with the second nearest training
  point as the ratio test does: a copy of one of several near-equal points is found. Where the
  training set is divided into blocks, such a group is dealt to one block as far as it fits; spread
  over all blocks it would be near to each copy in most of them, and the contrast would vanish.
* *The share f* counts training points: k near-equal ones are the nearest as often as one is, so f
  becomes smaller, for the fitted Gaussians too.
* *A held-out point that nearly equals a training point* can hide copies of it. It is counted if
  it is closer than ``t h_5``.

At most 20,000 points of each set are searched, drawn at random. In more than 48 dimensions they are
projected to 48 random directions, and distances are those of the projections: within 10% (one
standard deviation) of the true ones.

References
----------
Facco, d'Errico, Rodriguez, Laio, "Estimating the intrinsic dimension of datasets by a minimal
neighborhood information", 2017, for ratios of distances; Johnson and Lindenstrauss, 1984.
"""

from __future__ import annotations

__all__ = ["NearDuplicates", "near_training_points"]

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ornstein.data.blocks import sample_of_rows
from ornstein.data.close_pairs import MOST_PAIRS, TREE, close_pairs
from ornstein.memorization.neighbours import nearest_neighbours
from ornstein.validation import as_generator

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.data.close_pairs import Coordinates
    from ornstein.memorization.pool import Pool

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]

_MOST, _LEAST = 20_000, 30  # points of each set that are searched
_DIRECTIONS = 48
_NEAR = 5
_BY_CHANCE = 0.01
_MOST_RATIO = 1 / 3
_QUERIES = 512
_PAIRS = 2**16  # whose distances are computed at a time


class NearDuplicates(NamedTuple):
    """How many points nearly equal a training point."""

    train: int
    """Distinct training points that nearly equal another one."""
    groups: int
    """Of near-equal training points, that these form."""
    largest: int
    """Points in the largest of them."""
    held_out: int
    """Distinct held-out points that nearly equal a training point."""
    searched: int
    """Distinct training points that were compared with each other."""
    points: int
    """Distinct training points."""
    complete: bool
    """Whether all pairs that were found could be checked: otherwise there may be more."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What they mean for an audit, in sentences."""
        said = []
        least = "" if self.complete else "at least "
        where = (
            f"Of {self.points} training points"
            if self.searched == self.points
            else f"Of {self.searched} training points, a random part that was searched"
        )
        if self.train:
            said.append(
                f"{where}, {least}{self.train} nearly equal another one, in {self.groups} "
                f"group{'' if self.groups == 1 else 's'} of up to {self.largest}. Copies of them "
                "are found all the same; but each counts in the share nearer to the training "
                "set, which is smaller for it: to have it as of distinct points, keep one of each."
            )
        if self.held_out:
            one = self.held_out == 1
            said.append(
                f"{least.capitalize()}{self.held_out} held-out "
                f"{'point nearly equals' if one else 'points nearly equal'} a training point, and "
                "can hide copies of it: take such points out of the held-out side; if both come "
                "from one patient, video or scene, give groups."
            )
        return tuple(said)


def near_training_points(pool: Pool) -> tuple[NearDuplicates | None, Index | None]:
    """Count near-duplicates of training points, and group those of the training set.

    Parameters
    ----------
    pool : Pool

    Returns
    -------
    NearDuplicates or None
        None for fewer than 30 distinct points of one of the sets, of which nothing can be said.
    ndarray of shape (n_train_rows,) or None
        Group of each training row; None if no two are near.
    """
    old, fresh = np.setdiff1d(pool.train, pool.held_out), np.setdiff1d(pool.held_out, pool.train)
    if min(old.size, fresh.size) < _LEAST:
        return None, None
    ours = old[sample_of_rows(old.size, _MOST, "near training points")]
    theirs = fresh[sample_of_rows(fresh.size, _MOST, "near held-out points")]
    x, y = _coordinates(pool.values, ours, theirs)
    scale = nearest_neighbours(x, y, k=_NEAR).distances[:, -1]
    limit = _limit(y, len(x))
    one, other, all_found = _near(x, None, scale, limit)
    _, hidden, none_lost = _near(x, y, scale, limit)
    labels, sizes = None, np.zeros(1, dtype=np.intp)
    if one.size:
        total = len(pool.values)
        links = coo_array((np.ones(one.size), (ours[one], ours[other])), shape=(total, total))
        labels = connected_components(links, directed=False)[1].astype(np.intp)
        sizes = np.bincount(labels)
    found = NearDuplicates(
        train=np.union1d(one, other).size,
        groups=int((sizes > 1).sum()),
        largest=int(sizes.max()) if one.size else 0,
        held_out=np.unique(hidden).size,
        searched=ours.size,
        points=old.size,
        complete=all_found and none_lost,
    )
    return found, None if labels is None else labels[pool.train]


def _coordinates(values: Array, *parts: Index) -> list[Coordinates]:
    """Points about their mean, in units of their typical length, projected if they have many."""
    width = values.shape[1]
    centred = [values[part] - values[parts[0]].mean(axis=0) for part in parts]
    if width > _DIRECTIONS:
        directions = as_generator(0, "near training points, directions").standard_normal(
            (width, _DIRECTIONS)
        ) / math.sqrt(_DIRECTIONS)
        centred = [each @ directions for each in centred]
    unit = max(float(np.abs(each).max()) for each in centred)
    unit *= math.sqrt(float(np.square(centred[0] / unit).sum(axis=1).mean()))
    kind = np.float64 if min(width, _DIRECTIONS) <= TREE else np.float32
    return [(each / unit).astype(kind) for each in centred]


def _limit(y: Coordinates, n: int) -> float:
    """Largest ratio of a distance to that of the fifth nearest held-out point."""
    queries = y[sample_of_rows(len(y), _QUERIES, "near held-out points, queries")]
    far = nearest_neighbours(queries, y, k=2 * _NEAR + 1).distances  # each itself first
    inner, outer = far[:, _NEAR], far[:, -1]
    ratio = float(np.median(inner[outer > 0] / outer[outer > 0])) if (outer > 0).any() else 0.0
    dimension = math.log(0.5) / math.log(ratio) if 0 < ratio < 1 else math.inf
    chance = _BY_CHANCE / (_NEAR * n * max(1.0, n / len(y)))
    return min(_MOST_RATIO, chance ** (1 / dimension))


def _near(
    x: Coordinates, y: Coordinates | None, scale: Array, limit: float
) -> tuple[Index, Index, bool]:
    """Pairs of x and y, or within x, closer than `limit` of the first one's scale; if all are."""
    complete, i, j = False, np.zeros(0, dtype=np.intp), np.zeros(0, dtype=np.intp)
    for share in (95, 5):
        i, j = close_pairs(x, y, limit * float(np.percentile(scale, share)), show=False)
        complete = i.size < MOST_PAIRS
        if complete:
            break
    second = x if y is None else y
    distance = np.empty(i.size)
    for start in range(0, i.size, _PAIRS):
        part = slice(start, start + _PAIRS)
        gaps = x[i[part]].astype(np.float64) - second[j[part]].astype(np.float64)
        distance[part] = np.sqrt(np.square(gaps).sum(axis=1))
    near = distance <= limit * scale[i]
    if y is None:
        near |= distance <= limit * scale[j]
    return i[near], j[near], complete
