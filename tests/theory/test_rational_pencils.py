"""Log-determinants of sums that do not commute: simulation, scalar limits, exact square roots."""

import numpy as np
import pytest

from ornstein.theory.numerics.rational_fits import RationalFunction, fit_rational
from ornstein.theory.random_matrices.marchenko_pastur import marchenko_pastur_mean
from ornstein.theory.random_matrices.rational_pencils import (
    Population,
    between_resolvents,
    covariance,
    mean_root_trace,
    poles_pencil,
    solve_pencil,
)
from ornstein.theory.random_matrices.spectral_averages import spectral_averages

SPECTRUM = 5 / np.arange(1, 13)


def f(x):
    """Not monotone in the operator sense, and not near the identity."""
    return x**2 / (x + 0.3) * (1 + 0.5 / (x + 0.2))


def sample(spectrum, n, replicates, seed=0):
    """Eigenvalues and eigenvectors of sample covariances."""
    rng = np.random.default_rng(seed)
    points = np.sqrt(spectrum) * rng.standard_normal((replicates, n, spectrum.size))
    return np.linalg.eigh(points.swapaxes(1, 2) @ points / n)


def fitted(population):
    low, high = population.nodes[:-1].min(), population.nodes.max()
    return fit_rational(f, float(low), float(high))


@pytest.mark.slow
def test_log_determinant_its_order_one_and_covariances_by_simulation():
    n, replicates = 40, 6000
    population = Population.of(SPECTRUM, n)
    function = fitted(population)
    B = 0.5 * population.values
    both, alone = solve_pencil(function, B, population), solve_pencil(function, 0 * B, population)
    poles = poles_pencil(function, population)
    values, vectors = sample(SPECTRUM, n, replicates)
    image = (vectors * f(values)[:, None]) @ vectors.swapaxes(1, 2)
    total = np.linalg.slogdet(image + np.diag(0.5 * SPECTRUM))[1]
    own = np.log(f(values)).sum(axis=1)
    for pencil, measured in ((both, total), (alone, own)):
        error = measured.std() / np.sqrt(replicates)
        leading = pencil.log_det - poles.log_det
        correction = pencil.correction - poles.correction
        assert abs(measured.mean() - leading - correction) < 4 * error
        # The order 1 is resolved.
        assert abs(measured.mean() - leading) > 6 * error
    # Both log-determinants with the poles taken out: a bilinear form.
    weights = {both: np.array([1, 0]), alone: np.array([0, 1]), poles: np.array([-1, -1])}
    expected = sum(
        np.outer(a, b) * covariance(one, two)
        for one, a in weights.items()
        for two, b in weights.items()
    )
    spread = np.cov(np.stack([total, own]))
    # A sample covariance of near-normal values; the limit is approached like 1/n.
    tolerance = 4 * np.sqrt(2 / replicates) + 1.5 / n
    assert (np.abs(spread / expected - 1) < tolerance).all()


@pytest.mark.slow
def test_resolvents_on_both_sides_by_simulation():
    n, replicates = 40, 1500
    population = Population.of(SPECTRUM, n)
    function = fitted(population)
    B = 0.5 * population.values
    blocks = between_resolvents(solve_pencil(function, B, population), function)[::-1]
    values, vectors = sample(SPECTRUM, n, replicates)
    image = (vectors * f(values)[:, None]) @ vectors.swapaxes(1, 2)
    M = np.linalg.inv(image + np.diag(0.5 * SPECTRUM))
    negative = 1 + int(np.flatnonzero(function.coefficients < 0)[-1])
    for i, j in ((0, 0), (0, 3), (2, 4), (negative, negative)):
        left, right = (
            (vectors * (values / (values + function.poles[k - 1]))[:, None])
            @ vectors.swapaxes(1, 2)
            if k
            else np.eye(12)
            for k in (i, j)
        )
        measured = np.einsum("rkk->rk", left @ M @ right)
        error = measured.std(axis=0) / np.sqrt(replicates)
        expected = blocks[:, i, j]  # to relative order 1/n
        assert (np.abs(measured.mean(axis=0) - expected) < 4 * error + 2 / n * expected).all()


@pytest.mark.parametrize("ratio", [0.3, 2.5])
def test_root_of_the_identity_is_that_of_marchenko_and_pastur(ratio):
    dim, n = 30, 30 / ratio
    population = Population.of(np.full(30, 2.0), n)
    low, high = population.nodes[:-1].min(), population.nodes.max()
    function = fit_rational(lambda x: 3 * x, float(low), float(high))
    root = mean_root_trace(function, population, 3 * float(low), 3 * float(high))
    averages = spectral_averages(np.full(30, 2.0), n)
    x = averages.nodes
    expected = averages.total(np.sqrt(6 * x), np.sqrt(6 / x) / 2)
    assert root == pytest.approx(expected, rel=1e-6)
    leading = dim * np.sqrt(12) * marchenko_pastur_mean(np.sqrt, ratio)
    assert root == pytest.approx(leading, abs=0.4)


def test_root_of_what_does_not_commute_by_simulation():
    for n in (40, 8):
        population = Population.of(SPECTRUM, n)
        function, x = fitted(population), population.nodes[:-1]
        root = mean_root_trace(function, population, float(f(x.min())), float(f(x.max())))
        values, vectors = sample(SPECTRUM, n, 1000)
        image = (vectors * f(np.maximum(values, 0))[:, None]) @ vectors.swapaxes(1, 2)
        product = np.sqrt(SPECTRUM)[:, None] * image * np.sqrt(SPECTRUM)
        measured = np.sqrt(np.maximum(np.linalg.eigvalsh(product), 0)).sum(axis=1)
        assert abs(measured.mean() - root) < 4 * measured.std() / np.sqrt(1000) + root / n**2


def test_a_linear_function_is_a_scalar_problem():
    """``ln det(B + b C + a)`` with B proportional to 1: the renormalised noise."""
    population = Population.of(SPECTRUM, 30)
    pole = RationalFunction(0.4, 0.7, np.array([1e-12]), np.array([1.0]))
    pencil = solve_pencil(pole, np.full(12, 0.1), population)
    averages = spectral_averages(SPECTRUM, 30)
    x, poles = averages.nodes, poles_pencil(pole, population)
    expected = averages.by_mode(np.log(0.5 + 0.7 * x)).sum()
    assert pencil.log_det - poles.log_det == pytest.approx(expected, rel=1e-7)
    order_one = averages.total(np.log(0.5 + 0.7 * x), 0.7 / (0.5 + 0.7 * x)) - expected
    assert pencil.correction - poles.correction == pytest.approx(order_one, rel=1e-6)


@pytest.mark.parametrize("decades", [1, 4, 8])
def test_fits_are_good_over_many_decades(decades):
    low = 10.0**-decades
    function = fit_rational(f, low, 1.0)
    x = np.geomspace(low, 1, 1000)
    np.testing.assert_allclose(function(x), f(x), rtol=5e-4)
    assert function(np.zeros(1)) == 0
    shifted = fit_rational(lambda x: f(x) + 0.1, low, 1.0, constant=0.1)
    assert shifted(np.zeros(1)) == pytest.approx(0.1)
