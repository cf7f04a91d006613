r"""The Marchenko-Pastur law, as nodes and weights.

``MP_c`` is the limit law of the eigenvalues of ``W / n``, ``W`` Wishart in ``d`` dimensions with
``n`` degrees of freedom, ``c = d / n``. Its continuous part, on ``[(1-sqrt c)^2, (1+sqrt c)^2]``,

    f(x) = sqrt((x_+ - x)(x - x_-)) / (2 pi c x),

has mass ``min(1, 1/c)``; for ``c > 1`` an atom of mass ``1 - 1/c`` sits at 0. With
``x = 1 + c + 2 sqrt(c) cos(theta)`` the square roots cancel,

    int g(x) f(x) dx = (2 / pi) int_0^pi g(x(theta)) sin(theta)^2 / x(theta) dtheta,

and the midpoint rule in ``theta`` converges geometrically: the integrand is even and periodic.

**Near the hard edge** (c near 1) the poles of ``sin^2 / x`` come within ``|ln sqrt c|`` of the real
axis. There the variable is ``tau = ln tan((pi - theta) / 2)``,

    x = (x_- + x_+ u^2) / (1 + u^2),   u = e^tau,
    int g(x) f(x) dx = (16 / pi) int g(x) u^3 / [ (1 + u^2)^2 (x_- + x_+ u^2) ] dtau.

Where x is negative, u is imaginary. So the weight, and every g that is analytic off the negative
axis (powers, the logarithm, ``1/(x + s^2)``), has its singularities at ``Im tau = pi/2``, however
near c is to 1, and the trapezoidal rule converges geometrically at one rate. ``x_-`` comes from
``1 - c``, which float64 knows exactly there.

References
----------
Marchenko, Pastur, "Distribution of eigenvalues for some sets of random matrices", 1967.
"""

from __future__ import annotations

__all__ = ["marchenko_pastur_quadrature", "marchenko_pastur_mean"]

from typing import TYPE_CHECKING

import numpy as np

from ornstein.validation import as_positive_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_ORDER, _NEAR = 400, 0.05
_STEP, _TAIL, _LOWEST = 0.125, 13.0, -60.0  # e^-39 of the mass is beyond the tail


def marchenko_pastur_quadrature(
    aspect_ratio: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64], float]:
    """Nodes, weights and the mass of the atom at 0 of the law ``MP_c``.

    Parameters
    ----------
    aspect_ratio : float
        ``c = dim / n_train``, > 0.

    Returns
    -------
    nodes, weights : ndarray of shape (order,)
        400 or more (near ``c = 1``).
        ``sum(weights * g(nodes))`` is the integral of ``g`` over the continuous part.
    atom : float
        Mass at 0, ``max(0, 1 - 1/c)``.

    Raises
    ------
    ValueError
        If the ratio is not a finite number > 0.

    Examples
    --------
    >>> nodes, weights, atom = marchenko_pastur_quadrature(0.5)
    >>> float(weights @ nodes), float(weights @ nodes**2), atom
    (1.000000, 1.500000, 0.0)
    """
    c = as_positive_number(aspect_ratio, "aspect_ratio")
    atom = max(0.0, (c - 1.0) / c)
    root = np.sqrt(c)
    if abs(np.log(root)) < _NEAR:
        return (*_near_hard_edge(c), atom)
    theta = np.pi * (np.arange(_ORDER) + 0.5) / _ORDER
    nodes = (1.0 - root) ** 2 + 4.0 * root * np.cos(theta / 2) ** 2
    return nodes, 2.0 / _ORDER * np.sin(theta) ** 2 / nodes, atom


def _near_hard_edge(c: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    total = 1.0 + np.sqrt(c)
    gap = abs(1.0 - c) / total
    # The mass is near u = sqrt(x_- / x_+), and what 1/x weighs most just below it.
    lowest = np.log(gap / total) - _TAIL if gap > 0 else _LOWEST
    u = np.exp(np.arange(lowest, _TAIL, _STEP))
    spread = gap**2 + (total * u) ** 2
    weights = 16.0 / np.pi * _STEP * u**3 / ((1.0 + u**2) ** 2 * spread)
    return spread / (1.0 + u**2), weights


def marchenko_pastur_mean(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    aspect_ratio: float,
) -> float:
    """Mean of ``function(x)`` under ``MP_c``, the atom at 0 included.

    Parameters
    ----------
    function : callable
        Of an array of shape (order,), element by element. The rule is exact to rounding for
        functions analytic off the negative axis.
    aspect_ratio : float
        ``c = dim / n_train``, > 0.

    Returns
    -------
    float
        ``inf`` where the function is infinite at 0 and ``c > 1``. (At ``c = 1`` an infinite mean,
        as that of 1/x, comes out as a large number.)

    Raises
    ------
    ValueError
        If the ratio is not a finite number > 0.

    Examples
    --------
    >>> marchenko_pastur_mean(lambda x: x**2, 4.0)
    5.000000
    """
    nodes, weights, atom = marchenko_pastur_quadrature(aspect_ratio)
    total = float(weights @ function(nodes))
    if atom:
        with np.errstate(divide="ignore"):  # of an atom under 1/x the mean is infinite
            total += atom * float(np.asarray(function(np.zeros(1))).item())
    return total
