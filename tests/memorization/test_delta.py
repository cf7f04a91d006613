"""Delta against 50-digit arithmetic with its self-terms in place, and the published rates."""

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from ornstein import Gaussian, Mixture, OneStepDenoiser, coordinate_delta, delta, sample_delta
from ornstein.denoisers.regression import PairStatistics, fit_pairs
from ornstein.memorization.delta import (
    DeltaStatistic,
    DeltaTerms,
    KernelSet,
    delta_from_terms,
)
from ornstein.processes import OneStepNoising


def generated(X: np.ndarray, seed: int, noise_scale: float = 1.0) -> Gaussian:
    return OneStepDenoiser(noise_scale=noise_scale, random_state=seed).fit(X).generated_law_


def whole_delta(law: Gaussian, train: np.ndarray, originals: np.ndarray, std: float):
    """A(T) - 2B(T) - A(O) + 2B(O) in 50 digits, self-terms and all, dense matrices."""
    with mpmath.workdps(50):
        d = law.dim

        def energy(X: np.ndarray) -> mpmath.mpf:
            n = len(X)
            eps2 = (mpmath.mpf(std) * mpmath.mpf(n) ** (-mpmath.mpf(1) / d)) ** 2
            rows = [[mpmath.mpf(float(v)) for v in row] for row in X]
            pairs = mpmath.fsum(
                mpmath.exp(-mpmath.fsum((a - b) ** 2 for a, b in zip(x, y, strict=True)) / 4 / eps2)
                for x in rows
                for y in rows
            ) * (4 * mpmath.pi * eps2) ** (-mpmath.mpf(d) / 2)
            C = mpmath.matrix(law.covariance.dense().tolist()) + eps2 * mpmath.eye(d)
            L = mpmath.cholesky(C)
            norm = 1 / mpmath.sqrt(2 * mpmath.pi) ** d / mpmath.fprod(L[i, i] for i in range(d))
            mu = [mpmath.mpf(float(m)) for m in law.mean]
            cross = mpmath.mpf(0)
            for x in rows:
                white = []
                for i in range(d):
                    known = mpmath.fdot((L[i, k], white[k]) for k in range(i))
                    white.append((x[i] - mu[i] - known) / L[i, i])
                cross += norm * mpmath.exp(-mpmath.fsum(white, squared=True) / 2)
            return pairs / n**2 - 2 * cross / n

        value = energy(train) - energy(originals)
        return int(mpmath.sign(value)), float(mpmath.log(abs(value)))


@pytest.mark.parametrize(
    ("dim", "n", "n_originals"),
    [(1, 3, 9), (2, 3, 12), (2, 8, 5), (5, 4, 10), (5, 12, 10), (16, 6, 8), (30, 5, 6)],
)
def test_sign_and_size_against_fifty_digits(dim: int, n: int, n_originals: int) -> None:
    population = Gaussian.isotropic(dim, mean=10.0)
    for seed in range(2):
        train = population.sample(n, seed)
        originals = population.sample(n_originals, seed + 100)
        law = generated(train, seed)
        sign, log_abs = whole_delta(law, train, originals, 1.0)
        result = delta(law, train, originals, std=1.0)
        assert result.sign == sign
        assert result.log_abs == pytest.approx(log_abs, abs=1e-6)


def test_huge_dimension_does_not_underflow() -> None:
    population = Gaussian.isotropic(1000, mean=10.0)
    train = population.sample(3, 0)
    result = delta(generated(train, 0), train, population, n_original=10_000)
    assert result.sign in (-1, 1)
    assert np.isfinite(result.log_abs)
    assert np.isfinite(result.log_terms).all()
    assert result.log_abs < -800  # far below the smallest float64


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), dim=st.integers(2, 8), n=st.integers(3, 20))
def test_invariance_under_shift_rotation_permutation_and_scale(seed, dim, n) -> None:
    rng = np.random.default_rng(seed)
    train, originals = rng.standard_normal((n, dim)), rng.standard_normal((25, dim))
    law = generated(train, seed)
    base = delta(law, train, originals)
    rotation, _ = np.linalg.qr(rng.standard_normal((dim, dim)))
    shift, scale = rng.standard_normal(dim), 3.7
    moved = Gaussian.from_factor(
        scale * rotation @ law.mean + shift, scale * rotation @ law.covariance.factor()
    )
    again = delta(
        moved,
        rng.permutation(scale * train @ rotation.T + shift),
        rng.permutation(scale * originals @ rotation.T + shift),
    )
    assert again.sign == base.sign
    assert again.log_abs + dim * np.log(scale) == pytest.approx(base.log_abs, abs=1e-5)


def test_expected_originals_are_many_sampled_ones() -> None:
    population = Mixture.isotropic(4, [0.0, 3.0], [1.0, 0.5])
    rng = np.random.default_rng(0)
    train = population.sample(30, rng)
    law = generated(train, 0)
    exact = delta(law, train, population, n_original=300).log_terms
    logs = [
        delta(law, train, population.sample(300, rng), std=population.std).log_terms
        for _ in range(120)
    ]
    for index in (2, 3):
        ratio = np.exp(np.array([terms[index] for terms in logs]) - exact[index])
        assert abs(ratio.mean() - 1) < 4 * ratio.std(ddof=1) / np.sqrt(len(logs))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("dim", "n", "rate"), [(16, 20, 0.00), (16, 32, 0.89), (16, 64, 0.99), (100, 200, 0.01)]
)
def test_published_probabilities(dim: int, n: int, rate: float) -> None:
    """P(Delta > 0), measured independently of this package (docs/theory.md, section 3)."""
    rng = np.random.default_rng(dim + n)
    population, process = Gaussian.isotropic(dim, mean=10.0), OneStepNoising()
    repeats, positive = 150, 0
    for _ in range(repeats):
        X = population.sample(n, rng)
        statistics = PairStatistics.empty(dim)
        statistics.absorb(X, process.noised(X, rng))
        law = fit_pairs(statistics, process).generated_law
        positive += delta(law, X, population, n_original=10_000).sign > 0
    error = np.sqrt(max(rate * (1 - rate), 0.005) * (1 / repeats + 1 / 300))
    assert abs(positive / repeats - rate) < 4 * error


@pytest.mark.parametrize("rank", [2, 5])
def test_one_statistic_serves_many_laws(rank: int) -> None:
    """What is computed once per set is what `delta` computes for each law."""
    rng = np.random.default_rng(rank)
    population = Mixture.isotropic(5, [0.0, 1.0], [1.0, 0.7])
    train, fresh = population.sample(12, rng), population.sample(30, rng)
    std = population.std
    seen = KernelSet.of(train, std)
    pairs = {
        DeltaStatistic(seen, KernelSet.of(fresh, std)): lambda law: delta(law, train, fresh, std),
        DeltaStatistic(seen, KernelSet.expected(population, 30, std)): lambda law: delta(
            law, train, population, n_original=30
        ),
    }
    for statistic, directly in pairs.items():
        for _ in range(3):
            law = Gaussian.from_factor(rng.standard_normal(5), rng.standard_normal((5, rank)))
            assert statistic(law) == directly(law)
            assert statistic.terms(law) == directly(law).log_terms


def test_distance_of_a_law_to_a_kernel_set_is_the_integral() -> None:
    points, law = np.array([[0.1], [0.8], [-1.0]]), Gaussian(0.3, 0.5)
    seen = KernelSet.of(points, 0.9)
    kernel = Gaussian(0.0, seen.bandwidth**2)

    def gap(x: float) -> float:
        density = np.exp(kernel.log_prob(x - points)).mean()
        return (np.exp(law.log_prob([[x]])[0]) - density) ** 2

    value = quad(gap, -9, 9, epsabs=1e-13, limit=200)[0]
    assert np.exp(seen.log_l2_squared(law)) == pytest.approx(value, rel=1e-9)
    # Of expectations: the mean over many draws.
    population, rng = Gaussian.isotropic(2, std=1.3), np.random.default_rng(1)
    other = Gaussian([0.2, 0.0], [1.0, 2.0])
    draws = [KernelSet.of(population.sample(8, rng), 1.3) for _ in range(1500)]
    values = np.exp([drawn.log_l2_squared(other) for drawn in draws])
    expected = np.exp(KernelSet.expected(population, 8, 1.3).log_l2_squared(other))
    error = values.std(ddof=1) / np.sqrt(len(values))
    assert abs(values.mean() - expected) < 4 * error
    assert seen.log_l2_squared(Gaussian(0.0, 0.0)) == np.inf


def test_the_help_says_what_a_sign_means() -> None:
    for function in (delta, sample_delta, coordinate_delta):
        text = " ".join((function.__doc__ or "").split())
        assert "**Sign 1**" in text or "**sign 1**" in text
        assert "closer to fresh data" in text
        assert "**sign -1** that" in text


def test_terms_combine_with_their_signs() -> None:
    def log(*values: float) -> DeltaTerms:
        return DeltaTerms(*np.log(values))

    assert delta_from_terms(log(7, 1, 2, 1))[:2] == (1, pytest.approx(np.log(5)))
    assert delta_from_terms(log(1, 5, 1, 2))[:2] == (-1, pytest.approx(np.log(6)))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda law, X: delta(law, X[:, :2], X), "expected 3"),
        (lambda law, X: delta(law, X, X[:, :2]), "expected 3"),
        (lambda law, X: delta(law, X, Gaussian.isotropic(3)), "give n_original"),
        (lambda law, X: delta(law, X, Gaussian.isotropic(2), n_original=5), "dimension 2"),
        (lambda law, X: delta(law, X, X[:1]), "give std"),
        (lambda law, X: delta(law, X, np.ones((5, 3))), "all equal"),
        # The rounded variance of this constant is not 0.
        (lambda law, X: delta(law, X, np.full((6, 3), 0.1)), "all equal"),
        (lambda law, X: delta(law, X, X, std=-1.0), "std is -1"),
        (lambda law, X: delta(law, X, X, n_original=3), "leave n_original out"),
        (lambda law, X: delta(law, np.full((3, 3), np.nan), X), "NaN"),
    ],
)
def test_bad_input_is_one_clear_line(call, match: str) -> None:
    X = Gaussian.isotropic(3).sample(10, 0)
    with pytest.raises(ValueError, match=match) as caught:
        call(generated(X, 0), X)
    assert "\n" not in str(caught.value)
