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

References
----------
Halder, arXiv 2411.17807 (the statistic). The cancellation and the expectation over originals are
this project's.
"""

from __future__ import annotations

__all__ = ["DeltaResult", "DeltaTerms", "delta", "delta_from_terms"]

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from ornstein.kernels.full_dimension import (
    bandwidth,
    log_cross,
    log_cross_expected,
    log_pairs,
    log_pairs_expected,
    signed_log_sum,
)
from ornstein.memorization.originals import as_scale, expected_count, fresh_points, scale_of
from ornstein.validation import as_points

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ornstein.gaussians import Gaussian
    from ornstein.mixtures import Population


class DeltaTerms(NamedTuple):
    """Natural logarithms of the four terms: ``A'`` and ``B`` of training set and originals."""

    pairs_train: float
    cross_train: float
    pairs_originals: float
    cross_originals: float


class DeltaResult(NamedTuple):
    """Sign of Delta (1, 0 or -1), ``ln |Delta|``, and the logarithms of its four terms."""

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
    """Sign and size of Delta for a Gaussian law, its training set, and originals.

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
        ``sign``, ``log_abs``, ``log_terms``.

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
        eps = bandwidth(scale, n, law.dim)
        fresh = (
            log_pairs_expected(population, n, eps),
            log_cross_expected(law, population, eps),
        )
    else:
        new = fresh_points(originals, n_original, law.dim, two=std is None)
        scale = scale_of(new) if std is None else as_scale(std)
        eps = bandwidth(scale, len(new), law.dim)
        fresh = log_pairs(new, eps), log_cross(law, new, eps)
    eps_train = bandwidth(scale, len(points), law.dim)
    terms = DeltaTerms(log_pairs(points, eps_train), log_cross(law, points, eps_train), *fresh)
    return delta_from_terms(terms)


def delta_from_terms(terms: DeltaTerms) -> DeltaResult:
    """Combine the four logarithms into sign and ``ln |Delta|``."""
    pairs_t, cross_t, pairs_o, cross_o = terms
    two = math.log(2.0)
    logs = (pairs_t, two + cross_t, pairs_o, two + cross_o)
    sign, log_abs = signed_log_sum(logs, (1, -1, -1, 1))
    return DeltaResult(sign, log_abs, terms)
