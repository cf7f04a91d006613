r"""One stationary principle for the one-step model of any population spectrum.

For ``K = diag(D) + diag(R)^{1/2} N S^{-1/2} diag(T)^{1/2}`` of
:mod:`~ornstein.theory.one_step_model.noised_modes`, with d columns, and ``nu = n - 1``. Wanted is

    L(t) = ln det(t + K K^T),        t > 0.

**An exact integral** (``nu >= d``). Write ``S^{1/2}`` as a square Y of density
``|det Y|^{nu-d} e^{-|Y|^2/2}``; then ``det(t + K K^T) det S / det T = det(t Y^T T^{-1} Y + M^T M)``
with ``M = D T^{-1/2} Y + R^{1/2} N``. A Gaussian integral over one vector of square length
``delta`` makes its power -1/2, and only one column of (Y, N) is touched; its distance to the span
of the others is a quadratic form in a Gaussian vector, whose power ``(nu-d+1)/2`` is a contour
integral over ``s = kappa delta - 1``:

    E e^{-L(t)/2} = C int d(delta)/delta int ds (-s)^{-3/2} e^{-F/2},
    F = sum_k ln[ (1 + delta R_k)(t + kappa T_k) + D_k^2 ] + (nu - d) ln(1 - kappa delta).

So ``E L`` is F at its saddle point to leading order (the deterministic equivalent of Hachem,
Loubaton, Najim). With m vectors instead of one, delta and s are symmetric m x m matrices with
``m (m+1) / 2`` equal Gaussian modes, and the measure of s is ``det(-s)^{-(2m+1)/2}``. Orders m and
``m^2`` of ``ln E e^{-m L/2}`` are mean and variance:

    E L(t) = F + 1/2 ln[ H(t, t) (1-p)^2 / (nu-d)^2 ],                          p = kappa delta,
    Cov[L(t), L(t')] = -2 ln[ H(t, t') (1-p)^2 (1-p')^2 / (nu-d)^2 ],

``H = F_{delta kappa}^2 - F_{delta delta} F_{kappa kappa}``, second derivatives across two replicas.
The factors are such that both vanish for ``t -> infinity``, as they must.

**Variables.** ``alpha = t/kappa``, ``beta = 1/delta`` show the symmetry of R and T:

    t = p alpha beta,      B_k = D_k^2 + p (R_k + beta)(T_k + alpha),
    sum (R+beta) T / B = sum R (T+alpha) / B = (nu-d) / (1-p).

In ``ln kappa`` F is convex, in p concave: the saddle point is the only one. Newton's method in
``ln(alpha/beta)`` and ``logit p``, on the logarithms of the equations, finds it over 30 decades.

**Fewer points** (``nu < d``). Then ``det(t + K K^T) = t^{d-nu} det Z^T Q Z / det Z^T Q_0 Z``, a
quotient of generalized Wishart determinants, with 2 x 2 blocks and ``Q_0 = diag(1/T, 0)``

    Q = [[ (t + D^2)/T,  D (R/T)^{1/2} ], [ ., R ]],       Z of shape 2d x nu, standard normal:

    E ln det Z^T Q Z = sum ln det(1 + u Q) - nu ln u + 1/2 ln( tr Pi(1-Pi) / nu ) + const,
    tr Pi = nu,   Pi = u Q (1 + u Q)^{-1},    Cov = -2 ln( 1 - tr(Pi Pi') / nu ).

That is the same principle at ``p = 1``, ``u = 1/beta``: ``t = alpha beta``, with one equation,
``sum (beta T - alpha R) / B = d - nu``.

**Nearly as many points as dimensions.** In the O(1) terms ``1/(nu-d)`` becomes ``(1/G - 1)/d``, and
``nu (G - 1 + nu/d)`` is added to both ``tr Pi(1-Pi)``, where G is the value of ``1 - d/nu`` (of
``1 - nu/d``) that makes ``E ln det`` of a Wishart matrix exact. Nothing diverges then.

References
----------
This project; the leading order: Hachem, Loubaton, Najim, Ann. Appl. Probab. 17 (2007).
"""

from __future__ import annotations

__all__ = [
    "SaddlePoint",
    "denominator",
    "finite_size_gap",
    "inverse_excess",
    "leading_excess",
    "mean_potential",
    "potential_covariance",
    "parts",
    "projection",
    "saddle_point",
    "span_spread",
]

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit

from ornstein.theory.numerics.monotone_roots import decreasing_root
from ornstein.theory.one_step_model.noised_modes import LinearMap
from ornstein.theory.one_step_model.saddle_newton import newton
from ornstein.theory.random_matrices.wishart import entropy_gap, log_det_deficit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_LARGE, _ROUNDING = 1e4, 1e-300


class SaddlePoint(NamedTuple):
    """Where F is stationary, for every t; arrays of the shape of t."""

    t: Array
    p: Array
    """1 for ``nu <= d``."""
    rest: Array
    """``1 - p``, without cancellation."""
    alpha: Array
    beta: Array


def saddle_point(K: LinearMap, t: Array) -> SaddlePoint:
    """Solve the stationary principle.

    Parameters
    ----------
    K : LinearMap
    t : ndarray of shape (points,)
        Positive.

    Returns
    -------
    SaddlePoint

    Raises
    ------
    RuntimeError
        If Newton's method does not converge.
    """
    # Several questions are asked of one map and the same t.
    return _remembered(tuple(each.tobytes() for each in (*K[:5], t)), K.dof)


@lru_cache(maxsize=8)
def _remembered(arrays: tuple[bytes, ...], dof: float) -> SaddlePoint:
    signal, residual, inverse, weight, support, t = map(np.frombuffer, arrays)
    found = _computed(LinearMap(signal, residual, inverse, weight, support, dof), t)
    for values in found:
        values.flags.writeable = False
    return found


def _computed(K: LinearMap, t: Array) -> SaddlePoint:
    if K.dof >= K.columns and not K.residual.any():
        zero = np.zeros_like(t)
        return SaddlePoint(t, zero, zero + 1.0, zero, zero)
    x, logit = newton(K, t)
    p = expit(logit)
    root = np.sqrt(t / p)
    return SaddlePoint(t, p, expit(-logit), root * np.exp(x), root * np.exp(-x))


@lru_cache(maxsize=1024)
def finite_size_gap(q: float, N: float) -> float:
    """``G``: what ``1 - q/N`` has to be for ``E ln det`` of a Wishart_q(N) matrix to be exact."""
    g = q / N
    if N - q > _LARGE:
        # Beyond, G differs from 1 - g by less than rounding makes of it.
        return 1.0 - g
    leading = q * entropy_gap(np.asarray(g)) / g
    exact = log_det_deficit(np.asarray(q), np.asarray(N))
    return float(np.clip(np.exp(2.0 * (leading - exact)), 1e-300, 1.0))


def inverse_excess(K: LinearMap) -> float:
    """``1/(nu - d)``, at the value of a finite size: finite for ``nu = d`` too."""
    if K.dof - K.columns > _LARGE:
        return 1.0 / (K.dof - K.columns)
    return (1.0 / finite_size_gap(K.columns, K.dof) - 1.0) / K.columns


def projection(K: LinearMap) -> tuple[float, Array]:
    """``u0`` of ``Q_0``, and ``u0 / (T + u0)``: how far the noisy points span a mode, ``nu < d``.

    Returns
    -------
    float
        The root of ``sum_k u0 / (T_k + u0) = nu``.
    ndarray of shape (modes,)
        To leading order, the expected diagonal of the projection on the span.
    """
    u0 = _projection_root(K.inverse.tobytes(), K.weight.tobytes(), K.dof)
    return u0, u0 / (K.inverse + u0)


@lru_cache(maxsize=8)
def _projection_root(inverses: bytes, weights: bytes, dof: float) -> float:
    T, weight = np.frombuffer(inverses), np.frombuffer(weights)
    total = weight.sum()
    odds = dof / (total - dof)
    low, high = odds * total / (weight @ (1.0 / T)), odds * (weight @ T) / total

    def value_and_slope(u: Array) -> tuple[Array, Array]:
        share = u / (T + u)
        return (
            np.atleast_1d(dof - weight @ share),
            np.atleast_1d(-weight @ (share * (1 - share))),
        )

    return float(decreasing_root(value_and_slope, np.array([low]), np.array([high]))[0])


def mean_potential(K: LinearMap, t: Array, *, less_log: bool = False) -> Array:
    """``E sum ln(t + s^2)`` over the ``q = min(nu, d_s)`` singular values s of K.

    Parameters
    ----------
    K : LinearMap
    t : ndarray of shape (points,)
        Positive; as small as ``1e-200`` where 0 is meant.
    less_log : bool
        Subtract ``q ln t``, without cancellation for large t.

    Returns
    -------
    ndarray of shape (points,)
        With an error of ``O(1/d)`` for t of the order of ``s^2``.
    """
    point = saddle_point(K, t)
    B = denominator(K, point)
    potential = leading_excess(K, point, B)
    if not less_log:
        potential = potential + min(K.dof, K.rows) * np.log(t)
    if K.dof >= K.columns and not K.residual.any():
        return potential
    u, w, v = parts(K, point, B)
    slope = w - u
    curvature = (u + w - slope**2) @ K.weight
    if K.dof < K.columns:
        spread, more = span_spread(K)
        return potential + 0.5 * np.log((curvature + more) / (spread + more))
    seen = u + v
    mixed = (u + slope * seen) @ K.weight
    H = (curvature * (seen**2 @ K.weight) + mixed**2) / (seen @ K.weight) ** 2
    return potential + 0.5 * np.log(H + curvature * inverse_excess(K))


def leading_excess(K: LinearMap, point: SaddlePoint, B: Array) -> Array:
    """``mean_potential`` less ``q ln t``, without its term of order 1.

    Parameters
    ----------
    K : LinearMap
    point : SaddlePoint
    B : ndarray of shape (points, modes)
        Of :func:`denominator`.
    """
    t, p, alpha, beta = (z[:, None] for z in (point.t, point.p, point.alpha, point.beta))
    blank, T, R = K.weight - K.support, K.inverse, K.residual
    if K.dof >= K.columns:
        leading = np.log1p((K.signal + p * (R * T + alpha * R + beta * T)) / t) @ K.support
        if not R.any():
            return leading
        leading = leading + np.log1p(T / alpha) @ blank
        if K.dof == K.columns:
            return leading
        return leading + (K.dof - K.columns) * _log_ratio(-point.p, point.rest)
    u0, _ = projection(K)
    # Beyond the largest singular value alpha is near u0.
    moved = (K.signal + R * (T + alpha)) / beta + (alpha - u0)
    leading = _log_ratio(moved / (T + u0), B / (beta * (T + u0))) @ K.support
    leading = leading + _log_ratio((alpha - u0) / (T + u0), (T + alpha) / (T + u0)) @ blank
    return leading - K.dof * _log_ratio(point.alpha / u0 - 1.0, point.alpha / u0)


def _log_ratio(less_one: Array, ratio: Array) -> Array:
    """Logarithm of a ratio, from ``ratio - 1`` where that is the more accurate number."""
    near = np.abs(less_one) < 0.5
    return np.where(near, np.log1p(np.where(near, less_one, 0.0)), np.log(ratio))


def span_spread(K: LinearMap) -> tuple[float, float]:
    """``tr Pi_0 (1 - Pi_0)`` for ``nu < d``, and what a finite size adds to it and its like."""
    _, share = projection(K)
    more = K.dof * (finite_size_gap(K.dof, K.columns) - (1.0 - K.dof / K.columns))
    return float((share * (1.0 - share)) @ K.weight), more


def potential_covariance(K: LinearMap, t: Array) -> Array:
    """Covariances over training sets of ``sum ln(t + s^2)`` at two t, to leading order.

    Parameters
    ----------
    K : LinearMap
    t : ndarray of shape (points,)

    Returns
    -------
    ndarray of shape (points, points)
        In squared nats, of order 1 whatever the dimension.
    """
    if K.dof < K.columns:
        point = saddle_point(K, t)
        B = denominator(K, point)
        _, share = projection(K)
        alpha = point.alpha[:, None]
        first = (K.signal + (K.residual + point.beta[:, None]) * alpha) / B
        mixed = np.sqrt(K.signal * K.residual * K.inverse) / B
        second = K.residual * (K.inverse + alpha) / B

        def covariance(overlap: Array | float) -> Array:
            return -2.0 * np.log(np.maximum(1.0 - np.asarray(overlap) / K.dof, _ROUNDING))

        both = (first * K.weight) @ first.T + (second * K.weight) @ second.T
        both = covariance(both + 2.0 * (mixed * K.weight) @ mixed.T)
        one = covariance(first @ (K.weight * share))
        return both - one[:, None] - one + covariance(float(K.weight @ share**2))
    if not K.residual.any():
        return np.zeros((t.size, t.size))
    if K.dof == K.columns:
        K = K._replace(dof=K.columns + 1.0 / inverse_excess(K))
    excess = K.dof - K.columns
    point = saddle_point(K, t)
    B = denominator(K, point)
    rows = K.residual * (K.inverse + point.alpha[:, None]) / B
    columns = K.inverse * (K.residual + point.beta[:, None]) / B
    mixed = np.sqrt(K.signal * K.residual * K.inverse) / B
    inverse = np.outer(point.rest, point.rest) / excess
    p = np.outer(point.p, point.p)
    a, b, c = ((part * K.weight) @ part.T for part in (rows, columns, mixed))
    H = (1.0 - c * inverse) ** 2 - p * (1.0 + a * inverse) * (1.0 + b * inverse)
    # It vanishes with t where singular values reach 0.
    return -2.0 * np.log(np.maximum(H, _ROUNDING))


def denominator(K: LinearMap, point: SaddlePoint) -> Array:
    """``B``, of shape (points, modes)."""
    t, p, _, alpha, beta = (values[:, None] for values in point)
    noisy = p * (K.residual * K.inverse + alpha * K.residual + beta * K.inverse)
    return t + K.signal + noisy


def parts(K: LinearMap, point: SaddlePoint, B: Array) -> tuple[Array, Array, Array]:
    """``p beta T, p alpha R, p R T`` over ``B``."""
    _, p, _, alpha, beta = (values[:, None] for values in point)
    noisy = K.residual * K.inverse
    return p * beta * K.inverse / B, p * alpha * K.residual / B, p * noisy / B
