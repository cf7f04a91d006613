"""How to train: one frozen dataclass, made at the edge and passed down."""

from __future__ import annotations

__all__ = ["TrainingConfig"]

import math
from dataclasses import dataclass
from typing import Literal

from ornstein.networks.renaming import CONFIG_NAMES, renamed, renamed_property
from ornstein.validation import as_count, as_positive


@dataclass(frozen=True)
class TrainingConfig:
    """How to train.

    Parameters
    ----------
    epochs : int
        Passes through the training images.
    training_steps : int or None
        How many optimiser steps, instead of `epochs`.
    batch_size : int
        Images per optimiser step; with fewer images, all of them.
    learning_rate : float
        Of Adam.
    train_fraction : float
        Part of the images to train on; the rest is for validation.
    ema_decay : float
        Of the average of weights that is the result; 0 for the last weights themselves.
    gradient_clip : float or None
        Largest norm of the gradient.
    precision : {"32-true", "bf16-mixed", "16-mixed"}
        Of the arithmetic; weights stay float32.
    accelerator : {"auto", "cpu", "gpu", "cuda"}
        Where; with "auto" on a GPU (of Nvidia or AMD) if there is one.
    validate_every : int
        Epochs between two validations (and sample grids).
    checkpoint_seconds : float
        Least time between two checkpoints.
    seed : int
        Of the split, the order, the diffusion steps, the noise, and of what a network draws by
        itself (dropout). Initial weights are the caller's:
        :func:`~ornstein.networks.randomness.seeded`.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range.
    """

    epochs: int = 10
    training_steps: int | None = None
    batch_size: int = 128
    learning_rate: float = 2e-4
    train_fraction: float = 0.9
    ema_decay: float = 0.0
    gradient_clip: float | None = None
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    accelerator: str = "auto"
    validate_every: int = 1
    checkpoint_seconds: float = 60.0
    seed: int = 0

    def __post_init__(self) -> None:
        as_count(self.epochs, "epochs")
        if self.training_steps is not None:
            as_count(self.training_steps, "training_steps")
        as_count(self.batch_size, "batch_size")
        as_positive(self.learning_rate, "learning_rate")
        if not 0 <= self.ema_decay < 1:
            raise ValueError(
                f"ema_decay is {self.ema_decay:g}, expected a number in [0, 1); 0 for no average"
            )
        if self.gradient_clip is not None:
            as_positive(self.gradient_clip, "gradient_clip")
        if self.precision not in {"32-true", "bf16-mixed", "16-mixed"}:
            raise ValueError(
                f"precision is {self.precision!r}, expected '32-true', 'bf16-mixed' or '16-mixed'"
            )
        if self.accelerator not in {"auto", "cpu", "gpu", "cuda"}:
            raise ValueError(
                f"accelerator is {self.accelerator!r}, expected 'auto', 'cpu', 'gpu' or 'cuda'"
            )
        as_count(self.validate_every, "validate_every")
        as_positive(self.checkpoint_seconds, "checkpoint_seconds", zero=True)
        as_count(self.seed, "seed", at_least=0)

    def epoch_length(self, n_train: int) -> int:
        """Optimiser steps of one pass through `n_train` training images."""
        return math.ceil(n_train / self.batch_size)

    def total_steps(self, n_train: int) -> int:
        """Optimiser steps for `n_train` training images."""
        if self.training_steps is not None:
            return self.training_steps
        return self.epochs * self.epoch_length(n_train)


# After the decorator of dataclasses, which writes __init__ and would take a property for a field.
TrainingConfig.__init__ = renamed(**CONFIG_NAMES)(TrainingConfig.__init__)
TrainingConfig.max_steps = renamed_property("max_steps", "training_steps")  # type: ignore[attr-defined]
