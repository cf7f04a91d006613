r"""Traces of a sample covariance with the inverse of its population: integrals over a contour.

C and Sigma do not commute, so that ``tr Sigma^{-1} f(C)`` is no function of the eigenvalues of C
alone, and ``f(C) Sigma^{-1} f(C)`` not one of a single resolvent. With the map ``z(w)`` of
:mod:`ornstein.theory.random_matrices.sample_covariance` (``w = -kappa(-z)``), n points with known
mean, and ``g_k = (w/z)/(lambda_k - w)`` the mean of ``(C - z)^{-1}_kk``:

*Two resolvents.* For a matrix A with the eigenvectors of Sigma,

    E [(C - z_1)^{-1} A (C - z_2)^{-1}]_kk = (w_1 w_2 / z_1 z_2) (A_k + X lambda_k)
                                             / ((lambda_k - w_1)(lambda_k - w_2)),
    X = sum_j [A_j lambda_j / ((lambda_j - w_1)(lambda_j - w_2))] / (n (z_1 - z_2)/(w_1 - w_2)),

whose denominator is ``n z'(w)`` where they agree. Integrated twice over one contour around the
spectrum, it gives ``E [f(C) A f(C)]_kk`` for ``f(0) = 0``, up to relative order ``1/n``.

*The order 1 of a trace.* ``C_eps``, the sample covariance of a population with all eigenvalues
``lambda_k + eps``, has ``d/d eps tr F(C_eps) = tr Sigma^{-1} f(C)`` for ``F'(x) = f(x)/x``. The
order 1 of ``tr F`` is in :mod:`ornstein.theory.random_matrices.spectral_averages`, that of the
trace therefore

    (1/2 pi) Im int (f/z) z' d(dz/z'),        dz = (1/n) sum_k w^2/(lambda_k - w)^2,

over the upper half of the contour, from left to right.

**Contour.** Where ``Re w <= -kappa_0``, w is above the curve of the spectrum, since the sum that is
1 on the curve is less than 1 there. An ellipse in the plane of ``ln(w + kappa_0)`` of half height
``0.65 pi`` therefore encloses the spectrum, stays away from it, and from ``z < 0`` where f has its
poles. The midpoint rule converges geometrically, over any number of decades.

References
----------
Bai, Silverstein, Ann. Probab. 32, 2004 (order 1 of linear statistics). Bach, "High-dimensional
analysis of double descent for linear regression with random projections", arXiv 2303.01372
(two resolvents at one point). The order 1 of the trace is this project's own derivation.
"""

from __future__ import annotations

__all__ = ["ResolventContour", "Sandwich", "resolvent_contour"]

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.theory.random_matrices.spectral_averages import spectral_averages
from ornstein.validation import as_spectrum

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    ComplexArray = NDArray[np.complex128]

_HEIGHT = 0.65 * np.pi
_FEWEST, _PER_UNIT, _MARGIN = 64, 10, 0.8


class Sandwich(NamedTuple):
    """Per mode of the population, averages over training sets."""

    once: Array
    """``E f(C)_kk``, in the units of f."""
    twice: Array
    """``E [f(C) Sigma^{-1} f(C)]_kk``, in those of ``f^2`` over squared data units."""


@dataclass(frozen=True, eq=False)
class ResolventContour:
    """The upper half of a contour around the spectrum of a sample covariance.

    Attributes
    ----------
    w : ndarray of shape (n_nodes,)
        Minus the renormalised noise along it, from left to right.
    step : ndarray of shape (n_nodes,)
        ``dw``.
    values : ndarray of shape (n_values,)
        Distinct eigenvalues > 0 of the population.
    weights : ndarray of shape (n_values,)
        Their numbers over n.
    inverse : ndarray of shape (dim,)
        Which of the values each mode has; their number where it has the eigenvalue 0.
    n_train : float
        n.
    """

    w: ComplexArray
    step: ComplexArray
    values: Array
    weights: Array
    inverse: NDArray[np.intp]
    n_train: float

    @cached_property
    def nodes(self) -> ComplexArray:
        """Complex eigenvalues z where f is asked, in squared data units."""
        return self.w * (1 - (self.weights * self.values / (self.values - self.w[:, None])).sum(-1))

    @cached_property
    def slope(self) -> ComplexArray:
        """``dz/dw``."""
        return 1 - (self.weights * (self.values / (self.values - self.w[:, None])) ** 2).sum(-1)

    def inverse_trace_correction(self, function: Any) -> float:
        """Order 1 of ``E tr Sigma^{-1} f(C)``, from f at the nodes; ``f(0) = 0``."""
        w, apart = self.w, self.values - self.w[:, None]
        shift = (self.weights * (w[:, None] / apart) ** 2).sum(-1)
        bend = 2 * w * (self.weights * self.values / apart**3).sum(-1)
        curvature = -2 * (self.weights * self.values**2 / apart**3).sum(-1)
        change = bend - curvature * shift / self.slope
        return float((function / self.nodes * change * self.step).sum().imag / (2 * np.pi))

    @cached_property
    def _resolvent(self) -> ComplexArray:
        """``1/(lambda_k - w)``, of shape (n_nodes, n_values)."""
        return 1 / (self.values - self.w[:, None])

    @cached_property
    def _coupling(self) -> ComplexArray:
        """Of every node with those of the whole contour, the lower half last."""
        both = np.concatenate
        w, z = both([self.w, self.w.conj()]), both([self.nodes, self.nodes.conj()])
        apart = self.w[:, None] - w
        np.fill_diagonal(apart, 1.0)
        quotient = (self.nodes[:, None] - z) / apart
        np.fill_diagonal(quotient, self.slope)
        resolvent = self._resolvent
        return (resolvent * self.weights) @ both([resolvent, resolvent.conj()]).T / quotient

    def sandwich(self, function: Any) -> Sandwich:
        """``E f(C)`` and ``E f(C) Sigma^{-1} f(C)``, from f at the nodes; ``f(0) = 0``.

        Where the population has the eigenvalue 0 both are 0.
        """
        upper = function * self.w / self.nodes * self.slope * self.step / (2j * np.pi)
        kept = upper[:, None] * self._resolvent
        once = 2.0 * kept.sum(0).real
        # The lower half of the contour adds the conjugate of all that the upper half gives.
        coupled = self._coupling @ np.concatenate([kept, kept.conj()])
        spread = 2.0 * np.einsum("ik,ik->k", kept, coupled).real
        twice = once**2 / self.values + self.values * spread
        return Sandwich(np.append(once, 0.0)[self.inverse], np.append(twice, 0.0)[self.inverse])


def resolvent_contour(eigenvalues: ArrayLike, n_train: float) -> ResolventContour:
    """Contour for the sample covariance of n points.

    Parameters
    ----------
    eigenvalues, n_train
        As for :func:`~ornstein.theory.random_matrices.spectral_averages.spectral_averages`, which
        raises the same errors.

    Returns
    -------
    ResolventContour

    Examples
    --------
    >>> contour = resolvent_contour([4.0, 1.0, 1.0, 0.25], n_train=8)
    >>> contour.inverse_trace_correction(contour.nodes**2)  # tr Sigma / n
    0.78125
    >>> contour.sandwich(contour.nodes).twice  # Sigma (1 + d/n)
    array([6.   , 1.5  , 1.5  , 0.375])
    """
    averages = spectral_averages(eigenvalues, n_train)
    return _contour(as_spectrum(eigenvalues).tobytes(), float(n_train), averages.curve)


@lru_cache(maxsize=8)
def _contour(spectrum: bytes, n: float, curve: tuple[float, float, float]) -> ResolventContour:
    eigenvalues = np.frombuffer(spectrum)
    positive = eigenvalues > 0
    values, places, counts = np.unique(
        eigenvalues[positive], return_inverse=True, return_counts=True
    )
    inverse = np.full(eigenvalues.size, values.size)
    inverse[positive] = places
    origin, low, high = curve
    half = 0.65 * np.log(high / low) + _MARGIN
    count = int(_FEWEST + _PER_UNIT * half)
    turn = np.pi * (np.arange(count) + 0.5) / count
    zeta = 0.5 * np.log(high * low) - half * np.cos(turn) + 1j * _HEIGHT * np.sin(turn)
    away = np.exp(zeta)
    step = away * (half * np.sin(turn) + 1j * _HEIGHT * np.cos(turn)) * np.pi / count
    return ResolventContour(origin + away, step, values, counts / n, inverse, n)
