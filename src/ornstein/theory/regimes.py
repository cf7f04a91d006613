r"""Dynamical regimes of the empirical score: speciation, cloning, collapse.

The backward process of a model that has learned the empirical score of n points in d dimensions,
at OU time t (``Delta_t = 1 - e^{-2t}``), passes two times. At the **speciation** time

    t_S = 1/2 ln Lambda,       Lambda the largest eigenvalue of the data covariance,

trajectories choose a class: signal ``e^{-2t} Lambda`` meets noise. For two equiprobable Gaussian
classes of means ``+-m`` and variance ``s^2``, two clones that separate at time t end in one class
with the **cloning** probability

    phi(t) = 1/2 int (G_+^2 + G_-^2) / (G_+ + G_-) dy,   G_+- = N(y; +-|m| e^{-t}, v),
    v = Delta_t + s^2 e^{-2t}.

Only ``a = |m| e^{-t} / sqrt(v)``, the separation in standard deviations, matters:

    phi = 1 - 1/2 e^{-a^2/2} int g(y) / cosh(a y) dy,    g the standard normal density,

a form without cancellation or overflow. phi rises from 1/2 to nearly 1 as t decreases through
``t_S``; with ``|m|^2 = d`` and ``s = 1`` it is 0.7752 at ``t = 1/2 ln d``, for every d.

At the **collapse** time t_C the trajectory falls to one training point: n points of volume
``s_C^d`` fill the typical set. Data of covariance eigenvalues ``lambda_k``, EDM noise ``s_C``,

    (1/2) sum_k ln(1 + lambda_k / s_C^2) = ln n,        t_C = 1/2 ln(1 + s_C^2),

for equal eigenvalues ``s_C^2 = lambda / (n^{2/d} - 1)``. The left side is concave in every
``lambda_k``: the closed form for r equal eigenvalues, r the number of non-zero ones, at the least
and at the mean of them, brackets ``s_C^2``. It takes an exponential number of points in d to bring
t_C near 0. At t_C the posterior weight of the point behind a noisy one is near 1/2.

References
----------
Biroli, Bonnaire, de Bortoli, Mezard, "Dynamical regimes of diffusion models", arXiv 2402.18491.
"""

from __future__ import annotations

__all__ = ["speciation_time", "cloning_probability", "collapse_time"]

from typing import TYPE_CHECKING

import numpy as np

from ornstein.theory.numerics.monotone_roots import decreasing_root
from ornstein.validation import as_positive, as_spectrum

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

# 1 - phi is below 1e-300 from there on.
_FAR = 38.0


def speciation_time(eigenvalues: ArrayLike) -> float:
    """OU time ``1/2 ln Lambda`` at which backward trajectories choose a class.

    Parameters
    ----------
    eigenvalues : array-like of shape (dim,)
        Eigenvalues of the covariance of all data, between the classes and within, >= 0, in units
        where the forward process ends in unit variance. Only the largest counts.

    Returns
    -------
    float
        Negative if no direction is wider than the noise at the end: the data then has no class
        that the noise does not cover from the start.

    Raises
    ------
    ValueError
        If the eigenvalues are no vector, or none is positive.

    References
    ----------
    Biroli, Bonnaire, de Bortoli, Mezard, arXiv 2402.18491.

    Examples
    --------
    >>> speciation_time([101.0, 1.0, 1.0])
    2.307560
    """
    spectrum = _some_spectrum(eigenvalues)
    return float(0.5 * np.log(spectrum.max()))


def cloning_probability(
    time: ArrayLike, mean_norm: ArrayLike, std: ArrayLike = 1.0
) -> float | NDArray[np.float64]:
    """Probability that two backward trajectories which separate at time t end in one class.

    Parameters broadcast like NumPy arrays.

    Parameters
    ----------
    time : array-like
        OU time ``t >= 0``.
    mean_norm : array-like
        ``|m| >= 0``, where the classes have means ``+-m``, in data units.
    std : array-like
        Standard deviation ``s > 0`` of each class along m, in data units.

    Returns
    -------
    float or ndarray
        Between 1/2 and 1.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    References
    ----------
    Biroli, Bonnaire, de Bortoli, Mezard, arXiv 2402.18491.

    Examples
    --------
    >>> cloning_probability(0.5 * np.log(64), mean_norm=8.0)
    0.775200
    """
    t = as_positive(time, "time", zero=True)
    spread = np.hypot(np.sqrt(-np.expm1(-2.0 * t)), as_positive(std, "std") * np.exp(-t))
    distance = as_positive(mean_norm, "mean_norm", zero=True) * np.exp(-t)
    a = (np.minimum(distance, _FAR * spread) / spread)[..., None]
    # Trapezoidal rule in the unit of the narrower factor, exact to rounding for analytic ones.
    u = 0.25 * np.arange(-152, 153)
    scale = np.maximum(a, 1.0)
    normal = np.exp(-0.5 * (u / scale) ** 2) / np.sqrt(2.0 * np.pi)
    sech = 2.0 * np.exp(-np.abs(a / scale * u)) / (1.0 + np.exp(-2.0 * np.abs(a / scale * u)))
    overlap = 0.25 * (normal * sech / scale).sum(-1)
    phi = 1.0 - 0.5 * np.exp(-0.5 * np.square(a[..., 0])) * overlap
    return float(phi) if phi.ndim == 0 else phi


def collapse_time(n_train: ArrayLike, eigenvalues: ArrayLike) -> float | NDArray[np.float64]:
    """OU time ``t_C`` at which the empirical score falls to a single training point.

    Parameters
    ----------
    n_train : array-like
        Number of training points, >= 1.
    eigenvalues : array-like of shape (dim,)
        Eigenvalues of the data covariance, >= 0, in units where the forward process ends in unit
        variance; ``np.ones(dim)`` for isotropic data.

    Returns
    -------
    float or ndarray of the shape of `n_train`
        ``inf`` for one point.

    Raises
    ------
    ValueError
        If a number of points is below 1, or no eigenvalue is positive.

    References
    ----------
    Biroli, Bonnaire, de Bortoli, Mezard, arXiv 2402.18491.

    Examples
    --------
    >>> collapse_time([1000, 10**6], np.ones(64))
    array([0.819542, 0.524028])
    """
    n = as_positive(n_train, "n_train")
    if (n < 1).any():
        raise ValueError(f"n_train is {n.min():g}, expected at least 1")
    spectrum = _some_spectrum(eigenvalues)
    positive = spectrum[spectrum > 0]
    entropy = np.log(n)
    excess = -np.expm1(-2.0 * entropy / positive.size)
    several = excess > 0
    # lambda / (n^{2/r} - 1), in a form that does not overflow for few directions.
    unit = np.exp(-2.0 * entropy / positive.size) / np.where(several, excess, 1.0)
    lower, upper = (
        np.where(several, np.maximum(value * unit, 1e-300), 1.0)
        for value in (positive.min(), positive.mean())
    )

    def balance(noise: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Logarithm of the entropy resolved at a noise over ln n, and its slope."""
        ratio = np.log(positive) - np.log(noise)[..., None]
        resolved = 0.5 * np.logaddexp(0.0, ratio).sum(-1)
        change = -0.5 * (positive / (positive + noise[..., None])).sum(-1)
        return np.log(resolved / np.where(several, entropy, 1.0)), change / resolved

    time = np.where(several, 0.5 * np.log1p(decreasing_root(balance, lower, upper)), np.inf)
    return float(time) if time.ndim == 0 else time


def _some_spectrum(eigenvalues: ArrayLike) -> NDArray[np.float64]:
    spectrum = as_spectrum(eigenvalues)
    if not spectrum.any():
        raise ValueError("eigenvalues are all 0, expected at least one > 0")
    return spectrum
