"""Theory beside a steps study: expected distances at finite n, and the best number of steps.

Averages over training sets of :func:`ornstein.theory.sampler_quality`, right to o(1) nats, for each
sampler, training size and number of steps; and :func:`ornstein.theory.best_steps`, which looks at
all numbers of steps up to 1000, not only at those of the study.
"""

from __future__ import annotations

__all__ = ["predicted_distances", "predicted_best"]

import math
from typing import TYPE_CHECKING, Any

from ornstein.diffusion.samplers import as_sampler
from ornstein.theory import best_steps, sampler_quality

if TYPE_CHECKING:
    from ornstein.studies.steps.study import StepsStudy
    from ornstein.theory import BestSteps


def predicted_distances(
    study: StepsStudy, train_size: int
) -> dict[tuple[str, float], dict[str, float]]:
    """Expected KL, squared Hellinger and Wasserstein distance, by sampler and number of steps."""
    found = {}
    for name in study.options.samplers:
        quality = sampler_quality(
            study.source.covariance.eigenvalues,
            study.all_steps,
            n_train=train_size,
            **_options(study, name),
        )
        columns = (quality.kl, quality.hellinger_squared, quality.wasserstein_squared)
        for steps, kl, hellinger2, wasserstein2 in zip(study.all_steps, *columns, strict=True):
            values = {"kl": kl, "hellinger2": hellinger2, "wasserstein2": wasserstein2}
            found[name, steps] = {key: float(value) for key, value in values.items()}
    return found


def predicted_best(study: StepsStudy, train_size: int) -> dict[str, BestSteps]:
    """Number of steps of least expected KL, of all there are, by sampler; none where infinite."""
    spectrum = study.source.covariance.eigenvalues
    found = {
        name: best_steps(spectrum, train_size, **_options(study, name))
        for name in study.options.samplers
    }
    return {name: best for name, best in found.items() if math.isfinite(best.kl)}


def _options(study: StepsStudy, sampler: str) -> dict[str, Any]:
    return {
        "sampler": sampler,
        "schedule": study.options.schedule_of(as_sampler(sampler)),
        "mean": study.source.mean,
        "start": study.options.start,
        "ridge": study.options.ridge,
    }
