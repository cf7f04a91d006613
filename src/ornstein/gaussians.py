r"""Gaussian laws and the four distances between them.

A law ``N(m, Sigma)`` with ``Sigma`` in the spectral form of :mod:`ornstein.covariances`, singular
ones included. For two laws ``p = N(m_p, P)`` and ``q = N(m_q, Q)`` write ``delta = m_p - m_q`` and
``w_k`` for the eigenvalues of ``Q^{-1} P``. Then, with no determinant and no inverse formed,

    KL(p || q)        = 1/2 sum_k (w_k - 1 - ln w_k) + 1/2 delta^T Q^{-1} delta             [nats]
    -ln BC(p, q)      = 1/2 sum_k ln cosh(1/2 ln w_k) + 1/4 delta^T (P + Q)^{-1} delta
    Hellinger^2       = 1 - BC
    W_2^2             = |delta|^2 + min_{U orthogonal} |F_P - F_Q U|^2,   F F^T = covariance
    int (p - q)^2     = sqrt(I_p I_q) [ 4 sinh(1/8 sum_k ln w_k)^2 + 2 (1 - e^{-D}) ],
                        I_p = int p^2,  D = 1/2 sum_k ln cosh(1/2 ln w_k)
                                            + 1/2 delta^T (P + Q)^{-1} delta

The Bures part of ``W_2`` is written as a least distance between factors (orthogonal Procrustes),
and the L2 distance with its cancellation carried out, so that both keep their digits when the laws
almost agree.

Laws that are singular have no density in ``R^d``: KL is ``inf`` and Hellinger^2 is 1 unless both
live on the same affine subspace, where the formulas hold within it; the L2 distance is ``inf``;
``W_2`` stays finite. Nothing is ever NaN.

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

from ornstein.covariances import Covariance
from ornstein.validation import as_count, as_generator, as_points, as_vector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_LOG_2PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, eq=False, init=False)
class Gaussian:
    """The law ``N(mean, covariance)``, singular or not.

    Parameters
    ----------
    mean : float or array-like of shape (dim,)
        In data units. A number is repeated when `covariance` tells the dimension.
    covariance : float, array-like of shape (dim,) or (dim, dim), or Covariance
        A number means ``variance * I``, a vector the variances of independent coordinates.

    Raises
    ------
    ValueError
        If shapes disagree, a value is not finite, or the matrix is no covariance.

    Examples
    --------
    >>> law = Gaussian([0.0, 1.0], [1.0, 4.0])
    >>> law.dim
    2
    >>> float(law.log_prob([[0.0, 1.0]])[0])
    -2.531024
    """

    mean: NDArray[np.float64]
    covariance: Covariance

    def __init__(self, mean: ArrayLike, covariance: ArrayLike | Covariance) -> None:
        if not isinstance(covariance, Covariance):
            array = np.asarray(covariance, dtype=np.float64)
            if array.ndim == 0:
                covariance = Covariance.isotropic(np.size(mean), float(array))
            elif array.ndim == 1:
                covariance = Covariance.diagonal(array)
            else:
                covariance = Covariance.full(array)
        object.__setattr__(self, "mean", as_vector(mean, "mean", dim=covariance.dim))
        object.__setattr__(self, "covariance", covariance)

    @classmethod
    def isotropic(cls, dim: int, mean: ArrayLike = 0.0, std: float = 1.0) -> Gaussian:
        """``N(mean, std^2 I)`` in `dim` dimensions; a number as mean is repeated."""
        dim = as_count(dim, "dim")
        return cls(as_vector(mean, "mean", dim=dim), Covariance.isotropic(dim, float(std) ** 2))

    @classmethod
    def power_law(
        cls, dim: int, exponent: float, mean: ArrayLike = 0.0, std: float | None = None
    ) -> Gaussian:
        """Independent coordinates with variances ``k^(-exponent)``, ``k = 1 .. dim``.

        With `std`, the variances are scaled so that their mean is ``std**2``.
        """
        dim = as_count(dim, "dim")
        variances = np.arange(1, dim + 1, dtype=np.float64) ** -float(exponent)
        if std is not None:
            variances *= float(std) ** 2 / variances.mean()
        return cls(as_vector(mean, "mean", dim=dim), Covariance.diagonal(variances))

    @classmethod
    def from_factor(cls, mean: ArrayLike, factor: ArrayLike) -> Gaussian:
        """The law of ``mean + F z``, ``F`` of shape (dim, r): covariance ``F F^T``, low rank."""
        return cls(mean, Covariance.from_factor(factor))

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
        ``+inf`` on it.
        """
        points = as_points(x, "x", dim=self.dim)
        distance = self.covariance.mahalanobis_squared(points - self.mean)
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
    pair = _relative(p, q)
    if pair is None:
        return np.inf
    w, delta = pair
    return float(0.5 * _excess(w).sum() + 0.5 * q.covariance.mahalanobis_squared(delta))


def hellinger_squared(p: Gaussian, q: Gaussian) -> float:
    """Squared Hellinger distance ``1 - int sqrt(p q)``, between 0 and 1."""
    pair = _relative(p, q)
    if pair is None:
        return 1.0
    w, delta = pair
    return float(-np.expm1(-0.5 * _log_cosh_half_log(w).sum() - 0.25 * _between(p, q, delta)))


def wasserstein_squared(p: Gaussian, q: Gaussian) -> float:
    """Squared 2-Wasserstein distance, in squared data units; finite for singular laws too."""
    _same_dim(p, q)
    delta = p.mean - q.mean
    P, Q = p.covariance, q.covariance
    if P.basis is None and Q.basis is None:
        spread = np.square(np.sqrt(P.eigenvalues) - np.sqrt(Q.eigenvalues)).sum()
    elif P.is_isotropic or Q.is_isotropic:
        spread = np.square(np.sqrt(P.spectrum()) - np.sqrt(Q.spectrum())).sum()
    else:
        F, G = P.factor(), Q.factor()
        left, _, right = np.linalg.svd(G.T @ F, full_matrices=False)
        # F is dim x r_P, G dim x r_Q: rotate the larger rank onto the smaller, and count the rest.
        aligned = G @ (left @ right)
        rest = np.square(G - (G @ left) @ left.T).sum() if G.shape[1] > left.shape[1] else 0.0
        spread = np.square(F - aligned).sum() + rest
    return float(delta @ delta + spread)


def log_l2_squared(p: Gaussian, q: Gaussian) -> float:
    """Natural logarithm of ``int (p - q)^2``; ``-inf`` for equal laws, ``inf`` for singular ones.

    The integral itself, of order ``(4 pi sigma^2)^(-dim/2)``, underflows or overflows in high
    dimension.
    """
    _same_dim(p, q)
    if min(p.covariance.rank, q.covariance.rank) < p.dim:
        return np.inf
    w, delta = _relative(p, q) or (np.ones(1), np.zeros(1))
    gap = 0.5 * _log_cosh_half_log(w).sum() + 0.5 * _between(p, q, delta)
    tilt = abs(np.log(w).sum()) / 8
    log_geometric_mean = -0.5 * p.dim * np.log(4 * np.pi) - 0.25 * (
        p.covariance.log_det + q.covariance.log_det
    )
    # 4 sinh(tilt)^2 as a logarithm, since e^(2 tilt) overflows for very different scales.
    log_tilt = 2 * (tilt + np.log(-np.expm1(-2 * tilt))) if tilt > 0 else -np.inf
    log_gap = np.log(2 * -np.expm1(-gap)) if gap > 0 else -np.inf
    return float(log_geometric_mean + np.logaddexp(log_tilt, log_gap))


def log_overlap(p: Gaussian, q: Gaussian) -> float:
    """``ln int p q = ln N(m_p - m_q; 0, P + Q)``, finite unless ``P + Q`` is singular."""
    _same_dim(p, q)
    total = _sum(p.covariance, q.covariance)
    if total.rank < p.dim:
        on = np.isfinite(total.mahalanobis_squared(p.mean - q.mean))
        return np.inf if on else -np.inf
    distance = float(total.mahalanobis_squared(p.mean - q.mean))
    return -0.5 * (p.dim * _LOG_2PI + total.log_det + distance)


def _same_dim(p: Gaussian, q: Gaussian) -> None:
    if p.dim != q.dim:
        raise ValueError(f"laws of dimension {p.dim} and {q.dim}: expected the same dimension")


def _sum(P: Covariance, Q: Covariance) -> Covariance:
    """``P + Q``, decomposed only when neither is a multiple of the identity nor both diagonal."""
    if Q.is_isotropic:
        return P.add_isotropic(Q.eigenvalues[0])
    if P.is_isotropic:
        return Q.add_isotropic(P.eigenvalues[0])
    if P.basis is None and Q.basis is None:
        return Covariance.diagonal(P.eigenvalues + Q.eigenvalues)
    return Covariance.full(P.dense() + Q.dense())


def _between(p: Gaussian, q: Gaussian, delta: NDArray[np.float64]) -> float:
    """``delta^T (P + Q)^{-1} delta``."""
    return float(_sum(p.covariance, q.covariance).mahalanobis_squared(delta))


def _excess(w: NDArray[np.float64]) -> NDArray[np.float64]:
    """``w - 1 - ln w``, which is quadratic at ``w = 1``."""
    return (w - 1) - np.log1p(w - 1)


def _log_cosh_half_log(w: NDArray[np.float64]) -> NDArray[np.float64]:
    """``ln cosh(1/2 ln w) = ln((1 + w) / (2 sqrt w))``, never negative."""
    u = np.abs(0.5 * np.log(w))
    # ln cosh u = 1/2 log1p(sinh(u)^2) keeps digits near 0, the second form does not overflow.
    small = 0.5 * np.log1p(np.sinh(np.minimum(u, 1.0)) ** 2)
    return np.where(u < 1.0, small, u + np.log1p(np.exp(-2 * u)) - np.log(2.0))


def _relative(p: Gaussian, q: Gaussian) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Eigenvalues of ``Q^{-1} P`` and ``m_p - m_q``; None if the laws are mutually singular.

    For two singular laws on one affine subspace, the eigenvalues within it.
    """
    _same_dim(p, q)
    delta = p.mean - q.mean
    P, Q = p.covariance, q.covariance
    if P.rank != Q.rank:
        return None
    if P.rank == P.dim:
        if Q.is_isotropic:
            return P.spectrum() / Q.eigenvalues[0], delta
        if P.is_isotropic:
            return P.eigenvalues[0] / Q.spectrum(), delta
        if P.basis is None and Q.basis is None:
            return P.eigenvalues / Q.eigenvalues, delta
    F, G = P.factor(), Q.factor()
    if P.rank == 0:
        return (np.ones(0), delta) if not delta.any() else None
    # Orthogonal columns: the pseudo-inverse of G is a transpose and a division.
    pull = (G / np.square(G).sum(axis=0)).T
    within = pull @ F
    if P.rank < P.dim:
        lost = np.abs(F - G @ within).max() > 1e-9 * np.abs(F).max()
        if lost or not np.isfinite(Q.mahalanobis_squared(delta)):
            return None
    return np.square(np.linalg.svd(within, compute_uv=False), dtype=np.float64), delta
