r"""Samplers with a linear denoiser, exactly: what becomes of a mean and of a variance.

For data ``N(m, C)`` the best denoiser of ``y = x_0 + s z`` is linear, and diagonal in the
eigenbasis of C: with ``lambda`` an eigenvalue,

    D(y; s) = m + w (y - m),        w(s) = lambda / (lambda + s^2).

Then every step of :mod:`ornstein.diffusion.samplers` is affine. It takes the noised mean ``alpha
m`` to the next one, so it multiplies the deviation ``x - alpha m``; the factor of a stage is
``point + denoised w / alpha``. Along one eigenvector a whole trajectory is two numbers, its
*response*,

    x_final - m = transfer (x_first - alpha m) + sqrt(added) z,

and a Gaussian start becomes a Gaussian, with mean and variance in closed form, at every number of
steps. Two laws of the start (at the first level, ``sigma = alpha s``):

*standard*, ``N(0, (alpha^2 + sigma^2) I)``: the noised law of centred data of unit variance. For
other data the generated mean and variance keep part of the difference;

*marginal*, ``N(alpha m, alpha^2 C + sigma^2 I)``: the noised law of the denoiser's own data.

**Infinitely many steps** from noise ``s_a`` down to ``s_b``, with a part ``eta^2`` of the reverse
SDE's noise. They are the ODE drift, and ``eta^2`` times a Langevin dynamics that leaves the noised
law invariant. The drift multiplies deviations by ``R^(-1/2)``, the dynamics by ``R^(-eta^2/2)``,
and invariance fixes the noise,

    R = (lambda + s_a^2) / (lambda + s_b^2),
    y_b - m = R^(-(1 + eta^2)/2) (y_a - m) + sqrt((lambda + s_b^2) (1 - R^(-eta^2))) z,

followed by the step from ``s_b`` to 0, ``x - m = w(s_b) (y_b - m)``. For ``s_b = 0`` and a marginal
start the law is ``N(m, C)`` again. Of a deviation at the start the ODE (``eta = 0``) keeps a factor
``R^(-1/2)``, the SDE (``eta = 1``) only ``R^(-1)``.

References
----------
Song, Sohl-Dickstein, Kingma, Kumar, Ermon, Poole, arXiv 2011.13456 (SDE and ODE of one law). Wang,
Vastola, "The unreasonable effectiveness of Gaussian score approximation for diffusion models",
arXiv 2412.09726 (ODE solution for Gaussian data). The recursion over steps, and the family in eta,
are derived here.
"""

from __future__ import annotations

__all__ = [
    "Response",
    "optimal_gain",
    "sampler_response",
    "limit_response",
    "GeneratedModes",
    "Start",
    "generated_modes",
]

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from ornstein.validation import as_positive

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ornstein.diffusion.samplers import Trajectory
    from ornstein.diffusion.schedules import NoiseRange

    Array = NDArray[np.float64]

Start = Literal["standard", "marginal"]

# Steps at once: no slower than all, and no large array in high dimension.
_FEWEST_STEPS, _BLOCK = 128, 2**14


class Response(NamedTuple):
    """Per mode: the factor of a deviation from the mean, and the variance that is added."""

    transfer: Array
    added: Array


class GeneratedModes(NamedTuple):
    """Per mode: the generated mean as a multiple of the data's, and the generated variance."""

    mean_fraction: Array
    variance: Array


def optimal_gain(variance: ArrayLike, noise: ArrayLike) -> Array:
    """``w = lambda / (lambda + s^2)``, with 0/0 read as 0: a variance of 0 is never noise.

    Examples
    --------
    >>> optimal_gain([4.0, 1.0, 0.0], 1.0)
    array([0.8, 0.5, 0. ])
    """
    lam, s = np.asarray(variance), np.asarray(noise, dtype=np.float64)
    lam = lam.astype(np.result_type(lam, np.float64))
    with np.errstate(over="ignore"):  # of infinite noise nothing is signal
        total = lam + s**2
    return np.divide(lam, total, out=np.zeros_like(total), where=total != 0)


def sampler_response(trajectory: Trajectory, variance: ArrayLike) -> Response:
    """Exact response of a sampler whose denoiser is optimal for data variances `variance`.

    Parameters
    ----------
    trajectory : Trajectory
        Of a sampler, at some number of steps.
    variance : array-like of shape (n_modes,)
        Eigenvalues of the data covariance, >= 0, in squared data units. Complex ones give the
        analytic continuation, which has its poles at ``-s^2``.

    Returns
    -------
    Response
        Arrays of shape (n_modes,).
    """
    lam = _as_modes(variance)
    transfer, added = np.ones_like(lam), np.zeros_like(lam)
    step = max(_FEWEST_STEPS, _BLOCK // max(lam.size, 1))
    for first in range(0, trajectory.table.shape[1], step):
        factors, noises = _step_responses(trajectory.table[:, first : first + step], lam)
        # What the steps after each of them multiply its noise by, in this block.
        later = np.cumprod(factors[:0:-1], axis=0)[::-1]
        whole = factors.prod(axis=0)
        transfer = whole * transfer
        added = whole**2 * added + noises[-1] + (later**2 * noises[:-1]).sum(axis=0)
    return Response(transfer, added)


def limit_response(levels: NoiseRange, variance: ArrayLike, eta: float = 0.0) -> Response:
    """Response of a sampler of infinitely many steps.

    Parameters
    ----------
    levels : NoiseRange
        First and last level of a schedule.
    variance : array-like of shape (n_modes,)
        Eigenvalues of the data covariance, >= 0 or complex, in squared data units.
    eta : float
        Part of the reverse SDE's noise: 0 for the ODE, 1 for the SDE (``Sampler.eta``).

    Returns
    -------
    Response
        Arrays of shape (n_modes,).
    """
    lam = _as_modes(variance)
    signal, sigma, smallest = levels
    last = optimal_gain(lam, smallest)
    low = lam + smallest**2
    # In units of x at the first level, so that pure noise (alpha = 0) is no special case.
    shrink = low / (signal**2 * lam + sigma**2)
    transfer = last * shrink ** ((1 + eta**2) / 2) * signal ** (eta**2)
    # Rounding may put this factor above 1, and a variance below 0.
    kept = np.minimum(signal**2 * shrink, 1.0) ** (eta**2)
    added = last**2 * low * (1 - kept)
    return Response(transfer, added)


def generated_modes(
    response: Response,
    signal: float,
    noise_std: float,
    variance: ArrayLike,
    start: Start = "standard",
) -> GeneratedModes:
    """Mean and variance of the generated law, from a start at the first level.

    Parameters
    ----------
    response : Response
        Of the trajectory, or of its limit.
    signal, noise_std : float
        ``alpha`` and ``sigma`` of the first level.
    variance : array-like of shape (n_modes,)
        Eigenvalues of the data covariance.
    start : {"standard", "marginal"}
        Where the sampler starts.

    Returns
    -------
    GeneratedModes
        ``(mean_fraction, variance)``, arrays of shape (n_modes,).

    Raises
    ------
    ValueError
        If there is no such start.
    """
    lam = _as_modes(variance)
    transfer, added = response
    if start == "standard":
        fraction = 1 - transfer * signal
        return GeneratedModes(fraction, transfer**2 * (signal**2 + noise_std**2) + added)
    if start == "marginal":
        first = signal**2 * lam + noise_std**2
        return GeneratedModes(np.ones_like(lam), transfer**2 * first + added)
    raise ValueError(f"start is {start!r}, expected 'standard' or 'marginal'")


def _as_modes(variance: ArrayLike) -> Array:
    """Eigenvalues >= 0, or complex ones as they are: all steps are analytic in them."""
    if np.iscomplexobj(variance):
        return np.asarray(variance)
    return as_positive(variance, "variance", zero=True)


def _step_responses(stages: Array, lam: Array) -> tuple[Array, Array]:
    """Factor and added variance of each step, of shape (n_steps, n_modes)."""
    factor, noise = np.ones(()), np.zeros(())
    for columns in stages:
        signal, s, start, point, denoised, fresh = columns.T[:, :, None]
        slope = point + denoised / signal * optimal_gain(lam, s)
        # What is added within a step is independent of the point at its start.
        factor = start + slope * factor
        noise = slope**2 * noise + fresh**2
    return factor, noise
