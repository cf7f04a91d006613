r"""The recursion study: a model is fitted on samples of the last one, again and again.

Generation 0 is the population ``N(0, std^2 I)``. A generation is what a model generates that was
fitted on n points of the last generation, of which some may be fresh ones of the population. A cell
follows one line of generations, and measures of each the covariance S, in units of ``std^2``,

    KL(generation || population),  tr S / d,  tr S^2 / d,  (tr S)^2 / d^2.

*gaussian*: mean and covariance of the points, with ``1/(n-1)``, or ``1/n`` where the mean is known.
*one-step*: the linear denoiser of :mod:`ornstein.denoisers.regression`, whose noise is
``noise_scale`` times the mean variance of the law that the points are drawn from.

All laws are exact; only points are drawn.
"""

from __future__ import annotations

__all__ = ["RecursionStudy", "MEASURED"]

import math
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ornstein.denoisers.regression import PairStatistics, fit_pairs
from ornstein.diffusion.one_step_noising import OneStepNoising
from ornstein.engine.study import Study, cell_seed
from ornstein.gaussians import Gaussian, kl_divergence

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.engine.store import Store
    from ornstein.engine.study import Cell
    from ornstein.engine.summary import Summary
    from ornstein.studies.recursion.options import RecursionOptions

    Array = NDArray[np.float64]

MEASURED = ("kl", "trace", "square", "trace_square")


@dataclass(frozen=True)
class RecursionStudy(Study):
    """A :class:`~ornstein.engine.study.Study` of models trained on their own samples.

    Examples
    --------
    >>> from ornstein.studies import RecursionOptions
    >>> options = RecursionOptions(train_sizes=(40,), generations=2, simulations=3)
    >>> summary = RecursionStudy(options).run(jobs=1)
    >>> [row["generation"] for row in summary.rows]
    [1, 2]
    """

    options: RecursionOptions
    name: ClassVar[str] = "recursion"

    @cached_property
    def source(self) -> Gaussian:
        """The population."""
        return Gaussian.isotropic(self.options.dim, 0.0, self.options.std)

    @property
    def metrics(self) -> tuple[str, ...]:
        """One value for each generation and measure."""
        return tuple(f"{k}/{name}" for k in self.generations for name in MEASURED)

    @property
    def generations(self) -> range:
        """Numbers of the generations, from 1 on."""
        return range(1, self.options.generations + 1)

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the value of a cell, and which values it has."""
        identity = {"study": self.name, **asdict(self.options)}
        del identity["train_sizes"], identity["simulations"]
        return identity

    def seconds(self, cell: Cell) -> float:
        """Rough cost of a cell on one core."""
        n, d = cell.train_size, self.options.dim
        return 1e-3 + self.options.generations * (1e-3 + (8 * n * d**2 + 30 * d**3) / 1e10)

    def measure(self, cell: Cell) -> dict[str, float]:
        """Follow one line of generations."""
        rng = np.random.default_rng(cell_seed(self.seed, cell))
        dim, unit = self.options.dim, self.options.std**2
        fresh = self.options.fresh_points(cell.train_size)
        law, values = self.source, {}
        for k in self.generations:
            old = law.sample(cell.train_size - fresh, rng)
            points = np.concatenate([self.source.sample(fresh, rng), old]) if fresh else old
            share = fresh / cell.train_size
            variance = share * unit + (1 - share) * law.covariance.trace / dim
            law = self._fitted(points, variance, rng)
            modes, counts = law.covariance.modes / unit, law.covariance.multiplicities
            trace = float(modes @ counts)
            found = (
                kl_divergence(law, self.source),
                trace / dim,
                float(np.square(modes) @ counts) / dim,
                (trace / dim) ** 2,
            )
            values |= {f"{k}/{name}": v for name, v in zip(MEASURED, found, strict=True)}
        return values

    def summarize(self, store: Store) -> Summary:
        """Compare the finished cells with theory."""
        from ornstein.studies.recursion.summary import summarize

        return summarize(self, store)

    def _fitted(self, points: Array, variance: float, rng: np.random.Generator) -> Gaussian:
        """The law that a model of `points` generates, drawn from a law of that mean variance."""
        options = self.options
        if options.model == "one-step":
            assert options.time is not None
            assert options.noise_scale is not None
            process = OneStepNoising(options.time, options.noise_scale * variance)
            statistics = PairStatistics.empty(options.dim)
            statistics.absorb(points, process.noised(points, rng))
            return fit_pairs(statistics, process).generated_law
        mean = np.zeros(options.dim) if options.known_mean else points.mean(axis=0)
        degrees = len(points) - (not options.known_mean)
        return Gaussian.from_factor(mean, (points - mean).T / math.sqrt(degrees))
