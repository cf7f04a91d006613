r"""Which of two points is nearer, and by how much: differences of squared distances.

The difference of two squared distances from ``y`` is a product of differences of coordinates,

    |y - p|^2 - |y - r|^2 = (r - p) . (2 y - p - r),

so its rounding error scales with ``|r - p| (|y - p| + |y - r|)``: not with distances from the
origin, and for near points not with squared distances. Three differences, a sum and a product
round each term, by at most ``gamma_4``, and its sum over coordinates, as a binary tree, by
``gamma_k``, ``k = ceil(log2 d)`` (:mod:`ornstein.kernels.rounding`). Where even that is not
enough (``y`` far away, or halfway between, compared with a tiny noise), the sum is taken in doubled
precision: each difference and each product of two float64 numbers is a sum of two float64 numbers
without error, and :func:`math.fsum` adds them all with one rounding.

References
----------
Dekker, "A floating-point technique for extending the available precision", 1971; Ogita, Rump,
Oishi, "Accurate sum and dot product", 2005.
"""

from __future__ import annotations

__all__ = ["distance_gaps"]

import math
from typing import TYPE_CHECKING

import numpy as np

from ornstein.kernels.rounding import pairwise_sum, rounding_factor

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_SPLITTER = 2.0**27 + 1


def distance_gaps(y: Array, p: Array, r: Array, tolerance: Array, factor: float = 1.0) -> Array:
    """``factor^2 (|y - p|^2 - |y - r|^2)``, row by row.

    Parameters
    ----------
    y, p, r : ndarray of shape (n_rows, dim)
        Coordinates below 1e150 in size.
    tolerance : ndarray of shape (n_rows,)
        Error, in the unit of the result, up to which plain float64 arithmetic will do.
    factor : float
        A power of two, so that squares of very small coordinates do not underflow.

    Returns
    -------
    ndarray of shape (n_rows,)

    Examples
    --------
    >>> y, p, r = np.array([[1e9]]), np.array([[-1e-9]]), np.array([[1e-9]])
    >>> distance_gaps(y, p, r, np.zeros(1))
    array([4.])
    """
    a = (r - p) * factor
    from_p, from_r = (y - p) * factor, (y - r) * factor
    gaps = pairwise_sum(a * (from_p + from_r))
    levels = math.ceil(math.log2(y.shape[1]))
    error = rounding_factor(levels) * _norms(a) * (_norms(from_p) + _norms(from_r))
    for row in np.flatnonzero(error > tolerance):
        gaps[row] = _doubled(y[row], p[row], r[row], factor)
    return gaps


def _norms(rows: Array) -> Array:
    return np.sqrt(np.einsum("ij,ij->i", rows, rows))


def _doubled(y: Array, p: Array, r: Array, factor: float) -> float:
    """The same of one row, in about twice the precision of float64."""
    a, a_rest = _two_sum(r, -p)
    b, first = _two_sum(2 * y, -p)
    b, second = _two_sum(b, -r)
    # Powers of two scale without rounding, after the differences and before the products.
    a, a_rest, b, b_rest = (factor * part for part in (a, a_rest, b, first + second))
    product, rest = _two_product(a, b)
    return math.fsum(np.concatenate([product, rest, a * b_rest, a_rest * b]).tolist())


def _two_sum(x: Array, y: Array) -> tuple[Array, Array]:
    """``x + y`` as its rounded value and what rounding took."""
    total = x + y
    shadow = total - x
    return total, (x - (total - shadow)) + (y - shadow)


def _two_product(x: Array, y: Array) -> tuple[Array, Array]:
    """``x y`` as its rounded value and what rounding took."""
    product = x * y
    x_high, x_low = _halves(x)
    y_high, y_low = _halves(y)
    return product, x_low * y_low - (
        ((product - x_high * y_high) - x_low * y_high) - x_high * y_low
    )


def _halves(x: Array) -> tuple[Array, Array]:
    """``x`` as a sum of two numbers of 26 bits, whose products are exact."""
    shifted = _SPLITTER * x
    high = shifted - (shifted - x)
    return high, x - high
