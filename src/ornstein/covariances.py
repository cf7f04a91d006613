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

A function of a covariance acts on its eigenvalues alone,

    g(Sigma) = U diag(g(l)) U^T + g(f) (I - U U^T).

`modes` lists the distinct eigenspaces: the eigenvalues `l`, and `f` if there is a complement. For
values ``v = g(modes)``, `with_modes` is the matrix ``g(Sigma)`` and `apply` its product with
vectors. Square roots, linear denoisers and the action of samplers all have that form.

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

    @property
    def modes(self) -> NDArray[np.float64]:
        """Eigenvalues along `basis`, and last the floor if there is a complement; (n_modes,)."""
        return np.append(self.eigenvalues, self.floor) if self.complement else self.eigenvalues

    def with_modes(self, values: NDArray[np.float64]) -> Covariance:
        """Return ``g(Sigma)`` for ``values = g(modes) >= 0``: the same eigenvectors.

        Examples
        --------
        >>> inverse = Covariance.diagonal([1.0, 4.0])
        >>> inverse.with_modes(1 / inverse.modes).eigenvalues
        array([1.  , 0.25])
        """
        if self.complement:
            return Covariance(self.dim, values[:-1], self.basis, float(values[-1]))
        return Covariance(self.dim, values, self.basis)

    def apply(self, values: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return ``g(Sigma) x`` for the rows of `x`.

        Parameters
        ----------
        values : ndarray of shape (n_modes,), or (n_points, n_modes)
            ``g(modes)``, of all rows or of each.
        x : ndarray of shape (n_points, dim), or (dim,)

        Examples
        --------
        >>> line = Covariance.from_factor([[1.0], [1.0]], floor=0.5)
        >>> line.apply(np.log(line.modes), np.array([[1.0, 1.0], [1.0, -1.0]]))
        array([[ 0.693147,  0.693147],
               [-0.693147,  0.693147]])
        """
        if self.basis is None:
            return values * x
        if self.complement:
            along, common = values[..., :-1], values[..., -1:]
        else:
            # One value for all is taken out, so that a constant g is applied without rounding.
            along, common = values, values[..., :1]
        product = (x @ self.basis * (along - common)) @ self.basis.T
        return product + common * x if common.any() else product

    @property
    def variances(self) -> NDArray[np.float64]:
        """Diagonal of the matrix, the variance of each coordinate; shape (dim,)."""
        if self.basis is None:
            return self.eigenvalues
        return np.square(self.basis) @ (self.eigenvalues - self.floor) + self.floor

    def eigenvectors(self) -> NDArray[np.float64]:
        """Orthonormal columns, shape (dim, dim): `basis`, completed by ones of its complement."""
        if self.basis is None:
            return np.eye(self.dim)
        if not self.complement:
            return self.basis
        full, _ = np.linalg.qr(self.basis, mode="complete")
        return np.concatenate([self.basis, full[:, self.eigenvalues.size :]], axis=1)

    def dense(self) -> NDArray[np.float64]:
        """The matrix itself, of shape (dim, dim)."""
        if self.basis is None:
            return np.diag(self.eigenvalues)
        floor = self.floor if self.complement else 0.0
        matrix = (self.basis * (self.eigenvalues - floor)) @ self.basis.T
        matrix[np.diag_indices(self.dim)] += floor
        return matrix

    def add_isotropic(self, variance: float) -> Covariance:
        """``Sigma + variance * I``, without a decomposition."""
        return self.with_modes(self.modes + float(variance))

    def scale(self, factor: float) -> Covariance:
        """``factor * Sigma`` for ``factor >= 0``."""
        return self.with_modes(factor * self.modes)

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
        return self.apply(np.sqrt(self.modes), z)

    def factor(self) -> NDArray[np.float64]:
        """A matrix ``F`` of shape (dim, rank) with ``F F^T = Sigma``, of orthogonal columns."""
        if self.complement and self.floor > 0:
            values = np.append(self.eigenvalues, np.full(self.complement, self.floor))
            vectors = self.eigenvectors()
        else:
            values = self.eigenvalues
            vectors = np.eye(self.dim) if self.basis is None else self.basis
        kept = values > 0
        return vectors[:, kept] * np.sqrt(values[kept])


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
