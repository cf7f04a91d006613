r"""Exponential moving averages of weights (EMA) that forget their start.

After update ``u = 2, 3, ...`` the average moves towards the weights by

    1 - min(decay, u / (9 + u)),

the first update copies them. Without the second term a decay of 0.999 would still remember, after
a few hundred steps, mostly untrained weights.
"""

from __future__ import annotations

__all__ = ["averaging_weight", "move_averages"]

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor


def averaging_weight(decay: float, updates: int) -> float:
    """How far the average moves towards the weights at its update number `updates` >= 1.

    Examples
    --------
    >>> [averaging_weight(0.99, u) for u in (1, 2, 91, 10_000)]
    [1.0, 0.818182, 0.09, 0.01]
    """
    return 1.0 if updates == 1 else 1.0 - min(decay, updates / (9.0 + updates))


@torch.no_grad()
def move_averages(
    averages: Iterable[Tensor], weights: Iterable[Tensor], decay: float, updates: int
) -> None:
    """Move averages towards the weights, in place, at their update number `updates` >= 2.

    Entry by entry, so that stacked weights of several networks are averaged as each alone.
    """
    move = averaging_weight(decay, updates)
    for average, weight in zip(averages, weights, strict=True):
        average.lerp_(weight, move)
