r"""Theory beside a linear study: of the spectrum that its training sets come from.

An isotropic population has the closed forms of :func:`ornstein.theory.one_step`, any other Gaussian
those of :func:`ornstein.theory.one_step_anisotropic`. Data are a finite population: N points, drawn
without replacement, whose sample covariance is the covariance of reference.

**Which distances of data.** Trace and Wasserstein distance are sums over directions in which those
of large variance count most, and follow the theory of a Gaussian of the same covariance (on the
digits the trace within 2%, the Wasserstein distance within 5%). KL and Hellinger distance count
every direction alike, however little it varies, and the generated variance along a direction
follows from how often a training set varies along it at all: a pixel that is almost always 0 has
nothing of a Gaussian. These two are predicted where all principal components have an excess
kurtosis of at most :data:`MOST_KURTOSIS`, and not otherwise.

P(Delta > 0) is predicted for isotropic Gaussians and originals in expectation.
"""

from __future__ import annotations

__all__ = [
    "predicted",
    "kl_of_infinite_data",
    "shares_hold",
    "predicted_shares",
    "heavy_components",
    "MOST_KURTOSIS",
]

from typing import TYPE_CHECKING

import numpy as np

from ornstein.theory import delta_positive_probability, one_step, one_step_anisotropic
from ornstein.theory.one_step_model.delta_probability import delta_probability_holds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ornstein.data.sources import Source
    from ornstein.studies.linear.study import LinearStudy

    Array = NDArray[np.float64]

MOST_KURTOSIS = 1.5


def predicted(study: LinearStudy, train_sizes: Sequence[int]) -> dict[str, Array]:
    """Expected KL, squared Hellinger and Wasserstein distance, and trace, by training size.

    Parameters
    ----------
    study : LinearStudy
        Of one Gaussian, or of data.
    train_sizes : sequence of int

    Returns
    -------
    dict of str to ndarray of shape (sizes,)
        NaN where the data are not Gaussian enough for it.
    """
    source, options = study.source, study.options
    process = options.time, options.noise_scale
    sizes = np.asarray(train_sizes, dtype=int)
    if source.population is not None and not options.has_spectrum:
        found = one_step(study.dim, sizes, *process, study.std)
    else:
        count = None if source.population is not None else int(source.largest_train_size) + 2
        found = one_step_anisotropic(
            study.spectrum, sizes, *process, population_size=count, fitted_variance=True
        )
    columns = {
        "kl": found.kl,
        "hellinger2": found.hellinger_squared,
        "wasserstein2": found.wasserstein_squared,
        "trace": found.trace,
    }
    if heavy_components(source):
        columns |= dict.fromkeys(("kl", "hellinger2"), np.nan)
    return {name: np.broadcast_to(values, sizes.shape) for name, values in columns.items()}


def kl_of_infinite_data(study: LinearStudy) -> float | None:
    """KL that stays with infinitely many points, in nats; None of data, which are finite.

    Examples
    --------
    >>> from ornstein.studies import LinearOptions, LinearStudy
    >>> round(kl_of_infinite_data(LinearStudy(LinearOptions(dim=100))), 3)
    9.428
    """
    population, options = study.source.population, study.options
    if population is None or len(population.components) > 1:
        return None
    process = options.time, options.noise_scale
    many = 10 * study.dim  # any number: the limit is the same
    if options.has_spectrum:
        found = one_step_anisotropic(study.spectrum, many, *process)
    else:
        found = one_step(study.dim, many, *process, study.std)
    return float(found.kl_infinite_data)


def shares_hold(study: LinearStudy, train_sizes: Sequence[int]) -> NDArray[np.bool_]:
    """Whether there is theory of P(Delta > 0), by training size.

    There is none of data, mixtures, other spectra than isotropic, and originals that are drawn.
    """
    population, options = study.source.population, study.options
    held = delta_probability_holds(study.dim, np.asarray(train_sizes, dtype=int))
    isotropic = population is not None and len(population.components) == 1
    return held & (isotropic and not options.has_spectrum and options.original_mode == "expected")


def predicted_shares(study: LinearStudy, train_sizes: Sequence[int]) -> Array:
    """P(Delta > 0) by training size; NaN where `shares_hold` is false."""
    options, held = study.options, shares_hold(study, train_sizes)
    shares = np.full(held.shape, np.nan)
    if held.any():
        sizes = np.asarray(train_sizes, dtype=int)[held]
        originals = sizes if options.originals == "n" else np.full(sizes.shape, options.originals)
        process = options.time, options.noise_scale
        shares[held] = delta_positive_probability(study.dim, sizes, originals, *process, study.std)
    return shares


def heavy_components(source: Source) -> int:
    """Number of principal components of data that are far from Gaussian; 0 of a population.

    Those of an excess kurtosis above :data:`MOST_KURTOSIS`, which for N Gaussian points is 0 with a
    standard error of ``sqrt(24 / N)``.
    """
    found = source.excess_kurtosis()
    return 0 if found is None else int((found > MOST_KURTOSIS).sum())
