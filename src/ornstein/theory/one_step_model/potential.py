r"""The logarithmic potential of the one-step spectrum, its O(1) terms included.

Let ``s_k``, ``k = 1 .. q``, ``q = min(d, nu)``, ``nu = n_train - 1``, be the non-zero singular
values of ``Sigma_G^{1/2} / sigma``, and ``a = 1 - rho2``. The potential and what follows from it:

    L(t) = sum_k ln(t + s_k^2),    t > 0,
    E sum_k s_k = q + (1/pi) int_0^inf [ E L(y^2) - q ln(1 + y^2) ] dy,
    E affinity = E exp{ [d ln 2 + L(0)/2 - d ln b - L(t)] / 2 },   b = 1 + (1 - rho2)/(2n),
                                                                   t = (1 + 1/(2n)) / b  (n > d).

``b`` and ``t`` average ``exp(-dmu^T (Sigma_G + sigma^2)^{-1} dmu / 4)`` over the mean, which is
``N(0, (sigma^2 + (1 - rho2) Sigma_G) / n)`` given ``Sigma_G``.

**Leading order.** ``Sigma_G / sigma^2 = A A^T`` with ``A W^{1/2} = rho [W^{1/2}; 0] + sqrt(a) G``,
``W`` Wishart_q(N), ``N = max(d, nu)``, ``G`` standard normal, ``g = q/N`` and ``e = (d - q)/q``
rows of zeros per row. Given ``W``, with ``X = L'(t) / q`` the transform of the spectrum,

    p = 1 + a g X / (1 - g y),    kappa = p t + rho2,    y = X kappa / p,
    L = q [ ln(kappa/y) + e ln p + ((1-g) ln(1-g) - (1-g) ln(1 - g y)) / g ],

``X = w / (sigma (w^2 + rho2))``, ``sigma = sqrt t``, and ``w > sigma`` the root of the cubic ``(w -
sigma)(w^2 - g sigma w + (1-g) rho2) = a g w`` for ``nu >= d`` (that of
:mod:`~ornstein.theory.one_step_model.singular_values`, on the imaginary axis); for ``nu < d`` the
root of a quadratic.

**Next order.** Let ``S(t, t')`` be the stability factor of ``G``. Then, for real matrices,

    Cov[L(t), L(t')] = -2 ln[ S (1 - g y y') (1 - g) / ((1 - g y)(1 - g y')) ],
    E L(t) = leading + 1/2 ln[ S(t, t) (1 - (1-G) y^2) / G ],

``G`` the finite-size value of ``1 - g`` that makes ``E ln det W`` exact. ``L(0) = ln det`` has the
mean of :mod:`~ornstein.theory.one_step_model.log_determinant`, and the variance of the formula
above, ``S`` being cut off at 0 by single singular values: with ``y = min(rho2/g, 1)``

    Var L(0) = -4 c - 2 ln[ (1 - g y^2)(1 - g) / (1 - g y)^2 ] + K,

``-4 c`` alone above the threshold (K = 0, y = 1); below it K is that of a square real Gaussian
matrix, ``Var - (2 ln d - 4 C) ~ 5.1``. There the smallest singular values make ``ln det`` skew too,
and ``E e^{L(0)/4}`` is less than that of a Gaussian law by the factor ``e^k`` of the same matrix,
``det G G^T`` being a product of independent chi-squares of 1 to d degrees of freedom,

    k = sum_{j >= 1} { ln E chi^{1/2} - E ln chi^{1/2} - (1/2) Var ln chi^{1/2} } = -0.0435,
        E chi^{1/2} = 2^{1/4} Gamma(j/2 + 1/4) / Gamma(j/2).

Between the two, K and k fade like ``1 / (1 + e^{delta - 1/2})``, read off simulations (d = 12 and
30): no derivation.

**Few noisy directions.** For n near d the noise enters through the few small eigenvalues of W, and
the Gaussian law of the logarithms fails: what is above is far too large a variance for little noise
then. With x what the covariance costs on average, ``x = -E ln affinity`` less the part of the mean,
the second cumulant is at most ``k x``, ``k = 0.15 + 0.25/sqrt(d)`` (``0.22 + 0.2/sqrt(d)`` for ``nu
= d + 1``), and for ``nu = d`` it is ``0.7 (1 - 0.3/sqrt(d)) x / (1 + x/2)``. These were read off
simulations too (d = 1 to 30, nu - d = 0 to 4d).

References
----------
This project. The stability factor: Cipolloni, Erdos, Schroder, arXiv 2002.02438; that of a Wishart
matrix: Bai, Silverstein, "CLT for linear spectral statistics", 2004.
"""

from __future__ import annotations

__all__ = [
    "one_step_log_potential",
    "one_step_potential_covariance",
    "one_step_nuclear_norm",
    "one_step_log_affinity",
]

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.special import expit, xlogy

from ornstein.theory.one_step_model.log_determinant import (
    GINIBRE_CONSTANT,
    as_signal_fraction,
    mean_log_det,
    threshold_correction,
    threshold_distance,
)
from ornstein.theory.random_matrices.wishart import entropy_gap, log_det_deficit, log_det_variance
from ornstein.validation import as_between, as_counts, float_or_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_SMALLEST, _LARGEST = 1e-100, 1e100  # beyond, squares leave the range of float64
_ROUNDING = 1e-17
_TINY = 1e-9  # stands for t = 0+, where the formulas are 0/0
_SKEWNESS = -0.04351681685  # k of the module, summed to infinity


class OneStepSetting(NamedTuple):
    """Sizes and fractions of the problem; symmetric in d and nu but for the rows of zeros, e."""

    q: Array
    N: Array
    g: Array
    e: Array
    rho2: Array
    a: Array


class _State(NamedTuple):
    """Deterministic equivalent at one t; ``b = kappa z / p``."""

    t: Array
    p: Array
    kappa: Array
    y: Array
    b: Array


def one_step_log_potential(
    t: ArrayLike, dim: ArrayLike, n_train: ArrayLike, signal_fraction: ArrayLike
) -> Any:
    """Mean over training sets of ``L(t) = sum_k ln(t + s_k^2)``, over non-zero ``s_k``.

    Parameters
    ----------
    t : array-like
        Between 1e-100 and 1e100, in units of the population variance.
    dim, n_train : array-like of whole numbers
        ``d >= 1`` and ``n >= 2``. All parameters broadcast.
    signal_fraction : array-like
        ``rho2``, in (0, 1].

    Returns
    -------
    float or ndarray
        In total nats. The error is ``O(1/d)`` for t of order 1; 0.1 to 0.2 at d = 1 and 2.

    Raises
    ------
    TypeError
        If dim or n_train is no whole number, or a value no real number.
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> one_step_log_potential(1.0, 100, [50, 400], 0.504621)
    array([38.764..., 47.822...])
    """
    setting = _checked(dim, n_train, signal_fraction)
    return float_or_array(_mean_potential(as_between(t, "t", _SMALLEST, _LARGEST), setting))


def one_step_potential_covariance(
    t: ArrayLike, other: ArrayLike, dim: ArrayLike, n_train: ArrayLike, signal_fraction: ArrayLike
) -> Any:
    """Covariance over training sets of ``L(t)`` and ``L(other)``, to leading order.

    At the population's input variance ``v``: that of the training points, which the model takes,
    fluctuates by ``sqrt(2/(n d))`` and adds a term of order d/n.

    Parameters
    ----------
    t, other, dim, n_train, signal_fraction : array-like
        As for `one_step_log_potential`, which raises the same errors.

    Returns
    -------
    float or ndarray
        In squared nats; of order 1 whatever the dimension.

    Examples
    --------
    >>> one_step_potential_covariance(1.0, 1.0, 100, 400, 0.504621)
    0.125259
    """
    setting = _checked(dim, n_train, signal_fraction)
    one, two = (
        _state(as_between(value, name, _SMALLEST, _LARGEST), setting)
        for value, name in ((t, "t"), (other, "other"))
    )
    return float_or_array(_covariance(one, two, setting))


def one_step_nuclear_norm(dim: ArrayLike, n_train: ArrayLike, signal_fraction: ArrayLike) -> Any:
    """Mean over training sets of ``sum_k s_k = tr Sigma_G^{1/2} / sigma``.

    Parameters
    ----------
    dim, n_train, signal_fraction : array-like
        As for `one_step_log_potential`, which raises the same errors.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> one_step_nuclear_norm(100, [50, 400], 0.504621)
    array([54.4..., 76.7...])
    """
    return float_or_array(mean_nuclear_norm(_checked(dim, n_train, signal_fraction)))


def mean_nuclear_norm(setting: OneStepSetting) -> Array:
    """`one_step_nuclear_norm` of a setting."""
    wide = OneStepSetting(*(value[..., None] for value in setting))
    # y = tan(phi / 2) maps the half line to (0, pi) and its two ends alike.
    phi = np.pi * (_NODES + 1) / 2
    y = np.tan(phi / 2)
    excess = _mean_potential(y**2, wide) - wide.q * np.log1p(y**2)
    return setting.q + (excess * (1 + y**2)) @ _WEIGHTS / 4


def one_step_log_affinity(dim: ArrayLike, n_train: ArrayLike, signal_fraction: ArrayLike) -> Any:
    """Logarithm of ``E int sqrt(p q)``, the generated law against its population.

    Parameters
    ----------
    dim, n_train, signal_fraction : array-like
        As for `one_step_log_potential`, which raises the same errors.

    Returns
    -------
    float or ndarray
        In nats, at most 0; ``-inf`` for ``n_train - 1 < dim`` (a singular law).

    Notes
    -----
    The affinity is off by 0.015 and less from d = 5 on (simulated for n from d + 1 to 5d and noise
    from none to 30/d of the signal), by 0.05 at d = 1 and 0.03 at d = 2.

    Examples
    --------
    >>> one_step_log_affinity(100, [50, 400], 0.504621)
    array([      -inf, -6.5...])
    """
    d, n, rho2 = _as_sizes(dim, n_train, signal_fraction)
    return float_or_array(mean_log_affinity(d, n, rho2, 1.0 - rho2))


def mean_log_affinity(d: Array, n: Array, signal: Array, noise: Array) -> Array:
    """`one_step_log_affinity` of arrays of one shape, ``noise = 1 - signal``."""
    return np.where(n - 1 < d, -np.inf, affinity_cumulants(d, n, signal, noise)[0])


def affinity_cumulants(
    d: Array, n: Array, signal: Array, noise: Array
) -> tuple[Array, Array, Array]:
    """Logarithm of the affinity, the second cumulant in it, and that for many singular values."""
    points = np.maximum(n, d + 1)
    setting = one_step_setting(d, points, signal, noise)
    b = 1 + noise / (2 * points)
    t = (1 + 1 / (2 * points)) / b
    state, origin = _state(t, setting), _state(np.full_like(t, _TINY), setting)
    log_det = mean_log_det(d, points, signal, noise)
    # What the mean of the law costs, and what its covariance does.
    shift = 0.5 * d * (np.log(b) + np.log1p((t - 1) / 2))
    excess = 0.5 * (_mean_potential(t, setting) - d * np.log1p(t)) - 0.25 * log_det
    excess = np.maximum(excess, 0.0)
    spread = _log_det_variance(d, points, signal) / 16 + _covariance(state, state, setting) / 4
    spread = spread - _covariance(origin, state, setting) / 4
    spread = spread + 2 * _SKEWNESS * _square_share(d, points, signal)
    found = _few_singular_values(excess, spread, d, points - 1 - d)
    return np.minimum(found / 2 - excess, 0.0) - shift, found, spread


def _few_singular_values(excess: Array, spread: Array, d: Array, more: Array) -> Array:
    """Second cumulant of the log-affinity, where few singular values make all of it."""
    root = np.sqrt(d)
    slope = np.where(more == 1, 0.22 + 0.2 / root, 0.15 + 0.25 / root)
    linear = slope * excess
    square = 0.7 * (1 - 0.3 / root) * excess / (1 + 0.5 * excess)
    # Both are bounds; near where they meet neither is reached.
    ratio = np.divide(linear, spread, out=np.full(d.shape, 1e9), where=spread > 1e-9 * linear)
    both = linear * (1 + np.minimum(ratio, 1e9) ** 6) ** (-1 / 6)
    return np.where(more == 0, square, np.where(d <= 2, linear, both))


def _log_det_variance(d: Array, n: Array, rho2: Array) -> Array:
    """Variance of ``ln det Sigma_G``; see the module for what is derived and what is not."""
    correction = np.asarray(threshold_correction(d, n, rho2))
    square = log_det_variance(d, d) - 2 * np.log(d) + 4 * GINIBRE_CONSTANT
    setting = one_step_setting(d, n, rho2, 1 - rho2)
    gap = np.where(setting.g < 1, 1 - setting.g, _gap(setting))
    # (1 - g y^2)(1 - g)/(1 - g y)^2 at y = rho2/g, a positive fraction of 1; at y = 1 it is 1.
    g = 1 - gap
    inside = (g - rho2**2) * gap / (g * np.where(rho2 < 1, setting.a, 1.0) ** 2)
    inside = np.where(g > rho2, np.maximum(inside, 1e-300), 1.0)
    wishart = -2 * np.log(inside)
    return -4 * correction + wishart + square * _square_share(d, n, rho2)


def _square_share(d: Array, n: Array, rho2: Array) -> Array:
    """How far ``ln det`` behaves like that of a square matrix: 1 far below ``n*``, 0 above."""
    delta = np.clip(threshold_distance(d, n, rho2), -100.0, 100.0)
    return expit(0.5 - delta)


def _as_sizes(
    dim: ArrayLike, n_train: ArrayLike, signal_fraction: ArrayLike
) -> tuple[Array, Array, Array]:
    d, n = as_counts(dim, "dim"), as_counts(n_train, "n_train", at_least=2)
    d, n, rho2 = np.broadcast_arrays(d, n, as_signal_fraction(signal_fraction))
    return d, n, rho2


def _checked(dim: ArrayLike, n_train: ArrayLike, signal_fraction: ArrayLike) -> OneStepSetting:
    d, n, rho2 = _as_sizes(dim, n_train, signal_fraction)
    return one_step_setting(d, n, rho2, 1 - rho2)


def one_step_setting(d: Array, n: Array, signal: Array, noise: Array) -> OneStepSetting:
    q, large = np.minimum(d, n - 1), np.maximum(d, n - 1)
    return OneStepSetting(q, large, q / large, (d - q) / q, signal, noise)


def _mean_potential(t: Array, s: OneStepSetting) -> Array:
    state = _state(t, s)
    leading = np.log(state.kappa / state.y) + s.e * np.log(state.p)
    rest = _rest(s.g, state.y)
    leading = leading + (xlogy(1 - s.g, 1 - s.g) - xlogy(1 - s.g, rest)) / s.g
    gap = _gap(s)
    next_order = np.log(_stability(state, state, s, 1 - gap))
    next_order = next_order + np.log(_rest(1 - gap, state.y**2)) - np.log(gap)
    # Without noise the singular values are 1.
    return s.q * np.where(s.a > 0, leading, np.log1p(t)) + np.where(s.a > 0, next_order / 2, 0.0)


def _covariance(one: _State, two: _State, s: OneStepSetting) -> Array:
    # Differences of covariances decide the affinity: the g of the state, but for nu = d.
    g = np.where(s.g < 1, s.g, 1 - _gap(s))
    wishart = _rest(g, one.y * two.y) / _rest(g, one.y) * (_rest(g, 1.0) / _rest(g, two.y))
    return np.where(s.a > 0, -2 * np.log(_stability(one, two, s, g) * wishart), 0.0)


def _rest(g: Array, y: Array | float) -> Array:
    """``1 - g y``, at least the rounding error of y."""
    return np.maximum((1 - g) + g * (1 - y), _ROUNDING)


def _gap(s: OneStepSetting) -> Array:
    """``G``: what ``1 - g`` has to be for ``E ln det W`` to be exact; it never vanishes."""
    leading = s.q * entropy_gap(s.g) / s.g
    return np.clip(np.exp(2 * (leading - log_det_deficit(s.q, s.N))), 1e-300, 1.0)


def _state(t: Array, s: OneStepSetting) -> _State:
    X = np.where(s.e > 0, _transform_wide(t, s.g, s.rho2), _transform_square(t, s.g, s.rho2))
    # p solves a quadratic; r = 1/p is its root that stays finite.
    A, B, C = 1 - s.g * X * t, s.g * X * s.rho2, s.a * s.g * X
    total = A + B + C
    r = 2 * A / (total + np.sqrt(np.maximum(total**2 - 4 * A * B, 0.0)))
    kappa = t / r + s.rho2
    y = X * (t + s.rho2 * r)
    z = s.g * s.a / kappa * (1 + s.e - s.rho2 * y / kappa)
    return _State(t, 1 / r, kappa, y, kappa * z * r)


def _transform_square(t: Array, g: Array, rho2: Array) -> Array:
    """``X(t)`` for ``nu >= d``, by the cubic."""
    a, sigma = 1 - rho2, np.sqrt(t)
    root = sigma + np.sqrt(a * g)
    # The cubic is convex right of its root, and positive here: Newton falls onto it.
    for _ in range(60):
        quadratic = root**2 - g * sigma * root + (1 - g) * rho2
        value = (root - sigma) * quadratic - a * g * root
        slope = quadratic + (root - sigma) * (2 * root - g * sigma) - a * g
        step = np.divide(value, slope, out=np.zeros(np.shape(value)), where=slope > 0)
        root = root - step
        if np.all(np.abs(step) <= 1e-14 * root):
            break
    return root / (sigma * (root**2 + rho2))


def _transform_wide(t: Array, c: Array, rho2: Array) -> Array:
    """``X(t)`` for ``nu < d``, by the quadratic; symmetric under ``t -> 1/t``."""
    missing, noise = 1 - c, 4 * (1 - rho2) * c * (2 - c)
    outer, apart = (1 + t) / np.sqrt(t), np.abs(1 - t) / np.sqrt(t)
    inner = np.sqrt((missing * outer) ** 2 + noise)
    # t X(t) + X(1/t) / t = 1: the smaller of the two is a sum, the larger what it leaves.
    spread = np.maximum(inner + missing * apart, 1e-300)
    small = 2 / (outer + apart) + (2 * missing**2 + noise / 2) / spread
    small = small / (outer + inner)
    return np.where(t < 1, small, 1 - small) / t


def _stability(one: _State, two: _State, s: OneStepSetting, g: Array) -> Array:
    """``S = (1 - P)^2 - Q1 Q2``, averages over the Marchenko-Pastur law in closed form."""
    J = one.y * two.y / _rest(g, one.y * two.y)
    both = one.kappa * two.kappa
    P = s.a * s.rho2 * s.g / both * J
    E0 = J / _rest(g, one.y) / _rest(g, two.y)
    Q2 = s.a * one.p * two.p * s.g**2 / both * E0
    Q1 = one.t * two.t * J * (1 + g - g * (one.y + two.y))
    Q1 = Q1 + (one.t * two.b + two.t * one.b) * J + one.b * two.b * E0
    Q1 = s.a * (Q1 / both + s.e / (one.p * two.p))
    # It vanishes with t below the threshold, where rounding may carry it past 0.
    return np.maximum((1 - P) ** 2 - Q1 * Q2, _TINY)
