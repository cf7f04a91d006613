r"""Losses of the linear denoiser of random subsets, from the rows themselves: data of any shape.

``n`` of ``N`` given rows ``x_i`` are drawn without replacement, mean and covariance ``C`` are
fitted to them, with ``nu = n - 1``, and the denoiser is ``W = C (C + v)^{-1}``. No law of the rows
is assumed, neither Gaussian components nor equal lengths. A row less the mean of the N - 1 others
is ``sqrt(N/(N-1)) z_i`` with ``z_i = sqrt(N/(N-1)) (x_i - xbar)``, and adding it to them adds
``z_i z_i^T`` to ``(N - 1) C``. With ``R = (C + v)^{-1}``, ``R_-i`` the same of subsets without row
``i``, and ``p = nu/(N - 1)``,

    h_i = z_i^T E[R_-i] z_i / nu,
    E[R]^{-1} = v + sum_i a_i z_i z_i^T,     a_i = 1 / ( N (1 + (1 - p) h_i) ),
    h_i (1 + (1 - p) h_i) = u_i (1 + h_i),   u_i = z_i^T E[R] z_i / nu.

*Derivation.* Let ``b_i`` be 1 if row ``i`` is drawn, else 0. ``R = R_-i - b_i R_-i z_i z_i^T R_-i /
(nu (1 + h_i))``, where ``z_i^T R_-i z_i/nu`` is taken at its mean ``h_i`` (it depends on the other
rows alone). So ``C R = (1/nu) sum_i b_i z_i z_i^T R_-i / (1 + h_i)``, and in the mean
``1 - v E[R] = sum_i z_i z_i^T E[R_-i] / (N (1 + h_i))``. The first equation in the mean gives
``z_i^T E[R] = z_i^T E[R_-i] (1 + (1 - p) h_i)/(1 + h_i)``, and with it ``a_i`` and ``u_i`` above.
At ``n = N`` nothing is random and all is exact: ``h_i/(1 + h_i)`` is the leverage. For ``n << N``
and Gaussian rows it is the renormalised noise of
:mod:`~ornstein.theory.linear_denoisers.effective_noise`.

``R^2 = -dR/dv`` and ``W = 1 - v R``, so that losses follow from the derivative in ``v``, with
``q_i = z_i^T E[R_-i^2] z_i = -nu dh_i/dv``:

    residual of rows left out    v^2 (1 + 1/n) mean_i q_i,
    residual of rows drawn       v^2 (1 - 1/n) mean_i q_i/(1 + h_i)^2,
    noise that passes            v tr E[W^2] = v (d - 2 v tr E[R] - v^2 d/dv tr E[R]).

References
----------
This project; for independent rows of one law: Couillet, Liao, "Random Matrix Methods for Machine
Learning", 2022, chapter 2 (deterministic equivalents with leave-one-out).
"""

from __future__ import annotations

__all__ = ["SubsetLosses", "subset_losses", "centred_subset_losses"]

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.theory.numerics.fixed_points import positive_fixed_point
from ornstein.validation import as_count, as_points, as_positive_number

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_TOLERANCE = 1e-8
_LEAST, _MOST = 1e-6, 1e200
_NOT_FOUND = "losses of subsets of {} points were not found to the tolerance: give a larger one"


class SubsetLosses(NamedTuple):
    """What `subset_losses` returns: per dimension, in squared data units."""

    train: float
    """Mean loss on the n rows that were drawn, with fresh noise."""
    test: float
    """Mean loss on rows that were left out: of fresh rows, if the N are independent."""


def subset_losses(
    points: ArrayLike, noise_variance: float, n_train: int, *, tolerance: float = _TOLERANCE
) -> SubsetLosses:
    """Expected losses of linear denoisers fitted on random subsets of n of the N points.

    Nothing is drawn and nothing but the points is known: they need not be Gaussian. As a random
    subset of independent points is a training set like any other, these are the losses of n points
    of their law, too, estimated from N >= n of them.

    Parameters
    ----------
    points : array_like of shape (n_points, dim)
    noise_variance : float
        Variance of the noise on each coordinate, in squared data units: at least 1e-6 of the
        largest variance of the points, at most 1e200 of their squares.
    n_train : int
        Size n of the subsets, from 2 to N.
    tolerance : float
        Change of the leverages, relative to the largest, at which the iteration ends.

    Returns
    -------
    SubsetLosses

    Raises
    ------
    ValueError, TypeError
        If an argument is out of its range, or the iteration does not end.

    Notes
    -----
    Left out is the fluctuation of leverages from subset to subset: of relative order 1/d, and of
    ``1/|n - d|`` at low noise. It is large where the variance of a direction comes from a few
    rows, as in a pixel that is lit in 3 of the n (test loss 67% too low at noise 0.1, where W has
    most to lose). It takes some tens of products of the points with a matrix of shape (dim, dim).

    Examples
    --------
    >>> points = np.random.default_rng(0).laplace(size=(2000, 20))
    >>> subset_losses(points, 0.25, n_train=40)
    SubsetLosses(train=0.2014..., test=0.2852...)
    """
    rows = as_points(points, "points")
    n = as_count(n_train, "n_train", at_least=2)
    v = as_positive_number(noise_variance, "noise_variance")
    if n > len(rows):
        raise ValueError(f"n_train is {n}, expected at most {len(rows)}, the number of points")
    dim, unit = rows.shape[1], float(np.abs(rows).max())
    if (rows == rows[0]).all():
        return SubsetLosses(0.0, 0.0)
    rows, v = rows / unit, v / unit / unit
    if v > _MOST:
        raise ValueError(
            f"noise_variance is {noise_variance:g} beside points up to {unit:g}, expected at most "
            f"{_MOST:g} of their squares"
        )
    rows = rows - rows.mean(axis=0)
    largest = float(np.linalg.norm(rows, 2)) ** 2 / (len(rows) - 1)
    if v < _LEAST * largest:
        raise ValueError(
            f"noise_variance is {noise_variance:g}, expected at least {_LEAST:g} of the points' "
            f"largest variance, {largest * unit * unit:g}: below, rounding decides"
        )
    found = centred_subset_losses(rows, v, n, tolerance)
    return SubsetLosses(*(loss / dim * unit * unit for loss in found))


def centred_subset_losses(rows: Array, v: float, n: int, tolerance: float) -> SubsetLosses:
    """The same of rows of mean 0 and shape (N, dim), summed over dimensions; nothing is checked."""
    count, dim = rows.shape
    nu, outside = n - 1.0, 1.0 - (n - 1.0) / (count - 1.0)
    # In units of the noise. Rows at the mean have no leverage.
    rows = rows * math.sqrt(count / (count - 1.0) / v)
    lengths = np.square(rows).sum(axis=1)
    rows, lengths = rows[lengths > 0], lengths[lengths > 0]

    def resolvent(leverage: Array) -> Array:
        return np.linalg.inv((rows.T / (count * (1.0 + outside * leverage))) @ rows + np.eye(dim))

    def root(u: Array) -> Array:
        return np.sqrt((1.0 - u) ** 2 + 4.0 * outside * u)

    def lifted(leverage: Array) -> Array:
        u = np.einsum("ij,ij->i", rows @ resolvent(leverage), rows) / nu
        return 2.0 * u / (1.0 - u + root(u))

    leverage = positive_fixed_point(lifted, lengths / nu, tolerance)
    if leverage is None:
        raise ValueError(_NOT_FOUND.format(n))
    R = resolvent(leverage)
    turned = rows @ R
    slope = (1.0 + leverage) / root(np.einsum("ij,ij->i", turned, rows) / nu)
    weights = outside / (count * (1.0 + outside * leverage) ** 2)

    def inner(falls: Array) -> Array:
        """``d(E[R]^{-1})/dv``, where ``h_i`` falls by ``falls_i/v`` with v."""
        return np.eye(dim) + (rows.T * (weights * falls)) @ rows

    def fallen(falls: Array) -> Array:
        return slope * np.einsum("ij,ij->i", turned @ inner(falls), turned) / nu

    falls = positive_fixed_point(fallen, leverage, tolerance)
    if falls is None:
        raise ValueError(_NOT_FOUND.format(n))
    passed = dim - 2.0 * np.trace(R) + np.trace(R @ inner(falls) @ R)
    train = (n - 1.0) / n * nu * (falls / (1.0 + leverage) ** 2).sum() / count + passed
    test = (n + 1.0) / n * nu * falls.sum() / count + passed
    return SubsetLosses(float(v * train), float(v * test))
