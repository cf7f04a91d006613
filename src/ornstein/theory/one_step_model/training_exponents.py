r"""The exponents of Delta's training term: law of ``q_i``, and the saddle point behind it.

With ``M = Sigma_G + eps^2 I`` the training term of :mod:`ornstein.memorization.delta` is a mean of

    t_i = det(2 pi M)^{-1/2} e^{-q_i / 2},      q_i = (x_i - mu_G)^T M^{-1} (x_i - mu_G).

For k > 0, ``det(2 pi M)^{-1/2} e^{-k q_i / 2}`` is the density at 0 of ``sqrt(k) (x_i - mu_G)``
less a draw of N(0, M). So its expectation over all training sets is the one of
:mod:`ornstein.theory.one_step_model.delta_expectation`, with ``sqrt(k)`` times the training point:
given the noised points everything is Gaussian, and two vectors are left, the noised training point
u (of unit variance) and the noise eta of the generated point. Let ``W = Uc^T Uc`` be the matrix of
the regression, and

    x = u W^{-1} u  (the leverage),
    u W^{-1} eta = sqrt(k) beta x,        eta W^{-1} eta = s + k beta^2 x.

After the Euclidean inner products are integrated out, a Wishart integral, their weight is

    e^J dlogit(x) dln(s) dbeta,
    J = ((d+1)/2) ln x + ((nu-d)/2) ln(1-x) + ((d-1)/2) ln s
        - ((nu+1)/2) ln Q - (d/2) ln V - (d/2) ln theta^2,
    V = eps^2 + a { s + k [alpha^2 (1-x) + x (alpha - beta)^2] },          r = rho2 / V,
    Q = 1 + (s + k beta^2 x + k alpha^2 r x s) / theta^2 + r [s + k x (alpha - beta)^2],

``nu = n - 1``, ``a = 1 - rho2``, ``alpha^2 = 1 - 1/n``, ``theta^2 = 1 + k a / n``. Its maximum and
curvature give, by Laplace's method,

    psi(k) = ln E e^{-k q / 2} = ln int e^{J_k} - ln int e^{J_0},

up to the weight ``det(M)^{-1/2}`` of training sets in these expectations, which moves psi by O(1)
where psi itself is of the order of d, and nearly in proportion to k. J is analytic in k: for k < 0,
which belongs to the largest q, its saddle point is the continuation of the maximum. The law of q
follows from psi by the saddle point

    p(q) = e^{psi(k) + k q / 2} / sqrt(8 pi psi''(k)),      q = -2 psi'(k).

References
----------
This project. Daniels, "Saddlepoint approximations in statistics", Ann. Math. Statist. 25 (1954).
"""

from __future__ import annotations

__all__ = ["TrainingSaddle", "training_saddle", "exponent_laws"]

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.polynomial import chebyshev

from ornstein.theory.numerics.laplace import Jet, upper_triangle

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_DEGREE, _QUADRATURE = 19, 240
_LEAST, _MOST = -0.35, 40.0  # range of k, in units of d / E q
_NEAR = (0.01, 0.03)
_MAX_STEPS, _SHORT_STEP, _LONGEST_STEP = 100, 1e-5, 0.7


class TrainingSaddle(NamedTuple):
    """The saddle point at one k; arrays of one shape."""

    leverage: Array
    """``x``."""
    rest: Array
    """``s``."""
    slope: Array
    """``beta``."""
    log_integral: Array
    """``ln int e^J`` by Laplace's method, but for a constant of d and n."""


def training_saddle(
    d: Array, n: Array, rho2: Array, k: float | Array, start: TrainingSaddle | None = None
) -> TrainingSaddle:
    """Find the saddle point of J.

    Parameters
    ----------
    d, n, rho2 : ndarray of shape (points,)
        ``n > d + 1``.
    k : float or ndarray of shape (points,)
        Not 0.
    start : TrainingSaddle, optional
        That of a k nearby; by default that of k near 0.

    Returns
    -------
    TrainingSaddle

    Raises
    ------
    RuntimeError
        If Newton's method does not converge.
    """
    k = np.broadcast_to(k, d.shape)
    if start is None:
        free = np.log(d / (n - 1.0 - d))
        y = np.stack([free, free, np.full(d.shape, 0.5)])
    else:
        logit = np.log(start.leverage / (1.0 - start.leverage))
        y = np.stack([logit, np.log(start.rest), start.slope])
    for _ in range(_MAX_STEPS):
        J = _log_weight(Jet.variables(y), d, n, rho2, k)
        step = np.linalg.solve(_curvature(J), J.gradient.T[..., None])[..., 0].T
        size = np.abs(step).max(0)
        y = y + step * np.minimum(1.0, _LONGEST_STEP / np.maximum(size, _SHORT_STEP))
        if (size <= _SHORT_STEP).all():
            break
    else:
        raise RuntimeError(f"no saddle point in {_MAX_STEPS} steps")
    J = _log_weight(Jet.variables(y), d, n, rho2, k)
    # beta sqrt(k) is the variable that has a density at k = 0.
    determinant = np.linalg.det(_curvature(J)) / k
    value = J.value - 0.5 * np.log(determinant)
    return TrainingSaddle(1.0 / (1.0 + np.exp(-y[0])), np.exp(y[1]), y[2], value)


def exponent_laws(d: Array, n: Array, rho2: Array) -> tuple[Array, Array]:
    """Exponents q of a training point and their masses, as nodes of a quadrature of their law.

    Parameters
    ----------
    d, n, rho2 : ndarray of shape (points,)
        ``n > d + 1``.

    Returns
    -------
    q, masses : ndarray of shape (nodes, points)
        The last node stands for all q that are larger than the one before.
    """
    near = [training_saddle(d, n, rho2, k).log_integral for k in _NEAR]
    unit = 0.5 * d * (_NEAR[1] - _NEAR[0]) / (near[0] - near[1])
    ends = np.log1p(np.array([_LEAST, _MOST]))
    v = 0.5 * (ends[0] + ends[1] + (ends[1] - ends[0]) * chebyshev.chebpts1(_DEGREE + 1))
    ratios = np.expm1(v)
    values = np.empty((len(v), len(d)))
    first = None
    for side in (ratios > 0, ratios < 0):
        saddle = first
        for index in sorted(np.flatnonzero(side), key=lambda i: abs(ratios[i])):
            saddle = training_saddle(d, n, rho2, ratios[index] * unit, saddle)
            first = saddle if first is None else first
            values[index] = saddle.log_integral
    fit = chebyshev.Chebyshev.fit
    curves = [fit(v, column, _DEGREE, domain=ends) for column in values.T]
    fine = np.linspace(ends[0], ends[1], _QUADRATURE)[:, None]
    psi = np.stack([curve(fine[:, 0]) - curve(0.0) for curve in curves], axis=1)
    first_v = np.stack([curve.deriv(1)(fine[:, 0]) for curve in curves], axis=1)
    second_v = np.stack([curve.deriv(2)(fine[:, 0]) for curve in curves], axis=1)
    k, slope = unit * np.expm1(fine), unit * np.exp(fine)
    dpsi = first_v / slope
    bend = np.maximum((second_v - first_v) / slope**2, 0.0)
    masses = np.exp(psi - k * dpsi) * np.sqrt(bend / (2.0 * np.pi)) * slope * (fine[1] - fine[0])
    q = -2.0 * dpsi
    # In the order of rising q, the largest, which are not reached, in one.
    q = np.concatenate([q[::-1], q[:1] + 2.0 * np.sqrt(bend[:1])])
    rest = np.maximum(1.0 - masses.sum(0, keepdims=True), 0.0)
    masses = np.concatenate([masses[::-1], rest])
    return q, masses / masses.sum(0)


def _log_weight(y: list[Jet], d: Array, n: Array, rho2: Array, k: Array) -> Jet:
    """``J`` of ``logit x``, ``ln s`` and ``beta``."""
    logit, log_s, beta = y
    nu, a, alpha = n - 1.0, 1.0 - rho2, np.sqrt(1.0 - 1.0 / n)
    theta2 = 1.0 + k * a / n
    log_left = -(logit.exp() + 1.0).log()
    log_x = logit + log_left
    x, s = log_x.exp(), log_s.exp()
    apart = s + x * (beta - alpha).square() * k
    V = (apart + log_left.exp() * (k * alpha**2)) * a + n ** (-2.0 / d)
    r = V.reciprocal() * rho2
    Q = (s + x * (beta.square() + r * s * alpha**2) * k) / theta2 + r * apart + 1.0
    return (
        log_x * (0.5 * (d + 1.0))
        + log_left * (0.5 * (nu - d))
        + log_s * (0.5 * (d - 1.0))
        - Q.log() * (0.5 * (nu + 1.0))
        - V.log() * (0.5 * d)
        - 0.5 * d * np.log(theta2)
    )


def _curvature(J: Jet) -> Array:
    """Minus the Hessian, of shape (points, m, m)."""
    m = len(J.gradient)
    curvature = np.empty((m, m, J.value.size))
    i, j = upper_triangle(m)
    curvature[i, j] = curvature[j, i] = -J.hessian
    return np.moveaxis(curvature, -1, 0)
