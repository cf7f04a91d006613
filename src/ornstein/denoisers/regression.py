r"""Least squares of clean on noised points, from running statistics.

The one-step denoiser is ordinary least squares with intercept, ``x_hat = b + B y``, of the clean
points ``x_i`` on the noised ``y_i``, of minimum norm when ``n - 1 < d``. Three steps, none of which
squares a condition number:

*Centring.* A reflection that sends ``(1, ..., 1) / sqrt n`` to the first axis turns the n centred
rows into ``n - 1`` independent ones, and keeps all inner products:

    row_i = (y_i - ybar) + (y_0 - ybar) / (sqrt n - 1),      i = 1 .. n-1.

*Accumulating.* Two batches of ``n_a`` and ``n_b`` points join as their centred rows and one row
more, ``sqrt(n_a n_b / (n_a + n_b)) (mean_b - mean_a)``. Rows ``Y, X`` beyond ``d`` are compressed
by ``Y = Q R`` to ``R`` and ``Q^T X``, two (d, d) arrays that determine the fit: memory does not
grow with n.

*Solving.* With ``d`` rows ``B^T = R^{-1} Q^T X``; with fewer, ``Y^T = Q R`` and
``B^T = Q R^{-T} X``. Either way ``B = F Q^T`` with ``Q`` orthonormal, so that ``B B^T = F F^T`` and
the generated law costs one singular value decomposition of ``F``:

    mu_G = xbar + B (e^{-T} xbar - ybar),     Sigma_G = v F F^T,     v = e^{-2T} s_x^2 + v_z,

``s_x^2`` the mean over coordinates of the training variances (one degree of freedom subtracted).
Mind the order: ``B B^T``, not ``B^T B``.

References
----------
Halder, arXiv 2411.17807 (the model); Chan, Golub, LeVeque, "Updating formulae and a pairwise
algorithm for computing sample variances", 1979 (joining batches).
"""

from __future__ import annotations

__all__ = ["PairStatistics", "PairFit", "fit_pairs"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import get_blas_funcs

from ornstein.covariances import Covariance
from ornstein.gaussians import Gaussian

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.diffusion.one_step_noising import OneStepNoising

    Array = NDArray[np.float64]

_trsm: Any = get_blas_funcs("trsm", dtype=np.float64)


@dataclass(repr=False)
class PairStatistics:
    """All that a least-squares fit of clean on noised points needs to know of the points.

    Attributes
    ----------
    count : int
        Number of pairs seen, ``n``.
    clean_mean, noised_mean : ndarray of shape (dim,)
        ``xbar`` and ``ybar``.
    clean_squares : ndarray of shape (dim,)
        Sums of squared deviations of the clean coordinates.
    clean, noised : ndarray of shape (min(n - 1, dim), dim)
        Centred rows, compressed.
    """

    count: int
    clean_mean: Array
    noised_mean: Array
    clean_squares: Array
    clean: Array
    noised: Array

    @classmethod
    def empty(cls, dim: int) -> PairStatistics:
        """No pairs yet."""
        none = np.zeros((0, dim))
        return cls(0, np.zeros(dim), np.zeros(dim), np.zeros(dim), none, none)

    @property
    def dim(self) -> int:
        """Dimension."""
        return self.clean_mean.size

    @property
    def clean_variance(self) -> float:
        """``s_x^2``, in squared data units."""
        return float(self.clean_squares.mean() / (self.count - 1))

    def absorb(self, clean: Array, noised: Array) -> None:
        """Add a batch of pairs, both of shape (n_batch, dim)."""
        n_old, n_new = self.count, len(clean)
        total = n_old + n_new
        clean_mean, noised_mean = clean.mean(axis=0), noised.mean(axis=0)
        centred = clean - clean_mean
        clean_rows = [self.clean, _reflected(centred)]
        noised_rows = [self.noised, _reflected(noised - noised_mean)]
        squares = np.square(centred).sum(axis=0)
        if n_old:
            weight = np.sqrt(n_old * n_new / total)
            clean_step = clean_mean - self.clean_mean
            noised_step = noised_mean - self.noised_mean
            clean_rows.append(weight * clean_step[None])
            noised_rows.append(weight * noised_step[None])
            squares += weight**2 * clean_step**2
            clean_mean = self.clean_mean + n_new / total * clean_step
            noised_mean = self.noised_mean + n_new / total * noised_step
        self.count, self.clean_mean, self.noised_mean = total, clean_mean, noised_mean
        self.clean_squares = self.clean_squares + squares
        self.clean, self.noised = np.concatenate(clean_rows), np.concatenate(noised_rows)
        if len(self.noised) > self.dim:
            Q, self.noised = np.linalg.qr(self.noised)
            self.clean = Q.T @ self.clean

    def solve(self) -> tuple[Array, Array]:
        """``F`` of shape (dim, r) and orthonormal ``Q`` of shape (dim, r) with ``B = F Q^T``."""
        Q, R = np.linalg.qr(self.noised.T)
        diagonal = np.abs(np.diag(R))
        smallest = self.dim * np.finfo(np.float64).eps * diagonal.max(initial=0.0)
        if diagonal.min(initial=np.inf) > smallest:
            # As solve_triangular, which wakes all threads for a small matrix: 300 us, not 1.
            return _trsm(1.0, R.T, self.clean, lower=1).T, Q
        # Without noise, or on repeated points, rows depend on each other: cut at rounding.
        left, singular, right = np.linalg.svd(self.noised, full_matrices=False)
        kept = singular > self.dim * np.finfo(np.float64).eps * singular.max(initial=0.0)
        F = (left[:, kept].T @ self.clean / singular[kept, None]).T
        return F, right[kept].T


@dataclass(frozen=True, repr=False)
class PairFit:
    """A fitted affine denoiser ``x_hat = intercept + coefficients y`` and its generated law."""

    coefficients: Array
    intercept: Array
    generated_law: Gaussian


def fit_pairs(statistics: PairStatistics, process: OneStepNoising) -> PairFit:
    """Solve the least-squares problem and derive the law that one denoising step generates.

    Parameters
    ----------
    statistics : PairStatistics
        Of at least 2 pairs.
    process : OneStepNoising
        The noising that made the pairs.

    Returns
    -------
    PairFit
        Coefficients ``B`` of shape (dim, dim), intercept ``b`` of shape (dim,), and the Gaussian
        ``N(mu_G, Sigma_G)``.
    """
    F, Q = statistics.solve()
    xbar, ybar = statistics.clean_mean, statistics.noised_mean
    mean = xbar + F @ (Q.T @ (process.signal * xbar - ybar))
    variance = process.signal**2 * statistics.clean_variance + process.noise_variance
    law = Gaussian(mean, Covariance.from_factor(np.sqrt(variance) * F))
    return PairFit(F @ Q.T, xbar - F @ (Q.T @ ybar), law)


def _reflected(centred: Array) -> Array:
    """``n - 1`` independent rows with the inner products of n centred ones."""
    if len(centred) < 2:
        return centred[:0]
    return centred[1:] + centred[0] / (np.sqrt(len(centred)) - 1)
