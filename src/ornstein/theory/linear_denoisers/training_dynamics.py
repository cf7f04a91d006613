r"""A linear denoiser while it trains: weights, emergence, and the variance it generates.

Population with covariance eigenvalues ``lambda_k``. At each EDM noise s a linear denoiser
``D(x) = mu + W (x - mu)`` follows full-batch gradient flow, at rate eta, of

    L(W) = E |D(x + s z) - x|^2 = sum_k [ lambda_k (1 - W_k)^2 + s^2 W_k^2 ],

from a start Q aligned with the eigenvectors. Every mode moves alone, towards
``W*_k = lambda_k / (lambda_k + s^2)``. In training time tau, **one layer** has

    W_k(tau) = W*_k + (Q - W*_k) e^{-2 eta tau (s^2 + lambda_k)},

and **two symmetric layers**, ``W = P P^T``, obey the logistic equation of rate
``8 eta lambda_k``,

    W_k(tau) = W*_k Q / [ (W*_k - Q) e^{-8 eta lambda_k tau} + Q ].

For small Q the mode emerges at a time proportional to ``1/lambda_k``: ``1/W_k`` is half way at
``tau = ln 2 / (8 eta lambda_k)``, where ``W_k`` is the harmonic mean of Q and ``W*_k``.

**Generated variance** (one layer). The probability-flow ODE ``dx/ds = (x - D(x)) / s`` from
``N(mu, s_T^2)`` at ``s_T`` to ``s_0`` multiplies mode k by ``Phi(s_0) / Phi(s_T)``. With
``a = 2 eta tau`` and the exponential integral ``E_1(x) = -Ei(-x)``, which neither overflows nor
alternates, and ``[f]`` for ``f(s_0) - f(s_T)``,

    ln variance = ln s_T^2 + [ln(lambda + s^2)] - (1-Q) e^{-a lambda} [E_1(a s^2)]
                + [E_1(a (s^2 + lambda))],

from ``s_T^2 (s_0/s_T)^{2 (1-Q)}`` at ``tau = 0`` to ``s_T^2 (lambda+s_0^2)/(lambda+s_T^2)``, which
is nearly ``lambda``, at ``tau = infinity``.

References
----------
Wang, Pehlevan, "An analytical theory of spectral bias in the learning dynamics of diffusion
models", arXiv 2503.03206.
"""

from __future__ import annotations

__all__ = ["denoiser_weight", "two_layer_weight", "emergence_time", "generated_variance"]

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import exp1, exprel

from ornstein.validation import as_between, as_positive, float_or_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_LARGEST, _NARROWEST, _WIDEST = 1e300, 1e-150, 1e150  # sums and squares are numbers
_EARLY = 1e-8


def denoiser_weight(
    eigenvalues: ArrayLike,
    noise_std: ArrayLike,
    train_time: ArrayLike,
    rate: ArrayLike = 1.0,
    init: ArrayLike = 0.0,
) -> float | NDArray[np.float64]:
    """Weight ``W_k(tau)`` of a mode of the one-layer linear denoiser.

    Parameters broadcast like NumPy arrays.

    Parameters
    ----------
    eigenvalues : array-like
        Population variances ``lambda_k`` of the modes, 0 to 1e300, in squared data units.
    noise_std : array-like
        EDM noise ``s``, 0 to 1e150, in data units.
    train_time : array-like
        ``tau >= 0``; ``eta tau`` is in inverse squared data units.
    rate : array-like
        Learning rate ``eta > 0``.
    init : array-like
        Weight Q at ``tau = 0``.

    Returns
    -------
    float or ndarray
        Dimensionless.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    References
    ----------
    Wang, Pehlevan, arXiv 2503.03206.

    Examples
    --------
    >>> denoiser_weight(3.0, 1.0, train_time=[0.0, 0.1, 10.0])
    array([0. , 0.413003, 0.75 ])
    """
    lam, s2, tau = _as_modes(eigenvalues, noise_std, train_time, rate)
    total = s2 + lam
    # Of a mode without variance and noise the optimum is 0, and nothing moves it.
    optimum = np.divide(lam, total, out=np.zeros(total.shape), where=total > 0)
    decay = _path(2.0 * tau, total)
    weight = _as_init(init) * np.exp(-decay) - optimum * np.expm1(-decay)
    return float_or_array(weight)


def two_layer_weight(
    eigenvalues: ArrayLike,
    noise_std: ArrayLike,
    train_time: ArrayLike,
    rate: ArrayLike = 1.0,
    init: ArrayLike = 0.1,
) -> float | NDArray[np.float64]:
    """Weight ``W_k(tau)`` of a mode of the two-layer symmetric linear denoiser ``P P^T``.

    Parameters
    ----------
    eigenvalues, noise_std, train_time, rate
        As for `denoiser_weight`, which raises the same errors.
    init : array-like
        Weight ``Q >= 0`` at ``tau = 0``, the square of each layer's. 0 is a fixed point.

    Returns
    -------
    float or ndarray
        Dimensionless.

    References
    ----------
    Wang, Pehlevan, arXiv 2503.03206.

    Examples
    --------
    >>> two_layer_weight(3.0, 1.0, train_time=[0.0, 0.1, 10.0], init=0.01)
    array([0.01 , 0.097237, 0.75 ])
    """
    lam, s2, tau = _as_modes(eigenvalues, noise_std, train_time, rate)
    start = as_between(init, "init", 0.0, _LARGEST)
    growth = _path(8.0 * tau, lam)
    # The same fraction divided by W*: 1/W* (1 - e^{-growth}) has a limit where lambda = 0.
    with np.errstate(over="ignore"):  # Q falls to 0 where it is infinite
        early = 8.0 * tau * (lam + s2) * exprel(-np.minimum(growth, 1.0))
        inverse = np.divide(lam + s2, lam, out=np.zeros(np.shape(growth)), where=growth > 1)
        saturation = np.where(growth > 1, inverse * -np.expm1(-growth), early)
        # 0 times infinity: where Q = 0 it stays.
        denominator = np.exp(-growth) + _path(start, np.minimum(saturation, _LARGEST))
    # Q = 0 stays there, also once the denominator has underflowed.
    out = np.zeros(np.broadcast(start, denominator).shape)
    weight = np.divide(start, denominator, out=out, where=start > 0)
    return float_or_array(weight)


def emergence_time(eigenvalues: ArrayLike, rate: ArrayLike = 1.0) -> float | NDArray[np.float64]:
    """Training time ``ln 2 / (8 eta lambda_k)`` at which a two-layer denoiser learns a mode.

    Parameters
    ----------
    eigenvalues : array-like
        Population variances ``lambda_k >= 0``, in squared data units.
    rate : array-like
        Learning rate ``eta > 0``.

    Returns
    -------
    float or ndarray
        Time at which the weight is the harmonic mean of its start and its end, whatever the
        noise; ``inf`` for ``lambda_k = 0``.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    References
    ----------
    Wang, Pehlevan, arXiv 2503.03206.

    Examples
    --------
    >>> emergence_time([1.0, 0.01])
    array([0.0866434 , 8.66433976])
    """
    lam = as_positive(eigenvalues, "eigenvalues", zero=True)
    with np.errstate(divide="ignore"):
        return float_or_array(np.log(2.0) / (8.0 * as_positive(rate, "rate")) / lam)


def generated_variance(
    eigenvalues: ArrayLike,
    train_time: ArrayLike,
    rate: ArrayLike = 1.0,
    sigma_min: ArrayLike = 0.002,
    sigma_max: ArrayLike = 80.0,
    init: ArrayLike = 0.0,
) -> float | NDArray[np.float64]:
    """Variance of a mode of the samples of a one-layer denoiser trained for a time tau.

    Parameters broadcast like NumPy arrays.

    Parameters
    ----------
    eigenvalues : array-like
        Population variances ``lambda_k``, 0 to 1e300, in squared data units.
    train_time, rate : array-like
        ``tau >= 0`` and ``eta > 0``.
    sigma_min, sigma_max : array-like
        Noises ``s_0 <= s_T``, 1e-150 to 1e150, in data units, between which the ODE runs.
    init : array-like
        Weight Q of the denoiser at ``tau = 0``, at every noise.

    Returns
    -------
    float or ndarray
        In squared data units. From ``Q > 1`` it grows like ``(s_T / s_0)^(2 Q - 2)`` before the
        denoiser has learned, and may leave the range of float64: ``inf``.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    References
    ----------
    Wang, Pehlevan, arXiv 2503.03206.

    Examples
    --------
    >>> generated_variance([1.0, 0.01], [1.0, 100.0], init=0.1)
    array([0.2697064, 0.00472791])
    """
    lam = as_between(eigenvalues, "eigenvalues", 0.0, _LARGEST)
    low = np.square(as_between(sigma_min, "sigma_min", _NARROWEST, _WIDEST))
    high = np.square(as_between(sigma_max, "sigma_max", _NARROWEST, _WIDEST))
    if np.any(low > high):
        raise ValueError(
            f"sigma_min is {np.max(np.sqrt(low)):g} and sigma_max {np.min(np.sqrt(high)):g}, "
            "expected sigma_min <= sigma_max"
        )
    a = _path(2.0 * as_positive(rate, "rate"), as_positive(train_time, "train_time", zero=True))
    a = np.minimum(a, _LARGEST)
    learned = _exp1_drop(a, low + lam, high + lam)
    start = (1.0 - _as_init(init)) * np.exp(-_path(a, lam)) * _exp1_drop(a, low, high)
    log_variance = np.log(high) + np.log(low + lam) - np.log(high + lam) + learned - start
    with np.errstate(over="ignore"):
        return float_or_array(np.exp(log_variance))


def _exp1_drop(
    a: NDArray[np.float64], low: NDArray[np.float64], high: NDArray[np.float64]
) -> NDArray[np.float64]:
    """``E_1(a low) - E_1(a high)``, with its limit ``ln(high / low)`` at ``a = 0``."""
    near, far = (np.minimum(_path(a, noise), _LARGEST) for noise in (low, high))
    # E_1(x) = -gamma - ln x + x + O(x^2): near 0 the logarithms are subtracted on paper.
    log_a = np.log(np.maximum(a, 1e-300))
    early = np.log(high) - np.log(low) + np.where(far < _EARLY, near - far, 0.0)
    begin = np.where(near < _EARLY, near - np.euler_gamma - log_a - np.log(low), 0.0)
    begin = np.where(near < _EARLY, begin, exp1(np.maximum(near, _EARLY)))
    return np.where(far < _EARLY, early, begin - exp1(np.maximum(far, _EARLY)))


def _path(rate: NDArray[np.float64], time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Their product, 0 where one is; where it overflows, all has happened."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.where((rate > 0) & (time > 0), rate * time, 0.0)


def _as_modes(
    eigenvalues: ArrayLike, noise_std: ArrayLike, train_time: ArrayLike, rate: ArrayLike
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    lam = as_between(eigenvalues, "eigenvalues", 0.0, _LARGEST)
    s2 = np.square(as_between(noise_std, "noise_std", 0.0, _WIDEST))
    tau = _path(as_positive(train_time, "train_time", zero=True), as_positive(rate, "rate"))
    lam, s2, tau = np.broadcast_arrays(lam, s2, np.minimum(tau, _LARGEST))
    return lam, s2, tau


def _as_init(init: ArrayLike) -> NDArray[np.float64]:
    return as_between(init, "init", -_LARGEST, _LARGEST)
