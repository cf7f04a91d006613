r"""What theory says of n points of an estimated population.

Two linear models. The **linear diffusion** denoises with the best affine denoiser of its n points
at every noise, in many steps: it generates ``N(xbar, C)``. The **one-step** model is Halder's
(:mod:`ornstein.theory.one_step_model.anisotropic`), in units of the data. Everything else is of the
denoisers ``W = C (C + v)^{-1}`` of the first, with kappa, df1 and v of
:mod:`~ornstein.forecasting.noise_curve`, ``x = d ln v/d ln kappa - 1`` and
``S = sum lambda kappa/(lambda + kappa)^2``:

    w2          E W_2^2 / tr Sigma
                = (1/n - 1/N) + 2 (1 - E tr (Sigma^{1/2} C Sigma^{1/2})^{1/2} / tr Sigma),
    residuals   E |x - D(x)|^2
                = (1 + 1/n) kappa (S + x df1) / (1 + x)         of fresh points,
                = (1 - 1/n) v S / (1 + x)                       of training points,
    losses      E |x - D(x + s z)|^2 = residual + v (df1 - S/(1 + x));
                for n up to nine tenths of N, without any law of the rows,
                :mod:`ornstein.theory.linear_denoisers.subset_losses`,
    consistency 1 - E tr (C_1^{1/2} - C_2^{1/2})^2 / (2 tr Sigma)
                = 1 - (1 - sum_k ( E (C^{1/2})_kk )^2 / sum_k lambda_k) (1 + u),
                u = sum_k w_kk / sum_jk w_jk, as a variance fluctuates twice as much,
    auc         of the residual as an attack. Where the distance has the tail factor 1 with the
                Gaussian fluctuations of :mod:`ornstein.theory.membership_inference` and the sizes
                tau of the two rows,
                ln r(member) = ln r_0 + ln tau - 2 ln(1 + tau kappa df1/(v nu));
                else over pairs of rows x of the data, with k' = d kappa/dv and
                r(member) = r(x) / (1 + h(x))^2,
                r = sum_k x_k^2 [ kappa - v k' + v k' kappa/(lambda_k + kappa) ]
                          / (lambda_k + kappa),
                h = kappa/(v nu) sum_k x_k^2 / (lambda_k + kappa).

All are divided by ``tr Sigma``, so that 1 is what the mean of the data alone would have.

References
----------
This project; Wang, Zavatone-Veth, Pehlevan, arXiv 2602.02908; Maillard, Goldt, arXiv 2605.21402.
"""

from __future__ import annotations

__all__ = [
    "NOISES",
    "OneStepProcess",
    "fitted_distance",
    "wasserstein",
    "one_step_wasserstein",
    "losses",
    "best_loss",
    "consistency",
    "membership_auc",
    "most_revealing",
]

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtr

from ornstein.forecasting.noise_curve import NoiseCurve
from ornstein.forecasting.row_sizes import kernel_weights
from ornstein.memorization.rank_sums import pairs_below
from ornstein.theory import membership, one_step_anisotropic

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.forecasting.estimate import Estimate
    from ornstein.forecasting.row_sizes import RowSizes

    Array = NDArray[np.float64]

NOISES = (0.1, 0.3, 1.0)
"""Noise levels s of the losses, in units of the data's standard deviation."""
_ATTACKED = np.geomspace(0.1, 10.0, 9)


class OneStepProcess(NamedTuple):
    """Of the one-step model; the noise scale in units of the mean coordinate variance."""

    time: float = 2.0
    noise_scale: float = 1.0


def fitted_distance(
    spectrum: Array, n: float, rows: RowSizes, population_size: float = math.inf
) -> float:
    """``E W_2^2 / tr Sigma`` of the Gaussian with mean and covariance of n points.

    Parameters
    ----------
    spectrum : ndarray of shape (dim,)
        Eigenvalues of the population covariance; of a finite population, divided by ``N - 1``.
    n : float
        Above 1.
    rows : RowSizes
    population_size : float
        N, of a population from which the points are drawn without replacement.
    """
    if n >= population_size:
        return 0.0
    curve = NoiseCurve(spectrum**2, n - 1.0, rows, population_size - 1.0)
    shared = curve.root_trace() / float(spectrum.sum())
    return 1.0 / n - 1.0 / population_size + max(2.0 - 2.0 * shared, 0.0)


def wasserstein(estimate: Estimate, n: int, *, of_all: bool = False) -> float:
    """``E W_2^2 / tr Sigma`` of the linear diffusion of n points.

    Parameters
    ----------
    estimate : Estimate
    n : int
        At least 2.
    of_all : bool
        n of the N points themselves, measured against mean and covariance of all.
    """
    rows = estimate.rows("distance")
    if of_all:
        return fitted_distance(estimate.sample, n, rows, estimate.count)
    return fitted_distance(estimate.population, n, rows)


def one_step_wasserstein(
    estimate: Estimate, n: int, process: OneStepProcess, *, of_all: bool = False
) -> float:
    """The same of the one-step model; infinite for ``|n - 1 - d| <= 1``."""
    spectrum = estimate.sample if of_all else estimate.population
    found = one_step_anisotropic(
        spectrum,
        int(n),
        process.time,
        process.noise_scale,
        population_size=estimate.count if of_all else None,
        fitted_variance=True,
    )
    return float(found.wasserstein_squared) / float(spectrum.sum())


def losses(estimate: Estimate, n: int, noise: float) -> tuple[float, float]:
    """Denoising loss on training and on fresh points, over ``tr Sigma``, at noise level s.

    Up to nearly as many points as there are, of the points themselves; beyond, of their spectrum
    and tail factor.
    """
    v = noise**2
    if estimate.takes_rows(n):
        of_rows, total = estimate.row_losses(n, v), float(estimate.sample.sum())
        return of_rows.train / total, of_rows.test / total
    spectrum = estimate.population
    place = NoiseCurve(spectrum, n - 1.0, estimate.rows(v)).equivalent(np.array([v]))
    kappa, df1, overlap = (float(each[0]) for each in (place.kappa, place.df1, place.overlap))
    elasticity = float(place.elasticity[0])
    fresh = kappa * (overlap + (elasticity - 1.0) * df1) / elasticity
    seen = v * overlap / elasticity
    passed = v * (df1 - overlap / elasticity)
    total = float(spectrum.sum())
    return (seen * (1.0 - 1.0 / n) + passed) / total, (fresh * (1.0 + 1.0 / n) + passed) / total


def best_loss(estimate: Estimate, noise: float) -> float:
    """Loss of the linear denoiser that knows the population, over ``tr Sigma``."""
    spectrum, v = estimate.population, noise**2
    return float((v * spectrum / (spectrum + v)).sum() / spectrum.sum())


def consistency(estimate: Estimate, n: int) -> float:
    """Cosine similarity of samples of two models of n points each, none shared, same seed."""
    spectrum = estimate.population
    curve = NoiseCurve(spectrum, n - 1.0, estimate.rows("consistency"))
    roots = curve.root_modes(spectrum)
    apart = 1.0 - float(np.square(roots).sum() / spectrum.sum())
    weights = kernel_weights(spectrum, "consistency")
    # The equivalent leaves out that a variance fluctuates twice as much as a covariance.
    return 1.0 - apart * (1.0 + float(np.trace(weights) / weights.sum()))


def membership_auc(estimate: Estimate, n: int, noise: float) -> float:
    """AUC of telling training points from fresh ones by their residuals at noise level s."""
    v, spectrum, rows = noise**2, estimate.population, estimate.rows(noise**2)
    place = NoiseCurve(spectrum, n - 1.0, rows).equivalent(np.array([v]))
    if estimate.factor("distance") == 1.0:
        return _gaussian_auc(estimate, n, v, float((place.kappa * place.df1)[0]))
    kappa = float(place.kappa[0])
    slope = kappa / float(place.elasticity[0])  # v d kappa / d v
    variances = spectrum[: estimate.squares.shape[1]]
    kernel = variances / (variances + kappa)
    residual = estimate.squares @ (
        (kappa - slope) * kernel + slope * kappa * kernel / (variances + kappa)
    )
    leverage = estimate.squares @ kernel * kappa / (v * (n - 1.0))
    fresh = np.log(residual)
    return pairs_below(fresh - 2.0 * np.log1p(leverage), fresh)


def _gaussian_auc(estimate: Estimate, n: int, v: float, load: float) -> float:
    gaussian, rows = membership(estimate.population, v, n - 1.0), estimate.rows(v)
    spread = math.hypot(float(gaussian.member_log_std), float(gaussian.non_member_log_std))
    # ln r(fresh) - ln r(member), without what the sizes of the two rows make of it.
    bend = float(gaussian.log_gap) + math.log(float(gaussian.ratio))
    gap = np.log(rows.nodes) - np.log(rows.nodes)[:, None]
    gap = gap + 2.0 * np.log1p(rows.nodes * load / (v * (n - 1.0)))[:, None] + bend
    return float(rows.weights @ ndtr(gap / spread) @ rows.weights)


def most_revealing(estimate: Estimate, n: int) -> tuple[float, float]:
    """The noise level from 0.1 to 10 standard deviations with the largest AUC, and that AUC."""
    found = [membership_auc(estimate, n, float(noise)) for noise in _ATTACKED]
    best = int(np.argmax(found))
    return float(_ATTACKED[best]), found[best]
