r"""The best linear denoiser of n training points, by a renormalised noise.

Data ``x ~ N(mu, Sigma)`` in d dimensions, mu known, ``lambda_k`` the eigenvalues of Sigma. The
linear denoiser that is optimal for n points, all noise draws of variance ``s^2`` seen, is

    D(x) = mu + W (x - mu),    W = C (C + s^2)^{-1},    C = (1/n) sum_i (x_i - mu)(x_i - mu)^T.

For d and n large at fixed ``gamma = d/n`` its law is given by the renormalised noise ``kappa(s^2)``
of `ornstein.theory.linear_denoisers.effective_noise`, with ``df1``, ``df2``, ``S`` and ``kappa'``
defined there. Writing ``<a, b> = a^T Sigma (Sigma + kappa)^{-2} b``,

    E D(x) = mu + Sigma (Sigma + kappa)^{-1} (x - mu),
    Var[u^T D(x)] = kappa^2/(n - df2) ( <u, u> <x-mu, x-mu> + <u, x-mu>^2 ),

over training sets. The second term, which is negligible for a generic direction u, doubles the
variance along ``x - mu``. The losses ``E |D(x + s z) - x|^2 / d`` on the training points, on fresh
points, and of the population's own denoiser are

    L_train = s^2 df1 / d,        L_test = L_train + kappa' (kappa^2 - s^4) S / (kappa d),
    L_opt = s^2 df1(s^2) / d,

with errors of relative order 1/n.

References
----------
Wang, Zavatone-Veth, Pehlevan, arXiv 2602.02908 (renormalised noise, mean, variance, losses). The
term ``<u, x-mu>^2`` is this project's own derivation.
"""

from __future__ import annotations

__all__ = [
    "renormalized_noise",
    "renormalized_noise_derivative",
    "denoiser_mean",
    "denoiser_variance",
    "DenoisingLosses",
    "denoising_losses",
]

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.covariances import Covariance
from ornstein.theory.linear_denoisers.effective_noise import (
    noise_equivalent,
    renormalized_noise,
    renormalized_noise_derivative,
)
from ornstein.validation import as_between, as_spectrum, as_vector, float_or_array

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from ornstein.theory.linear_denoisers.effective_noise import NoiseEquivalent


def denoiser_mean(
    x: ArrayLike,
    mean: ArrayLike,
    covariance: Covariance | ArrayLike | tuple[ArrayLike, ArrayLike],
    noise_variance: float,
    n_train: float,
) -> NDArray[np.float64]:
    """Mean over training sets of the denoised point, ``E D(x)``.

    Parameters
    ----------
    x : array-like of shape (..., dim)
        Noisy points, in data units.
    mean : array-like of shape (dim,) or float
        Population mean mu; a number is repeated.
    covariance : Covariance, array-like of shape (dim, dim), or pair
        Population covariance Sigma; a pair is ``(eigenvalues, eigenvectors)`` of shapes (dim,) and
        (dim, dim), eigenvectors in columns. A matrix is decomposed at each call.
    noise_variance, n_train : float
        ``s^2 >= 0`` in squared data units, and n > 0.

    Returns
    -------
    ndarray of shape (..., dim)

    Raises
    ------
    ValueError
        If shapes disagree or a parameter is outside its range.

    References
    ----------
    Wang, Zavatone-Veth, Pehlevan, arXiv 2602.02908.

    Examples
    --------
    >>> denoiser_mean([2.0, 0.0], 0.0, np.eye(2), noise_variance=1.0, n_train=1)
    array([0.585786, 0. ])
    """
    law, y, solution = _as_query(x, mean, covariance, noise_variance, n_train)
    kappa = float(solution.kappa)
    return _apply(law, lambda value: _ratio(value, value + kappa), y) + as_vector(
        mean, "mean", dim=law.dim
    )


def denoiser_variance(
    x: ArrayLike,
    direction: ArrayLike,
    mean: ArrayLike,
    covariance: Covariance | ArrayLike | tuple[ArrayLike, ArrayLike],
    noise_variance: float,
    n_train: float,
) -> float | NDArray[np.float64]:
    """Variance over training sets of the denoised point along a direction, ``Var[u^T D(x)]``.

    Parameters
    ----------
    x : array-like of shape (..., dim)
        Noisy points, in data units.
    direction : array-like of shape (..., dim)
        Directions u, broadcast against `x`. They need not be of unit length.
    mean, covariance, noise_variance, n_train
        As for `denoiser_mean`, which raises the same errors.

    Returns
    -------
    float or ndarray of shape (...)
        In squared data units times the squared length of u.

    References
    ----------
    Wang, Zavatone-Veth, Pehlevan, arXiv 2602.02908, without the term ``<u, x - mu>^2``.

    Examples
    --------
    >>> identity = np.ones(2), np.eye(2)
    >>> along = denoiser_variance([1.0, 0.0], [1.0, 0.0], 0.0, identity, 1.0, n_train=100)
    >>> across = denoiser_variance([1.0, 0.0], [0.0, 1.0], 0.0, identity, 1.0, n_train=100)
    >>> along / across
    2.0
    """
    law, y, solution = _as_query(x, mean, covariance, noise_variance, n_train)
    u = _as_rows(direction, "direction", law.dim)
    kappa = float(solution.kappa)

    def weight(value: NDArray[np.float64]) -> NDArray[np.float64]:
        # The prefactor kappa^2 is shared by the two brackets, which stay finite at kappa = 0.
        return _ratio(kappa * value, (value + kappa) ** 2)

    weighted = _apply(law, weight, u)
    diagonal = (weighted * u).sum(-1) * (_apply(law, weight, y) * y).sum(-1)
    total = diagonal + np.square((weighted * y).sum(-1))
    return float_or_array(_ratio(total, solution.n_train * solution.unresolved))


class DenoisingLosses(NamedTuple):
    """What `denoising_losses` returns: per dimension, in squared data units."""

    train: float | NDArray[np.float64]
    """Loss of the fitted denoiser on its n training points, with fresh noise."""
    test: float | NDArray[np.float64]
    """Loss of the fitted denoiser on fresh points."""
    optimum: float | NDArray[np.float64]
    """Loss of the denoiser that knows the population covariance."""


def denoising_losses(
    eigenvalues: ArrayLike, noise_variance: ArrayLike, n_train: ArrayLike
) -> DenoisingLosses:
    """Expected losses of the linear denoiser fitted on n points with all noise draws.

    Parameters
    ----------
    eigenvalues, noise_variance, n_train
        As for `renormalized_noise`, which raises the same errors.

    Returns
    -------
    DenoisingLosses
        ``(train, test, optimum)``, floats if `noise_variance` and `n_train` are numbers, else
        arrays of their common shape. ``train <= optimum <= test``.

    References
    ----------
    Wang, Zavatone-Veth, Pehlevan, arXiv 2602.02908.

    Examples
    --------
    >>> denoising_losses(np.ones(100), 0.25, n_train=200)
    DenoisingLosses(train=0.179806, test=0.242536, optimum=0.2)
    """
    spectrum = as_spectrum(eigenvalues)
    solution = noise_equivalent(spectrum, noise_variance, n_train)
    s2, kappa, df1 = solution.noise_variance, solution.kappa, solution.df1
    train = s2 * df1 / spectrum.size
    # (kappa^2 - s^4) / kappa = (kappa + s^2) df1 / n: no difference of equal numbers.
    excess = (kappa + s2) * df1 * _ratio(solution.overlap, solution.unresolved) / spectrum.size
    values, counts = np.unique(spectrum, return_counts=True)
    shrinkage = _ratio(values, values + s2[..., None]) @ counts
    optimum = s2 * shrinkage / spectrum.size
    return DenoisingLosses(
        float_or_array(train), float_or_array(train + excess), float_or_array(optimum)
    )


def _as_query(
    x: ArrayLike,
    mean: ArrayLike,
    covariance: Covariance | ArrayLike | tuple[ArrayLike, ArrayLike],
    noise_variance: float,
    n_train: float,
) -> tuple[Covariance, NDArray[np.float64], NoiseEquivalent]:
    """The population covariance, ``x - mu``, and the equivalents at one noise and one n."""
    law = _as_covariance(covariance)
    y = _as_rows(x, "x", law.dim) - as_vector(mean, "mean", dim=law.dim)
    solution = noise_equivalent(law.spectrum(), noise_variance, n_train)
    if solution.kappa.ndim:
        raise ValueError("noise_variance and n_train must be numbers here: loop over their values")
    return law, y, solution


def _as_covariance(covariance: Any) -> Covariance:
    if isinstance(covariance, Covariance):
        return covariance
    if not isinstance(covariance, tuple):
        return Covariance.full(covariance)
    values = as_spectrum(covariance[0])
    basis = np.asarray(covariance[1], dtype=np.float64)
    if basis.shape != (values.size, values.size):
        raise ValueError(
            f"eigenvectors have shape {basis.shape}, expected {(values.size, values.size)}: "
            "give one column for each eigenvalue"
        )
    return Covariance(values.size, values, basis)


def _as_rows(x: ArrayLike, name: str, dim: int) -> NDArray[np.float64]:
    rows = as_between(x, name, -np.inf, np.inf)
    if rows.ndim == 0 or rows.shape[-1] != dim:
        raise ValueError(f"{name} has shape {rows.shape}, expected (..., {dim})")
    return rows


def _apply(
    law: Covariance,
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    y: NDArray[np.float64],
) -> NDArray[np.float64]:
    """``function(Sigma) y`` for the rows of y."""
    if law.basis is None:
        return function(law.eigenvalues) * y
    floor = function(np.full(1, law.floor))
    return (y @ law.basis * (function(law.eigenvalues) - floor)) @ law.basis.T + floor * y


def _ratio(numerator: NDArray[np.float64], denominator: NDArray[np.float64]) -> NDArray[np.float64]:
    """The quotient, and 0 where both vanish: the limit in every use of it here."""
    shape = np.broadcast_shapes(np.shape(numerator), np.shape(denominator))
    return np.divide(numerator, denominator, out=np.zeros(shape), where=denominator != 0)
