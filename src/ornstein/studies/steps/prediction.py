"""Theory beside a steps study: expected distances at finite n, and the best number of steps.

Averages over training sets of :func:`ornstein.theory.sampler_quality`, right to o(1) nats, for each
sampler, training size and number of steps; and :func:`ornstein.theory.best_steps`, which looks at
all numbers of steps up to 1000, not only at those of the study. A training size costs some 0.1 s
for each sampler and number of steps.
"""

from __future__ import annotations

__all__ = ["predicted_distances", "predicted_best"]

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.diffusion.samplers import as_sampler
from ornstein.studies.steps.study import DISTANCES
from ornstein.theory import best_steps, sampler_quality

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.diffusion.affine_propagation import Start
    from ornstein.diffusion.schedules import Schedule
    from ornstein.studies.steps.study import StepsStudy
    from ornstein.theory import BestSteps

    Array = NDArray[np.float64]


def predicted_distances(
    study: StepsStudy, train_size: int
) -> dict[tuple[str, float], dict[str, float]]:
    """Expected KL, squared Hellinger and Wasserstein distance, by sampler and number of steps."""
    found = {}
    for name in study.options.samplers:
        columns = _distances(*_setting(study, name, train_size), study.all_steps)
        for steps, *values in zip(study.all_steps, *columns, strict=True):
            found[name, steps] = dict(zip(DISTANCES, map(float, values), strict=True))
    return found


def predicted_best(study: StepsStudy, train_size: int) -> dict[str, BestSteps]:
    """Number of steps of least expected KL, of all there are, by sampler; none where infinite."""
    found = {name: _best(*_setting(study, name, train_size)) for name in study.options.samplers}
    return {name: best for name, best in found.items() if math.isfinite(best.kl)}


def _setting(study: StepsStudy, sampler: str, train_size: int) -> tuple[Any, ...]:
    options, schedule = study.options, study.options.schedule_of(as_sampler(sampler))
    spectrum = tuple(study.source.covariance.eigenvalues.tolist())
    return spectrum, train_size, sampler, schedule, options.mean, options.start, options.ridge


@lru_cache(maxsize=512)
def _distances(
    spectrum: tuple[float, ...],
    train_size: int,
    sampler: str,
    schedule: Schedule,
    mean: float,
    start: Start,
    ridge: float,
    steps: tuple[float, ...],
) -> tuple[Array, Array, Array]:
    quality = sampler_quality(
        spectrum,
        steps,
        sampler,
        schedule,
        mean=np.full(len(spectrum), mean),
        start=start,
        n_train=train_size,
        ridge=ridge,
    )
    columns = (quality.kl, quality.hellinger_squared, quality.wasserstein_squared)
    kl, hellinger2, wasserstein2 = map(np.asarray, columns)
    return kl, hellinger2, wasserstein2


@lru_cache(maxsize=512)
def _best(
    spectrum: tuple[float, ...],
    train_size: int,
    sampler: str,
    schedule: Schedule,
    mean: float,
    start: Start,
    ridge: float,
) -> BestSteps:
    centre = np.full(len(spectrum), mean)
    return best_steps(
        spectrum, train_size, sampler, schedule, mean=centre, start=start, ridge=ridge
    )
