r"""The Marchenko-Pastur law, as nodes and weights.

``MP_c`` is the limit law of the eigenvalues of ``W / n``, ``W`` Wishart in ``d`` dimensions with
``n`` degrees of freedom, ``c = d / n``. Its continuous part, on ``[(1-sqrt c)^2, (1+sqrt c)^2]``,

    f(x) = sqrt((x_+ - x)(x - x_-)) / (2 pi c x),

has mass ``min(1, 1/c)``; for ``c > 1`` an atom of mass ``1 - 1/c`` sits at 0. With
``x = 1 + c + 2 sqrt(c) cos(theta)`` the square roots cancel,

    int g(x) f(x) dx = (2 / pi) int_0^pi g(x(theta)) sin(theta)^2 / x(theta) dtheta,

and the midpoint rule in ``theta`` converges geometrically: the integrand is even and periodic.

References
----------
Marchenko, Pastur, "Distribution of eigenvalues for some sets of random matrices", 1967.
"""

from __future__ import annotations

__all__ = ["marchenko_pastur_quadrature", "marchenko_pastur_mean"]

from typing import TYPE_CHECKING

import numpy as np

from ornstein.validation import as_positive

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

_ORDER, _LARGEST_ORDER = 400, 20_000


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
    c = float(as_positive(aspect_ratio, "aspect_ratio"))
    root = np.sqrt(c)
    # Poles of sin^2/x lie at distance |ln sqrt c| of the real axis: resolve them.
    distance = abs(np.log(root))
    order = int(np.clip(20.0 / max(distance, 1e-12), _ORDER, _LARGEST_ORDER))
    theta = np.pi * (np.arange(order) + 0.5) / order
    nodes = (1.0 - root) ** 2 + 4.0 * root * np.cos(theta / 2) ** 2
    weights = 2.0 / order * np.sin(theta) ** 2 / nodes
    return nodes, weights, max(0.0, 1.0 - 1.0 / c)


def marchenko_pastur_mean(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    aspect_ratio: float,
) -> float:
    """Mean of ``function(x)`` under ``MP_c``, the atom at 0 included.

    Examples
    --------
    >>> marchenko_pastur_mean(lambda x: x**2, 4.0)
    5.000000
    """
    nodes, weights, atom = marchenko_pastur_quadrature(aspect_ratio)
    total = float(weights @ function(nodes))
    if atom:
        total += atom * float(np.asarray(function(np.zeros(1))).item())
    return total
