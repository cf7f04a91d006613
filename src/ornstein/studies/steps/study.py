r"""The steps study: quality and memorization against the number of sampling steps, exactly.

A cell draws a training set of n points and fits the best linear denoiser
(:mod:`ornstein.denoisers.linear`). For each sampler and number of steps S, and for the limit
``S = inf``, the generated law is then known exactly, and so are its KL, squared Hellinger and
2-Wasserstein distance to the population and the sign of Delta
(:mod:`ornstein.memorization.delta`, expected originals). The training set is the only thing that
is drawn: curves over S and differences between samplers are free of sampling noise within a cell.
The tables are made in :mod:`ornstein.studies.steps.summary`.

Where the marginal start loses nothing, the KL that n points leave at ``S = inf`` is that of the
empirical Gaussian, with mean and covariance fitted (``1/n``) and nu = n - 1 degrees of freedom:

    E KL = E KL_Wishart(d, nu) + (d/2) ln(n / nu),

:func:`~ornstein.theory.wishart_kl`; for the traces of covariance, ``d nu/n``, and of the mean,
``d/n``, add up to d.
"""

from __future__ import annotations

__all__ = ["StepsConfig", "StepsStudy", "distances", "metric_name", "resolved", "DISTANCES"]

import math
from dataclasses import asdict, dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ornstein.covariances import Covariance
from ornstein.denoisers.linear import empirical_law, generated_law, limit_law
from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import BetaSchedule, as_schedule
from ornstein.engine.running import cell_seed
from ornstein.engine.study import Configured, check_plan
from ornstein.gaussians import Gaussian, hellinger_squared, kl_divergence, wasserstein_squared
from ornstein.kernels.full_dimension import (
    bandwidth,
    log_cross,
    log_cross_expected,
    log_pairs,
    log_pairs_expected,
)
from ornstein.memorization.delta import DeltaTerms, delta_from_terms
from ornstein.validation import as_count, as_positive

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from ornstein.diffusion.affine_propagation import Start
    from ornstein.diffusion.samplers import Sampler, Trajectory
    from ornstein.diffusion.schedules import Schedule
    from ornstein.engine.store import Cell

    Array = NDArray[np.float64]

DISTANCES = ("kl", "hellinger2", "wasserstein2")
METRICS = (*DISTANCES, "delta_sign")


@dataclass(frozen=True)
class StepsConfig:
    """What a steps study computes.

    Parameters
    ----------
    train_sizes : tuple of int
        Training sizes ``n`` >= 2.
    steps : tuple of int
        Numbers of sampling steps S; the limit is always among the results.
    samplers : tuple of str
        As :func:`~ornstein.diffusion.samplers.as_sampler` reads them.
    dim, mean, std : int, float, float
        Of the population; the mean is repeated over the coordinates, ``std`` is the root of the
        mean coordinate variance.
    population : {"isotropic", "power-law"}
        Shape of the covariance; variances ``k^(-exponent)`` for a power law.
    exponent : float
        Of the power law.
    schedule : str
        Beta schedule (or ``karras``) of DDPM and DDIM.
    ode_schedule : str
        Schedule of Euler and Heun.
    diffusion_steps : int or None
        T of beta schedules; None gives every S a schedule of its own.
    start : {"standard", "marginal"}
        Law of the first point.
    ridge : float
        Of the denoiser.
    originals : int
        Number of originals that Delta compares with.
    simulations : int
        Replicates of each training size.
    seed : int
        Seed of the study.

    Raises
    ------
    ValueError, TypeError
        If a value is out of range, or more steps are asked for than the diffusion has.
    """

    train_sizes: tuple[int, ...]
    steps: tuple[int, ...]
    samplers: tuple[str, ...]
    dim: int = 100
    mean: float = 0.0
    std: float = 1.0
    population: Literal["isotropic", "power-law"] = "isotropic"
    exponent: float = 1.0
    schedule: str = "linear"
    ode_schedule: str = "karras"
    diffusion_steps: int | None = 1000
    start: Start = "standard"
    ridge: float = 0.0
    originals: int = 10_000
    simulations: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("train_sizes", "steps", "samplers"):
            entries = getattr(self, name)
            if not entries or len(set(entries)) < len(entries):
                raise ValueError(f"{name} is {entries}, expected one entry or more, none twice")
        check_plan(self)
        if self.population not in {"isotropic", "power-law"}:
            raise ValueError(
                f"population is {self.population!r}, expected 'isotropic' or 'power-law'"
            )
        if self.start not in {"standard", "marginal"}:
            raise ValueError(f"start is {self.start!r}, expected 'standard' or 'marginal'")
        as_count(self.dim, "dim")
        for name in ("mean", "exponent"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} is {getattr(self, name):g}, expected a finite number")
        as_positive(self.std, "std")
        as_positive(self.ridge, "ridge", zero=True)
        for name in self.samplers:
            levels = self.schedule_of(as_sampler(name))
            for count in self.steps:
                levels.levels(as_count(count, "a number of steps"))

    def schedule_of(self, sampler: Sampler) -> Schedule:
        """The schedule that a sampler uses here."""
        ode = sampler.name in {"euler", "heun"}
        chosen = as_schedule(self.ode_schedule if ode else self.schedule)
        if isinstance(chosen, BetaSchedule):
            return BetaSchedule(chosen.name, self.diffusion_steps)
        return chosen


@dataclass(frozen=True)
class StepsStudy(Configured):
    """A :class:`~ornstein.engine.running.Study` of samplers with a linear denoiser."""

    config: StepsConfig

    @cached_property
    def source(self) -> Gaussian:
        """The population."""
        dim, mean, std = self.config.dim, self.config.mean, self.config.std
        if self.config.population == "isotropic":
            return Gaussian.isotropic(dim, mean, std)
        return Gaussian.power_law(dim, self.config.exponent, mean, std)

    @property
    def dim(self) -> int:
        """Dimension of the data."""
        return self.config.dim

    @property
    def std(self) -> float:
        """Root of the mean coordinate variance."""
        return self.config.std

    @property
    def all_steps(self) -> tuple[float, ...]:
        """Numbers of steps, in ascending order, the infinite one last."""
        return (*sorted(self.config.steps), math.inf)

    @property
    def metrics(self) -> tuple[str, ...]:
        """One value for each sampler, number of steps and distance."""
        return tuple(
            metric_name(sampler, steps, metric)
            for sampler in self.config.samplers
            for steps in self.all_steps
            for metric in METRICS
        )

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the value of a cell, and which values it has."""
        identity = {"study": "steps", "model": "linear", **asdict(self.config)}
        del identity["train_sizes"], identity["simulations"]
        return identity | {"steps": sorted(self.config.steps)}

    def seconds(self, cell: Cell) -> float:
        """Rough cost of a cell on one core."""
        n, d = cell.train_size, self.dim
        laws = len(self.config.samplers) * len(self.all_steps)
        once = 1e-3 + (2 * n**2 * d + 10 * n**2 + 8 * n * d**2 + 20 * d**3) / 1e10
        recursion = len(self.config.samplers) * sum(self.config.steps) * d / 1e8
        each = 3e-4 + n * d / 2e8
        if self.config.population != "isotropic":
            each += 60 * d**3 / 1e10
        return once + recursion + laws * each

    def measure(self, cell: Cell) -> dict[str, float]:
        """Draw a training set, and measure all laws that are generated from it."""
        rng = np.random.default_rng(cell_seed(self.seed, cell))
        train = self.source.sample(cell.train_size, rng)
        data = empirical_law(train, self.config.ridge)
        data, population, train = _eigenframe(data, self.source, train)
        delta = _DeltaSign(population, train, self.config.originals)
        values = {}
        for sampler, steps, law in self.laws(data):
            measured = (*distances(law, population), delta(law))
            for metric, value in zip(METRICS, measured, strict=True):
                values[metric_name(sampler, steps, metric)] = value
        return values

    def orders(self) -> dict[str, float]:
        """Fitted order of convergence of each sampler, with the population's denoiser."""
        from ornstein.theory.linear_denoisers.sampling import convergence_order, sampler_quality

        steps, spectrum = sorted(self.config.steps), self.source.covariance.eigenvalues
        fitted = {}
        for name in self.config.samplers:
            schedule = self.config.schedule_of(as_sampler(name))
            options = {"mean": self.source.mean, "start": self.config.start}
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
        for name in self.config.samplers:
            sampler = as_sampler(name)
            schedule = self.config.schedule_of(sampler)
            for steps in self.all_steps:
                if steps == math.inf:
                    law = limit_law(data, sampler, schedule, self.config.start)
                else:
                    trajectory = _trajectory(sampler, schedule, int(steps))
                    law = generated_law(data, trajectory, self.config.start)
                laws.append((name, steps, law))
        return laws


def metric_name(sampler: str, steps: float, metric: str) -> str:
    """Name of a value in the store."""
    return f"{sampler}/{'inf' if steps == math.inf else int(steps)}/{metric}"


def resolved(study: StepsStudy) -> Mapping[str, Any]:
    """The whole configuration, as `config.yaml` keeps it."""
    config = {"model": "linear", **asdict(study.config)}
    # The command line's word for None.
    config["diffusion_steps"] = study.config.diffusion_steps or 0
    return {key: list(v) if isinstance(v, tuple) else v for key, v in config.items()}


@lru_cache(maxsize=256)
def _trajectory(sampler: Sampler, schedule: Schedule, n_steps: int) -> Trajectory:
    return sampler.trajectory(schedule.levels(n_steps))


class _DeltaSign:
    """Sign of Delta of many laws with one training set; what does not depend on the law, once."""

    def __init__(self, population: Gaussian, train: Array, originals: int) -> None:
        std, dim = population.std, population.dim
        self.population, self.train = population, train
        self.eps_train = bandwidth(std, len(train), dim)
        self.eps_fresh = bandwidth(std, originals, dim)
        self.pairs_train = log_pairs(train, self.eps_train)
        self.pairs_fresh = log_pairs_expected(population, originals, self.eps_fresh)

    def __call__(self, law: Gaussian) -> float:
        cross_train = log_cross(law, self.train, self.eps_train)
        cross_fresh = log_cross_expected(law, self.population, self.eps_fresh)
        terms = DeltaTerms(self.pairs_train, cross_train, self.pairs_fresh, cross_fresh)
        return float(delta_from_terms(terms).sign)


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
