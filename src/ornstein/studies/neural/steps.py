r"""The steps study of a trained network: quality and memorization against sampling steps.

A cell trains one network, and generates from it with each sampler in each number of steps S, from
the same random numbers. KL and Wasserstein distance are those of a Gaussian fit, corrected for the
number of points (:mod:`ornstein.studies.sample_measures`); beside them stand those of the best
linear denoiser of the same images at the same S, which are exact. All samplers visit noise levels
that the network was trained at.

What the linear curve shows at S is discretization and the start; what the network has more is what
it has not learned, or has learned by heart.

The excess over the most steps asked for is averaged cell by cell: cells start from the same noise
at every S, so its error is far below that of either distance.
"""

from __future__ import annotations

__all__ = ["NeuralStepsOptions", "NeuralStepsStudy", "NeuralStepsSummary", "summarize"]

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ornstein.diffusion.samplers import as_sampler
from ornstein.engine.summary import mean_and_error, share_positive
from ornstein.studies.neural.models import generate, torch_threads, train_models
from ornstein.studies.neural.options import NeuralOptions
from ornstein.studies.neural.study import NeuralStudy
from ornstein.studies.neural.summary import NeuralSummary, described
from ornstein.studies.sample_measures import (
    can_be_fitted,
    fitted_distances,
    kernel_measures,
    linear_distances,
    memorization,
)
from ornstein.studies.steps.options import check_samplers
from ornstein.studies.steps.study import metric_name

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ornstein.diffusion.samplers import Trajectory
    from ornstein.engine.store import Store
    from ornstein.engine.study import Cell
    from ornstein.gaussians import Gaussian
    from ornstein.studies.neural.models import TrainedModel

    Array = NDArray[np.float64]
    Row = dict[str, float | int | str]

AVERAGED = ("kl", "kl_linear", "wasserstein2", "wasserstein2_linear", "memorized", "delta")
WATCHED = (*AVERAGED, "delta_sign")
ONCE = ("baseline", "train_seconds")
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
        for steps in self.steps:
            self.schedule.levels(steps)


@dataclass(frozen=True)
class NeuralStepsStudy(NeuralStudy):
    """A :class:`~ornstein.engine.study.Study` of samplers with a trained network."""

    options: NeuralStepsOptions

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.options.generated == 0:
            object.__setattr__(self, "options", replace(self.options, generated=3 * self.dim))
        if not can_be_fitted(self.options.generated, self.dim):
            raise ValueError(
                f"generated is {self.options.generated}, expected more than 2 d = {2 * self.dim}: "
                "a covariance is fitted to the points"
            )

    name: ClassVar[str] = "unet-steps"

    @property
    def all_steps(self) -> tuple[int, ...]:
        """Numbers of steps, in ascending order."""
        return tuple(sorted(self.options.steps))

    @property
    def metrics(self) -> tuple[str, ...]:
        """One value for each sampler, number of steps and measure, and what is measured once."""
        return (
            *(
                metric_name(sampler, steps, name)
                for sampler in self.options.samplers
                for steps in self.all_steps
                for name in WATCHED
            ),
            *ONCE,
        )

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the value of a cell, and which values it has."""
        return {**super().identity, "steps": list(self.all_steps)}

    def seconds(self, cell: Cell) -> float:
        """Rough cost of a cell on one core."""
        steps = len(self.options.samplers) * sum(self.options.steps)
        sampling = self.sampling_seconds(self.options.generated, steps)
        return self.training_seconds(cell.train_size) + sampling

    def measure_batch(self, cells: Sequence[Cell]) -> list[dict[str, float]]:
        """Train, and generate in all ways."""
        reference = self.source.moments()
        with torch_threads(self.execution.threads):
            trained = train_models(self, cells)
            values = [self._once(model) for model in trained]
            for name in self.options.samplers:
                for steps in self.all_steps:
                    generated = generate(self, trained, sampler=name, steps=steps)
                    trajectory = as_sampler(name).trajectory(self.options.schedule.levels(steps))
                    for own, model, points in zip(values, trained, generated, strict=True):
                        found = self._compared(model, points, trajectory, reference)
                        own |= {metric_name(name, steps, key): found[key] for key in WATCHED}
        for model in trained:
            if model.checkpoint is not None:
                model.checkpoint.unlink(missing_ok=True)
        return values

    @property
    def notes(self) -> list[str]:
        """What a reader of the tables needs to know."""
        options = self.options
        sizes = ", ".join(f"{n}: {options.trained_on(n)}" for n in self.train_sizes)
        return [
            f"The network is trained on part of n, the rest is for validation ({sizes}).",
            (
                "KL and W2^2 are corrected for the number of generated points, so that values near "
                "0 may be negative. The linear denoiser's KL is infinite where fewer than d + 1 "
                "images are trained on."
            ),
            "All numbers of steps start from the same noise.",
        ]

    @property
    def settings(self) -> dict[str, Any]:
        """The options with defaults filled in."""
        settings = super().settings
        del settings["sampler"], settings["sampling_steps"]
        return settings

    def summarize(self, store: Store) -> NeuralStepsSummary:
        """Average the finished cells."""
        return summarize(self, store)

    def _once(self, trained: TrainedModel) -> dict[str, float]:
        baseline = memorization(trained.data.held_out, trained.train, None)["memorized"]
        return {"baseline": baseline, "train_seconds": trained.seconds}

    def _compared(
        self, trained: TrainedModel, points: Array, trajectory: Trajectory, reference: Gaussian
    ) -> dict[str, float]:
        options, data, train = self.options, trained.data, trained.train
        network = fitted_distances(points, reference)
        linear = linear_distances(train, reference, trajectory, options.start)
        kernels = kernel_measures(points, train, data.originals, options.originals, self.std)
        return {
            "kl": network.kl,
            "kl_linear": linear.kl,
            "wasserstein2": network.wasserstein2,
            "wasserstein2_linear": linear.wasserstein2,
            "memorized": memorization(points, train, None)["memorized"],
            "delta": kernels["delta"],
            "delta_sign": kernels["delta_sign"],
        }


@dataclass(frozen=True, kw_only=True)
class NeuralStepsSummary(NeuralSummary):
    """Distances by sampler, training size and number of steps, network and linear."""

    options: NeuralStepsOptions
    all_steps: tuple[int, ...]

    report: ClassVar[str] = "unet_steps"


def summarize(study: NeuralStepsStudy, store: Store) -> NeuralStepsSummary:
    """Average the finished cells, one row for each sampler, training size and number of steps."""
    rows = [row for n, values in store.of(study).items() for row in _rows(study, n, values)]
    return NeuralStepsSummary(
        rows=rows, all_steps=study.all_steps, **described(study, rows, study.notes)
    )


def _rows(study: NeuralStepsStudy, train_size: int, values: Mapping[str, list[float]]) -> list[Row]:
    rows = []
    for sampler in study.options.samplers:
        for steps in study.all_steps:
            here = {name: values[metric_name(sampler, steps, name)] for name in WATCHED}
            row: Row = {
                "sampler": sampler,
                "steps": steps,
                "train_size": train_size,
                "simulations": len(here["kl"]),
            }
            for name in AVERAGED:
                row[f"{name}_mean"], row[f"{name}_se"] = mean_and_error(here[name])
            row["baseline_mean"], row["baseline_se"] = mean_and_error(values["baseline"])
            row |= share_positive("delta", here["delta_sign"])
            for name in ("kl", "wasserstein2"):
                most = values[metric_name(sampler, study.all_steps[-1], name)]
                excess = list(np.subtract(here[name], most))
                row[f"{name}_excess"], row[f"{name}_excess_se"] = mean_and_error(excess)
            rows.append(row)
    return rows
