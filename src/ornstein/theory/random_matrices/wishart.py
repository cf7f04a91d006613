r"""How far a Gaussian generator with the empirical covariance is from its population.

Population ``N(m, Sigma)`` in d dimensions, m known; the generator is ``N(m, C)`` with
``C = (1/n) sum_i (x_i - m)(x_i - m)^T`` over n training points. This is the law that a diffusion
model reaches with enough steps, time and capacity for two moments. ``Sigma^{-1/2} C Sigma^{-1/2}``
is ``1/n`` times a Wishart matrix, whatever Sigma, so that both divergences depend on (d, n) only.
With ``E tr C^{-1} Sigma = d n / (n - d - 1)`` and, from Bartlett's independent chi squares,

    e = -E ln det(C Sigma^{-1}) = sum_{i=0}^{d-1} [ ln(n/2) - psi((n - i)/2) ],

    E KL(generated || population) = e / 2,                                  n >= d,
    E KL(population || generated) = [ d (d+1)/(n-d-1) - e ] / 2,            n > d + 1,

and infinite for fewer points. For ``d / n -> 0`` both tend to ``d (d+1) / (4 n)``.

**Closed form of e.** ``x psi(x) - x`` is a discrete primitive of psi, so the terms of even i and
those of odd i telescope. Written with two functions that vanish where e does,

    k(x) = x ln x - x + 1,       eps(x) = x ln x - x psi(x) - 1/2 ~ 1/(12 x),       h = n/2,

    e = sum over parities of  h [k(a/h) - k(c/h)] - [eps(a) - eps(c)],

with c the largest argument of psi in the class and a one less than the smallest: no sum over d
and, whatever the size of d and n, no cancellation.

**Log-determinants.** ``ln det W`` has the mean ``d ln n - e`` and the variance
``sum_i psi'((n - i)/2)``. ``(x - 1) psi'(x) + psi(x)`` is a discrete primitive of psi'; less
``ln x + 1`` it is ``-1/x + O(1/x^2)``, and the differences of ``ln x`` are taken first.

References
----------
Merger, Goldt, "Generalization dynamics of linear diffusion models", arXiv 2505.24769 (the limit).
Muirhead, "Aspects of multivariate statistical theory", 1982, section 3.2 (Wishart moments).
"""

from __future__ import annotations

__all__ = [
    "WishartKL",
    "wishart_kl",
    "WishartLogDet",
    "wishart_log_det",
    "entropy_gap",
    "log_det_deficit",
    "log_det_variance",
]

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import digamma, polygamma, xlogy

from ornstein.validation import as_counts, float_or_array

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike, NDArray

# Stirling's series of eps, in powers 1, 3, 5, ... of 1/x: exact in float64 from x = 16 on.
_STIRLING = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)
# (2k - 1) of its terms, for what psi' adds: in powers 2, 4, 6, ... of 1/x.
_STIRLING_SLOPE = tuple((2 * k + 1) * value for k, value in enumerate(_STIRLING))


class WishartKL(NamedTuple):
    """What `wishart_kl` returns: expectations over training sets, total, in nats."""

    generated_population: float | NDArray[np.float64]
    """``E KL(generated || population)``, ``inf`` for ``n_train < dim``."""
    population_generated: float | NDArray[np.float64]
    """``E KL(population || generated)``, ``inf`` for ``n_train <= dim + 1``."""


def wishart_kl(dim: ArrayLike, n_train: ArrayLike) -> WishartKL:
    """Expected divergences of ``N(m, C)`` and ``N(m, Sigma)``, C an empirical covariance.

    Exact at every dim and n_train, for every Sigma. Parameters broadcast like NumPy arrays.

    Parameters
    ----------
    dim : array-like of int
        Dimension d >= 1.
    n_train : array-like of int
        Number of training points n >= 1. With a fitted mean and ``1/(n-1)`` in the covariance,
        give ``n - 1``: what the mean adds is not counted.

    Returns
    -------
    WishartKL
        ``(generated_population, population_generated)``, floats if both parameters are numbers.

    Raises
    ------
    TypeError
        If a parameter is no whole number.
    ValueError
        If a parameter is below 1.

    References
    ----------
    Merger, Goldt, arXiv 2505.24769.

    Examples
    --------
    >>> wishart_kl(100, 1000)
    WishartKL(generated_population=2.614103, population_generated=3.003249)
    >>> wishart_kl(100, [99, 100, 101, 102]).population_generated.round()
    array([  inf,   inf,   inf, 5003.])
    """
    d, n = np.broadcast_arrays(as_counts(dim, "dim"), as_counts(n_train, "n_train"))
    # Where there is no expectation any valid n keeps the formula quiet: it is replaced below.
    points = np.maximum(n, d + 2)
    deficit = log_det_deficit(d, np.where(n < d, points, n))
    forward = np.where(n < d, np.inf, 0.5 * deficit)
    gap = d * (d + 1.0) / (points - d - 1.0) - deficit
    backward = np.where(n <= d + 1, np.inf, 0.5 * gap)
    if forward.ndim == 0:
        return WishartKL(float(forward), float(backward))
    return WishartKL(forward, backward)


class WishartLogDet(NamedTuple):
    """Mean and variance of ``ln det W``."""

    mean: Any
    """Nats."""
    variance: Any
    """Squared nats."""


def wishart_log_det(dim: ArrayLike, dof: ArrayLike) -> WishartLogDet:
    """Exact mean and variance of ``ln det W``, ``W`` a Wishart matrix of unit scale.

    Sums of ``psi(j/2) + ln 2`` and of ``psi'(j/2)`` over ``j = dof-dim+1 .. dof``, in closed form:
    the cost does not grow with the dimension.

    Parameters
    ----------
    dim, dof : array-like of int
        Dimension and degrees of freedom, ``1 <= dim <= dof``. They broadcast.

    Returns
    -------
    WishartLogDet
        Fields `mean` (nats) and `variance`, of the broadcast shape, to rounding.

    Raises
    ------
    TypeError
        If a parameter is no whole number.
    ValueError
        If dim < 1, or dim > dof: the determinant is 0 then.

    Examples
    --------
    >>> wishart_log_det(2, 5)
    WishartLogDet(mean=2.512235, variance=1.135292)
    """
    d, n = np.broadcast_arrays(as_counts(dim, "dim"), as_counts(dof, "dof"))
    if (d > n).any():
        first = np.argmax(np.ravel(d > n))
        raise ValueError(
            f"dim is {d.flat[first]:g} and dof {n.flat[first]:g}, expected dim <= dof: with fewer "
            "degrees of freedom the determinant is 0"
        )
    mean = d * np.log(n) - log_det_deficit(d, n)
    return WishartLogDet(float_or_array(mean), float_or_array(log_det_variance(d, n)))


def log_det_deficit(d: NDArray[np.float64], n: NDArray[np.float64]) -> NDArray[np.float64]:
    """``-E ln det(W / n)`` of a Wishart matrix W with n >= d degrees of freedom."""
    h = 0.5 * n
    even, odd = np.ceil(0.5 * d), np.floor(0.5 * d)
    total = np.zeros_like(h)
    for top, count in ((h, even), (h - 0.5, odd)):
        bottom = top - count
        curvature = h * (entropy_gap((h - bottom) / h) - entropy_gap((h - top) / h))
        total += np.where(count > 0, curvature - (_stirling(bottom) - _stirling(top)), 0.0)
    return total


def log_det_variance(d: NDArray[np.float64], n: NDArray[np.float64]) -> NDArray[np.float64]:
    """``Var ln det W`` of a Wishart matrix W with n >= d degrees of freedom."""
    even, odd = np.ceil(0.5 * d), np.floor(0.5 * d)
    total = np.zeros_like(0.5 * n)
    for top, count in ((0.5 * n, even), (0.5 * n - 0.5, odd)):
        # psi' at bottom, bottom + 1, .., top.
        bottom = np.maximum(top - count, -0.5) + 1.0
        step = np.log1p(count / bottom) + _slope_rest(bottom + count) - _slope_rest(bottom)
        total += np.where(count > 0, step, 0.0)
    return total


def _slope_rest(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(x - 1) psi'(x) + psi(x) - ln x - 1``, for x = 1/2, 1, 3/2, ..."""
    inverse = 1.0 / np.maximum(x, 16.0)
    series = inverse**2 * np.polynomial.polynomial.polyval(inverse**2, _STIRLING_SLOPE)
    small = np.minimum(x, 16.0)
    near = small * polygamma(1, small) + digamma(small) - np.log(small) - 1.0
    return np.where(x < 16.0, near, series) - polygamma(1, x)


def entropy_gap(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """``k(1 - u) = (1 - u) ln|1 - u| + u``, quadratic at ``u = 0``.

    The modulus matters for one argument, -1/2 at n = d; it cancels against `_stirling`.
    """
    order = np.arange(2, 19)
    series = np.polynomial.polynomial.polyval(
        np.minimum(u, 0.1), np.concatenate([[0.0, 0.0], 1.0 / (order * (order - 1.0))])
    )
    return np.where(u < 0.1, series, xlogy(1.0 - u, np.abs(1.0 - u)) + u)


def _stirling(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """``eps(x) = x ln|x| - x psi(x) - 1/2``, for x = -1/2, 0, 1/2, 1, ..."""
    inverse = 1.0 / np.maximum(x, 16.0)
    series = inverse * np.polynomial.polynomial.polyval(inverse**2, _STIRLING)
    small = np.minimum(x, 16.0)
    # x psi(x) = x psi(x + 1) - 1, which has no pole at 0.
    return np.where(
        x < 16.0, xlogy(small, np.abs(small)) - small * digamma(small + 1.0) + 0.5, series
    )
