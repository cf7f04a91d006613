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
    one_step_log_det,
    threshold_correction,
    threshold_distance,
)
from ornstein.theory.random_matrices.wishart import entropy_gap, log_det_deficit, log_det_variance
from ornstein.validation import float_or_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)
_TINY = 1e-9  # stands for t = 0+, where the formulas are 0/0
_SKEWNESS = -0.04351681685  # k of the module, summed to infinity


class _Setting(NamedTuple):
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
        Positive, in units of the population variance.
    dim, n_train : array-like of whole numbers
        ``d >= 1`` and ``n >= 2``. All parameters broadcast.
    signal_fraction : array-like
        ``rho2``, in (0, 1].

    Returns
    -------
    float or ndarray
        In total nats. The error is ``O(1/d)`` for t of order 1.

    Examples
    --------
    >>> one_step_log_potential(1.0, 100, [50, 400], 0.504621)
    array([38.764..., 47.822...])
    """
    setting = _setting(dim, n_train, signal_fraction)
    return float_or_array(_mean_potential(np.asarray(t, dtype=np.float64), setting))


def one_step_potential_covariance(
    t: ArrayLike, other: ArrayLike, dim: ArrayLike, n_train: ArrayLike, signal_fraction: ArrayLike
) -> Any:
    """Covariance over training sets of ``L(t)`` and ``L(other)``, to leading order.

    At the population's input variance ``v``: that of the training points, which the model takes,
    fluctuates by ``sqrt(2/(n d))`` and adds a term of order d/n.

    Parameters
    ----------
    t, other, dim, n_train, signal_fraction : array-like
        As for `one_step_log_potential`.

    Returns
    -------
    float or ndarray
        In squared nats; of order 1 whatever the dimension.

    Examples
    --------
    >>> one_step_potential_covariance(1.0, 1.0, 100, 400, 0.504621)
    0.125259
    """
    setting = _setting(dim, n_train, signal_fraction)
    one, two = (_state(np.asarray(value, dtype=np.float64), setting) for value in (t, other))
    return float_or_array(_covariance(one, two, setting))


def one_step_nuclear_norm(dim: ArrayLike, n_train: ArrayLike, signal_fraction: ArrayLike) -> Any:
    """Mean over training sets of ``sum_k s_k = tr Sigma_G^{1/2} / sigma``.

    Parameters
    ----------
    dim, n_train, signal_fraction : array-like
        As for `one_step_log_potential`.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> one_step_nuclear_norm(100, [50, 400], 0.504621)
    array([54.4..., 76.7...])
    """
    setting = _setting(dim, n_train, signal_fraction)
    wide = _Setting(*(value[..., None] for value in setting))
    # y = tan(phi / 2) maps the half line to (0, pi) and its two ends alike.
    phi = np.pi * (_NODES + 1) / 2
    y = np.tan(phi / 2)
    excess = _mean_potential(y**2, wide) - wide.q * np.log1p(y**2)
    return float_or_array(setting.q + (excess * (1 + y**2)) @ _WEIGHTS / 4)


def one_step_log_affinity(dim: ArrayLike, n_train: ArrayLike, signal_fraction: ArrayLike) -> Any:
    """Logarithm of ``E int sqrt(p q)``, the generated law against its population.

    Parameters
    ----------
    dim, n_train, signal_fraction : array-like
        As for `one_step_log_potential`.

    Returns
    -------
    float or ndarray
        In nats, at most 0; ``-inf`` for ``n_train - 1 < dim`` (a singular law).

    Examples
    --------
    >>> one_step_log_affinity(100, [50, 400], 0.504621)
    array([      -inf, -6.5...])
    """
    d, n, rho2 = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (dim, n_train, signal_fraction))
    )
    points = np.maximum(n, d + 1)
    setting = _setting(d, points, rho2)
    b = 1 + (1 - rho2) / (2 * points)
    t = (1 + 1 / (2 * points)) / b
    state, origin = _state(t, setting), _state(np.full_like(t, _TINY), setting)
    mean = 0.5 * d * np.log(2 / b) + 0.25 * np.asarray(one_step_log_det(d, points, rho2))
    mean = mean - 0.5 * _mean_potential(t, setting)
    spread = _log_det_variance(d, points, rho2) / 16 + _covariance(state, state, setting) / 4
    spread = spread - _covariance(origin, state, setting) / 4
    mean = mean + _SKEWNESS * _square_share(d, points, rho2)
    # Far below the threshold the law of ln det has a heavy left tail, not this Gaussian's right.
    total = np.minimum(mean + np.minimum(spread / 2, np.maximum(-mean, 0.0)), 0.0)
    return float_or_array(np.where(n - 1 < d, -np.inf, total))


def _log_det_variance(d: Array, n: Array, rho2: Array) -> Array:
    """Variance of ``ln det Sigma_G``; see the module for what is derived and what is not."""
    correction = np.asarray(threshold_correction(d, n, rho2))
    square = log_det_variance(d, d) - 2 * np.log(d) + 4 * GINIBRE_CONSTANT
    setting = _setting(d, n, rho2)
    gap = np.where(setting.g < 1, 1 - setting.g, _gap(setting))
    # (1 - g y^2)(1 - g)/(1 - g y)^2 at y = rho2/g, a positive fraction of 1; at y = 1 it is 1.
    g = 1 - gap
    inside = (g - rho2**2) * gap / (g * np.where(rho2 < 1, setting.a, 1.0) ** 2)
    wishart = np.where(g > rho2, -2 * np.log(np.where(g > rho2, inside, 1.0)), 0.0)
    return -4 * correction + wishart + square * _square_share(d, n, rho2)


def _square_share(d: Array, n: Array, rho2: Array) -> Array:
    """How far ``ln det`` behaves like that of a square matrix: 1 far below ``n*``, 0 above."""
    delta = np.clip(threshold_distance(d, n, rho2), -100.0, 100.0)
    return expit(0.5 - delta)


def _setting(dim: ArrayLike, n_train: ArrayLike, signal_fraction: ArrayLike) -> _Setting:
    d, n, rho2 = np.broadcast_arrays(
        *(np.asarray(value, dtype=np.float64) for value in (dim, n_train, signal_fraction))
    )
    q, large = np.minimum(d, n - 1), np.maximum(d, n - 1)
    return _Setting(q, large, q / large, (d - q) / q, rho2, 1 - rho2)


def _mean_potential(t: Array, s: _Setting) -> Array:
    state = _state(t, s)
    leading = np.log(state.kappa / state.y) + s.e * np.log(state.p)
    leading = leading + (xlogy(1 - s.g, 1 - s.g) - xlogy(1 - s.g, 1 - s.g * state.y)) / s.g
    gap = _gap(s)
    next_order = np.log(_stability(state, state, s, 1 - gap))
    next_order = next_order + np.log1p(-(1 - gap) * state.y**2) - np.log(gap)
    return s.q * leading + next_order / 2


def _covariance(one: _State, two: _State, s: _Setting) -> Array:
    # Differences of covariances decide the affinity: the g of the state, but for nu = d.
    g = np.where(s.g < 1, s.g, 1 - _gap(s))
    wishart = (1 - g * one.y * two.y) * (1 - g) / ((1 - g * one.y) * (1 - g * two.y))
    return -2 * np.log(_stability(one, two, s, g) * wishart)


def _gap(s: _Setting) -> Array:
    """``G``: what ``1 - g`` has to be for ``E ln det W`` to be exact; it never vanishes."""
    leading = s.q * entropy_gap(s.g) / s.g
    return np.clip(np.exp(2 * (leading - log_det_deficit(s.q, s.N))), 1e-300, 1.0)


def _state(t: Array, s: _Setting) -> _State:
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
    total = t + 1 / t
    inner = total + 2 - c * (2 - c) * (total - 2 + 4 * rho2)
    tilt = (t - 1) / np.sqrt(t) * (1 - c / 2) / (np.sqrt(total + 2) + np.sqrt(inner))
    return (0.5 + tilt) / t


def _stability(one: _State, two: _State, s: _Setting, g: Array) -> Array:
    """``S = (1 - P)^2 - Q1 Q2``, averages over the Marchenko-Pastur law in closed form."""
    J = one.y * two.y / (1 - g * one.y * two.y)
    both = one.kappa * two.kappa
    P = s.a * s.rho2 * s.g / both * J
    E0 = J / ((1 - g * one.y) * (1 - g * two.y))
    Q2 = s.a * one.p * two.p * s.g**2 / both * E0
    Q1 = one.t * two.t * J * (1 + g - g * (one.y + two.y))
    Q1 = Q1 + (one.t * two.b + two.t * one.b) * J + one.b * two.b * E0
    Q1 = s.a * (Q1 / both + s.e / (one.p * two.p))
    # It vanishes with t below the threshold, where rounding may carry it past 0.
    return np.maximum((1 - P) ** 2 - Q1 * Q2, _TINY)
