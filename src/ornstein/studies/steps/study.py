r"""The steps study: quality and memorization against the number of sampling steps, exactly.

A cell draws a training set of n points and fits the best linear denoiser
(:mod:`ornstein.denoisers.linear`). For each sampler and number of steps S, and for the limit
``S = inf``, the generated law is then known exactly, and so are its KL, squared Hellinger and
2-Wasserstein distance to the population and the sign of Delta
(:mod:`ornstein.memorization.delta`, expected originals). The training set is the only thing that
is drawn: curves over S and differences between samplers are free of sampling noise within a cell.

Where the marginal start loses nothing, the KL that n points leave at ``S = inf`` is that of the
empirical Gaussian, with mean and covariance fitted (``1/n``) and nu = n - 1 degrees of freedom:

    E KL = E KL_Wishart(d, nu) + (d/2) ln(n / nu),

:func:`~ornstein.theory.wishart_kl`; for the traces of covariance, ``d nu/n``, and of the mean,
``d/n``, add up to d.
"""

from __future__ import annotations

__all__ = ["StepsStudy", "distances", "DISTANCES"]

import hashlib
import math
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ornstein.covariances import Covariance
from ornstein.denoisers.linear import empirical_law, generated_law, limit_law
from ornstein.diffusion.samplers import as_sampler
from ornstein.engine.study import Study, cell_seed
from ornstein.gaussians import Gaussian, hellinger_squared, kl_divergence, wasserstein_squared
from ornstein.memorization.delta import DeltaStatistic, KernelSet
from ornstein.studies.perfect_models import original_count
from ornstein.studies.steps.values import metric_name, metrics_by_sampler

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.diffusion.samplers import Sampler, Trajectory
    from ornstein.diffusion.schedules import Schedule
    from ornstein.engine.store import Store
    from ornstein.engine.study import Cell
    from ornstein.engine.summary import Summary
    from ornstein.studies.steps.options import StepsOptions

    Array = NDArray[np.float64]

DISTANCES = ("kl", "hellinger2", "wasserstein2")
METRICS = (*DISTANCES, "delta_sign")


@dataclass(frozen=True)
class StepsStudy(Study):
    """A :class:`~ornstein.engine.study.Study` of samplers with a linear denoiser."""

    options: StepsOptions
    name: ClassVar[str] = "steps"

    @cached_property
    def source(self) -> Gaussian:
        """The population."""
        return self.options.law()

    @property
    def dim(self) -> int:
        """Dimension of the data."""
        return self.source.dim

    @property
    def std(self) -> float:
        """Root of the mean coordinate variance."""
        assert self.options.std is not None  # the options fill it in
        return self.options.std

    @property
    def all_steps(self) -> tuple[float, ...]:
        """Numbers of steps, in ascending order, the infinite one last."""
        return (*sorted(self.options.steps), math.inf)

    @property
    def metrics(self) -> tuple[str, ...]:
        """One value for each sampler, number of steps and distance."""
        return metrics_by_sampler(self, METRICS)

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the value of a cell, and which values it has."""
        identity = {"study": self.name, "model": "linear", **asdict(self.options)}
        del identity["train_sizes"], identity["simulations"]
        if self.options.spectrum is None:
            del identity["spectrum"]
        else:
            values = np.array(self.options.eigenvalues(), dtype=np.float64).tobytes()
            identity["spectrum_sha256"] = hashlib.sha256(values).hexdigest()
        # As folders have it that older versions wrote.
        identity["diffusion_steps"] = self.options.diffusion_steps or None
        if self.options.grid is None:
            del identity["grid"]
        return identity | {"steps": sorted(self.options.steps)}

    @property
    def settings(self) -> dict[str, Any]:
        """The options with defaults filled in, and the population by its spectrum."""
        found = {"model": "linear", **asdict(self.options)}
        population, exponent = found.pop("population"), found.pop("exponent")
        if found["spectrum"] is None:
            law = f":{exponent!r}" if population == "power-law" else ""
            found["spectrum"] = f"{population}{law}"
        return found

    def seconds(self, cell: Cell) -> float:
        """Rough cost of a cell on one core."""
        n, d = cell.train_size, self.dim
        laws = len(self.options.samplers) * len(self.all_steps)
        once = 1e-3 + (2 * n**2 * d + 10 * n**2 + 8 * n * d**2 + 20 * d**3) / 1e10
        recursion = len(self.options.samplers) * sum(self.options.steps) * d / 1e8
        each = 3e-4 + n * d / 2e8
        if not self.source.covariance.is_isotropic:
            each += 60 * d**3 / 1e10
        return once + recursion + laws * each

    def measure(self, cell: Cell) -> dict[str, float]:
        """Draw a training set, and measure all laws that are generated from it."""
        rng = np.random.default_rng(cell_seed(self.seed, cell))
        train = self.source.sample(cell.train_size, rng)
        data = empirical_law(train, self.options.ridge)
        data, population, train = _eigenframe(data, self.source, train)
        delta = DeltaStatistic(
            KernelSet.of(train, self.std),
            KernelSet.expected(
                population, original_count(self.options.originals, cell.train_size), self.std
            ),
        )
        values = {}
        for sampler, steps, law in self.laws(data):
            measured = (*distances(law, population), float(delta(law).sign))
            for metric, value in zip(METRICS, measured, strict=True):
                values[metric_name(sampler, steps, metric)] = value
        return values

    def summarize(self, store: Store) -> Summary:
        """Average the finished cells, and find the best numbers of steps."""
        from ornstein.studies.steps.summary import summarize

        return summarize(self, store)

    def orders(self) -> dict[str, float]:
        """Fitted order of convergence of each sampler, with the population's denoiser."""
        from ornstein.theory.linear_denoisers.sampling import convergence_order, sampler_quality

        steps, spectrum = sorted(self.options.steps), self.source.covariance.eigenvalues
        fitted = {}
        for name in self.options.samplers:
            schedule = self.options.schedule_of(as_sampler(name))
            options = {"mean": self.source.mean, "start": self.options.start}
            quality = sampler_quality(spectrum, steps, name, schedule, **options)
            fitted[name] = convergence_order(steps, quality.discretization_squared)
        return fitted

    def kl_floor(self, train_size: int) -> float:
        """Expected KL at ``S = inf`` from the marginal, without ridge."""
        from ornstein.theory.random_matrices.wishart import wishart_kl

        n, d = train_size, self.dim
        expected = float(wishart_kl(d, n - 1).generated_population)
        return expected + 0.5 * d * math.log(n / (n - 1))

    def laws(self, data: Gaussian) -> list[tuple[str, float, Gaussian]]:
        """Sampler, number of steps, and generated law, for all of them."""
        laws = []
        for name in self.options.samplers:
            sampler = as_sampler(name)
            schedule = self.options.schedule_of(sampler)
            for steps in self.all_steps:
                if steps == math.inf:
                    law = limit_law(data, sampler, schedule, self.options.start)
                else:
                    trajectory = _trajectory(sampler, schedule, int(steps))
                    law = generated_law(data, trajectory, self.options.start)
                laws.append((name, steps, law))
        return laws


@lru_cache(maxsize=256)
def _trajectory(sampler: Sampler, schedule: Schedule, n_steps: int) -> Trajectory:
    return sampler.trajectory(schedule.levels(n_steps))


def _eigenframe(
    data: Gaussian, population: Gaussian, train: Array
) -> tuple[Gaussian, Gaussian, Array]:
    """The same in coordinates along the eigenvectors of the data, where all laws are diagonal."""
    C = data.covariance
    assert C.basis is not None  # of an empirical covariance
    Q = np.linalg.qr(C.basis, mode="complete")[0] if C.complement else C.basis
    variances = np.append(C.eigenvalues, np.full(C.complement, C.floor))
    P = population.covariance
    turned = P if P.is_isotropic else Covariance(P.dim, P.eigenvalues, np.ascontiguousarray(Q.T))
    return (
        Gaussian(data.mean @ Q, variances),
        Gaussian(population.mean @ Q, turned),
        train @ Q,
    )


def distances(law: Gaussian, population: Gaussian) -> tuple[float, float, float]:
    """KL in nats, squared Hellinger, and squared 2-Wasserstein distance to the population."""
    return (
        kl_divergence(law, population),
        hellinger_squared(law, population),
        wasserstein_squared(law, population),
    )
