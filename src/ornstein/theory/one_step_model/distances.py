r"""What the one-step linear denoiser generates, on average over training sets.

Data ``N(m, sigma^2 I_d)``, ``n`` training points, noising ``y = e^{-T} x + sqrt(v_z) z``,
``nu = n - 1``. The generated law is ``N(mu_G, Sigma_G)`` of :mod:`ornstein.denoisers.regression`.
At infinite n it is ``N(m, rho2 sigma^2 I)``,

    rho2 = 1 / (1 + lambda_ (1 - e^{-2T}) / sigma^2),     KL_inf / d = (rho2 - 1 - ln rho2) / 2,

so the one-step model stays biased for ever. At finite n, in units of the population variance,

    E tr Sigma_G = d [ rho2 + (1-rho2) d / (nu-d-1) ]             nu > d + 1
                 = rho2 nu + (1-rho2) d nu / (d-nu-1)             nu < d - 1
    E |mu_G - m|^2 = (d/n) [ 1 + (1-rho2) E tr Sigma_G / d ],
    E KL(G || pop) = ( E tr - d - E ln det + E |mu|^2 ) / 2,
    E W2^2 = E tr - 2 E tr Sigma_G^{1/2} + d + E |mu|^2.

The first two are exact up to ``O(1/n)`` from the plug-in of ``s_x^2``, and infinite for
``|nu - d| <= 1``: the smallest singular value of a nearly square noisy matrix is inverted. The
log-determinant is exact too (:mod:`~ornstein.theory.one_step_model.exact_log_determinant`), and KL
with it; the others have errors ``O(1/d)``, by :mod:`~ornstein.theory.one_step_model.potential`. At
the threshold

    n* = d / rho2

the law of ``ln det`` changes. For ``nu < d`` the law has rank nu: KL is infinite, Hellinger^2 is 1.
(``KL(population || generated)`` has an infinite expectation at every n; this package reports the
other direction.)

References
----------
Halder, arXiv 2411.17807 (the model, its limit). The expectations at finite n, the threshold and the
corrections are this project's.
"""

from __future__ import annotations

__all__ = ["OneStepTheory", "one_step"]

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.theory.one_step_model.log_determinant import mean_log_det
from ornstein.theory.one_step_model.potential import (
    mean_log_affinity,
    mean_nuclear_norm,
    one_step_setting,
)
from ornstein.validation import as_between, as_counts, as_positive, float_or_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_NARROWEST, _WIDEST, _LOUDEST = 1e-140, 1e140, 1e140  # their squares are numbers


class OneStepTheory(NamedTuple):
    """What `one_step` returns; each entry a float, or an array of the broadcast shape."""

    signal_fraction: Any
    """``rho2``, between 0 and 1."""
    threshold: Any
    """``n* = d / rho2``."""
    kl: Any
    """``E KL(generated || population)``, total nats; ``inf`` where the trace is and for
    ``n - 1 < d``."""
    trace: Any
    """``E tr Sigma_G / (d sigma^2)``; with noise ``inf`` for ``|n - 1 - d| <= 1``."""
    log_det: Any
    """``E ln det(Sigma_G / sigma^2)``, total nats; ``-inf`` for ``n - 1 < d``."""
    hellinger_squared: Any
    """``1 - E int sqrt(p q)``, between 0 and 1; 1 for ``n - 1 < d``."""
    wasserstein_squared: Any
    """``E W2^2``, in squared data units; ``inf`` where the trace is."""
    kl_infinite_data: Any
    """KL in the limit of infinite data, total nats."""


def one_step(
    dim: ArrayLike,
    n_train: ArrayLike,
    time: ArrayLike = 2.0,
    noise_scale: ArrayLike = 1.0,
    std: ArrayLike = 1.0,
) -> OneStepTheory:
    """Expected distances of the one-step model to its isotropic Gaussian population.

    Parameters broadcast like NumPy arrays.

    Parameters
    ----------
    dim : array-like of int
        Dimension d >= 1.
    n_train : array-like of int
        Number of training points n >= 2.
    time : array-like
        Diffusion time T > 0.
    noise_scale : array-like
        ``lambda_ >= 0``, in squared data units.
    std : array-like
        Population standard deviation sigma, 1e-140 to 1e140 data units; the root of the noise is
        at most 1e140 of it.

    Returns
    -------
    OneStepTheory

    Raises
    ------
    TypeError
        If dim or n_train is no whole number, or a value no real number.
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    Where the errors of order 1/d are largest, at d = 1 and 2, the squared Hellinger distance is off
    by 0.05 and less, and Wasserstein by a tenth; trace and log-determinant have none. Just below
    n = d, for d = 4 to 16 and ``|n - 1 - d|`` of 2 to 5, Wasserstein is within ``0.3/d`` of itself.
    For ``|n - 1 - d|`` of 2 and 3 the variance over training sets is infinite: the mean of some
    simulations says little of the expectation, and lies below it most often.

    References
    ----------
    Halder, arXiv 2411.17807; expectations at finite n: this project.

    Examples
    --------
    >>> result = one_step(100, [50, 400])
    >>> result.threshold, result.kl_infinite_data
    (array([198.168..., 198.168...]), array([9.428420, 9.428420]))
    >>> result.kl
    array([        inf, 18.108...])
    >>> one_step(100, 400).wasserstein_squared
    13.83...
    """
    d, n = as_counts(dim, "dim"), as_counts(n_train, "n_train", at_least=2)
    d, n, ratio, variance = np.broadcast_arrays(d, n, *noise_ratio(time, noise_scale, std))
    # Of the ratio both fractions have all their digits.
    rho2, noise = 1 / (1 + ratio), ratio / (1 + ratio)

    trace = _trace(d, n - 1, rho2, noise)
    with np.errstate(invalid="ignore"):
        drift = d / n * (1 + np.where(noise > 0, noise * trace, 0.0))
    log_det = mean_log_det(d, n, rho2, noise)
    nuclear = mean_nuclear_norm(one_step_setting(d, n, rho2, noise))
    full, finite = n - 1 >= d, np.isfinite(trace)
    kl = (_trace_excess(d, n - 1, noise) - np.where(full, log_det, 0.0) + drift) / 2
    wasserstein = np.where(finite, d * (trace + 1) - 2 * nuclear + drift, np.inf)
    fields = (
        rho2,
        d * (1 + ratio),
        np.where(full & finite, kl, np.inf),
        trace,
        log_det,
        -np.expm1(mean_log_affinity(d, n, rho2, noise)),
        variance * np.maximum(wasserstein, 0.0),
        0.5 * d * _limit(ratio, noise),
    )
    return OneStepTheory(*map(float_or_array, fields))


def noise_ratio(time: ArrayLike, noise_scale: ArrayLike, std: ArrayLike) -> tuple[Array, Array]:
    """Noise over signal of a noised coordinate, ``1/rho2 - 1``, and the variance of the data.

    Raises
    ------
    TypeError
        If a parameter holds no real numbers.
    ValueError
        If one is out of its range, or the noise drowns the signal.
    """
    T = as_positive(time, "time")
    scale = as_positive(noise_scale, "noise_scale", zero=True)
    sigma = as_between(std, "std", _NARROWEST, _WIDEST)
    T, scale, sigma = np.broadcast_arrays(T, scale, sigma)
    root = np.sqrt(-np.expm1(-2 * T)) * np.sqrt(scale) / sigma
    drowned = root > _LOUDEST
    if drowned.any():
        raise ValueError(
            f"noise_scale is {scale[drowned][0]:g} where std is {sigma[drowned][0]:g}, expected a "
            "root of the noise below 1e140 std"
        )
    return root**2, sigma**2


def _trace(d: Array, nu: Array, rho2: Array, noise: Array) -> Array:
    """``E tr Sigma_G / (d sigma^2)``."""
    above, below = nu - d - 1, d - nu - 1
    noise_above = np.divide(d, above, out=np.full(d.shape, np.inf), where=above > 0)
    noise_below = np.divide(nu, below, out=np.full(d.shape, np.inf), where=below > 0)
    gain = np.where(nu >= d, noise_above, noise_below)
    # Without noise the model reproduces the span of its data, also where 0 meets infinity.
    added = np.multiply(noise, gain, out=np.zeros(d.shape), where=noise > 0)
    return rho2 * np.minimum(nu / d, 1.0) + added


def _trace_excess(d: Array, nu: Array, noise: Array) -> Array:
    """``E tr Sigma_G / sigma^2 - d`` for ``nu >= d``, without cancellation."""
    gain = np.divide(2 * d + 1 - nu, nu - d - 1, out=np.full(d.shape, np.inf), where=nu > d + 1)
    return d * np.multiply(noise, gain, out=np.zeros(d.shape), where=noise > 0)


def _limit(ratio: Array, noise: Array) -> Array:
    """``rho2 - 1 - ln rho2``."""
    order = np.arange(2, 19)
    series = np.polynomial.polynomial.polyval(
        np.minimum(noise, 0.1), np.concatenate([[0.0, 0.0], 1.0 / order])
    )
    return np.where(noise < 0.1, series, np.log1p(ratio) - noise)
