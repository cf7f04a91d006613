r"""Functions of an eigenvalue as sums of simple fractions, over many decades.

A function that is analytic off the negative axis is well fitted on an interval of positive numbers
by

    f(x) = f(0) + b x + sum_j c_j x^2 / (x + p_j),

with poles ``-p_j`` that are equally spaced on a logarithmic scale: the error falls geometrically
with their number per decade. The coefficients are those of least squares in relative error, so that
small values keep their digits beside large ones. Between the powers 1 and 2 of x, where what
samplers make of a variance is, the terms are of one size with f, and none cancel; the same function
written with ``x / (x + p_j)`` would lose as many digits as it spans decades.

References
----------
Trefethen, Nakatsukasa, Weideman, "Exponential node clustering at singularities for rational
approximation, quadrature, and PDEs", 2021.
"""

from __future__ import annotations

__all__ = ["RationalFunction", "fit_rational"]

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_POLES, _POLES_PER_DECADE, _POINTS, _NEGLIGIBLE = 6, 2.5, 400, 1e-8


@dataclass(frozen=True, eq=False)
class RationalFunction:
    """``f(x) = constant + linear x + sum_j coefficients_j x^2 / (x + poles_j)``."""

    constant: float
    linear: float
    coefficients: Array
    poles: Array

    def __call__(self, x: Array) -> Array:
        """Values at `x` >= 0."""
        ratio = x[..., None] / (x[..., None] + self.poles)
        return self.constant + x * (self.linear + ratio @ self.coefficients)

    def on_same_poles(self, function: Callable[[Array], Array], low: float, high: float) -> Array:
        """Coefficients of ``x / (x + poles_j)`` for a bounded function with f(0) = 0, fitted."""
        x = np.geomspace(low, high, _POINTS)
        basis = x[:, None] / (x[:, None] + self.poles)
        return np.asarray(np.linalg.lstsq(basis, function(x), rcond=1e-10)[0], dtype=np.float64)


def fit_rational(
    function: Callable[[Array], Array], low: float, high: float, constant: float = 0.0
) -> RationalFunction:
    """Fit a positive function on ``[low, high]`` in relative error, exact at 0.

    Parameters
    ----------
    function : callable
        Of an array of eigenvalues.
    low, high : float
        Range of the spectrum, ``0 < low <= high``.
    constant : float
        ``f(0) >= 0``.

    Returns
    -------
    RationalFunction

    Examples
    --------
    >>> fitted = fit_rational(lambda x: x**2 / (x + 0.1), 0.01, 10.0)
    >>> x = np.array([0.01, 0.3, 10.0])
    >>> bool(np.allclose(fitted(x), x**2 / (x + 0.1), rtol=1e-5))
    True
    """
    x = np.geomspace(low / 1.2, high * 1.2, _POINTS)
    values = function(x)
    count = int(_POLES + _POLES_PER_DECADE * np.log10(high / low))
    poles = np.geomspace(low / 2, high * 2, count)
    while True:
        basis = np.column_stack([np.ones_like(x), x[:, None] / (x[:, None] + poles)])
        basis *= (x / values)[:, None]
        size = np.linalg.norm(basis, axis=0)
        scaled = np.linalg.lstsq(basis / size, 1 - constant / values, rcond=1e-11)[0]
        linear, coefficients = float(scaled[0] / size[0]), scaled[1:] / size[1:]
        # Poles without weight would be divided by.
        used = np.abs(scaled[1:]) > _NEGLIGIBLE * np.abs(scaled).max()
        if used.all():
            return RationalFunction(constant, linear, coefficients, poles)
        poles = poles[used]
