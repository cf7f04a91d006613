r"""The best number of sampling steps of a model that was fitted on n points.

Where a sampler's discretisation adds variance, few steps act as a ridge does: at finite n the
expected KL of the fitted model (:mod:`ornstein.theory.linear_denoisers.fitted_sampling`) is least
at a finite number of steps ``S*(n)``. With ``delta_S`` the relative variance in excess at S steps,
small for many steps, every mode has, for large n,

    2 KL = 2 KL_inf - 2 (d + 2)/n delta_S + delta_S^2,

the linear term being the gain of :mod:`ornstein.theory.linear_denoisers.sampling`. The best excess
is ``(d + 2)/n``; where it falls like ``S^(-p)``, p the order of the sampler, S* grows like
``(n/d)^(1/p)``. Samplers that lose variance at every S (DDPM with the small variance, DDIM, Euler)
have no finite best number: ``inf``.

The search is over all numbers of steps that the schedule has: on a grid of ratio 1.25, then one by
one by ternary search around the best of the grid.

References
----------
Halder, arXiv 2411.17807, version 2 (conjectures an optimum at finite n). What it is, and of which
samplers, is this project's own.
"""

from __future__ import annotations

__all__ = ["BestSteps", "best_steps"]

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import as_schedule
from ornstein.theory.linear_denoisers.fitted_sampling import FittedSampler
from ornstein.validation import as_count, as_positive_number, as_spectrum, as_vector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ornstein.diffusion.affine_propagation import Start
    from ornstein.diffusion.samplers import Sampler
    from ornstein.diffusion.schedules import Schedule

_RATIO = 1.25


class BestSteps(NamedTuple):
    """What `best_steps` returns."""

    steps: float
    """Number of steps of least expected KL; ``inf`` if none is better than infinitely many."""
    kl: float
    """Expected ``KL(generated || population)`` there, total, in nats."""
    kl_limit: float
    """The same for infinitely many steps."""


def best_steps(
    eigenvalues: ArrayLike,
    n_train: int,
    sampler: str | Sampler = "ddim",
    schedule: str | Schedule = "linear",
    *,
    mean: ArrayLike = 0.0,
    start: Start = "standard",
    ridge: float = 0.0,
    most: int = 1000,
) -> BestSteps:
    """Number of sampling steps of least expected KL, for the model fitted on n points.

    Parameters
    ----------
    eigenvalues : array-like of shape (dim,)
        Of the population covariance, >= 0, at least one > 0, in squared data units.
    n_train : int
        Number of training points n >= 2; mean and covariance are fitted.
    sampler, schedule, mean, start, ridge
        As for :func:`~ornstein.theory.linear_denoisers.sampling.sampler_quality`, which raises the
        same errors.
    most : int
        Largest number of steps to look at, and the answer where KL still falls there to less than
        its limit. Beta schedules have at most their diffusion steps.

    Returns
    -------
    BestSteps
        ``(steps, kl, kl_limit)``. Where KL is infinite at every number of steps,
        ``(inf, inf, inf)``.

    Examples
    --------
    >>> best_steps([1.0] * 50, 200, "ddpm:large")
    BestSteps(steps=14, kl=3.147, kl_limit=3.640)
    >>> best_steps([1.0] * 50, 200, "ddim").steps
    inf
    """
    spectrum = as_spectrum(eigenvalues)
    if not spectrum.any():
        raise ValueError("eigenvalues are all 0, expected at least one > 0")
    model = FittedSampler(
        spectrum,
        as_vector(mean, "mean", dim=spectrum.size),
        as_count(n_train, "n_train", at_least=2),
        as_sampler(sampler),
        levels := as_schedule(schedule),
        start,
        as_positive_number(ridge, "ridge", zero=True),
    )
    limit = model.law(np.inf).kl()
    if np.isinf(limit):
        return BestSteps(np.inf, np.inf, np.inf)

    @cache
    def kl(steps: int) -> float:
        return model.law(steps).kl()

    largest = min(as_count(most, "most"), getattr(levels, "diffusion_steps", None) or most)
    grid = np.unique(np.append(np.geomspace(1, largest, 200).round(), largest)).astype(int)
    grid = _thinned(grid.tolist())
    best = min(range(len(grid)), key=lambda index: kl(grid[index]))
    low, high = grid[max(best - 1, 0)], grid[min(best + 1, len(grid) - 1)]
    while high - low > 2:
        third = (high - low) // 3
        left, right = low + third, high - third
        low, high = (low, right) if kl(left) <= kl(right) else (left, high)
    steps = min(range(low, high + 1), key=kl)
    if kl(steps) < limit:
        return BestSteps(steps, kl(steps), limit)
    return BestSteps(np.inf, limit, limit)


def _thinned(counts: list[int]) -> list[int]:
    """Some of the counts, with ratios of about `_RATIO`, and both ends."""
    kept = [counts[0]]
    for count in counts[1:]:
        if count >= _RATIO * kept[-1]:
            kept.append(count)
    return kept if kept[-1] == counts[-1] else [*kept, counts[-1]]
