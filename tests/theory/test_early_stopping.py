"""Early stopping of a linear denoiser: its ends, its shapes, its minimum, simulation."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ornstein.theory.linear_denoisers.deterministic_equivalents import denoising_losses
from ornstein.theory.linear_denoisers.early_stopping import (
    early_stopping_losses,
    early_stopping_minimum,
)


def logarithmic(low, high):
    return st.floats(low, high).map(lambda exponent: 10.0**exponent)


ratios, noises = logarithmic(-2, 2), logarithmic(-2, 1)
starts = st.floats(-0.5, 1.5)


def test_check_value():
    time, test = early_stopping_minimum(2.0, 0.25, 1.0)
    assert time == pytest.approx(0.480, abs=5e-4)
    assert test == pytest.approx(0.206030, abs=5e-7)


@settings(deadline=None)
@given(ratio=ratios, noise=noises, start=starts)
def test_untrained_denoiser(ratio, noise, start):
    train, test = early_stopping_losses(0.0, ratio, noise, start)
    expected = (1 - start) ** 2 + noise * start**2
    assert train == pytest.approx(expected, rel=1e-12)
    assert test == pytest.approx(expected, rel=1e-12)


@settings(deadline=None)
@given(ratio=ratios, noise=noises, start=starts)
def test_end_of_training(ratio, noise, start):
    train, test = early_stopping_losses(np.inf, ratio, noise, start)
    fitted = denoising_losses([1.0], noise, 1 / ratio)
    assert train == pytest.approx(fitted.train, rel=1e-11)
    assert test == pytest.approx(fitted.test, rel=1e-11)
    late = early_stopping_losses(1e6, ratio, noise, start)
    assert late == pytest.approx((train, test), rel=1e-12)


@given(noise=noises, start=starts, tau=logarithmic(-3, 3))
def test_many_points(noise, start, tau):
    # Without sampling noise the one eigenvalue is 1, and so is that of every direction.
    end = 1 / (1 + noise)
    weight = end + (start - end) * np.exp(-2 * tau * (1 + noise))
    expected = (1 - weight) ** 2 + noise * weight**2
    losses = early_stopping_losses(tau, 1e-9, noise, start)
    assert losses == pytest.approx((expected, expected), rel=1e-6)


@settings(deadline=None)
@given(ratio=ratios, noise=noises, start=starts)
def test_training_loss_falls_and_test_loss_starts_falling(ratio, noise, start):
    tau = np.concatenate([[0.0], np.geomspace(1e-4, 1e4, 60)])
    train, test = early_stopping_losses(tau, ratio, noise, start)
    assert (np.diff(train) <= 1e-14).all()
    assert (test >= noise / (1 + noise) * (1 - 1e-14)).all()
    step = 1e-7 / (1 + noise + ratio)
    before, after = early_stopping_losses([0.0, step], ratio, noise, start).test
    slope = -4 * (1 - (1 + noise) * start) ** 2
    assert (after - before) / step == pytest.approx(slope, rel=1e-5, abs=1e-7 * (1 + noise + ratio))


@settings(max_examples=50, deadline=None)
@given(ratio=ratios, noise=noises, start=starts)
def test_minimum_is_below_the_whole_curve(ratio, noise, start):
    time, test = early_stopping_minimum(ratio, noise, start)
    curve = early_stopping_losses(np.geomspace(1e-5, 1e5, 300), ratio, noise, start).test
    assert test <= curve.min() * (1 + 1e-13)
    assert test == pytest.approx(early_stopping_losses(time, ratio, noise, start).test, rel=1e-14)
    if 0 < time < np.inf:
        near = time * np.array([0.99, 0.9999, 1.0001, 1.01])
        assert (early_stopping_losses(near, ratio, noise, start).test >= test * (1 - 1e-14)).all()


@settings(deadline=None)
@given(ratio=ratios, noise=noises)
def test_a_noise_predicting_net_always_overfits(ratio, noise):
    time, test = early_stopping_minimum(ratio, noise, 1.0)
    assert 0 < time < np.inf
    assert test < early_stopping_losses(np.inf, ratio, noise, 1.0).test


@pytest.mark.parametrize(
    ("ratio", "noise", "stops"),
    [
        (0.3, 0.25, False),
        (0.9, 1.0, False),
        (2.0, 0.25, False),
        (0.9, 4.0, True),
        (2.5, 1.0, True),
        (4.1, 0.01, True),
        (9.0, 0.25, True),
    ],
)
def test_a_data_predicting_net_overfits_where_noise_or_dimension_is_large(ratio, noise, stops):
    time, test = early_stopping_minimum(ratio, noise, 0.0)
    assert np.isfinite(time) == stops
    end = early_stopping_losses(np.inf, ratio, noise, 0.0).test
    assert test < end if stops else test == end


def test_the_population_optimum_as_a_start():
    assert early_stopping_minimum(2.0, 1.0, 0.5) == (0.0, 0.5)
    time, test = early_stopping_minimum(2.0, 1.0, 0.5 + 1e-6)
    # To second order around that start: tau = (1 + s^2) delta^2 / (2 c (1 - Q)^2).
    assert time == pytest.approx(1e-12 / (2 * 0.25), rel=1e-4)
    assert test == pytest.approx(0.5, rel=1e-11)


@pytest.mark.parametrize("ratio", [0.97, 0.9995, 1.0, 1.0005, 1.03])
def test_near_as_many_points_as_dimensions(ratio):
    for start in (0.0, 1.0):
        end = early_stopping_losses(np.inf, ratio, 1e-3, start).test
        assert end == pytest.approx(denoising_losses([1.0], 1e-3, 1 / ratio).test, rel=1e-11)
    time, _ = early_stopping_minimum(ratio, 0.25)
    reference = early_stopping_minimum([0.9, 1.1], 0.25).time
    assert reference[1] < time < reference[0]


def test_broadcasting_types_and_errors():
    losses = early_stopping_losses([[0.0], [1.0]], [0.5, 1.0, 2.0], 0.25)
    assert losses.train.shape == losses.test.shape == (2, 3)
    assert losses.test[1, 2] == early_stopping_losses(1.0, 2.0, 0.25).test
    assert early_stopping_minimum([0.5, 2.0], 0.25).time.shape == (2,)
    assert all(type(value) is float for value in early_stopping_losses(1, 1, 1))
    assert all(type(value) is float for value in early_stopping_minimum(1, 1))
    for call in (
        partial(early_stopping_losses, -1.0, 1.0, 1.0),
        partial(early_stopping_losses, np.nan, 1.0, 1.0),
        partial(early_stopping_losses, 1.0, 0.0, 1.0),
        partial(early_stopping_minimum, 1.0, 0.0),
        partial(early_stopping_minimum, 1.0, 1.0, np.inf),
    ):
        with pytest.raises(ValueError, match="expected"):
            call()


def repeated(factor: np.ndarray, added: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """The map ``W -> W factor + added``, so many times, by doubling."""
    if count == 1:
        return factor, added
    half, half_added = repeated(factor, added, count // 2)
    twice, twice_added = half @ half, half_added @ half + half_added
    if count % 2:
        twice, twice_added = twice @ factor, twice_added @ factor + added
    return twice, twice_added


@pytest.mark.parametrize(("ratio", "start"), [(2.0, 1.0), (2.0, 0.0), (0.5, 1.0), (5.0, 0.0)])
def test_simulated_gradient_descent(ratio, start):
    rng = np.random.default_rng(9)
    dim, noise, step = 60, 0.25, 2e-3
    n_train = int(dim / ratio)
    identity = np.eye(dim)
    taus = np.array([0.1, 0.5, 2.0])
    runs = []
    for _ in range(8):
        x = rng.standard_normal((n_train, dim))
        C = x.T @ x / n_train
        W, losses = start * identity, []
        for duration in np.diff(taus, prepend=0.0):
            # Midpoint steps: their error, of order step^2, is far below the sampling error.
            A = step * (C + noise * identity)
            once = identity - 2 * A + 2 * A @ A, 2 * step * (C - C @ A)
            factor, added = repeated(*once, round(duration / step))
            W = W @ factor + added
            rest, kept = identity - W, noise * np.square(W).sum()
            losses.append([np.trace(rest @ C @ rest) + kept, np.square(rest).sum() + kept])
        runs.append(np.array(losses).T / dim)
    error = np.std(runs, axis=0, ddof=1) / np.sqrt(len(runs))
    predicted = np.array(early_stopping_losses(taus, ratio, noise, start))
    # The law of eigenvalues of a finite matrix is biased by O(1/d).
    assert (np.abs(np.mean(runs, axis=0) - predicted) < 4 * error + predicted / dim).all()


def test_starts_at_and_next_to_the_population_optimum() -> None:
    """Of 1/(1 + s^2) in float64 the rounding decided: inf, where stopping at once is best."""
    noises = np.concatenate([[0.88], np.geomspace(1e-12, 1e12, 97)])
    for ratio in (1e-6, 0.5, 1.0, 2.0, 1e6):
        time, test = early_stopping_minimum(ratio, noises, 1 / (1 + noises))
        assert (time == 0).all()
        np.testing.assert_allclose(test, noises / (1 + noises), rtol=1e-14)
    assert early_stopping_minimum(2.0, 0.88, 1 / 1.88).test == pytest.approx(0.46809, abs=5e-6)
    # tau = (1 + s^2) delta^2 / (2 c (1 - Q)^2) for a start that is off by a small delta.
    for delta in 10.0 ** np.arange(-13, -5):
        for sign in (1, -1):
            start = 1 / 1.88 + sign * delta
            exact = 1.88 * (start - 1 / 1.88) ** 2 / (4 * (1 - 1 / 1.88) ** 2)
            found = early_stopping_minimum(2.0, 0.88, start).time
            assert found == pytest.approx(exact, rel=1e-4 + 4e-16 / delta)


def test_best_time_is_smooth_and_finite_for_few_dimensions_per_point() -> None:
    """The gain of stopping, of order c^2, is below the rounding of the loss for c < 1e-8."""
    ratios = np.geomspace(1e-14, 1e-2, 200)
    time, test = early_stopping_minimum(ratios, 0.25)
    assert (np.diff(time) < 0).all()
    assert np.abs(np.diff(time, 2)).max() < 0.02
    assert (np.diff(test) >= -1e-16).all()


def test_plateau_between_fast_and_slow_directions() -> None:
    time, test = early_stopping_minimum(3.0, 1e-30, 0.5)
    assert 10 < time < 1e29
    assert test == pytest.approx(2 / 3 * 0.25, rel=1e-12)
