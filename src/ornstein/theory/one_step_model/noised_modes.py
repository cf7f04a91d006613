r"""The modes of a population and what the noising of the one-step model makes of them.

Population ``N(m, diag(lambda_k))``, noising ``y = e^{-T} x + sqrt(v_z) z``. Only the ratio of noise
and signal matters to the model: in units where ``y = x + sqrt(mu) z``, ``mu = e^{2T} v_z =
noise_scale (1 - e^{-2T})``, mode by mode,

    y_k has variance  lambda_k + mu,        x_k = m_k + rho2_k (y_k - m_k) + residual,
    rho2_k = lambda_k / (lambda_k + mu),    residual variance  r_k = mu lambda_k / (lambda_k + mu).

Generation starts from ``N(xbar, v I)``, ``v = mean(lambda) + mu``. Given the noisy points of the
training set, the fitted map is, in law and exactly for ``nu = n - 1 >= d``,

    B = diag(rho2) + diag(r)^{1/2} N S^{-1/2} diag(lambda + mu)^{-1/2},

``N`` a square matrix of standard normals, ``S`` an independent Wishart_d(nu) matrix. For ``nu < d``
the first term is multiplied by the projection on the span of the noisy points, and the second has
their pseudo-inverse. All distances follow from matrices of this form,

    K = diag(D) + diag(R)^{1/2} N S^{-1/2} diag(T)^{1/2},          T_k = 1 / (lambda_k + mu),
    D_k^2 = v rho2_k^2 w_k,    R_k = v r_k w_k,

    w = 1          Sigma_G = K K^T
    w = lambda     Sigma^{1/2} Sigma_G Sigma^{1/2}      (Wasserstein)
    w = 1/lambda   Sigma^{-1/2} Sigma_G Sigma^{-1/2}    (KL, Hellinger).

**Eigenvalues 0.** A coordinate that never varies is reproduced exactly: distances are taken within
the support. But its noise does not vanish: it is one more column to regress on, with ``D = R = 0``
and ``T = 1/mu``. The model of d coordinates, ``d_s`` of which vary, is not the model of ``d_s``
coordinates. Without noise such columns are 0, and drop out.

**Many eigenvalues.** All that is computed are sums over the spectrum of logarithms and quotients of
polynomials in lambda of degree 3 with positive coefficients, analytic in ``ln lambda`` within
``pi/3`` of the real line. On an interval of length ``ln 2`` a Gauss rule of 8 nodes (for the
eigenvalues in it: Lanczos' method) has a relative error near ``6.2^-16 = 2e-13``. So 2000 or
200,000 eigenvalues cost no more than 8 per factor of 2.
"""

from __future__ import annotations

__all__ = ["LinearMap", "NoisedModes", "condensed", "linear_map", "noised_modes"]

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg import eigh_tridiagonal

from ornstein.validation import as_positive_number, as_spectrum

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_MANY, _GAUSS_NODES, _BREAKDOWN = 128, 8, 1e-12


class NoisedModes(NamedTuple):
    """Distinct eigenvalues in units of their mean, in ascending order."""

    eigenvalue: Array
    """``lambda_k``; may begin with a 0."""
    weight: Array
    """How many modes have it."""
    noise: float
    """``mu``, in units of the mean eigenvalue."""
    scale: float
    """The mean eigenvalue, in squared data units."""
    dim: int
    """``d``: the number of all modes, those of eigenvalue 0 too."""
    columns: int
    """How many coordinates the regression sees: ``d``, without noise the rank."""
    rank: int
    """``d_s``: the number of positive eigenvalues."""

    @property
    def support(self) -> Array:
        """Weights with 0 for the eigenvalue 0."""
        return np.where(self.eigenvalue > 0, self.weight, 0.0)

    @property
    def start_variance(self) -> float:
        """``v``, of the population."""
        return 1.0 + self.noise

    @property
    def signal_fraction(self) -> Array:
        """``rho2_k``."""
        return self.eigenvalue / (self.eigenvalue + self.noise)

    @property
    def residual(self) -> Array:
        """``r_k``."""
        return self.noise * self.signal_fraction

    @property
    def noise_ratio(self) -> Array:
        """``mu / lambda_k = 1/rho2_k - 1``; infinite for an eigenvalue 0."""
        with np.errstate(divide="ignore"):
            return np.divide(self.noise, self.eigenvalue)


class LinearMap(NamedTuple):
    """``K = diag(D) + diag(R)^{1/2} N S^{-1/2} diag(T)^{1/2}``, one entry per distinct mode."""

    signal: Array
    """``D_k^2``."""
    residual: Array
    """``R_k``."""
    inverse: Array
    """``T_k``."""
    weight: Array
    """Multiplicities."""
    support: Array
    """The same, 0 for modes with ``D = R = 0``."""
    dof: float
    """``nu``; a whole number, or one near it that stands for it in a formula."""

    @property
    def columns(self) -> float:
        """``d``."""
        return float(round(float(self.weight.sum())))

    @property
    def rows(self) -> float:
        """``d_s``."""
        return float(round(float(self.support.sum())))


def noised_modes(eigenvalues: ArrayLike, time: float, noise_scale: float) -> NoisedModes:
    """Group the modes of a population.

    Parameters
    ----------
    eigenvalues : array-like of shape (d,)
        Of the population's covariance, >= 0, in any order, not all 0.
    time : float
        Diffusion time T > 0.
    noise_scale : float
        ``lambda_ >= 0``, in squared data units.

    Returns
    -------
    NoisedModes

    Raises
    ------
    ValueError
        If a parameter is out of its range, or all eigenvalues are 0.

    Examples
    --------
    >>> modes = noised_modes([3.0, 1.0, 1.0, 3.0], time=2.0, noise_scale=1.0)
    >>> modes.eigenvalue, modes.weight, modes.noise
    (array([0.5, 1.5]), array([2., 2.]), 0.490842)
    """
    spectrum = as_spectrum(eigenvalues)
    T = as_positive_number(time, "time")
    noise = as_positive_number(noise_scale, "noise_scale", zero=True) * -float(np.expm1(-2.0 * T))
    scale = float(spectrum.mean())
    if scale == 0.0:
        raise ValueError("eigenvalues are all 0, expected a population that varies")
    values, counts = np.unique(spectrum / scale, return_counts=True)
    rank = int(counts[values > 0].sum())
    if noise == 0.0:
        values, counts = values[values > 0], counts[values > 0]
    return NoisedModes(
        values,
        counts.astype(np.float64),
        noise / scale,
        scale,
        spectrum.size,
        int(counts.sum()),
        rank,
    )


def condensed(modes: NoisedModes) -> NoisedModes:
    """The same sums over the spectrum from fewer nodes, if there are many distinct eigenvalues.

    Parameters
    ----------
    modes : NoisedModes

    Returns
    -------
    NoisedModes
        The same object if it has 128 distinct eigenvalues or less.
    """
    if modes.eigenvalue.size <= _MANY:
        return modes
    positive = modes.eigenvalue > 0
    logs, weight = np.log(modes.eigenvalue[positive]), modes.weight[positive]
    interval = ((logs[-1] - logs) / np.log(2.0)).astype(int)
    nodes, weights = [], []
    for group in np.split(np.arange(logs.size), np.flatnonzero(np.diff(interval)) + 1):
        node, share = logs[group], weight[group]
        if group.size > _GAUSS_NODES:
            node, share = _gauss_rule(node, share)
        nodes.append(node)
        weights.append(share)
    return modes._replace(
        eigenvalue=np.concatenate([modes.eigenvalue[~positive], np.exp(np.concatenate(nodes))]),
        weight=np.concatenate([modes.weight[~positive], *weights]),
    )


def _gauss_rule(points: Array, weight: Array) -> tuple[Array, Array]:
    """Nodes and weights with the first 16 moments of a discrete measure, by Lanczos' method."""
    centre, half = (points[-1] + points[0]) / 2, (points[-1] - points[0]) / 2
    x = (points - centre) / half
    basis = [np.sqrt(weight / weight.sum())]
    diagonal, beside = [], []
    for _ in range(_GAUSS_NODES):
        step = x * basis[-1]
        diagonal.append(basis[-1] @ step)
        # Orthogonal to all before: the recurrence alone loses that to rounding.
        for vector in basis + basis:
            step = step - (vector @ step) * vector
        beside.append(float(np.linalg.norm(step)))
        if beside[-1] < _BREAKDOWN:
            break
        basis.append(step / beside[-1])
    nodes, vectors = eigh_tridiagonal(np.array(diagonal), np.array(beside[:-1]))
    return centre + half * nodes, weight.sum() * vectors[0] ** 2


def linear_map(modes: NoisedModes, dof: float, power: float = 0.0) -> LinearMap:
    """The matrix ``K`` with weights ``w = lambda^power``.

    Parameters
    ----------
    modes : NoisedModes
    dof : float
        ``nu = n - 1``.
    power : float
        0 for ``Sigma_G``, 1 for Wasserstein, -1 for KL and Hellinger.
    """
    positive = modes.eigenvalue > 0
    weight = np.where(positive, modes.eigenvalue, 1.0) ** power * modes.start_variance
    return LinearMap(
        weight * modes.signal_fraction**2,
        weight * modes.residual,
        1.0 / (modes.eigenvalue + modes.noise),
        modes.weight,
        modes.support,
        float(dof),
    )
