r"""Covariance matrices by what is known of their structure, in spectral form.

Every covariance in the package is

    Sigma = U diag(l) U^T + f (I - U U^T),

with `U` of shape (dim, r) orthonormal, `l >= 0` of shape (r,), and a floor `f >= 0` on the
orthogonal complement. That one form holds the four structures of the field:

============  =========  ==================  =======
structure     `U`        `l`                 `f`
============  =========  ==================  =======
isotropic     identity   all equal           --
diagonal      identity   the variances       --
full          square     the eigenvalues     --
low-rank      tall       the non-zero ones   0 (or the variance added to it)
============  =========  ==================  =======

Products, solves, determinants and distances then cost `O(dim r)` a vector after one
decomposition, nothing of size (dim, dim) is stored for a low rank, and adding `a I` (the kernels of
:mod:`ornstein.memorization.delta`) costs nothing. An identity `U` is never formed.
"""

from __future__ import annotations

__all__ = ["Covariance"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ornstein.validation import as_count, as_positive, as_vector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True, eq=False)
class Covariance:
    """A symmetric positive semi-definite matrix ``U diag(l) U^T + f (I - U U^T)``.

    Use the constructors :meth:`isotropic`, :meth:`diagonal`, :meth:`full`, :meth:`from_factor`.

    Attributes
    ----------
    dim : int
        Size of the matrix.
    eigenvalues : ndarray of shape (r,)
        Eigenvalues ``l`` along the columns of `basis`, in squared data units.
    basis : ndarray of shape (dim, r) or None
        Orthonormal columns ``U``; None stands for the identity (then r = dim).
    floor : float
        Eigenvalue ``f`` on the orthogonal complement of `basis`.
    """

    dim: int
    eigenvalues: NDArray[np.float64]
    basis: NDArray[np.float64] | None = None
    floor: float = 0.0

    @classmethod
    def isotropic(cls, dim: int, variance: float) -> Covariance:
        """``variance * I``."""
        dim = as_count(dim, "dim")
        return cls(dim, np.full(dim, float(as_positive(variance, "variance", zero=True))))

    @classmethod
    def diagonal(cls, variances: ArrayLike) -> Covariance:
        """``diag(variances)``, `variances` of shape (dim,), all >= 0."""
        values = as_positive(as_vector(variances, "variances"), "variances", zero=True)
        return cls(values.size, values)

    @classmethod
    def full(cls, matrix: ArrayLike) -> Covariance:
        """Eigendecompose a symmetric positive semi-definite matrix of shape (dim, dim).

        Eigenvalues that are zero up to rounding become exactly zero.

        Raises
        ------
        ValueError
            If the matrix is not square, not finite, not symmetric, or has a negative eigenvalue.
        """
        array = np.asarray(matrix, dtype=np.float64)
        if array.ndim != 2 or array.shape[0] != array.shape[1] or array.size == 0:
            raise ValueError(f"covariance has shape {array.shape}, expected (dim, dim)")
        if not np.isfinite(array).all():
            raise ValueError("covariance has NaN or infinite entries, expected finite numbers")
        scale = float(np.abs(array).max())
        if np.abs(array - array.T).max() > 1e-8 * scale:
            raise ValueError("covariance is not symmetric: give (C + C.T) / 2 if that is meant")
        values, vectors = np.linalg.eigh((array + array.T) / 2)
        if values[0] < -1e-8 * scale:
            raise ValueError(
                f"covariance has the negative eigenvalue {values[0]:.3g}, expected all >= 0"
            )
        rounding = array.shape[0] * np.finfo(np.float64).eps * max(values[-1], 0.0)
        return cls(array.shape[0], np.where(values > rounding, values, 0.0), vectors)

    @classmethod
    def from_factor(cls, factor: ArrayLike, floor: float = 0.0) -> Covariance:
        """``F F^T + floor (I - U U^T)`` for a factor ``F`` of shape (dim, r), ``U`` its range.

        The singular values of ``F`` are squared last, so small eigenvalues keep their digits.
        """
        array = np.asarray(factor, dtype=np.float64)
        if array.ndim != 2 or array.shape[0] == 0 or not np.isfinite(array).all():
            raise ValueError(f"factor has shape {array.shape}, expected (dim, r), finite")
        dim, r = array.shape
        if r == 0:
            return cls(dim, np.zeros(0), np.zeros((dim, 0)), float(floor))
        basis, singular, _ = np.linalg.svd(array, full_matrices=False)
        kept = singular > max(dim, r) * np.finfo(np.float64).eps * singular[0]
        return cls(dim, singular[kept] ** 2, basis[:, kept], float(floor))

    @property
    def is_isotropic(self) -> bool:
        """Whether the matrix is a multiple of the identity."""
        return self.basis is None and bool((self.eigenvalues == self.eigenvalues[0]).all())

    @property
    def complement(self) -> int:
        """Dimension of the orthogonal complement of `basis`."""
        return self.dim - self.eigenvalues.size

    @property
    def rank(self) -> int:
        """Number of non-zero eigenvalues."""
        return int((self.eigenvalues > 0).sum()) + (self.complement if self.floor > 0 else 0)

    @property
    def trace(self) -> float:
        """Sum of all eigenvalues, in squared data units."""
        return float(self.eigenvalues.sum() + self.complement * self.floor)

    @property
    def log_det(self) -> float:
        """Natural logarithm of the determinant; ``-inf`` when singular."""
        if self.rank < self.dim:
            return -np.inf
        total = np.log(self.eigenvalues).sum()
        return float(total + (self.complement * np.log(self.floor) if self.complement else 0.0))

    def spectrum(self) -> NDArray[np.float64]:
        """All `dim` eigenvalues, in ascending order."""
        return np.sort(np.concatenate([self.eigenvalues, np.full(self.complement, self.floor)]))

    def dense(self) -> NDArray[np.float64]:
        """The matrix itself, of shape (dim, dim)."""
        if self.basis is None:
            return np.diag(self.eigenvalues)
        matrix = (self.basis * (self.eigenvalues - self.floor)) @ self.basis.T
        matrix[np.diag_indices(self.dim)] += self.floor
        return matrix

    def add_isotropic(self, variance: float) -> Covariance:
        """``Sigma + variance * I``, without a decomposition."""
        shift = float(variance)
        return Covariance(self.dim, self.eigenvalues + shift, self.basis, self.floor + shift)

    def scale(self, factor: float) -> Covariance:
        """``factor * Sigma`` for ``factor >= 0``."""
        return Covariance(self.dim, factor * self.eigenvalues, self.basis, factor * self.floor)

    def split(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coordinates of the rows of `x` along `basis`, and squared length of what is left.

        The remainder is formed as a vector before it is squared: ``|x|^2 - |U^T x|^2`` would lose
        it when it is small.
        """
        if self.basis is None:
            return x, np.zeros(x.shape[:-1])
        along = x @ self.basis
        if not self.complement:
            return along, np.zeros(x.shape[:-1])
        rest = x - along @ self.basis.T
        return along, np.einsum("...i,...i->...", rest, rest)

    def mahalanobis_squared(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """``x^T Sigma^{-1} x`` for each row of `x`; ``inf`` off the range of a singular matrix."""
        return _weighted_square(*self.split(x), self.eigenvalues, self.floor)

    def color(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """``Sigma^{1/2} z`` for rows of standard normal `z` of shape (..., dim)."""
        if self.basis is None:
            return np.sqrt(self.eigenvalues) * z
        along = z @ self.basis
        colored = (along * (np.sqrt(self.eigenvalues) - np.sqrt(self.floor))) @ self.basis.T
        return colored + np.sqrt(self.floor) * z if self.floor else colored

    def factor(self) -> NDArray[np.float64]:
        """A matrix ``F`` of shape (dim, rank) with ``F F^T = Sigma``."""
        if self.basis is None:
            return np.diag(np.sqrt(self.eigenvalues))[:, self.eigenvalues > 0]
        kept = self.eigenvalues > 0
        columns = self.basis[:, kept] * np.sqrt(self.eigenvalues[kept])
        if self.floor == 0 or not self.complement:
            return columns
        full, _ = np.linalg.qr(self.basis, mode="complete")
        rest = np.sqrt(self.floor) * full[:, self.eigenvalues.size :]
        return np.concatenate([columns, rest], axis=1)


def _weighted_square(
    along: NDArray[np.float64],
    rest: NDArray[np.float64],
    eigenvalues: NDArray[np.float64],
    floor: float,
) -> NDArray[np.float64]:
    """``sum_k along_k^2 / l_k + rest / f``, with 0/0 read as 0 and x/0 as inf."""
    if floor > 0 and (eigenvalues > 0).all():
        return (along**2 / eigenvalues).sum(axis=-1) + rest / floor
    size = np.sqrt((along**2).sum(axis=-1) + rest)
    nothing = (1e-9 * size)[..., None] ** 2
    parts = np.concatenate([along**2, rest[..., None]], axis=-1)
    scales = np.append(eigenvalues, floor)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where((scales == 0) & (parts <= nothing), 0.0, parts / scales)
    return ratio.sum(axis=-1)
