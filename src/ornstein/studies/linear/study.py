r"""The linear study: the one-step denoiser by Monte Carlo, with the theory beside it.

A cell draws a training set of n points, fits the denoiser, and measures its exact generated law
``p`` against the population ``q``: KL(p || q), squared Hellinger and 2-Wasserstein distance,
``tr Sigma_G / (d sigma^2)``; and against points: the squared L2 distances from ``p`` to the
kernel densities of originals and of the training set, as logarithms, and Delta
(:mod:`ornstein.memorization.delta`).

*Mixtures.* KL and Hellinger distance are estimated from points of ``p``
(:class:`~ornstein.data.sources.PopulationSource`); the sampling error is part of the standard error
over cells.

*Data.* Training sets are drawn without replacement, what is left (or so much of it as is asked for)
are the originals, and ``q`` is the Gaussian with mean and covariance of all points. Of a file that
is read in blocks large training sets are fitted block by block, and not compared with points.

*Theory* is that of a Gaussian of the spectrum of the population or of the data
(:func:`ornstein.theory.one_step_anisotropic`). Of data, drawn without replacement, it is that of a
finite population.

With ``original_mode="sampled"`` one set of originals serves all training sizes of a replicate; for
``originals="n"`` the first n of it.
"""

from __future__ import annotations

__all__ = ["LinearStudy", "COMPARED", "METRICS"]

import hashlib
import math
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ornstein.data.files import open_data
from ornstein.data.sources import PopulationSource, Source
from ornstein.data.spectra import describe_spectrum, source_spectrum
from ornstein.denoisers.regression import PairStatistics, fit_pairs
from ornstein.diffusion.one_step_noising import OneStepNoising
from ornstein.engine.study import Cell, cell_seed
from ornstein.gaussians import Gaussian
from ornstein.memorization.delta import DeltaStatistic, KernelSet
from ornstein.studies.linear.options import OF_POPULATIONS, LinearOptions, sizes_around
from ornstein.studies.perfect_models import original_count
from ornstein.studies.source_study import SourceStudy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from ornstein.engine.store import Store
    from ornstein.studies.linear.summary import LinearSummary

    Array = NDArray[np.float64]

COMPARED = ("kl", "hellinger2", "wasserstein2", "trace")
"""Values that theory predicts."""
OF_POINTS = ("log_l2_original", "log_l2_train", "delta_sign", "delta_log_abs")
"""Values that compare with points."""
METRICS = (*COMPARED, *OF_POINTS)


@dataclass(frozen=True)
class LinearStudy(SourceStudy):
    """A :class:`~ornstein.engine.study.Study` of the one-step denoiser.

    Examples
    --------
    >>> options = LinearOptions(train_sizes=(20, 40), dim=8, simulations=3)
    >>> summary = LinearStudy(options).run(jobs=1)
    >>> [row["train_size"] for row in summary.rows]
    [20, 40]
    """

    options: LinearOptions
    name: ClassVar[str] = "linear"
    of_populations: ClassVar[Mapping[str, Any]] = OF_POPULATIONS

    def __post_init__(self) -> None:
        if self.options.train_sizes is None:
            sizes = sizes_around(self.dim, int(self.source.largest_train_size))
            object.__setattr__(self, "options", replace(self.options, train_sizes=sizes))
        self.require_points()
        if self.options.originals is None:
            few = self.source.originals
            object.__setattr__(self, "options", replace(self.options, originals=few))
        elif self.options.data is not None:
            self._require_originals()

    def read_source(self) -> Source:
        """Make the population, or read the data set."""
        return _source_of(self.options)

    @property
    def identity(self) -> dict[str, Any]:
        """All that decides the value of a cell; a spectrum by the digest of its eigenvalues."""
        identity = super().identity
        if self.options.has_spectrum:
            values = np.ascontiguousarray(self.options.eigenvalues()).tobytes()
            return identity | {"spectrum_sha256": hashlib.sha256(values).hexdigest()}
        # Folders of older versions do not have it.
        identity.pop("spectrum", None)
        return identity

    @property
    def metrics(self) -> tuple[str, ...]:
        """Names of the values that a cell measures."""
        return METRICS

    @property
    def process(self) -> OneStepNoising:
        """The noising."""
        return OneStepNoising(self.options.time, self.options.noise_scale)

    def _effective_options(self) -> dict[str, Any]:
        options = super()._effective_options()
        if self.options.pixels is None:
            del options["pixels"]
        if self.options.originals is None:
            del options["originals"]
        return options

    def seconds(self, cell: Cell) -> float:
        """Rough cost of a cell on one core."""
        n, d = cell.train_size, self.dim
        cost = 1e-3 + (8 * n * d**2 + 20 * d**3 + 2 * n**2 * d + 10 * n**2) / 1e10
        if self.source.population is None:
            if not self.source.fits(n):
                return 1e-3 + (8 * n * d**2 + 20 * d**3) / 1e10
            return cost + self._count_of_data(n) ** 2 * (d + 50) / 2e10
        shared = self.options.originals != "n"
        if self.options.original_mode == "sampled" and (n == self.train_sizes[0] or not shared):
            # The originals are drawn once a replicate, with its first size.
            cost += self._original_count(n) ** 2 * (d + 50) / 2e10
        return cost

    def measure(self, cell: Cell) -> dict[str, float]:
        """Draw, fit and measure one cell."""
        rng = np.random.default_rng(cell_seed(self.seed, cell))
        statistics = PairStatistics.empty(self.dim)
        train = originals = None
        if self.source.fits(cell.train_size):
            train, originals = self._draw(cell.train_size, rng)
            statistics.absorb(train, self.process.noised(train, rng))
        else:
            for block in self.source.training_blocks(cell.train_size, rng):
                statistics.absorb(block, self.process.noised(block, rng))
        law = fit_pairs(statistics, self.process).generated_law
        values = {
            **self.source.distances(law, rng)._asdict(),
            "trace": law.covariance.trace / (self.dim * self.std**2),
        }
        if train is None:
            return values | dict.fromkeys(OF_POINTS, math.nan)
        return values | self._kernel_measures(law, train, originals, cell.replicate)

    def summarize(self, store: Store) -> LinearSummary:
        """Compare the finished cells with theory."""
        from ornstein.studies.linear.summary import summarize

        return summarize(self, store)

    def theory(self, train_sizes: Sequence[int]) -> dict[str, Array]:
        """Closed-form values at training sizes; empty for a mixture, which has none."""
        population = self.source.population
        if population is not None and len(population.components) > 1:
            return {}
        from ornstein.studies.linear.prediction import predicted

        return predicted(self, train_sizes)

    @cached_property
    def spectrum(self) -> Array:
        """Eigenvalues of the covariance in descending order, in squared data units."""
        return source_spectrum(self.source)

    @property
    def threshold(self) -> float:
        """``n* = sum_k 1 / rho2_k`` of the spectrum; infinite if an eigenvalue is 0.

        Of a mixture: that of the Gaussian with its covariance.
        """
        noise = self.options.noise_scale * -math.expm1(-2.0 * self.options.time)
        if noise == 0.0:
            return float((self.spectrum > 0).sum())
        with np.errstate(divide="ignore", over="ignore"):
            return float((1.0 + noise / self.spectrum).sum())

    def _draw(self, n: int, rng: np.random.Generator) -> tuple[Array, Array | None]:
        """Training set, and originals of data: those asked for, or all."""
        if self.options.data is None or self.options.originals is None:
            train, originals, _ = self.source.draw(n, rng)
            return train, originals
        train, _, originals = self.source.draw(n, rng, self._count_of_data(n))
        return train, originals

    def _count_of_data(self, train_size: int) -> int:
        """Number of originals of data at a training size."""
        left = int(self.source.largest_train_size) + 2 - train_size
        if self.options.originals is None:
            return left
        return min(self._original_count(train_size), left)

    def _require_originals(self) -> None:
        """Raise ValueError if more originals are asked for than data have left."""
        for n in self.train_sizes:
            if self.source.fits(n) and self._original_count(n) > self._count_of_data(n):
                raise ValueError(
                    f"{self._original_count(n)} originals beside a training set of {n} from the "
                    f"{int(self.source.largest_train_size) + 2} points of {self.source.name}: "
                    f"expected at most {self._count_of_data(n)}"
                )

    def _original_count(self, train_size: int) -> int:
        """Number N of originals of a population at a training size."""
        return original_count(self.options.originals or 0, train_size)

    def _kernel_measures(
        self, law: Gaussian, train: Array, originals: Array | None, replicate: int
    ) -> dict[str, float]:
        """Distances of the law to training set and originals, and Delta."""
        seen = KernelSet.of(train, self.std)
        population = self.source.population
        if originals is not None:
            fresh = KernelSet.of(originals, self.std)
        elif self.options.original_mode == "sampled":
            fresh = _sampled_originals(self.options, replicate, self._original_count(len(train)))
        else:
            assert population is not None  # a data set gives originals
            fresh = KernelSet.expected(population, self._original_count(len(train)), self.std)
        result = DeltaStatistic(seen, fresh)(law)
        return {
            "log_l2_original": fresh.log_l2_squared(law, result.log_terms.cross_originals),
            "log_l2_train": seen.log_l2_squared(law, result.log_terms.cross_train),
            "delta_sign": float(result.sign),
            "delta_log_abs": result.log_abs,
        }


def _source_of(options: LinearOptions) -> Source:
    """Build the population, or read the data."""
    if options.data is not None:
        return open_data(options.data, options.reading_options(), pixels=options.pixels)
    assert options.dim is not None
    assert options.mean is not None
    if options.has_spectrum:
        values, mean = options.eigenvalues(), np.full(options.dim, options.mean[0])
        words = describe_spectrum(values, options.spectrum or "")
        return PopulationSource(Gaussian(mean, values), covariance_name=words)
    assert options.std is not None
    return PopulationSource.isotropic(options.dim, options.mean, options.std, options.weights)


@lru_cache(maxsize=1)
def _sampled_originals(options: LinearOptions, replicate: int, count: int) -> KernelSet:
    """Originals of a replicate, kept for its other training sizes."""
    source = _source_of(options)
    rng = np.random.default_rng(cell_seed(options.seed, Cell(0, replicate)))
    return KernelSet.of(source.draw(count, rng).train, source.std)
