r"""Two covariances at once: what distances between Gaussians need, in logarithms.

For ``P`` and ``Q`` in the spectral form of :mod:`ornstein.covariances`, and a vector ``delta``,

    log_ratios       ln w_k, the w_k being the eigenvalues of ``Q^{-1} P``
    sum_terms        ln det(P + Q)  and  delta^T (P + Q)^{-1} delta
    bures_squared    tr P + tr Q - 2 tr (P^{1/2} Q P^{1/2})^{1/2}

Eigenvalues may span any range. Where both have one eigenbasis (one of them isotropic, both
diagonal, or the same `basis`), everything is done eigenvalue by eigenvalue. Where they do not
commute, a dense sum, or one singular value decomposition, loses what is 1e-16 of the largest. So
the small eigenvalues of ``Q^{-1} P`` are computed as the large ones of ``P^{-1} Q``, and the sum of
very different matrices is decomposed by QR with pivots, which keeps the digits of columns of any
length (Higham, section 19.4).

References
----------
Higham, "Accuracy and stability of numerical algorithms", 2nd edition, 2002.
"""

from __future__ import annotations

__all__ = ["log_ratios", "sum_terms", "bures_squared"]

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.linalg import qr, solve_triangular

from ornstein.covariances import Covariance

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_CONDITION = 1e6  # ratio of eigenvalues up to which a dense matrix holds all of them
_GRADED = 1e12  # ratio beyond which a singular value decomposition does not
_SINGULAR = 1e10  # ratio of singular values up to which the smallest have 6 digits
_ON_RANGE = 1e-9  # part of a length that may be rounding of an exact zero


def log_ratios(P: Covariance, Q: Covariance, delta: Array, rounding: float) -> Array | None:
    """Logarithms of the eigenvalues of ``Q^{-1} P``.

    For two singular laws on one affine subspace, the eigenvalues within it; None if laws with
    these covariances, and means that differ by `delta`, are mutually singular.

    Parameters
    ----------
    P, Q : Covariance
        Of one dimension.
    delta : ndarray of shape (dim,)
        Difference of means.
    rounding : float
        Length by which rounding may have moved `delta`.

    Examples
    --------
    >>> log_ratios(Covariance.isotropic(2, 4.0), Covariance.isotropic(2, 1.0), np.zeros(2), 0.0)
    array([1.386294, 1.386294])
    """
    rank = P.rank
    if rank != Q.rank:
        return None
    if rank < P.dim and not np.isfinite(Q.mahalanobis_squared(delta, rounding)):
        return None
    common = _common_modes(P, Q)
    if common is not None:
        frame, p, q = common
        if ((p > 0) != (q > 0)).any():
            return None
        logs = _log_ratio(p[p > 0], q[p > 0])
        return np.repeat(logs, frame.multiplicities[p > 0])
    if rank == 0:
        return np.zeros(0)
    F, G = P.factor(), Q.factor()
    within = _pull(G) @ F
    if rank < P.dim and np.abs(F - G @ within).max() > _ON_RANGE * np.abs(F).max():
        return None
    singular = np.linalg.svd(within, compute_uv=False)
    if singular[-1] * _SINGULAR > singular[0]:
        return 2 * np.log(singular)
    # The small ones are rounding of the large: as the large ones of P^{-1} Q, and what is between
    # from the determinants.
    inverse = np.linalg.svd(_pull(F) @ G, compute_uv=False)
    large = singular[singular * _SINGULAR > singular[0]]
    small = inverse[inverse * _SINGULAR > inverse[0]][: singular.size - large.size]
    known = np.concatenate([2 * np.log(large), -2 * np.log(small)])
    left = singular.size - known.size
    total = P.log_pseudo_det - Q.log_pseudo_det
    between = np.full(left, (total - known.sum()) / max(left, 1))
    return np.concatenate([known, between])


def sum_terms(P: Covariance, Q: Covariance, delta: Array, rounding: float) -> tuple[float, float]:
    """``ln det (P + Q)``, and ``delta^T (P + Q)^{-1} delta``.

    ``-inf`` for the first if the sum is singular; then ``inf`` for the second if `delta` is off
    its range by more than `rounding`.
    """
    common = _common_modes(P, Q)
    if common is not None:
        frame, p, q = common
        total = frame.with_modes(p + q)
        return total.log_det, float(total.mahalanobis_squared(delta, rounding))
    low, other = float(P.modes.min()), float(Q.modes.min())
    high = max(float(P.modes.max()), float(Q.modes.max()))
    if high / _GRADED < low + other or max(P.rank, Q.rank) < P.dim:
        if not P.complement and not Q.complement and high / _CONDITION < low + other:
            total = Covariance.full(P.dense() + Q.dense(), tolerance=0.0)
        else:
            # What exceeds the smallest eigenvalue of each, as factors.
            excess = np.concatenate([P.factor(above=low), Q.factor(above=other)], axis=1)
            total = Covariance.from_factor(excess).add_isotropic(low + other)
        return total.log_det, float(total.mahalanobis_squared(delta, rounding))
    # A A^T = P + Q with columns of very different length. QR with pivots keeps the digits of each
    # column, and an LQ decomposition of R those of each row: A = Q R = Q L Z.
    columns = np.concatenate([P.factor(), Q.factor()], axis=1)
    factors: Any = qr(columns, mode="economic", pivoting=True)
    left, right, _ = factors
    lower = np.asarray(np.linalg.qr(right.T, mode="r")).T
    with np.errstate(over="ignore"):
        solution = solve_triangular(lower, left.T @ delta, lower=True)
        distance = float(np.square(solution).sum())
    return 2 * float(np.log(np.abs(np.diag(lower))).sum()), distance


def bures_squared(P: Covariance, Q: Covariance) -> float:
    """Squared Bures distance, the least ``|F - G U|^2`` of factors and orthogonal U.

    In squared data units; finite for singular covariances too.
    """
    common = _common_modes(P, Q)
    if common is not None:
        frame, p, q = common
        return float(frame.multiplicities @ np.square(_root_gap(p, q)))
    F, G = P.factor(), Q.factor()
    left, _, right = np.linalg.svd(G.T @ F, full_matrices=False)
    # F is dim x r_P, G dim x r_Q: rotate the larger rank onto the smaller, and count the rest.
    aligned = G @ (left @ right)
    rest = np.square(G - (G @ left) @ left.T).sum() if G.shape[1] > left.shape[1] else 0.0
    return float(np.square(F - aligned).sum() + rest)


def _common_modes(P: Covariance, Q: Covariance) -> tuple[Covariance, Array, Array] | None:
    """A covariance of the eigenspaces of both, and the eigenvalues of both along them, if any."""
    if Q.is_isotropic:
        return P, P.modes, np.full(P.modes.size, Q.modes[0])
    if P.is_isotropic:
        return Q, np.full(Q.modes.size, P.modes[0]), Q.modes
    same = P.basis is Q.basis or (
        P.basis is not None and Q.basis is not None and np.array_equal(P.basis, Q.basis)
    )
    return (P, P.modes, Q.modes) if same else None


def _root_gap(a: Array, b: Array) -> Array:
    """``sqrt(a) - sqrt(b)`` for numbers >= 0, near ones included."""
    total = np.sqrt(a) + np.sqrt(b)
    return np.divide(a - b, total, out=np.zeros(total.shape), where=total > 0)


def _log_ratio(a: Array, b: Array | float) -> Array:
    """``ln(a / b)`` for positive numbers, near ones and very different ones included."""
    (m_a, e_a), (m_b, e_b) = np.frexp(a), np.frexp(b)
    far = np.log(m_a / m_b) + (e_a - e_b) * np.log(2.0)
    with np.errstate(over="ignore"):
        relative = np.minimum(np.maximum((a - b) / b, -0.5), 0.5)
    return np.where(np.abs(relative) < 0.5, np.log1p(relative), far)


def _pull(G: Array) -> Array:
    """Pseudo-inverse of a matrix of orthogonal columns: a transpose and a division."""
    scale = np.abs(G).max(axis=0)
    unit = G / scale
    return (unit / (np.square(unit).sum(axis=0) * scale)).T
