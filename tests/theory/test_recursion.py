"""Models that train on their own samples: chains of generators, moments, limits."""

import numpy as np
import pytest

from ornstein import Gaussian
from ornstein.denoisers.one_step import OneStepDenoiser
from ornstein.gaussians import kl_divergence
from ornstein.theory import (
    one_step,
    recursive_kl,
    recursive_one_step_trace,
    recursive_score_variance,
    recursive_variance,
    wishart_kl,
)


def chain(spectrum, n, generations, rng, *, fitted_mean):
    """Divergence of each generation of one chain from the population."""
    population = Gaussian(0.0 * spectrum, spectrum)
    law, found = population, []
    for _ in range(generations):
        points = law.sample(n, rng)
        mean = points.mean(axis=0) if fitted_mean else 0.0 * spectrum
        centred = points - mean
        law = Gaussian(mean, centred.T @ centred / (n - fitted_mean))
        found.append(kl_divergence(law, population))
    return found


def test_check_values():
    assert recursive_kl(8, 40, 1, fitted_mean=False) == pytest.approx(0.4852, abs=6e-5)
    assert recursive_kl(8, 40, 1) == pytest.approx(0.5987, abs=6e-5)
    np.testing.assert_allclose(recursive_kl(8, 40, [0, 1, 10]), [0, 0.5987, 5.987], atol=6e-4)
    square = recursive_variance(8, 40, np.inf, fresh_fraction=0.25).square
    assert square == pytest.approx(1.5445, abs=6e-5)
    assert recursive_one_step_trace(16, 30) == pytest.approx(1.165, abs=3e-3)


@pytest.mark.parametrize("fitted_mean", [True, False])
def test_divergences_add_up_generation_by_generation(fitted_mean):
    """Whatever the population: an anisotropic one here."""
    rng, spectrum = np.random.default_rng(0), np.array([9.0, 2.0, 1.0, 0.1, 0.01])
    found = np.array([chain(spectrum, 20, 6, rng, fitted_mean=fitted_mean) for _ in range(400)])
    expected = recursive_kl(5, 20, np.arange(1, 7), fitted_mean=fitted_mean)
    error = found.std(axis=0) / 20
    assert (np.abs(found.mean(axis=0) - expected) < 4 * error).all()
    assert (error < 0.06 * expected).all()
    # d/(2n) is resolved.
    assert recursive_kl(5, 20, 6) - recursive_kl(5, 19, 6, fitted_mean=False) > 10 * error[-1]


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5])
def test_second_moments_with_fresh_points(share):
    d, n, generations = 8, 40, 12
    rng, fresh = np.random.default_rng(1), int(share * n)
    squares, traces = [], []
    roots = np.broadcast_to(np.eye(d), (1500, d, d))
    for _ in range(generations):
        z = rng.standard_normal((1500, n, d))
        points = np.concatenate([z[:, :fresh], z[:, fresh:] @ roots.swapaxes(1, 2)], axis=1)
        S = points.swapaxes(1, 2) @ points / n
        roots = np.linalg.cholesky(S)
        squares.append((S * S).sum((1, 2)) / d)
        traces.append((np.trace(S, axis1=1, axis2=2) / d) ** 2)
    expected = recursive_variance(d, n, np.arange(1, generations + 1), share)
    for rows, values in zip((squares, traces), expected, strict=True):
        found = np.array(rows)
        error = found.std(axis=1) / np.sqrt(1500)
        assert (np.abs(found.mean(axis=1) - values) < 4 * error).all()


def test_limits_of_the_second_moments():
    first = recursive_variance(8, 40, 0)
    assert (first.square, first.trace_square) == (1, 1)
    many = recursive_variance(8, 40, [10**4, np.inf], 0.25)
    assert many.square[0] == pytest.approx(many.square[1], rel=1e-12)
    assert recursive_variance(8, 40, np.inf).square == np.inf
    # One fresh point among 40 is enough for a limit, and all fresh points are the first step.
    assert np.isfinite(recursive_variance(8, 40, np.inf, 1 / 40).square)
    only = recursive_variance(8, 40, [1, 7, np.inf], 1.0)
    np.testing.assert_allclose(only.square, 1 + 9 / 40)
    np.testing.assert_allclose(only.trace_square, 1 + 2 / (8 * 40))


def test_infinite_and_exact_divergences():
    assert recursive_kl(8, 8, [0, 1, 5]).tolist() == [0, np.inf, np.inf]
    assert np.isfinite(recursive_kl(8, 8, 1, fitted_mean=False))
    assert recursive_kl(8, 10**6, 3, fitted_mean=False) == pytest.approx(
        3 * wishart_kl(8, 10**6).generated_population, rel=1e-12
    )
    assert isinstance(recursive_kl(8, 40, 2), float)
    assert recursive_kl([[2], [8]], 40, [1, 2, 3]).shape == (2, 3)


def test_a_perfect_score_stopped_early_by_sampling():
    """A mixture followed sample by sample: delta = 0.2, a quarter fresh, 5 generations."""
    rng, count, delta, a = np.random.default_rng(2), 400_000, 0.2, 0.25
    variance = np.array([4.0, 0.3])
    data = np.sqrt(variance) * rng.standard_normal((count, 2))
    for _ in range(5):
        noised = np.exp(-delta) * data
        noised += np.sqrt(-np.expm1(-2 * delta)) * rng.standard_normal(data.shape)
        fresh = rng.random(count) < a
        data = np.where(fresh[:, None], np.sqrt(variance) * rng.standard_normal(data.shape), noised)
        # Pairs of training set and model: the next training set is a shuffle.
        data = data[rng.permutation(count)]
    expected = recursive_score_variance(variance, delta, 5, a)
    measured = np.square(data)
    error = measured.std(axis=0) / np.sqrt(count)
    assert (np.abs(measured.mean(axis=0) - expected) < 4 * error).all()


def test_limits_of_a_perfect_score():
    spectrum, delta, a = np.array([4.0, 0.2, 1.0]), 0.3, 0.1
    limit = recursive_score_variance(spectrum, delta, np.inf, a)
    kept = a / (1 - (1 - a) * np.exp(-2 * delta))
    np.testing.assert_allclose(limit - 1, (spectrum - 1) * kept, rtol=1e-12)
    later = recursive_score_variance(spectrum, delta, [0, 1, 500], a)
    np.testing.assert_allclose(later[0], spectrum)
    np.testing.assert_allclose(later[2], limit, rtol=1e-12)
    # Without fresh data everything becomes noise; without noise, or all fresh, nothing changes.
    np.testing.assert_allclose(recursive_score_variance(spectrum, delta, np.inf), 1)
    for options in ({"time": 0.0}, {"time": 0.3, "fresh_fraction": 1.0}):
        found = recursive_score_variance(spectrum, generations=[1, np.inf], **options)
        np.testing.assert_allclose(found, np.stack([spectrum, spectrum]))


def test_the_first_generation_of_one_step_models():
    dims, points = np.array([4, 16, 16, 40]), np.array([30, 30, 60, 20])
    expected = one_step(dims, points).trace
    np.testing.assert_allclose(recursive_one_step_trace(dims, points), expected, rtol=1e-12)
    assert recursive_one_step_trace(16, 34) == pytest.approx(1)
    for time, noise_scale in ((0.5, 1.0), (2.0, 0.2)):
        assert recursive_one_step_trace(16, 33, time, noise_scale) > 1
        assert recursive_one_step_trace(16, 35, time, noise_scale) < 1
    assert recursive_one_step_trace(16, 30, noise_scale=0.0) == 1
    rng, traces = np.random.default_rng(3), []
    for _ in range(400):
        points = rng.standard_normal((30, 16))
        traces.append(OneStepDenoiser().fit(points).generated_law_.covariance.trace / 16)
    error = np.std(traces) / 20
    # The plug-in of the variance is of relative order 1/n.
    assert abs(np.mean(traces) - recursive_one_step_trace(16, 30)) < 4 * error + 1 / 30**2


@pytest.mark.parametrize(
    ("call", "error", "match"),
    [
        (lambda: recursive_kl(8, 1, 1), ValueError, "n_train is 1, expected at least 2"),
        (lambda: recursive_kl(8, 40, -1), ValueError, "generations is -1"),
        (lambda: recursive_kl(8, 40, 0.5), TypeError, r"generations is 0\.5"),
        (lambda: recursive_variance(8, 40, 1, 1.5), ValueError, r"fresh_fraction is 1\.5"),
        (lambda: recursive_score_variance([1.0], -1, 2), ValueError, "time is -1"),
        (lambda: recursive_score_variance([1.0], 1, 2, -0.1), ValueError, "fresh_fraction"),
        (lambda: recursive_one_step_trace(16, 30, time=0), ValueError, "time is 0"),
    ],
)
def test_bad_input_is_refused(call, error, match):
    with pytest.raises(error, match=match):
        call()
