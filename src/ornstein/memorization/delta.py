r"""Delta: is the generated law closer to fresh data than to its training set?

With ``e(X) = int (p - p_X)^2 - int p^2 = A(X) - 2 B(X)`` of :mod:`ornstein.kernels.full_dimension`,
bandwidths ``eps_N = std N^{-1/d}``, training set ``T`` and ``N`` originals ``O``,

    Delta = e(T) - e(O);      Delta > 0: closer to fresh data than to the training set.

With that bandwidth the self-terms of ``A`` are ``(4 pi std^2)^{-d/2}`` whatever the number of
points. They cancel in Delta exactly, and are cancelled here on paper,

    Delta = A'(T) - 2 B(T) - A'(O) + 2 B(O):

at d = 100 they are e^8 to e^40 times larger than the terms that decide the sign, so that their
floating-point difference is rounding noise. All terms are logarithms; the sign is decided in one
signed log-sum-exp.

The terms ``A'`` depend on the points alone. For many laws with one training set (all numbers of
steps of a sampler) or one set of originals (all training sizes), :class:`KernelSet` computes them
once, and :class:`DeltaStatistic` joins two such sets.

References
----------
Halder, arXiv 2411.17807 (the statistic). The cancellation and the expectation over originals are
this project's.
"""

from __future__ import annotations

__all__ = [
    "DeltaResult",
    "DeltaTerms",
    "delta",
    "delta_from_terms",
    "KernelSet",
    "DeltaStatistic",
]

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ornstein.gaussians import log_overlap
from ornstein.kernels.full_dimension import (
    bandwidth,
    log_cross,
    log_cross_expected,
    log_pairs,
    log_pairs_expected,
    log_self_terms,
    signed_log_sum,
)
from ornstein.memorization.originals import as_scale, expected_count, fresh_points, scale_of
from ornstein.validation import as_points

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    from numpy.typing import ArrayLike, NDArray

    from ornstein.gaussians import Gaussian
    from ornstein.mixtures import Population


class DeltaTerms(NamedTuple):
    """Natural logarithms of the four terms: ``A'`` and ``B`` of training set and originals."""

    pairs_train: float
    cross_train: float
    pairs_originals: float
    cross_originals: float


class DeltaResult(NamedTuple):
    """Sign of Delta, ``ln |Delta|``, and the logarithms of its four terms.

    The sign is 1 if the law is closer to the originals (fresh data) than to its training set, -1 if
    it is closer to its training set, 0 if Delta vanishes.
    """

    sign: int
    log_abs: float
    log_terms: DeltaTerms


def delta(
    law: Gaussian,
    train: ArrayLike,
    originals: ArrayLike | Population,
    std: float | None = None,
    *,
    n_original: int | None = None,
) -> DeltaResult:
    """Is a Gaussian law closer to fresh data than to its training set: sign and size of Delta.

    Delta is the squared L2 distance from the law to the training set less that to fresh data, the
    originals, each set a density by a Gaussian kernel on each point. So **sign 1** says that the
    law is closer to fresh data, and **sign -1** that it is closer to its training set, as a law
    is that has memorized. Delta of a law that has memorized nothing is 0 on average only if there
    are as many originals as training points: choose `n_original` so to read memorization off the
    sign.

    Parameters
    ----------
    law : Gaussian
        The generated law, singular or not.
    train : array-like of shape (n_train, dim)
        Training set.
    originals : array-like of shape (n_original, dim), or Population
        Fresh data; or the population, a `Gaussian` or `Mixture`, in which case the terms of the
        originals are replaced by their exact expectations over `n_original` draws.
    std : float, optional
        Data scale of the bandwidths, in data units. By default that of the population, or the root
        of the mean coordinate variance of the originals.
    n_original : int, optional
        Number of originals ``N`` behind the expectation. By default ``originals.n_original`` if
        the population has one.

    Returns
    -------
    DeltaResult
        ``sign`` (1: closer to fresh data; -1: closer to the training set; 0: Delta is 0),
        ``log_abs`` (``ln |Delta|``, Delta in ``data units^-d``), ``log_terms`` (natural logarithms
        of ``A'`` and ``B`` of both sets).

    Raises
    ------
    ValueError
        If shapes disagree, a value is not finite, the scale is 0, or `n_original` is needed and
        missing.

    Examples
    --------
    >>> from ornstein import Gaussian, OneStepDenoiser, delta
    >>> population = Gaussian.isotropic(16, mean=10.0)
    >>> train = population.sample(64, rng=0)
    >>> law = OneStepDenoiser(random_state=0).fit(train).generated_law_
    >>> delta(law, train, population, n_original=10_000).sign
    1
    """
    points = as_points(train, "train", dim=law.dim)
    if hasattr(originals, "components"):
        population: Any = originals
        n = expected_count(population, n_original, law.dim)
        scale = as_scale(population.std if std is None else std)
        fresh = KernelSet.expected(population, n, scale)
    else:
        new = fresh_points(originals, n_original, law.dim, two=std is None)
        scale = scale_of(new) if std is None else as_scale(std)
        fresh = KernelSet.of(new, scale)
    return DeltaStatistic(KernelSet.of(points, scale), fresh)(law)


def delta_from_terms(terms: DeltaTerms) -> DeltaResult:
    """Combine the four logarithms into sign and ``ln |Delta|``."""
    pairs_t, cross_t, pairs_o, cross_o = terms
    two = math.log(2.0)
    logs = (pairs_t, two + cross_t, pairs_o, two + cross_o)
    sign, log_abs = signed_log_sum(logs, (1, -1, -1, 1))
    return DeltaResult(sign, log_abs, terms)


@dataclass(frozen=True, eq=False)
class KernelSet:
    """N points with a Gaussian kernel on each, and what its distances to laws have in common.

    Use the constructors :meth:`of` (given points) and :meth:`expected` (draws of a population, all
    terms replaced by their expectations).

    Attributes
    ----------
    n_points, dim : int
        ``N`` and ``d``.
    bandwidth : float
        ``eps_N``, in data units.
    log_pairs : float
        ``ln A'``.
    log_cross : callable (law) -> float
        ``ln B`` under a Gaussian law.

    Examples
    --------
    >>> from ornstein import Gaussian
    >>> population, law = Gaussian.isotropic(3), Gaussian.isotropic(3, std=0.9)
    >>> train = KernelSet.of(population.sample(20, rng=0), std=1.0)
    >>> statistic = DeltaStatistic(train, KernelSet.expected(population, 20, std=1.0))
    >>> statistic(law).sign
    -1
    """

    n_points: int
    dim: int
    bandwidth: float
    log_pairs: float
    log_cross: Callable[[Gaussian], float] = field(repr=False)

    @classmethod
    def of(cls, points: NDArray[np.float64], std: float) -> KernelSet:
        """Prepare the set of given points, shape (N, d), with kernels for data of scale `std`."""
        n, dim = points.shape
        eps = bandwidth(std, n, dim)
        return cls(n, dim, eps, log_pairs(points, eps), lambda law: log_cross(law, points, eps))

    @classmethod
    def expected(cls, population: Population, n_points: int, std: float) -> KernelSet:
        """Prepare the expectations over `n_points` independent draws of a population."""
        dim = population.dim
        eps = bandwidth(std, n_points, dim)
        pairs = log_pairs_expected(population, n_points, eps)
        return cls(n_points, dim, eps, pairs, lambda law: log_cross_expected(law, population, eps))

    def log_l2_squared(self, law: Gaussian, log_cross: float | None = None) -> float:
        """``ln int (p - p_X)^2`` to a Gaussian law; ``inf`` if it is singular.

        `log_cross` is ``ln B`` under the law, where it is known already.
        """
        if law.covariance.rank < law.dim:
            return math.inf
        selves = log_self_terms(self.n_points, self.dim, self.bandwidth)
        cross = math.log(2.0) + (self.log_cross(law) if log_cross is None else log_cross)
        logs = (log_overlap(law, law), self.log_pairs, selves, cross)
        sign, log = signed_log_sum(logs, (1, 1, 1, -1))
        return log if sign > 0 else -math.inf


@dataclass(frozen=True, eq=False)
class DeltaStatistic:
    """Delta as a function of the law, for one training set and one set of originals.

    Parameters
    ----------
    train, originals : KernelSet
        With kernels for one data scale.
    """

    train: KernelSet
    originals: KernelSet

    def __call__(self, law: Gaussian) -> DeltaResult:
        """Delta of a law, as :func:`delta` gives it."""
        return delta_from_terms(self.terms(law))

    def terms(self, law: Gaussian) -> DeltaTerms:
        """Logarithms of the four terms."""
        seen, fresh = self.train, self.originals
        return DeltaTerms(
            seen.log_pairs, seen.log_cross(law), fresh.log_pairs, fresh.log_cross(law)
        )
