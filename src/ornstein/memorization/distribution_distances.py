r"""Distances between two sets of points as wholes: Frechet, kernel and sliced Wasserstein.

* **Frechet distance** (FID when the points are features of a network): squared W2 distance of the
  Gaussians with the means and covariances (``n - 1`` in the denominator) of both sets.
* **Kernel distance** (KID): the unbiased estimate of the squared maximum mean discrepancy with
  kernel ``k(x, y) = (x . y / d + 1)^3``, self-pairs left out. It can be negative.
* **Sliced Wasserstein**: root of the mean, over random directions, of the squared W2 distance of
  the projections. On a line W2 joins equal quantiles.

All grow with fewer points or are noisier, so that two values are comparable at equal sizes only.

References
----------
Heusel, Ramsauer, Unterthiner, Nessler, Hochreiter, arXiv 1706.08500 (Frechet). Binkowski,
Sutherland, Arbel, Gretton, arXiv 1801.01401 (kernel). Bonneel, Rabin, Peyre, Pfister, "Sliced and
Radon Wasserstein barycenters of measures", 2015.
"""

from __future__ import annotations

__all__ = ["frechet_distance", "kernel_distance", "sliced_wasserstein"]

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.gaussians import Gaussian, wasserstein_squared
from ornstein.validation import as_count, as_generator, as_points

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_BLOCK = 2**22  # kernel values held at a time


def frechet_distance(a: ArrayLike, b: ArrayLike) -> float:
    """Squared W2 distance of the Gaussians fitted to two sets, in squared data units.

    Parameters
    ----------
    a, b : array-like of shape (n_points, dim)
        At least 2 points each.

    Raises
    ------
    ValueError
        If dimensions disagree, or points are fewer than 2.

    Examples
    --------
    >>> frechet_distance([[0.0], [2.0]], [[5.0], [7.0]])
    25.0
    """
    first, second = _pair(a, b, at_least=2)
    # Eigenvalues that are rounding are no variance.
    rounding = first.shape[1] * float(np.finfo(np.float64).eps)
    laws = [
        Gaussian(x.mean(axis=0), np.atleast_2d(np.cov(x.T)), tolerance=rounding)
        for x in (first, second)
    ]
    return wasserstein_squared(*laws)


def kernel_distance(a: ArrayLike, b: ArrayLike) -> float:
    """Unbiased squared maximum mean discrepancy with the cubic polynomial kernel.

    Parameters
    ----------
    a, b : array-like of shape (n_points, dim)
        At least 2 points each, in units in which the data are near 1.

    Raises
    ------
    ValueError
        If dimensions disagree, or points are fewer than 2.
    """
    first, second = _pair(a, b, at_least=2)
    n, m = len(first), len(second)
    within = _off_diagonal(first) / (n * (n - 1)) + _off_diagonal(second) / (m * (m - 1))
    return within - 2 * _kernel_sum(first, second) / (n * m)


def sliced_wasserstein(
    a: ArrayLike, b: ArrayLike, projections: int = 200, random_state: Any = None
) -> float:
    """Root of the mean squared W2 distance of projections on random directions, in data units.

    Parameters
    ----------
    a, b : array-like of shape (n_points, dim)
    projections : int
        Random directions.
    random_state : None, int, SeedSequence or Generator

    Raises
    ------
    ValueError
        If dimensions disagree.

    Examples
    --------
    >>> sliced_wasserstein([[0.0], [1.0]], [[3.0], [4.0]], random_state=0)
    3.0
    """
    first, second = _pair(a, b, at_least=1)
    rng = as_generator(random_state, "sliced_wasserstein")
    directions = rng.standard_normal((as_count(projections, "projections"), first.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    lines = [np.sort(x @ directions.T, axis=0) for x in (first, second)]
    return math.sqrt(float(_line_squared(*lines).mean()))


def _line_squared(a: Array, b: Array) -> Array:
    """Squared W2 of each column; columns are sorted. Quantiles change at multiples of 1/n, 1/m."""
    n, m = len(a), len(b)
    ends = np.union1d(np.arange(1, n + 1) * m, np.arange(1, m + 1) * n)  # of steps, in 1/(n m)
    widths = np.diff(ends, prepend=0) / (n * m)
    last = ends - 1
    return widths @ np.square(a[last // m] - b[last // n])


def _pair(a: ArrayLike, b: ArrayLike, at_least: int) -> tuple[Array, Array]:
    first = as_points(a, "a", at_least=at_least)
    return first, as_points(b, "b", dim=first.shape[1], at_least=at_least)


def _kernel_sum(a: Array, b: Array) -> float:
    step = max(1, _BLOCK // len(b))
    parts = [
        float(((a[start : start + step] @ b.T / a.shape[1] + 1) ** 3).sum())
        for start in range(0, len(a), step)
    ]
    return math.fsum(parts)


def _off_diagonal(x: Array) -> float:
    return _kernel_sum(x, x) - float(((np.square(x).sum(axis=1) / x.shape[1] + 1) ** 3).sum())
