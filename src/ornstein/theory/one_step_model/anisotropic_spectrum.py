r"""The singular values of the one-step generated covariance, for any population spectrum.

Two sets of singular values, one density for each, in the limit of large dimension:

    "population":  s of Sigma^{-1/2} Sigma_G^{1/2}; KL and Hellinger are sums over them,
    "scale":       s of Sigma_G^{1/2} / (tr Sigma / d)^{1/2}, the generated standard deviations.

For equal eigenvalues both are those of :func:`~ornstein.theory.one_step_spectrum`. With the
potential of :mod:`~ornstein.theory.one_step_model.saddle_point`, continued from ``t > 0`` to the
negative axis, for ``q = min(nu, d_s)`` singular values that are not 0,

    f(s) = (2 s / (pi q)) Im L'(t) at t = -s^2 - i0,      L'(t) = sum_k (1 + delta R_k) / B_k.

The two equations are solved for ``ln kappa`` and ``ln delta`` along ``t = s^2 e^{-i theta}``, theta
from 0, where the real saddle point is known, to pi. L is analytic on the way, so that Newton's
method, in steps short enough, stays on the right one of the many complex roots.

**Support.** Edges are bracketed on a grid and found, as places where two roots meet, by Newton's
method; brackets that it leaves are divided. Without eigenvalues 0 the support reaches 0 exactly for
``d < n < n*``.

References
----------
This project.
"""

from __future__ import annotations

__all__ = ["one_step_anisotropic_spectrum", "one_step_anisotropic_support"]

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ornstein.theory.one_step_model.noised_modes import linear_map, noised_modes
from ornstein.theory.one_step_model.saddle_point import saddle_point
from ornstein.validation import as_count, as_positive, float_or_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ornstein.theory.one_step_model.noised_modes import LinearMap

    Array = NDArray[np.float64]
    Complex = NDArray[np.complex128]

_UNITS = {"population": -1.0, "scale": 0.0}
_NEWTON_STEPS, _CONVERGED, _SHORTEST = 8, 1e-10, 1e-7
_ROUNDS, _PARTS = 7, 16
_FOLD_STEPS, _SMALL, _FOUND, _LONGEST, _LEAST = 9, 1e-6, 1e-9, 0.3, 1e-200
_DARK = 1e-7  # an imaginary part below, relative to the whole, is made of rounding errors


def one_step_anisotropic_spectrum(
    s: ArrayLike,
    eigenvalues: ArrayLike,
    n_train: int,
    time: float = 2.0,
    noise_scale: float = 1.0,
    *,
    relative_to: Literal["population", "scale"] = "population",
) -> Any:
    """Density of the non-zero singular values of what the one-step model generates.

    Parameters
    ----------
    s : array-like
        Where to evaluate it, > 0.
    eigenvalues : array-like of shape (d,)
        Of the population's covariance, >= 0, in squared data units.
    n_train : int
        Number of training points n >= 2.
    time : float
        Diffusion time T > 0.
    noise_scale : float
        ``lambda_ > 0``, in squared data units.
    relative_to : {"population", "scale"}
        Singular values of ``Sigma^{-1/2} Sigma_G^{1/2}`` (within the support of Sigma), or of
        ``Sigma_G^{1/2}`` in units of the root of the mean eigenvalue.

    Returns
    -------
    float or ndarray of the shape of `s`
        Mass 1; 0 outside the support.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    See Also
    --------
    ornstein.theory.one_step_spectrum : The isotropic case.

    Examples
    --------
    >>> one_step_anisotropic_spectrum([0.5, 1.0, 2.0], [3.0] * 50 + [0.3] * 50, 126)
    array([0.590..., 0.503..., 0.141...])
    """
    K = _map(eigenvalues, n_train, time, noise_scale, relative_to)
    points = as_positive(s, "s")
    return float_or_array(_density(K, np.atleast_1d(points).ravel()).reshape(points.shape))


def one_step_anisotropic_support(
    eigenvalues: ArrayLike,
    n_train: int,
    time: float = 2.0,
    noise_scale: float = 1.0,
    *,
    relative_to: Literal["population", "scale"] = "population",
) -> Array:
    """Where the density of :func:`one_step_anisotropic_spectrum` is positive.

    Parameters
    ----------
    eigenvalues, n_train, time, noise_scale, relative_to
        As for `one_step_anisotropic_spectrum`, which raises the same errors.

    Returns
    -------
    ndarray of shape (intervals, 2)
        Edges in ascending order. Gaps and intervals of a relative width below 1 % may be missed.

    Examples
    --------
    >>> one_step_anisotropic_support([3.0] * 50 + [0.3] * 50, 1001)
    array([[0.282..., 1.195...]])
    """
    K = _map(eigenvalues, n_train, time, noise_scale, relative_to)
    seen = K.support > 0
    centres = np.sqrt(K.signal[seen] + K.residual[seen] * K.inverse[seen])
    low, high = centres.min() / 2.0, centres.max() * 2.0
    while _density(K, np.array([high]))[0] > 0:
        high *= 2.0
    reaches_zero = _reaches_zero(K)
    while not reaches_zero and _density(K, np.array([low]))[0] > 0:
        low /= 2.0
    steps = int(np.clip(200.0 * np.log(high / low), 300.0, 1000.0))
    grid = np.union1d(np.geomspace(low, high, steps), centres)
    # With much noise and many points all lies about the values of infinitely many, further down.
    limits = np.sqrt(K.signal[seen])
    below = limits.min() / 2.0
    if not reaches_zero and 0.0 < below < low:
        while _density(K, np.array([below]))[0] > 0:
            below /= 2.0
        steps = int(np.clip(200.0 * np.log(low / below), 100.0, 1000.0))
        grid = np.union1d(grid, np.append(np.geomspace(below, low, steps), limits))
    bright = _density(K, grid) > 0
    bright[0] |= reaches_zero
    change = np.flatnonzero(bright[1:] != bright[:-1])
    edges = _edges(K, grid[change], grid[change + 1], bright[change])
    return np.reshape([0.0, *edges] if reaches_zero else edges, (-1, 2))


def _edges(K: LinearMap, left: Array, right: Array, bright: NDArray[np.bool_]) -> Array:
    """One edge in each bracket, whose left end is bright or not."""
    edges = np.full(left.shape, np.nan)
    for _ in range(_ROUNDS):
        open_ = np.flatnonzero(np.isnan(edges))
        found = _folds(K, np.where(bright, left, right)[open_])
        inside = (found > left[open_]) & (found < right[open_])
        edges[open_[inside]] = found[inside]
        open_ = open_[~inside]
        if not open_.size:
            break
        # All the others at once, each bracket cut into equal parts.
        low, high, lit = left[open_], right[open_], bright[open_]
        parts = low + (high - low) * np.linspace(0.0, 1.0, _PARTS + 1)[:, None]
        same = (_density(K, parts[1:-1].ravel()).reshape(_PARTS - 1, -1) > 0) == lit
        # Parts up to the first that is not like the left end.
        first, index = np.cumprod(same, axis=0).sum(axis=0), np.arange(open_.size)
        left[open_], right[open_] = parts[first, index], parts[first + 1, index]
    return np.where(np.isnan(edges), (left + right) / 2.0, edges)


def _folds(K: LinearMap, s: Array) -> Array:
    """Edges near bright points s, NaN where none is found.

    Two roots of the equations meet there: their determinant is 0 as well. Newton's method in
    ``ln kappa``, ``ln delta`` and ``ln t``, its derivatives from small differences.
    """
    sums = _Sums.of(K)
    y = np.array([*_followed(K, sums, s), 2.0 * np.log(s)], dtype=np.complex128)
    move, scale = np.full(y.shape, np.inf), np.ones(s.shape)
    steps = _SMALL * np.eye(3, dtype=np.complex128)

    def zeros(y: Complex) -> Complex:
        residual, (a, b, c, d), _ = _equations(sums, -np.exp(y[2]), y[:2])
        return np.array([*residual, a * d / scale - b * c / scale])

    with np.errstate(all="ignore"):
        scale = np.maximum(np.abs(zeros(y)[2]), _LEAST)
        for _ in range(_FOLD_STEPS):
            here = zeros(y)
            slopes = [(zeros(y + unit[:, None]) - here) / _SMALL for unit in steps]
            matrix = np.transpose(slopes, (2, 1, 0))
            lost = ~(np.isfinite(matrix).all(axis=(1, 2)) & np.isfinite(here).all(axis=0))
            matrix[lost], here[:, lost] = np.eye(3), np.inf
            try:
                move = -np.linalg.solve(matrix, here.T[..., None])[..., 0].T
            except np.linalg.LinAlgError:
                break
            y = y + move * np.minimum(1.0, _LONGEST / np.abs(move).max(axis=0))
        near = (np.abs(move) < _FOUND).all(axis=0) & (np.abs(y[2].imag) < _FOUND)
        return np.where(near, np.exp(y[2].real / 2.0), np.nan)


def _map(
    eigenvalues: ArrayLike, n_train: int, time: float, noise_scale: float, relative_to: str
) -> LinearMap:
    if relative_to not in _UNITS:
        raise ValueError(f"relative_to is {relative_to!r}, expected one of {', '.join(_UNITS)}")
    modes = noised_modes(eigenvalues, time, noise_scale)
    if modes.noise == 0.0:
        raise ValueError(
            "noise_scale is 0, expected > 0: without noise the spectrum has no density"
        )
    return linear_map(modes, as_count(n_train, "n_train", at_least=2) - 1.0, _UNITS[relative_to])


def _reaches_zero(K: LinearMap) -> bool:
    if K.rows < K.columns or K.dof < K.columns:
        return K.dof == K.rows
    return bool(K.weight @ (K.residual * K.inverse / K.signal) >= K.dof - K.columns)


def _density(K: LinearMap, s: Array) -> Array:
    sums = _Sums.of(K)
    transform = _equations(sums, (-(s**2)).astype(np.complex128), _followed(K, sums, s))[2]
    density = 2.0 * s * transform.imag / (np.pi * sums.size)
    return np.where(transform.imag > _DARK * np.abs(transform), density, 0.0)


def _followed(K: LinearMap, sums: _Sums, s: Array) -> Complex:
    """``ln kappa`` and ``ln delta`` at ``t = -s^2 - i0``."""
    start = saddle_point(K, s**2)
    kappa, delta = np.log(start.p * start.beta), -np.log(start.beta)
    logs = np.array([kappa, delta], dtype=np.complex128)
    theta, step = np.zeros(s.size), np.full(s.size, np.pi / 4.0)
    active = np.arange(s.size)
    while active.size:
        goal = np.minimum(theta[active] + step[active], np.pi)
        t = s[active] ** 2 * np.exp(-1j * goal)
        found, fine = _follow(sums, t.astype(np.complex128), logs[:, active])
        done = active[fine]
        logs[:, done], theta[done] = found[:, fine], goal[fine]
        # Two roots meet at an edge: no step is short enough, and the density there is 0.
        theta[active[~fine & (step[active] < _SHORTEST)]] = np.pi
        step[active] *= np.where(fine, 1.5, 0.4)
        active = active[theta[active] < np.pi]
    return logs


def _follow(K: _Sums, t: Complex, logs: Complex) -> tuple[Complex, NDArray[np.bool_]]:
    """Newton's method from a neighbouring t; it must converge, and not have gone far."""
    here = logs.copy()
    size = np.full(t.size, np.inf)
    for _ in range(_NEWTON_STEPS):
        left = np.flatnonzero(size > _CONVERGED)
        if not left.size:
            break
        residual, jacobian, _ = _equations(K, t[left], here[:, left])
        a, b, c, d = jacobian
        with np.errstate(all="ignore"):
            move = np.array([b * residual[1] - d * residual[0], c * residual[0] - a * residual[1]])
            move = move / (a * d - b * c)
        move = np.where(np.isfinite(move), move, 1.0)
        size[left] = np.abs(move).max(axis=0)
        here[:, left] += move * np.minimum(1.0, 0.5 / np.maximum(size[left], 0.5))
    far = np.abs(here - logs).max(axis=0)
    return here, (size <= _CONVERGED) & (far < 0.5)


class _Sums(NamedTuple):
    """What the equations are made of at every point."""

    parts: Complex
    """1, R, T and R T, of shape (4, modes)."""
    signal: Array
    first: Complex
    """The same with multiplicities, of shape (modes, 4)."""
    second: Complex
    """Products of two of them with multiplicities, of shape (modes, 6)."""
    excess: float
    size: float
    """Number of singular values that are not 0."""

    @classmethod
    def of(cls, K: LinearMap) -> _Sums:
        T, R = K.inverse, K.residual
        RT = R * T
        parts = np.array([np.ones_like(T), R, T, RT])
        squares = np.array([T**2, T * RT, RT**2, RT, R * RT, R**2])
        whole = (each.astype(np.complex128) for each in (K.weight * parts, K.weight * squares))
        first, second = (each.T for each in whole)
        excess, size = K.dof - K.columns, min(K.dof, K.rows)
        return cls(parts.astype(np.complex128), K.signal, first, second, excess, size)


def _equations(K: _Sums, t: Complex, logs: Complex) -> tuple[Complex, Complex, Complex]:
    """Residuals of shape (2, points), their Jacobian (4, points) by rows, and ``L'(t)``."""
    excess = K.excess
    kappa, delta = np.exp(logs)
    if excess <= 0:
        # One unknown: delta = 1 / kappa.
        delta = 1.0 / kappa
    p, tilted = kappa * delta, delta * t
    inverse = 1.0 / (np.array([t, tilted, kappa, p]).T @ K.parts + K.signal)
    one, rows, columns, noisy = (inverse @ K.first).T
    TT, TRT, RTRT, TR, RRT, RR = ((inverse * inverse) @ K.second).T
    transform = one + delta * rows
    u, w, v = kappa * columns, tilted * rows, p * noisy
    if excess <= 0:
        curvature = u + w - kappa**2 * TT + 2.0 * kappa * tilted * TR - tilted**2 * RR
        unit = np.ones_like(t)
        jacobian = np.array([curvature, 0.0 * unit, unit, unit])
        return np.array([u - w + excess, logs[0] + logs[1]]), jacobian, transform
    pull, bend = excess * p / (1.0 - p), excess * p / (1.0 - p) ** 2
    first = u + v - kappa**2 * TT - 2.0 * kappa * p * TRT - p**2 * RTRT - bend
    second = w + v - tilted**2 * RR - 2.0 * tilted * p * RRT - p**2 * RTRT - bend
    mixed = kappa * tilted * TR + p * kappa * TRT + tilted * p * RRT + p**2 * RTRT
    mixed = v - mixed - bend
    residual = np.array([u + v - pull, w + v - pull])
    return residual, np.array([first, mixed, mixed, second]), transform
