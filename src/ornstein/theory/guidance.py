r"""What classifier-free guidance generates: exact laws for Gaussian classes.

Guidance with strength g runs the probability-flow ODE ``dx/ds = (x - D(x; s)) / s`` from infinite
to zero noise with

    D = (1 + g) D_c - g D_u,

``D_c`` the denoiser of the class that is asked for, ``D_u`` that of all classes pooled; ``g = 0``
is the class, ``g = -1`` the pool.

**Linear denoisers.** Class ``N(delta, Sigma_c)``, pool ``N(0, Sigma_u)``, which commute. In a mode
of variances ``lambda_c`` and ``lambda_u``

    (x - D)/s = s [ (1+g)/(lambda_c + s^2) - g/(lambda_u + s^2) ] x - (1+g) s delta/(lambda_c + s^2)

so that ``Phi(s) = (lambda_c + s^2)^{(1+g)/2} (lambda_u + s^2)^{-g/2}``, which is s at large noise,
solves the homogeneous equation: of the start ``N(0, s^2)`` is left the variance

    Phi(0)^2 = lambda_c (lambda_c / lambda_u)^g.

For ``u = mean - delta`` what remains is ``d(u/Phi)/ds = - g delta s / ((lambda_u + s^2) Phi)``,
and u/Phi vanishes at infinite noise wherever the start is centred. With ``rho = lambda_c/lambda_u``
and ``s^2 = lambda_u e^x``

    u = (g/2) delta rho^{(1+g)/2} int (1 + e^x)^{g/2 - 1} (rho + e^x)^{-(1+g)/2} e^x dx
      = g delta rho F(1 - g/2, 1; 3/2; 1 - rho),

F the hypergeometric function. Computed is the integral, over the real line: its integrand is
positive and analytic for ``|Im x| < pi``, and the trapezoidal rule is exact to rounding. ``g = 2``
gives ``2 rho delta``. Guidance pushes the mean beyond the class mean, by less the narrower the
class, and makes the class narrower still.

**Two classes** ``N(+-m, sigma^2 I)``, equally many; ``D_u`` is their posterior mean, not linear.
Across m all denoisers are the same, and guidance changes nothing. Along m, with ``mu = |m|``,
``v = sigma^2 + s^2`` and y the coordinate,

    dy/ds = (s/v) [ y - mu - g mu (1 - tanh(mu y/v)) ],

and in the standardised coordinate ``xi = (y - mu)/sqrt(v)``, with the separation
``w = mu/sqrt(v)`` for the clock, from 0 to ``mu/sigma``,

    d xi/dw = g [ 1 - tanh(w (w + xi)) ],        xi(0) ~ N(0, 1).

Trajectories of one coordinate do not cross. So the generated law has the density

    p(xi) = phi(xi(0)) / J,      d ln J/dw = - g w / cosh^2(w (w + xi)),      J = d xi / d xi(0),

phi the normal density, along the trajectory that ends at xi. For ``g > 0`` neighbours approach each
other: the law is narrower than the class, and lies beyond it.

References
----------
arXiv 2505.19210; 2502.07849; 2602.00716 (guidance on Gaussian classes). The hypergeometric form of
the mean and the equation in ``w`` are this project's own.
"""

from __future__ import annotations

__all__ = ["GuidedMoments", "guided_moments", "guided_class_moments", "guided_class_density"]

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.integrate import solve_ivp

from ornstein.validation import as_between, as_positive, float_or_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_STEP = 0.2
_TOLERANCE = 1e-10
# Gauss-Legendre panels over the standard normal start: its tails beyond are below 1e-16.
_REACH, _PANELS, _NODES = 8.5, 34, 12
# From here on tanh is 1 to the last digit, for every start within reach.
_SEPARATED = 12.0
_STRONGEST, _FAR = 1e6, 1e150


class GuidedMoments(NamedTuple):
    """What `guided_moments` and `guided_class_moments` return: floats, or arrays."""

    variance: float | Array
    """Of the generated law, in squared data units."""
    mean: float | Array
    """Of the generated law, in data units."""


def guided_moments(
    class_variance: ArrayLike,
    pooled_variance: ArrayLike,
    guidance: ArrayLike,
    class_mean: ArrayLike = 0.0,
) -> GuidedMoments:
    """Variance and mean, mode by mode, of what guided linear denoisers generate.

    Exact from infinite to zero noise. Parameters broadcast like NumPy arrays.

    Parameters
    ----------
    class_variance : array-like
        ``lambda_c >= 0`` of the class, along common eigenvectors, in squared data units.
    pooled_variance : array-like
        ``lambda_u >= 0`` of all classes together, 0 only where that of the class is.
    guidance : array-like
        Strength ``g`` from -1 to 1e6: 0 is the class, -1 the pool. (Elsewhere ``1 + g`` is called
        the guidance scale.)
    class_mean : array-like
        ``delta`` of the class, measured from the mean of all, in data units.

    Returns
    -------
    GuidedMoments
        ``(variance, mean)``, the mean measured from the mean of all.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    References
    ----------
    arXiv 2505.19210; the closed form of the mean: this project.

    Examples
    --------
    >>> guided_moments(0.5, 1.3, guidance=2.0, class_mean=1.0)
    GuidedMoments(variance=0.0739645, mean=1.7692308)
    >>> guided_moments(0.5, 1.3, guidance=[-1.0, 0.0], class_mean=1.0)
    GuidedMoments(variance=array([1.3, 0.5]), mean=array([0., 1.]))
    """
    own = as_positive(class_variance, "class_variance", zero=True)
    pooled = as_positive(pooled_variance, "pooled_variance", zero=True)
    g, delta = _strength(guidance), as_between(class_mean, "class_mean", -_FAR, _FAR)
    own, pooled, g, delta = np.broadcast_arrays(own, pooled, g, delta)
    if ((pooled == 0) & (own > 0)).any():
        raise ValueError(
            "pooled_variance is 0 where class_variance is not: the class is part of all classes"
        )
    # Two points are one mode of no extent: the limit of equal variances.
    rho = np.divide(own, pooled, out=np.ones(own.shape), where=pooled > 0)
    # Where the class has no extent, guidance cannot give it one; g = -1 is the pool.
    with np.errstate(over="ignore", invalid="ignore"):
        variance = np.where(g == -1, pooled, own * np.where(rho > 0, rho, 1.0) ** g)
        mean = delta * (1 + g * _push(rho, np.asarray(g)))
    if not (np.isfinite(variance).all() and np.isfinite(mean).all()):
        raise ValueError(
            "guidance and variances are given for which variance or mean leave the range of "
            "float64, expected less guidance, or variances nearer to each other"
        )
    return GuidedMoments(float_or_array(variance), float_or_array(mean))


def guided_class_moments(
    mean_norm: float, guidance: float, std: float = 1.0, *, sign: int = 1
) -> GuidedMoments:
    """Variance and mean along m of a guided class, one of two Gaussians at +m and -m.

    Parameters
    ----------
    mean_norm : float
        ``|m| >= 0``, in data units.
    guidance : float
        Strength ``g >= 0``; 0 is the class.
    std : float
        Standard deviation ``sigma > 0`` of each class, in data units.
    sign : {1, -1}
        Which of the two classes is asked for.

    Returns
    -------
    GuidedMoments
        ``(variance, mean)``. Across m the law is that of the class.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    References
    ----------
    This project.

    Examples
    --------
    >>> guided_class_moments(1.0, guidance=0.0, std=0.5)
    GuidedMoments(variance=0.25, mean=1.0)
    >>> guided_class_moments(1.0, guidance=2.0, std=0.5)
    GuidedMoments(variance=0.0995099, mean=1.5248717)
    """
    mu, sigma, g = _classes(mean_norm, std, guidance, sign)
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    half = _REACH / _PANELS
    centres = np.linspace(-_REACH + half, _REACH - half, _PANELS)[:, None]
    z = (centres + half * nodes).ravel()
    weight = np.tile(half * weights, _PANELS) * np.exp(-0.5 * z**2) / np.sqrt(2 * np.pi)
    xi = _flow(z, 0.0, mu / sigma, g)[0] if mu > 0 else z
    mean = float(weight @ xi)
    variance = float(weight @ np.square(xi - mean))
    return GuidedMoments(sigma**2 * variance, sign * (mu + sigma * mean))


def guided_class_density(
    position: ArrayLike, mean_norm: float, guidance: float, std: float = 1.0, *, sign: int = 1
) -> Any:
    """Density along m of a guided class, one of two Gaussians at +m and -m.

    Parameters
    ----------
    position : array-like
        Coordinate along m, in data units.
    mean_norm, guidance, std, sign
        As for `guided_class_moments`, which raises the same errors.

    Returns
    -------
    float or ndarray of the shape of `position`
        Per data unit.

    References
    ----------
    This project.

    Examples
    --------
    >>> guided_class_density([0.0, 1.0, 2.0], mean_norm=1.0, guidance=2.0, std=0.5)
    array([0.000, 0.285, 0.369])
    """
    mu, sigma, g = _classes(mean_norm, std, guidance, sign)
    y = as_between(position, "position", -_FAR, _FAR)
    xi = (sign * np.atleast_1d(y).ravel() - mu) / sigma
    z, log_jacobian = _flow(xi, mu / sigma, 0.0, g) if mu > 0 else (xi, np.zeros(xi.shape))
    # Backwards, ln J counts what the trajectory loses on its way to 0.
    density = np.exp(log_jacobian - 0.5 * z**2) / (np.sqrt(2 * np.pi) * sigma)
    return float_or_array(density.reshape(y.shape))


def _flow(xi: Array, start: float, stop: float, g: float) -> tuple[Array, Array]:
    """Carry points from one separation w to another; also the logarithm of their spreading."""
    start, stop = min(start, _SEPARATED), min(stop, _SEPARATED)
    size = xi.size

    def slope(w: float, state: Array) -> Array:
        angle = w * (w + state[:size])
        rest = 2.0 / (1.0 + np.exp(2.0 * np.clip(angle, -300.0, 300.0)))  # 1 - tanh
        return np.concatenate([g * rest, -g * w * rest * (2.0 - rest)])

    found = solve_ivp(
        slope,
        (start, stop),
        np.concatenate([xi, np.zeros(size)]),
        method="DOP853",
        rtol=_TOLERANCE,
        atol=_TOLERANCE,
    )
    return found.y[:size, -1], found.y[size:, -1]


def _push(rho: Array, g: Array) -> Array:
    """``(mean - delta) / (g delta)``."""
    positive = rho > 0
    log_rho = np.log(np.where(positive, rho, 1.0))[..., None]
    x = np.arange(min(log_rho.min(), 0.0) - 45.0, max(log_rho.max(), 0.0) + 90.0, _STEP)
    power = (1 + g[..., None]) / 2
    logs = (power - 1.5) * np.logaddexp(0.0, x) + power * (log_rho - np.logaddexp(log_rho, x)) + x
    found = 0.5 * _STEP * np.exp(logs).sum(axis=-1)
    # A class without extent is generated where it is; of the pool nothing is.
    return np.where(positive, found, np.where(g == -1, 1.0, 0.0))


def _strength(guidance: ArrayLike) -> Array:
    return as_between(guidance, "guidance", -1.0, _STRONGEST)


def _classes(
    mean_norm: float, std: float, guidance: float, sign: int
) -> tuple[float, float, float]:
    if sign not in {1, -1}:
        raise ValueError(f"sign is {sign!r}, expected 1 or -1")
    mu = float(as_positive(mean_norm, "mean_norm", zero=True))
    return mu, float(as_positive(std, "std")), float(as_positive(guidance, "guidance", zero=True))
