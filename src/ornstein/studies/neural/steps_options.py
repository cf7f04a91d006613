"""What a steps study of a trained network computes."""

from __future__ import annotations

__all__ = ["NeuralStepsOptions"]

from dataclasses import dataclass, field
from typing import ClassVar

from ornstein.studies.neural.options import NeuralOptions
from ornstein.studies.steps.options import check_samplers

DEFAULT_TRAINING_STEPS = {"mlp": 2000, "unet": 300}
"""Enough for a W2^2 of the default population that is near that of the linear denoiser."""


@dataclass(frozen=True)
class NeuralStepsOptions(NeuralOptions):
    """A network, and how it is sampled.

    Parameters
    ----------
    samplers : tuple of str
        any of ddpm, ddpm:large, ddim, ddim:ETA (0 to 1), euler, heun
    steps : tuple of int
        numbers of sampling steps S, none above diffusion-steps: start:stop:step (stop included) or
        a comma list
    epochs : int
        passes through the training images, instead of optimiser steps
    training_steps : int
        optimiser steps; by default 2000 for the MLP and 300 for the U-Net
    generated : int
        points of each sampler and S; 0 for three times the dimension

    Other parameters are those of :class:`~ornstein.studies.neural.options.NeuralOptions`, without
    `sampler` and `sampling_steps`.
    """

    train_sizes: tuple[int, ...] = (150,)
    samplers: tuple[str, ...] = ("ddpm", "ddim")
    steps: tuple[int, ...] = (5, 10, 20, 50, 100, 200)
    generated: int = 0
    simulations: int = 3
    sampler: str = field(default="ddpm", init=False)
    sampling_steps: int | None = field(default=None, init=False)
    least_generated: ClassVar[int] = 0

    def __post_init__(self) -> None:
        if self.epochs is None and self.training_steps is None:
            object.__setattr__(self, "training_steps", DEFAULT_TRAINING_STEPS.get(self.model))
        super().__post_init__()
        check_samplers(self)

    @property
    def all_samplers(self) -> tuple[str, ...]:
        """Samplers that are used."""
        return self.samplers

    @property
    def all_steps(self) -> tuple[int, ...]:
        """Numbers of sampling steps."""
        return self.steps
