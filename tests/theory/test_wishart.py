"""Divergences of the empirical Gaussian: 60 digits, limits, order, simulation."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ornstein.gaussians import Gaussian, kl_divergence
from ornstein.theory.random_matrices.wishart import wishart_kl


def in_60_digits(dim, n_train):
    with mpmath.workdps(60):
        d, n = mpmath.mpf(dim), mpmath.mpf(n_train)
        log_det = d * mpmath.log(2 / n)
        log_det += mpmath.fsum(mpmath.digamma((n - i) / 2) for i in range(dim))
        forward = -log_det / 2
        backward = (d * n / (n - d - 1) - d + log_det) / 2 if n > d + 1 else mpmath.inf
        return float(forward), float(backward)


def test_check_values():
    forward, backward = wishart_kl(100, 1000)
    assert forward / 100 == pytest.approx(0.026141, abs=5e-7)
    assert backward / 100 == pytest.approx(0.030032, abs=5e-7)


@settings(deadline=None)
@given(
    dim=st.integers(1, 150),
    n_train=st.one_of(st.integers(0, 200), st.integers(1, 10**15)),
    relative=st.booleans(),
)
def test_matches_the_digamma_sum(dim, n_train, relative):
    n_train = dim + n_train if relative else max(dim, n_train)
    assert wishart_kl(dim, n_train) == pytest.approx(in_60_digits(dim, n_train), rel=3e-14)


def test_infinite_below_the_thresholds_only():
    forward, backward = wishart_kl(20, [1, 19, 20, 21, 22])
    assert np.isinf(forward).tolist() == [True, True, False, False, False]
    assert np.isinf(backward).tolist() == [True, True, True, True, False]


def test_many_points_per_dimension():
    for dim in (1, 7, 100):
        n_train = 10**9 * dim
        expected = dim * (dim + 1) / (4 * n_train)
        assert wishart_kl(dim, n_train) == pytest.approx((expected, expected), rel=1e-8)


def test_proportional_limit():
    # KL/d of the Marchenko-Pastur law: -1/2 int ln x dMP, and 1/2 (1/(1-c) - 1 + int ln x dMP).
    c, dim = 0.5, 10**6
    log_mean = -1 - (1 - c) / c * np.log1p(-c)
    forward, backward = wishart_kl(dim, 2 * dim)
    assert forward / dim == pytest.approx(-log_mean / 2, rel=1e-5)
    assert backward / dim == pytest.approx((1 / (1 - c) - 1 + log_mean) / 2, rel=1e-5)


def test_more_points_are_better_and_more_dimensions_worse():
    n_train = np.arange(103, 3000)
    for curve in wishart_kl(100, n_train):
        assert (np.diff(curve) < 0).all()
    for curve in wishart_kl(np.arange(1, 300), 302):
        assert (np.diff(curve) > 0).all()
    # int (w - 1 - ln w) is larger for 1/w: the population is farther than it looks from the model.
    forward, backward = wishart_kl(np.arange(1, 300), 302)
    assert (backward > forward).all()


def test_broadcasting_and_types():
    forward, backward = wishart_kl([[2], [3]], [10, 20, 30])
    assert forward.shape == backward.shape == (2, 3)
    assert forward[1, 2] == wishart_kl(3, 30).generated_population
    assert all(type(value) is float for value in wishart_kl(3, 30))


@pytest.mark.parametrize(
    ("dim", "n_train", "error"), [(2.5, 10, TypeError), (0, 10, ValueError), (3, -1, ValueError)]
)
def test_errors(dim, n_train, error):
    with pytest.raises(error, match=r"expected"):
        wishart_kl(dim, n_train)


@pytest.mark.parametrize(("dim", "n_train"), [(1, 5), (6, 15), (8, 12)])
def test_simulated_generators(dim, n_train):
    rng = np.random.default_rng(7)
    population = Gaussian(np.arange(dim), rng.uniform(0.2, 3.0, dim))
    runs = np.empty((1500, 2))
    for run in runs:
        centred = population.sample(n_train, rng) - population.mean
        generated = Gaussian(population.mean, centred.T @ centred / n_train)
        run[:] = kl_divergence(generated, population), kl_divergence(population, generated)
    error = runs.std(axis=0, ddof=1) / np.sqrt(len(runs))
    assert (np.abs(runs.mean(axis=0) - wishart_kl(dim, n_train)) < 4 * error).all()
