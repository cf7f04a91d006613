r"""Odd activations as random features see them: three numbers.

On a standard Gaussian argument, which ``(W x_t)_k / sqrt(d)`` is at every OU time for isotropic
data of unit variance (``e^{-2t} + Delta_t = 1``), an odd activation has the Hermite series

    sigma(g) = sum_k c_k h_k(g)    over odd k,    E h_j(g) h_k(g) = delta_jk.

A wide random layer resolves its linear part and sees the rest as noise of its own:

    mu1 = c_1 = E[g sigma(g)],        mu*^2 = sum_{k>=3} c_k^2 = E[sigma(g)^2] - mu1^2.

Two noisy copies of one data point have arguments of correlation ``rho = e^{-2t}``, for which
``E h_k(g) h_k(g') = rho^k``. Beyond the linear part they share the fraction

    kap(t) = sum_{k>=3} c_k^2 e^{-2kt} / mu*^2 = (E[sigma(g) sigma(g')] - mu1^2 rho) / mu*^2

of the feature noise: 1 at ``t = 0``, where copies coincide, and of order ``e^{-6t}`` at large t.
The series of ``1 - kap`` has terms ``1 - e^{-2kt}``, so nothing cancels at small t.

The ``c_k`` come from the trapezoidal rule on the real line, which converges geometrically for an
analytic integrand, against Hermite functions (three-term recurrence, no overflow). Parseval's
identity tells what the truncation left out. ``sign`` jumps, its series is slow, and it has the
closed form ``E[sigma sigma'] = (2/pi) arcsin(rho)`` instead.

References
----------
George, Veiga, Macris, "Denoising score matching with random features", arXiv 2502.00336.
"""

from __future__ import annotations

__all__ = ["ActivationConstants", "activation_constants", "feature_noise"]

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.special import erf

from ornstein.validation import as_positive

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Activation = str | Callable[[NDArray[np.float64]], Any]

_NAMED = {"tanh": np.tanh, "erf": erf, "identity": lambda g: g, "sign": np.sign}
_STEP, _REACH, _LARGEST_ORDER = 1 / 64, 13.0, 4001
_TOLERANCE = 1e-10


class ActivationConstants(NamedTuple):
    """What `activation_constants` returns."""

    mu1: float
    """Linear coefficient ``E[g sigma(g)]``."""
    mu_star_squared: float
    """Variance beyond the linear part, ``mu*^2``."""
    kappa_noise: float | NDArray[np.float64]
    """Correlation ``kap`` of that part between two noisy copies of a point, shape of ``time``."""


def activation_constants(activation: Activation, time: ArrayLike) -> ActivationConstants:
    """Linear coefficient, non-linear variance and noise correlation of an odd activation.

    Parameters
    ----------
    activation : {"tanh", "erf", "sign", "identity"} or callable
        Odd function, applied to float arrays element by element. A callable has to be smooth
        enough for 2000 odd Hermite coefficients to hold all but 1e-10 of its variance.
    time : array-like
        OU time t, > 0.

    Returns
    -------
    ActivationConstants
        ``(mu1, mu_star_squared, kappa_noise)``, to 1e-10 or better. For "identity" there is no
        non-linear part: ``mu_star_squared`` is 0 and ``kappa_noise``, which only ever multiplies
        it, is 0 by convention.

    Raises
    ------
    TypeError
        If the activation is neither a name nor a callable.
    ValueError
        If it is unknown, not odd, not finite or not smooth enough, or a time is not > 0.

    References
    ----------
    George, Veiga, Macris, arXiv 2502.00336.

    Examples
    --------
    >>> mu1, mu_star_squared, kappa_noise = activation_constants("tanh", 0.1)
    >>> mu1, mu_star_squared, kappa_noise
    (0.60570551, 0.02741533, 0.50488014)
    """
    mu1, mu_star_squared, shared, _ = feature_noise(activation, time)
    kappa = np.asarray(shared / mu_star_squared if mu_star_squared else np.zeros_like(shared))
    return ActivationConstants(mu1, mu_star_squared, kappa if kappa.ndim else float(kappa))


def feature_noise(
    activation: Activation, time: ArrayLike
) -> tuple[float, float, NDArray[np.float64], NDArray[np.float64]]:
    """Linear and non-linear constants, the latter split in its shared and its fresh part.

    Parameters
    ----------
    activation, time
        As for `activation_constants`, which raises the same errors.

    Returns
    -------
    mu1, mu_star_squared : float
        As in `ActivationConstants`.
    shared, fresh : ndarray of the shape of `time`
        ``mu*^2 kap`` and ``mu*^2 (1 - kap)``, each accurate relative to itself at small t.

    Examples
    --------
    >>> mu1, mu_star_squared, shared, fresh = feature_noise("sign", 0.1)
    >>> mu_star_squared, float(shared + fresh)
    (0.363380, 0.363380)
    """
    t = as_positive(time, "time")
    if isinstance(activation, str) and activation == "sign":
        rho = np.exp(-2.0 * t)
        # pi/2 - arcsin(rho), which keeps its digits near rho = 1.
        angle = np.arctan2(np.sqrt(-np.expm1(-4.0 * t)), rho)
        shared = 2.0 / np.pi * _arcsine_beyond_linear(rho, angle)
        fresh = 2.0 / np.pi * (angle + np.expm1(-2.0 * t))
        return float(np.sqrt(2.0 / np.pi)), 1.0 - 2.0 / np.pi, shared, fresh
    linear, beyond = _named(activation) if isinstance(activation, str) else _expand(activation)
    # A grid of parameters repeats its times: one series for each distinct one.
    distinct, where = np.unique(t, return_inverse=True)
    exponent = -2.0 * distinct[:, None] * (2.0 * np.arange(beyond.size) + 3.0)
    shared, fresh = np.exp(exponent) @ beyond, -np.expm1(exponent) @ beyond
    where = where.reshape(t.shape)
    return linear, float(beyond.sum()), shared[where], fresh[where]


def _arcsine_beyond_linear(
    rho: NDArray[np.float64], angle: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``arcsin(rho) - rho``; its leading terms where the difference would cancel."""
    square = rho * rho
    series = rho * square * (1 / 6 + square * (3 / 40 + square * (15 / 336 + square * 105 / 3456)))
    return np.where(rho < 0.01, series, np.pi / 2.0 - angle - rho)


@lru_cache(maxsize=8)
def _named(name: str) -> tuple[float, NDArray[np.float64]]:
    if name not in _NAMED:
        raise ValueError(
            f"activation is {name!r}, expected one of {', '.join(map(repr, _NAMED))} or an odd "
            "callable: activations with an even part, such as relu, have no such theory here"
        )
    return _expand(_NAMED[name])


def _expand(activation: Any) -> tuple[float, NDArray[np.float64]]:
    """``c_1`` and ``c_3^2, c_5^2, ...`` of an odd activation, until Parseval's sum is exhausted."""
    g = np.linspace(_STEP, _REACH, int(_REACH / _STEP))
    value = _odd_values(activation, g)
    root_density = np.exp(-(g**2) / 4.0) / (2.0 * np.pi) ** 0.25
    weighted = 2.0 * _STEP * value * root_density
    total = float(weighted @ (value * root_density))
    coarse = float(2.0 * weighted[1::2] @ (value * root_density)[1::2])
    if total == 0.0:
        raise ValueError("activation is 0 everywhere, expected an odd function that is not")
    previous, current = root_density, g * root_density
    coefficients: list[float] = []
    residual, order = total, 1
    while order <= _LARGEST_ORDER:
        coefficients.append(float(weighted @ current))
        residual -= coefficients[-1] ** 2
        if residual <= 1e-14 * total:
            break
        for k in (order, order + 1):
            previous, current = (
                current,
                (g * current - np.sqrt(k) * previous) / np.sqrt(k + 1.0),
            )
        order += 2
    if residual > _TOLERANCE * total or abs(coarse - total) > _TOLERANCE * total:
        raise ValueError(
            "activation is too rough for its Hermite series to converge to 1e-10: expected a "
            "smooth odd function, use one without kinks or jumps"
        )
    return coefficients[0], np.square(coefficients[1:])


def _odd_values(activation: Any, g: NDArray[np.float64]) -> NDArray[np.float64]:
    if not callable(activation):
        raise TypeError(f"activation is {activation!r}, expected a name or a callable")
    value, mirrored = (np.asarray(activation(x), dtype=np.float64) for x in (g, -g))
    if value.shape != g.shape or mirrored.shape != g.shape:
        raise ValueError(
            f"activation maps shape {g.shape} to {value.shape}, expected an element-wise function"
        )
    if not (np.isfinite(value).all() and np.isfinite(mirrored).all()):
        raise ValueError("activation is not finite on [-13, 13], expected finite values")
    if np.abs(value + mirrored).max() > 1e-12 * np.abs(value).max():
        raise ValueError(
            "activation is not odd, expected activation(-x) = -activation(x): "
            "replace it by an odd one, such as tanh or erf"
        )
    return value
