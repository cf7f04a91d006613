r"""How often Delta is positive for a perfect model: one that generates the population itself.

With the population's law for p in :mod:`ornstein.memorization.delta`, training sets of n points and
N originals, ``P(Delta > 0)`` is what a model has that has copied nothing and missed nothing. It is
not 1/2, for two reasons.

**Bandwidths.** A set of N points has kernels of width ``eps_N = std N^{-1/d}``, and for
``N(m, std^2 I)``

    E B(X) = (2 pi std^2 (2 + N^{-2/d}))^{-d/2}.

Fewer points have wider kernels, so that the training set lies farther from p than more originals
do: for d = 100, n = 150, N = 10,000 by the factor 0.28 in ``E B``, and ``Delta ~ 2 [B(O) - B(T)]``.
In high dimension this goes away as slowly as ``N^{-2/d}`` does.

**A mean above its median.** ``B(T)`` is a mean of n densities, which differ by factors of
``e^{sqrt d}``: rare points near the centre of p carry its mean, and most training sets stay below
it. Against originals in expectation Delta is then positive in most draws, at ``N = n`` too, where
its own expectation is exactly 0. Only *sampled* originals, as many as training points, are
exchangeable with them, which makes the probability exactly 1/2.

References
----------
This project. Halder, arXiv 2411.17807 (the statistic).
"""

from __future__ import annotations

__all__ = ["PerfectModelDelta", "perfect_model_delta"]

import math
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ornstein.intervals import wilson_interval
from ornstein.kernels.full_dimension import (
    bandwidth,
    log_cross,
    log_cross_expected,
    log_pairs,
    log_pairs_expected,
)
from ornstein.memorization.delta import DeltaTerms, delta_from_terms
from ornstein.memorization.originals import as_scale
from ornstein.validation import as_count, as_generator

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ornstein.mixtures import Population


class PerfectModelDelta(NamedTuple):
    """What `perfect_model_delta` returns: the fraction of draws with Delta > 0.

    ``fraction`` with Wilson's 95% interval ``low`` to ``high``; ``positive`` of ``draws``.
    """

    fraction: float
    low: float
    high: float
    positive: int
    draws: int


def perfect_model_delta(
    population: Population,
    n_train: int,
    n_original: int = 10_000,
    draws: int = 1000,
    rng: Any = None,
    *,
    original_mode: Literal["expected", "sampled"] = "expected",
    std: float | None = None,
) -> PerfectModelDelta:
    """Fraction of training sets for which a model that is the population has Delta > 0.

    The null hypothesis beside which ``P(Delta > 0)`` of a study is to be read, with the sizes of
    that study. It costs about ``draws n_train^2 dim`` operations.

    Parameters
    ----------
    population : Gaussian or Mixture
        Law of the data, and of what the perfect model generates.
    n_train, n_original : int
        Numbers n of training points and N of originals.
    draws : int
        Independent training sets.
    rng : None, int, SeedSequence or Generator
        Draws them.
    original_mode : {"expected", "sampled"}
        Average over the originals exactly, or draw N of them for each training set.
    std : float, optional
        Data scale of the bandwidths, in data units; by default that of the population.

    Returns
    -------
    PerfectModelDelta

    Raises
    ------
    ValueError, TypeError
        If a number is no whole one or too small, the scale is 0, or no such mode is known.

    See Also
    --------
    ornstein.memorization.delta.delta : Delta of one law and one training set.

    Examples
    --------
    >>> from ornstein import Gaussian
    >>> perfect_model_delta(Gaussian.isotropic(100), 150, 10_000, draws=200, rng=0).fraction
    0.985
    """
    n, N = as_count(n_train, "n_train"), as_count(n_original, "n_original")
    count = as_count(draws, "draws")
    if original_mode not in {"expected", "sampled"}:
        raise ValueError(f"original_mode is {original_mode!r}, expected 'expected' or 'sampled'")
    generator = as_generator(rng, "perfect_model_delta")
    scale = as_scale(population.std if std is None else std)
    eps_train, eps = (bandwidth(scale, size, population.dim) for size in (n, N))
    expected = log_pairs_expected(population, N, eps), _log_mean(population, eps)
    positive = 0
    for _ in range(count):
        seen = _log_terms(population, population.sample(n, generator), eps_train)
        fresh = expected
        if original_mode == "sampled":
            fresh = _log_terms(population, population.sample(N, generator), eps)
        positive += delta_from_terms(DeltaTerms(*seen, *fresh)).sign > 0
    return PerfectModelDelta(positive / count, *wilson_interval(positive, count), positive, count)


def _log_terms(
    population: Population, points: NDArray[np.float64], eps: float
) -> tuple[float, float]:
    """``ln A'`` and ``ln B`` of points against the population's own law."""
    laws = zip(population.weights, population.components, strict=True)
    cross = _log_sum(math.log(weight) + log_cross(law, points, eps) for weight, law in laws)
    return log_pairs(points, eps), cross


def _log_mean(population: Population, eps: float) -> float:
    """``ln E B`` over points of the population, against its own law."""
    laws = zip(population.weights, population.components, strict=True)
    return _log_sum(
        math.log(weight) + log_cross_expected(law, population, eps) for weight, law in laws
    )


def _log_sum(logs: Iterable[float]) -> float:
    return float(np.logaddexp.reduce(list(logs)))
