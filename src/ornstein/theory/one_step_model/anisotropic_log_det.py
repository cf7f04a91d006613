r"""Mean and variance of the log-determinant of the one-step model, for any spectrum.

``ln det K K^T = L(0)`` for ``K`` of :mod:`~ornstein.theory.one_step_model.noised_modes` and L of
:mod:`~ornstein.theory.one_step_model.saddle_point`. With ``q_k = R_k T_k / D_k^2``, the noise to
signal ratio ``1/rho2_k - 1`` of a mode, and no eigenvalue 0, ``t -> 0`` leaves two cases:

    p = 0    while  tau = sum q_k / (nu-d-1) < 1, that is for n above  n* = sum_k 1/rho2_k:
             E L(0) = sum ln D_k^2 + ln(1 - tau)
    p > 0    below: singular values reach 0,
             E L(0) = sum ln D_k^2 + sum ln(1 + p q_k) + (nu-d) ln(1-p) + c,
             sum q_k / (1 + p q_k) + 1 = (nu-d) / (1-p),        c = C + ln(width),

    width^2 = s_2 / s_1^2 + 1/(nu-d),    s_j = sum [q_k / (1 + p q_k)]^j.

**The O(1) term inside.** For small t the singular values near 0, of density ``rho_0``, are those of
a square real Gaussian matrix G of dimension ``(pi rho_0 / 2)^2``. ``1/2 ln H`` of the saddle point
is wrong for both alike, so that ``E L(0) = F + C + 1/2 lim ln[ H / (pi rho_0 sqrt t) ]``, ``C`` the
constant of ``E ln det G G^T``, and ``pi rho_0 sqrt t = 2 t dF/dt``. The limit is ``width^2``.

**The window.** Near ``n*`` the terms meet as in the isotropic case
(:mod:`~ornstein.theory.one_step_model.log_determinant`): C becomes ``h(delta)``,

    delta = (1 - tau) / (tau width)                                     above
    delta = - sqrt{ 2 [ sum ln(1 + p q_k) + (nu-d) ln(1-p) + p ] }      below

and ``ln(1 - tau)`` becomes ``ln tau + ln(width) + h(delta)``. (The ``+ 1`` in the equation for p
moves the stationary point within the error, so that both sides meet exactly at ``tau = 1``.) Above,
the expression of below goes on with ``p < 0`` and has the opposite error, for ``0 < delta < 3``.
Their mean with weight ``e^{-0.6 delta - 0.12 delta^2}`` on the latter, read off simulations of
three spectra with d = 25 and 100, errs by less than 0.25 widths there; each alone by three times as
much. It has no kink at ``n*``.

**The variance** is ``-4 ln(1 - tau)`` above and, by the same matching, ``V - 4 ln width -
4 ln(1-p)`` below, ``V = Var ln det G G^T - 2 ln d``. Between the two it is -4 times the O(1) term,
less ``4 ln(1-p)``, plus ``V + 4 C`` times ``1 / (1 + e^{1.5 a + 0.06 a^3 - 1.47})``, ``a = arsinh
delta``, read off the same simulations.

**Few more points than dimensions.** The expansion is up to 0.5 nats off for ``nu - d`` of
order 1, whatever d. There only the mean of ``q_k`` counts, and for equal ``q_k`` all is known
(:mod:`~ornstein.theory.one_step_model.exact_log_determinant`): what the expansion lacks for those
is added. Against simulations of four spectra (d = 12 and 20, ``nu - d`` from 0 to 20) errors of 0.3
nats become 0.05 to 0.1; elsewhere little changes.

**Rows of zeros.** With eigenvalues 0 the rows are fewer than the columns, the smallest singular
value stays away from 0, and nothing is singular at ``t = 0``: there is no threshold (``n* = inf``).

References
----------
This project.
"""

from __future__ import annotations

__all__ = ["LogDeterminant", "log_determinant", "mean_noise_ratio"]

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import expit, xlogy

from ornstein.theory.numerics.monotone_roots import decreasing_root
from ornstein.theory.one_step_model.exact_log_determinant import exact_log_det
from ornstein.theory.one_step_model.log_determinant import (
    GINIBRE_CONSTANT,
    threshold_function,
)
from ornstein.theory.one_step_model.saddle_point import (
    denominator,
    finite_size_gap,
    inverse_excess,
    leading_excess,
    mean_potential,
    potential_covariance,
    saddle_point,
    span_spread,
)
from ornstein.theory.random_matrices.wishart import log_det_variance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.theory.one_step_model.noised_modes import LinearMap

    Array = NDArray[np.float64]

#: Stands for ``t = 0``.
ZERO = 1e-60

_FAR = 12.0  # beyond, the series of h is good to 1e-6
_SMALLEST = 1e-300


class LogDeterminant(NamedTuple):
    """Mean and variance of ``ln det K K^T``, and how its small singular values are distributed."""

    mean: float
    """Nats; ``-inf`` for fewer points than rows."""
    variance: float
    """Squared nats."""
    square: float
    """1 where singular values reach 0 like those of a square Gaussian matrix, 0 where none does."""


def log_determinant(K: LinearMap) -> LogDeterminant:
    """Mean and variance over training sets of ``ln det K K^T``, within the support.

    Parameters
    ----------
    K : LinearMap

    Returns
    -------
    LogDeterminant
        The mean is exact for equal eigenvalues. Else its error is ``O(1/d)``, near the threshold up
        to a quarter of the width of the module's formulas, of order ``d^{-1/2}``.
    """
    if K.dof < K.rows:
        return LogDeterminant(-np.inf, np.inf, 0.0)
    seen = K.support > 0
    base = float(K.support[seen] @ np.log(K.signal[seen]))
    if not K.residual.any():
        return LogDeterminant(base, 0.0, 0.0)
    if K.rows < K.columns:
        return _with_rows_of_zeros(K)
    ratio = K.residual * K.inverse / K.signal
    mean, variance, delta = _expanded(K, ratio)
    a = np.arcsinh(delta)
    square = float(expit(1.47 - 1.5 * a - 0.06 * a**3))
    variance += _square_excess(K.columns) * square
    mean += _isotropic_error(K, float(K.weight @ ratio) / K.columns)
    return LogDeterminant(base + mean, max(variance, 0.0), square)


def mean_noise_ratio(K: LinearMap) -> float:
    """Mean of ``q_k``; for rows without zeros."""
    return float(K.weight @ (K.residual * K.inverse / K.signal)) / K.columns


def _isotropic_error(K: LinearMap, ratio: float) -> float:
    """What the expansion lacks for equal eigenvalues of the same n*, where the mean is known."""
    one, d = np.ones(1), np.array([K.columns])
    equal = K._replace(
        signal=one, residual=ratio * one, inverse=one, weight=d, support=d, dof=K.dof
    )
    expanded, _, _ = _expanded(equal, np.array([ratio]))
    signal, noise = np.array([1.0 / (1.0 + ratio)]), np.array([ratio / (1.0 + ratio)])
    exact = exact_log_det(K.columns, K.dof - K.columns, signal, noise)
    return float(exact[0] + K.columns * np.log1p(ratio) - expanded)


def _expanded(K: LinearMap, ratio: Array) -> tuple[float, float, float]:
    """Mean beyond the signal's, regular part of the variance and delta, for large d."""
    below = K.weight @ ratio >= K.dof - K.columns - 1.0
    return _below(K, ratio) if below else _above(K, ratio)


def _above(K: LinearMap, ratio: Array) -> tuple[float, float, float]:
    """Mean beyond the signal's, regular part of the variance and delta; ``tau < 1``."""
    total, excess = float(K.weight @ ratio), K.dof - K.columns
    tau = total / (excess - 1.0)
    width = np.sqrt(K.weight @ ratio**2 / total**2 + 1.0 / excess)
    delta = float((1.0 - tau) / (tau * width))
    if delta > _FAR:
        inverse = delta**-2
        correction = float(np.log1p(-tau)) - inverse * (1.0 + 3.0 * inverse + 20.0 * inverse**2)
        return correction, -4.0 * correction, delta
    correction = float(np.log(tau * width) + threshold_function(delta))
    other, other_variance, _ = _below(K, ratio)
    weight = float(np.exp(-delta * (0.6 + 0.12 * delta)))
    variance = -4.0 * correction
    variance += weight * (other_variance - variance)
    return correction + weight * (other - correction), variance, delta


def _below(K: LinearMap, ratio: Array) -> tuple[float, float, float]:
    """The same for ``tau >= 1``; continued to ``p < 0`` above the threshold."""
    excess = K.dof - K.columns
    p, rest = _stationary(K, ratio)
    share = ratio / (1.0 + p * ratio)
    leading = float(K.weight @ np.log1p(p * ratio) + xlogy(excess, rest))
    first, second = float(K.weight @ share), float(K.weight @ share**2)
    # 1/(nu-d) at the threshold, where (1-p) (first + 1) = nu-d; its regular value at nu = d.
    width = np.sqrt(second / first**2 + 1.0 / (first + 1.0) + p * inverse_excess(K))
    # Twice the height of the maximum, nothing but rounding at the threshold.
    square = 2.0 * max(leading + p, 0.0)
    delta = float(-np.sign(p) * np.sqrt(square))
    correction = float(np.log(width) + threshold_function(delta))
    # 1 - p, of its regular value at nu = d.
    variance = -4.0 * (correction - np.log1p(p * inverse_excess(K) * (first + 1.0)))
    # h has its quadratic part only where singular values reach 0.
    return correction + (leading if p >= 0 else -p), float(variance), delta


def _stationary(K: LinearMap, ratio: Array) -> tuple[float, float]:
    """``p`` and ``1 - p``."""
    excess = K.dof - K.columns
    if excess == 0:
        return 1.0, 0.0
    sign = 1.0 if K.weight @ ratio + 1.0 >= excess else -1.0
    # The sum is below its value at p = 0 for p > 0; terms have poles for p < 0.
    high = (K.weight @ ratio + 1.0) / excess - 1.0 if sign > 0 else 1.0 / ratio.max()
    high = np.array([max(float(high), _SMALLEST)])

    def value_and_slope(y: Array) -> tuple[Array, Array]:
        # The odds of p for p > 0, -p for p < 0.
        p = y / (1.0 + y) if sign > 0 else -y
        rest = 1.0 / (1.0 + y) if sign > 0 else 1.0 + y
        share = ratio / (1.0 + p[:, None] * ratio)
        value = share @ K.weight + 1.0 - excess / rest
        slope = -(share**2 @ K.weight) - excess / rest**2
        return sign * value, sign * slope * (p * rest if sign > 0 else p)

    y = float(decreasing_root(value_and_slope, high * 1e-16, high * (1.0 - 1e-12))[0])
    return (y / (1.0 + y), 1.0 / (1.0 + y)) if sign > 0 else (-y, 1.0 + y)


def _with_rows_of_zeros(K: LinearMap) -> LogDeterminant:
    t = np.array([ZERO])
    if K.dof == K.rows:
        # As many points as rows, a square matrix again: H / (2 t dF/dt) is 1 / tr Pi_0 (1 - Pi_0).
        point = saddle_point(K, t)
        leading = float(leading_excess(K, point, denominator(K, point))[0] + K.rows * np.log(ZERO))
        mean = leading + GINIBRE_CONSTANT - 0.5 * float(np.log(sum(span_spread(K))))
        return LogDeterminant(
            mean, float(log_det_variance(np.asarray(K.rows), np.asarray(K.rows))), 1.0
        )
    mean = float(mean_potential(K, t)[0])
    if K.dof < K.columns:
        gap = finite_size_gap(K.rows, K.dof) / (1.0 - K.rows / K.dof)
        mean += 0.5 * float(np.log(gap))
    return LogDeterminant(mean, float(potential_covariance(K, t)[0, 0]), 0.0)


def _square_excess(d: float) -> float:
    """``V + 4 C``: what the variance of a square matrix exceeds ``-4`` times its O(1) term by."""
    return (
        float(log_det_variance(np.asarray(d), np.asarray(d)))
        - 2.0 * np.log(d)
        + 4.0 * GINIBRE_CONSTANT
    )
