"""What a study of a trained network computes (NeuralOptions), and how (Execution)."""

from __future__ import annotations

__all__ = ["NeuralOptions", "Execution", "OF_POPULATIONS"]

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from ornstein.data.reading_options import ReadingOptions
from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import BetaSchedule
from ornstein.diffusion.trained_grids import GRIDS
from ornstein.engine.study import check_plan
from ornstein.studies.source_study import choose_population
from ornstein.studies.steps.options import require_ode
from ornstein.validation import as_count, as_positive

if TYPE_CHECKING:
    from pathlib import Path

    from ornstein.networks.training.config import TrainingConfig

_KNOWN = {
    "model": ("unet", "mlp"),
    "start": ("standard", "marginal", "population"),
    "prediction": ("epsilon", "sample", "v"),
}
OF_POPULATIONS = {"mean": (0.5,), "std": (0.1,), "weights": None}
"""Options that have no effect with data, and their defaults."""

DEFAULT_EPOCHS = 10
"""Of the published code."""


@dataclass(frozen=True)
class NeuralOptions(ReadingOptions):
    """A network, its data, and how often to train it.

    Parameters
    ----------
    train_sizes : tuple of int
        training sizes n >= 2, validation images included: start:stop:step (stop included) or a
        comma list
    pixels : int
        pixels per side; by default 8, with data their own; images are resized to it
    mean : tuple of float
        of a pixel, one entry per mixture component, as 0.5 or 0.2,0.8; by default 0.5
    std : tuple of float
        standard deviation of a pixel, > 0, one entry per mixture component, as 0.1 or 0.1,0.2; by
        default 0.1
    weights : tuple of float
        of the mixture components, adding up to 1, as 0.3,0.7; by default equal
    data : str
        digits, patches, a folder of images, a .npy file of shape (n, C, H, W), (n, H, W) or (n, d),
        or a .npz .csv .parquet file of vectors, instead of a population
    model : str
        unet, or mlp: a small residual network, for vectors too
    width : float
        U-Net: factor of its channels, by default 1; MLP: hidden units, by default 128
    epochs : int
        passes through the training images; by default 10
    training_steps : int
        optimiser steps, instead of epochs
    batch_size : int
        images per optimiser step
    learning_rate : float
        of Adam
    ema_decay : float
        of the average of weights that generates; 0 for the last weights
    gradient_clip : float
        largest norm of the gradient; by default any
    precision : str
        of the arithmetic of training; weights are float32
    train_fraction : float
        part of the n images to train on; the rest is for validation
    diffusion_steps : int
        steps T of the diffusion, with betas from 1e-4 to 0.02
    prediction : str
        what the network predicts: noise, clean image, or v
    sampler : str
        ddpm, ddpm:large, ddim, ddim:ETA (0 to 1), euler, heun
    sampling_steps : int
        of the T; by default all
    grid : str
        noise levels of euler and heun, of the T: tangent (least KL for the spectrum of the training
        images), karras, log (equal ratios); by default every T/S-th
    start : str
        where sampling starts: N(0, I), a Gaussian where noised training images are, or noised
        fresh points of the population
    generated : int
        points to generate; with more than 2 d of them KL and Wasserstein distance are measured
    originals : int
        number N of fresh points that Delta compares with; with data as many as the network is
        trained on, at most N
    simulations : int
        replicates of each training size
    seed : int
        seed of the study

    Other parameters are those of :class:`~ornstein.data.reading_options.ReadingOptions`.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range, or options contradict each other.
    """

    train_sizes: tuple[int, ...] = tuple(range(50, 1051, 100))
    pixels: int | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    weights: tuple[float, ...] | None = None
    data: str | None = None
    model: Literal["unet", "mlp"] = "unet"
    width: float | None = None
    epochs: int | None = None
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
    grid: Literal["tangent", "karras", "log"] | None = None
    start: Literal["standard", "marginal", "population"] = "standard"
    generated: int = 10
    originals: int = 10_000
    simulations: int = 10
    seed: int = 0
    least_generated: ClassVar[int] = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        self.require_data(self.data)
        choose_population(self, OF_POPULATIONS)
        check_plan(self)
        self._choose_length()
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
        as_count(self.generated, "generated", at_least=self.least_generated)
        as_sampler(self.sampler)
        self.schedule.levels(self.chosen_steps)
        self._check_grid()
        if self.width is not None:
            as_positive(self.width, "width")
            if self.model == "mlp" and (self.width % 2 or self.width < 2):
                raise ValueError(
                    f"width is {self.width:g}, expected an even number of hidden units for the MLP"
                )
        self.training(0)

    def _choose_length(self) -> None:
        """Fill in the epochs; refuse those that would have no effect beside training_steps."""
        if self.epochs is None:
            object.__setattr__(self, "epochs", DEFAULT_EPOCHS)
        elif self.training_steps is not None and self.epochs != DEFAULT_EPOCHS:
            raise ValueError(
                f"epochs is {self.epochs} and training_steps is {self.training_steps}: the epochs "
                "would have no effect, give one of the two"
            )

    def _check_grid(self) -> None:
        """Refuse a grid without effect."""
        if self.grid is None:
            return
        if self.grid not in GRIDS:
            raise ValueError(f"grid is {self.grid!r}, expected one of {', '.join(GRIDS)}")
        require_ode(self.grid, self.all_samplers)
        if set(self.all_steps) <= {1, self.diffusion_steps}:
            raise ValueError(
                f"grid is {self.grid!r}, and would have no effect on "
                f"{', '.join(map(str, self.all_steps))} sampling step(s) of "
                f"{self.diffusion_steps}: give a number between 1 and diffusion_steps"
            )

    @property
    def all_samplers(self) -> tuple[str, ...]:
        """Samplers that are used."""
        return (self.sampler,)

    @property
    def all_steps(self) -> tuple[int, ...]:
        """Numbers of sampling steps."""
        return (self.chosen_steps,)

    @property
    def chosen_epochs(self) -> int:
        """Passes through the training images, where no number of optimiser steps is given."""
        return DEFAULT_EPOCHS if self.epochs is None else self.epochs

    @property
    def schedule(self) -> BetaSchedule:
        """Noise levels of the process."""
        return BetaSchedule("linear", self.diffusion_steps)

    @property
    def chosen_steps(self) -> int:
        """Sampling steps."""
        return self.diffusion_steps if self.sampling_steps is None else self.sampling_steps

    def trained_on(self, train_size: int) -> int:
        """How many of `train_size` images the network is trained on."""
        # 1e-9: 0.9 * 50 may be less than 45 by a rounding error.
        return max(1, int(self.train_fraction * train_size + 1e-9))

    def total_steps(self, train_size: int) -> int:
        """Optimiser steps of a training."""
        if self.training_steps is not None:
            return self.training_steps
        return self.chosen_epochs * math.ceil(self.trained_on(train_size) / self.batch_size)

    def training(self, seed: int, accelerator: str = "cpu") -> TrainingConfig:
        """The part that is about training."""
        from ornstein.networks.training.config import TrainingConfig

        return TrainingConfig(
            epochs=self.chosen_epochs,
            training_steps=self.training_steps,
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
    """How to run, which changes no value, except by rounding.

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
