"""Expected Delta: direct simulation on both sides of n = d, exact terms, limits, units."""

from functools import partial

import numpy as np
import pytest

from ornstein import Gaussian, OneStepDenoiser, delta
from ornstein.kernels.full_dimension import bandwidth, log_pairs_expected
from ornstein.theory.one_step_model.delta_expectation import expected_delta


def simulated_cross_terms(dim, n_train, n_original, time, noise_scale, runs, seed):
    """``B`` of training set and originals from explicit least squares, v of the population."""
    rng = np.random.default_rng(seed)
    signal = np.exp(-time)
    noise = noise_scale * signal**2 * -np.expm1(-2 * time)
    x = rng.standard_normal((runs, n_train, dim))
    y = signal * x + np.sqrt(noise) * rng.standard_normal(x.shape)
    xbar, ybar = x.mean(axis=1), y.mean(axis=1)
    B = np.swapaxes(np.linalg.pinv(y - ybar[:, None]) @ (x - xbar[:, None]), 1, 2)
    mu = xbar + np.einsum("rij,rj->ri", B, signal * xbar - ybar)
    S = (signal**2 + noise) * B @ np.swapaxes(B, 1, 2)

    def density(gaps, kernel):
        M = S + kernel * np.eye(dim)
        quadratic = np.einsum("rni,rin->rn", gaps, np.linalg.solve(M, np.swapaxes(gaps, 1, 2)))
        log_det = np.linalg.slogdet(2 * np.pi * M)[1]
        return np.exp(-0.5 * (quadratic + log_det[:, None])).mean(axis=1)

    train = density(x - mu[:, None], bandwidth(1.0, n_train, dim) ** 2)
    # A fresh point under the kernel is the law, widened by the population.
    fresh = density(-mu[:, None], bandwidth(1.0, n_original, dim) ** 2 + 1.0)
    return np.stack([train, fresh])


@pytest.mark.parametrize(
    ("dim", "n_train", "noise_scale"),
    [(8, 24, 1.0), (8, 80, 1.0), (8, 5, 1.0), (8, 30, 5.0), (12, 6, 0.3), (5, 30, 1.0)],
)
def test_simulated_cross_terms(dim, n_train, noise_scale):
    runs = simulated_cross_terms(dim, n_train, 1000, 1.0, noise_scale, 6000, 4)
    error = runs.std(axis=1, ddof=1) / np.sqrt(runs.shape[1])
    terms = expected_delta(dim, n_train, 1000, 1.0, noise_scale).log_terms
    predicted = np.exp([terms.cross_train, terms.cross_originals])
    # Laplace's method adds an error of 2 %.
    assert (np.abs(runs.mean(axis=1) - predicted) < 4 * error + 0.02 * predicted).all()
    # The two terms are far apart compared with that, so that they cannot have been exchanged.
    assert abs(np.log(runs[0].mean() / runs[1].mean())) > 0.05


def test_simulated_cross_terms_next_to_as_many_points_as_dimensions():
    for n_train in (8, 9, 10, 11):
        runs = simulated_cross_terms(8, n_train, 1000, 1.0, 1.0, 8000, 5)
        terms = expected_delta(8, n_train, 1000, 1.0).log_terms
        logs = np.log(runs.mean(axis=1))
        assert logs == pytest.approx([terms.cross_train, terms.cross_originals], abs=0.25)


@pytest.mark.slow
def test_simulated_delta_of_the_estimator():
    """The whole statistic, as the study computes it, its ``v`` estimated: a bias of order 1/n."""
    rng = np.random.default_rng(6)
    population = Gaussian.isotropic(8, mean=10.0)
    for n_train in (40,):
        values = []
        for _ in range(400):
            train = population.sample(n_train, rng)
            law = OneStepDenoiser(random_state=rng).fit(train).generated_law_
            found = delta(law, train, population, n_original=10_000)
            values.append(found.sign * np.exp(found.log_abs))
        expected = expected_delta(8, n_train)
        error = np.std(values, ddof=1) / np.sqrt(len(values))
        largest = np.exp(max(expected.log_terms))
        mean = expected.sign * np.exp(expected.log_abs)
        assert abs(np.mean(values) - mean) < 4 * error + 0.5 / n_train * largest
        assert np.sign(np.mean(values)) == expected.sign


def test_pairs_are_the_exact_expectation():
    for dim, n in [(1, 2), (16, 64), (100, 10_000)]:
        found = expected_delta(dim, n, n).log_terms
        expected = log_pairs_expected(Gaussian.isotropic(dim), n, bandwidth(1.0, n, dim))
        assert found.pairs_train == pytest.approx(expected, rel=1e-14)
        assert found.pairs_originals == pytest.approx(expected, rel=1e-14)


def test_infinite_data():
    # Then the law is N(m, rho2) whatever the training set, which counts as fresh data.
    dim, n, rho2 = 20, 10**12, 0.504621
    terms = expected_delta(dim, n, n).log_terms
    expected = -0.5 * dim * np.log(2 * np.pi * (rho2 + 1 + n ** (-2 / dim)))
    assert terms.cross_train == pytest.approx(expected, abs=1e-5)
    assert terms.cross_originals == pytest.approx(expected, abs=1e-5)


def test_without_noise_the_training_set_is_generated():
    # B is the identity: a training point against a draw of N(xbar, 1).
    dim, n = 30, 300
    terms = expected_delta(dim, n, 1000, noise_scale=0.0).log_terms
    expected = -0.5 * dim * np.log(2 * np.pi * (n ** (-2 / dim) + 1 + 1 - 1 / n))
    assert terms.cross_train == pytest.approx(expected, abs=2e-3)
    fresh = -0.5 * dim * np.log(2 * np.pi * (1000 ** (-2 / dim) + 1 + 1 + 1 / n))
    assert terms.cross_originals == pytest.approx(fresh, abs=2e-3)


def test_the_sign_changes_where_the_study_finds_it():
    # P(Delta > 0) is 0.00 at n = 20, 0.89 at n = 32 and 0.99 at n = 64.
    assert expected_delta(16, [20, 32, 64]).sign.tolist() == [-1, 1, 1]
    assert expected_delta(100, [50, 200, 400, 600]).sign.tolist() == [-1, -1, -1, 1]


def test_result_follows_from_its_terms():
    found = expected_delta(16, 40)
    A, B, C, D = np.exp(found.log_terms)
    assert found.sign * np.exp(found.log_abs) == pytest.approx(A - 2 * B - C + 2 * D, rel=1e-12)
    total = A + 2 * B + C + 2 * D
    assert found.relative == pytest.approx((A - 2 * B - C + 2 * D) / total, rel=1e-12)


def test_units():
    one = expected_delta(16, [10, 40], 500, 0.7, 0.3)
    scaled = expected_delta(16, [10, 40], 500, 0.7, 0.3 * 9, std=3.0)
    assert scaled.relative == pytest.approx(one.relative, rel=1e-12)
    assert scaled.log_abs == pytest.approx(one.log_abs - 16 * np.log(3.0), rel=1e-12)


def test_large_dimensions_do_not_underflow():
    found = expected_delta(3000, [1000, 6000, 10**6])
    assert np.isfinite(found.log_abs).all()
    assert (found.log_abs < -2000).all()
    assert found.sign.tolist() == [-1, -1, -1]


def test_broadcasting_types_and_errors():
    sizes = np.arange(2, 700)
    grid = expected_delta(12, sizes, 1000, [[0.1], [1.0], [3.0], [4.0]])
    assert grid.sign.shape == grid.log_terms.cross_train.shape == (4, sizes.size)
    for row, column in [(0, 0), (2, 11), (3, 697)]:
        alone = expected_delta(12, sizes[column], 1000, [0.1, 1.0, 3.0, 4.0][row])
        assert type(alone.relative) is float
        assert grid.log_abs[row, column] == pytest.approx(alone.log_abs, abs=1e-6)
    assert np.isfinite(expected_delta([1, 2], 2).relative).all()
    assert expected_delta(3, []).sign.shape == (0,)
    for call in (
        partial(expected_delta, 0, 5),
        partial(expected_delta, 3, 1),
        partial(expected_delta, 3, 5, 1),
        partial(expected_delta, 3, 5, time=0.0),
        partial(expected_delta, 3, 5, noise_scale=-1.0),
        partial(expected_delta, 3, 5, std=0.0),
    ):
        with pytest.raises(ValueError, match="expected"):
            call()
