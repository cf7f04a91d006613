r"""The U-Net study: what a trained diffusion model has learned, and what it has copied.

A cell trains a network on its images, generates M points, and measures
(:mod:`ornstein.studies.sample_measures`)

- squared L2 distances of the generated points to originals and training set and their difference
  Delta, per coordinate (averages, in units of the originals' standard deviation) and in full
  dimension (as logarithms); ``Delta > 0``: closer to fresh data;
- the memorized fraction, and that of held-out points;
- with ``M > 2 d``, KL and 2-Wasserstein distance of the Gaussian fit to the population's, beside
  those of the best linear denoiser of the same images;
- of a mixture, weight, mean and standard deviation of the points of each component;
- losses of the last epoch, seconds of training and of sampling.

*Where Delta stands if nothing was memorized.* Per coordinate, a set of N independent points has the
pair term ``(1 - 1/N) int p^2``, for a Gaussian in its own units ``(1 - 1/N)/sqrt(4 pi)``, so that
the mean of Delta is

    (1/N - 1/n) / sqrt(4 pi),

below 0 for n training points and N > n originals, to first order in the bandwidths: Delta of a
perfect model is centred at 0 only for ``N = n``.

The images of the first replicate of each size are kept for a picture.
"""

from __future__ import annotations

__all__ = [
    "UNetStudy",
    "UNetSummary",
    "summarize",
    "perfect_delta",
    "component_metric",
    "read_samples",
    "METRICS",
]

import math
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from ornstein.diffusion.samplers import as_sampler
from ornstein.engine.summary import mean_and_error, share_positive
from ornstein.files import atomic_write
from ornstein.studies.neural.models import (
    generate,
    snapshot_steps,
    torch_threads,
    train_models,
)
from ornstein.studies.neural.study import NeuralStudy
from ornstein.studies.neural.summary import NeuralSummary, described
from ornstein.studies.sample_measures import (
    COMPONENT_MOMENTS,
    can_be_fitted,
    component_moments,
    fitted_distances,
    kernel_measures,
    linear_distances,
    memorization,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ornstein.engine.store import Store
    from ornstein.engine.study import Cell
    from ornstein.gaussians import Gaussian
    from ornstein.studies.neural.models import TrainedModel

    Array = NDArray[np.float64]
    Row = dict[str, float | int]

KERNEL = (
    "distance_original",
    "distance_train",
    "delta",
    "delta_sign",
    "log_l2_original",
    "log_l2_train",
    "full_delta_sign",
    "full_delta_log_abs",
)
FITTED = ("kl", "kl_linear", "wasserstein2", "wasserstein2_linear")
LOSSES = ("train_loss", "validation_loss")
SECONDS = ("train_seconds", "sample_seconds")
METRICS = (*KERNEL, "memorized", "baseline", *FITTED, *LOSSES, *SECONDS)
_SHOWN = 16
_WATCHED = 10


class Samples(NamedTuple):
    """A few images of one cell, each of shape (n_images, channels, H, W)."""

    train_size: int
    generated: NDArray[np.float64]
    nearest: NDArray[np.float64]
    train: NDArray[np.float64]


class UNetStudy(NeuralStudy):
    """A :class:`~ornstein.engine.study.Study` of a learned diffusion model."""

    name: ClassVar[str] = "unet"

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the values that a cell measures."""
        return (*METRICS, *self.component_metrics)

    @property
    def components(self) -> tuple[Gaussian, ...]:
        """Components of a mixture; empty for one Gaussian, and for data."""
        population = self.source.population
        several = population is not None and len(population.components) > 1
        return population.components if population is not None and several else ()

    @property
    def component_metrics(self) -> tuple[str, ...]:
        """Names of what is measured of each component of a mixture; empty without one."""
        count = len(self.components)
        return tuple(
            component_metric(index, name) for index in range(count) for name in COMPONENT_MOMENTS
        )

    @property
    def has_fits(self) -> bool:
        """Whether there are enough generated points for KL and Wasserstein."""
        return can_be_fitted(self.options.generated, self.dim)

    def measure_batch(self, cells: Sequence[Cell]) -> list[dict[str, float]]:
        """Train, generate, measure."""
        watch: tuple[int, ...] = ()
        if self.execution.tensorboard is not None:
            watch = snapshot_steps(self.options.total_steps(cells[0].train_size))[-_WATCHED:]
        with torch_threads(self.execution.threads):
            trained = train_models(self, cells, watch, self._observe if watch else None)
            start = time.perf_counter()
            generated = generate(self, trained)
            seconds = (time.perf_counter() - start) / len(trained)
            return [
                self._measured(model, points, seconds)
                for model, points in zip(trained, generated, strict=True)
            ]

    def summarize(self, store: Store) -> UNetSummary:
        """Average the finished cells."""
        return summarize(self, store)

    def perfect_delta(self, train_size: int) -> float:
        """Mean of Delta of a model that generates the population; NaN but for one Gaussian."""
        if self.source.population is None or self.components:
            return math.nan
        return perfect_delta(self.options.trained_on(train_size), self.options.originals)

    @property
    def notes(self) -> list[str]:
        """What a reader of the table needs to know."""
        options = self.options
        notes = []
        if options.train_fraction < 1:
            notes.append(
                f"n counts validation images: with --train-fraction {options.train_fraction:g} the "
                f"network is trained on {options.trained_on(options.train_sizes[0])} of "
                f"{options.train_sizes[0]}, and they are the training set of all distances."
            )
        notes.append(
            "Delta of a perfect model is 0 on average only for as many originals as training "
            "points; with more originals it is below 0, with fewer above."
        )
        if self.source.population is None:
            left = self.source.largest_train_size + 2 - max(options.train_sizes)
            short = (
                " (where so many are left)"
                if left < options.trained_on(max(options.train_sizes))
                else ""
            )
            notes.append(
                "originals: as many of the other points as the network is trained on"
                f"{short}, at most {options.originals}."
            )
        notes.append(
            "memorized: the nearest training image is much nearer than the second nearest."
        )
        if self.has_fits:
            notes.append(
                "KL and W2^2 are corrected for the number of generated points, so that values "
                "near 0 may be negative. The linear denoiser is sampled as the network is; its KL "
                "is infinite where fewer than d + 1 images are trained on."
            )
        elif self.source.population is not None:
            notes.append(
                f"KL and Wasserstein distance need more than 2 d = {2 * self.dim} generated "
                "points: --generated."
            )
        if self.components:
            notes.append("components: std is the root of the mean variance of a pixel.")
        return notes

    def _observe(self, trainings: Sequence[TrainedModel], step: int) -> list[dict[str, float]]:
        """What a log over training shows beside losses."""
        found = []
        for training, points in zip(trainings, generate(self, trainings, stream=step), strict=True):
            copied = memorization(points, training.train, training.data.held_out)["memorized"]
            found.append({"delta": self._kernels(points, training)["delta"], "memorized": copied})
        return found

    def _measured(
        self, trained: TrainedModel, points: Array, sample_seconds: float
    ) -> dict[str, float]:
        last = trained.history[-1] if trained.history else {}
        values = {
            **self._kernels(points, trained),
            **memorization(points, trained.train, trained.data.held_out),
            **self._fits(points, trained.train),
            **self._components(points),
            **{name: float(last.get(name, math.nan)) for name in LOSSES},
            "train_seconds": trained.seconds,
            "sample_seconds": sample_seconds,
        }
        folder = self.execution.folder
        if folder is not None and trained.cell.replicate == 0 and self.shape[:1] in {(1,), (3,)}:
            with suppress(OSError):  # a picture is not worth a trained network
                _keep_samples(folder, trained, points, self.shape)
        if trained.checkpoint is not None:
            trained.checkpoint.unlink(missing_ok=True)
        return values

    def _kernels(self, points: Array, trained: TrainedModel) -> dict[str, float]:
        originals = trained.data.originals
        return kernel_measures(points, trained.train, originals, self.options.originals, self.std)

    def _components(self, points: Array) -> dict[str, float]:
        population = self.source.population
        if population is None or not self.components:
            return {}
        moments = component_moments(points, population)
        values = (value for component in moments for value in component)
        return dict(zip(self.component_metrics, values, strict=True))

    def _fits(self, points: Array, train: Array) -> dict[str, float]:
        if not self.has_fits:
            return dict.fromkeys(FITTED, math.nan)
        options, reference = self.options, self.source.moments()
        levels = options.schedule.levels(options.chosen_steps)
        trajectory = as_sampler(options.sampler).trajectory(levels)
        kl, wasserstein2 = fitted_distances(points, reference)
        linear = linear_distances(train, reference, trajectory, options.start)
        return dict(zip(FITTED, (kl, linear.kl, wasserstein2, linear.wasserstein2), strict=True))


def component_metric(index: int, name: str) -> str:
    """Name of a value of a component, counted from 1 as in a table.

    Examples
    --------
    >>> component_metric(0, "weight")
    'component1_weight'
    """
    return f"component{index + 1}_{name}"


def perfect_delta(n_train: int, n_original: int) -> float:
    """Mean of Delta per coordinate for fresh Gaussian points, to first order in the bandwidths.

    Examples
    --------
    >>> perfect_delta(45, 10_000)
    -0.00624
    """
    return (1 / n_original - 1 / n_train) / math.sqrt(4 * math.pi)


@dataclass(frozen=True, kw_only=True)
class UNetSummary(NeuralSummary):
    """What a study of a trained network found."""

    overall: Mapping[str, Any]
    """The row over all cells of all sizes; empty if there are none."""
    samples: Sequence[Samples]
    """Images of the first replicate of each size, those that are there."""
    components: Sequence[tuple[float, float, float]]
    """Weight, mean and standard deviation of each component of a mixture; empty without one."""
    has_fits: bool

    report: ClassVar[str] = "unet"

    def document(self) -> dict[str, Any]:
        """Return what the JSON document has of it."""
        return {"rows": self.rows, "net": self.overall, "notes": list(self.notes)}


def summarize(study: UNetStudy, store: Store) -> UNetSummary:
    """Average the finished cells, by training size and over all."""
    found = store.of(study)
    rows = [
        {
            "train_size": train_size,
            **_row(values, study.component_metrics),
            "delta_null": study.perfect_delta(train_size),
        }
        for train_size, values in found.items()
    ]
    together = {
        name: [v for values in found.values() for v in values[name]] for name in study.metrics
    }
    population = study.source.population
    weights = () if population is None else population.weights
    return UNetSummary(
        rows=rows,
        overall=_row(together, study.component_metrics) if found else {},
        samples=read_samples(store.folder, list(found)),
        components=[
            (float(weight), float(component.mean.mean()), component.std)
            for weight, component in zip(weights, study.components, strict=False)
        ],
        has_fits=study.has_fits,
        **described(study, rows, study.notes),
    )


def _row(values: Mapping[str, Sequence[float]], components: Sequence[str]) -> Row:
    count = len(values["delta"])
    row: Row = {"simulations": count}
    for name in ("distance_original", "distance_train", "delta"):
        row[f"{name}_mean"], row[f"{name}_se"] = mean_and_error(values[name])
    row |= share_positive("delta", values["delta_sign"])
    for name in ("log_l2_original", "log_l2_train"):
        row[f"{name}_mean"], _ = mean_and_error(values[name])
    row |= share_positive("full_delta", values["full_delta_sign"])
    row["full_delta_log_abs_mean"], _ = mean_and_error(values["full_delta_log_abs"])
    for name in ("memorized", "baseline", *FITTED, *LOSSES, *components):
        row[f"{name}_mean"], row[f"{name}_se"] = mean_and_error(values[name])
    for name in SECONDS:
        row[name], _ = mean_and_error(values[name])
    return row


def _keep_samples(
    folder: Path, trained: TrainedModel, points: Array, shape: tuple[int, ...]
) -> None:
    """Write a few images of the cell; each nearest training image beside its generated one."""
    from ornstein.memorization.neighbours import nearest_neighbours

    shown = points[:_SHOWN]
    nearest = trained.train[nearest_neighbours(shown, trained.train, k=1).indices[:, 0]]
    sets = {"generated": shown, "nearest": nearest, "train": trained.train[:_SHOWN]}
    images: Any = {name: rows.reshape(-1, *shape).astype(np.float32) for name, rows in sets.items()}
    place = folder / "samples"
    place.mkdir(parents=True, exist_ok=True)
    with atomic_write(place / f"n{trained.cell.train_size}.npz") as draft:
        np.savez_compressed(draft, **images)


def read_samples(folder: Path | None, train_sizes: Sequence[int]) -> list[Samples]:
    """Images that cells of these sizes left in a study folder, those that are there."""
    found = []
    if folder is None:
        return found
    for size in train_sizes:
        path = folder / "samples" / f"n{size}.npz"
        if path.exists():
            with np.load(path) as sets:
                images = (sets[name].astype(np.float64) for name in Samples._fields[1:])
                found.append(Samples(size, *images))
    return found
