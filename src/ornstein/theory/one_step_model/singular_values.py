r"""The spectrum of the one-step generated covariance, for ``d, n -> infinity``.

``s`` are the singular values of ``Sigma_G^{1/2} / sigma``, ``g = d / (n-1)``, ``a = 1 - rho2``.

**More points than dimensions** (``g <= 1``): the law of ``s``, symmetrised, has the Cauchy
transform ``G(s) = w / (w^2 - rho2)``, where ``w`` is the root of positive imaginary part of

    (s - w)(w^2 - g s w - (1-g) rho2) = a g w,      f(s) = -(2/pi) Im G(s + i0)  on s > 0.

Why: in units of its input the fitted map is ``rho I`` plus a matrix of rotation-invariant law whose
squared singular values are a free product of ``MP_1`` and an inverse ``MP_g``; symmetrised laws add
freely. The discriminant of the cubic is a cubic in ``s^2`` whose positive roots are the edges; the
support reaches 0 exactly below the threshold, for ``g > rho2``.

**Fewer points** (``g > 1``, ``c = 1/g``): the non-zero eigenvalues ``x = s^2`` have the density

    f(x) = (1 + x) sqrt( (1-c)^2 x (T - x - 1/x) ) / (2 pi alpha x),
    alpha = c [ (1+x)^2 - 4 rho2 x ],      T = x_+ + 1/x_+ = 2 + 4 c (2-c) a / (1-c)^2

(a quadratic for the transform, the rectangular free convolution of ratio c of ``delta_rho`` with a
matrix quotient, whose discriminant has the factor ``(1+x)^2``). It is invariant under
``x -> 1/x``: on average the model neither shrinks nor stretches, in log scale, the directions it
has seen.

References
----------
This project. Rectangular free convolution: Benaych-Georges, "Rectangular random matrices, related
convolution", 2009.
"""

from __future__ import annotations

__all__ = ["one_step_spectrum", "one_step_support"]

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.validation import as_positive

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


def one_step_spectrum(s: ArrayLike, aspect_ratio: float, signal_fraction: float) -> Any:
    """Density of the non-zero singular values of ``Sigma_G^{1/2} / sigma``.

    Parameters
    ----------
    s : array-like
        Where to evaluate it, >= 0, in units of the population's standard deviation.
    aspect_ratio : float
        ``g = dim / (n_train - 1)``, > 0.
    signal_fraction : float
        ``rho2``, in (0, 1).

    Returns
    -------
    float or ndarray of the shape of `s`
        Mass 1 on both sides of ``g = 1``; 0 outside the support.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> one_step_spectrum([0.5, 1.0, 2.0], 0.8, 0.504621)
    array([0.584312, 0.523140, 0.146377])
    >>> one_step_spectrum(1.0, 2.0, 0.504621)
    0.783325
    """
    g, rho2 = _checked(aspect_ratio, signal_fraction)
    points = as_positive(s, "s", zero=True)
    density = _many(points, g, rho2) if g <= 1 else _few(points, 1 / g, rho2)
    return density if density.ndim else float(density)


def one_step_support(aspect_ratio: float, signal_fraction: float) -> tuple[float, float]:
    """Edges of the support of :func:`one_step_spectrum`, the lower one 0 for ``rho2 <= g <= 1``.

    Parameters
    ----------
    aspect_ratio, signal_fraction : float
        As for `one_step_spectrum`, which raises the same errors.

    Returns
    -------
    low, high : float
        In units of the population's standard deviation; `high` is infinite at ``g = 1``.

    Examples
    --------
    >>> one_step_support(0.4, 0.504621), one_step_support(0.8, 0.504621)
    ((0.051799, 1.841262), (0.0, 6.382962))
    """
    g, rho2 = _checked(aspect_ratio, signal_fraction)
    if g == 1:
        return 0.0, math.inf
    if g > 1:
        c = 1 / g
        half = math.acosh(1 + 2 * c * (2 - c) * (1 - rho2) / (1 - c) ** 2) / 2
        return math.exp(-half), math.exp(half)
    roots = np.roots(_discriminant(g, rho2))
    edges = np.sort(roots.real[np.abs(roots.imag) <= 1e-7 * np.abs(roots)])
    edges = np.sqrt(edges[edges > 0])
    return (0.0 if g >= rho2 else float(edges[-2])), float(edges[-1])


def _many(s: Array, g: float, rho2: float) -> Array:
    """By Cardano's formula: the complex pair of roots exists where the discriminant is < 0."""
    b = -(1 + g) * s
    c = g * s**2 - (1 - g) * rho2 + (1 - rho2) * g
    e = (1 - g) * rho2 * s
    p, q = c - b**2 / 3, 2 * b**3 / 27 - b * c / 3 + e
    square = (q / 2) ** 2 + (p / 3) ** 3
    root = np.sqrt(np.maximum(square, 0.0))
    larger = np.cbrt(np.where(q > 0, -q / 2 - root, -q / 2 + root))
    other = np.divide(-p / 3, larger, out=np.zeros(np.shape(s)), where=larger != 0)
    w = -(larger + other) / 2 - b / 3 + 0.5j * math.sqrt(3) * np.abs(larger - other)
    gap = w**2 - rho2
    inside = (square > 0) & (gap != 0)
    transform = np.divide(w, gap, out=np.zeros(np.shape(s), complex), where=inside)
    return np.where(inside, -2 / math.pi * np.imag(transform), 0.0)


def _few(s: Array, c: float, rho2: float) -> Array:
    x = s**2
    alpha = c * ((1 + x) ** 2 - 4 * rho2 * x)
    # (1-c)^2 x (T - x - 1/x), without the division by x.
    room = 4 * c * (2 - c) * (1 - rho2) * x - (1 - c) ** 2 * (1 - x) ** 2
    numerator = (1 + x) * np.sqrt(np.maximum(room, 0.0))
    # Density in s: f(x) dx = f(s^2) 2 s ds.
    return np.divide(numerator, math.pi * alpha * s, out=np.zeros(np.shape(s)), where=room > 0)


def _discriminant(g: float, rho2: float) -> list[float]:
    """Coefficients in ``s^2``, highest first, of the discriminant of the cubic in ``w``."""
    k, u = (1 - rho2) * g - (1 - g) * rho2, (1 - g) * rho2
    h = 1 + g
    return [
        g**2 * (1 - g) ** 2,
        -18 * h * u * g + 4 * h**3 * u + 2 * h**2 * g * k - 12 * g**2 * k,
        -18 * h * u * k + h**2 * k**2 - 12 * g * k**2 - 27 * u**2,
        -4 * k**3,
    ]


def _checked(aspect_ratio: float, signal_fraction: float) -> tuple[float, float]:
    g = float(as_positive(aspect_ratio, "aspect_ratio"))
    rho2 = float(as_positive(signal_fraction, "signal_fraction"))
    if rho2 >= 1:
        raise ValueError(
            f"signal_fraction is {rho2:g}, expected a number in (0, 1): at 1 there is no noise and "
            "all singular values are 1"
        )
    return g, rho2
