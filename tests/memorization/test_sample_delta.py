"""Delta between samples: 50 digits with self-terms in place, scipy, its null, and copies."""

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import gaussian_kde
from sklearn.datasets import load_digits

from ornstein import Gaussian, Mixture
from ornstein.kernels.full_dimension import bandwidth, log_cross
from ornstein.memorization.sample_delta import (
    coordinate_delta,
    log_cross_pairs,
    log_sample_distance,
    sample_delta,
)


def digits(values: np.ndarray) -> list[list[mpmath.mpf]]:
    return [[mpmath.mpf(float(v)) for v in row] for row in values]


def overlap(X, Y, variance):
    """Mean over all pairs of N(x - y; 0, variance I), equal ones and all."""
    dim = len(X[0])
    total = mpmath.fsum(
        mpmath.exp(-mpmath.fsum((a - b) ** 2 for a, b in zip(x, y, strict=True)) / 2 / variance)
        for x in X
        for y in Y
    )
    return total * (2 * mpmath.pi * variance) ** (-mpmath.mpf(dim) / 2) / len(X) / len(Y)


def whole_distance(X, Y, std, power):
    """int (p_X - p_Y)^2 with bandwidths std N^-power: all three terms, nothing cancelled."""
    a, b = ((mpmath.mpf(std) * mpmath.mpf(len(Z)) ** (-power)) ** 2 for Z in (X, Y))
    return overlap(X, X, 2 * a) + overlap(Y, Y, 2 * b) - 2 * overlap(X, Y, a + b)


@pytest.mark.parametrize("dim", [1, 2, 5, 16, 40])
@pytest.mark.parametrize("sizes", [(1, 2, 2), (4, 3, 9), (3, 8, 8)])
def test_sign_and_size_against_fifty_digits(dim: int, sizes: tuple[int, int, int]) -> None:
    """The difference of two whole distances, A(G) and self-terms included."""
    rng = np.random.default_rng(dim)
    G, T, F = (10 + 2 * rng.standard_normal((size, dim)) for size in sizes)
    result = sample_delta(G, T, F)
    with mpmath.workdps(50):
        g, t, o = digits(G), digits(T), digits(F)
        std = mpmath.sqrt(mpmath.mpf(float(F.var(axis=0, ddof=1).mean())))
        power = mpmath.mpf(1) / dim
        value = whole_distance(t, g, std, power) - whole_distance(o, g, std, power)
        assert result.sign == int(mpmath.sign(value))
        assert result.log_abs == pytest.approx(float(mpmath.log(abs(value))), abs=1e-8)
        log = log_sample_distance(T, G, float(std))
        oracle = mpmath.log(whole_distance(t, g, float(std), power))
        assert log == pytest.approx(float(oracle), abs=1e-8)


@pytest.mark.parametrize("decimals", [0, 1, 12])
@pytest.mark.parametrize("sizes", [(1, 2, 2), (5, 4, 12), (6, 10, 10)])
def test_coordinates_against_fifty_digits(sizes: tuple[int, int, int], decimals: int) -> None:
    rng = np.random.default_rng(decimals)
    G, T, F = (np.round(4 + 2 * rng.standard_normal((n, 3)), decimals) for n in sizes)
    F[0] += 0.5  # no coordinate is constant
    result = coordinate_delta(G, T, F)
    with mpmath.workdps(50):
        distances = []
        for X in (T, F):
            parts = []
            for k in range(3):
                std = float(F[:, k].std(ddof=1))
                x, g = digits(X[:, k : k + 1]), digits(G[:, k : k + 1])
                parts.append(std * whole_distance(x, g, std, 1))  # du = dx / std
            distances.append(mpmath.fsum(parts) / 3)
        value = distances[0] - distances[1]
    assert result.coordinates == 3
    assert result.distance_train == pytest.approx(float(distances[0]), rel=1e-13)
    assert result.distance_original == pytest.approx(float(distances[1]), rel=1e-13)
    assert result.delta == pytest.approx(float(value), rel=1e-11, abs=1e-16)
    assert result.sign == int(mpmath.sign(value))


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_distance_agrees_with_scipys_kde(dim: int) -> None:
    rng = np.random.default_rng(0)
    X, Y, std = rng.standard_normal((20, dim)), 1 + rng.standard_normal((12, dim)), 0.8
    laws = []
    for Z in (X, Y):
        law = gaussian_kde(Z.T)
        eps = bandwidth(std, len(Z), dim)
        law.covariance, law.cho_cov = eps**2 * np.eye(dim), eps * np.eye(dim)
        laws.append(law)
    p, q = laws
    oracle = p.integrate_kde(p) + q.integrate_kde(q) - 2 * p.integrate_kde(q)
    assert log_sample_distance(X, Y, std) == pytest.approx(math.log(oracle), rel=1e-10)


@pytest.mark.parametrize(
    ("n", "m", "dim", "offset", "eps"),
    [(9, 7, 3, 0.0, 0.5), (8, 6, 30, 0.0, 1e-6), (6, 7, 40, 1e6, 1e-3), (5, 9, 200, 10.0, 1.0)],
)
def test_cross_pairs_against_mpmath(n: int, m: int, dim: int, offset: float, eps: float) -> None:
    rng = np.random.default_rng(n)
    X, Y = offset + rng.standard_normal((n, dim)), offset + rng.standard_normal((m, dim))
    Y[2] = X[1] + 1e-3 * eps * rng.standard_normal(dim)
    Y[3] = X[0]
    with mpmath.workdps(50):
        variance = mpmath.mpf(eps) ** 2 + mpmath.mpf(2 * eps) ** 2
        oracle = float(mpmath.log(overlap(digits(X), digits(Y), variance)))
    assert log_cross_pairs(X, Y, eps, 2 * eps) == pytest.approx(oracle, abs=1e-9)
    assert log_cross_pairs(Y, X, 2 * eps, eps) == pytest.approx(oracle, abs=1e-9)


def test_near_pairs_beside_far_points_keep_their_digits(monkeypatch) -> None:
    rng = np.random.default_rng(1)
    X = np.concatenate([rng.standard_normal((20, 12)), 1e7 + rng.standard_normal((1, 12))])
    Y = X[:15] + 1e-4 * rng.standard_normal((15, 12))
    with mpmath.workdps(50):
        oracle = float(mpmath.log(overlap(digits(X), digits(Y), 2 * mpmath.mpf(1e-4) ** 2)))
    assert log_cross_pairs(X, Y, 1e-4, 1e-4) == pytest.approx(oracle, abs=1e-8)
    monkeypatch.setattr("ornstein.kernels.full_dimension._BLOCK", 7)
    assert log_cross_pairs(X, Y, 1e-4, 1e-4) == pytest.approx(oracle, abs=1e-8)


def test_real_pixels_against_all_pairs() -> None:
    """Integers from 0 to 16, constant pixels, coincident values in all three sets."""
    pixels = load_digits().data
    T, F, G = pixels[:150], pixels[150:750], pixels[750:780] + 0.01
    result = coordinate_delta(G, T, F)
    deltas = []
    for t, o, g in zip(T.T, F.T, G.T, strict=True):
        if np.ptp(o) == 0:
            continue
        std = o.std(ddof=1)

        def kernel(x, y, std=std):
            w = math.hypot(1 / len(x), 1 / len(y))
            z = np.subtract.outer(x, y) / std
            return np.exp(-0.5 * (z / w) ** 2) / math.sqrt(2 * math.pi) / w

        def mean(x, y, kernel=kernel):
            return float(kernel(x, y).sum(dtype=np.longdouble)) / len(x) / len(y)

        deltas.append(mean(t, t) - mean(o, o) - 2 * mean(t, g) + 2 * mean(o, g))
    assert result.coordinates == len(deltas)
    assert 50 < len(deltas) < 64
    assert result.delta == pytest.approx(np.mean(deltas), rel=1e-12)


@pytest.mark.parametrize("statistic", [sample_delta, coordinate_delta])
def test_copies_of_either_set_decide_the_sign(statistic) -> None:
    for seed in range(5):
        rng = np.random.default_rng(seed)
        T, F = rng.standard_normal((60, 12)), rng.standard_normal((60, 12))
        assert statistic(T[:20] + 1e-3, T, F).sign == -1
        assert statistic(F[:20] + 1e-3, T, F).sign == 1


def test_exchange_of_the_sets_changes_the_sign_and_nothing_else() -> None:
    rng = np.random.default_rng(2)
    G, T, F = (np.round(rng.standard_normal((n, 6)), 1) for n in (15, 40, 80))
    units = np.linspace(0.5, 2, 6)
    one, other = coordinate_delta(G, T, F, units), coordinate_delta(G, F, T, units)
    assert one.delta == -other.delta
    assert one.sign == -other.sign
    assert one.distance_train == other.distance_original
    full, back = sample_delta(G, T, F, 1.0), sample_delta(G, F, T, 1.0)
    assert full.sign == -back.sign
    assert full.log_abs == back.log_abs


def test_equal_sets_give_zero_exactly() -> None:
    rng = np.random.default_rng(3)
    T, G = rng.standard_normal((50, 5)), rng.standard_normal((10, 5))
    assert coordinate_delta(G, T, rng.permutation(T), 1.0)[:2] == (0, 0.0)
    assert sample_delta(G, T, T)[:2] == (0, -math.inf)
    assert coordinate_delta(T, T, T).distance_train == pytest.approx(0, abs=1e-15)
    assert coordinate_delta(T, T, T).distance_train >= 0


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1000), dim=st.integers(1, 6), n=st.integers(2, 20))
def test_invariance_under_shift_permutation_and_scale(seed: int, dim: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    sets = [rng.standard_normal((size, dim)) for size in (7, n, 25)]
    shift, scale = rng.standard_normal(dim), 3.7
    moved = [rng.permutation(scale * X + shift) for X in sets]
    base, again = sample_delta(*sets), sample_delta(*moved)
    assert again.sign == base.sign
    assert again.log_abs + dim * math.log(scale) == pytest.approx(base.log_abs, abs=1e-6)
    rotation, _ = np.linalg.qr(rng.standard_normal((dim, dim)))
    turned = sample_delta(*(X @ rotation for X in sets))
    assert turned.log_abs == pytest.approx(base.log_abs, abs=1e-6)
    one, two = coordinate_delta(*sets), coordinate_delta(*moved)
    assert two.delta == pytest.approx(one.delta, rel=1e-6, abs=1e-12)
    assert two.distance_train == pytest.approx(one.distance_train, rel=1e-10)
    # Each coordinate has its own unit: they may be stretched one by one.
    stretched = coordinate_delta(*(X * np.arange(1, dim + 1) for X in sets))
    assert stretched.delta == pytest.approx(one.delta, rel=1e-6, abs=1e-12)


@pytest.mark.parametrize("statistic", [sample_delta, coordinate_delta])
def test_float32_and_images(statistic) -> None:
    rng = np.random.default_rng(4)
    sets = [rng.standard_normal((n, 2, 4)).astype(np.float32) for n in (6, 30, 90)]
    wide = [X.astype(np.float64).reshape(len(X), 8) for X in sets]
    assert statistic(*sets) == statistic(*wide)


def test_a_constant_coordinate_is_left_out() -> None:
    rng = np.random.default_rng(5)
    sets = [rng.standard_normal((n, 4)) for n in (8, 30, 70)]
    base = coordinate_delta(*sets)
    padded = [np.insert(X, 2, 0.1, axis=1) for X in sets]
    padded[0][:, 2] = rng.standard_normal(8)
    assert coordinate_delta(*padded) == base
    assert base.coordinates == 4
    assert coordinate_delta(*padded, std=[1.0, 1.0, 0.0, 1.0, 1.0]).coordinates == 4
    law = Gaussian.from_factor(np.zeros(3), [[1.0], [0.0], [2.0]])
    X = law.sample(20, rng)
    assert coordinate_delta(X[:5], X, law, n_original=20).coordinates == 2


def test_expected_originals_are_many_sampled_ones() -> None:
    population = Mixture.isotropic(4, [0.0, 3.0], [1.0, 0.5])
    rng = np.random.default_rng(6)
    T, G = population.sample(30, rng), population.sample(12, rng)
    draws = [population.sample(200, rng) for _ in range(200)]
    exact = sample_delta(G, T, population, n_original=200).log_terms
    logs = [sample_delta(G, T, F, std=population.std).log_terms for F in draws]
    for index in (2, 3):
        ratio = np.exp(np.array([terms[index] for terms in logs]) - exact[index])
        error = ratio.std(ddof=1) / math.sqrt(len(draws))
        assert error < 0.02
        assert abs(ratio.mean() - 1) < 4 * error
    units = np.full(4, population.std)
    whole = coordinate_delta(G, T, population, n_original=200)
    sampled = [coordinate_delta(G, T, F, std=units) for F in draws]
    for field in ("delta", "distance_original"):
        values = np.array([getattr(result, field) for result in sampled])
        error = values.std(ddof=1) / math.sqrt(len(draws))
        assert abs(values.mean() - getattr(whole, field)) < 4 * error
    assert whole.distance_train == pytest.approx(sampled[0].distance_train, rel=1e-12)


def test_many_generated_points_are_their_law() -> None:
    """C(X, G) averages to B(X) of the law that generates, widened by G's own kernel."""
    rng = np.random.default_rng(7)
    law = Gaussian([0.5, -0.2, 0.0], [[1.0, 0.3, 0.0], [0.3, 0.8, 0.1], [0.0, 0.1, 0.6]])
    X, m = rng.standard_normal((20, 3)), 2000
    eps, eps_new = bandwidth(1.0, 20, 3), bandwidth(1.0, m, 3)
    exact = log_cross(law, X, math.hypot(eps, eps_new))
    ratio = [
        math.exp(log_cross_pairs(X, law.sample(m, rng), eps, eps_new) - exact) for _ in range(60)
    ]
    error = np.std(ratio, ddof=1) / math.sqrt(60)
    assert error < 5e-3
    assert abs(np.mean(ratio) - 1) < 4 * error


def test_null_is_symmetric_when_both_sets_are_of_one_size() -> None:
    rng = np.random.default_rng(8)
    repeats, n, dim = 600, 40, 8
    draws = [[rng.standard_normal((m, dim)) for m in (10, n, n)] for _ in range(repeats)]
    values = np.array([coordinate_delta(*sets, std=1.0).delta for sets in draws])
    assert abs(values.mean()) < 4 * values.std() / math.sqrt(repeats)
    for positive in (
        (values > 0).sum(),
        sum(sample_delta(*sets, std=1.0).sign > 0 for sets in draws),
    ):
        assert abs(positive / repeats - 0.5) < 4 * 0.5 / math.sqrt(repeats)


def test_null_of_unequal_sizes_is_not_zero() -> None:
    """E Delta = -(1/n - 1/N) / sqrt(4 pi), up to O(n^-2), though nothing was memorized."""
    rng = np.random.default_rng(9)
    repeats, n, n_original, dim = 800, 40, 10_000, 32
    population = Gaussian.isotropic(dim)
    values = np.array(
        [
            coordinate_delta(
                population.sample(10, rng),
                population.sample(n, rng),
                population,
                n_original=n_original,
            ).delta
            for _ in range(repeats)
        ]
    )
    error = values.std() / math.sqrt(repeats)
    null = -(1 / n - 1 / n_original) / math.sqrt(4 * math.pi)
    assert abs(values.mean() - null) < 4 * error
    assert abs(null) > 8 * error


def test_where_values_repeat_sizes_decide() -> None:
    """All three sets are fresh digits, and Delta is far below 0: A' of a heap grows like N."""
    pixels = np.random.default_rng(11).permutation(load_digits().data)
    unequal = coordinate_delta(pixels[:10], pixels[10:160], pixels[160:1660])
    equal = coordinate_delta(pixels[:10], pixels[10:160], pixels[160:310])
    assert unequal.delta < -100
    assert abs(equal.delta) < 1.5


def test_high_dimension_does_not_underflow() -> None:
    rng = np.random.default_rng(10)
    result = sample_delta(*(rng.standard_normal((n, 3072)) for n in (3, 5, 20)))
    assert result.sign in (-1, 1)
    assert np.isfinite(result.log_abs)
    assert np.isfinite(result.log_terms).all()


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda f, X: f(X, X[:, :2], X), "train has 2 coordinates per point, expected 3"),
        (lambda f, X: f(X, X, X[:, :2]), "originals has 2 coordinates per point, expected 3"),
        (lambda f, X: f(X, X, Gaussian.isotropic(3)), "give n_original"),
        (lambda f, X: f(X, X, Gaussian.isotropic(2), n_original=5), "dimension 2"),
        (lambda f, X: f(X, X, X[:1]), "give std"),
        (lambda f, X: f(X, X, np.ones((5, 3))), "all equal"),
        (lambda f, X: f(X, X, X, -1.0), "std is -1"),
        (lambda f, X: f(X, X, X, 0.0), "all equal"),
        (lambda f, X: f(X, X, X, n_original=3), "leave n_original out"),
        (lambda f, X: f(np.full((3, 3), np.nan), X, X), "generated has 9 NaN"),
    ],
)
@pytest.mark.parametrize("statistic", [sample_delta, coordinate_delta])
def test_bad_input_is_one_clear_line(statistic, call, match: str) -> None:
    X = Gaussian.isotropic(3).sample(10, 0)
    with pytest.raises(ValueError, match=match) as caught:
        call(statistic, X)
    assert "\n" not in str(caught.value)
