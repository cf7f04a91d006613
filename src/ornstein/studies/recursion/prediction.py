"""Theory beside a recursion study, where there is one.

*gaussian*: KL of :func:`ornstein.theory.recursive_kl` without fresh points; the trace is 1 in every
generation; second moments of :func:`ornstein.theory.recursive_variance`. All exact. With a fitted
mean and no fresh points the covariance is that of ``n - 1`` points with a known mean; with fresh
points its second moments are known for a known mean.

*one-step*: trace and KL of :func:`ornstein.theory.recursive_one_step`, without fresh points.
"""

from __future__ import annotations

__all__ = ["predicted", "limit"]

import math
from typing import TYPE_CHECKING

import numpy as np

from ornstein.studies.recursion.study import MEASURED
from ornstein.theory import recursive_kl, recursive_one_step, recursive_variance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.studies.recursion.study import RecursionStudy
    from ornstein.theory import RecursiveVariance

    Array = NDArray[np.float64]


def predicted(study: RecursionStudy, train_size: int) -> dict[str, Array]:
    """Expectations of what is measured, by generation; NaN where there is no theory."""
    options, count = study.options, len(study.generations)
    fresh = options.fresh_points(train_size)
    found = {name: np.full(count, math.nan) for name in MEASURED}
    if options.model == "one-step":
        if not fresh:
            assert options.time is not None
            assert options.noise_scale is not None
            law = recursive_one_step(
                options.dim, train_size, count, options.time, options.noise_scale
            )
            found |= {"kl": law.kl, "trace": law.trace}
        return found
    k = np.array(study.generations)
    if not fresh:
        known = options.known_mean
        found["kl"] = np.asarray(recursive_kl(options.dim, train_size, k, fitted_mean=not known))
    if not fresh or options.known_mean:
        found["trace"] = np.ones(count)
        moments = _moments(study, train_size, k)
        found["square"] = np.asarray(moments.square)
        found["trace_square"] = np.asarray(moments.trace_square)
    return found


def limit(study: RecursionStudy, train_size: int) -> float:
    """``E tr S^2 / d`` of infinitely many generations; NaN where there is no theory."""
    options = study.options
    fresh = options.fresh_points(train_size)
    if options.model == "one-step" or (fresh and not options.known_mean):
        return math.nan
    return float(_moments(study, train_size, np.array(math.inf)).square)


def _moments(study: RecursionStudy, train_size: int, k: Array) -> RecursiveVariance:
    options = study.options
    share = options.fresh_points(train_size) / train_size
    degrees = train_size if options.known_mean else train_size - 1
    return recursive_variance(options.dim, degrees, k, share)
