"""Random-feature learning curves: the paper's equations, exact limits, order, simulation."""

from __future__ import annotations

import math
from itertools import product

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf

from ornstein.theory.random_features import learning_curves as random_features
from ornstein.theory.random_features.activations import activation_constants
from ornstein.theory.random_features.learning_curves import random_feature_losses
from ornstein.theory.random_matrices.marchenko_pastur import marchenko_pastur_mean

FUNCTIONS = {"tanh": np.tanh, "erf": erf, "sign": np.sign, "identity": np.array}


def logarithmic(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(math.log10(low), math.log10(high)).map(lambda exponent: 10.0**exponent)


ratios, ridges, times = logarithmic(1e-2, 1e2), logarithmic(1e-8, 1e3), logarithmic(1e-3, 5)
draws = logarithmic(1, 100)


def test_check_values():
    losses = random_feature_losses([0.5, 8.0], 8.0, 0.1, 1e-3, 1)
    assert losses.train[0] == pytest.approx(0.86312, abs=5e-6)
    assert losses.test[0] == pytest.approx(0.98080, abs=5e-6)
    assert losses.test[1] == pytest.approx(2.798, abs=5e-4)
    curve = random_feature_losses(np.linspace(1, 30, 291), 8.0, 0.1, 1e-3, 1).test
    assert 7.5 < 1 + np.argmax(curve) / 10 < 8.5


# ---- the coupled equations for (q, r), followed from a huge ridge in 40 digits


def paper_losses(feature_ratio, sample_ratio, time, ridge, noise_draws, activation):
    psi_p, psi_n, m = (mpmath.mpf(float(x)) for x in (feature_ratio, sample_ratio, noise_draws))
    mu1, star, kap = (mpmath.mpf(x) for x in activation_constants(activation, time))
    kept = mpmath.exp(-2 * mpmath.mpf(time))
    noise = 1 - kept

    def layers(q, r):
        factor = psi_p / (psi_n * m)
        first = mu1**2 * r * (m * kept + noise) + star * q * (1 + (m - 1) * kap)
        second = mu1**2 * r * noise + star * q * (1 - kap)
        return 1 + factor * first, 1 + factor * second

    def equations(z, zeta):
        def at(log_q, log_r):
            q, r = mpmath.exp(log_q), mpmath.exp(log_r)
            L1, L2 = layers(q, r)
            one = 1 / q + mu1**2 * psi_p * (kept + noise / m) / L1
            one += (m - 1) * psi_p * mu1**2 * (noise / m) / L2 - 1 / r - psi_p * zeta
            two = (1 - psi_p) / q - r / q**2 + psi_p * star * (1 + (m - 1) * kap) / (m * L1)
            two += (m - 1) * psi_p * star * (1 - kap) / (m * L2) - z * psi_p
            return [one * r, two * q]

        return at

    def statistics(z, zeta, start):
        q, r = map(mpmath.exp, mpmath.findroot(equations(z, zeta), start, tol=1e-60))
        L1, L2 = layers(q, r)
        T = 1 / L1 + (m - 1) / L2
        T1 = 1 - T / m + mu1**2 * psi_p * noise * r * T**2 / m**2
        return T1, psi_p * mu1 * mpmath.sqrt(noise) * r * T / m

    # For a ridge of 1e5 both q and r are 1/ridge.
    point = (-mpmath.log(1e5), -mpmath.log(1e5))
    for exponent in np.linspace(5, math.log10(ridge), 3 * math.ceil(5 - math.log10(ridge))):
        z = -(mpmath.mpf(10) ** mpmath.mpf(exponent))
        point = tuple(mpmath.findroot(equations(z, mpmath.mpf(0)), point, tol=1e-16))
    lam = mpmath.mpf(ridge)
    h = lam * mpmath.mpf(10) ** -12
    T1, T2 = statistics(-lam, 0, point)
    by_z = (statistics(-lam + h, 0, point)[0] - statistics(-lam - h, 0, point)[0]) / (2 * h)
    by_zeta = (statistics(-lam, h, point)[0] - statistics(-lam, -h, point)[0]) / (2 * h)
    test = 1 - 2 * mu1 * mpmath.sqrt(noise) * T2 + mu1**2 * by_zeta + star * by_z
    return float(1 - T1), float(test)


@pytest.mark.parametrize(
    "point",
    [
        (8.0, 8.0, 0.1, 1e-3, 1, "tanh"),
        (8.0, 8.0, 0.1, 1e-8, 1, "tanh"),
        (0.01, 0.01, 0.001, 1e-6, 30, "tanh"),
        (100.0, 0.5, 0.02, 1e-7, 40, "erf"),
        (60.0, 3.0, 0.4, 1e-5, 20, "sign"),
        (0.3, 50.0, 2.0, 1e-2, 2.5, "sign"),
        (5.0, 0.02, 5.0, 10.0, 7, "tanh"),
    ],
)
def test_equals_the_coupled_equations_on_the_branch_from_a_huge_ridge(point):
    with mpmath.workdps(40):
        expected = paper_losses(*point)
    assert random_feature_losses(*point) == pytest.approx(expected, rel=1e-11)


# ---- exact limits


@pytest.mark.parametrize("feature_ratio", [0.2, 0.7, 3.0])
def test_linear_features_without_ridge_are_least_squares(feature_ratio):
    # Regression of z on min(p, d) Gaussian directions of y: the textbook risk of OLS.
    psi_n, t = 4.0, 0.3
    seen = min(feature_ratio, 1.0)
    floor = 1 - seen * -math.expm1(-2 * t)
    losses = random_feature_losses(feature_ratio, psi_n, t, 1e-9, 1, "identity")
    assert losses.train == pytest.approx(floor * (1 - seen / psi_n), rel=1e-6)
    assert losses.test == pytest.approx(floor / (1 - seen / psi_n), rel=1e-6)


@pytest.mark.parametrize(("feature_ratio", "noise_draws"), [(0.5, 1), (0.5, 9), (3.0, 2)])
def test_many_points_reach_the_population_optimum(feature_ratio, noise_draws):
    t, lam = 0.2, 0.05
    mu1, star, _ = activation_constants("tanh", t)
    noise = -math.expm1(-2 * t)

    def mean(function):
        # Of the eigenvalues of W^T W / d, in units of the linear part of the features.
        return marchenko_pastur_mean(
            lambda x: function(mu1**2 * feature_ratio * x), 1 / feature_ratio
        )

    fitted = mean(lambda x: x / (x + star + lam))
    size = mean(lambda x: x * (x + star) / (x + star + lam) ** 2)
    losses = random_feature_losses(feature_ratio, 1e7, t, lam, noise_draws)
    assert losses.train == pytest.approx(1 - noise * fitted, rel=1e-5)
    assert losses.test == pytest.approx(1 - 2 * noise * fitted + noise * size, rel=1e-5)


@given(ratios, ratios, ridges, draws)
def test_at_large_times_draws_count_as_points(feature_ratio, sample_ratio, ridge, noise_draws):
    # Nothing of the data is left in y, so that n points with m draws are n m points with one.
    shared = random_feature_losses(feature_ratio, sample_ratio, 18.0, ridge, noise_draws)
    alone = random_feature_losses(feature_ratio, sample_ratio * noise_draws, 18.0, ridge, 1)
    assert shared.train == pytest.approx(alone.train, rel=1e-6, abs=1e-12)
    assert shared.test == pytest.approx(alone.test, rel=1e-4, abs=1e-11)


def test_infinite_draws_are_the_limit():
    limit = np.array(random_feature_losses(4, 2, 0.1, 1e-3, np.inf))
    gaps = [np.array(random_feature_losses(4, 2, 0.1, 1e-3, m)) - limit for m in (1e5, 1e6)]
    np.testing.assert_allclose(gaps[0] / gaps[1], 10.0, rtol=1e-3)
    assert np.abs(gaps[1]).max() < 1e-5


@given(ratios, ratios, times, draws)
def test_a_huge_ridge_leaves_the_zero_score(feature_ratio, sample_ratio, time, noise_draws):
    losses = random_feature_losses(feature_ratio, sample_ratio, time, 1e12, noise_draws)
    assert losses == pytest.approx((1.0, 1.0), abs=1e-8)


# ---- order and invariance


@given(ratios, ratios, times, ridges, draws)
def test_losses_are_ordered_around_the_population_minimum(psi_p, psi_n, t, lam, m):
    train, test = random_feature_losses(psi_p, psi_n, t, lam, m)
    assert 0 < train < 1
    assert test > math.exp(-2 * t) * (1 - 1e-9)
    # By the envelope theorem lam dL_train/dlam is the ridge term. With it the test loss is the
    # population objective at the fitted score: above that objective's minimum, L_train below it.
    step = 1e-4
    above, below = (
        random_feature_losses(psi_p, psi_n, t, lam * math.exp(s), m).train for s in (step, -step)
    )
    ridge_term = (above - below) / (2 * step)
    assert -1e-9 < ridge_term < train + 1e-9
    assert test + ridge_term > train - 1e-9


@given(ratios, ratios, times, ridges, draws, st.floats(1.0, 3.0))
def test_training_loss_grows_with_data_and_ridge_and_falls_with_features(
    psi_p, psi_n, t, lam, m, factor
):
    train = random_feature_losses(psi_p, psi_n, t, lam, m).train * (1 - 1e-9)
    assert random_feature_losses(psi_p, psi_n * factor, t, lam, m).train >= train
    assert random_feature_losses(psi_p, psi_n, t, lam, m * factor).train >= train
    assert random_feature_losses(psi_p, psi_n, t, lam * factor, m).train >= train
    assert random_feature_losses(psi_p / factor, psi_n, t, lam, m).train >= train


@given(ratios, ratios, times, ridges, draws, st.floats(0.1, 10.0))
def test_scaling_the_activation_scales_the_ridge(psi_p, psi_n, t, lam, m, scale):
    plain = random_feature_losses(psi_p, psi_n, t, lam, m)
    scaled = random_feature_losses(
        psi_p, psi_n, t, lam * scale**2, m, lambda g: -scale * np.tanh(g)
    )
    assert scaled == pytest.approx(plain, rel=1e-8)


def test_an_activation_without_linear_part_only_fits_noise():
    losses = random_feature_losses(8, 2, 0.3, 1e-2, 3, lambda g: g**3 - 3 * g)
    assert losses.train < 1 < losses.test


# ---- shapes, extremes, refusals


def test_broadcasting_equals_single_calls():
    grid = np.meshgrid([0.1, 3.0], [0.4, 5.0], [0.05, 1.0], [1e-6, 1.0], [1, 4.0, np.inf])
    together = random_feature_losses(*grid)
    assert together.train.shape == grid[0].shape
    for index in np.ndindex(*grid[0].shape):
        alone = random_feature_losses(*(axis[index] for axis in grid))
        assert all(isinstance(loss, float) for loss in alone)
        assert alone == pytest.approx((together.train[index], together.test[index]), rel=1e-12)
    assert random_feature_losses(1, [], 1, 1, 1).test.shape == (0,)


@pytest.mark.parametrize("activation", ["tanh", "identity", "sign"])
def test_extreme_parameters_stay_finite_without_a_warning(activation):
    corners = product(
        [1e-8, 1.0, 1e8],
        [1e-8, 1.0, 1e8],
        [1e-12, 0.1, 300.0],
        [1e-20, 1e20],
        [1, 3, 1e300, np.inf],
    )
    train, test = random_feature_losses(*np.transpose(list(corners)), activation)
    assert np.isfinite(test).all()
    assert ((train >= 0) & (train <= 1 + 1e-12)).all()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"feature_ratio": 0.0}, "feature_ratio is 0, expected a number from 1e-08 to 1e\\+08"),
        ({"sample_ratio": np.inf}, "sample_ratio is inf"),
        ({"time": [-1.0]}, "time is -1"),
        ({"ridge": 0.0}, "ridge is 0"),
        ({"ridge": 1e-30}, "ridge is 1e-30, expected a number from 1e-20 to 1e\\+20"),
        ({"noise_draws": 0.5}, "noise_draws is 0.5, expected a number from 1 to inf"),
        ({"noise_draws": np.nan}, "noise_draws is nan"),
        ({"activation": "relu"}, "activation is 'relu'"),
    ],
)
def test_what_is_outside_the_theory_is_refused(change, says):
    fine = {"feature_ratio": 1, "sample_ratio": 1, "time": 1, "ridge": 1, "noise_draws": 1}
    with pytest.raises(ValueError, match=says):
        random_feature_losses(**{**fine, **change})


def test_no_convergence_is_said(monkeypatch):
    monkeypatch.setattr(random_features, "_MAX_STEPS", 2)
    with pytest.raises(RuntimeError, match="did not converge in 2 steps at feature_ratio 8"):
        random_feature_losses([8, 8], 8, 0.1, 1e-6, 1)


# ---- simulation


def simulated_losses(dim, psi_p, psi_n, t, lam, m, activation, rng):
    p, n, sigma = round(psi_p * dim), round(psi_n * dim), FUNCTIONS[activation]
    kept, noise = math.exp(-t), math.sqrt(-math.expm1(-2 * t))
    W = rng.standard_normal((p, dim)) / math.sqrt(dim)

    def features_and_noise(n_points, n_draws):
        x = np.repeat(rng.standard_normal((n_points, dim)), n_draws, axis=0)
        z = rng.standard_normal(x.shape)
        return sigma((kept * x + noise * z) @ W.T), z

    F, z = features_and_noise(n, m)
    a = np.linalg.solve(F.T @ F / (n * m) + lam * np.eye(p), -F.T @ z / (n * m))
    train = np.mean((F @ a + z) ** 2) + lam * np.sum(a**2) / dim
    F, z = features_and_noise(4000, 1)
    return train, np.mean((F @ a + z) ** 2)


def simulation(dim, repetitions, point):
    rng = np.random.default_rng(7)
    losses = np.array([simulated_losses(dim, *point, rng) for _ in range(repetitions)])
    return losses.mean(0), losses.std(0, ddof=1) / math.sqrt(repetitions)


@pytest.mark.parametrize(
    "point",
    [
        (0.5, 8.0, 0.1, 1e-3, 1, "tanh"),
        (2.0, 1.0, 0.1, 1e-3, 4, "tanh"),
        (1.0, 3.0, 0.5, 1e-2, 2, "tanh"),
        (3.0, 2.0, 0.3, 1e-1, 2, "erf"),
        (6.0, 2.0, 0.1, 1e-1, 3, "sign"),
        (0.5, 1.0, 0.3, 1e-2, 3, "identity"),
    ],
)
def test_simulation_away_from_the_peak(point):
    # Tolerance: 4 standard errors, and 1% for the limit at dim 48.
    mean, error = simulation(48, 12, point)
    expected = np.array(random_feature_losses(*point))
    assert (np.abs(mean - expected) < 4 * error + 0.01 * expected).all()


@pytest.mark.slow
@pytest.mark.parametrize(
    "point", [(8.0, 8.0, 0.1, 1e-3, 1, "tanh"), (4.0, 1.0, 0.1, 1e-3, 4, "tanh")]
)
def test_simulation_at_the_peak_approaches_the_limit_like_one_over_d(point):
    # The O(1/d) bias cancels in 2 L(2d) - L(d). Tolerance: 4 standard errors, and 0.5%.
    expected = np.array(random_feature_losses(*point))
    (coarse, coarse_error), (fine, fine_error) = (
        simulation(dim, repetitions, point) for dim, repetitions in ((30, 40), (60, 16))
    )
    error = np.hypot(coarse_error, 2 * fine_error)
    assert (np.abs(2 * fine - coarse - expected) < 4 * error + 0.005 * expected).all()
    assert coarse[1] < expected[1] - 4 * coarse_error[1]
