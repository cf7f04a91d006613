r"""What generated points are measured against: training set, originals, population.

**Distances and Delta** (:mod:`ornstein.memorization.sample_delta`), coordinate by coordinate and in
full dimension, and the **memorized fraction** with its held-out baseline
(:mod:`ornstein.memorization.neighbours`), are of the points themselves.

**KL and Wasserstein** are between Gaussians of equal mean and covariance: ``N(g, C)`` fitted to M
generated points, C with ``1/(M-1)``, and ``Q = N(m, Sigma)`` of the population (for a mixture, with
its mean and covariance). A fit is further from Q than the law ``N(mu, S)`` that was sampled. With
``nu = M - 1``, for KL exactly if that law is Gaussian,

    E KL(N(g, C) || Q) = KL(N(mu, S) || Q) + E KL_Wishart(d, nu) + tr(Sigma^{-1} S) / (2 M),

since ``E C = S``, ``E ln det C`` differs from ``ln det S`` as for any Wishart matrix
(:func:`~ornstein.theory.wishart_kl`), and ``g`` has covariance ``S/M``; for Wasserstein to first
order in ``1/nu``, with the roots ``r_i`` of the eigenvalues of ``Sigma^{1/2} S Sigma^{1/2}``,

    E W2^2(N(g, C), Q) = W2^2(N(mu, S), Q) + tr S / M
                         + (1 / 2 nu) [ sum_ij r_i r_j / (r_i + r_j) + 1/2 sum_i r_i ].

(The second is second-order perturbation of ``tr (Sigma^{1/2} C Sigma^{1/2})^{1/2}``.) Both
excesses are taken off, with C in place of S, so that the values do not depend on M on average. For
a law near Q they may come out below 0.

**Components of a mixture**: each generated point is taken to come from the component of the
population from which it most probably comes, ``argmax_a w_a N(x; m_a, Sigma_a)``; the share of
points, their mean over points and coordinates, and the root of their mean coordinate variance are
to be compared with weight, mean and standard deviation of the component. (Where components overlap,
points are exchanged at the border, by a perfect model as well.)

**The linear curve beside them.** What the best linear denoiser generates, with the same process,
sampler, number of steps and start, trained on the same images: a Gaussian known exactly
(:mod:`ornstein.denoisers.linear`), of rank ``n - 1`` below ``n = d + 1``. It is what a network
could have learned from two moments. (The one-step model of :mod:`ornstein.theory.one_step` would
not be comparable: it has another noising, and stays biased for any number of points.) The marginal
start is one law for both; a start from the population is, for the linear denoiser, one from its
Gaussian.

References
----------
Muirhead, "Aspects of multivariate statistical theory", 1982, section 3.2 (Wishart moments). The
corrections are this project's own.
"""

from __future__ import annotations

__all__ = [
    "kernel_measures",
    "memorization",
    "FittedDistances",
    "fitted_distances",
    "linear_distances",
    "FITTED",
    "beside_linear",
    "component_moments",
    "COMPONENT_MOMENTS",
    "can_be_fitted",
    "require_fit",
]

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ornstein.denoisers.linear import empirical_law, generated_law
from ornstein.gaussians import Gaussian, kl_divergence, wasserstein_squared
from ornstein.kernels.full_dimension import bandwidth, log_pairs, log_self_terms, signed_log_sum
from ornstein.memorization.neighbours import memorized_fraction
from ornstein.memorization.sample_delta import coordinate_delta, sample_delta
from ornstein.theory.random_matrices.wishart import wishart_kl

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.diffusion.samplers import Trajectory
    from ornstein.mixtures import Population

    Array = NDArray[np.float64]


COMPONENT_MOMENTS = ("weight", "mean", "std")
FITTED = ("kl", "kl_linear", "wasserstein2", "wasserstein2_linear")
"""Values of a study: distances of what a model generates, and of the linear denoiser."""


class FittedDistances(NamedTuple):
    """From a generated law to a reference: KL in nats, Wasserstein in squared data units."""

    kl: float
    wasserstein2: float


def kernel_measures(
    generated: Array, train: Array, originals: Any, n_original: int, std: float
) -> dict[str, float]:
    """Distances and Delta, per coordinate and in full dimension.

    Parameters
    ----------
    generated, train : ndarray of shape (n_points, dim)
        Generated points and training set.
    originals : Population, or ndarray of shape (n_points, dim)
    n_original : int
        Originals to expect, of a population.
    std : float
        Data scale of the bandwidths in full dimension.
    """
    known = hasattr(originals, "components")
    count = n_original if known else len(originals)
    options = {"n_original": n_original} if known else {}
    by_coordinate = coordinate_delta(generated, train, originals, **options)
    full = sample_delta(generated, train, originals, std, **options)
    pairs_t, cross_t, pairs_o, cross_o = full.log_terms
    return {
        "distance_original": by_coordinate.distance_original,
        "distance_train": by_coordinate.distance_train,
        "delta": by_coordinate.delta,
        "delta_sign": float(by_coordinate.sign),
        "log_l2_original": _log_distance(generated, count, pairs_o, cross_o, std),
        "log_l2_train": _log_distance(generated, len(train), pairs_t, cross_t, std),
        "full_delta_sign": float(full.sign),
        "full_delta_log_abs": full.log_abs,
    }


def memorization(generated: Array, train: Array, held_out: Array | None) -> dict[str, float]:
    """Memorized fraction and its baseline; NaN for fewer than two distinct training points.

    The baseline, the same of `held_out`, is NaN without them.
    """
    if len(train) < 2 or not np.ptp(train, axis=0).any():
        return {"memorized": math.nan, "baseline": math.nan}
    found = memorized_fraction(generated, train, held_out)
    return {"memorized": found.fraction, "baseline": found.held_out_fraction}


def can_be_fitted(count: int, dim: int) -> bool:
    """Whether `count` generated points say something about a covariance: ``M > 2 d``."""
    return count > 2 * dim


def require_fit(generated: int, dim: int) -> None:
    """Raise ValueError if a covariance cannot be fitted to `generated` points."""
    if not can_be_fitted(generated, dim):
        raise ValueError(
            f"generated is {generated}, expected more than 2 d = {2 * dim}: a covariance is "
            "fitted to the points"
        )


def fitted_distances(generated: Array, reference: Gaussian) -> FittedDistances:
    """Distances of the law behind generated points from `reference`, corrected for their number.

    KL is NaN if `reference` is singular, since no network generates exactly within a subspace.

    Parameters
    ----------
    generated : ndarray of shape (n_generated, dim)
        More than ``dim + 1`` points.
    reference : Gaussian
    """
    count, dim = generated.shape
    nu = count - 1
    law, Q = _fit(generated), reference.covariance
    roots = np.linalg.svd((generated - law.mean) @ Q.factor() / math.sqrt(nu), compute_uv=False)
    roots = roots[roots > 0]
    pairs = roots[:, None] * roots / (roots[:, None] + roots)
    excess = law.covariance.trace / count + (pairs.sum() + 0.5 * roots.sum()) / (2 * nu)
    wasserstein2 = wasserstein_squared(law, reference) - excess
    if Q.rank < dim:
        return FittedDistances(math.nan, float(wasserstein2))
    spread = float(Q.mahalanobis_squared(generated - law.mean).sum()) / nu
    excess = _excess_of_determinant(dim, nu) + spread / (2 * count)
    return FittedDistances(kl_divergence(law, reference) - excess, float(wasserstein2))


@lru_cache(maxsize=256)
def _excess_of_determinant(dim: int, nu: int) -> float:
    """Mean KL of the fit to its own law; the same for all points of one study."""
    return float(wishart_kl(dim, nu).generated_population)


def linear_distances(
    train: Array,
    reference: Gaussian,
    trajectory: Trajectory,
    start: Literal["standard", "marginal", "population"],
) -> FittedDistances:
    """Exact distances of what the best linear denoiser of the training set `train` generates.

    The process works, as the network's, on data of mean 0 and standard deviation 1 over all
    entries.
    """
    shift, scale = float(train.mean()), float(train.std()) or 1.0
    first: Any = start
    if start == "population":
        first = Gaussian((reference.mean - shift) / scale, reference.covariance.scale(scale**-2))
    inside = generated_law(empirical_law((train - shift) / scale), trajectory, first)
    law = Gaussian(shift + scale * inside.mean, inside.covariance.scale(scale**2))
    singular = reference.covariance.rank < law.dim
    return FittedDistances(
        math.nan if singular else kl_divergence(law, reference),
        wasserstein_squared(law, reference),
    )


def beside_linear(found: FittedDistances, linear: FittedDistances) -> dict[str, float]:
    """Return the values named in :data:`FITTED`."""
    values = (found.kl, linear.kl, found.wasserstein2, linear.wasserstein2)
    return dict(zip(FITTED, values, strict=True))


def component_moments(generated: Array, mixture: Population) -> list[tuple[float, float, float]]:
    """Weight, mean and standard deviation of the generated points of each component.

    Mean and deviation are over points and coordinates, the deviation around the mean of each
    coordinate; NaN for a component with fewer than two points.

    Parameters
    ----------
    generated : ndarray of shape (n_generated, dim)
    mixture : Population
    """
    logs = [
        math.log(weight) + component.log_prob(generated)
        for weight, component in zip(mixture.weights, mixture.components, strict=True)
    ]
    nearest = np.argmax(logs, axis=0)
    found = []
    for index in range(len(logs)):
        points = generated[nearest == index]
        mean = std = math.nan
        if len(points) > 1:
            mean = float(points.mean())
            std = math.sqrt(points.var(axis=0, ddof=1).mean())
        found.append((len(points) / len(generated), mean, std))
    return found


def _fit(points: Array) -> Gaussian:
    """Mean and covariance with ``1/(n-1)``."""
    mean = points.mean(axis=0)
    return Gaussian.from_factor(mean, (points - mean).T / math.sqrt(len(points) - 1))


def _log_distance(generated: Array, count: int, pairs: float, cross: float, std: float) -> float:
    """``ln int (p_X - p_G)^2`` of the terms of X; ``-inf`` where rounding leaves nothing."""
    dim, n = generated.shape[1], len(generated)
    eps, eps_new = bandwidth(std, count, dim), bandwidth(std, n, dim)
    logs = (
        log_self_terms(count, dim, eps),
        pairs,
        log_self_terms(n, dim, eps_new),
        log_pairs(generated, eps_new),
        math.log(2.0) + cross,
    )
    sign, log = signed_log_sum(logs, (1, 1, 1, 1, -1))
    return log if sign > 0 else -math.inf
