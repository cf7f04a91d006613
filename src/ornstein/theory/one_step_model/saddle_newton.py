r"""Newton's method for the saddle point of the one-step model.

Of :mod:`~ornstein.theory.one_step_model.saddle_point`, where t, p, alpha, beta, D, R and T are
explained: with ``x = ln(alpha/beta) / 2``, ``alpha beta = t/p``, and of each mode

    u = p beta T / B,    w = p alpha R / B,    v = p R T / B,
    B = D^2 + t + p beta T + p alpha R + p R T,

the two equations are, in sums over modes, 0 at the saddle point,

    h = ln(sum w / sum u),         g = ln( sum (v + w) / (nu - d) ) - ln( p / (1-p) ).

By x the logarithms of u, w, v change by ``-1 - (w-u)``, ``1 - (w-u)``, ``-(w-u)``; by ``ln p`` by
``1/2 - y``, ``1/2 - y``, ``1 - y`` with ``y = v + (u+w)/2``, and ``d ln p = (1-p) d logit p``. So
Newton's steps need ``sum u, w, v`` and the sums of their products: of ``1/B`` and ``1/B^2`` times
products of T and R, which do not change. For all t at once they are two products of matrices.

For ``nu <= d`` p is 1, and the one equation is ``sum (u - w) = d - nu``.
"""

from __future__ import annotations

__all__ = ["newton"]

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.theory.one_step_model.noised_modes import LinearMap

    Array = NDArray[np.float64]

_MAX_STEPS, _RESOLUTION, _TINY, _EPSILON, _FLAT = 100, 1e-11, 1e-200, 1e-15, 1e-30


def newton(K: LinearMap, t: Array) -> tuple[Array, Array]:
    """Return x and the logit of p, infinite for ``nu <= d``, of the shape (points,) of `t` > 0.

    Raises
    ------
    RuntimeError
        If it does not converge.
    """
    x, logit = _start(K, t)
    sums = _sums(K)
    active = np.arange(t.size)
    for _ in range(_MAX_STEPS):
        dx, dlogit = _newton_step(sums, t[active], x[active], logit[active])
        x[active] += dx.clip(-3.0, 3.0)
        if sums.excess > 0:
            logit[active] += dlogit.clip(-6.0, 6.0)
        active = active[np.maximum(np.abs(dx), np.abs(dlogit)) > _RESOLUTION]
        if not active.size:
            return x, logit
    raise RuntimeError(f"the saddle point was not found in {_MAX_STEPS} steps")


def _start(K: LinearMap, t: Array) -> tuple[Array, Array]:
    """``x = ln(alpha/beta) / 2`` and the logit of p, with one mean mode in place of all."""
    excess = K.dof - K.columns
    start = 1.0 / (t[:, None] + (K.signal + K.residual * K.inverse))
    rows, columns = start @ (K.weight * K.residual), start @ (K.weight * K.inverse)
    x = 0.5 * np.log(columns / np.maximum(rows, _TINY * columns))
    if excess <= 0:
        return x, np.full(t.shape, np.inf)
    noisy = (1.0 / (t[:, None] + K.signal)) @ (K.weight * K.residual * K.inverse)
    low, high = np.full(t.shape, -340.0), np.full(t.shape, 340.0)
    for _ in range(11):
        logit = (low + high) / 2.0
        p = expit(logit)
        room = excess / expit(-logit) - noisy / (1.0 + p * noisy / K.rows)
        beyond = (room > 0) & (p * room**2 > t * rows * columns)
        low, high = np.where(beyond, low, logit), np.where(beyond, logit, high)
    return x, (low + high) / 2.0


class _Sums(NamedTuple):
    """Weighted with multiplicities, for `_newton_step`: it needs no sum of anything else."""

    log_inverse: float
    log_residual: float
    """Of the units of T and R, half way between their ends: over 300 decades squares are finite."""
    parts: Array
    """1, T, R, R T, of shape (4, modes)."""
    first: Array
    """Of T, R and R T, of shape (modes, 3)."""
    second: Array
    """Of their products, of shape (modes, 6)."""
    signal: Array
    blank: Array
    """Weights of the modes with ``D = R = 0``."""
    excess: float
    columns: float
    rows: float


def _sums(K: LinearMap) -> _Sums:
    log_inverse, log_residual = _log_middle(K.inverse), _log_middle(K.residual)
    T, R = K.inverse / math.exp(log_inverse), K.residual / math.exp(log_residual)
    RT = R * T
    # For fewer points modes without a row have a sum of their own.
    weight = K.weight if K.dof > K.columns else K.support
    return _Sums(
        log_inverse,
        log_residual,
        np.array([np.ones_like(T), T, R, RT]),
        (weight * np.array([T, R, RT])).T,
        (weight * np.array([T * T, R * R, RT, RT * RT, RT * T, RT * R])).T,
        K.signal,
        K.weight - K.support,
        K.dof - K.columns,
        K.columns,
        K.rows,
    )


def _log_middle(values: Array) -> float:
    seen = values[values > 0]
    return 0.5 * math.log(seen.min()) + 0.5 * math.log(seen.max()) if seen.size else 0.0


def _newton_step(K: _Sums, t: Array, x: Array, logit: Array) -> tuple[Array, Array]:
    p = expit(logit)
    root = np.sqrt(t * p)
    # p beta, p alpha and p in the units of T, R and R T: what these are multiplied with in B.
    a, b = root * np.exp(K.log_inverse - x), root * np.exp(K.log_residual + x)
    c = p * math.exp(K.log_inverse + K.log_residual)
    inverse = 1.0 / (np.array([t, a, b, c]).T @ K.parts + K.signal)
    # In units of the largest, so that squares neither overflow nor vanish.
    most = inverse.max(axis=1)
    inverse /= most[:, None]
    # Sums of u, w, v, which are p beta T, p alpha R, p R T over B, and of their products.
    a, b, c = most * a, most * b, most * c
    u, w, v = np.array([a, b, c]) * (inverse @ K.first).T
    products = np.array([a * a, b * b, a * b, c * c, a * c, b * c])
    uu, ww, uw, vv, uv, vw = products * ((inverse * inverse) @ K.second).T
    if K.excess <= 0:
        # One convex function of x: its derivative, and that of the derivative. Where R = 0, u is
        # near 1 for small t, and what it lacks is t/B.
        lack = t[:, None] / (t[:, None] + (a / most)[:, None] * K.parts[1])
        value = u - w - lack @ K.blank + (K.excess + K.columns - K.rows)
        curvature = u + w - (ww - 2.0 * uw + uu) + ((1.0 - lack) * lack) @ K.blank
        # Where all shares are near 0 or 1 the function is flat, and rounding decides.
        value = np.where(np.abs(value) > _EPSILON * K.columns, value, 0.0)
        return value / np.maximum(curvature, _FLAT), np.zeros_like(x)
    rest = expit(-logit)
    total = v + w
    h, g = np.log(w / u), np.log(total / K.excess) - logit
    # The same at the threshold, for small t.
    still = np.maximum(np.abs(h), np.abs(g)) <= _EPSILON * (4.0 + np.abs(x) + np.abs(logit))
    # Slopes by x go with w - u, those by the logit with v + (u + w) / 2.
    hx = 2.0 - (ww - uw) / w + (uw - uu) / u
    hl = -rest * ((vw + 0.5 * (uw + ww)) / w - (uv + 0.5 * (uu + uw)) / u)
    gx = (w - (vw - uv + ww - uw)) / total
    gl = rest * (v + 0.5 * w - (vv + vw + 0.5 * (uv + uw + vw + ww))) / total - 1.0
    det = hx * gl - hl * gx
    dx, dlogit = (hl * g - h * gl) / det, (gx * h - hx * g) / det
    return np.where(still, 0.0, dx), np.where(still, 0.0, dlogit)
