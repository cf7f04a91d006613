r"""Delta when the model gives samples, not a law: in full dimension, and coordinate by coordinate.

Generated points ``G``, training set ``T`` and originals ``O`` all become densities by a Gaussian
kernel on each point, so that the distances of :mod:`ornstein.memorization.delta` are between two
such mixtures,

    int (p_X - p_G)^2 = A(X) + A(G) - 2 C(X, G),
    Delta = int (p_T - p_G)^2 - int (p_O - p_G)^2,

and, ``A`` of the generated points and all self-terms cancelling on paper,

    Delta = A'(T) - A'(O) - 2 C(T, G) + 2 C(O, G);      Delta > 0: closer to fresh data.

*In full dimension* (`sample_delta`), a set of ``N`` points has bandwidth ``eps_N = std N^{-1/d}``,

    A'(X)   = N^{-2} sum_{i != j} N(x_i - x_j; 0, 2 eps_N^2 I),
    C(X, G) = (N M)^{-1} sum_ij   N(x_i - g_j; 0, (eps_N^2 + eps_M^2) I),

with all terms in logarithms. *Coordinate by coordinate* (`coordinate_delta`), each coordinate is
taken in units of the originals' standard deviation, bandwidths are ``1/N``, and integrals are
averaged over coordinates (:mod:`ornstein.kernels.by_coordinate`). All sets are on one scale.

What Delta is 0 for. If training set and originals are of one size and both are drawn, the two are
exchangeable for a model that has memorized nothing, and the signs of Delta are as likely. (Against
originals in expectation Delta is 0 on average, and its signs are about as likely: the mean of a
skew quantity is not its median.) If sizes differ, they alone push Delta away from 0: ``E A'`` has
the factor ``1 - 1/N`` (per coordinate, independent draws of one Gaussian give ``E Delta = -(1/n -
1/N) / sqrt(4 pi)``), in full dimension the smaller set also has the wider kernels, and where values
repeat (pixels of few values) a coordinate's ``A'`` grows like ``N``. With 10 generated points, 150
training points and 10,000 expected originals, all of N(0, I) in d = 64, Delta is positive in 39% of
draws per coordinate and in 6% in full dimension. To read the sign as memorization, take as many
originals as training points (`n_original` for a population), drawn if possible; for a law instead
of samples see :mod:`ornstein.memorization.null`.

References
----------
Halder, arXiv 2411.17807 (the statistics). The cancellation and the expectation over originals are
this project's.
"""

from __future__ import annotations

__all__ = [
    "CoordinateDelta",
    "coordinate_delta",
    "sample_delta",
    "log_sample_distance",
]

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.gaussians import Gaussian
from ornstein.kernels.by_coordinate import (
    SELF_TERM,
    CoordinateTerms,
    coordinate_cross,
    coordinate_cross_expected,
    coordinate_pairs,
    coordinate_pairs_expected,
    coordinate_terms,
    coordinate_units,
    population_units,
)
from ornstein.kernels.full_dimension import (
    bandwidth,
    log_cross_pairs,
    log_pairs,
    log_pairs_expected,
    log_self_terms,
    signed_log_sum,
)
from ornstein.memorization.delta import DeltaResult, DeltaTerms, delta_from_terms
from ornstein.memorization.originals import as_scale, expected_count, fresh_points, scale_of
from ornstein.mixtures import Mixture
from ornstein.validation import as_points, as_positive, as_vector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ornstein.mixtures import Population

    Array = NDArray[np.float64]


class CoordinateDelta(NamedTuple):
    """Averages over coordinates, each in units of the originals' standard deviation.

    ``sign`` of Delta: 1 if the generated points are closer to the originals (fresh data) than to
    the training set, -1 if they are closer to the training set, 0 if Delta vanishes; ``delta``;
    the squared L2 distances ``distance_original`` and ``distance_train`` from the generated points;
    ``coordinates``, how many of them vary.
    """

    sign: int
    delta: float
    distance_original: float
    distance_train: float
    coordinates: int


def coordinate_delta(
    generated: ArrayLike,
    train: ArrayLike,
    originals: ArrayLike | Population,
    std: ArrayLike | None = None,
    *,
    n_original: int | None = None,
) -> CoordinateDelta:
    """Are generated points closer to fresh data than to the training set, coordinate by coordinate?

    Delta and both distances, averaged over coordinates. **Sign 1** says that the points are closer
    to fresh data, the originals, and **sign -1** that they are closer to the training set, as
    copies of it are. Sizes alone move Delta (see :mod:`ornstein.memorization.sample_delta`): take
    as many originals as training points before you read the sign.

    Parameters
    ----------
    generated : array-like of shape (n_generated, dim)
        Points that the model drew.
    train : array-like of shape (n_train, dim)
        Training set.
    originals : array-like of shape (n_original, dim), or Population
        Fresh data; or the population, in which case the terms of the originals are replaced by
        their exact expectations over `n_original` draws.
    std : float or array-like of shape (dim,), optional
        Unit of each coordinate, the same for all three sets. By default the standard deviation of
        the originals, or of the population.
    n_original : int, optional
        Number of originals behind the expectation.

    Returns
    -------
    CoordinateDelta
        A coordinate in which the originals are constant (or `std` is 0) has no unit, and is left
        out of the averages.

    Raises
    ------
    ValueError
        If shapes disagree, a value is not finite, no coordinate varies, or `n_original` is needed
        and missing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> train, originals = rng.standard_normal((50, 8)), rng.standard_normal((50, 8))
    >>> coordinate_delta(train[:10] + 1e-3, train, originals).sign  # a copy of the training set
    -1
    """
    new, old = _generated_and_train(generated, train)
    dim = new.shape[1]
    given = None if std is None else as_positive(as_vector(std, "std", dim=dim), "std", zero=True)
    if hasattr(originals, "components"):
        population: Any = originals
        n = expected_count(population, n_original, dim)
        units, kept = _varying(population_units(population) if given is None else given)
        expected_cross = coordinate_cross_expected(new, population, n, units)[kept]
        new, old, some = new[:, kept], old[:, kept], units[kept]
        terms = CoordinateTerms(
            coordinate_pairs(new, some),
            coordinate_pairs(old, some),
            coordinate_pairs_expected(population, n, units)[kept],
            coordinate_cross(old, new, some),
            expected_cross,
        )
    else:
        fresh = fresh_points(originals, n_original, dim, two=std is None)
        units, kept = _varying(coordinate_units(fresh) if given is None else given)
        terms = coordinate_terms(new[:, kept], old[:, kept], fresh[:, kept], units[kept])
    pairs_g, pairs_t, pairs_o, cross_t, cross_o = terms
    count = pairs_g.size
    selves = np.full(count, 2 * SELF_TERM)
    total = _exact_sum(pairs_t, -pairs_o, -2 * cross_t, 2 * cross_o)
    return CoordinateDelta(
        int(np.sign(total)),
        total / count,
        max(_exact_sum(selves, pairs_g, pairs_o, -2 * cross_o), 0.0) / count,
        max(_exact_sum(selves, pairs_g, pairs_t, -2 * cross_t), 0.0) / count,
        count,
    )


def sample_delta(
    generated: ArrayLike,
    train: ArrayLike,
    originals: ArrayLike | Population,
    std: float | None = None,
    *,
    n_original: int | None = None,
) -> DeltaResult:
    """Are generated points closer to fresh data than to the training set: Delta in full dimension.

    **Sign 1** says that the points are closer to fresh data, the originals, and **sign -1** that
    they are closer to the training set, as copies of it are. Sizes alone move Delta (see
    :mod:`ornstein.memorization.sample_delta`): take as many originals as training points before you
    read the sign.

    Parameters
    ----------
    generated : array-like of shape (n_generated, dim)
        Points that the model drew.
    train : array-like of shape (n_train, dim)
        Training set.
    originals : array-like of shape (n_original, dim), or Population
        Fresh data; or the population, in which case the terms of the originals are replaced by
        their exact expectations over `n_original` draws.
    std : float, optional
        Data scale of all bandwidths, in data units. By default that of the population, or the root
        of the mean coordinate variance of the originals.
    n_original : int, optional
        Number of originals behind the expectation.

    Returns
    -------
    DeltaResult
        ``sign`` (1: closer to fresh data; -1: closer to the training set; 0: Delta is 0),
        ``log_abs``, ``log_terms``, as :func:`ornstein.memorization.delta.delta` gives them.

    Raises
    ------
    ValueError
        If shapes disagree, a value is not finite, the scale is 0, or `n_original` is needed and
        missing.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> train, originals = rng.standard_normal((50, 8)), rng.standard_normal((50, 8))
    >>> sample_delta(train[:10] + 1e-3, train, originals).sign  # a copy of the training set
    -1
    """
    new, old = _generated_and_train(generated, train)
    dim = new.shape[1]
    if hasattr(originals, "components"):
        population: Any = originals
        n = expected_count(population, n_original, dim)
        scale = as_scale(population.std if std is None else std)
        eps, eps_new = bandwidth(scale, n, dim), bandwidth(scale, len(new), dim)
        pairs = log_pairs_expected(population, n, eps)
        logs = _widened(population, eps**2 + eps_new**2).log_prob(new)
        cross = float(np.logaddexp.reduce(logs)) - math.log(len(new))
    else:
        fresh = fresh_points(originals, n_original, dim, two=std is None)
        scale = scale_of(fresh) if std is None else as_scale(std)
        eps, eps_new = bandwidth(scale, len(fresh), dim), bandwidth(scale, len(new), dim)
        pairs = log_pairs(fresh, eps)
        cross = log_cross_pairs(fresh, new, eps, eps_new)
    eps_old = bandwidth(scale, len(old), dim)
    cross_old = log_cross_pairs(old, new, eps_old, eps_new)
    return delta_from_terms(DeltaTerms(log_pairs(old, eps_old), cross_old, pairs, cross))


def log_sample_distance(a: ArrayLike, b: ArrayLike, std: float) -> float:
    """``ln int (p_a - p_b)^2`` in full dimension; ``-inf`` where rounding leaves nothing of it.

    Parameters
    ----------
    a, b : array-like of shape (n_points, dim)
        Two sets of points.
    std : float
        Data scale of both bandwidths, in data units.

    Examples
    --------
    >>> log_sample_distance([[0.0]], [[1.0]], std=1.0)
    -2.081056
    """
    first = as_points(a, "a")
    second = as_points(b, "b", dim=first.shape[1])
    dim, scale = first.shape[1], as_scale(std)
    eps_a, eps_b = bandwidth(scale, len(first), dim), bandwidth(scale, len(second), dim)
    logs = (
        log_self_terms(len(first), dim, eps_a),
        log_pairs(first, eps_a),
        log_self_terms(len(second), dim, eps_b),
        log_pairs(second, eps_b),
        math.log(2.0) + log_cross_pairs(first, second, eps_a, eps_b),
    )
    sign, log = signed_log_sum(logs, (1, 1, 1, 1, -1))
    return log if sign > 0 else -math.inf


def _generated_and_train(generated: ArrayLike, train: ArrayLike) -> tuple[Array, Array]:
    new = as_points(generated, "generated")
    return new, as_points(train, "train", dim=new.shape[1])


def _varying(units: Array) -> tuple[Array, NDArray[np.bool_]]:
    """Units, with 1 in place of 0, and where they are not 0."""
    kept = units > 0
    if not kept.any():
        raise ValueError("the originals are all equal: Delta needs data of some variance")
    return np.where(kept, units, 1.0), kept


def _widened(population: Any, variance: float) -> Mixture:
    """The population, blurred by a Gaussian kernel."""
    components = [
        Gaussian(component.mean, component.covariance.add_isotropic(variance))
        for component in population.components
    ]
    return Mixture(components, population.weights)


def _exact_sum(*parts: Array) -> float:
    """Sum of all entries with one rounding: terms of equal size and opposite sign cancel whole."""
    return math.fsum(np.concatenate(parts).tolist())
