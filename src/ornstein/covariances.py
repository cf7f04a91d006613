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
:mod:`ornstein.memorization.delta`) costs nothing. An identity `U` is never formed. Standard
deviations may be anything from 1e-150 to 1e150: lengths are divided by them before they are
squared.
"""

from __future__ import annotations

__all__ = ["Covariance", "lengths"]

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ornstein.validation import as_count, as_positive, as_real, as_vector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

_ON_RANGE = 1e-9  # part of the length of a vector that may be rounding of an exact zero


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

    Raises
    ------
    ValueError
        If an eigenvalue is negative or not finite, or shapes disagree.

    Examples
    --------
    >>> Covariance.isotropic(100, 4.0)
    Covariance(dim=100, isotropic, variance 4)
    >>> Covariance.from_factor(np.ones((100, 1)), floor=0.5)
    Covariance(dim=100, 1 eigenvalue 100, 99 of 0.5)
    """

    dim: int
    eigenvalues: NDArray[np.float64]
    basis: NDArray[np.float64] | None = None
    floor: float = 0.0

    def __post_init__(self) -> None:
        values = as_positive(self.eigenvalues, "eigenvalues", zero=True)
        shape = (self.dim, values.size)
        if values.ndim != 1 or values.size > self.dim:
            raise ValueError(f"eigenvalues have shape {values.shape}, expected (r,), r <= dim")
        if (values.size < self.dim) if self.basis is None else (self.basis.shape != shape):
            given = "no basis" if self.basis is None else f"a basis of shape {self.basis.shape}"
            raise ValueError(
                f"{values.size} eigenvalue(s) with {given}: expected one of shape {shape}"
            )
        as_positive(self.floor, "floor", zero=True)

    def __repr__(self) -> str:
        low, high = (float(value) for value in (self.modes.min(), self.modes.max()))
        if low == high:
            return f"Covariance(dim={self.dim}, isotropic, variance {low:.6g})"
        if not self.complement:
            kind = "diagonal" if self.basis is None else "full"
            return f"Covariance(dim={self.dim}, {kind}, eigenvalues {low:.6g} to {high:.6g})"
        if not self.eigenvalues.size:
            return f"Covariance(dim={self.dim}, isotropic, variance {self.floor:.6g})"
        first, last = float(self.eigenvalues.min()), float(self.eigenvalues.max())
        count = self.eigenvalues.size
        along = (
            f"1 eigenvalue {first:.6g}"
            if count == 1
            else (f"{count} eigenvalues {first:.6g} to {last:.6g}")
        )
        return f"Covariance(dim={self.dim}, {along}, {self.complement} of {self.floor:.6g})"

    @classmethod
    def isotropic(cls, dim: int, variance: float) -> Covariance:
        """``variance * I``."""
        dim = as_count(dim, "dim")
        return cls(dim, np.full(dim, float(as_positive(variance, "variance", zero=True))))

    @classmethod
    def diagonal(cls, variances: ArrayLike) -> Covariance:
        """``diag(variances)``, `variances` of shape (dim,), all >= 0."""
        values = as_positive(as_vector(variances, "variances"), "variances", zero=True)
        return cls(values.size, values.copy())

    @classmethod
    def full(cls, matrix: ArrayLike, tolerance: float | None = None) -> Covariance:
        """Eigendecompose a symmetric positive semi-definite matrix of shape (dim, dim).

        Parameters
        ----------
        matrix : array-like of shape (dim, dim)
            A diagonal one is taken as it is, without rounding.
        tolerance : float, optional
            Eigenvalues of at most `tolerance` times the largest become exactly 0, since those of a
            singular matrix are computed as rounding noise. By default ``dim * 2.2e-16``, the size
            of that noise, with a warning if any but exact zeros are concerned. 0 keeps all that
            are computed as positive.

        Raises
        ------
        ValueError
            If the matrix is not square, not finite, not symmetric, or has a negative eigenvalue.

        Warns
        -----
        UserWarning
            If eigenvalues become 0 by the default tolerance: the law is singular then.
        """
        array = as_real(matrix, "covariance")
        if array.ndim != 2 or array.shape[0] != array.shape[1] or array.size == 0:
            raise ValueError(f"covariance has shape {array.shape}, expected (dim, dim)")
        if not np.isfinite(array).all():
            raise ValueError("covariance has NaN or infinite entries, expected finite numbers")
        scale = float(np.abs(array).max())
        if np.abs(array - array.T).max() > 1e-8 * scale:
            raise ValueError("covariance is not symmetric: give (C + C.T) / 2 if that is meant")
        dim = array.shape[0]
        diagonal = np.diag(array)
        if np.count_nonzero(array) == np.count_nonzero(diagonal) and (diagonal >= 0).all():
            return cls.diagonal(diagonal)
        values, vectors = np.linalg.eigh(array / 2 + array.T / 2)
        if values[0] < -1e-8 * scale:
            raise ValueError(
                f"covariance has the negative eigenvalue {values[0]:.3g}, expected all >= 0"
            )
        chosen = dim * np.finfo(np.float64).eps if tolerance is None else tolerance
        cut = values <= float(as_positive(chosen, "tolerance", zero=True)) * max(values[-1], 0.0)
        if tolerance is None and values[cut].any():
            warnings.warn(
                f"{int(cut.sum())} of {dim} eigenvalues of the covariance are at most {chosen:.2g} "
                "of the largest, which is rounding, and become 0: the law is singular; give a "
                "tolerance to say so (0 to keep all that are > 0), or its variances or a factor",
                stacklevel=2,
            )
        return cls(dim, np.where(cut, 0.0, values), vectors)

    @classmethod
    def from_factor(
        cls, factor: ArrayLike, floor: float = 0.0, tolerance: float | None = None
    ) -> Covariance:
        """``F F^T + floor (I - U U^T)`` for a factor ``F`` of shape (dim, r), ``U`` its range.

        The singular values of ``F`` are squared last, so small eigenvalues keep their digits.

        Parameters
        ----------
        factor : array-like of shape (dim, r)
            Columns may depend on each other.
        floor : float
            Eigenvalue >= 0 off the range of ``F``.
        tolerance : float, optional
            Singular values of at most `tolerance` times the largest are no part of the range. By
            default ``max(dim, r) * 2.2e-16``, to which those of dependent columns are computed.

        Raises
        ------
        ValueError
            If the shape is another, a value is not finite, or `floor` is negative.
        """
        array = as_real(factor, "factor")
        if array.ndim != 2 or array.shape[0] == 0 or not np.isfinite(array).all():
            raise ValueError(f"factor has shape {array.shape}, expected (dim, r), finite")
        floor = float(as_positive(floor, "floor", zero=True))
        dim, r = array.shape
        if r == 0:
            return cls(dim, np.zeros(0), np.zeros((dim, 0)), floor)
        basis, singular, _ = np.linalg.svd(array, full_matrices=False)
        chosen = max(dim, r) * np.finfo(np.float64).eps if tolerance is None else tolerance
        kept = singular > float(as_positive(chosen, "tolerance", zero=True)) * singular[0]
        return cls(dim, singular[kept] ** 2, basis[:, kept], floor)

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
        return self.log_pseudo_det if self.rank == self.dim else -np.inf

    @property
    def log_pseudo_det(self) -> float:
        """Natural logarithm of the product of the eigenvalues that are not 0."""
        total = float(np.log(self.eigenvalues[self.eigenvalues > 0]).sum())
        return total + (self.complement * float(np.log(self.floor)) if self.floor > 0 else 0.0)

    def spectrum(self) -> NDArray[np.float64]:
        """All `dim` eigenvalues, in ascending order."""
        return np.sort(np.concatenate([self.eigenvalues, np.full(self.complement, self.floor)]))

    @property
    def modes(self) -> NDArray[np.float64]:
        """Eigenvalues along `basis`, and last the floor if there is a complement; (n_modes,)."""
        return np.append(self.eigenvalues, self.floor) if self.complement else self.eigenvalues

    @property
    def multiplicities(self) -> NDArray[np.intp]:
        """Dimension of the eigenspace of each of `modes`; shape (n_modes,)."""
        counts = np.ones(self.modes.size, dtype=np.intp)
        if self.complement:
            counts[-1] = self.complement
        return counts

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
        """``Sigma + variance * I``, ``variance >= 0``, without a decomposition."""
        return self.with_modes(self.modes + float(as_positive(variance, "variance", zero=True)))

    def scale(self, factor: float) -> Covariance:
        """``factor * Sigma`` for ``factor >= 0``."""
        return self.with_modes(float(as_positive(factor, "factor", zero=True)) * self.modes)

    def split(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Coordinates of the rows of `x` along `basis`, and the length of what is left.

        The remainder is formed as a vector: ``|x|^2 - |U^T x|^2`` would lose it when it is small.
        """
        if self.basis is None:
            return x, np.zeros(x.shape[:-1])
        along = x @ self.basis
        if not self.complement:
            return along, np.zeros(x.shape[:-1])
        return along, lengths(x - along @ self.basis.T)

    def mahalanobis_squared(
        self, x: NDArray[np.float64], rounding: NDArray[np.float64] | float = 0.0
    ) -> NDArray[np.float64]:
        """``x^T Sigma^{-1} x`` for each row of `x`; ``inf`` off the range of a singular matrix.

        Parameters
        ----------
        x : ndarray of shape (n_points, dim), or (dim,)
        rounding : float or ndarray of shape (n_points,)
            Length by which rounding may have moved `x`, a difference of two points far from the
            origin. Being off the range by as little, or by 1e-9 of its own length, does not count.
        """
        parts, rest = self.split(x)
        if self.complement:
            parts = np.concatenate([parts, rest[..., None]], axis=-1)
        scales = np.sqrt(self.modes)
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
            ratios = parts / scales
            if (scales == 0).any():
                nothing = np.asarray(_ON_RANGE * lengths(parts) + rounding)
                zero = (scales == 0) & (np.abs(parts) <= nothing[..., None])
                ratios = np.where(zero, 0.0, ratios)
            return np.square(ratios).sum(axis=-1)

    def color(self, z: NDArray[np.float64]) -> NDArray[np.float64]:
        """``Sigma^{1/2} z`` for rows of standard normal `z` of shape (..., dim)."""
        return self.apply(np.sqrt(self.modes), z)

    def factor(self, above: float = 0.0) -> NDArray[np.float64]:
        """A matrix ``F`` of shape (dim, r) with ``F F^T = Sigma - above I``, of orthogonal columns.

        `above` is at most the smallest eigenvalue; ``r`` is the number of larger ones.
        """
        if self.complement and self.floor > above:
            values = np.append(self.eigenvalues, np.full(self.complement, self.floor))
            vectors = self.eigenvectors()
        else:
            values = self.eigenvalues
            vectors = np.eye(self.dim) if self.basis is None else self.basis
        kept = values > above
        return vectors[:, kept] * np.sqrt(values[kept] - above)


def lengths(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Euclidean length of each row, by its largest coordinate: no square over- or underflows."""
    largest = np.abs(rows).max(axis=-1, keepdims=True, initial=0.0)
    unit = np.where(largest > 0, largest, 1.0)
    return unit[..., 0] * np.sqrt(np.square(rows / unit).sum(axis=-1))
