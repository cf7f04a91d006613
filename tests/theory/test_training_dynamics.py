"""Linear denoisers in training: gradient flow, the probability-flow ODE, limits, simulation."""

from functools import partial

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from ornstein.theory.linear_denoisers.training_dynamics import (
    denoiser_weight,
    emergence_time,
    generated_variance,
    two_layer_weight,
)


def logarithmic(low, high):
    return st.floats(low, high).map(lambda exponent: 10.0**exponent)


modes, noises, times = logarithmic(-4, 3), logarithmic(-3, 2), logarithmic(-6, 6)
starts = st.floats(0.0, 1.5)


def flow(velocity, start, end):
    # The flow relaxes fast at the end: an implicit method in a few hundred steps.
    return solve_ivp(velocity, (0, end), start, method="LSODA", rtol=1e-11, atol=1e-13).y[:, -1]


# ---- weights


def test_gradient_flow_of_one_layer():
    lam, s, rate, start = np.array([2.0, 0.3, 0.0]), 0.7, 0.4, 0.2

    def velocity(_, W):
        return -rate * (2 * s**2 * W - 2 * lam * (1 - W))

    for tau in (0.1, 1.0, 8.0):
        expected = flow(velocity, np.full(3, start), tau)
        found = denoiser_weight(lam, s, tau, rate, start)
        assert found == pytest.approx(expected, rel=1e-8)


def test_gradient_flow_of_two_layers():
    """Of the matrix P, from a full loss whose gradient is taken by differences."""
    rng = np.random.default_rng(0)
    lam, s, rate, start = np.array([2.0, 0.5, 0.0]), 0.6, 0.7, 0.05
    basis, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    sigma = (basis * lam) @ basis.T

    def loss(flat):
        P = flat.reshape(3, 3)
        rest = np.eye(3) - P @ P.T
        return np.trace(rest @ sigma @ rest) + s**2 * np.square(P @ P.T).sum()

    def velocity(_, flat):
        nudges = 1e-4 * np.eye(9)
        up, down, far_up, far_down = (
            np.array([loss(flat + k * nudge) for nudge in nudges]) for k in (1, -1, 2, -2)
        )
        return -rate * (8 * (up - down) - (far_up - far_down)) / 12e-4

    for tau in (0.1, 0.5, 2.0):
        end = flow(velocity, np.sqrt(start) * np.eye(3).ravel(), tau).reshape(3, 3)
        weights = np.diag(basis.T @ end @ end.T @ basis)
        assert weights == pytest.approx(two_layer_weight(lam, s, tau, rate, start), rel=1e-7)


@given(lam=modes, s=noises, start=starts)
def test_weights_from_start_to_end(lam, s, start):
    end = lam / (lam + s**2)
    assert denoiser_weight(lam, s, 0.0, init=start) == start
    assert two_layer_weight(lam, s, 0.0, init=start) == pytest.approx(start, rel=1e-15)
    assert denoiser_weight(lam, s, 1e12, init=start) == pytest.approx(end, rel=1e-13)
    assert two_layer_weight(lam, s, 1e12, init=0.3) == pytest.approx(end, rel=1e-13)
    tau = np.geomspace(1e-6, 1e6, 200)
    for weight in (denoiser_weight, two_layer_weight):
        curve = weight(lam, s, tau, init=start)
        assert (np.diff(curve) * np.sign(end - start) >= -1e-15 * max(1, start)).all()


@given(lam=modes, s=noises, tau=times, start=logarithmic(-8, 0))
def test_two_layers_as_the_published_fraction(lam, s, tau, start):
    with mpmath.workdps(60):
        v, noise, t, Q = (mpmath.mpf(value) for value in (lam, s, tau, start))
        end = v / (v + noise**2)
        expected = end * Q / ((end - Q) * mpmath.exp(-8 * v * t) + Q)
    assert two_layer_weight(lam, s, tau, init=start) == pytest.approx(float(expected), rel=1e-13)


@given(lam=modes, s=noises, rate=logarithmic(-2, 2), start=logarithmic(-6, -1))
def test_emergence_is_the_harmonic_mean(lam, s, rate, start):
    tau = emergence_time(lam, rate)
    end = lam / (lam + s**2)
    found = two_layer_weight(lam, s, tau, rate, start)
    assert found == pytest.approx(2 / (1 / start + 1 / end), rel=1e-13)


def test_modes_without_variance():
    assert emergence_time([0.0, 1.0])[0] == np.inf
    # The rate of the two-layer flow is then 8 eta s^2 W, and the decay algebraic.
    assert two_layer_weight(0.0, 0.5, 3.0, 2.0, 0.4) == pytest.approx(0.4 / (1 + 12 * 0.4))
    assert denoiser_weight(0.0, 0.5, 3.0, 2.0, 0.4) == pytest.approx(0.4 * np.exp(-3))
    assert denoiser_weight(0.0, 0.0, 3.0, init=0.4) == 0.4
    assert two_layer_weight(1e9, 1.0, 1e9, init=0.0) == 0.0


# ---- generated variance


def test_check_values():
    assert generated_variance(1.0, 1.0, init=0.1) == pytest.approx(0.2697064, abs=5e-8)
    assert generated_variance(0.01, 100.0, init=0.1) == pytest.approx(0.00472791, abs=5e-9)


@pytest.mark.parametrize("start", [0.0, 0.1, 0.9])
@pytest.mark.parametrize(("lam", "tau"), [(1.0, 1.0), (0.01, 100.0), (30.0, 1e-4), (0.3, 0.05)])
def test_probability_flow_ode(lam, tau, start):
    rate, sigma_min, sigma_max = 1.3, 0.01, 20.0

    def log_velocity(log_s, _):
        s = np.exp(log_s)
        weight = lam / (lam + s**2)
        weight += (start - weight) * np.exp(-2 * rate * tau * (lam + s**2))
        return [1 - weight]

    span = np.log(sigma_max), np.log(sigma_min)
    solution = solve_ivp(log_velocity, span, [0.0], rtol=1e-11, atol=1e-12, max_step=0.1)
    expected = sigma_max**2 * np.exp(2 * solution.y[0, -1])
    found = generated_variance(lam, tau, rate, sigma_min, sigma_max, start)
    assert found == pytest.approx(expected, rel=1e-9)


@settings(deadline=None)
@given(lam=modes, tau=times, start=starts)
def test_generated_variance_as_published(lam, tau, start):
    with mpmath.workdps(40):
        v, t, Q = (mpmath.mpf(value) for value in (lam, tau, start))

        def log_phi(s):
            first = (1 - Q) / 2 * mpmath.ei(-2 * t * s**2) * mpmath.exp(-2 * t * v)
            return mpmath.log(v + s**2) / 2 + first - mpmath.ei(-2 * t * (s**2 + v)) / 2

        low, high = mpmath.mpf(0.002), mpmath.mpf(80)
        expected = float(high**2 * mpmath.exp(2 * (log_phi(low) - log_phi(high))))
    assert generated_variance(lam, tau, init=start) == pytest.approx(expected, rel=3e-13)


@given(lam=modes, start=starts)
def test_untrained_and_trained_limits(lam, start):
    low, high = 0.002**2, 6400.0
    untrained = high * (low / high) ** (1 - start)
    assert generated_variance(lam, 0.0, init=start) == pytest.approx(untrained, rel=1e-13)
    assert generated_variance(lam, 1e-300, init=start) == pytest.approx(untrained, rel=1e-13)
    trained = high * (lam + low) / (lam + high)
    assert generated_variance(lam, 1e300, init=start) == pytest.approx(trained, rel=1e-13)
    tau = np.geomspace(1e-16, 1e-8, 50)
    curve = generated_variance(lam, tau, init=start)
    # Through the switch to the expansion at small arguments, no step.
    assert np.abs(np.diff(np.log(curve))).max() < 0.1


@given(lam=modes, tau=times, rate=logarithmic(-2, 2), start=starts)
def test_units(lam, tau, rate, start):
    one = generated_variance(lam, tau, rate, init=start)
    assert generated_variance(lam, tau * rate, init=start) == pytest.approx(one, rel=1e-12)
    scaled = generated_variance(9 * lam, tau / 9, rate, 0.006, 240.0, start)
    assert scaled == pytest.approx(9 * one, rel=1e-12)
    assert generated_variance(lam, tau, rate, 3.0, 3.0, start) == pytest.approx(9, rel=1e-14)


def test_broadcasting_types_and_errors():
    assert generated_variance([[1.0], [2.0]], [0.0, 1.0, 2.0]).shape == (2, 3)
    assert denoiser_weight([[1.0], [2.0]], 1.0, [0.0, 1.0, 2.0]).shape == (2, 3)
    assert two_layer_weight([1.0, 0.0], 0.0, 1.0, init=[[0.0], [0.1]]).shape == (2, 2)
    for value in (
        generated_variance(1, 1),
        denoiser_weight(1, 1, 1),
        two_layer_weight(1, 1, 1),
        emergence_time(1),
    ):
        assert type(value) is float
    for call in (
        partial(generated_variance, -1.0, 1.0),
        partial(generated_variance, 1.0, -1.0),
        partial(generated_variance, 1.0, 1.0, sigma_min=2.0, sigma_max=1.0),
        partial(generated_variance, 1.0, 1.0, init=np.nan),
        partial(denoiser_weight, 1.0, -1.0, 1.0),
        partial(two_layer_weight, 1.0, 1.0, 1.0, init=-0.1),
        partial(emergence_time, 1.0, rate=0.0),
    ):
        with pytest.raises(ValueError, match="expected"):
            call()


def test_simulated_samples_of_a_trained_denoiser():
    """Stochastic data, discrete gradient steps at each noise, Heun steps of the ODE."""
    rng = np.random.default_rng(4)
    lam, start, rate, steps = np.array([2.0, 0.5, 0.1]), 0.1, 2e-3, 400
    sigmas = np.geomspace(0.02, 20.0, 120)
    basis, _ = np.linalg.qr(rng.standard_normal((3, 3)))
    data = rng.standard_normal((20_000, 3)) * np.sqrt(lam) @ basis.T
    moment = data.T @ data / len(data)
    weights = []
    for s in sigmas:
        W = start * np.eye(3)
        for _ in range(steps):
            # Steps beyond the stability of this noise would diverge where the flow has converged.
            step = min(rate, 0.4 / (s**2 + 2.0))
            W = W - 2 * step * (W @ (moment + s**2 * np.eye(3)) - moment)
        weights.append(W)
    x = sigmas[-1] * rng.standard_normal((20_000, 3))
    for k in range(len(sigmas) - 1, 0, -1):
        s, after = sigmas[k], sigmas[k - 1]
        slope = (x - x @ weights[k].T) / s
        guess = x + (after - s) * slope
        x = x + (after - s) * (slope + (guess - guess @ weights[k - 1].T) / after) / 2
    found = (x @ basis).var(axis=0)
    expected = generated_variance(lam, rate * steps, 1.0, 0.02, 20.0, start)
    # Two samples of 20 000: a standard error of 1.4 %; Heun and the step size add some 0.5 %.
    assert found == pytest.approx(expected, rel=4 * 0.014 + 0.005)
