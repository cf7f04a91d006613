r"""Membership inference against any denoiser: how well it separates training points from others.

A denoiser ``D(x; s)`` fits its training points more closely than fresh ones. The attack asks it at
the points themselves, or at noised versions of them, and calls a point a member if its residual

    r(x) = |x - D(x; s)|^2        or        mean over z of |x - D(x + s z; s)|^2

is small. With the residuals of m members and n others,

* **AUC** is the share of pairs in which the member's is smaller, ties counting half. Its variance
  is DeLong's: with the share of others that a member is below, and of members that an other is
  above, ``Var = var(shares of members)/m + var(shares of others)/n``; the interval is taken on the
  logit scale, so that it stays between 0 and 1. Where every pair agrees that variance is 0, and the
  interval is Newcombe's, whose variance depends on the AUC alone:

      theta (1 - theta) [1 + ((m + n)/2 - 1) ((1 - theta)/(2 - theta) + theta/(1 + theta))] / (m n).

* **power** at a false-positive rate alpha is the share of members below the largest threshold that
  no more than a share alpha of the others is below; with Wilson's interval for the members, the
  threshold taken as given.

What linear denoisers give is predicted by :func:`ornstein.theory.membership`.

References
----------
Carlini, Chien, Nasr, Song, Terzis, Tramer, "Membership inference attacks from first principles",
arXiv 2112.03570 (power at a low false-positive rate). DeLong, DeLong, Clarke-Pearson, "Comparing
the areas under two or more correlated receiver operating characteristic curves", 1988. Newcombe,
"Confidence intervals for an effect size measure based on the Mann-Whitney statistic. Part 2",
2006, method 5.
"""

from __future__ import annotations

__all__ = ["MembershipAttack", "membership_attack", "residuals", "area_under_curve", "Area"]

import copy
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.optimize import root_scalar
from scipy.special import ndtri

from ornstein.denoisers.empirical import EmpiricalDenoiser
from ornstein.denoisers.linear import LinearDiffusion
from ornstein.intervals import wilson_interval
from ornstein.memorization.rank_sums import pairs_below, shares_below
from ornstein.validation import as_count, as_generator, as_points, as_positive, as_vector

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_Z95 = float(ndtri(0.975))


class Area(NamedTuple):
    """Area under the curve of power against false-positive rate, with its 95% interval."""

    auc: float
    low: float
    high: float


class MembershipAttack(NamedTuple):
    """What `membership_attack` returns: arrays with an entry for each noise level."""

    noise: Array
    """EDM noise ``s`` at which the denoiser was asked, in data units."""
    auc: Array
    """Share of pairs in which the member has the smaller residual."""
    auc_low: Array
    """Lower end of its 95% interval."""
    auc_high: Array
    """Upper end."""
    power: Array
    """Share of members found at the false-positive rate."""
    power_low: Array
    """Lower end of its 95% interval."""
    power_high: Array
    """Upper end."""
    false_positive_rate: Array
    """Share of non-members below the threshold: at most the rate asked for."""
    member_mean: Array
    """Mean residual of members, in squared data units."""
    non_member_mean: Array
    """Mean residual of non-members."""


def membership_attack(
    denoiser: Any,
    members: ArrayLike,
    non_members: ArrayLike,
    noise: ArrayLike,
    *,
    noised: int = 0,
    false_positive_rate: float = 0.01,
    random_state: Any = None,
) -> MembershipAttack:
    """Separate training points from fresh ones by how well a denoiser reproduces them.

    Parameters
    ----------
    denoiser : LinearDiffusion, EmpiricalDenoiser, or callable (points, noise) -> array
        Fitted. A callable is given points of shape (n, dim) and the EDM noise, a float.
    members, non_members : array-like of shape (n_members, dim), (n_non_members, dim)
        Points that it was trained on, and others of the same source; at least 2 of each.
    noise : float or array-like of shape (n_levels,)
        EDM noises ``s > 0``, in data units.
    noised : int, default=0
        Number of noised versions of each point that the denoiser is asked for; 0 asks for the
        point itself.
    false_positive_rate : float
        Where the power is measured, between 0 and 1. Below one over the number of non-members the
        threshold is the smallest residual of a non-member.
    random_state : int, Generator, RandomState or None, default=None
        Draws the noise: members and non-members, and all levels, take theirs in turn.

    Returns
    -------
    MembershipAttack
        Arrays of shape (n_levels,).

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside its range, or shapes disagree.

    Examples
    --------
    >>> from ornstein import Gaussian, LinearDiffusion
    >>> points = Gaussian.isotropic(100).sample(2000, rng=0)
    >>> model = LinearDiffusion().fit(points[:1000])
    >>> found = membership_attack(model, points[:1000], points[1000:], 0.5)
    >>> found.auc.round(2), found.power.round(2)
    (array([0.79]), array([0.07]))
    """
    inside = as_points(members, "members", at_least=2)
    outside = as_points(non_members, "non_members", dim=inside.shape[1], at_least=2)
    levels = as_vector(np.atleast_1d(as_positive(noise, "noise")), "noise")
    if not 0 <= false_positive_rate <= 1:
        raise ValueError(
            f"false_positive_rate is {false_positive_rate:g}, expected a number between 0 and 1"
        )
    rng = as_generator(random_state, "membership attack")
    rows = []
    for level in levels.tolist():
        found = residuals(denoiser, inside, level, noised=noised, random_state=rng)
        others = residuals(denoiser, outside, level, noised=noised, random_state=rng)
        threshold = _threshold(others, false_positive_rate)
        caught = int((found < threshold).sum())
        rows.append(
            (
                level,
                *area_under_curve(found, others),
                caught / found.size,
                *wilson_interval(caught, found.size),
                float((others < threshold).mean()),
                float(found.mean()),
                float(others.mean()),
            )
        )
    return MembershipAttack(*np.array(rows).T)


def residuals(
    denoiser: Any,
    points: ArrayLike,
    noise: float,
    *,
    noised: int = 0,
    random_state: Any = None,
) -> Array:
    """``|x - D(x; s)|^2`` of each point, or its mean over noised versions.

    Parameters
    ----------
    denoiser, noise, noised, random_state
        As for `membership_attack`; `noise` is a number.
    points : array-like of shape (n_points, dim)

    Returns
    -------
    ndarray of shape (n_points,)
        In squared data units.
    """
    clean = as_points(points, "points")
    level = float(as_positive(noise, "noise"))
    denoise = _asked(denoiser, level)
    versions = as_count(noised, "noised", at_least=0)
    if not versions:
        return _squared(clean, denoise(clean))
    rng, total = as_generator(random_state, "membership attack"), np.zeros(len(clean))
    for _ in range(versions):
        total += _squared(clean, denoise(clean + level * rng.standard_normal(clean.shape)))
    return total / versions


def area_under_curve(members: ArrayLike, non_members: ArrayLike) -> Area:
    """Share of pairs in which the member's number is smaller, with its 95% interval.

    Parameters
    ----------
    members, non_members : array-like of shape (n_members,), (n_non_members,)
        Residuals.

    Returns
    -------
    Area
        ``(auc, low, high)``.

    Examples
    --------
    >>> area_under_curve([0.1, 0.4, 0.2], [0.3, 0.9, 0.5, 0.6])
    Area(auc=0.916667, low=0.348442, high=0.995600)
    """
    inside, outside = as_vector(members, "members"), as_vector(non_members, "non_members")
    m, n = inside.size, outside.size
    auc = pairs_below(inside, outside)
    spread = 0.0
    if min(m, n) > 1:
        # Shares of others that a member is below, and of members that an other is below.
        below, under = shares_below(inside, outside), shares_below(outside, inside)
        spread = float(np.sqrt(below.var(ddof=1) / m + under.var(ddof=1) / n))
    if spread == 0 or auc in {0.0, 1.0}:
        return Area(auc, *_newcombe(auc, m, n))
    logit, width = np.log(auc / (1 - auc)), _Z95 * spread / (auc * (1 - auc))
    low, high = 1 / (1 + np.exp(width - logit)), 1 / (1 + np.exp(-width - logit))
    return Area(auc, float(low), float(high))


def _newcombe(auc: float, m: int, n: int) -> tuple[float, float]:
    """Newcombe's interval: all AUC that a normal test with their own variance does not reject."""

    def excess(theta: float) -> float:
        shape = (1 - theta) / (2 - theta) + theta / (1 + theta)
        variance = theta * (1 - theta) * (1 + ((m + n) / 2 - 1) * shape) / (m * n)
        return (auc - theta) ** 2 - _Z95**2 * variance

    low = 0.0 if auc == 0 else _root(excess, 0.0, auc * (1 - 1e-12))
    high = 1.0 if auc == 1 else _root(excess, auc + 1e-12 * (1 - auc), 1.0)
    return low, high


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    return float(root_scalar(function, bracket=(low, high)).root)


def _threshold(non_members: Array, rate: float) -> float:
    """The largest number that no more than a share `rate` of the non-members is below."""
    allowed = int(np.floor(rate * non_members.size * (1 + 1e-12)))
    if allowed >= non_members.size:
        return np.inf
    return float(np.partition(non_members, allowed)[allowed])


def _asked(denoiser: Any, noise: float) -> Callable[[Array], Any]:
    """The denoiser at one noise level, as a function of points."""
    if isinstance(denoiser, LinearDiffusion):
        return lambda points: denoiser.predict(points, noise)
    if isinstance(denoiser, EmpiricalDenoiser):
        # Its points are shared, not copied.
        return copy.copy(denoiser).set_params(noise=noise).predict
    if callable(denoiser):
        return lambda points: denoiser(points, noise)
    raise TypeError(
        f"denoiser is of type {type(denoiser).__name__}, expected LinearDiffusion, "
        "EmpiricalDenoiser or a callable (points, noise) -> array"
    )


def _squared(points: Array, denoised: Any) -> Array:
    answer = np.asarray(denoised, dtype=np.float64)
    if answer.shape != points.shape:
        raise ValueError(
            f"the denoiser answers with shape {answer.shape}, expected {points.shape}: one "
            "denoised point for each"
        )
    if not np.isfinite(answer).all():
        raise ValueError("the denoiser answers with NaN or infinite values, expected finite ones")
    return np.square(points - answer).sum(axis=1)
