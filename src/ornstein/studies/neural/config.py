"""A learned model in a study: what it is (LearnedConfig), and how it is computed (Execution)."""

from __future__ import annotations

__all__ = ["LearnedConfig", "Execution"]

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import BetaSchedule
from ornstein.engine.study import check_plan
from ornstein.validation import as_count, as_positive

if TYPE_CHECKING:
    from pathlib import Path

    from ornstein.networks.training.config import TrainingConfig

_KNOWN = {
    "model": ("unet", "mlp"),
    "start": ("standard", "marginal", "population"),
    "prediction": ("epsilon", "sample", "v"),
}


@dataclass(frozen=True)
class LearnedConfig:
    """A learned model, its data, and how often to train it.

    Parameters
    ----------
    train_sizes : tuple of int
        Training sizes ``n`` >= 2, validation images included.
    pixels : int or None
        Pixels per side; with a population 8 when left out, with data their own.
    mean, std : tuple of float
        One entry per mixture component, the same for all pixels.
    weights : tuple of float or None
        Mixture weights; equal when left out.
    data : str or None
        A name or path for :func:`~ornstein.data.images.load_shaped`, instead of a population.
    model : {"unet", "mlp"}
        Network.
    width : float or None
        U-Net: factor of its channels, 1 when left out. MLP: hidden units, 128 when left out.
    epochs : int
        Passes through the training images.
    training_steps : int or None
        Optimiser steps, instead of `epochs`.
    batch_size, learning_rate, ema_decay, gradient_clip, precision, train_fraction
        Of :class:`~ornstein.networks.TrainingConfig`.
    diffusion_steps : int
        Steps T of the process.
    prediction : {"epsilon", "sample", "v"}
        What the network predicts.
    sampler : str
        As :func:`~ornstein.diffusion.samplers.as_sampler` reads it.
    sampling_steps : int or None
        Of the T, as many when left out.
    start : {"standard", "marginal", "population"}
        Where sampling starts: from N(0, I), from a Gaussian with the moments of the noised training
        images, or from noised fresh points of the population. See
        :mod:`ornstein.networks.starts`.
    generated : int
        Points to generate.
    originals : int
        Number of originals ``N``; with data the most of them, see
        :mod:`ornstein.studies.neural.study`.
    simulations : int
        Replicates of each training size.
    seed : int
        Seed of the study.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range, or options contradict each other.
    """

    train_sizes: tuple[int, ...]
    pixels: int | None = None
    mean: tuple[float, ...] = (0.5,)
    std: tuple[float, ...] = (0.1,)
    weights: tuple[float, ...] | None = None
    data: str | None = None
    model: Literal["unet", "mlp"] = "unet"
    width: float | None = None
    epochs: int = 10
    training_steps: int | None = None
    batch_size: int = 128
    learning_rate: float = 2e-4
    ema_decay: float = 0.0
    gradient_clip: float | None = None
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true"
    train_fraction: float = 0.9
    diffusion_steps: int = 200
    prediction: Literal["epsilon", "sample", "v"] = "epsilon"
    sampler: str = "ddpm"
    sampling_steps: int | None = None
    start: Literal["standard", "marginal", "population"] = "standard"
    generated: int = 10
    originals: int = 10_000
    simulations: int = 10
    seed: int = 0

    def __post_init__(self) -> None:
        check_plan(self)
        for name, known in _KNOWN.items():
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}, expected one of {', '.join(known)}"
                )
        if self.start == "population" and self.data is not None:
            raise ValueError(
                "start is 'population', and of data no population is known: expected 'standard' or "
                "'marginal'"
            )
        if not 0 < self.train_fraction <= 1:
            raise ValueError(
                f"train_fraction is {self.train_fraction:g}, expected a number in (0, 1]"
            )
        as_count(self.diffusion_steps, "diffusion_steps", at_least=2)
        as_count(self.generated, "generated")
        as_sampler(self.sampler)
        self.schedule.levels(self.chosen_steps)
        if self.width is not None:
            as_positive(self.width, "width")
            if self.model == "mlp" and (self.width % 2 or self.width < 2):
                raise ValueError(
                    f"width is {self.width:g}, expected an even number of hidden units for the MLP"
                )
        self.training(0)

    @property
    def schedule(self) -> BetaSchedule:
        """Noise levels of the process."""
        return BetaSchedule("linear", self.diffusion_steps)

    @property
    def chosen_steps(self) -> int:
        """Sampling steps."""
        return self.diffusion_steps if self.sampling_steps is None else self.sampling_steps

    def seen(self, train_size: int) -> int:
        """How many of `train_size` images the network is trained on."""
        # 1e-9: 0.9 * 50 may be a hair below 45.
        return max(1, int(self.train_fraction * train_size + 1e-9))

    def total_steps(self, train_size: int) -> int:
        """Optimiser steps of a training."""
        if self.training_steps is not None:
            return self.training_steps
        return self.epochs * math.ceil(self.seen(train_size) / self.batch_size)

    def training(self, seed: int, accelerator: str = "cpu") -> TrainingConfig:
        """The part that is about training."""
        from ornstein.networks.training.config import TrainingConfig

        return TrainingConfig(
            epochs=self.epochs,
            max_steps=self.training_steps,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            train_fraction=self.train_fraction,
            ema_decay=self.ema_decay,
            gradient_clip=self.gradient_clip,
            precision=self.precision,
            accelerator=accelerator,
            seed=seed,
        )


@dataclass(frozen=True)
class Execution:
    """How to run, which decides no value but for rounding.

    Parameters
    ----------
    folder : Path or None
        Study folder, for logs, samples and the checkpoints of long trainings; none without it.
    threads : int
        Threads of PyTorch per cell.
    accelerator : {"cpu", "gpu"}
    replicate_batch : int
        Replicates of one size that are trained at once.
    tensorboard : Path or None
        Folder for TensorBoard, one subfolder per cell.
    progress : bool or None
        Show the progress of each training on stderr; None: if that is a terminal.
    checkpoint_after : float
        Expected seconds of training from which it leaves checkpoints, and seconds between them.
    """

    folder: Path | None = None
    threads: int = 1
    accelerator: Literal["cpu", "gpu"] = "cpu"
    replicate_batch: int = 1
    tensorboard: Path | None = None
    progress: bool | None = False
    checkpoint_after: float = 60.0

    def __post_init__(self) -> None:
        as_count(self.threads, "threads")
        as_count(self.replicate_batch, "replicate_batch")
        if self.tensorboard is not None and self.replicate_batch > 1:
            raise ValueError(
                f"replicate_batch is {self.replicate_batch} with a TensorBoard log, which is of "
                "one training: give 1, or no such log"
            )
