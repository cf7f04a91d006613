"""What is forecast, by name: what theory says of it, and which way is better."""

from __future__ import annotations

__all__ = ["Quantity", "Target", "quantities", "target_value", "TARGETS", "loss_name"]

import math
from typing import TYPE_CHECKING, NamedTuple

from ornstein.forecasting.predictions import (
    NOISES,
    best_loss,
    consistency,
    losses,
    membership_auc,
    most_revealing,
    one_step_wasserstein,
    wasserstein,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ornstein.forecasting.estimate import Estimate
    from ornstein.forecasting.predictions import OneStepProcess


class Quantity(NamedTuple):
    """A value of a model of n points."""

    name: str
    fresh: Callable[[Estimate, int], float]
    """Of n new points of the population."""
    subset: Callable[[Estimate, int], float]
    """Of n of the N points, as subsets of the data are measured."""
    of_rows: bool = False
    """Whether, of few enough points, it is of the N points themselves, and nothing is estimated."""


class Target(NamedTuple):
    """A quantity that a bound can be asked for."""

    meaning: str
    low: float
    high: float
    """Bounds lie between these two, both excluded."""
    falls: bool
    """With n; else it rises."""


TARGETS: Mapping[str, Target] = {
    "w2": Target("W2^2 / total variance of the linear diffusion", 0.0, math.inf, falls=True),
    "one-step-w2": Target("W2^2 / total variance of the one-step model", 0.0, math.inf, falls=True),
    "auc": Target("AUC of membership at the noise that leaks most", 0.5, 1.0, falls=True),
    "consistency": Target("likeness of samples of two models", 0.0, 1.0, falls=False),
    "excess-loss": Target(
        "test loss at noise 0.3 above the least possible, as a share of that", 0.0, math.inf, True
    ),
}
"""What ``--target NAME=BOUND`` may name."""


def loss_name(kind: str, noise: float) -> str:
    """Name of a loss at a noise level.

    Examples
    --------
    >>> loss_name("test", 0.1)
    'test_loss_0.1'
    """
    return f"{kind}_loss_{noise:g}"


def quantities(process: OneStepProcess, attacked: Mapping[int, float]) -> list[Quantity]:
    """All that is predicted at each n, and measured on subsets.

    Parameters
    ----------
    process : OneStepProcess
    attacked : mapping of int to float
        Noise level of the attack at each n.
    """
    found = [
        Quantity("w2", wasserstein, lambda e, n: wasserstein(e, n, of_all=True)),
        Quantity(
            "one_step_w2",
            lambda e, n: one_step_wasserstein(e, n, process),
            lambda e, n: one_step_wasserstein(e, n, process, of_all=True),
        ),
    ]
    for noise in NOISES:
        for place, kind in enumerate(("train", "test")):
            loss = _loss(noise, place)
            found.append(Quantity(loss_name(kind, noise), loss, loss, of_rows=True))
    found.append(Quantity("consistency", consistency, consistency))

    def auc(estimate: Estimate, n: int) -> float:
        return membership_auc(estimate, n, attacked[n])

    return [*found, Quantity("auc", auc, auc)]


def target_value(name: str, process: OneStepProcess) -> Callable[[Estimate, int], float]:
    """The quantity of a target."""

    def excess(estimate: Estimate, n: int) -> float:
        least = best_loss(estimate, NOISES[1])
        return losses(estimate, n, NOISES[1])[1] / least - 1.0

    return {
        "w2": wasserstein,
        "one-step-w2": lambda e, n: one_step_wasserstein(e, n, process),
        "auc": lambda e, n: most_revealing(e, n)[1],
        "consistency": consistency,
        "excess-loss": excess,
    }[name]


def _loss(noise: float, place: int) -> Callable[[Estimate, int], float]:
    return lambda estimate, n: losses(estimate, n, noise)[place]
