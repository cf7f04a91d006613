r"""Squared L2 distance between a law and a finite set of points, term by term, in logarithms.

A set ``X`` of ``N`` points becomes a density ``p_X`` by a Gaussian kernel of bandwidth ``eps`` on
each point. Against a Gaussian law ``p = N(mu, S)``

    int (p - p_X)^2 = int p^2 + A(X) - 2 B(X),
    A(X) = N^{-2} sum_ij N(x_i - x_j; 0, 2 eps^2 I),
    B(X) = N^{-1} sum_i  N(x_i; mu, S + eps^2 I).

``A`` splits into the self-terms ``i = j``, ``N^{-1} (4 pi eps^2)^{-d/2}``, and the rest ``A'``. In
high dimension they differ by many orders of magnitude, so each term is a logarithm and the
self-terms are kept apart (in a difference of two sets they may cancel on paper).

If the points are ``N`` independent draws of a mixture ``sum_a w_a N(m_a, Sigma_a)``, the terms have
closed expectations:

    E A'(X) = (1 - 1/N) sum_ab w_a w_b N(m_a - m_b; 0, Sigma_a + Sigma_b + 2 eps^2 I),
    E B(X)  = sum_a w_a N(m_a; mu, S + Sigma_a + eps^2 I).

The bandwidth ``eps_N = std N^{-1/d}`` is that of Halder (arXiv 2411.17807); the cancellation and
the expectations are this project's.

Pair sums go through blocks of matrix products, which lose the distance of near pairs by rounding:
where the bound of :mod:`ornstein.kernels.rounding` says that it could show in the result, the pairs
that matter are found first and computed again from differences of coordinates.
"""

from __future__ import annotations

__all__ = [
    "bandwidth",
    "log_pairs",
    "log_cross_pairs",
    "log_pairs_expected",
    "log_self_terms",
    "log_cross",
    "log_cross_expected",
    "signed_log_sum",
]

import math
from typing import TYPE_CHECKING

import numpy as np

from ornstein.gaussians import Gaussian, log_overlap
from ornstein.kernels.rounding import distance_error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

    from ornstein.mixtures import Population

    Array = NDArray[np.float64]

_BLOCK, _LARGE_BLOCK = 256, 1024  # points: small blocks fit a core's cache
_HIGH_DIMENSION = 512  # from here on products of large blocks are the faster ones
_FEW_DIMENSIONS = 4  # differences of coordinates cost no more than a matrix product
_NEGLIGIBLE = 40.0  # nats: e^-40 of the largest term, times N^2 terms, is below rounding
_EXPONENT_ERROR = 1e-10  # nats that rounding of a distance may shift a term


def bandwidth(std: float, n_points: int, dim: int) -> float:
    """``eps_N = std N^{-1/d}``, in data units."""
    return std * float(n_points) ** (-1.0 / dim)


def log_self_terms(n_points: int, dim: int, eps: float) -> float:
    """``ln [N^{-1} (4 pi eps^2)^{-d/2}]``, the part ``i = j`` of ``A(X)``."""
    return -math.log(n_points) + _log_peak(dim, math.sqrt(2) * eps)


def log_pairs(points: Array, eps: float) -> float:
    """``ln A'(X)``, over ordered pairs of different points; ``-inf`` for a single point.

    Parameters
    ----------
    points : ndarray of shape (n_points, dim)
    eps : float
        Bandwidth > 0, in data units.
    """
    n, dim = points.shape
    if n < 2:
        return -np.inf
    total = _log_sum_exp(_exponent_blocks(points, None, 2 * eps))
    return _log_peak(dim, math.sqrt(2) * eps) + math.log(2.0) - 2 * math.log(n) + total


def log_cross_pairs(a: Array, b: Array, eps_a: float, eps_b: float) -> float:
    """``ln C``, ``C = (n m)^{-1} sum_ij N(a_i - b_j; 0, (eps_a^2 + eps_b^2) I)``.

    Parameters
    ----------
    a, b : ndarray of shape (n, dim) and (m, dim)
    eps_a, eps_b : float
        Bandwidths > 0, in data units.
    """
    width = math.hypot(eps_a, eps_b)
    total = _log_sum_exp(_exponent_blocks(a, b, math.sqrt(2) * width))
    return _log_peak(a.shape[1], width) - math.log(len(a)) - math.log(len(b)) + total


def _log_peak(dim: int, std: float) -> float:
    """``ln N(0; 0, std^2 I)``."""
    return -dim * (0.5 * math.log(2 * math.pi) + math.log(std))


def _log_sum_exp(blocks: Iterable[Array]) -> float:
    """``ln sum e^x`` over blocks of exponents, which are overwritten."""
    top, total = -math.inf, 0.0
    for exponents in blocks:
        peak = float(exponents.max())
        if peak > top:
            total *= math.exp(top - peak)
            top = peak
        if peak > top - 2 * _NEGLIGIBLE:
            np.subtract(exponents, top, out=exponents)
            total += float(np.exp(exponents, out=exponents).sum())
    return top + math.log(total) if total > 0 else -math.inf


def _exponent_blocks(a: Array, b: Array | None, unit: float) -> Iterator[Array]:
    """``-|a_i - b_j|^2 / unit^2``, block by block; with b None for pairs i < j of a, else ``-inf``.

    Exact to `_EXPONENT_ERROR` for the pairs that can matter in a log-sum-exp.
    """
    right = a if b is None else b
    centre = (a.mean(axis=0) + right.mean(axis=0)) / 2
    top = -math.inf
    step = _BLOCK if a.shape[1] < _HIGH_DIMENSION else _LARGE_BLOCK
    for i in range(0, len(a), step):
        rows = a[i : i + step]
        for j in range(i if b is None else 0, len(right), step):
            columns = right[j : j + step]
            exponents, error = _exponents(rows, columns, centre, unit)
            if b is None and i == j:
                np.copyto(exponents, -np.inf, where=np.tri(len(exponents), dtype=np.bool_))
            top = max(top, float(exponents.max()))
            if error > _EXPONENT_ERROR:
                _recompute(exponents, rows, columns, unit, top - _NEGLIGIBLE - 2 * error)
            yield exponents


@np.errstate(over="ignore")  # a distance of more than 1e154 units has the exponent -inf
def _exponents(a: Array, b: Array, centre: Array, unit: float) -> tuple[Array, float]:
    """``-|a_i - b_j|^2 / unit^2``, and a bound of its rounding error.

    By a matrix product, unless there are few coordinates or squares overflow.
    """
    dim = a.shape[1]
    if dim > _FEW_DIMENSIONS:
        near, far = (a - centre) / unit, (b - centre) / unit
        near_squares, far_squares = (np.einsum("ij,ij->i", x, x) for x in (near, far))
        norms = np.sqrt(near_squares.max()), np.sqrt(far_squares.max())
        error = float(distance_error(dim, *norms))
        if math.isfinite(error):
            total = near @ (2 * far.T)
            total -= near_squares[:, None]
            total -= far_squares
            return np.minimum(total, 0.0, out=total), error
    total = np.zeros((len(a), len(b)))
    for column_a, column_b in zip(a.T, b.T, strict=True):
        total -= np.square(np.subtract.outer(column_a, column_b) / unit)
    return total, 0.0


@np.errstate(over="ignore")
def _recompute(exponents: Array, a: Array, b: Array, unit: float, floor: float) -> None:
    """Put the exponent from differences wherever the fast one is above `floor`."""
    for i, row in enumerate(exponents):
        near = np.flatnonzero(row > floor)
        if near.size:
            row[near] = -np.square((a[i] - b[near]) / unit).sum(axis=1)


def log_pairs_expected(population: Population, n_points: int, eps: float) -> float:
    """``ln E A'(X)`` over `n_points` independent draws of `population`."""
    if n_points < 2:
        return -np.inf
    parts = list(zip(population.weights, population.components, strict=True))
    logs = [
        math.log(wa * wb) + log_overlap(_widened(a, 2 * eps**2), b)
        for wa, a in parts
        for wb, b in parts
    ]
    return float(np.logaddexp.reduce(logs)) + math.log1p(-1.0 / n_points)


def log_cross(law: Gaussian, points: Array, eps: float) -> float:
    """``ln B(X)`` of `points`, shape (n_points, dim), under `law`."""
    logs = _widened(law, eps**2).log_prob(points)
    return float(np.logaddexp.reduce(logs)) - math.log(len(points))


def log_cross_expected(law: Gaussian, population: Population, eps: float) -> float:
    """``ln E B(X)`` over independent draws of `population`."""
    wide = _widened(law, eps**2)
    logs = [
        math.log(weight) + log_overlap(wide, component)
        for weight, component in zip(population.weights, population.components, strict=True)
    ]
    return float(np.logaddexp.reduce(logs))


def signed_log_sum(logs: Sequence[float], signs: Sequence[float]) -> tuple[int, float]:
    """Sign and ``ln |.|`` of ``sum_k signs_k e^{logs_k}``, in one log-sum-exp.

    Examples
    --------
    >>> signed_log_sum([-1000.0, -1000.0, -1001.0], [1, 1, -2])
    (1, -999.765...)
    """
    top = max(logs)
    if top == -math.inf:
        return 0, -math.inf
    if top == math.inf:
        raise ValueError("a term is infinite: its sum has no logarithm")
    total = math.fsum(s * math.exp(log - top) for log, s in zip(logs, signs, strict=True))
    if total == 0:
        return 0, -math.inf
    return int(math.copysign(1, total)), top + math.log(abs(total))


def _widened(law: Gaussian, variance: float) -> Gaussian:
    return Gaussian(law.mean, law.covariance.add_isotropic(variance))
