r"""The linear study: the one-step denoiser by Monte Carlo, with the theory beside it.

A cell draws a training set of n points, fits the denoiser, and measures its exact generated law
``p`` against the population ``q``: KL(p || q), squared Hellinger and 2-Wasserstein distance,
``tr Sigma_G / (d sigma^2)``; and against points: the squared L2 distances from ``p`` to the
kernel densities of originals and of the training set, as logarithms, and Delta
(:mod:`ornstein.memorization.delta`).

*Mixtures.* KL and Hellinger against a mixture have no closed form and are estimated from
:data:`MIXTURE_DRAWS` points of ``p``, without bias: ``KL = E_p ln(p/q)``,
``Hellinger^2 = 1 - E_p sqrt(q/p)``. The sampling error is part of the standard error over cells.

*Data.* Training sets are drawn without replacement, what is left are the originals, and ``q`` is
the Gaussian with mean and covariance of all points.

With ``original_mode="sampled"`` one set of originals serves all training sizes of a replicate.
"""

from __future__ import annotations

__all__ = ["LinearConfig", "LinearStudy", "summarize", "MIXTURE_DRAWS"]

import hashlib
import math
from dataclasses import asdict, dataclass, field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.data.files import DataSet
from ornstein.denoisers.regression import PairStatistics, fit_pairs
from ornstein.diffusion.one_step_noising import OneStepNoising
from ornstein.engine.running import cell_seed
from ornstein.engine.store import Cell, Store
from ornstein.engine.study import Configured
from ornstein.engine.summary import mean_and_error
from ornstein.gaussians import (
    Gaussian,
    hellinger_squared,
    kl_divergence,
    log_overlap,
    wasserstein_squared,
)
from ornstein.intervals import wilson_interval
from ornstein.kernels.full_dimension import (
    bandwidth,
    log_cross,
    log_cross_expected,
    log_pairs,
    log_pairs_expected,
    log_self_terms,
    signed_log_sum,
)
from ornstein.memorization.delta import DeltaTerms, delta_from_terms
from ornstein.mixtures import Mixture
from ornstein.studies.linear.config import LinearConfig, source_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

MIXTURE_DRAWS = 2000
WITH_THEORY = ("kl", "hellinger2", "wasserstein2", "trace")
METRICS = (*WITH_THEORY, "log_l2_original", "log_l2_train", "delta_sign", "delta_log_abs")


@dataclass(frozen=True)
class LinearStudy(Configured):
    """A :class:`~ornstein.engine.running.Study` of the one-step denoiser."""

    config: LinearConfig
    metrics: tuple[str, ...] = field(default=METRICS, init=False)

    def __post_init__(self) -> None:
        if isinstance(self.source, DataSet):
            most = len(self.source.points) - 2
            if max(self.train_sizes) > most:
                raise ValueError(
                    f"a training set of {max(self.train_sizes)} from the {most + 2} points of "
                    f"{self.source.name}: expected at most {most}, so that originals are left"
                )

    @cached_property
    def source(self) -> Gaussian | Mixture | DataSet:
        """The population, or the data set."""
        return source_of(self.config)

    @property
    def dim(self) -> int:
        """Dimension of the data."""
        return self.source.dim

    @property
    def std(self) -> float:
        """Root of the mean coordinate variance."""
        return self.source.std

    @property
    def process(self) -> OneStepNoising:
        """The noising."""
        return OneStepNoising(self.config.time, self.config.noise_scale)

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the value of a cell."""
        identity = {"study": "linear", **asdict(self.config)}
        del identity["train_sizes"], identity["simulations"]
        if isinstance(self.source, DataSet):
            digest = hashlib.sha256(np.ascontiguousarray(self.source.points).tobytes())
            identity = {
                key: value
                for key, value in identity.items()
                if key not in {"dim", "mean", "std", "weights", "originals", "original_mode"}
            }
            identity |= {"data": self.source.name, "data_sha256": digest.hexdigest()}
        else:
            identity["dim"] = self.dim
        return identity

    def seconds(self, cell: Cell) -> float:
        """Rough cost of a cell on one core."""
        n, d = cell.train_size, self.dim
        cost = 1e-3 + (8 * n * d**2 + 20 * d**3 + 2 * n**2 * d + 10 * n**2) / 1e10
        if isinstance(self.source, DataSet):
            return cost + len(self.source.points) ** 2 * (d + 50) / 2e10
        if self.config.original_mode == "sampled":
            # The originals are drawn once a replicate, with its first size.
            share = self.config.originals**2 * (d + 50) / 2e10
            cost += share if n == self.train_sizes[0] else 0.0
        return cost

    def measure(self, cell: Cell) -> dict[str, float]:
        """Draw, fit and measure one cell."""
        rng = np.random.default_rng(cell_seed(self.seed, cell))
        source = self.source
        if isinstance(source, DataSet):
            train, originals = source.split(cell.train_size, rng)
        else:
            train, originals = source.sample(cell.train_size, rng), None
        statistics = PairStatistics.empty(self.dim)
        statistics.absorb(train, self.process.noised(train, rng))
        law = fit_pairs(statistics, self.process).generated_law
        return {
            **self._distances(law, rng),
            "trace": law.covariance.trace / (self.dim * self.std**2),
            **self._kernel_terms(law, train, originals, cell.replicate),
        }

    def _distances(self, law: Gaussian, rng: np.random.Generator) -> dict[str, float]:
        source = self.source
        if isinstance(source, Mixture):
            kl, hellinger2 = _against_mixture(law, source, rng)
            return {"kl": kl, "hellinger2": hellinger2, "wasserstein2": math.nan}
        reference = _gaussian_of(source) if isinstance(source, DataSet) else source
        return {
            "kl": kl_divergence(law, reference),
            "hellinger2": hellinger_squared(law, reference),
            "wasserstein2": wasserstein_squared(law, reference),
        }

    def _kernel_terms(
        self, law: Gaussian, train: Array, originals: Array | None, replicate: int
    ) -> dict[str, float]:
        eps_train = bandwidth(self.std, len(train), self.dim)
        pairs_train, cross_train = log_pairs(train, eps_train), log_cross(law, train, eps_train)
        count = self.config.originals if originals is None else len(originals)
        eps = bandwidth(self.std, count, self.dim)
        if originals is not None:
            pairs_fresh, cross_fresh = log_pairs(originals, eps), log_cross(law, originals, eps)
        elif self.config.original_mode == "sampled":
            points, pairs_fresh = _sampled_originals(self.config, replicate)
            cross_fresh = log_cross(law, points, eps)
        else:
            source = self.source
            assert not isinstance(source, DataSet)  # originals are given for data
            pairs_fresh = log_pairs_expected(source, count, eps)
            cross_fresh = log_cross_expected(law, source, eps)
        result = delta_from_terms(DeltaTerms(pairs_train, cross_train, pairs_fresh, cross_fresh))
        own = log_overlap(law, law)
        fresh = (own, pairs_fresh, log_self_terms(count, self.dim, eps), cross_fresh)
        seen = (own, pairs_train, log_self_terms(len(train), self.dim, eps_train), cross_train)
        return {
            "log_l2_original": _log_l2(*fresh),
            "log_l2_train": _log_l2(*seen),
            "delta_sign": float(result.sign),
            "delta_log_abs": result.log_abs,
        }

    def theory(self, train_size: int) -> dict[str, float]:
        """Closed-form values at a training size; empty where there are none."""
        if isinstance(self.source, Mixture):
            return {}
        from ornstein.theory import one_step

        predicted = one_step(
            self.dim, train_size, self.config.time, self.config.noise_scale, self.std
        )
        return {
            "kl": float(predicted.kl),
            "hellinger2": float(predicted.hellinger_squared),
            "wasserstein2": float(predicted.wasserstein_squared),
            "trace": float(predicted.trace),
        }

    @property
    def threshold(self) -> float:
        """``n* = d / rho2`` of the isotropic Gaussian of this dimension and std."""
        return self.dim / self.process.signal_fraction(self.std)

    @property
    def theory_is_approximate(self) -> bool:
        """Whether the theory columns stand for a Gaussian that only resembles the data."""
        return isinstance(self.source, DataSet)

    @property
    def notes(self) -> list[str]:
        """What a reader of the table needs to know."""
        notes = []
        if any(size - 1 < self.dim for size in self.train_sizes):
            notes.append(
                "n - 1 < d: the generated law has rank n - 1, so KL and the L2 distances are "
                "infinite and Hellinger^2 is 1; Wasserstein and Delta stay finite."
            )
        if any(abs(size - 1 - self.dim) <= 1 for size in self.train_sizes):
            notes.append(
                "|n - 1 - d| <= 1: the expectations are infinite, so means over runs, where they "
                "are finite, and their standard errors tell of the largest run only."
            )
        if isinstance(self.source, Gaussian):
            notes.append(
                "theory: asymptotic, of error O(1/d) in total nats (trace: exact to O(1/n)); "
                "within the window |n - n*| < n*/sqrt(d), O(1/sqrt(d))."
            )
        if isinstance(self.source, Mixture):
            notes.append(
                "theory: empty, since the closed forms hold for one isotropic Gaussian; KL and "
                f"Hellinger^2 to the mixture are estimated from {MIXTURE_DRAWS} generated points "
                "a cell (error included), Wasserstein to a mixture has no closed form."
            )
        if isinstance(self.source, DataSet):
            notes.append(
                f"theory~: an approximation, the isotropic Gaussian with the mean coordinate "
                f"variance of {self.source.name} ({self.std**2:.4g}); measured distances are to "
                "the Gaussian with the mean and covariance of all its points."
            )
            notes.append(
                f"Delta: the originals are the {len(self.source.points)} - n points left over. "
                "Where their number is not n, sizes alone move Delta away from 0."
            )
            constant = int((np.ptp(self.source.points, axis=0) == 0).sum())
            if constant:
                notes.append(
                    f"{constant} of the {self.dim} coordinates of {self.source.name} are constant. "
                    "Where still more are constant in a training set, the generated law lacks "
                    "directions of the data: KL and the L2 distances are infinite, and "
                    "Hellinger^2 is 1."
                )
        return notes


def summarize(study: LinearStudy, store: Store) -> list[dict[str, float | int]]:
    """One row per training size that has finished cells: the columns of ``summary.csv``."""
    cells = [Cell(n, r) for n in study.train_sizes for r in range(study.simulations)]
    rows: list[dict[str, float | int]] = []
    for train_size, values in store.values(cells).items():
        signs = values["delta_sign"]
        positive = sum(sign > 0 for sign in signs)
        low, high = wilson_interval(positive, len(signs))
        theory = study.theory(train_size)
        row: dict[str, float | int] = {"train_size": train_size, "simulations": len(signs)}
        for name in WITH_THEORY:
            row[f"{name}_mean"], row[f"{name}_se"] = mean_and_error(values[name])
            row[f"{name}_theory"] = theory.get(name, math.nan)
        for name in ("log_l2_original", "log_l2_train", "delta_log_abs"):
            row[f"{name}_mean"], row[f"{name}_se"] = mean_and_error(values[name])
        row["delta_positive"] = positive / len(signs)
        row["delta_positive_low"], row["delta_positive_high"] = low, high
        rows.append(row)
    return rows


def resolved(study: LinearStudy) -> Mapping[str, Any]:
    """The whole configuration, defaults filled in, as `config.yaml` keeps it."""
    config = asdict(study.config)
    if isinstance(study.source, DataSet):
        for name in ("dim", "mean", "std", "weights", "originals", "original_mode"):
            del config[name]
    else:
        config["dim"] = study.dim
    return {key: list(v) if isinstance(v, tuple) else v for key, v in config.items()}


@lru_cache(maxsize=1)
def _sampled_originals(config: LinearConfig, replicate: int) -> tuple[Array, float]:
    """Originals of a replicate and ``ln A'`` of them, kept for its other training sizes."""
    source = source_of(config)
    rng = np.random.default_rng(cell_seed(config.seed, Cell(0, replicate)))
    points = source.sample(config.originals, rng)  # type: ignore[union-attr]
    return points, log_pairs(points, bandwidth(source.std, config.originals, source.dim))


@lru_cache(maxsize=1)
def _gaussian_of(data: DataSet) -> Gaussian:
    """The Gaussian with mean and covariance of all points."""
    centred = data.points - data.mean
    factor = centred.T / math.sqrt(len(centred) - 1)
    return Gaussian.from_factor(data.mean, factor)


def _against_mixture(
    law: Gaussian, mixture: Mixture, rng: np.random.Generator
) -> tuple[float, float]:
    """Unbiased estimates of KL(law || mixture) in nats and of Hellinger^2."""
    if law.covariance.rank < law.dim:
        return math.inf, 1.0
    x = law.sample(MIXTURE_DRAWS, rng)
    log_ratio = law.log_prob(x) - mixture.log_prob(x)
    return float(log_ratio.mean()), float(-np.expm1(-0.5 * log_ratio).mean())


def _log_l2(own: float, pairs: float, self_terms: float, cross: float) -> float:
    """``ln int (p - p_X)^2`` of its terms; ``inf`` for a singular law."""
    if own == math.inf:
        return math.inf
    _, log = signed_log_sum((own, pairs, self_terms, math.log(2) + cross), (1, 1, 1, -1))
    return log
