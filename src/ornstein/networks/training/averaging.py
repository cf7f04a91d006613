r"""Exponential moving averages of weights (EMA) that forget their start.

After update ``u = 2, 3, ...`` the average moves towards the weights by

    1 - min(decay, u / (9 + u)),

the first update copies them. Without the second term a decay of 0.999 would still remember, after
a few hundred steps, mostly untrained weights.
"""

from __future__ import annotations

__all__ = ["EMA", "averaging_weight"]

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lightning.pytorch.callbacks import WeightAveraging

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lightning.pytorch import LightningModule


def averaging_weight(decay: float, updates: int) -> float:
    """How far the average moves towards the weights at its update number `updates` >= 1.

    Examples
    --------
    >>> [averaging_weight(0.99, u) for u in (1, 2, 91, 10_000)]
    [1.0, 0.818182, 0.09, 0.01]
    """
    return 1.0 if updates == 1 else 1.0 - min(decay, updates / (9.0 + updates))


class EMA(WeightAveraging):
    """Lightning's weight averaging with the warm-up above.

    Validation and the end of training see the average; checkpoints hold both.
    """

    def __init__(self, decay: float) -> None:
        def move(averages: Any, weights: Any, updates_before: Any) -> None:
            step = averaging_weight(decay, int(updates_before) + 1)
            for average, weight in zip(averages, weights, strict=True):
                average.lerp_(weight, step)

        super().__init__(use_buffers=False, multi_avg_fn=move)

    @contextmanager
    def averaged(self, module: LightningModule) -> Iterator[None]:
        """Context in which `module` has the averaged weights."""
        self._swap_models(module)
        try:
            yield
        finally:
            self._swap_models(module)
