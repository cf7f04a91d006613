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

**Hellinger.** L is Gaussian for large d, with a variance of order 1 from the same pencils, so that
``<BC> = exp(<L> + Var L / 2)``. Its last term is on average

    (1/4n) tr Sigma <phi M phi> + 1/4 m^T <tau M tau> m;

tau, too, is a sum over the poles of f, and ``(C + p_i)^{-1} M (C + p_j)^{-1}`` a block of the
pencil's inverse.

**Wasserstein.** ``<|m_G - m|^2> = (1/n) tr Sigma <phi^2> + m^T <tau^2> m``, in single resolvents.

References
----------
This project's own derivation.
"""

from __future__ import annotations

__all__ = ["expected_wasserstein_squared", "expected_hellinger_squared"]

from typing import TYPE_CHECKING

import numpy as np

from ornstein.theory.linear_denoisers.fitted_sampling import Function
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

    from ornstein.theory.linear_denoisers.fitted_sampling import FittedLaw
    from ornstein.theory.numerics.rational_fits import RationalFunction
    from ornstein.theory.random_matrices.rational_pencils import Pencil

    Array = NDArray[np.float64]


def expected_wasserstein_squared(law: FittedLaw) -> float:
    """``E W_2^2(generated, population)``, in squared data units; finite at every n."""
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
    if law.singular:
        return 1.0
    model, population, fitted = law.model, _population(law), _fitted(law)
    spectrum = population.values / model.scale
    both = solve_pencil(fitted, spectrum, population)
    alone = solve_pencil(fitted, np.zeros_like(spectrum), population)
    poles = poles_pencil(fitted, population)
    total = both.log_det + both.correction - poles.log_det - poles.correction
    own = model.log_det(Function.of(fitted, model.averages.nodes))
    log_affinity = 0.25 * (np.log(spectrum) @ population.counts + own) - 0.5 * total
    log_affinity += 0.5 * model.rank * np.log(2) - _mean_term(law, fitted, both)
    # ln det f(C) and ln det (Sigma + f(C)) are differences of two pencils each.
    weights = ((alone, 0.25), (both, -0.5), (poles, 0.25))
    variance = sum(a * b * covariance(one, two) for one, a in weights for two, b in weights)
    return float(-np.expm1(log_affinity + 0.5 * variance))


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
    # tau = left + sum_j weights_j [1 - p_j (C + p_j)^{-1}].
    lost = np.append(left + weights.sum(), -weights * fitted.poles)
    passed = np.append(1.0, np.zeros(weights.size)) - lost
    blocks = between_resolvents(both, fitted)
    from_mean, from_points = (
        np.einsum("i,kij,j->k", part, blocks, part) for part in (lost, passed)
    )
    counts = both.population.counts
    return float(0.25 * (from_mean @ squares + from_points @ (values * counts) / model.n_train))
