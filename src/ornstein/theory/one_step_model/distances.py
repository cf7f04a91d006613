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
others have errors ``O(1/d)``, by :mod:`~ornstein.theory.one_step_model.log_determinant` and
:mod:`~ornstein.theory.one_step_model.potential`; at the threshold

    n* = d / rho2

the law of ``ln det`` changes and its error is ``O(d^{-1/2})``. For ``nu < d`` the law has rank nu:
KL is infinite, Hellinger^2 is 1. (``KL(population || generated)`` has an infinite expectation at
every n; this package reports the other direction.)

References
----------
Halder, arXiv 2411.17807 (the model, its limit). The expectations at finite n, the threshold and the
corrections are this project's.
"""

from __future__ import annotations

__all__ = ["OneStepTheory", "one_step"]

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.theory.one_step_model.log_determinant import one_step_log_det
from ornstein.theory.one_step_model.potential import one_step_log_affinity, one_step_nuclear_norm
from ornstein.validation import as_counts, as_positive, float_or_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


class OneStepTheory(NamedTuple):
    """What `one_step` returns; each entry a float, or an array of the broadcast shape."""

    signal_fraction: Any
    """``rho2``, between 0 and 1."""
    threshold: Any
    """``n* = d / rho2``."""
    kl: Any
    """``E KL(generated || population)``, total nats; ``inf`` for ``n - 1 <= d + 1``."""
    trace: Any
    """``E tr Sigma_G / (d sigma^2)``; ``inf`` for ``|n - 1 - d| <= 1``."""
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
        Population standard deviation sigma > 0, in data units.

    Returns
    -------
    OneStepTheory

    Raises
    ------
    TypeError
        If dim or n_train is no whole number.
    ValueError
        If a parameter is out of its range.

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
    T = as_positive(time, "time")
    noise = as_positive(noise_scale, "noise_scale", zero=True)
    variance = as_positive(std, "std") ** 2
    d, n, T, noise, variance = np.broadcast_arrays(d, n, T, noise, variance)
    rho2 = variance / (variance - noise * np.expm1(-2 * T))

    trace = _trace(d, n - 1, rho2)
    drift = d / n * (1 + (1 - rho2) * trace)
    log_det = np.asarray(one_step_log_det(d, n, rho2))
    nuclear = np.asarray(one_step_nuclear_norm(d, n, rho2))
    finite = np.isfinite(trace)
    kl = (d * (trace - 1) - np.where(finite, log_det, 0.0) + drift) / 2
    wasserstein = np.where(finite, d * (trace + 1) - 2 * nuclear + drift, np.inf)
    fields = (
        rho2,
        d / rho2,
        np.where(n - 1 <= d + 1, np.inf, kl),
        trace,
        log_det,
        -np.expm1(np.asarray(one_step_log_affinity(d, n, rho2))),
        variance * np.maximum(wasserstein, 0.0),
        0.5 * d * ((rho2 - 1) - np.log(rho2)),
    )
    return OneStepTheory(*map(float_or_array, fields))


def _trace(d: Array, nu: Array, rho2: Array) -> Array:
    """``E tr Sigma_G / (d sigma^2)``."""
    above, below = nu - d - 1, d - nu - 1
    noise_above = np.divide(d, above, out=np.full(d.shape, np.inf), where=above > 0)
    noise_below = np.divide(nu, below, out=np.full(d.shape, np.inf), where=below > 0)
    # Without noise the model reproduces the span of its data, also where 0 meets infinity.
    silent = rho2 == 1
    noise = np.where(silent, 0.0, np.where(nu >= d, noise_above, noise_below))
    return rho2 * np.minimum(nu / d, 1.0) + np.where(silent, 0.0, (1 - rho2)) * noise
