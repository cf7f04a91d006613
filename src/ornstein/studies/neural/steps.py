r"""The steps study of a trained network: quality and memorization against sampling steps.

A cell trains one network, and generates from it with each sampler in each number of steps S, from
the same random numbers. KL and Wasserstein distance are those of a Gaussian fit, corrected for the
number of points (:mod:`ornstein.memorization.sample_measures`); beside them stand those of the best
linear denoiser of the same images at the same S, which are exact. All samplers visit noise levels
that the network was trained at; `grid` chooses among them, for samplers of the ODE.

What the linear curve shows at S is discretization and the start; what the network has more is what
it has not learned, or has memorized.

The excess over the most steps asked for is averaged cell by cell: cells start from the same noise
at every S, so its error is far below that of either distance.
"""

from __future__ import annotations

__all__ = ["NeuralStepsOptions", "NeuralStepsStudy", "NeuralStepsSummary"]

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ornstein.diffusion.samplers import as_sampler
from ornstein.engine.summary import averages, mean_and_error, share_positive
from ornstein.memorization.sample_measures import (
    beside_linear,
    fitted_distances,
    linear_distances,
    memorization,
    require_fit,
)
from ornstein.studies.neural.models import generate
from ornstein.studies.neural.steps_options import NeuralStepsOptions
from ornstein.studies.neural.study import ONCE, NeuralStudy, measured_once
from ornstein.studies.neural.summary import NeuralSummary, described
from ornstein.studies.steps.values import (
    AVERAGED,
    MEASURED,
    metric_name,
    metrics_by_sampler,
    rows_by_sampler,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from ornstein.diffusion.samplers import Trajectory
    from ornstein.engine.store import Store
    from ornstein.engine.study import Cell
    from ornstein.gaussians import Gaussian
    from ornstein.studies.neural.models import TrainedModel
    from ornstein.studies.steps.values import Row

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class NeuralStepsStudy(NeuralStudy):
    """A :class:`~ornstein.engine.study.Study` of samplers with a trained network."""

    options: NeuralStepsOptions

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.options.generated == 0:
            object.__setattr__(self, "options", replace(self.options, generated=3 * self.dim))
        require_fit(self.options.generated, self.dim)

    name: ClassVar[str] = "unet-steps"

    @property
    def all_steps(self) -> tuple[int, ...]:
        """Numbers of steps, in ascending order."""
        return tuple(sorted(self.options.steps))

    @property
    def metrics(self) -> tuple[str, ...]:
        """One value for each sampler, number of steps and measure, and what is measured once."""
        return (*metrics_by_sampler(self, MEASURED), *ONCE)

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the value of a cell, and which values it has."""
        return {**super().identity, "steps": list(self.all_steps)}

    def seconds(self, cell: Cell) -> float:
        """Rough cost of a cell on one core."""
        steps = len(self.options.samplers) * sum(self.options.steps)
        sampling = self.sampling_seconds(self.options.generated, steps)
        return self.training_seconds(cell.train_size) + sampling

    @property
    def notes(self) -> list[str]:
        """What a reader of the tables needs to know."""
        return [
            self.validation_note,
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
        """Average the finished cells, a row for each sampler, training size and number of steps."""
        rows = [row for n, values in store.of(self).items() for row in self._rows(n, values)]
        return NeuralStepsSummary(
            rows=rows, all_steps=self.all_steps, **described(self, rows, self.notes)
        )

    def _measure_trained(self, trained: Sequence[TrainedModel]) -> list[dict[str, float]]:
        """Generate in all ways."""
        reference = self.source.moments()
        values = [measured_once(model) for model in trained]
        for name in self.options.samplers:
            for steps in self.all_steps:
                generated = generate(self, trained, sampler=name, steps=steps)
                for own, model, points in zip(values, trained, generated, strict=True):
                    levels = self.schedule_of(name, model.train).levels(steps)
                    trajectory = as_sampler(name).trajectory(levels)
                    found = self._compared(model, points, trajectory, reference)
                    own |= {metric_name(name, steps, key): found[key] for key in MEASURED}
        return values

    def _compared(
        self, trained: TrainedModel, points: Array, trajectory: Trajectory, reference: Gaussian
    ) -> dict[str, float]:
        linear = linear_distances(trained.train, reference, trajectory, self.options.start)
        kernels = self.kernels(points, trained)
        return {
            **beside_linear(fitted_distances(points, reference), linear),
            "memorized": memorization(points, trained.train, None)["memorized"],
            "delta": kernels["delta"],
            "delta_sign": kernels["delta_sign"],
        }

    def _rows(self, train_size: int, values: Mapping[str, Sequence[float]]) -> Iterator[Row]:
        baseline = averages(values, ("baseline",))
        for first, here in rows_by_sampler(self, train_size, values, MEASURED):
            row = first | averages(here, AVERAGED) | baseline
            row |= share_positive("delta", here["delta_sign"])
            for name in ("kl", "wasserstein2"):
                most = values[metric_name(str(row["sampler"]), self.all_steps[-1], name)]
                excess = mean_and_error(list(np.subtract(here[name], most)))
                row[f"{name}_excess"], row[f"{name}_excess_se"] = excess
            yield row


@dataclass(frozen=True, kw_only=True)
class NeuralStepsSummary(NeuralSummary):
    """Distances by sampler, training size and number of steps, network and linear."""

    options: NeuralStepsOptions
    all_steps: tuple[int, ...]

    report: ClassVar[str] = "unet_steps"
