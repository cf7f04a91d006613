"""Denoisers of noisy data: check values, simulation, limits."""

import numpy as np
import pytest

from ornstein.theory import noisy_data_weight, renormalized_noise

POWER_LAW = 1 / np.arange(1, 65)


def simulated(spectrum, s2, n, tau2, repeats, seed=0):
    """Diagonal of c C (C + s^2 - tau^2)^{-1} - (c - 1), C of n noisy points: mean and error."""
    rng = np.random.default_rng(seed)
    c, eye, rows = s2 / (s2 - tau2), np.eye(spectrum.size), []
    for _ in range(repeats):
        clean = np.sqrt(spectrum) * rng.standard_normal((n, spectrum.size))
        noisy = clean + np.sqrt(tau2) * rng.standard_normal(clean.shape)
        C = noisy.T @ noisy / n
        weight = np.linalg.solve(C + (s2 - tau2) * eye, C)
        rows.append(np.diag(c * weight - (c - 1) * eye))
    return np.mean(rows, axis=0), np.std(rows, axis=0, ddof=1) / np.sqrt(repeats)


def test_check_values():
    found = noisy_data_weight(POWER_LAW, 0.4, 150, 0.1)
    np.testing.assert_allclose(found[[0, 3, 15]], [0.6810, 0.3373, 0.0929], atol=6e-5)


@pytest.mark.parametrize(
    ("spectrum", "s2", "n", "tau2"),
    [(POWER_LAW, 0.4, 150, 0.1), (np.ones(30), 0.5, 20, 0.3), (POWER_LAW[:20], 0.11, 60, 0.1)],
)
def test_simulation(spectrum, s2, n, tau2):
    found = noisy_data_weight(spectrum, s2, n, tau2)
    mean, error = simulated(spectrum, s2, n, tau2, 300)
    # The bracket is right to relative order 1/n.
    assert (np.abs(found - mean) < 4.5 * error + 2 * (1 - found) / n).all()
    # Twice the noise, n and d exchanged, clean data: all seen.
    for wrong in (
        noisy_data_weight(spectrum, s2, n, tau2 / 2),
        noisy_data_weight(spectrum, s2, spectrum.size**2 / n, tau2),
        noisy_data_weight(spectrum, s2, n, 0.0),
    ):
        assert (np.abs(wrong - mean) > 4.5 * error + 2 * (1 - found) / n).any()


def test_limits():
    spectrum = np.array([2.0, 0.5, 0.0])
    clean = noisy_data_weight(spectrum, 0.4, 7, 0.0)
    kappa = renormalized_noise(spectrum, 0.4, 7)
    np.testing.assert_allclose(clean, spectrum / (spectrum + kappa))
    # With endless points it does not matter that the data were noisy.
    endless = noisy_data_weight(spectrum, 0.4, 1e12, [0.0, 0.1, 0.4])
    np.testing.assert_allclose(endless, np.tile(spectrum / (spectrum + 0.4), (3, 1)), atol=1e-10)
    # At the noise of the data: continuous where there are more points than dimensions.
    at = noisy_data_weight(spectrum, 0.4, 7, 0.4)
    np.testing.assert_allclose(at, noisy_data_weight(spectrum, 0.4 + 1e-11, 7, 0.4), rtol=1e-8)
    np.testing.assert_allclose(at, 1 - 0.4 / (1 - 3 / 7) / (spectrum + 0.4))
    assert (noisy_data_weight(spectrum, 0.4, 3, 0.4) == -np.inf).all()
    # Noise in the data costs, the more the fewer points.
    weights = noisy_data_weight(spectrum, 0.4, [5, 10, 100, 1000], 0.2)[:, 0]
    assert (np.diff(weights) > 0).all()
    assert weights[-1] < 2 / 2.4


def test_bad_input():
    with pytest.raises(ValueError, match=r"noise_variance is 0.1 and data_noise_variance 0.2"):
        noisy_data_weight([1.0], 0.1, 5, 0.2)
    with pytest.raises(ValueError, match="noise_variance is 0"):
        noisy_data_weight([1.0], 0.0, 5, 0.0)
    with pytest.raises(ValueError, match="n_train is 0"):
        noisy_data_weight([1.0], 0.3, 0, 0.0)
