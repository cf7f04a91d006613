r"""Networks trained on samples of the last network, generation after generation.

Generation 0 is the population ``N(0, std^2 I)``. A generation is what a network generates that was
trained, from new initial weights, on n points of the last generation, of which some may be fresh
ones of the population. As in :mod:`ornstein.studies.recursion.study` a cell follows one line of
generations and measures of each the covariance S, in units of ``std^2``,

    KL(generation || population),  tr S / d,  tr S^2 / d,  (tr S)^2 / d^2.

Of a network only samples are known: S is the covariance C of M generated points, none of which the
next network is trained on. KL is that of the Gaussian with their mean and covariance, less the
excess of M points (:func:`~ornstein.memorization.sample_measures.fitted_distances`). With
``nu = M - 1`` and points of a Gaussian,

    E tr C^2 = (1 + 1/nu) tr S^2 + (tr S)^2 / nu,      E (tr C)^2 = (tr S)^2 + 2 tr S^2 / nu,

which is solved for the moments of S. The trace has no bias. Where points are not Gaussian, what is
left is ``O(1/M)`` times their fourth cumulants.

Beside them stands the theory of a model that *is* the Gaussian of the points it is trained on
(:func:`ornstein.theory.recursive_kl`, :func:`~ornstein.theory.recursive_variance`): what finite n
does alone. It is a reference, and no prediction for a network.

References
----------
Muirhead, "Aspects of multivariate statistical theory", 1982, section 3.2 (Wishart moments).
"""

from __future__ import annotations

__all__ = ["NeuralRecursionStudy", "NeuralRecursionSummary", "moments"]

import math
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ornstein.data.sources import PopulationSource
from ornstein.engine.summary import averages
from ornstein.memorization.sample_measures import fitted_distances, require_fit
from ornstein.studies.neural.models import generate, torch_threads, train_all, untrained
from ornstein.studies.neural.study import CellData, CellSeeds, NeuralStudy, remove_checkpoints
from ornstein.studies.neural.summary import NeuralSummary, described
from ornstein.studies.recursion.options import RecursionOptions
from ornstein.studies.recursion.prediction import predicted
from ornstein.studies.recursion.study import MEASURED, RecursionStudy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ornstein.data.sources import Source
    from ornstein.engine.store import Store
    from ornstein.engine.study import Cell
    from ornstein.gaussians import Gaussian
    from ornstein.studies.neural.models import TrainedModel
    from ornstein.studies.neural.recursion_options import NeuralRecursionOptions

    Array = NDArray[np.float64]

LOSS = "train_loss"


@dataclass(frozen=True)
class NeuralRecursionStudy(NeuralStudy):
    """A :class:`~ornstein.engine.study.Study` of networks trained on samples of the last one."""

    options: NeuralRecursionOptions
    name: ClassVar[str] = "mlp-recursion"

    def __post_init__(self) -> None:
        super().__post_init__()
        require_fit(self.options.generated, self.dim)

    def read_source(self) -> Source:
        """Make the population."""
        options = self.options
        return PopulationSource.isotropic(options.dim, options.mean, options.std)

    @property
    def generations(self) -> range:
        """Numbers of the generations, from 1 on."""
        return range(1, self.options.generations + 1)

    @property
    def metrics(self) -> tuple[str, ...]:
        """One value for each generation and measure, and the loss of its network."""
        return tuple(f"{k}/{name}" for k in self.generations for name in (*MEASURED, LOSS))

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the value of a cell, and which values it has."""
        return self._options_of(super().identity) | {"std": self.options.std[0]}

    @property
    def settings(self) -> dict[str, Any]:
        """The options with defaults filled in."""
        return self._options_of(super().settings)

    def seconds(self, cell: Cell) -> float:
        """Rough cost of a cell on one core."""
        count = self.options.generated + cell.train_size
        sampling = self.sampling_seconds(count, self.options.chosen_steps)
        return self.options.generations * (self.training_seconds(cell.train_size) + sampling)

    def seeds_of(self, cell: Cell, generation: int) -> CellSeeds:
        """Seeds of one generation of a cell; that of data is for points of the population."""
        place = (cell.train_size, cell.replicate, generation)
        data, *others = np.random.SeedSequence(self.seed, spawn_key=place).spawn(4)
        return CellSeeds(data, *(int(other.generate_state(1)[0]) for other in others))

    def measure_batch(self, cells: Sequence[Cell]) -> list[dict[str, float]]:
        """Follow the lines of cells of one training size, networks of a generation at once.

        Raises
        ------
        ValueError
            If what a network generates is not finite.
        """
        reference, n = self.source.moments(), cells[0].train_size
        count, kept = self.options.generated, n - self.options.fresh_points(n)
        values: list[dict[str, float]] = [{} for _ in cells]
        old: list[Array] = [np.empty((0, self.dim)) for _ in cells]
        trained: list[TrainedModel] = []
        with torch_threads(self.execution.threads):
            for k in self.generations:
                starts = [self._start(*each, k) for each in zip(cells, old, strict=True)]
                models = train_all(self, starts)
                points = generate(self, models, count=count + kept)
                for own, model, each in zip(values, models, points, strict=True):
                    found = self._measured(model, each[:count], k, reference)
                    own |= {f"{k}/{name}": value for name, value in found.items()}
                old = [each[count:] for each in points]
                # A cell that is taken up again takes all its trainings from their checkpoints.
                trained += models
        remove_checkpoints(trained)
        return values

    def summarize(self, store: Store) -> NeuralRecursionSummary:
        """Average the finished cells, a row for each training size and generation."""
        rows = [row for n, values in store.of(self).items() for row in self._rows(n, values)]
        return NeuralRecursionSummary(rows=rows, **described(self, rows, self.notes))

    @property
    def notes(self) -> list[str]:
        """What a reader of the tables needs to know."""
        options, sizes = self.options, self.train_sizes
        notes = [] if options.train_fraction == 1 else [self.validation_note]
        notes.append(
            "KL is of the Gaussian with the moments of the generated points. It and the second "
            f"moments are corrected for the number of points, {options.generated}, as of Gaussian "
            "ones, so that a KL near 0 may be negative."
        )
        if any(options.fresh_points(n) for n in sizes):
            counts = ", ".join(f"{options.fresh_points(n)} of {n}" for n in sizes[:4])
            notes.append(f"fresh points: {counts}{', ...' if len(sizes) > 4 else ''}.")
            notes.append("Gaussian: there is no theory for a fitted mean with fresh points.")
        if any(not options.fresh_points(n) for n in sizes):
            notes.append(
                "Gaussian: exact for a model that is the Gaussian of the points it is trained on. "
                "It shows what their number does alone, and predicts no network: one has errors of "
                "training and of sampling as well, from the first generation on."
            )
        return notes

    def _start(self, cell: Cell, old: Array, k: int) -> TrainedModel:
        """The untrained network of a generation, and its points: fresh ones, then old ones."""
        seeds = self.seeds_of(cell, k)
        points = np.concatenate([self._fresh(cell.train_size - len(old), seeds), old])
        data = CellData(points, None, np.empty((0, self.dim)))
        return untrained(self, cell, data, seeds, part=f"g{k}")

    def _fresh(self, count: int, seeds: CellSeeds) -> Array:
        if not count:
            return np.empty((0, self.dim))
        return self.source.draw(count, np.random.default_rng(seeds.data)).train

    def _measured(
        self, trained: TrainedModel, points: Array, k: int, reference: Gaussian
    ) -> dict[str, float]:
        if not np.isfinite(points).all():
            raise ValueError(
                f"the network of generation {k} generates values that are not finite: expected "
                "numbers, give more optimiser steps or a smaller learning rate"
            )
        found = {
            "kl": fitted_distances(points, reference).kl,
            **moments(points / self.options.std[0]),
        }
        last = trained.history[-1] if trained.history else {}
        return found | {LOSS: float(last.get(LOSS, math.nan))}

    def _rows(
        self, train_size: int, values: Mapping[str, Sequence[float]]
    ) -> list[dict[str, float]]:
        gaussian, rows = self._gaussian(train_size), []
        for i, k in enumerate(self.generations):
            here = {name: values[f"{k}/{name}"] for name in (*MEASURED, LOSS)}
            row = {"train_size": train_size, "generation": k, "simulations": len(here["kl"])}
            for name in MEASURED:
                row |= averages(here, (name,)) | {f"{name}_gaussian": float(gaussian[name][i])}
            rows.append(row | averages(here, (LOSS,)))
        return rows

    def _gaussian(self, train_size: int) -> dict[str, Array]:
        """Theory of Gaussian models of as many points as the networks are trained on."""
        options, count = self.options, self.options.trained_on(train_size)
        fresh = options.fresh_points(train_size) / train_size
        if count < 2:
            return {name: np.full(options.generations, math.nan) for name in MEASURED}
        chosen = RecursionOptions(
            (count,), options.generations, dim=options.dim, fresh_fraction=fresh
        )
        return predicted(RecursionStudy(chosen), count)

    def _options_of(self, values: dict[str, Any]) -> dict[str, Any]:
        """Without what is no option of this study."""
        hidden = {each.name for each in fields(self.options) if not each.init}
        return {name: value for name, value in values.items() if name not in hidden}


def moments(points: Array) -> dict[str, float]:
    """Moments of the covariance S behind Gaussian points, without bias.

    Parameters
    ----------
    points : ndarray of shape (n_points, dim)
        At least three.

    Returns
    -------
    dict of str to float
        ``trace``, tr S / d; ``square``, tr S^2 / d; ``trace_square``, (tr S)^2 / d^2.
    """
    count, dim = points.shape
    nu = count - 1
    scaled = (points - points.mean(axis=0)) / math.sqrt(nu)
    C = scaled.T @ scaled
    trace, square = float(np.trace(C)), float(np.square(C).sum())
    unbiased = nu**2 * (square - trace**2 / nu) / ((nu - 1) * (nu + 2))
    return {
        "trace": trace / dim,
        "square": unbiased / dim,
        "trace_square": (trace**2 - 2 * unbiased / nu) / dim**2,
    }


@dataclass(frozen=True, kw_only=True)
class NeuralRecursionSummary(NeuralSummary):
    """What a study of networks trained on each other found.

    Rows have ``train_size``, ``generation``, ``simulations``, for each of KL, trace, square and
    trace_square ``_mean``, ``_se`` and ``_gaussian``, and the training loss.
    """

    options: NeuralRecursionOptions

    report: ClassVar[str] = "recursion"
