r"""Training sets drawn without replacement from a finite population.

Of N points, whose sample covariance is ``Sigma``, n are drawn. For ``N = n`` all training sets are
the same, and only the noise makes fits differ. Let ``G(Sigma_d, Sigma_r)`` be the expectation, over
independent Gaussian data of covariance ``Sigma_d``, of a function of the fit that also depends on
the covariance ``Sigma_r`` of reference, and F that over sets drawn from the N points. If those are
Gaussian themselves, averaging over them (they differ from their law by ``O(N^{-1/2})``) leaves

    F(Sigma) = G - (1/N) <d^2 G> + O(N^-2),      at Sigma_r = Sigma, held fixed,

``<d^2 G> / N`` the mean of the second-order term of G for ``Sigma_d = Sigma + Delta``, Delta the
fluctuation of a sample covariance: ``E Delta_kj Delta_jk = lambda_k lambda_j (1 + [k=j]) / N``.

**Potential.** The principle of :mod:`~ornstein.theory.one_step_model.saddle_point` is, as a matrix,

    F = ln det[[ Sigma^-1 + 1/mu + delta W, -1/mu ], [ -1/mu, 1/mu + delta t - (1-p) T ]]
        + ln det Sigma + d ln mu + ln det T - d ln delta + (nu-d) ln(1-p),

``W = v Sigma_r^power``, ``T = (Sigma + mu)^-1``, at a stationary point, so that only explicit
Deltas count. With ``c = rho2``, ``kappa = p beta``, ``delta = 1/beta``, the sum of the second-order
terms is, up to ``O(1/d)`` of it and free of cancellations between large numbers,

    L -> L + (1/N) [ (E^2 - C^2) / 2 - (1-p) ( h b + y (E - C) + p h^2 - (1-p) y^2 ) ],
    E = sum 1 - T_k (kappa + mu t - (1-p) c_k R_k) / B_k,
    C = sum c_k,       h = beta sum c_k T_k / B_k,        y = sum c_k R_k T_k / B_k,
    b = p sum { (1 - c_k)(D_k^2 + R_k T_k + alpha R_k) - c_k beta T_k } / B_k,

for ``nu < d`` with ``p = 1`` and ``C = sum c_k pi_k``, pi_k the share that the points span. Far
above the threshold this is ``(d^2 - C^2) / N`` for ``ln det``: the volume of a generated law is
larger than for independent points.

**Second moment.** ``E B B^T`` is a function of ``Sigma_d`` alone, whose second-order term is a sum
of divided differences:

    nu > d:  + c_k (1-c_k) [ 2 c_k C - sum c_j (1-c_j) ]
             + mu c_k / (nu-d-1) [ (1-c_k) C tr T - C sum c_j T_j ],
    nu < d:  E B B^T = (1 + mu/k_0) q_k,   q_k = lambda_k g_k,   g_k = 1 / (lambda_k + mu + k_0),
             + (1 + mu/k_0) q_k (1-q_k) Q
             - (mu/k_0 + (mu + k_0) g_k) q_k Q sum q_j g_j / (sum g_j - k_0 sum g_j^2),

times 1/N, with ``k_0 = 1/u_0`` and ``Q = sum q_j``. The mean of a training set has covariance
``(1/n - 1/N) Sigma``, exactly.

References
----------
This project. Cochran, "Sampling techniques", 1977 (the mean).
"""

from __future__ import annotations

__all__ = ["potential_shift", "second_moment_shift"]

from typing import TYPE_CHECKING

import numpy as np

from ornstein.theory.one_step_model.noised_modes import linear_map
from ornstein.theory.one_step_model.saddle_point import denominator, projection, saddle_point

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.theory.one_step_model.noised_modes import LinearMap, NoisedModes

    Array = NDArray[np.float64]


def potential_shift(K: LinearMap, modes: NoisedModes, t: Array) -> Array:
    """``N`` times the change of ``E sum ln(t + s^2)``.

    Parameters
    ----------
    K : LinearMap
        Of `modes`.
    modes : NoisedModes
    t : ndarray of shape (points,)
        Positive.

    Returns
    -------
    ndarray of shape (points,)
    """
    if modes.noise == 0.0:
        return np.zeros_like(t)
    point = saddle_point(K, t)
    B = denominator(K, point)
    p, rest, alpha, beta = (values[:, None] for values in point[1:])
    c, mu, T, R = modes.signal_fraction, modes.noise, K.inverse, K.residual
    spanned = projection(K)[1] if K.dof < K.columns else np.ones_like(c)
    C = K.weight @ (c * spanned)
    E = (1.0 - T * (p * beta + mu * t[:, None] - rest * c * R) / B) @ K.weight
    h = (beta * c * T / B) @ K.weight
    y = (c * R * T / B) @ K.weight
    b = (p * ((1.0 - c) * (K.signal + R * T + alpha * R) - c * beta * T) / B) @ K.weight
    rest, p = point.rest, point.p
    # For fewer points rest = 0, and E - C would not vanish with it.
    inner = h * b + y * (E - C) + p * h**2 - rest * y**2
    return (E**2 - C**2) / 2.0 - rest * inner


def second_moment_shift(modes: NoisedModes, dof: float) -> Array:
    """``N`` times the change of ``(E B B^T)_kk``.

    Parameters
    ----------
    modes : NoisedModes
    dof : float
        ``nu``, ``|nu - d| > 1``.

    Returns
    -------
    ndarray of shape (modes,)
    """
    weight, mu = modes.weight, modes.noise
    if mu == 0.0:
        return np.zeros_like(weight)
    if dof < modes.columns:
        u0, _ = projection(linear_map(modes, dof))
        k0 = 1.0 / u0
        g = 1.0 / (modes.eigenvalue + mu + k0)
        q = modes.eigenvalue * g
        Q = weight @ q
        moved = Q * (weight @ (q * g)) / (weight @ (g * (1.0 - k0 * g)))
        return (1.0 + mu / k0) * q * (1.0 - q) * Q - (mu / k0 + (mu + k0) * g) * q * moved
    c = modes.signal_fraction
    T = 1.0 / (modes.eigenvalue + mu)
    C = weight @ c
    signal = c * (1.0 - c) * (2.0 * c * C - weight @ (c * (1.0 - c)))
    residual = (1.0 - c) * C * (weight @ T) - C * (weight @ (c * T))
    return signal + mu * c * residual / (dof - modes.columns - 1.0)
