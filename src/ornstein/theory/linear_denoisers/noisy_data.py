r"""Denoisers trained on noisy data: what they do to clean data, on average over training sets.

The n training points are ``y_i = x_i + tau z_i``, each with one noise of its own, x of covariance
Sigma and known mean. At noise ``s >= tau`` a denoiser is trained to predict y from
``y + sqrt(s^2 - tau^2) z``; with C the covariance of the y_i its best weight is
``C (C + s^2 - tau^2)^{-1}``. The score does not know which part of the noise came with the data:

    (D_y - x_s) / (s^2 - tau^2) = (D_x - x_s) / s^2,

so that the denoiser of clean data is ``D_x = c D_y - (c - 1) x_s``, ``c = s^2/(s^2 - tau^2)``, of
weight ``1 - s^2 (C + s^2 - tau^2)^{-1}``. The y_i have the eigenvalues ``lambda_k + tau^2``, and
with the renormalised noise of :mod:`ornstein.theory.linear_denoisers.effective_noise`, kappa, of
these at noise variance ``s^2 - tau^2``, the mean weight of mode k is

    W_k = c (lambda_k + tau^2)/(lambda_k + tau^2 + kappa) - (c - 1)
        = 1 - s^2 [kappa/(s^2 - tau^2)] / (lambda_k + tau^2 + kappa).

The last form has no cancellation. For ``tau = 0`` it is ``lambda_k/(lambda_k + kappa)``, for
infinitely many points ``lambda_k/(lambda_k + s^2)``, as if the data were clean. At finite n it is
less, and can be negative: noise of the data is taken for structure, and what is taken off for it is
multiplied by c. At ``s = tau`` the bracket is ``1/(1 - d/n)`` for ``n > d``; for ``n <= d`` it
diverges as ``s`` falls to tau: the weight is ``-inf``.

The error is of relative order ``1/n`` in the bracket.

References
----------
Daras, Dimakis, Daskalakis, arXiv 2404.10177 (training on noisy data by the identity above). Weights
at finite n: this project's own derivation.
"""

from __future__ import annotations

__all__ = ["noisy_data_weight"]

from typing import TYPE_CHECKING

import numpy as np

from ornstein.theory.linear_denoisers.effective_noise import noise_equivalent
from ornstein.validation import as_positive, as_spectrum

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


def noisy_data_weight(
    eigenvalues: ArrayLike,
    noise_variance: ArrayLike,
    n_train: ArrayLike,
    data_noise_variance: ArrayLike,
) -> NDArray[np.float64]:
    """Mean weight of each mode in the clean-data denoiser of n noisy points.

    All parameters but `eigenvalues` broadcast like NumPy arrays.

    Parameters
    ----------
    eigenvalues : array-like of shape (dim,)
        Of the covariance of the clean population, >= 0, in squared data units.
    noise_variance : array-like
        ``s^2 > 0`` at which the denoiser is asked, at least `data_noise_variance`.
    n_train : array-like
        Number of training points n > 0; their mean is known.
    data_noise_variance : array-like
        ``tau^2 >= 0`` of the noise in the training points.

    Returns
    -------
    ndarray of shape (..., dim)
        At most 1; ``-inf`` for ``s = tau`` and no more points than dimensions.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    See Also
    --------
    denoiser_mean : The denoiser of clean points.

    References
    ----------
    This project.

    Examples
    --------
    >>> found = noisy_data_weight(1 / np.arange(1, 65), 0.4, 150, data_noise_variance=0.1)
    >>> found[[0, 3, 15]].round(4)
    array([0.681 , 0.3373, 0.0929])
    """
    spectrum = as_spectrum(eigenvalues)
    s2, n, tau2 = np.broadcast_arrays(
        as_positive(noise_variance, "noise_variance"),
        as_positive(n_train, "n_train"),
        as_positive(data_noise_variance, "data_noise_variance", zero=True),
    )
    if (s2 < tau2).any():
        low, high = s2[s2 < tau2].flat[0], tau2[s2 < tau2].flat[0]
        raise ValueError(
            f"noise_variance is {low:g} and data_noise_variance {high:g}, expected at least as "
            "much: noisy data show the score at their own noise and above"
        )
    weights = np.empty((*s2.shape, spectrum.size))
    for index in np.ndindex(s2.shape):
        noisy, left = spectrum + tau2[index], s2[index] - tau2[index]
        solution = noise_equivalent(noisy, left, n[index])
        kappa = float(solution.kappa)
        if left > 0:
            ratio = kappa / left
        else:
            # Without noise kappa vanishes in proportion to it, or not at all.
            spare = 1 - spectrum.size / n[index]
            ratio = 1 / spare if spare > 0 else np.inf
        weights[index] = 1 - s2[index] * ratio / (noisy + kappa)
    return weights
