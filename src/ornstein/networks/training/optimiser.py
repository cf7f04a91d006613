r"""What an optimiser step does with a gradient g: clip it by its norm, then Adam.

    g <- g min(1, c / (|g| + 1e-6)),

with the norm over all parameters of a network. K networks whose parameters are stacked along a
first axis have K norms. Adam works entry by entry, and does not see how many networks there are.
"""

from __future__ import annotations

__all__ = ["adam", "clip_gradients"]

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from ornstein.networks.training.config import TrainingConfig


def adam(parameters: Iterable[Tensor], config: TrainingConfig) -> torch.optim.Adam:
    """Adam with its usual moments, in one kernel where gradients are not scaled for float16."""
    fused = config.precision != "16-mixed"
    return torch.optim.Adam(list(parameters), lr=config.learning_rate, fused=fused)


@torch.no_grad()
def clip_gradients(parameters: Iterable[Tensor], largest: float, *, stacked: bool = False) -> None:
    """Scale gradients in place to a norm of at most `largest`.

    Parameters
    ----------
    parameters : iterable of Tensor
        Those without a gradient are left alone.
    largest : float
        Norm c > 0.
    stacked : bool
        Whether the first axis of every parameter counts networks, each with a norm of its own.
    """
    gradients = [p.grad for p in parameters if p.grad is not None]
    networks = slice(0, 1 if stacked else 0)
    norms = [torch.linalg.vector_norm(g.reshape(*g.shape[networks], -1), dim=-1) for g in gradients]
    norm = torch.linalg.vector_norm(torch.stack(norms), dim=0)
    factor = (largest / (norm + 1e-6)).clamp(max=1.0)
    for gradient in gradients:
        gradient.mul_(factor.view((*factor.shape, *(1,) * (gradient.ndim - factor.ndim))))
