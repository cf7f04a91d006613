r"""Wasserstein and Hellinger distance of a fitted sampler to the population, averaged.

With the notation of :mod:`ornstein.theory.linear_denoisers.fitted_sampling`, f(C) and Sigma do not
commute in

    W_2^2 = tr f(C) + tr Sigma - 2 tr (Sigma^{1/2} f(C) Sigma^{1/2})^{1/2} + |m_G - m|^2,
    BC = exp(L),  L = 1/4 ln det Sigma f(C) - 1/2 ln det (Sigma + f(C))/2
                      - 1/4 (m_G - m)^T M (m_G - m),        M = (Sigma + f(C))^{-1}.

f is fitted by a rational function on the range of the spectrum, and the means of the root and of
the log-determinants follow from pencils (:mod:`ornstein.theory.random_matrices.rational_pencils`),
with their order 1. The fit takes the place of f in all terms: then its error enters the distance of
near laws squared.

**Narrow modes.** Modes that have less than a millionth of the trace together are left out of the
pencils of Wasserstein, and count as if they were alone; and where BC is below the rounding of 1 the
squared Hellinger distance is 1. What is left has some 6 decades of eigenvalues, which the pencils
solve in double precision.

**Hellinger.** L is Gaussian for large d, with a variance of order 1 from the same pencils, so that
``<BC> = exp(<L> + Var L / 2)``. Its last term is on average

    (1/4n) tr Sigma <phi M phi> + 1/4 m^T <tau M tau> m;

tau, too, is a sum over the poles of f, and ``C (C + p_i)^{-1} M C (C + p_j)^{-1}`` a block of the
pencil's inverse.

**Wasserstein.** ``<|m_G - m|^2> = (1/n) tr Sigma <phi^2> + m^T <tau^2> m``, in single resolvents.

References
----------
This project's own derivation.
"""

from __future__ import annotations

__all__ = ["expected_wasserstein_squared", "expected_hellinger_squared"]

from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from ornstein.theory.linear_denoisers.fitted_sampling import FittedLaw, Function
from ornstein.theory.numerics.rational_fits import fit_rational
from ornstein.theory.random_matrices.rational_pencils import (
    Population,
    between_resolvents,
    covariance,
    mean_root_trace,
    poles_pencil,
    solve_pencil,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.theory.numerics.rational_fits import RationalFunction
    from ornstein.theory.random_matrices.rational_pencils import Pencil

    Array = NDArray[np.float64]

_NARROW, _FAR, _ROUGHEST, _COARSE = 1e-6, 40.0, 1e-6, 2e-3


def expected_wasserstein_squared(law: FittedLaw) -> float:
    """``E W_2^2(generated, population)``, in squared data units; finite at every n."""
    law, left_out = _without_narrow_modes(law)
    return _wasserstein_squared(law) + left_out


def _without_narrow_modes(law: FittedLaw) -> tuple[FittedLaw, float]:
    """The law in the modes that matter, and the distance in the others, as if they were apart."""
    model = law.model
    order = np.argsort(model.spectrum)
    small = np.cumsum(model.spectrum[order]) <= _NARROW * model.spectrum.sum()
    narrow = np.zeros(order.size, dtype=bool)
    narrow[order[small]] = True
    narrow &= model.spectrum > 0
    if not narrow.any():
        return law, 0.0
    fraction, variances = law.modes(model.spectrum[narrow])
    roots = (np.sqrt(variances) - np.sqrt(model.spectrum[narrow])) ** 2
    moved = (1 - fraction) ** 2 * model.mean[narrow] ** 2
    moved += fraction**2 * model.spectrum[narrow] / model.n_train
    kept = replace(model, spectrum=model.spectrum[~narrow], mean=model.mean[~narrow])
    return FittedLaw(kept, law.modes), float((roots + moved).sum())


def _wasserstein_squared(law: FittedLaw) -> float:
    model = law.model
    averages, fitted = model.averages, _fitted(law)
    nodes, at_zero = averages.nodes, law.variance.at_zero
    variances = fitted(nodes)
    if model.degrees < model.rank and at_zero > 0:
        variances = np.append(variances, at_zero)
    root = mean_root_trace(fitted, _population(law), variances.min(), variances.max())
    # The pencil is that of nu points of the population (nu/n) Sigma.
    shared = root / np.sqrt(model.scale)
    trace = averages.total(*Function.of(fitted, nodes))
    passed = averages.by_mode((1 - law.tau.values) ** 2, (1 - law.tau.at_zero) ** 2)
    lost = averages.by_mode(law.tau.values**2, law.tau.at_zero**2)
    mean = passed @ model.spectrum / model.n_train + lost @ model.mean**2
    return float(trace + model.spectrum.sum() - 2 * shared + mean)


def expected_hellinger_squared(law: FittedLaw) -> float:
    """``E`` of the squared Hellinger distance ``1 - BC`` to the population."""
    apart = 0.0 if law.singular else _apart(law)
    if law.singular or apart > _FAR:
        return 1.0
    # Of a small BC fewer digits are needed.
    roughest = min(_ROUGHEST * np.exp(apart), _COARSE)
    model, population, fitted = law.model, _population(law), _fitted(law)
    spectrum = population.values / model.scale
    both = solve_pencil(fitted, spectrum, population, roughest)
    alone = solve_pencil(fitted, np.zeros_like(spectrum), population, roughest)
    poles = poles_pencil(fitted, population)
    total = both.log_det + both.correction - poles.log_det - poles.correction
    own = model.log_det(Function.of(fitted, model.averages.nodes))
    log_affinity = 0.25 * (np.log(spectrum) @ population.counts + own) - 0.5 * total
    log_affinity += 0.5 * model.rank * np.log(2) - _mean_term(law, fitted, both)
    # ln det f(C) and ln det (Sigma + f(C)) are differences of two pencils each.
    weights = ((alone, 0.25), (both, -0.5), (poles, 0.25))
    variance = sum(a * a * covariance(one, one) for one, a in weights)
    for (one, a), (two, b) in combinations(weights, 2):
        variance += 2 * a * b * covariance(one, two)
    return float(-np.expm1(log_affinity + 0.5 * variance))


def _apart(law: FittedLaw) -> float:
    """``-ln BC`` as it would be with C = Sigma."""
    known = law.model.spectrum[law.model.spectrum > 0]
    ratio = np.log(law.modes(known).variance / known)
    return float(0.5 * np.log(np.cosh(0.5 * ratio)).sum())


def _fitted(law: FittedLaw) -> RationalFunction:
    nodes = law.model.averages.nodes
    return fit_rational(
        lambda x: law.modes(x).variance,
        float(nodes.min()),
        float(nodes.max()),
        law.variance.at_zero,
    )


def _population(law: FittedLaw) -> Population:
    return Population.of(law.model.scale * law.model.spectrum, law.model.degrees)


def _mean_term(law: FittedLaw, fitted: RationalFunction, both: Pencil) -> float:
    """``1/4 (m_G - m)^T M (m_G - m)``, averaged."""
    model, left = law.model, law.tau.at_zero
    kept = model.spectrum > 0
    values, which = np.unique(model.spectrum[kept], return_inverse=True)
    squares = np.bincount(which, weights=model.mean[kept] ** 2)
    nodes = model.averages.nodes
    weights = fitted.on_same_poles(
        lambda x: 1 - law.modes(x).mean_fraction - left, float(nodes.min()), float(nodes.max())
    )
    # tau = left + sum_j weights_j C (C + p_j)^{-1}.
    lost = np.append(left, weights)
    passed = np.append(1.0, np.zeros(weights.size)) - lost
    blocks = between_resolvents(both, fitted)
    from_mean, from_points = (
        np.einsum("i,kij,j->k", part, blocks, part) for part in (lost, passed)
    )
    counts = both.population.counts
    return float(0.25 * (from_mean @ squares + from_points @ (values * counts) / model.n_train))
