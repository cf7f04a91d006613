r"""The spectrum of the one-step generated covariance, for ``d, n -> infinity``.

``s`` are the singular values of ``Sigma_G^{1/2} / sigma``, ``g = d / (n-1)``, ``a = 1 - rho2``.

**More points than dimensions** (``g <= 1``): the law of ``s``, symmetrised, has the Cauchy
transform ``G(s) = w / (w^2 - rho2)``, where ``w`` is the root of positive imaginary part of

    (s - w)(w^2 - g s w - (1-g) rho2) = a g w,      f(s) = -(2/pi) Im G(s + i0)  on s > 0.

Why: in units of its input the fitted map is ``rho I`` plus a matrix of rotation-invariant law whose
squared singular values are a free product of ``MP_1`` and an inverse ``MP_g``; symmetrised laws add
freely. With ``z = w - s``, which is small where the support is narrow,

    z^3 + (2-g) s z^2 + [(1-g)(s^2 - rho2) + a g] z + a g s = 0,

one real root and the pair, which come from it without cancellation.

**Edges.** Outside the support w is real, and with ``b = 2 sqrt(a) g / (1-g)``, ``t >= 0``,

    w = [R +- b cosh t] / 2,    R = sqrt(b^2 cosh(t)^2 + 4 rho2),    s = w +- sqrt(a) e^{-t},

with ``+`` above and ``-`` below the support. The edges are the least and the largest of these s.
Their t solve, for ``y = e^{-2t}``, ``B = b cosh t``, two monotone equations,

    above   y = (1-y) (1 + B/R) g / (2 (1-g)),
    below   y [ rho2 + (2+y) a g/(1-g) + (1-g)/g (3 rho2 - 4 rho2^2/(R+B)^2) ] = (rho2-g)/(1-g),

the second of which has a root exactly above the threshold, for ``g < rho2``: else the support
reaches 0.

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
from scipy.optimize import root_scalar

from ornstein.validation import as_positive, as_positive_number

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_SMALLEST, _ROUNDING, _POLISH = 1e-300, 4 * np.finfo(np.float64).eps, 4


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
    density = _many(points, g, rho2) if g <= 1 else _few(points, g, rho2)
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
        c, spare = 1 / g, (g - 1) / g
        half = math.asinh(math.sqrt(c * (2 - c) * (1 - rho2)) / spare)
        return math.exp(-half), math.exp(half)
    return _low(g, rho2), _high(g, rho2)


def _low(g: float, rho2: float) -> float:
    if g >= rho2:
        return 0.0
    a, spare = 1 - rho2, 1 - g
    b = 2 * math.sqrt(a) * g / spare

    def sizes(y: float) -> tuple[float, float]:
        B = b * (1 + y) / (2 * math.sqrt(y))
        return B, math.sqrt(B * B + 4 * rho2)

    def excess(y: float) -> float:
        curved = 3 * rho2 - (2 * rho2 / sum(sizes(y))) ** 2
        return y * (rho2 + (2 + y) * a * g / spare + spare / g * curved) - (rho2 - g) / spare

    y = _root(excess)
    B, R = sizes(y)
    # s = w (2 w + b e^{-t}) / R there: no difference, however small it is.
    w = 2 * rho2 / (B + R)
    return w * (2 * w + b * math.sqrt(y)) / R


def _high(g: float, rho2: float) -> float:
    a, spare = 1 - rho2, 1 - g
    b = 2 * math.sqrt(a) * g / spare

    def sizes(y: float) -> tuple[float, float]:
        B = b * (1 + y) / (2 * math.sqrt(y))
        return B, math.sqrt(B * B + 4 * rho2)

    def excess(y: float) -> float:
        B, R = sizes(y)
        return 2 * spare * y - (1 - y) * (1 + B / R) * g

    y = _root(excess)
    return sum(sizes(y)) / 2 + math.sqrt(a * y)


def _root(excess: Callable[[float], float]) -> float:
    """The one root of an increasing function in (0, 1], however small."""
    bracket = (_SMALLEST, 1.0)
    found = root_scalar(
        excess, bracket=bracket, method="brentq", xtol=_SMALLEST, rtol=_ROUNDING, maxiter=2000
    )
    return float(found.root)


def _many(s: Array, g: float, rho2: float) -> Array:
    if g == 1:
        w = s + 1j * math.sqrt(1 - rho2)  # the pair is z^2 = -a, at every s
        return -2 / math.pi * np.imag(1 / (w - rho2 / w))
    low, high = one_step_support(g, rho2)
    inside = (s >= low) & (s <= high)
    s = np.where(inside, s, 1.0)
    a, rho = 1 - rho2, math.sqrt(rho2)
    # z^3 + e z^2 + p z + q
    e, q = (2 - g) * s, a * g * s
    near = (1 - g) * (s - rho) * (s + rho) + a * g
    p = np.where(s < rho / 2, (g - rho2) + (1 - g) * s**2, near)
    real = _real_root(e, p, q)
    # The pair z^2 + B z + C that is left, by those of Vieta's formulas that lose fewer digits.
    divisor = np.where(real < 0, real, 1.0)
    C = np.where(real < 0, -q / divisor, p)
    B = np.where(-e * real < np.abs(p), e + real, (C - p) / divisor)
    height = C - B**2 / 4
    z = -B / 2 + 1j * np.sqrt(np.maximum(height, 0.0))
    gap = (s - rho) * (s + rho) + z * (2 * s + z)
    fine = inside & (height > 0) & (gap != 0)
    transform = np.divide(s + z, gap, out=np.zeros(np.shape(s), complex), where=fine)
    return np.where(fine, -2 / math.pi * np.imag(transform), 0.0)


def _real_root(e: Array, p: Array, q: Array) -> Array:
    """Real root <= 0 of ``z^3 + e z^2 + p z + q``, ``q >= 0``, where the others are a pair."""
    shift = e / 3
    u, v = p - e * shift, 2 * shift**3 - shift * p + q
    root = np.sqrt(np.maximum((v / 2) ** 2 + (u / 3) ** 3, 0.0))
    larger = np.cbrt(np.where(v > 0, -v / 2 - root, -v / 2 + root))
    other = np.divide(-u / 3, larger, out=np.zeros(e.shape), where=larger != 0)
    z = np.minimum(larger + other - shift, 0.0)
    # Cardano's sum cancels where the root is small: Newton's method gives it all its digits.
    for _ in range(_POLISH):
        slope = p + z * (2 * e + 3 * z)
        value = q + z * (p + z * (e + z))
        z = np.minimum(z - np.divide(value, slope, out=np.zeros(e.shape), where=slope != 0), 0.0)
    return np.where(q > 0, z, 0.0)


def _few(s: Array, g: float, rho2: float) -> Array:
    low, high = one_step_support(g, rho2)
    inside = (s >= low) & (s <= high)
    s = np.where(inside, s, 1.0)
    c, spare = 1 / g, (g - 1) / g
    # In (x - 1)/sqrt(x), whose sign changes with x -> 1/x; f(x) dx = f(s^2) 2 s ds.
    total, gap = s + 1 / s, (s - 1) * (s + 1) / s
    noise = 4 * c * (1 - rho2)
    room = np.maximum((2 - c) * noise - (spare * gap) ** 2, 0.0)
    density = total * np.sqrt(room) / (math.pi * s * (c * gap**2 + noise))
    return np.where(inside, density, 0.0)


def _checked(aspect_ratio: float, signal_fraction: float) -> tuple[float, float]:
    g = as_positive_number(aspect_ratio, "aspect_ratio")
    rho2 = as_positive_number(signal_fraction, "signal_fraction")
    if rho2 >= 1:
        raise ValueError(
            f"signal_fraction is {rho2:g}, expected a number in (0, 1): at 1 there is no noise and "
            "all singular values are 1"
        )
    return g, rho2
