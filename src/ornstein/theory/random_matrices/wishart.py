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

References
----------
Merger, Goldt, "Generalization dynamics of linear diffusion models", arXiv 2505.24769 (the limit).
Muirhead, "Aspects of multivariate statistical theory", 1982, section 3.2 (Wishart moments).
"""

from __future__ import annotations

__all__ = ["WishartKL", "wishart_kl"]

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import digamma, xlogy

from ornstein.validation import as_counts

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# Stirling's series of eps, in powers 1, 3, 5, ... of 1/x: exact in float64 from x = 16 on.
_STIRLING = (1 / 12, -1 / 120, 1 / 252, -1 / 240, 1 / 132, -691 / 32760, 1 / 12)


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
    deficit = _log_det_deficit(d, np.where(n < d, points, n))
    forward = np.where(n < d, np.inf, 0.5 * deficit)
    gap = d * (d + 1.0) / (points - d - 1.0) - deficit
    backward = np.where(n <= d + 1, np.inf, 0.5 * gap)
    if forward.ndim == 0:
        return WishartKL(float(forward), float(backward))
    return WishartKL(forward, backward)


def _log_det_deficit(d: NDArray[np.float64], n: NDArray[np.float64]) -> NDArray[np.float64]:
    """``-E ln det(W / n)`` of a Wishart matrix W with n >= d degrees of freedom."""
    h = 0.5 * n
    even, odd = np.ceil(0.5 * d), np.floor(0.5 * d)
    total = np.zeros_like(h)
    for top, count in ((h, even), (h - 0.5, odd)):
        bottom = top - count
        curvature = h * (_entropy_gap((h - bottom) / h) - _entropy_gap((h - top) / h))
        total += np.where(count > 0, curvature - (_stirling(bottom) - _stirling(top)), 0.0)
    return total


def _entropy_gap(u: NDArray[np.float64]) -> NDArray[np.float64]:
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
