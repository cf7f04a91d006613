r"""What the one-step model generates, on average over training sets, for any population spectrum.

Population ``N(m, Sigma)`` with eigenvalues ``lambda_k``; the one-step model of
:mod:`ornstein.denoisers.regression`, whose start ``N(e^{-T} xbar, v I)`` is isotropic. With
``mu = noise_scale (1 - e^{-2T})``, ``nu = n - 1``:

    rho2_k = lambda_k / (lambda_k + mu)                 what part of the variance is signal
    n* = sum_k 1 / rho2_k                               below, singular values of the map reach 0
    Sigma_G -> diag( (mean(lambda) + mu) rho2_k^2 )     at infinite n

and, with the moments of :mod:`~ornstein.theory.one_step_model.anisotropic_moments`, the
log-determinant of :mod:`~ornstein.theory.one_step_model.anisotropic_log_det`, nuclear norm and
affinity of :mod:`~ornstein.theory.one_step_model.anisotropic_potential`,

    2 E KL(G || pop) = E tr Sigma^{-1} Sigma_G - d - E ln det Sigma^{-1} Sigma_G
                       + E dmu^T Sigma^{-1} dmu,
    E W2^2 = E tr Sigma_G + tr Sigma - 2 E tr (Sigma^{1/2} Sigma_G Sigma^{1/2})^{1/2} + E |dmu|^2.

All of it is one sentence worked out: given the noisy points, the fitted map is a diagonal matrix
plus ``diag(r)^{1/2} N S^{-1/2} diag(T)^{1/2}`` in law. For equal eigenvalues these are the results
of :func:`~ornstein.theory.one_step`.

**Singular populations.** Distances are taken within the support, of dimension d_s. KL is finite
from ``n - 1 = d_s`` on, even for ``n - 1 < d``: the coordinates that never vary add noise to
regress on, but need not be generated.

References
----------
Halder, arXiv 2411.17807 (the model, for isotropic data). This project (all expectations); they
start from the deterministic equivalent of Hachem, Loubaton, Najim, Ann. Appl. Probab. 17 (2007).
"""

from __future__ import annotations

__all__ = ["one_step_anisotropic"]

from typing import TYPE_CHECKING

import numpy as np

from ornstein.theory.one_step_model.anisotropic_log_det import ZERO, log_determinant
from ornstein.theory.one_step_model.anisotropic_moments import (
    fitted_second_moment,
    log_start_variance,
    start_variance_covariance,
)
from ornstein.theory.one_step_model.anisotropic_potential import (
    log_affinity,
    nuclear_norm,
    nuclear_norm_covariance,
)
from ornstein.theory.one_step_model.distances import OneStepTheory
from ornstein.theory.one_step_model.finite_population import potential_shift, second_moment_shift
from ornstein.theory.one_step_model.noised_modes import condensed, linear_map, noised_modes
from ornstein.validation import as_counts, as_spectrum, float_or_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ornstein.theory.one_step_model.noised_modes import NoisedModes

    Array = NDArray[np.float64]


def one_step_anisotropic(
    eigenvalues: ArrayLike,
    n_train: ArrayLike,
    time: float = 2.0,
    noise_scale: float = 1.0,
    *,
    population_size: int | None = None,
    fitted_variance: bool = False,
) -> OneStepTheory:
    """Expected distances of the one-step model to a Gaussian population of any covariance.

    Parameters
    ----------
    eigenvalues : array-like of shape (d,)
        Of the population's covariance, >= 0, in squared data units.
    n_train : array-like of int
        Number of training points n >= 2.
    time : float
        Diffusion time T > 0.
    noise_scale : float
        ``lambda_ >= 0``, in squared data units.
    population_size : int, optional
        If training sets are drawn without replacement from N points, whose sample covariance has
        these `eigenvalues`: N. Distances are then to ``N(mean, covariance)`` of all points.
    fitted_variance : bool
        Count the fluctuations of the start variance v, which the model takes from its training
        set. They matter where few modes dominate. False, as in `one_step`: v of the population.
        (The affinity has v of the population in either case.)

    Returns
    -------
    OneStepTheory
        Its `trace` is ``E tr Sigma_G / tr Sigma``, its `log_det` ``E ln det Sigma^{-1} Sigma_G``
        within the support; `signal_fraction` has one entry per eigenvalue, in the given order;
        `threshold` is infinite for a singular population with noise. All others have the shape of
        `n_train`.

    Raises
    ------
    TypeError
        If n_train or population_size is no whole number.
    ValueError
        If a parameter is out of its range, or n_train exceeds population_size.

    See Also
    --------
    ornstein.theory.one_step : The isotropic case, in closed form.

    Notes
    -----
    KL is infinite for ``n - 1`` below the rank and, as the trace is, for ``|n - 1 - d| <= 1``.
    Errors are ``O(1/d)`` in total nats and in units of the mean eigenvalue, ``O(d^{-1/2})`` for
    what contains the log-determinant near ``n*``; d counts the modes that matter.

    References
    ----------
    This project; Hachem, Loubaton, Najim, Ann. Appl. Probab. 17 (2007).

    Examples
    --------
    >>> import numpy as np
    >>> spectrum = 1 / np.arange(1, 101)
    >>> result = one_step_anisotropic(100 * spectrum / spectrum.sum(), [40, 180, 400])
    >>> result.threshold
    357.164...
    >>> result.wasserstein_squared
    array([52.8..., 31.6..., 23.0...])
    >>> result.kl
    array([        inf, 61.2..., 33.8...])
    """
    spectrum = as_spectrum(eigenvalues)
    modes = noised_modes(spectrum, time, noise_scale)
    n = as_counts(n_train, "n_train", at_least=2)
    if population_size is not None:
        size = float(as_counts(population_size, "population_size", at_least=2))
        if (n > size).any():
            raise ValueError(
                f"n_train is {n.max():g}, expected at most population_size = {size:g}: without "
                "replacement no more points can be drawn"
            )
    else:
        size = np.inf
    nodes = condensed(modes)
    rows = np.array([_distances(modes, nodes, m, size, fitted_variance) for m in n.ravel()])
    trace, log_det, kl, hellinger, wasserstein = rows.T.reshape(5, *n.shape)
    positive = modes.eigenvalue > 0
    limit = modes.start_variance * modes.signal_fraction[positive] ** 2 / modes.eigenvalue[positive]
    distance = modes.weight[positive] @ (limit - 1.0 - np.log(limit)) / 2.0
    with np.errstate(divide="ignore"):
        threshold = float(modes.weight @ (1.0 + modes.noise_ratio))
    noise = modes.noise * modes.scale
    fraction = np.divide(
        spectrum, spectrum + noise, out=np.zeros_like(spectrum), where=spectrum > 0
    )
    return OneStepTheory(
        signal_fraction=fraction,
        threshold=threshold,
        kl=float_or_array(kl),
        trace=float_or_array(trace),
        log_det=float_or_array(log_det),
        hellinger_squared=float_or_array(hellinger),
        wasserstein_squared=float_or_array(modes.scale * np.maximum(wasserstein, 0.0)),
        kl_infinite_data=float(distance),
    )


def _distances(
    modes: NoisedModes, nodes: NoisedModes, n: float, size: float, fitted: bool
) -> tuple[float, float, float, float, float]:
    """Trace, log_det, KL, squared Hellinger and Wasserstein, in units of the mean eigenvalue."""
    nu, d, start = n - 1.0, modes.dim, modes.start_variance
    fraction, mean_variance = nu / (size - 1.0), 1.0 / n - 1.0 / size
    positive = modes.eigenvalue > 0
    inverse = np.divide(1.0, modes.eigenvalue, out=np.zeros(positive.shape), where=positive)

    second = fitted_second_moment(modes, nu)
    if not np.isfinite(second).all():
        log_det, affinity = _whitened(nodes, n, size)
        return np.inf, log_det, np.inf, -float(np.expm1(affinity)), np.inf
    if np.isfinite(size):
        second = second + second_moment_shift(modes, nu) / (size - 1.0)
    covariance, log_shift, root_shift = np.zeros_like(second), 0.0, 0.0
    if fitted:
        spread = log_start_variance(modes, nu, fraction)
        covariance = start_variance_covariance(modes, nu, fraction)
        log_shift, root_shift = -0.5 * spread * modes.rank, -0.125 * spread
    generated = start * second + covariance
    mean = mean_variance * modes.eigenvalue + modes.noise / n * second

    trace = float(modes.weight @ generated)
    K = linear_map(nodes, nu, 1.0)
    norm2 = float(modes.weight @ (modes.eigenvalue * start * second))
    nuclear = nuclear_norm(K, norm2, nodes, size) * (1.0 + root_shift)
    if fitted:
        moved = nuclear_norm_covariance(K, nodes, norm2) * (1.0 - fraction)
        nuclear += moved / (d * nu * start)
    wasserstein = trace + modes.weight @ modes.eigenvalue - 2.0 * nuclear + modes.weight @ mean

    log_det, affinity = _whitened(nodes, n, size)
    log_det += log_shift
    kl = np.inf
    if np.isfinite(log_det):
        whitened = float(modes.support @ ((generated + mean) * inverse))
        kl = (whitened - modes.rank - log_det) / 2.0
    return trace / d, log_det, kl, -float(np.expm1(affinity)), float(wasserstein)


def _whitened(nodes: NoisedModes, n: float, size: float) -> tuple[float, float]:
    """``E ln det Sigma^-1 Sigma_G`` and the logarithm of the expected affinity."""
    K = linear_map(nodes, n - 1.0, -1.0)
    b = 1.0 + nodes.noise / (2.0 * n * nodes.start_variance)
    t = (1.0 + (1.0 / n - 1.0 / size) / 2.0) / b
    origin, shift = log_determinant(K), 0.0
    if np.isfinite(size) and np.isfinite(origin.mean):
        at_zero, shift = potential_shift(K, nodes, np.array([ZERO, t])) / (size - 1.0)
        origin = origin._replace(mean=origin.mean + float(at_zero))
    return origin.mean, log_affinity(K, origin, t, b, float(shift))
