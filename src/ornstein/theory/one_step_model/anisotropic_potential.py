r"""Nuclear norm and affinity of the one-step model, for any spectrum.

From the potential ``L(t)`` of :mod:`~ornstein.theory.one_step_model.saddle_point`, O(1) terms
included, for ``q = min(nu, d_s)`` singular values s of K:

    E sum s = (1/pi) int_0^inf [ E L(y^2) - q ln y^2 ] dy.

In ``x = ln y`` the integrand is analytic for ``|Im x| < pi/2`` (a singular value is a branch point
at ``y = +- i s``), so that the trapezoidal rule of step h errs by ``e^{-pi^2 / h}``: 2e-11 for
``h = 0.4``. It decays like y on the left; on the right like 1/y, and like ``y^{-3}`` after
subtraction of ``q ln(1 + s_0^2 / y^2)``, whose integral is ``pi q s_0``, with ``q s_0^2 = E tr K
K^T``. (The potential's own trace differs by ``O(1/d)`` of it: what is left decays like 1/y after
all, and is summed to infinity.) Spectra of any range need no more than 100 points.

**Affinity.** The mean of the generated law is Gaussian given B; averaging over it first,

    E int sqrt(p q) = E exp{ L(0)/4 - L(t)/2 } (2/b)^{d_s/2},
    b = 1 + mu / (2 n v),     t b = 1 + (1/n - 1/N) / 2.

L(0) and L(t) are Gaussian to leading order, but where singular values reach 0 L(0) has the higher
cumulants of ``ln det G G^T`` of a square Gaussian matrix, and ``E (det G G^T)^{1/4}`` is known.

References
----------
This project.
"""

from __future__ import annotations

__all__ = ["log_affinity", "nuclear_norm", "nuclear_norm_covariance"]

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import digamma, gammaln, polygamma

from ornstein.theory.one_step_model.anisotropic_log_det import ZERO, mean_noise_ratio
from ornstein.theory.one_step_model.finite_population import potential_shift
from ornstein.theory.one_step_model.potential import affinity_cumulants
from ornstein.theory.one_step_model.saddle_point import (
    denominator,
    mean_potential,
    parts,
    potential_covariance,
    projection,
    saddle_point,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.theory.one_step_model.anisotropic_log_det import LogDeterminant
    from ornstein.theory.one_step_model.noised_modes import LinearMap, NoisedModes

    Array = NDArray[np.float64]

_STEP, _BELOW, _ABOVE = 0.4, 27.0, 9.0


def nuclear_norm(
    K: LinearMap, trace: float, modes: NoisedModes, population_size: float = np.inf
) -> float:
    """``E sum s`` over the singular values of K.

    Parameters
    ----------
    K : LinearMap
        With power 1, of `modes`.
    trace : float
        ``E tr K K^T``, which sets the scale.
    modes : NoisedModes
    population_size : float
        N, infinite for independent points.

    Returns
    -------
    float
        The integral has a relative error near 1e-10; the potential's is ``O(1/d)`` in total.
    """
    q = min(K.dof, K.rows)
    scale2 = trace / q
    y = _grid(scale2, q)
    t = y**2
    excess = mean_potential(K, t, less_log=True) - q * np.log1p(scale2 / t)
    if np.isfinite(population_size):
        excess = excess + potential_shift(K, modes, t) / (population_size - 1.0)
    return float(q * np.sqrt(scale2) + _sum(y * excess) / np.pi)


def nuclear_norm_covariance(K: LinearMap, modes: NoisedModes, trace: float) -> float:
    """``d nu Cov(s_x^2, sum s) / 2 = sum_k lambda_k d E(sum s) / d ln lambda_k`` at fixed weights.

    Parameters
    ----------
    K : LinearMap
        With power 1, of `modes`.
    modes : NoisedModes
    trace : float
        As for `nuclear_norm`.

    Returns
    -------
    float
    """
    y = _grid(trace / min(K.dof, K.rows), min(K.dof, K.rows))
    point = saddle_point(K, y**2)
    B = denominator(K, point)
    u, w, v = parts(K, point, B)
    rho2, lost = modes.signal_fraction, 1.0 - modes.signal_fraction
    slope = 2.0 * lost * K.signal / B + lost * (v + w) - rho2 * (u + v)
    if K.dof < K.columns:
        slope = slope + rho2 * (1.0 - projection(K)[1])
    return _sum(y * (slope @ (modes.weight * modes.eigenvalue))) / np.pi


def _grid(scale2: float, q: float) -> Array:
    centre = 0.5 * np.log(scale2)
    return np.exp(np.arange(centre - _BELOW, centre + 0.5 * np.log(q) + _ABOVE, _STEP))


def _sum(values: Array) -> float:
    """The trapezoidal rule, with what follows the last point if it decays like ``e^-x``."""
    return float(_STEP * (values.sum() + values[-1] / np.expm1(_STEP)))


def log_affinity(K: LinearMap, origin: LogDeterminant, t: float, b: float, shift: float) -> float:
    """``ln E int sqrt(p q)``, generated law against population, within the support.

    Parameters
    ----------
    K : LinearMap
        With power -1.
    origin : LogDeterminant
        Of K.
    t, b : float
        See the module.
    shift : float
        Change of ``E L(t)`` for a finite population.

    Returns
    -------
    float
        At most 0; ``-inf`` for fewer points than rows.
    """
    if not np.isfinite(origin.mean):
        return -np.inf
    points = np.array([ZERO, t])
    mean = 0.5 * K.rows * np.log(2.0 / b) + origin.mean / 4.0
    mean = mean - (mean_potential(K, points[1:])[0] + shift) / 2.0
    covariance = potential_covariance(K, points)
    spread = float(origin.variance / 16.0 + covariance[1, 1] / 4.0 - covariance[0, 1] / 4.0)
    spread += 2.0 * origin.square * _square_cumulants(K.rows)
    if K.rows == K.columns and K.residual.any():
        spread = _few_singular_values(K, spread)
    return float(min(mean + spread / 2.0, 0.0))


def _few_singular_values(K: LinearMap, spread: float) -> float:
    """Second cumulant where n is near d: lowered as that of equal eigenvalues is."""
    ratio = mean_noise_ratio(K)
    parameters = K.columns, K.dof + 1.0, 1.0 / (1.0 + ratio), ratio / (1.0 + ratio)
    _, found, many = (
        float(value) for value in affinity_cumulants(*(np.asarray(p) for p in parameters))
    )
    if K.dof == K.columns:
        return found
    return max(spread, 0.0) * found / max(many, found, 1e-300)


def _square_cumulants(d: float) -> float:
    """``ln E (det G G^T)^{1/4}`` beyond its mean and variance."""
    half = np.arange(1.0, d + 1.0) / 2.0
    moment = gammaln(half + 0.25) - gammaln(half)
    return float((moment - digamma(half) / 4.0 - polygamma(1, half) / 32.0).sum())
