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

__all__ = ["LearnedStudy", "CellData", "CellSeeds"]

import hashlib
import math
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.data.files import DataSet
from ornstein.data.images import DEFAULT_PIXELS, ShapedData, load_shaped
from ornstein.engine.running import cell_seed
from ornstein.engine.study import Configured
from ornstein.mixtures import Mixture
from ornstein.studies.neural.config import Execution, LearnedConfig
from ornstein.validation import as_count

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ornstein.engine.store import Cell
    from ornstein.gaussians import Gaussian

HELD_OUT = 1000
_SIDE = 8  # the U-Net halves its sides three times
_OF_POPULATIONS = ("pixels", "mean", "std", "weights")


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
class LearnedStudy(Configured):
    """Base of studies of a learned model: all but what is measured."""

    config: LearnedConfig
    execution: Execution = field(default_factory=Execution)

    def __post_init__(self) -> None:
        config, shape = self.config, self.shape
        if isinstance(self.source, DataSet):
            most = len(self.source.points) - 2
            if max(self.train_sizes) > most:
                raise ValueError(
                    f"a training set of {max(self.train_sizes)} from the {most + 2} points of "
                    f"{self.source.name}: expected at most {most}, so that originals are left"
                )
        if config.model == "mlp":
            return
        if len(shape) == 1:
            raise ValueError(
                f"{config.data} holds vectors of {shape[0]} coordinates, and the U-Net takes "
                "images: give --model mlp, or images of shape (n, channels, height, width)"
            )
        if shape[1] % _SIDE or shape[2] % _SIDE:
            nearest = _SIDE * math.ceil(max(shape[1:]) / _SIDE)
            raise ValueError(
                f"images of {shape[1]} x {shape[2]} pixels, and the U-Net takes sides that are "
                f"multiples of {_SIDE}: give --pixels {nearest}, or --model mlp"
            )

    @property
    def kind(self) -> str:
        """Name of the study."""
        raise NotImplementedError

    @property
    def metrics(self) -> Sequence[str]:
        """Names of the values that a cell measures."""
        raise NotImplementedError

    @property
    def notes(self) -> list[str]:
        """What a reader of the tables needs to know."""
        raise NotImplementedError

    @property
    def together(self) -> int:
        """Replicates of one size that are measured in one call."""
        return self.execution.replicate_batch

    @property
    def packages(self) -> tuple[str, ...]:
        """Packages whose versions are worth noting, beside the usual ones."""
        return "torch", "lightning"

    @cached_property
    def _loaded(self) -> tuple[Gaussian | Mixture | DataSet, tuple[int, ...]]:
        config = self.config
        if config.data is not None:
            return _load(config.data, config.pixels)
        side = DEFAULT_PIXELS if config.pixels is None else as_count(config.pixels, "pixels")
        mixture = Mixture.isotropic(side**2, config.mean, config.std, config.weights)
        one = len(mixture.components) == 1
        return mixture.components[0] if one else mixture, (1, side, side)

    @property
    def source(self) -> Gaussian | Mixture | DataSet:
        """The population, or the data set."""
        return self._loaded[0]

    @property
    def shape(self) -> tuple[int, ...]:
        """Of an image, (channels, H, W), or of a vector, (dim,)."""
        return self._loaded[1]

    @property
    def dim(self) -> int:
        """Coordinates of a point: pixels times channels."""
        return math.prod(self.shape)

    @property
    def std(self) -> float:
        """Root of the mean coordinate variance."""
        return self.source.std

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the value of a cell."""
        identity = {"study": self.kind, **asdict(self.config)}
        del identity["train_sizes"], identity["simulations"]
        identity |= {"pixels": list(self.shape)}
        if isinstance(self.source, DataSet):
            for name in _OF_POPULATIONS[1:]:
                del identity[name]
            digest = hashlib.sha256(np.ascontiguousarray(self.source.points).tobytes())
            identity |= {"data": self.source.name, "data_sha256": digest.hexdigest()}
        return identity

    @property
    def options(self) -> dict[str, Any]:
        """The whole configuration, defaults filled in, as options of the command."""
        options: dict[str, Any] = asdict(self.config)
        if self.config.data is not None:
            for name in _OF_POPULATIONS[1:]:
                del options[name]
        elif self.config.pixels is None:
            options["pixels"] = DEFAULT_PIXELS
        options["threads"] = self.execution.threads
        return {key: list(v) if isinstance(v, tuple) else v for key, v in options.items()}

    def seeds(self, cell: Cell) -> CellSeeds:
        """Seeds of one cell."""
        data, *others = cell_seed(self.seed, cell).spawn(4)
        return CellSeeds(data, *(int(other.generate_state(1)[0]) for other in others))

    def draw(self, cell: Cell) -> CellData:
        """Training images of one cell, and what they are compared with."""
        rng = np.random.default_rng(self.seeds(cell).data)
        source = self.source
        if isinstance(source, DataSet):
            train, rest = source.split(cell.train_size, rng)
            originals = rest[: min(self.config.originals, self.config.seen(cell.train_size))]
            return CellData(train.reshape(-1, *self.shape), originals, rest[:HELD_OUT])
        train = source.sample(cell.train_size, rng)
        return CellData(train.reshape(-1, *self.shape), source, source.sample(HELD_OUT, rng))

    def seconds(self, cell: Cell) -> float:
        """Rough cost of a cell on one core."""
        return self.training_seconds(cell.train_size) + self.sampling_seconds(
            self.config.generated, self.config.chosen_steps
        )

    def training_seconds(self, train_size: int) -> float:
        """Rough cost of a training on one core."""
        steps = self.config.total_steps(train_size)
        batch = min(self.config.batch_size, self.config.seen(train_size))
        return steps * (self._call_seconds(3) + 3 * batch * self._flops / 3e10)

    def sampling_seconds(self, count: int, steps: int) -> float:
        """Rough cost of generating `count` points in `steps` steps, on one core."""
        return steps * (self._call_seconds(1) + count * self._flops / 3e10)

    def measure(self, cell: Cell) -> Mapping[str, float]:
        """Compute one cell."""
        return self.measure_together([cell])[0]

    def measure_together(self, cells: Sequence[Cell]) -> list[dict[str, float]]:
        """Compute cells of one training size, their networks trained at once."""
        raise NotImplementedError

    @property
    def _flops(self) -> float:
        """Of a forward pass, per point."""
        if self.config.model == "mlp":
            width = 128 if self.config.width is None else self.config.width
            return 4 * width * self.dim + 12 * width**2
        factor = 1.0 if self.config.width is None else self.config.width
        return 0.184e9 * factor**2 * self.shape[1] * self.shape[2] / 64

    def _call_seconds(self, times: int) -> float:
        """Cost of calling the layers of the network, whatever the batch."""
        return times * (2e-4 if self.config.model == "mlp" else 5e-3)


@lru_cache(maxsize=2)
def _load(source: str, pixels: int | None) -> ShapedData:
    return load_shaped(source, pixels)
