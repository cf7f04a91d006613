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

__all__ = ["PerfectModelDelta", "perfect_model_delta", "perfect_model_deltas"]

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
    from collections.abc import Iterable, Sequence

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
    that study. It costs at most about ``draws n_train^2 dim`` operations; against originals in
    expectation pairs of points are summed only where the rest does not decide the sign.

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
    perfect_model_deltas : Of many training sizes at once.
    ornstein.memorization.delta.delta : Delta of one law and one training set.

    Examples
    --------
    >>> from ornstein import Gaussian
    >>> perfect_model_delta(Gaussian.isotropic(100), 150, 10_000, draws=200, rng=0).fraction
    0.985
    """
    n, N = as_count(n_train, "n_train"), as_count(n_original, "n_original")
    count = as_count(draws, "draws")
    _require_mode(original_mode)
    generator = as_generator(rng, "perfect_model_delta")
    scale = as_scale(population.std if std is None else std)
    eps_train, eps = (bandwidth(scale, size, population.dim) for size in (n, N))
    expected = _expected_terms(population, N, eps)
    positive = 0
    for _ in range(count):
        train, fresh = population.sample(n, generator), expected
        if original_mode == "sampled":
            fresh = _log_terms(population, population.sample(N, generator), eps)
        positive += _is_positive(population, train, eps_train, fresh)
    return _counted(positive, count)


def perfect_model_deltas(
    population: Population,
    train_sizes: Sequence[int],
    n_original: int | None = 10_000,
    draws: int = 200,
    seed: int = 0,
    *,
    original_mode: Literal["expected", "sampled"] = "expected",
    std: float | None = None,
) -> list[PerfectModelDelta]:
    """`perfect_model_delta` at many training sizes, from nested training sets.

    In each draw the training set of a size is the first part of those of larger sizes, and drawn
    originals are the same for all sizes: results vary smoothly with the size, and have the errors
    of `draws` independent sets each, but not of each other.

    Parameters
    ----------
    population : Gaussian or Mixture
        Law of the data, and of what the perfect model generates.
    train_sizes : sequence of int
        Numbers n of training points.
    n_original : int or None
        Number N of originals; None for as many as training points. Drawn originals that are as many
        as the training points are exchangeable with them: the fraction is exactly 1/2, and nothing
        is drawn.
    draws : int
        Independent training sets.
    seed : int
        Of the draws.
    original_mode : {"expected", "sampled"}
        Average over the originals exactly, or draw N of them for each training set.
    std : float, optional
        Data scale of the bandwidths, in data units; by default that of the population.

    Returns
    -------
    list of PerfectModelDelta
        In the order of `train_sizes`.

    Raises
    ------
    ValueError, TypeError
        If a number is no whole one or too small, the scale is 0, or no such mode is known.

    Examples
    --------
    >>> from ornstein import Gaussian
    >>> found = perfect_model_deltas(Gaussian.isotropic(100), [75, 400], None)
    >>> [round(each.fraction, 2) for each in found]
    [0.77, 0.73]
    """
    sizes = [as_count(n, "a training size") for n in train_sizes]
    originals = [n if n_original is None else as_count(n_original, "n_original") for n in sizes]
    count = as_count(draws, "draws")
    _require_mode(original_mode)
    scale = as_scale(population.std if std is None else std)
    sampled = original_mode == "sampled"
    eps = {n: bandwidth(scale, n, population.dim) for n in {*sizes, *originals}}
    known = {N: _expected_terms(population, N, eps[N]) for N in set(originals) if not sampled}
    open_ = [i for i, n in enumerate(sizes) if not (sampled and originals[i] == n)]
    positive = [0] * len(sizes)
    for child in np.random.SeedSequence(seed).spawn(count) if open_ else ():
        own, other = (np.random.default_rng(each) for each in child.spawn(2))
        train = population.sample(max(sizes[i] for i in open_), own)
        if sampled:
            N = originals[open_[0]]
            known = {N: _log_terms(population, population.sample(N, other), eps[N])}
        for i in open_:
            n = sizes[i]
            positive[i] += _is_positive(population, train[:n], eps[n], known[originals[i]])
    half = PerfectModelDelta(0.5, 0.5, 0.5, 0, 0)
    return [_counted(k, count) if i in open_ else half for i, k in enumerate(positive)]


def _require_mode(original_mode: str) -> None:
    if original_mode not in {"expected", "sampled"}:
        raise ValueError(f"original_mode is {original_mode!r}, expected 'expected' or 'sampled'")


def _counted(positive: int, draws: int) -> PerfectModelDelta:
    return PerfectModelDelta(positive / draws, *wilson_interval(positive, draws), positive, draws)


def _expected_terms(population: Population, n_original: int, eps: float) -> tuple[float, float]:
    return log_pairs_expected(population, n_original, eps), _log_mean(population, eps)


def _is_positive(
    population: Population,
    train: NDArray[np.float64],
    eps: float,
    fresh: tuple[float, float],
) -> bool:
    """Whether Delta > 0; the pairs of training points only add to it."""
    cross = _log_mean_over(population, train, eps)
    if delta_from_terms(DeltaTerms(-math.inf, cross, *fresh)).sign > 0:
        return True
    return delta_from_terms(DeltaTerms(log_pairs(train, eps), cross, *fresh)).sign > 0


def _log_terms(
    population: Population, points: NDArray[np.float64], eps: float
) -> tuple[float, float]:
    """``ln A'`` and ``ln B`` of points against the population's own law."""
    return log_pairs(points, eps), _log_mean_over(population, points, eps)


def _log_mean_over(population: Population, points: NDArray[np.float64], eps: float) -> float:
    """``ln B`` of points against the population's own law."""
    laws = zip(population.weights, population.components, strict=True)
    return _log_sum(math.log(weight) + log_cross(law, points, eps) for weight, law in laws)


def _log_mean(population: Population, eps: float) -> float:
    """``ln E B`` over points of the population, against its own law."""
    laws = zip(population.weights, population.components, strict=True)
    return _log_sum(
        math.log(weight) + log_cross_expected(law, population, eps) for weight, law in laws
    )


def _log_sum(logs: Iterable[float]) -> float:
    return float(np.logaddexp.reduce(list(logs)))
