r"""The U-Net study: what a trained diffusion model has learned, and what it has copied.

A cell trains a network on its images, generates M points, and measures
(:mod:`ornstein.memorization.sample_measures`)

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
    "perfect_delta",
    "component_metric",
    "METRICS",
]

import math
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from ornstein.diffusion.samplers import as_sampler
from ornstein.engine.summary import averages, mean_and_error, share_positive
from ornstein.memorization.sample_measures import (
    COMPONENT_MOMENTS,
    FITTED,
    beside_linear,
    can_be_fitted,
    component_moments,
    fitted_distances,
    linear_distances,
    memorization,
)
from ornstein.studies.neural.models import generate, snapshot_steps
from ornstein.studies.neural.samples import keep_samples, read_samples
from ornstein.studies.neural.study import MEMORIZED_NOTE, NeuralStudy
from ornstein.studies.neural.summary import NeuralSummary, described

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ornstein.engine.store import Store
    from ornstein.gaussians import Gaussian
    from ornstein.studies.neural.models import TrainedModel
    from ornstein.studies.neural.samples import Samples

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
LOSSES = ("train_loss", "validation_loss")
SECONDS = ("train_seconds", "sample_seconds")
METRICS = (*KERNEL, "memorized", "baseline", *FITTED, *LOSSES, *SECONDS)
_WATCHED = 10


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

    def watched_steps(self, train_size: int) -> tuple[int, ...]:
        """The last snapshots of a training, for its TensorBoard log; none without one."""
        if self.execution.tensorboard is None:
            return ()
        return snapshot_steps(self.options.total_steps(train_size))[-_WATCHED:]

    def summarize(self, store: Store) -> UNetSummary:
        """Average the finished cells, by training size and over all."""
        found = store.of(self)
        rows = [
            {"train_size": n, **self._row(values), "delta_null": self.perfect_delta(n)}
            for n, values in found.items()
        ]
        together = {name: [v for own in found.values() for v in own[name]] for name in self.metrics}
        population = self.source.population
        weights = () if population is None else population.weights
        samples, unread = read_samples(store.folder, list(found))
        return UNetSummary(
            rows=rows,
            overall=self._row(together) if found else {},
            samples=samples,
            components=[
                (float(weight), float(component.mean.mean()), component.std)
                for weight, component in zip(weights, self.components, strict=False)
            ],
            has_fits=self.has_fits,
            **described(self, rows, [*self.notes, *unread]),
        )

    def perfect_delta(self, train_size: int) -> float:
        """Mean of Delta of a model that generates the population; NaN except for one Gaussian."""
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
        notes.append(MEMORIZED_NOTE)
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
            found.append({"delta": self.kernels(points, training)["delta"], "memorized": copied})
        return found

    def _measure_trained(self, trained: Sequence[TrainedModel]) -> list[dict[str, float]]:
        start = time.perf_counter()
        generated = generate(self, trained)
        seconds = (time.perf_counter() - start) / len(trained)
        return [
            self._measured(model, points, seconds)
            for model, points in zip(trained, generated, strict=True)
        ]

    def _measured(
        self, trained: TrainedModel, points: Array, sample_seconds: float
    ) -> dict[str, float]:
        last = trained.history[-1] if trained.history else {}
        values = {
            **self.kernels(points, trained),
            **memorization(points, trained.train, trained.data.held_out),
            **self._fits(points, trained.train),
            **self._components(points),
            **{name: float(last.get(name, math.nan)) for name in LOSSES},
            "train_seconds": trained.seconds,
            "sample_seconds": sample_seconds,
        }
        folder = self.execution.folder
        if folder is not None and trained.cell.replicate == 0 and self.shape[:1] in {(1,), (3,)}:
            with suppress(OSError):  # without the picture, the network still counts
                keep_samples(folder, trained, points, self.shape)
        return values

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
        levels = self.schedule_of(options.sampler, train).levels(options.chosen_steps)
        trajectory = as_sampler(options.sampler).trajectory(levels)
        linear = linear_distances(train, reference, trajectory, options.start)
        return beside_linear(fitted_distances(points, reference), linear)

    def _row(self, values: Mapping[str, Sequence[float]]) -> Row:
        return {
            "simulations": len(values["delta"]),
            **averages(values, ("distance_original", "distance_train", "delta")),
            **share_positive("delta", values["delta_sign"]),
            **averages(values, ("log_l2_original", "log_l2_train"), errors=False),
            **share_positive("full_delta", values["full_delta_sign"]),
            **averages(values, ("full_delta_log_abs",), errors=False),
            **averages(
                values, ("memorized", "baseline", *FITTED, *LOSSES, *self.component_metrics)
            ),
            **{name: mean_and_error(values[name])[0] for name in SECONDS},
        }


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
    documented: ClassVar[Mapping[str, str]] = {"net": "overall"}
