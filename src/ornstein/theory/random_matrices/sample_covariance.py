r"""The spectrum of a sample covariance, for any population spectrum.

Data in d dimensions with population covariance eigenvalues ``lambda_k``, r of them non-zero, and
``C = (1/n) sum_i (x_i - m)(x_i - m)^T``, m known. For ``d, n -> infinity`` at fixed ratio, the
eigenvalues of C have, besides an atom at 0 of mass ``1 - min(n, r)/d``, a density f. The
renormalised noise ``kappa(s^2)`` of :mod:`ornstein.theory.linear_denoisers.effective_noise`,
continued to ``s^2 = -z``, is one over the Stieltjes transform of the spectrum of the n inner
products of the points (Silverstein's equation). With ``w = -kappa``, the root in the upper half
plane of

    z(w) = w - (1/n) sum_k lambda_k w / (lambda_k - w) = x + i0,

it is ``f(x) = (n / (pi d)) Im w / |w|^2``.

**On the support as a curve.** For ``w = u + i v``, z is real and ``v > 0`` where

    (1/n) sum_k lambda_k^2 / ((lambda_k - u)^2 + v^2) = 1,                                    (*)

which has one root ``v(u)`` if the sum exceeds 1 at ``v = 0``, and none otherwise; there set
``v = 0``. Then ``x(u) = Re z(u + i v(u))`` increases with u, with slope ``|z'|^2 / Re z'`` inside
the support (z maps the region above the curve conformally onto the upper half plane). Both
equations are monotone, so that every x has its u, and every u its v, found by bracketing: no branch
can be missed, gaps in the support included. The edges are at most ``lambda_k (1 +- sqrt(r/n))``
for some k.

For equal eigenvalues f is the Marchenko-Pastur density.

References
----------
Silverstein, Choi, "Analysis of the limiting spectral distribution of large dimensional random
matrices", 1995; Ledoit, Wolf, "Numerical implementation of the QuEST function", 2017 (the curve).
"""

from __future__ import annotations

__all__ = ["sample_covariance_spectrum", "sample_covariance_atom", "sample_covariance_range"]

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.theory.numerics.monotone_roots import decreasing_root
from ornstein.validation import as_positive, as_positive_number, as_spectrum

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]
    Index = NDArray[np.intp]


def sample_covariance_spectrum(
    x: ArrayLike, eigenvalues: ArrayLike, n_train: ArrayLike
) -> float | Array:
    """Density of the non-zero eigenvalues of a sample covariance, per eigenvalue.

    `x` and `n_train` broadcast like NumPy arrays.

    Parameters
    ----------
    x : array-like
        Where to evaluate it, > 0, in squared data units.
    eigenvalues : array-like of shape (dim,)
        Eigenvalues of the population covariance, >= 0, in squared data units.
    n_train : array-like
        Number of training points n > 0. For a fitted mean give ``n - 1``.

    Returns
    -------
    float or ndarray
        Density f, of mass ``min(n, r)/d`` (`sample_covariance_atom` is the rest), in inverse
        squared data units; 0 outside its support.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    References
    ----------
    Silverstein, Choi, 1995.

    Examples
    --------
    >>> sample_covariance_spectrum([0.5, 1.0, 4.0], np.ones(100), n_train=200)
    array([0.636620, 0.421084 , 0. ])
    >>> sample_covariance_spectrum(1.0, [4.0, 1.0, 1.0, 0.25], n_train=8)
    0.311505
    """
    spectrum = as_spectrum(eigenvalues)
    points, n = np.broadcast_arrays(as_positive(x, "x"), as_positive(n_train, "n_train"))
    values, counts = np.unique(spectrum[spectrum > 0], return_counts=True)
    if values.size == 0:
        zero = np.zeros(points.shape)
        return zero if zero.ndim else 0.0
    weights = counts / n[..., None]
    low, high = _bracket(values, weights)
    unit = float(values[0])

    targets, rows = np.arcsinh(points / unit).ravel(), weights.reshape(-1, values.size)

    def balance(exponential: Array, some: Index) -> tuple[Array, Array]:
        # u = unit * sinh(ln exponential): a logarithmic scale on both sides of 0.
        u = 0.5 * unit * (exponential - 1.0 / exponential)
        place = _curve(u, values, rows[some])
        slope = 0.5 * (exponential + 1.0 / exponential) / np.hypot(1.0, place.x / unit)
        return targets[some] - np.arcsinh(place.x / unit), -place.slope * slope

    bounds = (np.exp(np.arcsinh(edge / unit)) for edge in (low, high))
    found = decreasing_root(balance, *bounds, some=True)
    u = 0.5 * unit * (found - 1.0 / found)
    v2 = _curve(u, values, weights).v2
    density = n / (np.pi * spectrum.size) * np.sqrt(v2) / np.where(v2 > 0, u**2 + v2, 1.0)
    return density if density.ndim else float(density)


def sample_covariance_atom(eigenvalues: ArrayLike, n_train: ArrayLike) -> float | Array:
    """Fraction of the eigenvalues of a sample covariance that are 0, ``1 - min(n, r)/d``.

    Parameters
    ----------
    eigenvalues, n_train
        As for `sample_covariance_spectrum`, which raises the same errors.

    Returns
    -------
    float or ndarray of the shape of `n_train`

    Examples
    --------
    >>> sample_covariance_atom([1.0, 1.0, 1.0, 0.0], n_train=[1, 3, 5])
    array([0.75, 0.25, 0.25])
    """
    spectrum = as_spectrum(eigenvalues)
    rank = np.count_nonzero(spectrum)
    atom = 1.0 - np.minimum(as_positive(n_train, "n_train"), rank) / spectrum.size
    return atom if atom.ndim else float(atom)


def sample_covariance_range(eigenvalues: ArrayLike, n_train: float) -> tuple[float, float]:
    """Lower and upper edge of the support of `sample_covariance_spectrum`; it may have gaps.

    Parameters
    ----------
    eigenvalues : array-like of shape (dim,)
        As for `sample_covariance_spectrum`; at least one > 0.
    n_train : float
        Number of training points n > 0.

    Returns
    -------
    low, high : float
        In squared data units.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    Examples
    --------
    >>> sample_covariance_range(np.ones(100), n_train=400)
    (0.25, 2.25)
    """
    spectrum = as_spectrum(eigenvalues)
    values, counts = np.unique(spectrum[spectrum > 0], return_counts=True)
    if values.size == 0:
        raise ValueError("eigenvalues are all 0, expected at least one > 0")
    weights = counts / as_positive_number(n_train, "n_train")
    return _outer_edges(values, weights)


class _Place(NamedTuple):
    """A point of the curve: ``x(u)``, ``v(u)^2`` and the slope ``dx/du``."""

    x: Array
    v2: Array
    slope: Array


def _curve(u: Array, values: Array, weights: Array) -> _Place:
    gap = values - u[..., None]
    v2 = height_squared(gap, weights * values**2)
    size = gap**2 + v2[..., None]
    inside = v2 > 0
    kept = weights * values / size
    x = u * (1.0 - (kept * gap).sum(-1)) + v2 * kept.sum(-1)
    # By (*), Re z' = 2 v^2 P and Im z' = -2 v Q inside: nothing cancels.
    squared = kept * values
    P, Q = (squared / size).sum(-1), (squared * gap / size).sum(-1)
    slope = np.where(inside, 2.0 * v2 * P + 2.0 * Q**2 / P, 1.0 - squared.sum(-1))
    return _Place(x, v2, slope)


def height_squared(gap: Array, masses: Array) -> Array:
    """``v^2`` of (*), or 0, for ``gap = lambda_k - u`` and ``masses = lambda_k^2 / n``."""
    square = gap**2
    nearest = square.min(-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        total = (masses / square).sum(-1)
        below = np.where(nearest > 0, nearest * (total - 1.0), 0.0)
    inside = total > 1.0
    # No term of the sum may exceed 1, and the whole is above total / (1 + v^2 / nearest).
    lower = np.maximum((masses - square).max(-1), below)
    lower = np.where(inside, np.maximum(lower, 1e-300), 1.0)
    upper = np.where(inside, np.maximum(masses.sum(-1), lower), 1.0)

    rows = square.reshape(-1, square.shape[-1])
    own = np.broadcast_to(masses, square.shape).reshape(rows.shape) if masses.ndim > 1 else None

    def balance(v2: Array, some: Index) -> tuple[Array, Array]:
        size = rows[some] + v2[:, None]
        parts = (masses if own is None else own[some]) / size
        whole = parts.sum(-1)
        return np.log(whole), -v2 * (parts / size).sum(-1) / whole

    return np.where(inside, decreasing_root(balance, lower, upper, some=True), 0.0)


def _bracket(values: Array, weights: Array) -> tuple[Array, Array]:
    """Bounds on u, a little outside the support."""
    reach = 1.01 * np.sqrt(weights.sum(-1))
    low = np.minimum(values[0] * (1.0 - reach), values[-1] * (1.0 - reach))
    return low, values[-1] * (1.0 + reach)


def _outer_edges(values: Array, weights: Array) -> tuple[float, float]:
    masses, reach = weights * values**2, np.sqrt(weights.sum())

    def distance(gap: Array, lower: float, upper: float) -> float:
        """Distance t from the outermost eigenvalue at which ``sum masses / (gap + t)^2 = 1``."""

        def balance(t: Array) -> tuple[Array, Array]:
            parts = masses / (gap + t[..., None]) ** 2
            whole = parts.sum(-1)
            return np.log(whole), -2.0 * t * (parts / (gap + t[..., None])).sum(-1) / whole

        return float(decreasing_root(balance, np.array(lower), np.array(max(lower, upper))))

    above = distance(values[-1] - values, values[-1] * weights[-1] ** 0.5, values[-1] * reach)
    most = values[0] * reach if reach <= 1 else values[0] + values[-1] * (reach - 1.0)
    below = distance(values - values[0], values[0] * weights[0] ** 0.5, most)
    low, high = (
        u * (1.0 - (weights * values / (values - u)).sum())
        for u in (values[0] - below, values[-1] + above)
    )
    return max(float(low), 0.0), float(high)
