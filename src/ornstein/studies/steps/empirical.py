r"""The steps study of the memorizing optimum: how few sampling steps end at training points.

The denoiser of least loss on n training points is the posterior mean over them
(:mod:`ornstein.denoisers.empirical`). Run to its end the reverse process returns training points
and nothing else. A cell draws a training set, and generates with each sampler in each number of
steps S, without training anything. What is measured is what is measured of a trained network
(:mod:`ornstein.memorization.sample_measures`), so that the two tables can be laid side by side: a
network that has memorized its training set gives this table. Beside it stand KL and
Wasserstein distance of the best linear denoiser of the same points, which are exact.

The marginal start is the noised training set itself, ``alpha x_i + sigma z``.
"""

from __future__ import annotations

__all__ = ["EmpiricalStepsOptions", "EmpiricalStepsStudy", "EmpiricalStepsSummary"]

from collections import deque
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ornstein.denoisers.linear import empirical_law
from ornstein.denoisers.posterior import posterior_mean
from ornstein.denoisers.training_points import TrainingPoints
from ornstein.diffusion.samplers import as_sampler, denoising_path
from ornstein.engine.study import cell_seed
from ornstein.engine.summary import Summary, averages, share_positive
from ornstein.gaussians import kl_divergence, wasserstein_squared
from ornstein.intervals import few_values_note
from ornstein.memorization.sample_measures import (
    FittedDistances,
    beside_linear,
    fitted_distances,
    kernel_measures,
    memorization,
)
from ornstein.studies.perfect_models import original_count
from ornstein.studies.steps.empirical_options import EmpiricalStepsOptions
from ornstein.studies.steps.study import StepsStudy
from ornstein.studies.steps.values import (
    AVERAGED,
    MEASURED,
    metric_name,
    metrics_by_sampler,
    rows_by_sampler,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ornstein.diffusion.samplers import Trajectory
    from ornstein.engine.store import Store
    from ornstein.engine.study import Cell

    Array = NDArray[np.float64]


@dataclass(frozen=True)
class EmpiricalStepsStudy(StepsStudy):
    """A :class:`~ornstein.engine.study.Study` of samplers with the posterior mean of n points."""

    options: EmpiricalStepsOptions
    name: ClassVar[str] = "empirical-steps"

    @property
    def all_steps(self) -> tuple[float, ...]:
        """Numbers of steps, in ascending order."""
        return tuple(sorted(self.options.steps))

    @property
    def metrics(self) -> tuple[str, ...]:
        """One value for each sampler, number of steps and measure, and the baseline."""
        return (*metrics_by_sampler(self, MEASURED), "baseline")

    @property
    def settings(self) -> dict[str, Any]:
        """The options with defaults filled in."""
        settings = {"model": "empirical", **asdict(self.options)}
        del settings["ridge"]
        return settings

    def seconds(self, cell: Cell) -> float:
        """Rough cost of a cell on one core."""
        calls = len(self.options.samplers) * sum(self.options.steps)
        return 1e-3 + calls * (1e-3 + 4 * cell.train_size * self.options.generated * self.dim / 1e9)

    def measure(self, cell: Cell) -> dict[str, float]:
        """Draw a training set, and generate from it in all ways, from the same random numbers."""
        rng, noise = (np.random.default_rng(seed) for seed in cell_seed(self.seed, cell).spawn(2))
        train = self.source.sample(cell.train_size, rng)
        held_out = self.source.sample(1000, rng)
        originals = original_count(self.options.originals, cell.train_size)
        points, state = TrainingPoints.of(train), noise.bit_generator.state
        laws = {(name, steps): law for name, steps, law in self.laws(empirical_law(train))}
        values = {"baseline": memorization(held_out, train, None)["memorized"]}
        for name in self.options.samplers:
            sampler = as_sampler(name)
            for steps in self.all_steps:
                noise.bit_generator.state = state
                levels = self.options.schedule_of(sampler).levels(int(steps))
                made = self._generated(sampler.trajectory(levels), points, noise)
                law = laws[name, steps]
                exact = FittedDistances(
                    kl_divergence(law, self.source), wasserstein_squared(law, self.source)
                )
                found = {
                    **beside_linear(fitted_distances(made, self.source), exact),
                    "memorized": memorization(made, train, None)["memorized"],
                    **kernel_measures(made, train, self.source, originals, self.std),
                }
                values |= {metric_name(name, steps, key): found[key] for key in MEASURED}
        return values

    def summarize(self, store: Store) -> EmpiricalStepsSummary:
        """Average the finished cells."""
        rows = [row for n, values in store.of(self).items() for row in self._rows(n, values)]
        return EmpiricalStepsSummary(
            rows=rows,
            notes=[
                *_NOTES,
                *self.options.without_effect(),
                *few_values_note((row["simulations"] for row in rows), "run"),
            ],
            options=self.options,
            all_steps=tuple(int(steps) for steps in self.all_steps),
            dim=self.dim,
            std=self.std,
        )

    def _generated(
        self, trajectory: Trajectory, train: TrainingPoints, rng: np.random.Generator
    ) -> Array:
        shape = self.options.generated, self.dim
        levels = trajectory.levels
        if self.options.start == "standard":
            first = trajectory.start_std * rng.standard_normal(shape)
        else:
            chosen = train.points[rng.integers(len(train.points), size=shape[0])]
            spread = levels.noise_std[0] * rng.standard_normal(shape)
            first = levels.signal[0] * chosen + spread
        path = denoising_path(
            trajectory,
            first,
            lambda y, s: posterior_mean(y, train, s),
            lambda: rng.standard_normal(shape),
        )
        return deque(path, maxlen=1).pop()

    def _rows(self, train_size: int, values: Mapping[str, list[float]]) -> list[dict[str, Any]]:
        baseline = averages(values, ("baseline",))
        return [
            row | averages(here, AVERAGED) | baseline | share_positive("delta", here["delta_sign"])
            for row, here in rows_by_sampler(self, train_size, values, MEASURED)
        ]


@dataclass(frozen=True, kw_only=True)
class EmpiricalStepsSummary(Summary):
    """Distances and memorized fraction by sampler, training size and number of steps."""

    options: EmpiricalStepsOptions
    all_steps: tuple[int, ...]
    dim: int
    std: float

    report: ClassVar[str] = "empirical_steps"


_NOTES = (
    (
        "The denoiser is the posterior mean over the training points: the least loss that any "
        "model can have on them. What it generates with enough steps are training points."
    ),
    (
        "KL and W2^2: of the Gaussian fit to the generated points, corrected for their number; "
        "linear: exact, for the best linear denoiser of the same points and the same sampler; its "
        "KL is infinite for n - 1 < d."
    ),
)
