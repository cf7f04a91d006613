r"""Rows that are not of one size: by how much sample covariances vary more than Gaussian ones.

A photo has patches of much and of little contrast. The covariance of n such rows varies from one
training set to the next as that of fewer Gaussian rows would. The model of such data here is

    x = m + sqrt(tau) Sigma^{1/2} g,      g Gaussian,  tau > 0 of mean 1, independent of g,

with ``E tau^2 = f``, the **tail factor**: 1 for Gaussian data. With few rows the law of tau matters
too; it is taken to be a gamma law, of shape ``1/(f - 1)``.

**The tail factor of a quantity.** In principal components of variance ``lambda_k``, scaled to
variance 1, a sample covariance ``Sigma + Delta`` of n points has

    E Delta_jk^2 = (lambda_j lambda_k / n) (E y_j^2 y_k^2 - [j = k]),

for Gaussian data ``(lambda_j lambda_k / n) (1 + [j = k])``. A quantity whose first change is
``sum_jk q_jk Delta_jk^2`` changes f times as much as for Gaussian data,

    f = sum_jk w_jk (E y_j^2 y_k^2 - [j = k]) / sum_jk w_jk (1 + [j = k]),
    w = q lambda_j lambda_k.

So f is measured for each quantity, and the leading order in 1/n is right for data of any law:

    Wasserstein distance, fitted covariance     w_jk = l_j l_k / (l_j + l_k)
    samples of two models, same seed            w_jk = l_j l_k / (sqrt l_j + sqrt l_k)^2
    denoising loss at noise variance v          w_jk = l_j l_k (b_j^2 b_k + b_j b_k^2) / 2,
                                                b_k = 1/(l_k + v)

**Against what.** N Gaussian rows, in their own principal components, give f a little off 1. So the
ratio to the mean f of Gaussian data sets of the same size and spectrum is taken, and 1 where the
data are within three of their standard deviations: there a Gaussian is not refuted.

References
----------
This project. Rows of unequal size: El Karoui, "Concentration of measure and spectra of random
matrices", Ann. Appl. Probab. 19 (2009).
"""

from __future__ import annotations

__all__ = ["RowSizes", "Fluctuations", "fourth_moments", "kernel_weights"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg import eigh_tridiagonal

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_NODES = 24
_SMALLEST, _STEPS = 1e-3, 100
_REFUTED = 3.0


class RowSizes(NamedTuple):
    """The law of tau as nodes and weights."""

    nodes: Array
    weights: Array

    @classmethod
    def of(cls, tail_factor: float) -> RowSizes:
        """The gamma law of mean 1 and second moment `tail_factor`; the point 1 up to 1.001.

        Examples
        --------
        >>> law = RowSizes.of(2.5)
        >>> float(law.weights @ law.nodes), float(law.weights @ law.nodes**2)
        (1.0, 2.5)
        """
        spread = tail_factor - 1.0
        if spread < _SMALLEST:
            return cls(np.ones(1), np.ones(1))
        # Gauss quadrature of the weight tau^{a} e^{-tau}, a = shape - 1, from its recurrence.
        shape = 1.0 / spread
        order = np.arange(_NODES)
        diagonal = 2.0 * order + shape
        beside = np.sqrt(order[1:] * (order[1:] + shape - 1.0))
        nodes, vectors = eigh_tridiagonal(diagonal, beside)
        return cls(nodes / shape, vectors[0] ** 2)

    def shrinkage(self, load: Array) -> tuple[Array, Array]:
        """``rho`` with ``E tau/(rho + tau load) = 1``, and its slope in `load`.

        Parameters
        ----------
        load : ndarray
            Between 0 and 1, both excluded.

        Returns
        -------
        rho, slope : ndarray of the shape of `load`
            ``1 - load`` and -1 for equal rows.
        """
        if self.nodes.size == 1:
            return 1.0 - load, np.full_like(load, -1.0)
        c = load[..., None]
        # h = 1 / E tau/(rho + tau c) rises with rho and is concave (a harmonic mean), and
        # rho <= 1 - load: Newton's steps reach h = 1 from below after the first.
        rho = 1.0 - load
        for _ in range(_STEPS):
            whole = self.nodes / (rho[..., None] + self.nodes * c)
            value = whole @ self.weights
            slope = (whole / (rho[..., None] + self.nodes * c)) @ self.weights
            moved = np.maximum(rho + (value - 1.0) * value / slope, 1e-3 * rho)
            done = np.abs(moved - rho) <= 1e-14 * rho
            rho = moved
            if done.all():
                break
        part = self.nodes / (rho[..., None] + self.nodes * c) ** 2
        return rho, -(part * self.nodes) @ self.weights / (part @ self.weights)


def kernel_weights(eigenvalues: Array, quantity: str | float) -> Array:
    """``w_jk`` of the module, shape (dim, dim).

    Parameters
    ----------
    eigenvalues : ndarray of shape (dim,)
    quantity : "distance", "consistency", or a noise variance
    """
    l = eigenvalues  # noqa: E741 - as in the formulas
    product = np.outer(l, l)
    if quantity == "distance":
        total = np.add.outer(l, l)
    elif quantity == "consistency":
        total = np.add.outer(np.sqrt(l), np.sqrt(l)) ** 2
    else:
        b = 1.0 / (l + float(quantity))
        return product * np.outer(b, b) * np.add.outer(b, b) / 2.0
    return np.divide(product, total, out=np.zeros_like(product), where=total > 0)


def fourth_moments(scores: Array) -> Array:
    """``E y_j^2 y_k^2`` of scores of variance 1, shape (rows, dim)."""
    squares = np.square(scores)
    return squares.T @ squares / len(scores)


@dataclass(frozen=True, eq=False)
class Fluctuations:
    """Fourth moments of data, and of Gaussian data sets of the same size and spectrum."""

    eigenvalues: Array
    """Of the sample covariance of the data, those that are not 0."""
    moments: Array
    """``E y_j^2 y_k^2`` of the data."""
    gaussian: tuple[Array, ...]
    """The same of Gaussian data sets."""

    def tail_factor(self, quantity: str | float) -> tuple[float, float]:
        """The factor f of a quantity, and how many standard deviations it is from Gaussian."""
        weights = kernel_weights(self.eigenvalues, quantity)
        reference = np.array([_excess(each, weights) for each in self.gaussian])
        value, mean = _excess(self.moments, weights), reference.mean()
        return value / mean, (value - mean) / reference.std(ddof=1)

    def used_factor(self, quantity: str | float) -> float:
        """The factor that predictions use: 1 where a Gaussian is not refuted, and never less."""
        factor, deviations = self.tail_factor(quantity)
        return max(factor, 1.0) if deviations > _REFUTED else 1.0


def _excess(moments: Array, weights: Array) -> float:
    diagonal = np.trace(weights)
    return float(((weights * moments).sum() - diagonal) / (weights.sum() + diagonal))
