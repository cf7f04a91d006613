r"""What more sampling steps buy: the generated law at every number of steps S, exactly.

Population ``N(m, Sigma)``, the population's best denoiser, a sampler and a schedule: the generated
law is a Gaussian with the eigenvectors of Sigma (:mod:`ornstein.diffusion.affine_propagation`), and
its distances to the population are sums over modes. Five facts make the curves readable.

*Order.* Deviations of mean and standard deviation from their limits fall like ``S^(-p)``, so the
squared 2-Wasserstein distance to the limit law falls like ``S^(-2p)``: p = 1 for DDPM, DDIM and
Euler, 2 for Heun. KL, quadratic in deviations, falls like ``S^(-2p)`` too, down to its floor. On a
beta schedule Heun is of first order as well: its last step, from ``s^2 ~ beta_0 ~ 1/S`` to 0, is
Euler's. DDPM with the small variance has ``ln S / S`` there: at small noise each step leaves out
``beta^2 / sigma^2``, a harmonic sum over steps (which the large variance puts back).

*Infinitely many steps* are the continuous process between the first and the last noise of the
schedule. Karras' levels tend to it. Beta schedules do not, for modes as narrow as their last steps:
they have at most their diffusion steps, and with as many diffusion steps as sampling steps the last
ones are still of ``beta_start``. (DDIM, ``lambda = 1e-4`` = beta_start, started from the marginal:
KL settles at .109; for ``lambda = .01`` at 1e-4.)

*Floor.* What is left at ``S = inf`` is the start, where N(0, I) is not the noised population, and
for Karras' levels the last jump. The ODE samplers keep an error of the start as
``R^(-1/2)``, the SDE samplers as ``R^(-1)``: ancestral sampling forgets where it started.

*DDPM's mean is exact at every S.* ``E[x' | x]`` is an average of ``E[x' | x, x_0]`` over the
posterior of ``x_0``, and linear in it. What a finite number of steps gets wrong is the variance:
the small one leaves out what the posterior of ``x_0`` adds, the large one is exact for
``Sigma = I`` on a variance-preserving schedule, but for the noise missing from the last step.

*DDPM, DDIM and Euler lose variance* in every mode, at every S and on every schedule: for DDPM by
the above, for Euler for ``(lambda + s s')^2 <= (lambda + s^2)(lambda + s'^2)``. Heun gains some,
and so does the large variance where ``lambda < 1`` and S is not too small.

*Variance in excess helps at finite n.* Added to the empirical Gaussian of n points (C with 1/n), it
lowers the expected KL, whatever Sigma and n > d + 2: at ``eps = 0``

    d/d eps E KL(N(xbar, C + eps I) || N(m, Sigma)) = -1/2 tr Sigma^{-1} (d + 2)/(n - d - 2).

So samplers whose error adds variance reach their least KL at a finite number of steps
(:mod:`ornstein.theory.linear_denoisers.best_steps` says which).

*Finite n.* The expected distances of the model fitted on n points, at every S, are in
:mod:`ornstein.theory.linear_denoisers.fitted_sampling`.

References
----------
Ho, Jain, Abbeel, arXiv 2006.11239, section 3.2 (when the large variance is right). Halder, arXiv
2411.17807 (the claim that more steps raise the quality). The exact curves are this project's own.
"""

from __future__ import annotations

__all__ = ["SamplerQuality", "sampler_quality", "convergence_order"]

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.diffusion.affine_propagation import generated_modes, limit_response, sampler_response
from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import as_schedule
from ornstein.gaussians import Gaussian, hellinger_squared, kl_divergence, wasserstein_squared
from ornstein.theory.linear_denoisers.fitted_distances import (
    expected_hellinger_squared,
    expected_wasserstein_squared,
)
from ornstein.theory.linear_denoisers.fitted_sampling import FittedSampler
from ornstein.validation import as_between, as_count, as_positive_number, as_spectrum, as_vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from ornstein.diffusion.affine_propagation import Start
    from ornstein.diffusion.samplers import Sampler
    from ornstein.diffusion.schedules import Schedule

    Array = NDArray[np.float64]


class SamplerQuality(NamedTuple):
    """What `sampler_quality` returns: distances of the generated law, totals over dimensions."""

    kl: float | NDArray[np.float64]
    """``KL(generated || population)``, in nats."""
    hellinger_squared: float | NDArray[np.float64]
    """To the population."""
    wasserstein_squared: float | NDArray[np.float64]
    """To the population, in squared data units."""
    discretization_squared: float | NDArray[np.float64]
    """Squared Wasserstein distance to the law of the continuous process, in squared data units."""


def sampler_quality(
    eigenvalues: ArrayLike,
    n_steps: ArrayLike,
    sampler: str | Sampler = "ddim",
    schedule: str | Schedule = "linear",
    *,
    mean: ArrayLike = 0.0,
    start: Start = "standard",
    n_train: int | None = None,
    ridge: float = 0.0,
) -> SamplerQuality:
    """Distances between generated law and population at S sampling steps.

    Parameters
    ----------
    eigenvalues : array-like of shape (dim,)
        Of the population covariance, >= 0, in squared data units.
    n_steps : array-like of int or inf
        Numbers of steps S; ``inf`` is the continuous process. Beta schedules have at most their
        diffusion steps, and come near it only in modes with variances far above their first beta.
    sampler : str or Sampler
        ``ddpm``, ``ddpm:large``, ``ddim``, ``ddim:ETA``, ``euler`` or ``heun``.
    schedule : str or Schedule
        ``linear``, ``scaled_linear``, ``cosine``, ``karras``, or one with parameters of its own.
    mean : float or array-like of shape (dim,)
        Population mean along the eigenvectors, in data units.
    start : {"standard", "marginal"}
        Law of the first point: of centred unit-variance data, noised, or of the data that the
        denoisers are best for.
    n_train : int, optional
        Number of training points n >= 2, with mean and covariance fitted (``1/n``): distances are
        expectations over training sets then, with an error of relative order ``1/n`` in all terms.
        Left out, the denoisers are the population's own, and the distances exact. Eigenvalues may
        span 12 decades with it (10 with ``n_train <= dim``); of more, distances that rounding
        hides may be refused.
    ridge : float
        Variance added to every direction of the denoisers' covariance, in squared data units.

    Returns
    -------
    SamplerQuality
        Floats if `n_steps` is a number, else arrays of its shape. With ``n_train - 1 < dim`` and no
        ridge, KL is infinite and squared Hellinger 1.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside its range, or no such sampler, schedule or start is known.

    Examples
    --------
    >>> sampler_quality([1.0] * 100, [10, 100, 1000], "ddim").kl.round(4).tolist()
    [3.1016, 0.0341, 0.0004]

    Of 200 points in 50 dimensions, noise of ancestral sampling helps where steps are few:

    >>> sampler_quality([1.0] * 50, [5, 20, 100], "ddpm:large", n_train=200).kl.round(2).tolist()
    [6.0, 3.2, 3.52]
    """
    spectrum = as_spectrum(eigenvalues)
    centre = as_vector(mean, "mean", dim=spectrum.size)
    extra = as_positive_number(ridge, "ridge", zero=True)
    how, levels = as_sampler(sampler), as_schedule(schedule)
    counts = as_between(n_steps, "n_steps", 1.0, np.inf)
    distances: Callable[[float], tuple[float, ...]]
    if n_train is None:
        distances = _of_population(Gaussian(centre, spectrum), how, levels, start, extra)
    else:
        n = as_count(n_train, "n_train", at_least=2)
        distances = _of_points(FittedSampler(spectrum, centre, n, how, levels, start, extra))
    values = np.empty((4, *counts.shape))
    for index in np.ndindex(counts.shape):
        values[(slice(None), *index)] = distances(float(counts[index]))
    if counts.ndim == 0:
        return SamplerQuality(*map(float, values))
    return SamplerQuality(*values)


def convergence_order(n_steps: ArrayLike, discretization_squared: ArrayLike) -> float:
    """Order p of ``distance ~ S^(-p)``, from the three largest numbers of steps.

    Parameters
    ----------
    n_steps : array-like of shape (n_counts,)
        Numbers of steps; infinite ones are left out.
    discretization_squared : array-like of shape (n_counts,)
        Squared distances to the limit, as `sampler_quality` returns them.

    Returns
    -------
    float
        Minus half the slope of its logarithm against ``ln S``, by least squares; NaN with fewer
        than two finite numbers of steps.
    """
    counts = as_between(n_steps, "n_steps", 1.0, np.inf)
    squared = as_between(discretization_squared, "discretization_squared", 0.0, np.inf)
    fine = np.isfinite(counts) & np.isfinite(squared) & (squared > 0)
    counts, squared = counts[fine], squared[fine]
    last = np.argsort(counts)[-3:]
    if last.size < 2:
        return float("nan")
    return float(-0.5 * np.polyfit(np.log(counts[last]), np.log(squared[last]), 1)[0])


def _of_points(model: FittedSampler) -> Callable[[float], tuple[float, ...]]:
    """The four distances at a number of steps, averaged over training sets."""
    if not model.rank:
        # Points that are all m: the denoisers are the population's own.
        population = Gaussian(model.mean, model.spectrum)
        return _of_population(population, model.sampler, model.schedule, model.start, model.ridge)

    def distances(n_steps: float) -> tuple[float, ...]:
        law = model.law(n_steps)
        try:
            apart = expected_hellinger_squared(law), expected_wasserstein_squared(law)
        except ArithmeticError as error:
            raise ValueError(_too_wide(model.spectrum, str(error))) from None
        except np.linalg.LinAlgError as error:
            raise ValueError(_too_wide(model.spectrum, str(error))) from None
        return law.kl(), *apart, model.discretization_squared(n_steps)

    return distances


def _too_wide(spectrum: Array, reason: str) -> str:
    positive = spectrum[spectrum > 0]
    decades = np.log10(positive.max() / positive.min())
    return (
        f"eigenvalues span {decades:.1f} decades, expected fewer (about 12) for distances of the "
        "model of n_train points: leave out n_train or narrow directions, or use best_steps, which "
        f"needs KL alone ({reason[0].lower() + reason[1:]})"
    )


def _of_population(
    population: Gaussian, sampler: Sampler, schedule: Schedule, start: Start, ridge: float
) -> Callable[[float], tuple[float, ...]]:
    """The four distances at a number of steps, of the population's own denoisers."""
    known = population.covariance.eigenvalues + ridge

    def generated(n_steps: float) -> Gaussian:
        """In the eigenbasis of the population."""
        if np.isposinf(n_steps):
            signal, noise_std, _ = ends = schedule.noise_range()
            response = limit_response(ends, known, sampler.eta)
        else:
            trajectory = sampler.trajectory(schedule.levels(as_count(n_steps, "n_steps")))
            signal, noise_std = trajectory.levels.signal[0], trajectory.levels.noise_std[0]
            response = sampler_response(trajectory, known)
        modes = generated_modes(response, signal, noise_std, known, start)
        return Gaussian(modes.mean_fraction * population.mean, modes.variance)

    limit = generated(np.inf)

    def distances(n_steps: float) -> tuple[float, ...]:
        law = generated(n_steps)
        return (
            kl_divergence(law, population),
            hellinger_squared(law, population),
            wasserstein_squared(law, population),
            wasserstein_squared(law, limit),
        )

    return distances
