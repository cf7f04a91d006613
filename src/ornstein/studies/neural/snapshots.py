r"""Training dynamics: when a network generalizes, and when it begins to memorize.

A cell trains a network for a fixed number of optimiser steps, the same for all training sizes n,
and looks at it on the way, at 10, 20, 50, 100, ... steps: points are generated then and there, of
which the memorized fraction and Delta are measured (:mod:`ornstein.memorization.sample_measures`).
So is the training objective, on the training images and on held-out ones, at the same noises.

Two times describe a size:

- ``best step``: where the mean test loss is least;
- ``tau_mem``: from where on the memorized fraction of a replicate is at least :data:`HALF`, between
  snapshots interpolated in ``ln(step)``; over replicates the geometric mean, if all of them pass.

Between the two a network generates new points of the population. The test loss falls, at first, in
the same way for every n; ``tau_mem`` grows with n, like n where the time to fit the empirical score
is set by the least eigenvalues of its features: the window opens. :func:`exponent` is the slope of
``ln tau_mem`` against ``ln n``.

References
----------
Bonnaire, Urfin, Biroli, Mezard, "Why diffusion models don't memorize: the role of implicit
dynamical regularization in training", arXiv 2505.17638.
"""

from __future__ import annotations

__all__ = [
    "SnapshotStudy",
    "Window",
    "SnapshotSummary",
    "windows",
    "Exponent",
    "exponent",
    "HALF",
]

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from ornstein.engine.summary import averages, mean_and_error, share_positive
from ornstein.memorization.sample_measures import memorization
from ornstein.studies.neural.models import generate, snapshot_steps
from ornstein.studies.neural.study import MEMORIZED_NOTE, ONCE, NeuralStudy, measured_once
from ornstein.studies.neural.summary import NeuralSummary, described

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ornstein.engine.store import Store
    from ornstein.engine.study import Cell
    from ornstein.studies.neural.models import TrainedModel

    Row = dict[str, float | int]

HALF = 0.5
# Not train_loss, which the history has of every epoch.
WATCHED = ("memorized", "delta", "delta_sign", "loss_train", "loss_test")
_LOSS_EVALUATIONS = {"mlp": 4096, "unet": 512}


class Window(NamedTuple):
    """When networks of one training size are at their best, and when they begin to memorize."""

    train_size: int
    trained_on: int
    """Images they are trained on."""
    best_step: int
    """Snapshot with the least mean test loss."""
    best_loss: float
    memorization_step: float
    """``tau_mem``; NaN if not all replicates get there."""
    memorization_step_low: float
    memorization_step_high: float
    """One standard error of ``ln tau_mem`` below and above."""
    memorized: int
    """Replicates that got there."""


@dataclass(frozen=True)
class SnapshotStudy(NeuralStudy):
    """A :class:`~ornstein.engine.study.Study` of a learned model in training."""

    def __post_init__(self) -> None:
        if self.options.training_steps is None:
            raise ValueError(
                "snapshots compare training sizes at equal numbers of optimiser steps: give "
                "training_steps, which is None"
            )
        super().__post_init__()

    name: ClassVar[str] = "unet-snapshots"

    @property
    def settings(self) -> dict[str, Any]:
        """The options with defaults filled in, as the command line reads them."""
        return {**super().settings, "snapshots": True}

    @property
    def steps(self) -> tuple[int, ...]:
        """Optimiser steps at which it looks."""
        return snapshot_steps(self.options.total_steps(0))

    @property
    def metrics(self) -> tuple[str, ...]:
        """What is watched at every step, and what is measured once."""
        return (*(f"{step}/{name}" for step in self.steps for name in WATCHED), *ONCE)

    def seconds(self, cell: Cell) -> float:
        """Rough cost of a cell on one core."""
        options = self.options
        look = self.sampling_seconds(options.generated, options.chosen_steps)
        look += self.sampling_seconds(2 * _LOSS_EVALUATIONS[options.model], 1)
        return self.training_seconds(cell.train_size) + len(self.steps) * look

    def watched_steps(self, train_size: int) -> tuple[int, ...]:  # noqa: ARG002
        """The same for all training sizes."""
        return self.steps

    @property
    def notes(self) -> list[str]:
        """What a reader of the tables needs to know."""
        return [self.validation_note, MEMORIZED_NOTE]

    def summarize(self, store: Store) -> SnapshotSummary:
        """Average the finished cells, a row for each training size and optimiser step."""
        values = store.of(self)
        found = windows(self, values)
        rows = [row for n, own in values.items() for row in self._rows(n, own)]
        return SnapshotSummary(
            rows=rows, windows=found, exponent=exponent(found), **described(self, rows, self.notes)
        )

    def _observe(self, trainings: Sequence[TrainedModel], step: int) -> list[dict[str, float]]:
        generated = generate(self, trainings, stream=step)
        return [
            self._observed(training, points)
            for training, points in zip(trainings, generated, strict=True)
        ]

    def _observed(self, training: TrainedModel, points: Any) -> dict[str, float]:
        found = self.kernels(points, training)
        return {
            "memorized": memorization(points, training.train, None)["memorized"],
            "delta": found["delta"],
            "delta_sign": found["delta_sign"],
            "loss_train": self._loss(training, training.train),
            "loss_test": self._loss(training, training.data.held_out),
        }

    def _loss(self, training: TrainedModel, points: Any) -> float:
        from ornstein.networks.randomness import keyed_generator

        draws = math.ceil(_LOSS_EVALUATIONS[self.options.model] / len(points))
        # Each time the same noises: what differs between steps is the network.
        return training.model.loss(
            points.reshape(-1, *self.shape),
            draws=draws,
            generator=keyed_generator(training.seeds.sampling, 0),
        )

    def _measure_trained(self, trained: Sequence[TrainedModel]) -> list[dict[str, float]]:
        return [self._watched(model) | measured_once(model) for model in trained]

    def _watched(self, trained: TrainedModel) -> dict[str, float]:
        rows = {int(row["step"]): row for row in trained.history}
        seen = ((step, name) for step in self.steps for name in WATCHED)
        return {f"{step}/{name}": float(rows[step][name]) for step, name in seen}

    def _rows(self, train_size: int, values: Mapping[str, Sequence[float]]) -> Iterator[Row]:
        for step in self.steps:
            here = {name: values[f"{step}/{name}"] for name in WATCHED}
            yield {
                "train_size": train_size,
                "step": step,
                "simulations": len(here["delta"]),
                **averages(here, ("memorized", "delta", "loss_train", "loss_test")),
                **averages(values, ("baseline",)),
                **share_positive("delta", here["delta_sign"]),
                "train_seconds": mean_and_error(values["train_seconds"])[0],
            }


@dataclass(frozen=True, kw_only=True)
class SnapshotSummary(NeuralSummary):
    """What was seen during training, and when networks generalize and memorize."""

    windows: Sequence[Window]
    exponent: Exponent

    report: ClassVar[str] = "snapshots"

    documented: ClassVar[Mapping[str, str]] = {"windows": "windows", "exponent": "exponent"}


def windows(study: SnapshotStudy, found: Mapping[int, Mapping[str, list[float]]]) -> list[Window]:
    """Best step and ``tau_mem`` of each training size that has finished cells."""
    result = []
    for train_size, values in found.items():
        losses = [float(np.mean(values[f"{step}/loss_test"])) for step in study.steps]
        best = int(np.argmin(losses))
        curves = zip(*(values[f"{step}/memorized"] for step in study.steps), strict=True)
        passed = [math.log(crossing(study.steps, curve)) for curve in curves]
        middle, error = mean_and_error(passed)
        times = (math.exp(middle + shift * error) for shift in (0, -1, 1))
        tau, low, high = (time if math.isfinite(time) else math.nan for time in times)
        result.append(
            Window(
                train_size=train_size,
                trained_on=study.options.trained_on(train_size),
                best_step=study.steps[best],
                best_loss=losses[best],
                memorization_step=tau,
                memorization_step_low=low,
                memorization_step_high=high,
                memorized=sum(map(math.isfinite, passed)),
            )
        )
    return result


def crossing(steps: Sequence[int], fractions: Sequence[float]) -> float:
    """From where on `fractions` are at least :data:`HALF`, interpolated in ``ln(step)``; else inf.

    Examples
    --------
    >>> crossing((10, 100, 1000), (0.0, 0.25, 0.75))  # sqrt(100 * 1000)
    316.227766
    """
    above = [fraction >= HALF for fraction in fractions]
    if not above[-1]:
        return math.inf
    first = len(above) - above[::-1].index(False) if False in above else 0
    if first == 0:
        return float(steps[0])
    low, high = fractions[first - 1], fractions[first]
    share = (HALF - low) / (high - low)
    return math.exp(math.log(steps[first - 1]) + share * math.log(steps[first] / steps[first - 1]))


class Exponent(NamedTuple):
    """Slope of ``ln tau_mem`` against ``ln n``, n trained on, and its standard error."""

    slope: float
    error: float


def exponent(found: Sequence[Window]) -> Exponent:
    """Fit by least squares; NaN with fewer than two sizes, an error of NaN without replicates.

    The error follows from those of ``ln tau_mem``: it says nothing of a law that is no power.
    """
    known = [w for w in found if math.isfinite(w.memorization_step)]
    if len({w.trained_on for w in known}) < 2:
        return Exponent(math.nan, math.nan)
    x = np.log([w.trained_on for w in known])
    weights = (x - x.mean()) / ((x - x.mean()) ** 2).sum()
    middle = np.array([w.memorization_step for w in known])
    errors = np.log(np.array([w.memorization_step_high for w in known]) / middle)
    return Exponent(float(weights @ np.log(middle)), float(np.linalg.norm(weights * errors)))
