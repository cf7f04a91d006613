r"""What studies of a learned diffusion model share: data, seeds, costs.

A cell draws a training set of n images from a population or a data set, trains a network on
``floor(train_fraction n)`` of them (the others are for validation), and generates from it.
"Training set" in every distance means the images that the network was trained on.

*Originals.* With a population, what depends on the N originals is replaced by its exact
expectation. With data they are drawn from the points that are not among the n: as many as the
network is trained on, if so many are left and N allows it. Training set and originals are then
exchangeable for a model that has not seen either, and the null value of Delta is 0; with sets of
different sizes, pixels of few values would decide its sign
(:mod:`ornstein.memorization.sample_delta`).

*Seeds.* Data, initial weights, training and sampling of a cell each have their own, all derived
from the study's seed and the cell's own values. PyTorch is pinned to a number of threads per cell,
so that results are bit-identical for any number of workers (and, with replicates trained together,
equal to those trained alone up to rounding).
"""

from __future__ import annotations

__all__ = [
    "NeuralStudy",
    "CellData",
    "CellSeeds",
    "measured_once",
    "remove_checkpoints",
    "ONCE",
    "MEMORIZED_NOTE",
]

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from ornstein.data.images import DEFAULT_PIXELS, load_shaped
from ornstein.data.sources import PopulationSource, Source
from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.trained_grids import TrainedGrid
from ornstein.engine.study import cell_seed
from ornstein.memorization.sample_measures import kernel_measures, memorization
from ornstein.studies.neural.models import torch_threads, train_models
from ornstein.studies.neural.options import OF_POPULATIONS, Execution, NeuralOptions
from ornstein.studies.source_study import SourceStudy
from ornstein.studies.steps.options import ODE
from ornstein.validation import as_count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ornstein.diffusion.schedules import Schedule
    from ornstein.engine.study import Cell
    from ornstein.studies.neural.models import TrainedModel

    Array = NDArray[np.float64]

HELD_OUT = 1000
ONCE = ("baseline", "train_seconds")
"""What :func:`measured_once` measures."""
MEMORIZED_NOTE = "memorized: the nearest training image is much nearer than the second nearest."
_SIDE = 8  # the U-Net pads the sides of images to multiples of it


class CellData(NamedTuple):
    """What a cell draws."""

    images: NDArray[np.float64]
    """Training and validation images, shape (n, channels, H, W), or vectors, (n, dim)."""
    originals: Any
    """The population, or points of shape (N, dim)."""
    held_out: NDArray[np.float64]
    """Points of shape (n_held_out, dim) for baseline and test loss."""


class CellSeeds(NamedTuple):
    """Seeds of a cell."""

    data: np.random.SeedSequence
    weights: int
    training: int
    sampling: int


@dataclass(frozen=True)
class NeuralStudy(SourceStudy):
    """Base of studies of a learned model: all except what is measured."""

    options: NeuralOptions
    execution: Execution = field(default_factory=Execution)
    packages: ClassVar[tuple[str, ...]] = ("torch", "lightning")
    of_populations: ClassVar[Mapping[str, Any]] = OF_POPULATIONS

    def __post_init__(self) -> None:
        self.require_points()
        if self.options.model == "unet" and len(self.shape) == 1:
            raise ValueError(
                f"{self.options.data} holds vectors of {self.dim} coordinates, and the U-Net takes "
                "images: give --model mlp, or images of shape (n, channels, height, width)"
            )

    @property
    def batch_size(self) -> int:
        """Replicates of one size that are trained and measured in one call."""
        return self.execution.replicate_batch

    def read_source(self) -> Source:
        """Make the population, or read the data set."""
        options = self.options
        if options.data is not None:
            return load_shaped(options.data, options.pixels, options.reading_options())
        assert options.mean is not None
        assert options.std is not None
        side = DEFAULT_PIXELS if options.pixels is None else as_count(options.pixels, "pixels")
        return PopulationSource.isotropic(
            side**2, options.mean, options.std, options.weights, shape=(1, side, side)
        )

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an image, (channels, H, W), or of a vector, (dim,)."""
        return self.source.shape

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the value of a cell."""
        identity = {**super().identity, "pixels": list(self.shape)}
        if self.options.grid is None:  # as folders have it that older versions wrote
            del identity["grid"]
        return identity

    @property
    def settings(self) -> dict[str, Any]:
        """The options with defaults filled in, without those that have no effect."""
        settings = super().settings
        if self.source.digest is None and self.options.pixels is None:
            settings["pixels"] = DEFAULT_PIXELS
        return {**settings, "threads": self.execution.threads}

    def seeds(self, cell: Cell) -> CellSeeds:
        """Seeds of one cell."""
        data, *others = cell_seed(self.seed, cell).spawn(4)
        return CellSeeds(data, *(int(other.generate_state(1)[0]) for other in others))

    def draw(self, cell: Cell) -> CellData:
        """Training images of one cell, and what they are compared with."""
        rng = np.random.default_rng(self.seeds(cell).data)
        n = cell.train_size
        train, rest, held_out = self.source.draw(n, rng, held_out=HELD_OUT)
        originals: Any = self.source.population
        if rest is not None:
            originals = rest[: min(self.options.originals, self.options.trained_on(n))]
        return CellData(train.reshape(-1, *self.shape), originals, held_out)

    def seconds(self, cell: Cell) -> float:
        """Rough cost of a cell on one core."""
        return self.training_seconds(cell.train_size) + self.sampling_seconds(
            self.options.generated, self.options.chosen_steps
        )

    def training_seconds(self, train_size: int) -> float:
        """Rough cost of a training on one core."""
        steps = self.options.total_steps(train_size)
        batch = min(self.options.batch_size, self.options.trained_on(train_size))
        return steps * (self._call_seconds(3) + 3 * batch * self._flops / 3e10)

    def sampling_seconds(self, count: int, steps: int) -> float:
        """Rough cost of generating `count` points in `steps` steps, on one core."""
        return steps * (self._call_seconds(1) + count * self._flops / 3e10)

    def measure(self, cell: Cell) -> Mapping[str, float]:
        """Compute one cell."""
        return self.measure_batch([cell])[0]

    def measure_batch(self, cells: Sequence[Cell]) -> list[dict[str, float]]:
        """Compute cells of one training size, their networks trained at once.

        Checkpoints of their trainings are removed when all is measured.
        """
        with torch_threads(self.execution.threads):
            watched = self.watched_steps(cells[0].train_size)
            trained = train_models(self, cells, watched, self._observe)
            values = self._measure_trained(trained)
        remove_checkpoints(trained)
        return values

    def watched_steps(self, train_size: int) -> tuple[int, ...]:  # noqa: ARG002
        """Optimiser steps at which a training is observed."""
        return ()

    def schedule_of(self, sampler: str, train: Array) -> Schedule:
        """Noise levels that a sampler visits with the network trained on these points.

        In the scale of the network: mean 0 and mean square 1 over all entries.

        Parameters
        ----------
        sampler : str
        train : ndarray of shape (n_points, dim)
            In data units.
        """
        options = self.options
        if options.grid is None or as_sampler(sampler).name not in ODE:
            return options.schedule
        if options.grid != "tangent":
            return TrainedGrid(options.grid, options.schedule)
        scale = math.sqrt(len(train)) * (float(train.std()) or 1.0)
        roots = np.linalg.svd((train - train.mean(axis=0)) / scale, compute_uv=False)
        # What rounding leaves of constant directions needs no steps.
        roots[roots < max(train.shape) * np.finfo(np.float64).eps * roots[0]] = 0.0
        return TrainedGrid("tangent", options.schedule, tuple((roots**2).tolist()))

    def kernels(self, points: Array, training: TrainedModel) -> dict[str, float]:
        """Distances of generated points to originals and training set, and Delta."""
        originals = training.data.originals
        return kernel_measures(points, training.train, originals, self.options.originals, self.std)

    @property
    def validation_note(self) -> str:
        """For a reader of the tables: how much of n is trained on."""
        sizes = ", ".join(f"{n}: {self.options.trained_on(n)}" for n in self.train_sizes)
        return f"The network is trained on part of n, the rest is for validation ({sizes})."

    def _observe(self, trainings: Sequence[TrainedModel], step: int) -> list[dict[str, float]]:
        """What is measured of each training at a watched step."""
        raise NotImplementedError

    def _measure_trained(self, trained: Sequence[TrainedModel]) -> list[dict[str, float]]:
        """Values of cells whose networks are trained, where one training is all there is."""
        raise NotImplementedError

    @property
    def _flops(self) -> float:
        """Of a forward pass, per point."""
        if self.options.model == "mlp":
            width = 128 if self.options.width is None else self.options.width
            return 4 * width * self.dim + 12 * width**2
        factor = 1.0 if self.options.width is None else self.options.width
        return 0.184e9 * factor**2 * math.prod(math.ceil(side / _SIDE) for side in self.shape[1:])

    def _call_seconds(self, times: int) -> float:
        """Cost of calling the layers of the network, whatever the batch."""
        return times * (2e-4 if self.options.model == "mlp" else 5e-3)


def remove_checkpoints(trained: Sequence[TrainedModel]) -> None:
    """Remove the checkpoints of trainings, whose cells are measured."""
    for model in trained:
        if model.checkpoint is not None:
            model.checkpoint.unlink(missing_ok=True)


def measured_once(trained: TrainedModel) -> dict[str, float]:
    """What is measured of a network whatever is generated from it: held-out baseline, seconds."""
    baseline = memorization(trained.data.held_out, trained.train, None)["memorized"]
    return {"baseline": baseline, "train_seconds": trained.seconds}
