r"""The mean log-determinant of the one-step generated covariance, and how it behaves.

:func:`one_step_log_det` is exact, by
:mod:`~ornstein.theory.one_step_model.exact_log_determinant`. What follows is its expansion for
large d, which says what the number is made of; variances and affinities need the pieces.

In units of ``sigma sqrt(v)`` the fitted map is ``A = X Y^+``, the columns of ``X`` and ``Y``
(``dim x nu``, ``nu = n_train - 1``) being independent standard Gaussian pairs of correlation
``rho``. With ``a = 1 - rho2``, ``W = Y Y^T`` and ``G`` a square matrix of standard normals,

    Sigma_G / sigma^2 = A A^T,      A W^{1/2} = rho W^{1/2} + sqrt(a) G   (in law).

``X`` and ``Y`` have one law, so ``E ln det A A^T = E sum_k ln r_k^2``: the sample canonical
correlations of ``X`` and ``Y``. For ``g = d / nu <= 1`` and ``tau = (a / rho2) d / (nu - d - 1)``,

    g < rho2 (n > n*):  d ln rho2 + ln(1 - tau) + ...
    g > rho2 (n < n*):  d [ln g - 1 - (1/g - 1) ln a] - E ln det(W / nu) + C - (1/2) ln d + ...
                        = d [ln g + (1/g - 1) ln((1 - g) / a)] + O(ln d),
    C = (1 - gamma - ln 2) / 2 = -0.1352.

Why: given ``W``, the real Gaussian ``G`` adds to the leading order one half of the logarithm of a
stability factor, ``ln(1 - tau)`` outside the threshold. Inside, singular values reach 0, where
their statistics are those of a square ``G``: matching the densities at 0 leaves ``C - ln(d)/2``,
the constant of ``E ln det G G^T``, and the rest cancels with the O(1) term of the Wishart
law. The two meet in a window ``|n - n*| ~ n* / sqrt(d)`` of the variable ``delta``, the distance
to the threshold, where the potential of the real Ginibre eigenvalues at their edge gives

    c = ln tau - ln(d (1 - g)) / 2 + h(delta),   delta = sqrt(d (1-g)) (1 - tau) / tau    (n > n*)
    c =        - ln(d) / 2         + h(delta),   delta = sqrt(d (1 - rho2^2/g)) (1 - tau) (n < n*)
    h(delta) = F(xi) + Y(xi) - (gamma + ln 2)/2 - 2 xi^2 [xi < 0],            xi = delta / 2
    F = 2 int_xi^inf (s - xi) erfc(sqrt2 s) ds,
    Y' = int_{-inf}^xi e^{s^2 - xi^2} erfc(-sqrt2 s) ds

(``Y'' + 2 xi Y' = erfc(-sqrt2 xi)``), with ``h -> C`` inside and
``h = ln delta - delta^-2 - 3 delta^-4 - 20 delta^-6 - ...`` outside. The error left is
``O(d^{-1/2})`` in the window and ``O(1/d)`` away from it; for few more points than dimensions,
``nu - d`` of order 1, it is up to 0.5 nats whatever d.

References
----------
This project, except: the stability factor for scalar ``W``, Cipolloni, Erdos, Schroder,
"Fluctuation around the circular law for random matrices with real entries", arXiv 2002.02438; the
density of real Ginibre eigenvalues behind ``h``, Edelman, "The probability that a random real
Gaussian matrix has k real eigenvalues", 1997.
"""

from __future__ import annotations

__all__ = [
    "GINIBRE_CONSTANT",
    "one_step_log_det",
    "threshold_correction",
    "threshold_distance",
    "threshold_function",
]

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import erf, erfc, erfcx

from ornstein.theory.one_step_model.exact_log_determinant import exact_log_det
from ornstein.validation import as_counts, as_positive, float_or_array

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

#: ``C``: ``E ln det G G^T - d (ln d - 1) + ln(d)/2 -> C`` for a square standard normal matrix.
GINIBRE_CONSTANT = (1 - np.euler_gamma - np.log(2.0)) / 2

_FAR = 12.0  # beyond, the series of h in 1/delta^2 is good to 1e-6
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(60)


def threshold_function(distance: ArrayLike) -> Any:
    """The universal function ``h`` that joins the two sides of the threshold.

    Parameters
    ----------
    distance : array-like
        ``delta``, in units of the width of the window; negative below ``n*``.

    Returns
    -------
    float or ndarray
        ``h(delta)``, in nats: ``C`` far below, ``ln delta`` far above.

    Examples
    --------
    >>> threshold_function(-30.0), threshold_function(0.0)
    (-0.135181, -0.211894)
    """
    delta = np.asarray(distance, dtype=np.float64)
    xi = np.clip(delta, -_FAR, _FAR) / 2
    # The integrand of Y, cut at e^{-25}; the two signs of s are scaled apart against overflow.
    upper = np.maximum(xi, -4.9)[..., None]
    s = -5.0 + (upper + 5.0) * (_NODES + 1) / 2
    size = np.abs(s)
    left = np.exp(-(size**2)) * erfcx(np.sqrt(2) * size) * (erf(upper) - erf(s))
    decay = np.exp(np.minimum(s**2 - upper**2, 0.0))
    right = erfc(-np.sqrt(2) * s) * (erfcx(size) - decay * erfcx(np.maximum(upper, 0.0)))
    integral = np.where(s > 0, right, left) @ _WEIGHTS * (xi.clip(-4.9) + 5.0) / 2
    edge = (xi**2 + 0.25) * erfc(np.sqrt(2) * xi) - xi * np.exp(-2 * xi**2) / np.sqrt(2 * np.pi)
    near = np.sqrt(np.pi) / 2 * integral + edge - 2 * np.minimum(xi, 0.0) ** 2
    near -= (np.euler_gamma + np.log(2.0)) / 2
    outer = np.maximum(delta, _FAR)
    return float_or_array(np.where(delta > _FAR, np.log(outer) + _tail((1 / outer) ** 2), near))


def _tail(inverse_square: Array) -> Array:
    """Compute h(delta) - ln delta for large delta, from delta^-2."""
    return -inverse_square * (1 + 3 * inverse_square + 20 * inverse_square**2)


def threshold_distance(dim: ArrayLike, n_train: ArrayLike, signal_fraction: ArrayLike) -> Any:
    """Distance ``delta`` to the threshold ``n*``, in widths of the window around it.

    Parameters
    ----------
    dim, n_train, signal_fraction : array-like
        ``d``, ``n`` and ``rho2``; they broadcast.

    Returns
    -------
    float or ndarray
        Positive above ``n*``, ``inf`` when there is no noise, ``-inf`` for ``n - 1 <= d + 1``.

    Examples
    --------
    >>> threshold_distance(100, [150, 400], 0.504621)
    array([-8.233605, 17.621414])
    """
    d, nu, rho2 = _as_floats(dim, n_train, signal_fraction)
    tau, room = _tau(d, nu, rho2)
    g = d / nu
    below = np.sqrt(d * np.maximum(1 - rho2**2 / np.maximum(g, rho2), 0.0))
    above = np.sqrt(d * np.maximum(1 - g, 0.0))
    finite = np.where(room > 0, tau, 2.0)
    outside = np.where(finite > 0, (1 - finite) / np.where(finite > 0, finite, 1.0), np.inf)
    delta = np.where(g < rho2, above * np.where(finite < 1, outside, 1 - finite), 0.0)
    delta = np.where(g < rho2, delta, below * (1 - finite))
    return float_or_array(np.where(rho2 == 1, np.inf, np.where(room > 0, delta, -np.inf)))


def threshold_correction(dim: ArrayLike, n_train: ArrayLike, signal_fraction: ArrayLike) -> Any:
    """The term ``c`` that the Gaussian ``G`` adds to ``E ln det``; its variance is near ``-4 c``.

    Parameters
    ----------
    dim, n_train, signal_fraction : array-like
        ``d``, ``n >= d + 1`` and ``rho2``; they broadcast.

    Returns
    -------
    float or ndarray
        Nats: ``ln(1 - tau)`` far above ``n*``, of the order of ``-ln(d) / 2`` below it.

    Examples
    --------
    >>> threshold_correction(100, [150, 400], 0.504621)
    array([-2.199..., -0.403...])
    """
    d, nu, rho2 = _as_floats(dim, n_train, signal_fraction)
    g = d / nu
    ratio, room = _tau(d, nu, rho2)
    tau = np.where(room > 0, np.minimum(ratio, 1.0), 1.0)
    delta = np.asarray(threshold_distance(d, nu + 1, rho2))
    h = threshold_function(delta)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = h - np.log(d * (1 - rho2**2 / np.maximum(g, rho2))) / 2
        near = h - np.log(d * (1 - g)) / 2 + np.log(tau)
        far = np.log1p(-tau) + _tail((1 / delta) ** 2)
    outside = np.where(delta > _FAR, far, near)
    return float_or_array(np.where(rho2 == 1, 0.0, np.where(g < rho2, outside, inside)))


def one_step_log_det(dim: ArrayLike, n_train: ArrayLike, signal_fraction: ArrayLike) -> Any:
    """Mean of ``ln det(Sigma_G / sigma^2)`` over training sets, at the population's ``v``.

    Parameters
    ----------
    dim : array-like of int
        ``d``, at least 1.
    n_train : array-like of int
        ``n``, at least 2. All parameters broadcast.
    signal_fraction : array-like
        ``rho2``, in (0, 1].

    Returns
    -------
    float or ndarray
        In total nats; ``-inf`` when ``n - 1 < d`` (no full rank).

    Raises
    ------
    TypeError
        If dim or n_train is no whole number.
    ValueError
        If a parameter is out of its range.

    Notes
    -----
    At every size, by :mod:`~ornstein.theory.one_step_model.exact_log_determinant`: for
    ``n = d + 1`` it is 0, whatever the noise. That the model takes the variance of its training
    points for ``v`` is not counted; it adds ``-1/n`` nats.

    Examples
    --------
    >>> one_step_log_det(100, [50, 150, 400], 0.504621)
    array([       -inf, -61.836..., -68.797...])
    """
    d, n = as_counts(dim, "dim"), as_counts(n_train, "n_train", at_least=2)
    rho2 = as_signal_fraction(signal_fraction)
    d, n, rho2 = np.broadcast_arrays(d, n, rho2)
    return float_or_array(mean_log_det(d, n, rho2, 1.0 - rho2))


def mean_log_det(d: Array, n: Array, signal: Array, noise: Array) -> Array:
    """`one_step_log_det` of arrays of one shape, ``noise = 1 - signal`` with digits of its own."""
    values = np.full(d.shape, -np.inf)
    sizes = np.stack([np.ravel(d), np.ravel(n) - 1.0 - np.ravel(d)], axis=-1)
    pairs, which = np.unique(sizes, axis=0, return_inverse=True)
    for index, (dim, excess) in enumerate(pairs):
        if excess >= 0:
            members = (which.ravel() == index).reshape(d.shape)
            values[members] = exact_log_det(dim, excess, signal[members], noise[members])
    return values


def as_signal_fraction(signal_fraction: ArrayLike) -> Array:
    """Return ``rho2``, numbers in (0, 1].

    Raises
    ------
    TypeError
        If it holds no real numbers.
    ValueError
        If any is out of the range.
    """
    rho2 = as_positive(signal_fraction, "signal_fraction")
    if (rho2 > 1).any():
        raise ValueError(f"signal_fraction is {rho2.max():g}, expected a number in (0, 1]")
    return rho2


def _as_floats(dim: ArrayLike, n_train: ArrayLike, signal: ArrayLike) -> tuple[Array, Array, Array]:
    d, n, rho2 = np.broadcast_arrays(*(np.asarray(v, float) for v in (dim, n_train, signal)))
    return d, n - 1, rho2


def _tau(d: Array, nu: Array, rho2: Array) -> tuple[Array, Array]:
    """Return tau (0 where it is infinite) and the room nu - d - 1 it divides by."""
    room = np.maximum(nu - d - 1, 0.0)
    share = np.divide(d, room, out=np.zeros(d.shape), where=room > 0)
    return np.minimum((1 - rho2) / rho2, 1e290) * share, room
