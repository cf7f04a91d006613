r"""Squared L2 distance between finite sets of points, coordinate by coordinate.

Each coordinate is taken in a unit ``s`` of its own (the standard deviation of the originals, one
for all sets that are compared), ``u = x / s``. A set ``X`` of ``N`` points becomes a density by a
Gaussian kernel of bandwidth ``h_N = 1/N`` on each, so that for two sets, in each coordinate,

    int (p_X - p_Y)^2 du = A(X) + A(Y) - 2 C(X, Y),
    A(X)    = N^{-2} sum_ij N(u_i - u_j; 0, 2 h_N^2) = SELF_TERM + A'(X),
    C(X, Y) = (N M)^{-1} sum_ij N(u_i - v_j; 0, h_N^2 + h_M^2).

The self-terms ``i = j`` of ``A`` are ``1 / sqrt(4 pi)`` for every ``N``: they are kept out of
``A'`` and cancel on paper in a difference of two distances.

The sums take ``O(N log N)`` operations: points are sorted, and of each one only the neighbours
within a cut-off are summed. All pairs beyond the cut-off together are less than ``e^-50`` of one
coincident pair. That is below rounding beside the originals' own ``A' >= 2 e^-3 SELF_TERM / N`` (if
``g`` is the least distance of N numbers of unit variance, ``g^2 N^2 (N^2 - 1) / 12 <= N (N - 1)``,
so the nearest two have an exponent ``g^2 N^2 / 4 < 3``). Equal values are summed once, and clusters
of values through Chebyshev nodes (:mod:`ornstein.kernels.point_masses`), with an error of some
1e-15 of ``sqrt(A(X) A(Y))``, so that no data are slow. Values are subtracted before they are
divided by the unit, so no digits are lost far from the origin.

A coordinate without variation has no unit and is left out of averages by the callers.

For ``N`` independent draws of a mixture ``sum_a w_a N(m_a, Sigma_a)`` the terms have closed
expectations, with ``v_a`` the variance of component ``a`` in the coordinate, in squared units:

    E A'    = (1 - 1/N) sum_ab w_a w_b N(m_a - m_b; 0, v_a + v_b + 2 h_N^2),
    E C(X)  = M^{-1} sum_i sum_a w_a N(u_i; m_a, v_a + h_N^2 + h_M^2)          given M points X.

References
----------
Halder, arXiv 2411.17807 (the distance). Sums, cancellation and expectations are this project's.
"""

from __future__ import annotations

__all__ = [
    "SELF_TERM",
    "CoordinateTerms",
    "coordinate_units",
    "coordinate_pairs",
    "coordinate_cross",
    "coordinate_terms",
    "coordinate_pairs_expected",
    "coordinate_cross_expected",
    "population_units",
]

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.kernels.point_masses import PointMasses, compressed, distinct

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from ornstein.mixtures import Population

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]

SELF_TERM = 1 / math.sqrt(4 * math.pi)

_BLOCK = 2**17  # numbers held at a time, of all sets: the size of a core's cache
_NEGLIGIBLE = 50.0  # nats: all pairs beyond the cut-off, beside one coincident pair
_FEW = 32  # so many points are compared with all others, unsorted
_DENSE = 0.2  # share of neighbours within the cut-off from which all pairs are summed


class CoordinateTerms(NamedTuple):
    """Kernel sums of each coordinate, all of shape (dim,): three ``A'`` and two ``C``."""

    pairs_generated: NDArray[np.float64]
    pairs_train: NDArray[np.float64]
    pairs_originals: NDArray[np.float64]
    cross_train: NDArray[np.float64]
    cross_originals: NDArray[np.float64]


def coordinate_units(points: Array) -> Array:
    """Standard deviation of each coordinate (ddof 1), shape (dim,); 0 exactly if it is constant.

    Parameters
    ----------
    points : ndarray of shape (n_points, dim)
        Two or more.
    """
    centred = points - points.mean(axis=0)
    size = np.abs(centred).max(axis=0)
    # The mean of equal numbers may be rounded: a constant is recognised by its values.
    varies = points.max(axis=0) > points.min(axis=0)
    ratio = centred / np.where(size > 0, size, 1.0)  # no square of it overflows
    std = size * np.sqrt(np.square(ratio).sum(axis=0) / (len(points) - 1))
    return np.where(varies, std, 0.0)


def coordinate_pairs(points: Array, units: Array) -> Array:
    """``A'`` of each coordinate, shape (dim,), over ordered pairs of different points.

    Parameters
    ----------
    points : ndarray of shape (n_points, dim)
    units : ndarray of shape (dim,)
        Unit of each coordinate, > 0.

    Examples
    --------
    >>> coordinate_pairs(np.array([[0.0], [1.0]]), np.ones(1))  # e^-1 / sqrt(4 pi)
    array([0.103777])
    """
    blocks = (_pairs(distinct(rows), len(points), unit) for unit, rows in _blocks(units, points))
    return np.concatenate(list(blocks))


def coordinate_cross(a: Array, b: Array, units: Array) -> Array:
    """``C`` of each coordinate, shape (dim,), between `a`, (n, dim), and `b`, (m, dim).

    Examples
    --------
    >>> coordinate_cross(np.zeros((1, 1)), np.ones((1, 1)), np.ones(1))  # e^-1/4 / sqrt(4 pi)
    array([0.219696])
    """
    blocks = (
        _cross(distinct(left), distinct(right), len(a), len(b), unit)
        for unit, left, right in _blocks(units, a, b)
    )
    return np.concatenate(list(blocks))


def coordinate_terms(
    generated: Array, train: Array, originals: Array, units: Array
) -> CoordinateTerms:
    """All that distances from generated points to training set and originals need.

    Each set is sorted once.
    """
    n, n_train, n_original = len(generated), len(train), len(originals)
    terms = []
    for unit, *rows in _blocks(units, generated, train, originals):
        new, old, fresh = (distinct(values) for values in rows)
        terms.append(
            (
                _pairs(new, n, unit),
                _pairs(old, n_train, unit),
                _pairs(fresh, n_original, unit),
                _cross(old, new, n_train, n, unit),
                _cross(fresh, new, n_original, n, unit),
            )
        )
    return CoordinateTerms(*(np.concatenate(parts) for parts in zip(*terms, strict=True)))


def _blocks(units: Array, *sets: Array) -> Iterator[tuple[Array, ...]]:
    """Units, and coordinates as rows, so many at a time as stay in the cache."""
    step = max(1, _BLOCK // sum(len(points) for points in sets))
    for start in range(0, units.size, step):
        block = slice(start, start + step)
        yield units[block], *(np.ascontiguousarray(points[:, block].T) for points in sets)


@np.errstate(over="ignore")  # an infinite difference is beyond the cut-off
def _pairs(points: PointMasses, n: int, unit: Array) -> Array:
    """``A'`` of each row."""
    cutoff = math.sqrt(2 * math.log(n) + _NEGLIGIBLE)
    points = compressed(points, unit * (math.sqrt(2.0) / n))
    inverse = n / (2 * unit)  # exponents are -(gap * inverse)^2
    if points.masses is None:
        sums, shift = _shifted_sums(points.anchors[:, :-1], inverse, cutoff)
        equal = 0.0
    else:
        sums, shift = np.zeros(len(unit)), 1
        equal = (points.masses * (points.masses - 1)).sum(axis=1)
    rows, length = points.anchors.shape
    last = np.arange(1, rows + 1)[:, None] * length - 1
    neighbour = np.minimum(np.arange(rows * length).reshape(rows, length) + shift, last)
    sums += _neighbour_sums(points, points, neighbour, inverse, cutoff)
    return (equal + 2 * sums) * (SELF_TERM / n)


def _shifted_sums(ordered: Array, inverse: Array, cutoff: float) -> tuple[Array, int]:
    """Kernels of each point with its next, second next, ... point, while many are near enough.

    Returns the sums, and the first shift that is left to do.
    """
    rows, n = ordered.shape
    sums = np.zeros(rows)
    for shift in range(1, n):
        gaps = ordered[:, shift:] - ordered[:, :-shift]
        gaps *= inverse[:, None]
        if np.count_nonzero(gaps <= cutoff) < _DENSE * gaps.size:
            return sums, shift
        sums += _kernels(gaps).sum(axis=1)
    return sums, n


@np.errstate(over="ignore")
def _cross(a: PointMasses, b: PointMasses, n: int, m: int, unit: Array) -> Array:
    """``C`` of each row."""
    width = math.hypot(1 / n, 1 / m)
    cutoff = math.sqrt(math.log(n) + math.log(m) + _NEGLIGIBLE)
    inverse = 1 / (math.sqrt(2.0) * width * unit)
    many, few = (a, b) if a.anchors.shape[1] >= b.anchors.shape[1] else (b, a)
    if many.masses is None and few.anchors.shape[1] <= _FEW:
        sums = _all_sums(many.anchors[:, :-1], few, inverse)
    else:
        few = compressed(few, width * unit)
        lows = many.positions - (cutoff / inverse)[:, None]
        length = few.anchors.shape[1]
        ordered = few.positions
        neighbour = np.stack(
            [row * length + np.searchsorted(ordered[row], low) for row, low in enumerate(lows)]
        )
        # Beyond the last there is the inf at the end of the row.
        last = np.arange(1, len(unit) + 1)[:, None] * length - 1
        sums = _neighbour_sums(many, few, np.minimum(neighbour, last), inverse, cutoff)
    return sums * (math.sqrt(2.0) * SELF_TERM / math.hypot(n, m))


def _all_sums(many: Array, few: PointMasses, inverse: Array) -> Array:
    """Kernels of all points in the rows of `many` with all of `few`."""
    sums = np.zeros(len(many))
    for column in range(few.anchors.shape[1] - 1):
        gaps = many - few.anchors[:, column, None]
        gaps *= inverse[:, None]
        parts = _kernels(gaps).sum(axis=1)
        sums += parts if few.masses is None else parts * few.masses[:, column]
    return sums


def _neighbour_sums(
    left: PointMasses, right: PointMasses, neighbour: Index, inverse: Array, cutoff: float
) -> Array:
    """Kernels of each left point with right points from `neighbour` on, up to the cut-off.

    `neighbour` holds flat indices into `right`, of the shape of `left`. The ``inf`` at the end of
    each row is beyond the cut-off of all.
    """
    rows, length = left.anchors.shape
    anchors = right.anchors.ravel()
    sums = np.zeros(rows * length)
    active = np.flatnonzero(np.isfinite(left.anchors))
    index = neighbour.ravel()[active]
    here, scale = left.anchors.ravel()[active], inverse[active // length]
    shift = None if left.offsets is None else left.offsets.ravel()[active]
    while active.size:
        gaps = anchors[index] - here
        if right.offsets is not None:
            gaps += right.offsets.ravel()[index]
        if shift is not None:
            gaps -= shift
        gaps *= scale
        near = np.flatnonzero(gaps <= cutoff)
        if near.size < active.size:
            active, index, gaps = active[near], index[near], gaps[near]
            here, scale = here[near], scale[near]
            shift = None if shift is None else shift[near]
        kernels = _kernels(gaps)
        if right.masses is not None:
            kernels *= right.masses.ravel()[index]
        sums[active] += kernels
        index = index + 1
    sums = sums.reshape(rows, length)
    return (sums if left.masses is None else sums * left.masses).sum(axis=1)


def _kernels(gaps: Array) -> Array:
    """``exp(-gaps^2)``, in place."""
    np.square(gaps, out=gaps)
    np.negative(gaps, out=gaps)
    return np.exp(gaps, out=gaps)


def population_units(population: Population) -> Array:
    """Standard deviation of each coordinate of a population, shape (dim,)."""
    means, variances = _marginals(population)
    spread = np.square(means - population.weights @ means)
    return np.sqrt(population.weights @ (variances + spread))


@np.errstate(over="ignore")  # a law of infinite variance, in units, has density 0
def coordinate_pairs_expected(population: Population, n_points: int, units: Array) -> Array:
    """``E A'`` of each coordinate over `n_points` independent draws, shape (dim,)."""
    means, variances = _marginals(population)
    weights = population.weights
    total = np.zeros(units.size)
    for weight, mean, variance in zip(weights, means, variances, strict=True):
        spread = (variance + variances) / units**2 + 2 / n_points**2
        total += weight * (weights @ _normal((mean - means) / units, spread))
    return (1 - 1 / n_points) * total


@np.errstate(over="ignore")  # a law of infinite variance, in units, has density 0
def coordinate_cross_expected(
    points: Array, population: Population, n_points: int, units: Array
) -> Array:
    """``E C`` of each coordinate between `points` and `n_points` independent draws."""
    total = np.zeros(units.size)
    kernel = 1 / len(points) ** 2 + 1 / n_points**2
    for weight, mean, variance in zip(population.weights, *_marginals(population), strict=True):
        spread = variance / units**2 + kernel
        total += weight * _normal((points - mean) / units, spread).mean(axis=0)
    return total


def _marginals(population: Population) -> tuple[Array, Array]:
    """Means and variances of the components in each coordinate, both (n_components, dim)."""
    components = population.components
    return (
        np.stack([component.mean for component in components]),
        np.stack([component.covariance.variances for component in components]),
    )


def _normal(u: Array, variance: Array) -> Array:
    """Density of ``N(0, variance)``; 0 where the exponent overflows."""
    std = np.sqrt(variance)
    return np.exp(-0.5 * np.square(u / std)) / (math.sqrt(2 * math.pi) * std)
