r"""The grid of noise levels that loses least, for a spectrum or for the model of n points.

For the population's own denoisers the loss of Euler's method (DDIM) on a grid is known exactly,
mode by mode, and :mod:`ornstein.diffusion.grids` finds the grid of least KL.

With the denoisers of n points a step works on the eigenvalues x of the sample covariance, of
density ``rho_k(x)`` in mode k (:mod:`ornstein.theory.random_matrices.spectral_averages`), and the
expected KL to the population noised by the last noise ``s_0`` is, up to what no grid changes,

    1/2 int sum_k rho_k(x) [ (x + s_0^2)/(lambda_k + s_0^2) q(x)^2 - 1 - 2 ln q(x) ] dx.

Large eigenvalues of C overshoot those of Sigma, and a step that loses some of their variance does
no harm: the best grid has larger steps at large noise, and moves with n.

References
----------
Sun, Poor, Zhang, arXiv 2601.13602 (a tangent law). Grids for a spectrum and for n points are this
project's own.
"""

from __future__ import annotations

__all__ = ["tangent_grid"]

from typing import TYPE_CHECKING

import numpy as np

from ornstein.diffusion.grids import Modes, optimal_noises
from ornstein.theory.random_matrices.spectral_averages import spectral_averages
from ornstein.validation import as_between, as_count, as_number, as_spectrum

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_WIDEST = 1e150  # its square is a number


def tangent_grid(
    eigenvalues: ArrayLike,
    n_steps: int,
    noise_min: float = 0.002,
    noise_max: float = 80.0,
    *,
    n_train: int | None = None,
) -> Array:
    """Noise levels of least KL for Euler's method with linear denoisers.

    Parameters
    ----------
    eigenvalues : array-like of shape (dim,)
        Of the population covariance, >= 0, in squared data units. Eigenvalues 0 need no steps.
    n_steps : int
        Number of steps S.
    noise_min, noise_max : float
        Last and first level, ``0 <= noise_min < noise_max <= 1e150``, in data units. From
        ``noise_min > 0`` samplers of other packages jump to 0.
    n_train : int, optional
        Number of training points n >= 2 that mean and covariance are fitted on: the grid of least
        expected KL to the population. Left out, that of the population's own denoisers.

    Returns
    -------
    ndarray of shape (n_steps + 1,)
        Falling, in data units; for one variance the tangent law. Samplers take it as
        :class:`~ornstein.diffusion.grids.NoiseGrid`, diffusers as ``sigmas``.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside its range.

    Examples
    --------
    >>> tangent_grid([1.0, 1.0], 4)
    array([8.000000e+01, 2.354884e+00, 9.895554e-01, 4.123112e-01, 2.000000e-03])
    >>> tangent_grid([1.0, 0.01], 4)
    array([8.000000e+01, 1.336029e+00, 3.248330e-01, 7.676826e-02, 2.000000e-03])
    """
    spectrum = as_spectrum(eigenvalues)
    low = float(as_between(as_number(noise_min, "noise_min"), "noise_min", 0.0, _WIDEST))
    high = float(as_between(as_number(noise_max, "noise_max"), "noise_max", 0.0, _WIDEST))
    modes = Modes.of(spectrum)
    if n_train is not None and modes.variances.size:
        n = as_count(n_train, "n_train", at_least=2)
        modes = _of_points(spectrum[spectrum > 0], n, low)
    return optimal_noises(modes, as_count(n_steps, "n_steps"), low, high)


def _of_points(spectrum: Array, n: int, noise_min: float) -> Modes:
    """The spectrum of the sample covariance, and what the population has in its place."""
    averages = spectral_averages(spectrum * (n - 1) / n, n - 1)
    x, values = averages.nodes, np.unique(spectrum)
    weights = averages.density * averages.counts
    ratio = (x[:, None] + noise_min**2) / (values + noise_min**2)
    order = np.argsort(x)
    return Modes(x[order], weights.sum(1)[order], (weights * ratio).sum(1)[order])
