"""Kernel terms against scipy's KDE integrals, mpmath, simulation; near pairs and far scales."""

import mpmath
import numpy as np
import pytest
from scipy.stats import gaussian_kde

from ornstein.gaussians import Gaussian
from ornstein.kernels.full_dimension import (
    bandwidth,
    log_cross,
    log_cross_expected,
    log_pairs,
    log_pairs_expected,
    log_self_terms,
    signed_log_sum,
)
from ornstein.mixtures import Mixture


def brute_log_pairs(points: np.ndarray, eps: float) -> float:
    """Sum over all ordered pairs in 50 digits."""
    n, dim = points.shape
    with mpmath.workdps(50):
        total = mpmath.mpf(0)
        for i in range(n):
            for j in range(n):
                if i != j:
                    square = mpmath.fsum(
                        (mpmath.mpf(float(a)) - mpmath.mpf(float(b))) ** 2
                        for a, b in zip(points[i], points[j], strict=True)
                    )
                    total += mpmath.exp(-square / (4 * mpmath.mpf(eps) ** 2))
        kernel = (4 * mpmath.pi * mpmath.mpf(eps) ** 2) ** (-mpmath.mpf(dim) / 2)
        return float(mpmath.log(total * kernel / n**2))


@pytest.mark.parametrize("dim", [1, 2, 3])
def test_terms_agree_with_scipys_kde(dim: int) -> None:
    """`integrate_kde` gives A whole, `integrate_gaussian` gives B."""
    rng = np.random.default_rng(0)
    X = rng.standard_normal((30, dim))
    kde = gaussian_kde(X.T)
    eps = 0.35
    kde.covariance = eps**2 * np.eye(dim)
    kde.cho_cov = eps * np.eye(dim)
    whole = np.logaddexp(log_pairs(X, eps), log_self_terms(30, dim, eps))
    assert whole == pytest.approx(np.log(kde.integrate_kde(kde)), rel=1e-10)
    factor = rng.standard_normal((dim, dim + 1))
    law = Gaussian(rng.standard_normal(dim), factor @ factor.T)
    oracle = kde.integrate_gaussian(law.mean, law.covariance.dense())
    assert log_cross(law, X, eps) == pytest.approx(np.log(oracle), rel=1e-9)


@pytest.mark.parametrize(
    ("n", "dim", "eps", "offset", "scale"),
    [
        (7, 3, 0.5, 0.0, 1.0),
        (7, 20, 0.9, 10.0, 1.0),
        (6, 200, 0.99, 0.0, 1.0),
        (6, 40, 1e-3, 1e6, 1e-2),  # near pairs far from the origin
        (6, 5, 1e-8, 1.0, 1e-8),
        (5, 30, 1e-6, 0.0, 1.0),  # every term underflows in float64
    ],
)
def test_pair_sum_against_mpmath(n, dim, eps, offset, scale) -> None:
    rng = np.random.default_rng(n + dim)
    X = offset + scale * rng.standard_normal((n, dim))
    X[1] = X[0] + scale * 1e-3 * rng.standard_normal(dim)
    assert log_pairs(X, eps) == pytest.approx(brute_log_pairs(X, eps), rel=1e-12, abs=1e-9)


def test_near_pairs_beside_far_points_keep_their_digits() -> None:
    """|a|^2 + |b|^2 - 2ab alone would lose these distances; they are found and computed again."""
    rng = np.random.default_rng(1)
    X = np.concatenate([rng.standard_normal((20, 12)), 1e7 + rng.standard_normal((1, 12))])
    X[5] = X[4] + 1e-4
    eps = 1e-4
    assert log_pairs(X, eps) == pytest.approx(brute_log_pairs(X, eps), abs=1e-8)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    X = np.random.default_rng(2).standard_normal((150, 30))
    whole = log_pairs(X, 0.8)
    monkeypatch.setattr("ornstein.kernels.full_dimension._BLOCK", 37)
    assert log_pairs(X, 0.8) == pytest.approx(whole, abs=1e-11)


@pytest.mark.parametrize(
    "population",
    [
        Gaussian.isotropic(3, mean=2.0, std=1.5),
        Gaussian([0.0, 1.0, 2.0], [[2.0, 0.5, 0.0], [0.5, 1.0, 0.3], [0.0, 0.3, 0.7]]),
        Mixture.isotropic(3, [0.0, 2.0], [1.0, 0.5], [0.3, 0.7]),
    ],
)
def test_expected_terms_are_the_mean_over_draws(population) -> None:
    rng = np.random.default_rng(0)
    n, repeats = 40, 400
    eps = bandwidth(population.std, n, 3)
    law = Gaussian.from_factor(np.ones(3), rng.standard_normal((3, 2)))
    draws = [population.sample(n, rng) for _ in range(repeats)]
    for values, expected in [
        ([log_pairs(X, eps) for X in draws], log_pairs_expected(population, n, eps)),
        ([log_cross(law, X, eps) for X in draws], log_cross_expected(law, population, eps)),
    ]:
        ratio = np.exp(np.array(values) - expected)
        error = ratio.std(ddof=1) / np.sqrt(repeats)
        assert abs(ratio.mean() - 1) < 4 * error
        assert error < 0.05


def test_single_points_have_no_pairs() -> None:
    assert log_pairs(np.ones((1, 4)), 0.5) == -np.inf
    assert log_pairs_expected(Gaussian.isotropic(4), 1, 0.5) == -np.inf


def test_signed_sum() -> None:
    assert signed_log_sum([-np.inf, -np.inf], [1, -1]) == (0, -np.inf)
    assert signed_log_sum([3.0, 3.0], [1, -1]) == (0, -np.inf)
    sign, log = signed_log_sum([-2000.0, -2001.0], [-1, 1])
    assert sign == -1
    assert log == pytest.approx(-2000 + np.log(1 - np.exp(-1)))
    with pytest.raises(ValueError, match="infinite"):
        signed_log_sum([np.inf], [1])
