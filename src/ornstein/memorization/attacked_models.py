"""Denoisers side by side under the membership attack: linear, memorizing, or any other.

All are fitted on one training set and attacked with the same fresh points
(:mod:`ornstein.memorization.membership`). What the theory says of linear denoisers
(:func:`ornstein.theory.membership`) is the reference: a denoiser that leaks more has memorized more
than a mean and a covariance.
"""

from __future__ import annotations

__all__ = ["attack_models", "fit_linear", "fit_empirical"]

from typing import TYPE_CHECKING, Any

from ornstein.denoisers.empirical import EmpiricalDenoiser
from ornstein.denoisers.linear import LinearDiffusion
from ornstein.memorization.membership import membership_attack
from ornstein.validation import as_count, as_generator

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import ArrayLike, NDArray

    from ornstein.gaussians import Gaussian
    from ornstein.memorization.membership import MembershipAttack


def attack_models(
    fits: Mapping[str, Callable[[NDArray[Any]], Any]],
    population: Gaussian,
    n_train: int,
    noise: ArrayLike,
    *,
    held_out: int = 2000,
    false_positive_rate: float = 0.01,
    random_state: Any = None,
) -> dict[str, MembershipAttack]:
    """Fit denoisers on n points of a population and attack each of them.

    Parameters
    ----------
    fits : mapping of str to callable
        By name: takes training points of shape (n_train, dim) and returns a denoiser, as
        `membership_attack` takes it.
    population : Gaussian
    n_train : int
        Number of training points, at least 2.
    noise : array-like of shape (n_levels,)
        EDM noises ``s > 0``, in data units.
    held_out : int
        Number of fresh points, at least 2.
    false_positive_rate : float
        Where the power is measured.
    random_state : int, Generator, RandomState or None
        Draws the points: the same for every denoiser.

    Returns
    -------
    dict of str to MembershipAttack
        In the order of `fits`.

    Raises
    ------
    ValueError, TypeError
        If a parameter is outside its range.

    See Also
    --------
    ornstein.theory.membership : What linear denoisers give.

    Examples
    --------
    >>> from ornstein import Gaussian
    >>> fits = {"linear": fit_linear, "empirical": fit_empirical}
    >>> found = attack_models(fits, Gaussian.isotropic(20), 100, 0.5, random_state=0)
    >>> {name: round(float(attack.auc[0]), 2) for name, attack in found.items()}
    {'linear': 0.7, 'empirical': 1.0}
    """
    rng = as_generator(random_state, "attack_models")
    members = population.sample(as_count(n_train, "n_train", at_least=2), rng)
    others = population.sample(as_count(held_out, "held_out", at_least=2), rng)
    return {
        name: membership_attack(
            fit(members), members, others, noise, false_positive_rate=false_positive_rate
        )
        for name, fit in fits.items()
    }


def fit_linear(points: NDArray[Any]) -> LinearDiffusion:
    """The best linear denoisers of the points."""
    return LinearDiffusion().fit(points)


def fit_empirical(points: NDArray[Any]) -> EmpiricalDenoiser:
    """The posterior mean over the points."""
    return EmpiricalDenoiser().fit(points)
