"""Renormalised noise and what follows from it: residuals, limits, invariances, simulation."""

from functools import partial

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ornstein.covariances import Covariance
from ornstein.theory.linear_denoisers.deterministic_equivalents import (
    denoiser_mean,
    denoiser_variance,
    denoising_losses,
    renormalized_noise,
    renormalized_noise_derivative,
)
from ornstein.theory.linear_denoisers.effective_noise import noise_equivalent


def logarithmic(low, high):
    return st.floats(low, high).map(lambda exponent: 10.0**exponent)


spectra = st.lists(logarithmic(-6, 6), min_size=1, max_size=40).map(np.array)
aspect_ratios = logarithmic(-3, 3)
noises = st.one_of(st.just(0.0), st.just(1e-300), logarithmic(-15, 9))


def residual(kappa, spectrum, noise, n_train):
    """Equation (*) divided by kappa, in mpmath so that only kappa's own error shows."""
    with mpmath.workdps(40):
        k, n = mpmath.mpf(kappa), mpmath.mpf(n_train)
        resolved = mpmath.fsum(mpmath.mpf(v) / (mpmath.mpf(v) + k) for v in spectrum.tolist())
        return float(1 - mpmath.mpf(noise) / k - resolved / n)


# ---- the root


@settings(max_examples=1000, deadline=None)
@given(spectrum=spectra, ratio=aspect_ratios, noise=noises)
def test_root_of_the_equation_above_the_noise(spectrum, ratio, noise):
    n_train = spectrum.size / ratio
    kappa = renormalized_noise(spectrum, noise, n_train)
    assert noise <= kappa <= (noise + ratio * spectrum.mean()) * (1 + 1e-15)
    if kappa == 0:
        assert noise == 0
        assert spectrum.size <= n_train
    else:
        assert abs(residual(kappa, spectrum, noise, n_train)) < 1e-14


@settings(deadline=None)
@given(spectrum=spectra, offset=st.sampled_from([-1, 0, 1]), noise=logarithmic(-15, 9))
def test_accurate_in_kappa_around_full_rank(spectrum, offset, noise):
    n_train = max(1, spectrum.size + offset)
    kappa = renormalized_noise(spectrum, noise, n_train)
    with mpmath.workdps(50):

        def balance(log_kappa):
            k = mpmath.exp(log_kappa)
            kept = mpmath.fsum(mpmath.mpf(v) / (mpmath.mpf(v) + k) for v in spectrum.tolist())
            return 1 - mpmath.mpf(noise) / k - kept / n_train

        guess = mpmath.log(kappa)
        exact = mpmath.exp(mpmath.findroot(balance, (guess - 1e-7, guess + 1e-7)))
    assert kappa == pytest.approx(float(exact), rel=1e-14)


@given(eigenvalue=logarithmic(-6, 6), ratio=aspect_ratios, noise=noises)
def test_isotropic_closed_form(eigenvalue, ratio, noise):
    n_train = 5 / ratio
    with mpmath.workdps(400):
        s2, v, n = (mpmath.mpf(value) for value in (noise, eigenvalue, n_train))
        b = s2 + (5 / n - 1) * v
        exact = float((b + mpmath.sqrt(b * b + 4 * s2 * v)) / 2)
    assert renormalized_noise(np.full(5, eigenvalue), noise, n_train) == pytest.approx(
        exact, rel=1e-14
    )


def test_check_values():
    assert renormalized_noise([1.0], 0.01, 2) == pytest.approx(0.0196224, abs=5e-8)
    assert renormalized_noise([1.0], 1.0, 0.5) == pytest.approx(1 + np.sqrt(2), rel=1e-15)
    losses = denoising_losses(np.ones(100), 0.25, 200)
    assert losses.train == pytest.approx(0.179806, abs=5e-7)
    assert losses.test == pytest.approx(0.242536, abs=5e-7)
    assert losses.optimum == pytest.approx(0.2, rel=1e-15)


@given(spectrum=spectra, ratio=aspect_ratios, noise=logarithmic(-9, 6))
def test_units_order_and_null_directions(spectrum, ratio, noise):
    n_train = spectrum.size / ratio
    kappa = renormalized_noise(spectrum, noise, n_train)
    scaled = renormalized_noise(1e3 * spectrum, 1e3 * noise, n_train)
    assert scaled == pytest.approx(1e3 * kappa, rel=1e-13)
    assert renormalized_noise(spectrum[::-1], noise, n_train) == pytest.approx(kappa, rel=1e-13)
    padded = np.append(spectrum, np.zeros(7))
    assert renormalized_noise(padded, noise, n_train) == pytest.approx(kappa, rel=1e-13)
    # The order may be too fine for float64, as that of the noise is next to a kappa 1e16 as large.
    assert renormalized_noise(1.5 * spectrum, noise, n_train) >= kappa * (1 - 1e-14)
    assert renormalized_noise(spectrum, noise, 1.5 * n_train) <= kappa * (1 + 1e-14)
    noisier = renormalized_noise(spectrum, 1.5 * noise, n_train)
    assert noisier >= (kappa + 0.5 * noise) * (1 - 1e-14)


@given(spectrum=spectra, ratio=aspect_ratios, noise=logarithmic(-3, 3))
def test_derivative(spectrum, ratio, noise):
    n_train = spectrum.size / ratio
    step = 1e-4
    kappa = [
        renormalized_noise(spectrum, noise * (1 + shift * step), n_train)
        for shift in (-2, -1, 1, 2)
    ]
    slope = np.dot([1, -8, 8, -1], kappa) / (12 * noise * step)
    derivative = renormalized_noise_derivative(spectrum, noise, n_train)
    assert derivative == pytest.approx(slope, rel=1e-6, abs=1e-10 * kappa[0] / noise)
    assert derivative >= 1
    k = renormalized_noise(spectrum, noise, n_train)
    df2 = np.square(spectrum / (spectrum + k)).sum()
    assert 1 / derivative == pytest.approx(1 - df2 / n_train, abs=1e-13 * max(1, df2 / n_train))


def test_no_noise():
    spectrum = np.array([4.0, 2.0, 1.0, 0.5, 0.0])
    assert renormalized_noise(spectrum, 0.0, [4, 5, 100]).tolist() == [0, 0, 0]
    assert renormalized_noise_derivative(spectrum, 0.0, 8) == 2.0
    assert renormalized_noise_derivative(spectrum, 0.0, 4) == np.inf
    kappa = renormalized_noise(spectrum, 0.0, 2)
    assert (spectrum / (spectrum + kappa)).sum() == pytest.approx(2, rel=1e-15)
    small = renormalized_noise(spectrum, 1e-12, 8)
    assert small == pytest.approx(2e-12, rel=1e-10)
    assert denoising_losses(spectrum, 0.0, 8) == (0, 0, 0)
    # Interpolation at n = rank: nothing is lost on fresh points either, without noise.
    assert denoising_losses(spectrum, 0.0, 4) == (0, 0, 0)
    below = denoising_losses(spectrum, 0.0, 2)
    assert below.train == below.optimum == 0
    assert below.test > 0
    assert renormalized_noise(np.zeros(3), 0.7, 2) == 0.7
    assert denoising_losses(np.zeros(3), 0.7, 2) == (0, 0, 0)


@given(spectrum=spectra, noise=logarithmic(-3, 3))
def test_many_points(spectrum, noise):
    n_train = 1e15 * spectrum.size
    assert renormalized_noise(spectrum, noise, n_train) == pytest.approx(noise, rel=1e-14)
    train, test, optimum = denoising_losses(spectrum, noise, n_train)
    assert train == pytest.approx(optimum, rel=1e-13)
    assert test == pytest.approx(optimum, rel=1e-13)


@given(spectrum=spectra, ratio=aspect_ratios, noise=noises)
def test_losses_are_ordered_and_bounded(spectrum, ratio, noise):
    train, test, optimum = denoising_losses(spectrum, noise, spectrum.size / ratio)
    assert 0 <= train <= optimum * (1 + 1e-14)
    assert optimum <= test * (1 + 1e-14)
    # W = 0 loses tr Sigma, W = 1 loses d s^2; the optimum is below both.
    assert optimum <= min(spectrum.mean(), noise) * (1 + 1e-14)


def test_losses_are_the_formulas_of_the_paper():
    spectrum, noise, n_train = np.linspace(0.1, 3, 30), 0.4, 17
    k = renormalized_noise(spectrum, noise, n_train)
    derivative = renormalized_noise_derivative(spectrum, noise, n_train)
    excess = derivative * (k**2 - noise**2) * (spectrum / (spectrum + k) ** 2).mean()
    train, test, _ = denoising_losses(spectrum, noise, n_train)
    assert train == pytest.approx(noise * (spectrum / (spectrum + k)).mean(), rel=1e-14)
    assert test - train == pytest.approx(excess, rel=1e-13)


def test_broadcasting_and_types():
    spectrum = np.array([1.0, 2.0])
    grid = renormalized_noise(spectrum, [[0.1], [0.0]], [1, 2, 3])
    assert grid.shape == (2, 3)
    assert grid[0, 1] == renormalized_noise(spectrum, 0.1, 2)
    assert grid[1, 0] == renormalized_noise(spectrum, 0.0, 1)
    assert type(renormalized_noise(spectrum, 0.1, 2)) is float
    assert type(renormalized_noise_derivative(spectrum, 0.1, 2)) is float
    losses = denoising_losses(spectrum, [[0.1], [0.0]], [1, 2, 3])
    assert [value.shape for value in losses] == [(2, 3)] * 3
    assert all(type(value) is float for value in denoising_losses(spectrum, 0.1, 2))
    assert noise_equivalent(spectrum, 0.1, [1, 2, 3]).df1.shape == (3,)


# ---- the denoiser


def rotated(rng, spectrum):
    basis, _ = np.linalg.qr(rng.standard_normal((spectrum.size, spectrum.size)))
    return basis, (basis * spectrum) @ basis.T


@pytest.mark.filterwarnings("ignore:2 of 5 eigenvalues")  # two are 0, up to rounding
def test_covariance_in_all_its_forms():
    rng = np.random.default_rng(0)
    spectrum = np.array([3.0, 1.0, 0.2, 0.0, 0.0])
    basis, sigma = rotated(rng, spectrum)
    x, u, mean = rng.standard_normal((3, 5))
    low_rank = Covariance.from_factor(basis[:, :3] * np.sqrt(spectrum[:3]))
    for noise, n_train in [(0.3, 4), (0.0, 2), (0.0, 9)]:
        k = renormalized_noise(spectrum, noise, n_train)
        shrinkage = np.divide(spectrum, spectrum + k, out=np.zeros(5), where=spectrum > 0)
        expected = mean + basis * shrinkage @ basis.T @ (x - mean)
        for covariance in ((spectrum, basis), sigma, low_rank):
            found = denoiser_mean(x, mean, covariance, noise, n_train)
            assert found == pytest.approx(expected, rel=1e-7)
        values = [
            denoiser_variance(x, u, mean, covariance, noise, n_train)
            for covariance in ((spectrum, basis), sigma, low_rank)
        ]
        assert values == pytest.approx([values[0]] * 3, rel=1e-6)
    # More points than directions and no noise: the denoiser is a projection, without variance.
    assert values[0] == 0


def test_denoiser_limits():
    rng = np.random.default_rng(1)
    sigma = np.diag([2.0, 1.0, 0.5])
    x, mean = rng.standard_normal((4, 3)), np.array([1.0, 2.0, 3.0])
    oracle = mean + (x - mean) @ sigma @ np.linalg.inv(sigma + 0.3 * np.eye(3))
    assert denoiser_mean(x, mean, sigma, 0.3, 1e15) == pytest.approx(oracle, rel=1e-13)
    assert denoiser_mean(mean, mean, sigma, 0.3, 2).tolist() == mean.tolist()
    u = np.ones(3)
    first = denoiser_variance(x, u, mean, sigma, 0.3, 1e8)
    assert first.shape == (4,)
    # First order in 1/n: s^4 Var[u^T R (C - Sigma) R (x - mu)], R = (Sigma + s^2)^{-1}.
    R = np.linalg.inv(sigma + 0.3 * np.eye(3))
    a, b = R @ u, (x - mean) @ R
    wick = (a @ sigma @ a) * np.einsum("ij,jk,ik->i", b, sigma, b) + (b @ sigma @ a) ** 2
    assert first == pytest.approx(0.09 * wick / 1e8, rel=1e-6)
    assert denoiser_variance(x, u, mean, sigma, 0.3, 5).shape == (4,)
    assert type(denoiser_variance(x[0], u, mean, sigma, 0.3, 5)) is float


def test_errors():
    for call in (
        partial(renormalized_noise, [[1.0]], 0.1, 2),
        partial(renormalized_noise, [-1.0], 0.1, 2),
        partial(renormalized_noise, [1.0], -0.1, 2),
        partial(renormalized_noise, [1.0], 0.1, 0),
        partial(denoiser_mean, [1.0], 0.0, np.eye(2), 0.1, 2),
        partial(denoiser_mean, [1.0, 2.0], 0.0, (np.ones(2), np.eye(3)), 0.1, 2),
        partial(denoiser_mean, [1.0, 2.0], 0.0, np.eye(2), [0.1, 0.2], 2),
        partial(denoiser_variance, [1.0, 2.0], [1.0], 0.0, np.eye(2), 0.1, 2),
    ):
        with pytest.raises(ValueError, match=r"expected|must"):
            call()


# ---- simulation: W = C (C + s^2)^{-1}, which has seen all noise draws on n points


def fitted(rng, spectrum, noise, n_train):
    x = rng.standard_normal((n_train, spectrum.size)) * np.sqrt(spectrum)
    C = x.T @ x / n_train
    return C, np.linalg.solve(C + noise * np.eye(spectrum.size), C)


@pytest.mark.parametrize("n_train", [60, 300])
def test_simulated_losses(n_train):
    rng = np.random.default_rng(5)
    spectrum, noise = np.arange(1, 121) ** -0.7, 0.05
    identity = np.eye(spectrum.size)

    def loss(W, moment):
        return (np.trace((identity - W).T @ (identity - W) @ moment) + noise * (W**2).sum()) / 120

    runs = []
    for _ in range(60):
        C, W = fitted(rng, spectrum, noise, n_train)
        runs.append([loss(W, C), loss(W, np.diag(spectrum))])
    error = np.std(runs, axis=0, ddof=1) / np.sqrt(len(runs))
    predicted = np.array(denoising_losses(spectrum, noise, n_train)[:2])
    bias = predicted / n_train
    assert (np.abs(np.mean(runs, axis=0) - predicted) < 4 * error + bias).all()


@pytest.mark.parametrize("n_train", [30, 90])
def test_simulated_mean_and_variance(n_train):
    rng = np.random.default_rng(6)
    spectrum, noise = np.linspace(0.2, 2.0, 50), 0.3
    x = rng.standard_normal(50)
    directions = np.stack([x, rng.standard_normal(50), np.eye(50)[3], np.eye(50)[40]])
    runs = np.array([fitted(rng, spectrum, noise, n_train)[1].T @ x for _ in range(4000)])
    runs = runs @ directions.T
    law = spectrum, np.eye(50)
    mean = directions @ denoiser_mean(x, 0.0, law, noise, n_train)
    variance = denoiser_variance(x, directions, 0.0, law, noise, n_train)
    error = np.sqrt(variance / len(runs))
    assert (np.abs(runs.mean(axis=0) - mean) < 4 * error + np.abs(mean) / n_train).all()
    # 4 standard errors of a variance are 4 sqrt(2 / 4000) = 9 %; the bias is of order 1/n.
    tolerance = variance * (0.09 + 1 / n_train)
    assert (np.abs(runs.var(axis=0, ddof=1) - variance) < tolerance).all()
