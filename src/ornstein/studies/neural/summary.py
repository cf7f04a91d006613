"""What the summaries of all studies of trained networks have."""

from __future__ import annotations

__all__ = ["NeuralSummary", "described"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ornstein.engine.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ornstein.studies.neural.options import NeuralOptions
    from ornstein.studies.neural.study import NeuralStudy


@dataclass(frozen=True, kw_only=True)
class NeuralSummary(Summary):
    """What a study of a trained network found; base of the summaries of each kind."""

    options: NeuralOptions
    source: str
    """What the images are drawn from, in words."""
    shape: tuple[int, ...]
    """Of an image, (channels, H, W), or of a vector, (dim,)."""
    dim: int
    std: float
    trained_on: Mapping[int, int]
    """How many of n images the network is trained on, by n."""
    optimiser_steps: Mapping[int, int]
    """Of a training, by n."""


def described(study: NeuralStudy) -> dict[str, Any]:
    """Return the fields of `NeuralSummary` that say what was studied."""
    sizes, options = study.train_sizes, study.options
    return {
        "options": options,
        "source": study.source.describe(),
        "shape": study.shape,
        "dim": study.dim,
        "std": study.std,
        "trained_on": {n: options.trained_on(n) for n in sizes},
        "optimiser_steps": {n: options.total_steps(n) for n in sizes},
    }
