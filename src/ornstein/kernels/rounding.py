r"""Rounding of squared distances that are computed by a matrix product.

Squared distances of many pairs come from one matrix product,

    |x - y|^2 = |x|^2 + |y|^2 - 2 x . y,        h(x; y) = |x|^2 - 2 x . y

(`h` where only differences between the ``x`` matter), and lose the distance of near pairs to
rounding. The three users (:mod:`ornstein.kernels.full_dimension`,
:mod:`ornstein.denoisers.training_points`, :mod:`ornstein.memorization.neighbours`) use them to find
the pairs that can matter, and compute those again from differences of coordinates. What "can
matter" means is decided by one bound, ``c(d) = gamma_(d + 8)``:

    | fl(|x - y|^2) - |x - y|^2 |  <=  c(d) (|x| + |y|)^2,
    | fl(h(x; y)) - h(x; y) |      <=  c(d) |x| (|x| + 2 |y|),        gamma_k = k u / (1 - k u),

``u = 2^-53`` and `d` the dimension. On the left, `x` and `y` are the points before they are shifted
to a common origin, on the right the shifted points in float64, and their computed norms may be
used.

Proof. A float64 operation is off by a factor ``1 + e``, ``|e| <= u``, and a product of k such
factors or their inverses is ``1 + e'``, ``|e'| <= gamma_k`` (Higham, lemma 3.1).

1. In whatever order, in whatever blocks, with or without fused multiply-adds, each of the ``d``
   products of an inner product takes part in at most ``d`` operations: 1 multiplication and
   ``d - 1`` additions. Two more additions join the three terms. So the error is at most
   ``gamma_(d+2)`` times the sum of the absolute values of all products, which for ``|x - y|^2`` is
   at most ``|x|^2 + |y|^2 + 2 |x| |y|`` and for ``h`` at most ``|x|^2 + 2 |x| |y|`` (Cauchy,
   Schwarz).
2. The coordinates are shifted, and may be divided by a common unit: each is off by at most
   ``gamma_2`` of itself, each of the products by ``gamma_4``. With 1, ``gamma_(d+6)``.
3. Computed norms are off by a factor within ``gamma_(d+2)``, and ``gamma_k (1 + gamma_k)^2 <=
   gamma_(k+1)`` while ``2 k^2 u < 1``: with 1 and 2, ``gamma_(d+7)`` for every ``d`` below 10^7.
   One more for the rounding of the bound itself.

The matrix product must be one that sums products (all BLAS; not Strassen's). Overflow and underflow
are the callers' business: they bring the points to a size near 1, or catch what is not finite.

*In parts.* If the inner products are added up from ``p`` matrix products of at most ``ceil(d/p)``
coordinates each (:func:`inner_products`), a product takes part in ``ceil(d/p) + p - 1`` operations,
which takes the place of ``d`` in all of the above, if the squares are summed as a tree
(:func:`pairwise_sum`). With ``p = sqrt(d)`` the bound grows like ``2 sqrt(d)`` only.

*In a column.* A term that is summed inside the matrix product, as one column more, takes part in
``d`` more additions: its share of the bound doubles.

References
----------
Higham, "Accuracy and stability of numerical algorithms", 2nd edition, 2002, section 3.1.
"""

from __future__ import annotations

__all__ = [
    "rounding_factor",
    "distance_error",
    "height_error",
    "inner_products",
    "pairwise_sum",
]

import math
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_UNIT_ROUNDOFF = 2.0**-53


def rounding_factor(dim: int, parts: int = 1) -> float:
    """``c(d) = gamma_(d + 8)`` of the bounds above; less for inner products in several parts.

    Examples
    --------
    >>> rounding_factor(100) / 2.0**-53, rounding_factor(100, parts=10) / 2.0**-53
    (108.0, 27.0)
    """
    k = math.ceil(dim / parts) + parts - 1 + 8
    return k * _UNIT_ROUNDOFF / (1 - k * _UNIT_ROUNDOFF)


def distance_error(dim: int, x_norm: Any, y_norm: Any) -> Any:
    """Bound of the error of ``|x|^2 + |y|^2 - 2 x . y``, from the norms of the shifted points.

    Parameters
    ----------
    dim : int
    x_norm, y_norm : float or ndarray
        ``|x|`` and ``|y|``; they broadcast.
    """
    return rounding_factor(dim) * (x_norm + y_norm) ** 2


def height_error(dim: int, x_norm: Any, y_norm: Any, parts: int = 1) -> Any:
    """Bound of the error of ``h = |x|^2 - 2 x . y``; parameters as of :func:`distance_error`.

    With `parts`, for :func:`inner_products` in as many parts.
    """
    return rounding_factor(dim, parts) * x_norm * (x_norm + 2 * y_norm)


def inner_products(x: Array, y: Array, parts: int = 1) -> Array:
    """``x @ y.T``, the sum of the products of `parts` groups of coordinates; shape (n, m).

    Parameters
    ----------
    x, y : ndarray of shape (n, dim) and (m, dim)
    parts : int
        At most `dim`.
    """
    edges = [part * x.shape[1] // parts for part in range(parts + 1)]
    total = x[:, : edges[1]] @ y[:, : edges[1]].T
    product = np.empty_like(total) if parts > 1 else total
    for first, last in pairwise(edges[1:]):
        np.matmul(x[:, first:last], y[:, first:last].T, out=product)
        total += product
    return total


def pairwise_sum(terms: Array) -> Array:
    """Sum of each row of `terms`, shape (n, d): as a binary tree, to ``gamma_k`` of ``sum |.|``.

    ``k = ceil(log2(d))`` additions for each term, instead of up to ``d - 1``.

    Examples
    --------
    >>> pairwise_sum(np.array([[1.0, 1e-16, 1e-16, 1e-16]])) - 1  # of a running sum: 0
    array([2.220446e-16])
    """
    while terms.shape[1] > 1:
        pairs = terms.shape[1] // 2
        joined = terms[:, pairs:].copy()
        np.add(joined[:, :pairs], terms[:, :pairs], out=joined[:, :pairs])
        terms = joined
    return terms[:, 0]
