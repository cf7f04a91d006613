r"""Gaussian laws and the four distances between them.

A law ``N(m, Sigma)`` with ``Sigma`` in the spectral form of :mod:`ornstein.covariances`, singular
ones included. For two laws ``p = N(m_p, P)`` and ``q = N(m_q, Q)`` write ``delta = m_p - m_q`` and
``l_k = ln w_k`` for the logarithms of the eigenvalues of ``Q^{-1} P``. Then, with no determinant
and no inverse formed,

    KL(p || q)        = 1/2 sum_k (e^{l_k} - 1 - l_k) + 1/2 delta^T Q^{-1} delta            [nats]
    -ln BC(p, q)      = 1/2 sum_k ln cosh(l_k / 2) + 1/4 delta^T (P + Q)^{-1} delta
    Hellinger^2       = 1 - BC
    W_2^2             = |delta|^2 + min_{U orthogonal} |F_P - F_Q U|^2,   F F^T = covariance
    int (p - q)^2     = sqrt(I_p I_q) [ 4 sinh(1/8 sum_k l_k)^2 + 2 (1 - e^{-D}) ],
                        I_p = int p^2,  D = 1/2 sum_k ln cosh(l_k / 2)
                                            + 1/2 delta^T (P + Q)^{-1} delta

The Bures part of ``W_2`` is written as a least distance between factors (orthogonal Procrustes),
and the L2 distance with its cancellation carried out, so that both keep their digits when the laws
almost agree. Ratios of eigenvalues are logarithms throughout, so that laws of very different scales
(standard deviations from 1e-150 to 1e150) do not overflow; a value that is itself beyond float64 is
``inf``.

Laws that are singular have no density in ``R^d``: KL is ``inf`` and Hellinger^2 is 1 unless both
lie in the same affine subspace, where the formulas hold within it; the L2 distance is ``inf``;
``W_2`` stays finite. Nothing is ever NaN. Points and means far from the origin are rounded, by
1e-16 of their own size: they count as on a subspace if they are as near to it as that.

References
----------
Pardo, "Statistical Inference Based on Divergence Measures", 2006 (KL, Hellinger); Olkin,
Pukelsheim, "The distance between two random vectors with given dispersion matrices", 1982 (W_2).
"""

from __future__ import annotations

__all__ = [
    "Gaussian",
    "kl_divergence",
    "hellinger_squared",
    "wasserstein_squared",
    "log_l2_squared",
    "log_overlap",
]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.covariance_pairs import bures_squared, log_ratios, sum_terms
from ornstein.covariances import Covariance, lengths
from ornstein.validation import (
    as_count,
    as_generator,
    as_points,
    as_positive,
    as_real,
    as_vector,
)

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_LOG_2PI = float(np.log(2 * np.pi))
_SERIES = 1 / np.cumprod(np.arange(3.0, 19.0))  # 2/3!, 2/4!, ...
_ROUNDING = 4 * np.finfo(np.float64).eps  # of the coordinates of points and means


@dataclass(frozen=True, eq=False, init=False)
class Gaussian:
    """The law ``N(mean, covariance)``, singular or not.

    Parameters
    ----------
    mean : float or array-like of shape (dim,)
        In data units. A number is repeated if `covariance` gives the dimension.
    covariance : float, array-like of shape (dim,) or (dim, dim), or Covariance
        A number means ``variance * I``, a vector the variances of independent coordinates.
    tolerance : float, optional
        For a matrix: eigenvalues of at most this part of the largest become 0, see
        :meth:`~ornstein.covariances.Covariance.full`.

    Raises
    ------
    TypeError
        If values are complex numbers, dates, or no numbers.
    ValueError
        If shapes disagree, a value is masked or not finite, or the matrix is no covariance.

    Warns
    -----
    UserWarning
        If a matrix is singular up to rounding, with the number of its eigenvalues that become 0.

    Examples
    --------
    >>> law = Gaussian([0.0, 1.0], [1.0, 4.0])
    >>> law.dim
    2
    >>> float(law.log_prob([[0.0, 1.0]])[0])
    -2.531024
    >>> Gaussian.isotropic(100, mean=10.0)
    Gaussian(dim=100, isotropic, mean 10, std 1)
    """

    mean: NDArray[np.float64]
    covariance: Covariance

    def __init__(
        self,
        mean: ArrayLike,
        covariance: ArrayLike | Covariance,
        *,
        tolerance: float | None = None,
    ) -> None:
        if not isinstance(covariance, Covariance):
            array = as_real(covariance, "covariance")
            if array.ndim == 0:
                covariance = Covariance.isotropic(as_real(mean, "mean").size, float(array))
            elif array.ndim == 1:
                covariance = Covariance.diagonal(array)
            else:
                covariance = Covariance.full(array, tolerance)
        object.__setattr__(self, "mean", as_vector(mean, "mean", dim=covariance.dim).copy())
        object.__setattr__(self, "covariance", covariance)

    def __repr__(self) -> str:
        first = float(self.mean[0])
        if (self.mean == first).all():
            mean = f"mean {first:.6g}"
        else:
            mean = f"means {self.mean.min():.6g} to {self.mean.max():.6g}"
        C, rank = self.covariance, self.covariance.rank
        kind = "isotropic" if C.is_isotropic else "diagonal" if C.basis is None else "full"
        shape = kind if rank == self.dim else f"singular of rank {rank}"
        return f"Gaussian(dim={self.dim}, {shape}, {mean}, std {self.std:.6g})"

    @classmethod
    def isotropic(cls, dim: int, mean: ArrayLike = 0.0, std: float = 1.0) -> Gaussian:
        """``N(mean, std^2 I)`` in `dim` dimensions; a number as mean is repeated.

        Raises
        ------
        ValueError
            If `std` is negative, or its square underflows or overflows.
        """
        dim = as_count(dim, "dim")
        variance = _squared(std)
        return cls(as_vector(mean, "mean", dim=dim), Covariance.isotropic(dim, variance))

    @classmethod
    def power_law(
        cls, dim: int, exponent: float, mean: ArrayLike = 0.0, std: float | None = None
    ) -> Gaussian:
        """Independent coordinates with variances ``k^(-exponent)``, ``k = 1 .. dim``.

        With `std`, the variances are scaled so that their mean is ``std**2``.

        Raises
        ------
        ValueError
            If `std` is not > 0, or a variance underflows or overflows.
        """
        dim = as_count(dim, "dim")
        power = float(as_real(exponent, "exponent"))
        with np.errstate(over="ignore", under="ignore"):
            variances = np.arange(1, dim + 1, dtype=np.float64) ** -power
            if std is not None:
                variances *= float(as_positive(_squared(std), "std")) / variances.mean()
        if not (np.isfinite(variances) & (variances > 0)).all():
            raise ValueError(
                f"exponent is {power:g}: variances k^{-power:g} up to k = {dim} leave the range of "
                "float64, expected an exponent nearer to 0"
            )
        return cls(as_vector(mean, "mean", dim=dim), Covariance.diagonal(variances))

    @classmethod
    def from_factor(
        cls, mean: ArrayLike, factor: ArrayLike, *, tolerance: float | None = None
    ) -> Gaussian:
        """The law of ``mean + F z``, ``F`` of shape (dim, r): covariance ``F F^T``, low rank."""
        return cls(mean, Covariance.from_factor(factor, tolerance=tolerance))

    @property
    def dim(self) -> int:
        """Dimension."""
        return self.covariance.dim

    @property
    def std(self) -> float:
        """Root of the mean coordinate variance, ``sqrt(tr Sigma / dim)``, in data units."""
        return float(np.sqrt(self.covariance.trace / self.dim))

    @property
    def weights(self) -> NDArray[np.float64]:
        """A Gaussian is a mixture of one component."""
        return np.ones(1)

    @property
    def components(self) -> tuple[Gaussian, ...]:
        """A Gaussian is a mixture of one component."""
        return (self,)

    def sample(self, n: int, rng: Any = None) -> NDArray[np.float64]:
        """Draw `n` points.

        Parameters
        ----------
        n : int
            Number of points.
        rng : Generator, int or None
            Source of randomness; an int seeds a new one. **Equal ints give equal numbers**: the
            first of 400 points with ``rng=0`` are the 100 points of another call with ``rng=0``,
            and laws of one dimension share their standard normals. For a training set and
            held-out points, take two seeds, or one Generator for both. (Models with
            ``random_state=0`` are not concerned: their noise is another stream.)

        Returns
        -------
        ndarray of shape (n, dim)
        """
        n = as_count(n, "n", at_least=0)
        z = as_generator(rng, "Gaussian.sample").standard_normal((n, self.dim))
        return self.mean + self.covariance.color(z)

    def log_prob(self, x: ArrayLike) -> NDArray[np.float64]:
        """Log density in nats at the rows of `x`, shape (n, dim); ``-inf`` if singular.

        A singular law has no density: the value is ``-inf`` off its affine subspace and
        ``+inf`` on it, up to rounding of `x` and of the mean.
        """
        points = as_points(x, "x", dim=self.dim)
        rounding = _ROUNDING * (lengths(points) + lengths(self.mean))
        distance = self.covariance.mahalanobis_squared(points - self.mean, rounding)
        if self.covariance.rank < self.dim:
            return np.where(np.isfinite(distance), np.inf, -np.inf)
        return -0.5 * (self.dim * _LOG_2PI + self.covariance.log_det + distance)


def kl_divergence(p: Gaussian, q: Gaussian) -> float:
    """Kullback-Leibler divergence ``KL(p || q) = E_p ln(p/q)``, total, in nats.

    Examples
    --------
    >>> kl_divergence(Gaussian.isotropic(3, std=2.0), Gaussian.isotropic(3))
    2.420558
    """
    gap = _mean_gap(p, q)
    logs = log_ratios(p.covariance, q.covariance, *gap)
    if logs is None:
        return np.inf
    distance = q.covariance.mahalanobis_squared(*gap)
    with np.errstate(over="ignore"):
        return float(0.5 * _excess(logs).sum() + 0.5 * distance)


def hellinger_squared(p: Gaussian, q: Gaussian) -> float:
    """Squared Hellinger distance ``1 - int sqrt(p q)``, between 0 and 1."""
    gap = _mean_gap(p, q)
    logs = log_ratios(p.covariance, q.covariance, *gap)
    if logs is None:
        return 1.0
    _, distance = sum_terms(p.covariance, q.covariance, *gap)
    return float(-np.expm1(-0.5 * _log_cosh(logs / 2).sum() - 0.25 * distance))


def wasserstein_squared(p: Gaussian, q: Gaussian) -> float:
    """Squared 2-Wasserstein distance, in squared data units; finite for singular laws too."""
    delta, _ = _mean_gap(p, q)
    return float(delta @ delta + bures_squared(p.covariance, q.covariance))


def log_l2_squared(p: Gaussian, q: Gaussian) -> float:
    """Natural logarithm of ``int (p - q)^2``; ``-inf`` for equal laws, ``inf`` for singular ones.

    The integral itself, of order ``(4 pi sigma^2)^(-dim/2)``, underflows or overflows in high
    dimension.
    """
    gap = _mean_gap(p, q)
    if min(p.covariance.rank, q.covariance.rank) < p.dim:
        return np.inf
    logs = log_ratios(p.covariance, q.covariance, *gap)
    assert logs is not None  # neither is singular
    _, distance = sum_terms(p.covariance, q.covariance, *gap)
    exponent = 0.5 * _log_cosh(logs / 2).sum() + 0.5 * distance
    tilt = abs(logs.sum()) / 8
    log_geometric_mean = -0.5 * p.dim * np.log(4 * np.pi) - 0.25 * (
        p.covariance.log_det + q.covariance.log_det
    )
    # 4 sinh(tilt)^2 as a logarithm, since e^(2 tilt) overflows for very different scales.
    log_tilt = 2 * (tilt + np.log(-np.expm1(-2 * tilt))) if tilt > 0 else -np.inf
    log_rest = np.log(2 * -np.expm1(-exponent)) if exponent > 0 else -np.inf
    return float(log_geometric_mean + np.logaddexp(log_tilt, log_rest))


def log_overlap(p: Gaussian, q: Gaussian) -> float:
    """``ln int p q = ln N(m_p - m_q; 0, P + Q)``, finite unless ``P + Q`` is singular."""
    log_det, distance = sum_terms(p.covariance, q.covariance, *_mean_gap(p, q))
    if log_det == -np.inf:
        return np.inf if np.isfinite(distance) else -np.inf
    return -0.5 * (p.dim * _LOG_2PI + log_det + distance)


def _mean_gap(p: Gaussian, q: Gaussian) -> tuple[NDArray[np.float64], float]:
    """``m_p - m_q``, and a length by which rounding may have moved it."""
    if p.dim != q.dim:
        raise ValueError(f"laws of dimension {p.dim} and {q.dim}: expected the same dimension")
    return p.mean - q.mean, float(_ROUNDING * (lengths(p.mean) + lengths(q.mean)))


def _squared(std: float) -> float:
    """``std^2`` of a standard deviation >= 0."""
    value = float(as_positive(std, "std", zero=True))
    if value and not 1e-153 < value < 1e153:
        raise ValueError(
            f"std is {value:g}, expected 0 or a number from 1e-153 to 1e153, whose square is one: "
            "choose another unit of the data"
        )
    return value**2


def _excess(logs: NDArray[np.float64]) -> NDArray[np.float64]:
    """``e^l - 1 - l``, which is quadratic at 0; ``inf`` where it overflows."""
    small = np.minimum(np.maximum(logs, -0.5), 0.5)
    # l^2/2 (1 + l/3 + l^2/(3 4) + ...), to rounding with 16 terms.
    powers = np.multiply.accumulate(np.broadcast_to(small, (_SERIES.size, *small.shape)))
    series = 1 + _SERIES @ powers
    with np.errstate(over="ignore"):
        return np.where(np.abs(logs) < 0.5, 0.5 * small**2 * series, np.expm1(logs) - logs)


def _log_cosh(u: NDArray[np.float64]) -> NDArray[np.float64]:
    """``ln cosh u``, never negative."""
    u = np.abs(u)
    # 1/2 log1p(sinh(u)^2) keeps digits near 0, the second form does not overflow.
    small = 0.5 * np.log1p(np.sinh(np.minimum(u, 1.0)) ** 2)
    return np.where(u < 1.0, small, u + np.log1p(np.exp(-2 * u)) - np.log(2.0))
