r"""Numbers that others report, from nearest neighbours: none of them a test.

With ``d(x, S)`` the distance of x to the nearest point of S, T the training points, H the held-out
ones and G the generated ones:

* **Authenticity** (Alaa et al.): with ``x*`` the training point nearest to g, g is *authentic* if
  it is farther from ``x*`` than the other training points are: ``|g - x*| > d(x*, T minus x*)``.
  The share of authentic points is near 1/2 for fresh data in many dimensions, and near 0 for
  copies.
* **C_T** (Meehan, Chaudhuri, Dasgupta): do generated points lie nearer to T than held-out points
  do? The z value of the Mann-Whitney statistic of ``d(g, T)`` against ``d(h, T)``, averaged over
  cells (k-means of T) with the held-out points' share as weight. Below 0: nearer, as copies are.
* **Precision, recall, density, coverage** (Kynkaanniemi et al.; Naeem et al.), with balls
  ``B(x)`` whose radius is the distance to the k-th nearest other point of the same set: the share
  of g in some B(t); of t in some B(g); the mean number of B(t) that hold g, over k; the share of
  B(t) that hold some g.
* **Distance to the closest record**, as is asked for with tables: the share of ``d(g, T)`` below
  the 5% point of ``d(h, T)``, near 0.05 where nothing was copied.

References
----------
Alaa, van Breugel, Saveliev, van der Schaar, arXiv 2102.08921. Meehan, Chaudhuri, Dasgupta, arXiv
2004.05675. Kynkaanniemi, Karras, Laine, Lehtinen, Aila, arXiv 1904.06991. Naeem, Oh, Uh, Choi, Yoo,
arXiv 2002.09797.
"""

from __future__ import annotations

__all__ = [
    "Coverage",
    "authenticity",
    "data_copying",
    "precision_recall_density_coverage",
    "closest_record_share",
]

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.spatial.distance import cdist

from ornstein.data.duplicates import distinct_rows
from ornstein.memorization.neighbours import nearest_neighbours
from ornstein.memorization.rank_sums import pairs_below
from ornstein.validation import as_count, as_points

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_BLOCK = 2**22  # distances held at a time
_FEW = 20  # points in a cell, below which it has no z value


class Coverage(NamedTuple):
    """Precision, recall, density and coverage."""

    precision: float
    recall: float
    density: float
    coverage: float


def authenticity(generated: ArrayLike, train: ArrayLike) -> float:
    """Share of generated points farther from their nearest training point than its own nearest is.

    Equal training points count once.

    Parameters
    ----------
    generated : array-like of shape (n_generated, dim)
    train : array-like of shape (n_train, dim)
        At least two distinct points.

    Raises
    ------
    ValueError
        If dimensions disagree, or two distinct training points are missing.

    Examples
    --------
    >>> authenticity([[0.1], [1.5]], [[0.0], [1.0], [5.0]])  # distances 0.1 and 0.5 against 1
    0.0
    """
    new = as_points(generated, "generated")
    old = as_points(train, "train", dim=new.shape[1], at_least=2)
    old = old[distinct_rows(old)]
    if len(old) < 2:
        raise ValueError("train has one distinct point, expected at least 2")
    near = nearest_neighbours(new, old, k=1)
    own = nearest_neighbours(old, old, k=2).distances[:, 1]
    return float((near.distances[:, 0] > own[near.indices[:, 0]]).mean())


def data_copying(
    generated: ArrayLike,
    train: ArrayLike,
    held_out: ArrayLike,
    cells: int = 1,
    random_state: int = 0,
) -> float:
    """C_T: negative if generated points lie nearer to the training set than held-out points do.

    Parameters
    ----------
    generated, train, held_out : array-like of shape (n_points, dim)
    cells : int
        Cells of k-means. Those with fewer than 20 generated or held-out points are left out.
    random_state : int
        Starts k-means.

    Raises
    ------
    ValueError
        If dimensions disagree, or no cell holds enough points.
    """
    new = as_points(generated, "generated", at_least=2)
    old = as_points(train, "train", dim=new.shape[1])
    fresh = as_points(held_out, "held_out", dim=new.shape[1], at_least=2)
    ours, theirs = (nearest_neighbours(x, old, k=1).distances[:, 0] for x in (new, fresh))
    if as_count(cells, "cells") == 1:
        return _mann_whitney(ours, theirs)
    from sklearn.cluster import KMeans

    means = KMeans(cells, n_init="auto", random_state=random_state).fit(old)
    cell, fresh_cell = means.predict(new), means.predict(fresh)
    values, weights = [], []
    for index in range(cells):
        a, b = ours[cell == index], theirs[fresh_cell == index]
        if min(a.size, b.size) >= _FEW:
            values.append(_mann_whitney(a, b))
            weights.append(b.size)
    if not values:
        raise ValueError(
            f"none of {cells} cells holds {_FEW} generated and {_FEW} held-out points: "
            "give fewer cells"
        )
    return float(np.average(values, weights=weights))


def precision_recall_density_coverage(
    generated: ArrayLike, reference: ArrayLike, k: int = 5
) -> Coverage:
    """How the generated points and those of a reference lie within each other's balls.

    Parameters
    ----------
    generated, reference : array-like of shape (n_points, dim)
        More than `k` points each.
    k : int
        Neighbours that make the radius of a ball.

    Raises
    ------
    ValueError
        If dimensions disagree, or points are too few.
    """
    k = as_count(k, "k")
    new = as_points(generated, "generated", at_least=k + 1)
    real = as_points(reference, "reference", dim=new.shape[1], at_least=k + 1)
    radius, new_radius = (nearest_neighbours(x, x, k=k + 1).distances[:, k] for x in (real, new))
    held = np.zeros(len(new))  # balls of the reference that hold a generated point
    recalled, covered = np.zeros(len(real), dtype=bool), np.zeros(len(real), dtype=bool)
    step = max(1, _BLOCK // len(new))
    for start in range(0, len(real), step):
        rows = slice(start, start + step)
        distance = cdist(real[rows], new)
        within = distance < radius[rows, None]
        held += within.sum(axis=0)
        covered[rows] = within.any(axis=1)
        recalled[rows] = (distance < new_radius).any(axis=1)
    return Coverage(
        float((held > 0).mean()),
        float(recalled.mean()),
        float(held.mean() / k),
        float(covered.mean()),
    )


def closest_record_share(generated: Array, held_out: Array, quantile: float = 0.05) -> float:
    """Share of generated points that lie nearer to the training set than few held-out points do.

    Parameters
    ----------
    generated, held_out : ndarray of shape (n,)
        Distances to the nearest training point.
    quantile : float
        Share of held-out points that lie as near.

    Examples
    --------
    >>> closest_record_share(np.array([0.0, 1.0, 2.0, 3.0]), np.arange(1.0, 22.0))  # below 2
    0.5
    """
    return float((generated < np.quantile(held_out, quantile)).mean())


def _mann_whitney(a: Array, b: Array) -> float:
    """Z value of the number of pairs in which the entry of a is larger; ties count half."""
    n, m = a.size, b.size
    return float((pairs_below(b, a) - 0.5) * np.sqrt(12 * n * m / (n + m + 1)))
