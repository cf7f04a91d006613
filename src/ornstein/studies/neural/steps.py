r"""The steps study of a trained network: quality and memorization against sampling steps.

A cell trains one network, and generates from it with each sampler in each number of steps S, from
the same random numbers. KL and Wasserstein distance are those of a Gaussian fit, corrected for the
number of points (:mod:`ornstein.studies.neural.measures`); beside them stand those of the best
linear denoiser of the same images at the same S, which are exact. All samplers visit noise levels
that the network was trained at.

What the linear curve shows at S is discretization and the start; what the network has more is what
it has not learned, or has learned by heart.
"""

from __future__ import annotations

__all__ = ["LearnedStepsConfig", "LearnedStepsStudy", "summarize"]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ornstein.diffusion.samplers import as_sampler
from ornstein.engine.store import Cell, Store
from ornstein.engine.summary import mean_and_error
from ornstein.studies.neural.config import LearnedConfig
from ornstein.studies.neural.measures import (
    can_be_fitted,
    fitted_distances,
    kernel_measures,
    linear_distances,
    memorization,
    moments_of,
    share_positive,
)
from ornstein.studies.neural.models import generate, torch_threads, train_models
from ornstein.studies.neural.study import LearnedStudy
from ornstein.studies.steps.study import metric_name
from ornstein.validation import as_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from ornstein.diffusion.samplers import Trajectory
    from ornstein.gaussians import Gaussian
    from ornstein.studies.neural.models import TrainedModel

    Array = NDArray[np.float64]
    Row = dict[str, float | int | str]

AVERAGED = ("kl", "kl_linear", "wasserstein2", "wasserstein2_linear", "memorized", "delta")
WATCHED = (*AVERAGED, "delta_sign")
ONCE = ("baseline", "train_seconds")


@dataclass(frozen=True)
class LearnedStepsConfig(LearnedConfig):
    """A learned model, and how it is sampled.

    Parameters
    ----------
    samplers : tuple of str
        As :func:`~ornstein.diffusion.samplers.as_sampler` reads them.
    steps : tuple of int
        Numbers of sampling steps S, none above `diffusion_steps`.

    Other parameters are those of :class:`~ornstein.studies.neural.study.LearnedConfig`, of which
    `sampler` and `sampling_steps` are not used.
    """

    samplers: tuple[str, ...] = ("ddpm", "ddim")
    steps: tuple[int, ...] = (5, 10, 20, 50, 100, 200)

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ("samplers", "steps"):
            entries = getattr(self, name)
            if not entries or len(set(entries)) < len(entries):
                raise ValueError(f"{name} is {entries}, expected one entry or more, none twice")
        for name in self.samplers:
            as_sampler(name)
        for steps in self.steps:
            self.schedule.levels(as_count(steps, "a number of steps"))


@dataclass(frozen=True)
class LearnedStepsStudy(LearnedStudy):
    """A :class:`~ornstein.engine.running.Study` of samplers with a trained network."""

    config: LearnedStepsConfig

    def __post_init__(self) -> None:
        super().__post_init__()
        if not can_be_fitted(self.config.generated, self.dim):
            raise ValueError(
                f"generated is {self.config.generated}, expected more than 2 d = {2 * self.dim}: "
                "a covariance is fitted to the points"
            )

    @property
    def kind(self) -> str:
        """Name of the study."""
        return "unet-steps"

    @property
    def all_steps(self) -> tuple[int, ...]:
        """Numbers of steps, in ascending order."""
        return tuple(sorted(self.config.steps))

    @property
    def metrics(self) -> tuple[str, ...]:
        """One value for each sampler, number of steps and measure, and what is measured once."""
        return (
            *(
                metric_name(sampler, steps, name)
                for sampler in self.config.samplers
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
        steps = len(self.config.samplers) * sum(self.config.steps)
        sampling = self.sampling_seconds(self.config.generated, steps)
        return self.training_seconds(cell.train_size) + sampling

    def measure_together(self, cells: Sequence[Cell]) -> list[dict[str, float]]:
        """Train, and generate in all ways."""
        reference = moments_of(self.source)
        with torch_threads(self.execution.threads):
            trained = train_models(self, cells)
            values = [self._once(model) for model in trained]
            for name in self.config.samplers:
                for steps in self.all_steps:
                    generated = generate(self, trained, sampler=name, steps=steps)
                    trajectory = as_sampler(name).trajectory(self.config.schedule.levels(steps))
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
        config = self.config
        sizes = ", ".join(f"{n}: {config.seen(n)}" for n in self.train_sizes)
        return [
            f"The network is trained on part of n, the rest is for validation ({sizes}).",
            (
                "KL and W2^2: of the Gaussian fit to the generated points, corrected for their "
                "number; linear: exact, for the best linear denoiser of the same images and the "
                "same sampler; its KL is infinite for n - 1 < d."
            ),
            "All numbers of steps start from the same noise.",
        ]

    def _once(self, trained: TrainedModel) -> dict[str, float]:
        baseline = memorization(trained.data.held_out, trained.seen, None)["memorized"]
        return {"baseline": baseline, "train_seconds": trained.seconds}

    def _compared(
        self, trained: TrainedModel, points: Array, trajectory: Trajectory, reference: Gaussian
    ) -> dict[str, float]:
        config, data, seen = self.config, trained.data, trained.seen
        network = fitted_distances(points, reference)
        linear = linear_distances(seen, reference, trajectory, config.start)
        kernels = kernel_measures(points, seen, data.originals, config.originals, self.std)
        return {
            "kl": network.kl,
            "kl_linear": linear.kl,
            "wasserstein2": network.wasserstein2,
            "wasserstein2_linear": linear.wasserstein2,
            "memorized": memorization(points, seen, None)["memorized"],
            "delta": kernels["delta"],
            "delta_sign": kernels["delta_sign"],
        }


def summarize(study: LearnedStepsStudy, store: Store) -> list[Row]:
    """One row for each sampler, training size and number of steps: ``summary.csv``."""
    rows = []
    cells = [Cell(n, r) for n in study.train_sizes for r in range(study.simulations)]
    for train_size, values in store.values(cells).items():
        for sampler in study.config.samplers:
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
                rows.append(row | share_positive("delta", here["delta_sign"]))
    return rows
