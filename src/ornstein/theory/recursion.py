r"""Training on one's own samples: how far a model drifts, generation after generation.

**Gaussian generator.** Generation k + 1 is the Gaussian with the mean and the covariance of n
points of generation k, generation 0 the population. In coordinates where generation k is standard
its step is that of the first, so the log-determinants add; the covariance with ``1/(n-1)`` (with
``1/n`` for a known mean) has no bias, so its trace against the population stays d. Of divergences

    E KL(generation k || population) = k E KL(generation 1 || population),

    E KL_1 = 1/2 sum_{i<d} [ ln(nu/2) - psi((nu - i)/2) ]  +  d/(2n) if the mean is fitted,

nu = n for a known mean, n - 1 for a fitted one (:mod:`ornstein.theory.random_matrices.wishart`).
Exact, for every population, and unbounded in k: the spectrum collapses while the trace stays.

**Fresh points.** Of the n points, a share a are fresh ones of the population N(0, I), the rest are
of the last generation N(0, S); the mean is known. From Wishart matrices W of m = a n and l = n - m
degrees of freedom, ``n S' = W_m(I) + W_l(S)``, E S = I, and for the second moments
``A = E tr S^2``, ``B = E (tr S)^2``

    n^2 A' = l (l+1) A + l B + 2 m l d + m (m+1) d + m d^2,
    n^2 B' = 2 l A + l^2 B + 2 m l d^2 + 2 m d + m^2 d^2,

linear with eigenvalues ``l (l + 2)/n^2`` and ``l (l - 1)/n^2``: there is a limit as soon as one
point is fresh.

**Perfect score, stopped early.** A model that knows the score of its training law, run back to OU
time delta only, generates that law noised to delta. With a share a of fresh data at each generation
the training law is ``sum_{j<k} a (1-a)^j OU_{j delta}(p) + (1-a)^k OU_{k delta}(p)``, and a second
moment lambda of p becomes

    lambda_k - 1 = (lambda - 1) [ a (1 - r^k)/(1 - r) + r^k ],        r = (1 - a) e^{-2 delta},

which tends to ``a/(1 - r)``: no collapse, but all that distinguishes the data shrinks.

**One-step model**, its noise scaled with the variance of its data: the first generation multiplies
the trace by ``rho2 + (1 - rho2) d/(n-d-2)``, above 1 for ``n < 2d + 2`` and below 1 for more
points, whatever rho2. (Later generations have several eigenvalues.)

References
----------
arXiv 2606.13796; 2402.07712; 2410.04840 (models that train on their own samples). Muirhead,
"Aspects of multivariate statistical theory", 1982, section 3.2 (Wishart moments).
"""

from __future__ import annotations

__all__ = [
    "recursive_kl",
    "RecursiveVariance",
    "recursive_variance",
    "recursive_score_variance",
    "recursive_one_step_trace",
]

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.diffusion.one_step_noising import OneStepNoising
from ornstein.theory.random_matrices.wishart import wishart_kl
from ornstein.validation import (
    as_between,
    as_count,
    as_counts,
    as_number,
    as_positive_number,
    as_spectrum,
    float_or_array,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


def recursive_kl(
    dim: ArrayLike, n_train: ArrayLike, generations: ArrayLike, fitted_mean: bool = True
) -> float | Array:
    """Expected KL to the population after some generations of a Gaussian generator.

    Exact for every Gaussian population. Parameters broadcast like NumPy arrays.

    Parameters
    ----------
    dim : array-like of int
        Dimension d >= 1.
    n_train : array-like of int
        Number n of points of the last generation that the next is fitted on, >= 2 (>= 1 with a
        known mean).
    generations : array-like of int
        Which generation k >= 0; the population is 0.
    fitted_mean : bool, default=True
        Whether the mean is fitted too (and the covariance has ``1/(n-1)``), or known.

    Returns
    -------
    float or ndarray
        ``E KL(generation k || population)``, total, in nats; ``inf`` with fewer degrees of freedom
        than dimensions.

    Raises
    ------
    TypeError
        If a parameter is no whole number.
    ValueError
        If one is out of its range.

    Examples
    --------
    >>> recursive_kl(8, 40, [0, 1, 10])
    array([0.        , 0.59869818, 5.9869818 ])
    >>> recursive_kl(8, 40, 1, fitted_mean=False)
    0.485214
    """
    d, n = as_counts(dim, "dim"), as_counts(n_train, "n_train", at_least=1 + bool(fitted_mean))
    k = as_counts(generations, "generations", at_least=0)
    d, n, k = np.broadcast_arrays(d, n, k)
    nu = n - 1 if fitted_mean else n
    once = np.asarray(wishart_kl(d, nu).generated_population)
    if fitted_mean:
        once = once + d / (2 * n)
    # The population itself is at no distance, however few points follow.
    return float_or_array(np.multiply(k, once, out=np.zeros(k.shape), where=k > 0))


class RecursiveVariance(NamedTuple):
    """What `recursive_variance` returns: floats, or arrays of the shape of `generations`."""

    square: float | Array
    """``E tr S^2 / d``; 1 for the population."""
    trace_square: float | Array
    """``E (tr S)^2 / d^2``; 1 for the population."""


def recursive_variance(
    dim: int, n_train: int, generations: ArrayLike, fresh_fraction: float = 0.0
) -> RecursiveVariance:
    """Second moments of the covariance of a Gaussian generator, with fresh points mixed in.

    Parameters
    ----------
    dim : int
        Dimension d >= 1.
    n_train : int
        Number n >= 1 of points that each generation is fitted on; the mean is known.
    generations : array-like of int or inf
        Which generation k >= 0; ``inf`` is the limit.
    fresh_fraction : float
        Share a of the points that are fresh ones of the population, between 0 and 1. Exact where
        ``a n`` is a whole number.

    Returns
    -------
    RecursiveVariance
        In units of the population N(0, I).

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> recursive_variance(8, 40, [0, 1, float("inf")], fresh_fraction=0.25).square
    array([1.        , 1.225     , 1.54452055])
    >>> recursive_variance(8, 40, float("inf")).square
    inf
    """
    d, n = as_count(dim, "dim"), as_count(n_train, "n_train")
    m = _share(fresh_fraction) * n
    kept = n - m
    generation = _as_generations(generations)
    # (A, B) = (1, 1) alpha + (1, -2) beta: alpha grows by one factor, beta by the other.
    first = (m**2 - 2 * m * n + 2 * kept) / n**2
    second = (m**2 - 2 * m * n - kept) / n**2
    once, twice = _log1p(first), _log1p(second)
    # What fresh points add to A/d and to B/d, each generation.
    added = np.array([2 * m * kept + m * (m + 1) + m * d, 2 * m * kept * d + 2 * m + m**2 * d])
    added /= n**2
    sums = [_geometric(generation, rate, step) for rate, step in ((first, once), (second, twice))]
    # B starts with d times A: the first mode with 1 + (d - 1)/3, the second with -(d - 1)/3.
    share, later = (d - 1) / 3, generation > 0
    with np.errstate(over="ignore", invalid="ignore"):
        growth = np.where(later, np.exp(_times(generation, once)), 1.0)
        lost = np.expm1(_times(generation, twice - once)) if np.isfinite(twice) else -1.0 * later
        alpha = (2 * added[0] + added[1]) / 3 * sums[0]
        beta = (added[0] - added[1]) / 3 * sums[1]
        square = growth * (1 - share * lost) + alpha + beta
        trace = (growth * (1 + share * (3 + 2 * lost)) + alpha - 2 * beta) / d
    endless = np.isposinf(growth) | np.isposinf(alpha)
    return RecursiveVariance(
        *(float_or_array(np.where(endless, np.inf, moment)) for moment in (square, trace))
    )


def _log1p(rate: float) -> float:
    return float(np.log1p(rate)) if rate > -1 else -np.inf


def _times(generation: Array, step: float) -> Array:
    """Their product, 0 for no generation."""
    with np.errstate(over="ignore"):
        return np.multiply(generation, step, out=np.zeros(generation.shape), where=generation > 0)


def _geometric(generation: Array, rate: float, step: float) -> Array:
    """``sum_{i < k} (1 + rate)^i``, from the rate and the logarithm of its factor."""
    if rate == 0:
        return generation
    with np.errstate(over="ignore"):
        return np.expm1(_times(generation, step)) / rate


def _as_generations(generations: ArrayLike) -> Array:
    """Whole numbers >= 0, or infinity."""
    given = as_between(generations, "generations", 0.0, np.inf)
    as_counts(np.where(np.isposinf(given), 0.0, given), "generations", at_least=0)
    return given


def recursive_score_variance(
    eigenvalues: ArrayLike, time: float, generations: ArrayLike, fresh_fraction: float = 0.0
) -> Array:
    """Variances of the training law of a perfect score that is stopped early, by generation.

    Parameters
    ----------
    eigenvalues : array-like of shape (dim,)
        Second moments of the population along its axes (its variances, where the mean is 0), >= 0,
        in units where the noising ends in unit variance.
    time : float
        OU time delta >= 0 at which every backward process stops.
    generations : array-like of int or inf
        Which generation k >= 0; the population is 0, and ``inf`` the limit.
    fresh_fraction : float
        Share a of fresh data in each generation's training law, between 0 and 1.

    Returns
    -------
    ndarray of shape (..., dim)
        One row for each generation.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> recursive_score_variance([4.0, 0.25], 0.1, [0, 1, float("inf")], fresh_fraction=0.5)
    array([[4.        , 0.25      ],
           [3.72809613, 0.31797597],
           [3.53964116, 0.36508971]])
    """
    spectrum = as_spectrum(eigenvalues)
    a, delta = (
        _share(fresh_fraction),
        as_positive_number(time, "time", zero=True),
    )
    count = _as_generations(generations)
    # r = (1 - a) e^{-2 delta}, and 1 - r, which keeps its digits near 0.
    left = a - (1 - a) * float(np.expm1(-2 * delta))
    if left == 0:
        return np.ones((*count.shape, 1)) * spectrum
    fade = _log1p(-a) - 2 * delta
    remaining = np.exp(_times(count, fade))
    kept = a / left * -np.expm1(_times(count, fade)) + remaining
    return 1 + (spectrum - 1) * kept[..., None]


def recursive_one_step_trace(
    dim: ArrayLike,
    n_train: ArrayLike,
    time: float = 2.0,
    noise_scale: float = 1.0,
) -> float | Array:
    """Factor by which a first generation of one-step models multiplies the total variance.

    `dim` and `n_train` broadcast like NumPy arrays.

    Parameters
    ----------
    dim : array-like of int
        Dimension d >= 1.
    n_train : array-like of int
        Number n >= 2 of points that each model is fitted on.
    time, noise_scale : float
        Of the noising of data of unit variance; the noise scales with the variance of the data.

    Returns
    -------
    float or ndarray
        ``E tr Sigma_G / d``: above 1 for ``d + 2 < n < 2d + 2``, below 1 beyond; ``inf`` where
        ``|n - 1 - d| <= 1``.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> recursive_one_step_trace(16, [30, 34, 60])
    array([1.16512626, 1.        , 0.69333695])
    """
    d, n = np.broadcast_arrays(as_counts(dim, "dim"), as_counts(n_train, "n_train", at_least=2))
    rho2 = OneStepNoising(time, noise_scale).signal_fraction(1.0)
    nu = n - 1
    # Above d the noise is that of d inverse squares of nu - d - 1; below, of nu of d - nu - 1.
    numerator, spare = np.where(nu > d, d, nu), np.abs(nu - d) - 1
    noise = np.divide(numerator, spare, out=np.full(d.shape, np.inf), where=spare > 0)
    if rho2 == 1:
        noise = np.zeros(d.shape)
    return float_or_array(rho2 * np.minimum(nu / d, 1.0) + (1 - rho2) * noise)


def _share(fresh_fraction: float) -> float:
    share = as_number(fresh_fraction, "fresh_fraction")
    return float(as_between(share, "fresh_fraction", 0.0, 1.0))
