r"""Phase diagrams for any spectrum: KL and Hellinger of the one-step model, the membership attack.

============================  ===============================  ==================================
map                           second parameter                 lines drawn on it
============================  ===============================  ==================================
`any_spectrum_kl_map`         time T or noise scale            n = d, n*, collapse
`any_spectrum_hellinger_map`  time T or noise scale            n = d, n*, collapse
`membership_map`              EDM noise s                      n = d, collapse, leaks most
============================  ===============================  ==================================

Lines are those of :mod:`ornstein.theory.phase`. The one-step model noises data with
``s^2 = lambda_ (1 - e^{-2T})``, so that its **n*** is ``sum_k (1 + s^2/lambda_k)`` (none, where
eigenvalues are 0), and its **collapse** at ``n = exp{(1/2) sum_k ln(1 + lambda_k/s^2)}``. **Leaks
most**: the noise of the largest AUC at n, where it is not the smallest that is looked at.

A value of the first two takes 3 ms, and there are no closed forms to vectorise.

References
----------
:mod:`ornstein.theory.one_step_model.anisotropic`, :mod:`ornstein.theory.membership_inference`.
"""

from __future__ import annotations

__all__ = ["any_spectrum_kl_map", "any_spectrum_hellinger_map", "membership_map"]

from typing import TYPE_CHECKING

import numpy as np

from ornstein.theory.membership_inference import Membership, membership
from ornstein.theory.one_step_model.anisotropic import one_step_anisotropic
from ornstein.theory.phase import PhaseMap, lines_inside, second_axis, size_axis
from ornstein.theory.regimes import collapse_time
from ornstein.validation import as_positive, as_spectrum

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    from ornstein.theory.phase import Axis

    Array = NDArray[np.float64]

_LARGEST_LOG = 700.0
_GOLDEN, _ROUNDS = (np.sqrt(5) - 1) / 2, 24


def any_spectrum_kl_map(
    train_sizes: ArrayLike,
    y: ArrayLike,
    eigenvalues: ArrayLike,
    axis: Axis = "time",
    *,
    time: float = 2.0,
    noise_scale: float = 1.0,
) -> PhaseMap:
    """Expected KL of the one-step model to a population of any spectrum, per dimension.

    Parameters
    ----------
    train_sizes : array-like of int, shape (columns,)
        Training sizes n >= 2.
    y : array-like of shape (rows,)
        Values of the parameter named by `axis`.
    eigenvalues : array-like of shape (dim,)
        Of the population covariance, not all 0, in squared data units.
    axis : {"time", "noise_scale"}
        Which of the two varies; what is given for it below does not count.
    time, noise_scale : float
        As for `ornstein.theory.one_step_anisotropic`.

    Returns
    -------
    PhaseMap
        ``values`` in nats per dimension; ``inf`` for ``n - 1`` below the rank or within 1 of d.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> any_spectrum_kl_map([50, 400], [1.0, 2.0], np.ones(100)).values
    array([[     inf, 0.160865],
           [     inf, 0.181081]])
    """
    spectrum = as_spectrum(eigenvalues)
    found = _one_step_map("kl", train_sizes, y, spectrum, axis, time, noise_scale)
    return found._replace(values=found.values / spectrum.size)


def any_spectrum_hellinger_map(
    train_sizes: ArrayLike,
    y: ArrayLike,
    eigenvalues: ArrayLike,
    axis: Axis = "time",
    *,
    time: float = 2.0,
    noise_scale: float = 1.0,
) -> PhaseMap:
    """Expected squared Hellinger distance of the one-step model to a population of any spectrum.

    Parameters
    ----------
    train_sizes, y, eigenvalues, axis, time, noise_scale
        As for `any_spectrum_kl_map`, which raises the same errors.

    Returns
    -------
    PhaseMap
        ``values`` between 0 and 1, and 1 for ``n - 1`` below the rank.

    Examples
    --------
    >>> any_spectrum_hellinger_map([5, 40], [1.0], np.ones(8)).values
    array([[1.      , 0.381574]])
    """
    spectrum = as_spectrum(eigenvalues)
    return _one_step_map("hellinger_squared", train_sizes, y, spectrum, axis, time, noise_scale)


def _one_step_map(
    field: str,
    train_sizes: ArrayLike,
    y: ArrayLike,
    spectrum: Array,
    axis: Axis,
    time: float,
    noise_scale: float,
) -> PhaseMap:
    n, rows = size_axis(train_sizes), second_axis(y)
    if axis not in ("time", "noise_scale"):
        raise ValueError(f"axis is {axis!r}, expected 'time' or 'noise_scale'")
    laws = [
        one_step_anisotropic(
            spectrum,
            n,
            value if axis == "time" else time,
            value if axis == "noise_scale" else noise_scale,
        )
        for value in rows.tolist()
    ]
    T = as_positive(rows if axis == "time" else time, "time")
    scale = as_positive(rows if axis == "noise_scale" else noise_scale, "noise_scale")
    noise = np.broadcast_to(-scale * np.expm1(-2.0 * T), rows.shape)
    resolved = 0.5 * np.log1p(spectrum[:, None] / noise).sum(axis=0)
    lines = {
        "n = d": (np.full(2, float(spectrum.size)), rows[[0, -1]]),
        "n*": (np.array([law.threshold for law in laws]), rows),
        "collapse": (np.exp(np.minimum(resolved, _LARGEST_LOG)), rows),
    }
    values = np.stack([getattr(law, field) for law in laws])
    return PhaseMap(n, rows, values, lines_inside(lines, n, rows))


def membership_map(train_sizes: ArrayLike, noise: ArrayLike, eigenvalues: ArrayLike) -> PhaseMap:
    """AUC of the membership attack on the best linear denoiser of n points.

    Parameters
    ----------
    train_sizes : array-like of shape (columns,)
        Training sizes n >= 1.
    noise : array-like of shape (rows,)
        EDM noise ``s > 0``, in data units.
    eigenvalues : array-like of shape (dim,)
        Of the population covariance, not all 0, in squared data units.

    Returns
    -------
    PhaseMap
        ``values`` between 1/2 and 1.

    Raises
    ------
    TypeError, ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> membership_map([200, 1000], [0.5], np.ones(100)).values
    array([[0.9998913 , 0.78261716]])
    """
    n, s = size_axis(train_sizes, 1), second_axis(noise)
    spectrum = as_spectrum(eigenvalues)
    # Row by row, as the map of losses; in units of standard deviations, as the AUC rounds to 1.
    laws = [membership(spectrum, value**2, n) for value in s.tolist()]
    auc = np.stack([law.auc for law in laws])
    worst = _most_revealing(spectrum, n, s, np.stack([_apart(law) for law in laws]))
    collapse = np.asarray(collapse_time(np.maximum(n, 1.0 + 1e-9), spectrum))
    lines = {
        "n = d": (np.full(2, float(spectrum.size)), s[[0, -1]]),
        "collapse": (n, np.sqrt(np.expm1(2.0 * np.minimum(collapse, 300.0)))),
        "leaks most": (n, worst),
    }
    return PhaseMap(n, s, auc, lines_inside(lines, n, s))


def _apart(law: Membership) -> Array:
    """Means of members and others apart, in standard deviations: what the AUC grows with."""
    return np.asarray(law.log_gap / np.hypot(law.member_log_std, law.non_member_log_std))


def _most_revealing(spectrum: Array, n: Array, s: Array, apart: Array) -> Array:
    """Noise of the largest AUC at each n, by golden sections between rows; NaN at the edges."""
    best = apart.argmax(axis=0)
    inside = (best > 0) & (best < s.size - 1)
    found = np.full(n.size, np.nan)
    if not inside.any():
        return found
    sizes, low, high = n[inside], np.log(s[best[inside] - 1]), np.log(s[best[inside] + 1])
    for _ in range(_ROUNDS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        rising = _apart(membership(spectrum, np.exp(2 * left), sizes)) < _apart(
            membership(spectrum, np.exp(2 * right), sizes)
        )
        low, high = np.where(rising, left, low), np.where(rising, high, right)
    found[inside] = np.exp(0.5 * (low + high))
    return found
