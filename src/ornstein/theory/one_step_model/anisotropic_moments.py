r"""Second moments of what the one-step model generates, for any spectrum.

Symbols of :mod:`~ornstein.theory.one_step_model.noised_modes`. In the eigenbasis of the population
``E B B^T`` is diagonal, and exactly, with P the projection on the span of the noisy points,

    (E B B^T)_kk = rho2_k^2 + r_k sum_j T_j / (nu-d-1)                          nu > d + 1
                 = rho2_k^2 E P_kk + r_k sum_j T_j E P_jj / (d-nu-1)            nu < d - 1,

infinite for ``|nu - d| <= 1``, where the smallest singular value of a nearly square matrix is
inverted. (Below: write the whitened noisy points as ``H M``, H an orthonormal frame and M a square
matrix with ``M M^T`` Wishart_nu(d), and use ``H (H^T T^{-1} H)^{-1} H^T = T^{1/2} P T^{1/2}``.)
``P_kk`` has, by :mod:`~ornstein.theory.one_step_model.saddle_point`, the expectation

    E P_kk = pi_k + [ h_k (1 - 2 pi_k) - h_k sum_j h_j (1 - 2 pi_j) / H ] / (2 H) + ...,
    pi_k = u_0 / (T_k + u_0),    sum pi_k = nu,    h_k = pi_k (1 - pi_k),    H = sum h_k.

Means follow from those: ``mu_G - m = (xbar - m) - B sqrt(mu) zbar``, so that

    E (mu_G - m)(mu_G - m)^T = Sigma / n + (mu / n) E B B^T.

**The fitted variance.** ``Sigma_G = v B B^T`` with ``v = s_x^2 + mu``, ``s_x^2`` the mean variance
of the coordinates in the training set. It fluctuates by ``Var s_x^2 = 2 sum lambda_k^2 / (nu d^2)``
and depends on B. For a Gaussian population the score of ``ln lambda_k`` is
``(sum_i x_ki^2 / lambda_k - nu) / 2``, so for every function g of B

    Cov(s_x^2, g) = 2 / (d nu) sum_k lambda_k d E g / d ln lambda_k.

``one_step`` leaves that out, a relative error of ``O(1/(n d))`` for isotropic data; it is
``O(1/n)`` where few modes dominate.

Of N points drawn without replacement the variance of ``s_x^2`` loses the share ``(n-1)/(N-1)``; the
rest is in :mod:`~ornstein.theory.one_step_model.finite_population`.

References
----------
This project.
"""

from __future__ import annotations

__all__ = [
    "fitted_second_moment",
    "log_start_variance",
    "start_variance_covariance",
]

from typing import TYPE_CHECKING

import numpy as np

from ornstein.theory.one_step_model.noised_modes import linear_map
from ornstein.theory.one_step_model.saddle_point import projection

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.theory.one_step_model.noised_modes import NoisedModes

    Array = NDArray[np.float64]


def fitted_second_moment(modes: NoisedModes, dof: float) -> Array:
    """``(E B B^T)_kk`` for every distinct mode, in units where the signal is not scaled.

    Parameters
    ----------
    modes : NoisedModes
    dof : float
        ``nu = n - 1``.

    Returns
    -------
    ndarray of shape (modes,)
        Infinite, where there is noise, for ``|nu - d| <= 1``.
    """
    d, residual = modes.columns, modes.residual
    inverse = 1.0 / (modes.eigenvalue + modes.noise)
    spanned = _spanned(modes, dof) if dof < d else np.ones_like(residual)
    signal = modes.signal_fraction**2 * spanned
    if modes.noise == 0.0:
        return signal
    room = dof - d - 1 if dof >= d else d - dof - 1
    if room <= 0:
        return np.where(modes.eigenvalue > 0, np.inf, 0.0)
    return signal + residual * (modes.weight @ (inverse * spanned)) / room


def _spanned(modes: NoisedModes, dof: float) -> Array:
    """``E P_kk``, ``nu < d``."""
    _, share = projection(linear_map(modes, dof))
    spread = share * (1.0 - share)
    total = modes.weight @ spread
    tilt = 1.0 - 2.0 * share
    next_order = spread * (tilt - modes.weight @ (spread * tilt) / total) / (2.0 * total)
    # A share of a variance, also where the expansion is poor: few modes between 0 and 1.
    return np.clip(share + next_order, 0.0, 1.0)


def log_start_variance(modes: NoisedModes, dof: float, fraction: float) -> float:
    """Variance of ``ln v`` over training sets."""
    spread = 2.0 * (modes.weight @ modes.eigenvalue**2) * (1.0 - fraction) / dof
    return float(spread / (modes.dim * modes.start_variance) ** 2)


def start_variance_covariance(modes: NoisedModes, dof: float, fraction: float) -> Array:
    """``Cov(v, (B B^T)_kk)`` over training sets; for ``nu < d`` to leading order.

    Parameters
    ----------
    modes : NoisedModes
    dof : float
        ``nu``, ``|nu - d| > 1``.
    fraction : float
        ``(n-1)/(N-1)``.

    Returns
    -------
    ndarray of shape (modes,)
    """
    rho2, residual, noised = modes.signal_fraction, modes.residual, modes.eigenvalue + modes.noise
    inverse_trace = (modes.weight / noised).sum() / max(dof - modes.columns - 1.0, 1.0)
    spanned = np.ones_like(rho2)
    through_points = -2.0 * residual * (modes.weight @ rho2**2) / max(dof - modes.columns - 1, 1.0)
    if dof < modes.columns:
        inverse_trace, spanned = projection(linear_map(modes, dof))
        spread = spanned * (1.0 - spanned)
        weighted = modes.weight @ (rho2**2 * noised * spread) / (modes.weight @ spread)
        through_points = 2.0 * rho2**2 * spread * (rho2**2 * noised - weighted)
        through_points = through_points - 2.0 * residual * inverse_trace * weighted
    through_noise = 4.0 * rho2**2 * residual * spanned + 2.0 * residual**2 * inverse_trace
    return (1.0 - fraction) * (through_points + through_noise) / (modes.dim * dof)
