"""The stationary principle behind the one-step model: its solution, its means and covariances."""

import numpy as np
import pytest
from numpy.polynomial.legendre import leggauss
from scipy.optimize import brentq

from ornstein.theory.one_step_model.anisotropic_moments import fitted_second_moment
from ornstein.theory.one_step_model.anisotropic_potential import nuclear_norm
from ornstein.theory.one_step_model.noised_modes import condensed, linear_map, noised_modes
from ornstein.theory.one_step_model.saddle_point import (
    denominator,
    mean_potential,
    potential_covariance,
    projection,
    saddle_point,
)

POWER = 1.0 / np.arange(1, 21)


def modes_of(values, noise_scale=1.0):
    return noised_modes(values, 2.0, noise_scale)


def singular_values(values, n: int, runs: int, seed: int, power: float) -> np.ndarray:
    """Of ``K``, from explicit regressions with the population's start variance."""
    rng = np.random.default_rng(seed)
    values = np.asarray(values) / np.mean(values)
    mu = -np.expm1(-4.0) / 1.0
    x = rng.standard_normal((runs, n - 1, values.size)) * np.sqrt(values)
    y = x + np.sqrt(mu) * rng.standard_normal(x.shape)
    B = np.swapaxes(np.linalg.pinv(y) @ x, 1, 2)
    K = np.sqrt((1 + mu) * values**power)[:, None] * B
    return np.linalg.svd(K, compute_uv=False)[:, : min(n - 1, values.size)]


@pytest.mark.parametrize("noise_scale", [1e-8, 1.0, 1e5])
@pytest.mark.parametrize("power", [-1.0, 1.0])
def test_equations_hold_over_many_decades(noise_scale: float, power: float) -> None:
    t = 10.0 ** np.arange(-40, 21, 4)
    for values in (POWER, np.geomspace(1, 1e-12, 20), np.r_[POWER[:9], np.zeros(4)]):
        d = len(values)
        for nu in (2, d - 1, d, d + 1, 2 * d, 10**6):
            K = linear_map(modes_of(values, noise_scale), nu, power)
            point = saddle_point(K, t)
            B = denominator(K, point)
            p, alpha, beta = (z[:, None] for z in (point.p, point.alpha, point.beta))
            np.testing.assert_allclose(point.p * point.alpha * point.beta, t, rtol=1e-11)
            columns = (beta * K.inverse / B) @ K.weight
            rows = (alpha * K.residual / B) @ K.weight
            if nu <= d:
                assert (p == 1).all()
                np.testing.assert_allclose(columns - rows, d - nu, atol=1e-11 * d)
                continue
            np.testing.assert_allclose(columns, rows, rtol=1e-9)
            total = (K.residual * (K.inverse + alpha) / B) @ K.weight
            np.testing.assert_allclose(total * point.rest, nu - d, rtol=1e-9)


def test_nested_bisection_finds_the_same_point() -> None:
    K = linear_map(modes_of(POWER), 31.0, 1.0)
    for t in (1e-12, 1e-3, 1.0, 1e4):

        def balance(x: float, p: float, t: float = t) -> float:
            kappa = np.exp(x)
            B = t + K.signal + p * K.residual * K.inverse + kappa * K.inverse
            B = B + p / kappa * t * K.residual
            return K.weight @ ((kappa * K.inverse - p / kappa * t * K.residual) / B)

        def slope(logit: float, t: float = t) -> float:
            p = 1 / (1 + np.exp(-logit))
            kappa = np.exp(brentq(balance, -80, 60, args=(p,), xtol=1e-13))
            B = t + K.signal + p * K.residual * K.inverse + kappa * K.inverse
            B = B + p / kappa * t * K.residual
            rising = K.weight @ ((K.residual * t / kappa + K.residual * K.inverse) / B)
            return rising / (K.dof - K.columns) * (1 - p) - 1

        logit = brentq(slope, -40, 30, xtol=1e-12)
        point = saddle_point(K, np.array([t]))
        assert np.log(point.p / point.rest)[0] == pytest.approx(logit, abs=1e-9)


@pytest.mark.parametrize("power", [1.0, -1.0])
@pytest.mark.parametrize("n", [8, 50, 120])
def test_means_and_covariances_of_the_potential(n: int, power: float) -> None:
    values, runs = np.r_[np.full(6, 4.0), np.full(14, 0.5)], 800
    s2 = singular_values(values, n, runs, n, power) ** 2
    t = np.array([0.1, 1.0, 5.0])
    logs = np.stack([np.log(x + s2).sum(1) for x in t])
    K = linear_map(modes_of(values / values.mean()), n - 1.0, power)
    error = logs.std(axis=1) / np.sqrt(runs)
    assert (np.abs(logs.mean(1) - mean_potential(K, t)) < 4 * error + 0.004).all()
    predicted, measured = potential_covariance(K, t), np.cov(logs)
    scale = np.sqrt(np.outer(np.diag(predicted), np.diag(predicted)))
    np.testing.assert_array_less(np.abs(measured - predicted) / scale, 4 * np.sqrt(2 / runs) + 0.08)


@pytest.mark.parametrize(("n", "slack"), [(12, 0.0), (30, 0.0), (5, 0.003), (3, 0.003)])
def test_second_moment_of_the_map(n: int, slack: float) -> None:
    """Exact for n > d + 2, with an error of the next order for n < d."""
    values, runs = np.array([4.0, 2.0, 1.0, 1.0, 0.5, 0.3, 0.1, 0.02]), 8000
    rng, mu = np.random.default_rng(n), -np.expm1(-4.0)
    x = rng.standard_normal((runs, n - 1, 8)) * np.sqrt(values)
    y = x + np.sqrt(mu) * rng.standard_normal(x.shape)
    squares = np.square(np.linalg.pinv(y) @ x).sum(axis=1)
    modes = modes_of(values)
    predicted = np.repeat(fitted_second_moment(modes, n - 1.0), modes.weight.astype(int))[::-1]
    error = squares.std(axis=0) / np.sqrt(runs)
    assert (np.abs(squares.mean(axis=0) - predicted) < 4 * error + slack).all()


def test_projection_has_the_rank_of_the_points() -> None:
    modes = modes_of(np.geomspace(1, 1e-9, 30))
    K = linear_map(modes, 11.0)
    u0, share = projection(K)
    assert K.weight @ share == pytest.approx(11)
    assert u0 * 11 / u0 == pytest.approx(K.weight @ (u0 / (u0 + modes.eigenvalue * 0 + K.inverse)))


@pytest.mark.parametrize("n", [5, 24, 60])
def test_nuclear_norm_is_integrated_to_eight_digits(n: int) -> None:
    nodes, weights = leggauss(16)
    x = (np.arange(-27.0, 11.0)[:, None] + (nodes + 1) / 2).ravel()
    for values in (POWER, np.geomspace(1, 1e-12, 20)):
        modes = modes_of(values)
        K = linear_map(modes, n - 1.0, 1.0)
        y, q = np.exp(x), min(n - 1, 20)
        excess = y * (mean_potential(K, y * y) - q * np.log(1 + y * y))
        # What is left beyond the range decays like 1 / y. (Much further out rounding would count.)
        tail = excess[-1] * np.exp(x[-1] - 11.0)
        expected = q + ((excess.reshape(-1, 16) @ weights / 2).sum() + tail) / np.pi
        trace = K.weight @ (K.signal + K.residual * K.inverse)
        assert nuclear_norm(K, trace, modes) == pytest.approx(expected, rel=1e-8)


def test_many_eigenvalues_cost_no_accuracy() -> None:
    rng = np.random.default_rng(0)
    spectra = [
        1.0 / np.arange(1, 1001),
        np.r_[np.zeros(20), rng.chisquare(2, 1000)],
        np.geomspace(1, 1e-12, 3000),
        1 + 1e-15 * rng.standard_normal(500),
    ]
    t = 10.0 ** np.arange(-12, 5)
    for values in spectra:
        modes = modes_of(values)
        few = condensed(modes)
        assert few.eigenvalue.size < 0.4 * modes.eigenvalue.size or few is modes
        for nu in (100.0, 1.1 * len(values) // 1, 5.0 * len(values)):
            for power in (1.0, -1.0):
                full = mean_potential(linear_map(modes, nu, power), t)
                short = mean_potential(linear_map(few, nu, power), t)
                np.testing.assert_allclose(short, full, rtol=1e-10, atol=1e-8)
    assert condensed(modes_of(POWER)).eigenvalue.size == 20
