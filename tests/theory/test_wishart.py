"""Divergences of the empirical Gaussian: 60 digits, limits, order, simulation."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ornstein.gaussians import Gaussian, kl_divergence
from ornstein.theory.random_matrices.wishart import wishart_kl, wishart_log_det


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
    expected, other = (np.array(wishart_kl(dim, n)) for n in (n_train, n_train + 1))
    assert (np.abs(runs.mean(axis=0) - expected) < 4 * error).all()
    # One point more would be seen.
    assert (np.abs(other - expected) > 4 * error).any()


def test_log_determinants_in_60_digits() -> None:
    """The variance was off by a factor 2 at 10^12 degrees of freedom, and 0 at 10^15."""
    with mpmath.workdps(60):
        for dim in (1, 2, 3, 31, 100):
            for dof in (dim, dim + 1, dim + 2, dim + 31, 10**4, 10**9, 10**12, 10**15, 2**53):
                halves = [mpmath.mpf(j) / 2 for j in range(dof - dim + 1, dof + 1)]
                mean = mpmath.fsum(mpmath.digamma(x) + mpmath.log(2) for x in halves)
                variance = mpmath.fsum(mpmath.psi(1, x) for x in halves)
                found = wishart_log_det(dim, dof)
                assert found.mean == pytest.approx(float(mean), rel=2e-15, abs=1e-15)
                assert found.variance == pytest.approx(float(variance), rel=2e-15)


def test_log_determinants_of_large_dimensions() -> None:
    # Variance -2 ln(1 - g), mean d (ln n - 1 - (1/g - 1) ln(1 - g)), to leading order.
    for g in (0.1, 0.5, 0.8):
        dim = 2 * 10**12
        found = wishart_log_det(dim, round(dim / g))
        assert found.variance == pytest.approx(-2 * np.log1p(-g), rel=1e-9)
        leading = np.log(dim / g) - 1 - (1 / g - 1) * np.log1p(-g)
        assert found.mean / dim == pytest.approx(leading, rel=1e-10)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        ((-3, 5), ValueError, "dim is -3"),
        ((0, 5), ValueError, "dim is 0, expected at least 1"),
        ((5, 3), ValueError, "dim is 5 and dof 3, expected dim <= dof"),
        (([2, 9], 8), ValueError, "dim is 9 and dof 8"),
        ((2, 5.5), TypeError, "dof is 5.5, expected whole numbers"),
        ((True, 5), TypeError, "dim is True, expected real numbers"),
        ((2, [True, True]), TypeError, "dof holds values"),
        ((2, "5"), TypeError, "dof is '5'"),
        ((2, 5 + 0j), TypeError, "complex"),
        ((2, np.inf), ValueError, "dof is inf"),
        ((2, 1e17), ValueError, "at most 2\\^53"),
        ((2, np.ma.array([5, 6], mask=[0, 1])), ValueError, "1 masked"),
        ((2, [[1], [1, 2]]), ValueError, "rows of different lengths"),
    ],
)
def test_impossible_matrices_are_refused_in_one_line(arguments, kind, message) -> None:
    for function in (wishart_log_det, wishart_kl):
        if function is wishart_kl and "dof" in message and "dim" in message:
            continue
        with pytest.raises(kind, match=message.replace("dof", "(dof|n_train)")) as caught:
            function(*arguments)
        assert "\n" not in str(caught.value)
