"""The curve of renormalised noise against simulation, and its known limits."""

import math

import numpy as np
import pytest
from tests.forecasting.populations import SPECTRA, covariances, distance, draw, mean_and_error

from ornstein import theory
from ornstein.forecasting.noise_curve import NoiseCurve
from ornstein.forecasting.row_sizes import RowSizes

EQUAL = RowSizes.of(1.0)
NOISES = np.array([1e-4, 0.03, 2.0])


def w2(spectrum, n, rows=EQUAL, size=math.inf) -> float:
    root = NoiseCurve(spectrum**2, n - 1.0, rows, size - 1.0).root_trace()
    return 1 / n - 1 / size + 2 - 2 * root / spectrum.sum()


@pytest.mark.parametrize("n", [12, 31, 100])
def test_equal_rows_of_an_infinite_population_are_the_theory_package(n: int) -> None:
    spectrum = SPECTRA["power law"]
    place = NoiseCurve(spectrum, n, EQUAL).equivalent(NOISES)
    np.testing.assert_allclose(place.noise, NOISES, rtol=1e-10)
    expected = theory.renormalized_noise(spectrum, NOISES, n)
    np.testing.assert_allclose(place.kappa, expected, rtol=1e-8)
    slope = place.kappa / (place.noise * place.elasticity)
    expected = theory.renormalized_noise_derivative(spectrum, NOISES, n)
    np.testing.assert_allclose(slope, expected, rtol=1e-8)


def test_all_points_of_a_finite_population_are_the_population() -> None:
    spectrum = SPECTRA["power law"]
    place = NoiseCurve(spectrum, 99.0, EQUAL, 99.0).equivalent(NOISES)
    np.testing.assert_allclose(place.kappa, NOISES, rtol=1e-9)
    assert w2(spectrum, 100, EQUAL, 100) == pytest.approx(0, abs=1e-6)


def test_unequal_rows_solve_their_equation() -> None:
    spectrum, rows = SPECTRA["two levels"], RowSizes.of(2.5)
    place = NoiseCurve(spectrum, 80.0, rows).equivalent(NOISES)
    rho, load = place.noise / place.kappa, place.df1 / 80
    terms = rows.nodes / (rho[:, None] + rows.nodes * load[:, None])
    np.testing.assert_allclose(terms @ rows.weights, 1.0, rtol=1e-10)


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("n", [15, 31, 90])
def test_distance_of_the_linear_diffusion(name: str, n: int) -> None:
    spectrum, rng = SPECTRA[name], np.random.default_rng(n)
    found = [distance(*each, spectrum) for each in covariances(spectrum, n, 60, rng)]
    mean, error = mean_and_error(found)
    # Relative order 1/n^2 beyond what is counted: 1% here.
    assert abs(w2(spectrum, n) - mean) < 4 * error + 0.01 * mean


@pytest.mark.parametrize("n", [60, 150])
def test_distance_with_rows_of_unequal_size(n: int) -> None:
    spectrum, rng, shape = SPECTRA["power law"], np.random.default_rng(n), 0.8
    found = [distance(*each, spectrum) for each in covariances(spectrum, n, 100, rng, shape)]
    mean, error = mean_and_error(found)
    predicted = w2(spectrum, n, RowSizes.of(1 + 1 / shape))
    assert abs(predicted - mean) < 4 * error + 0.05 * mean
    assert abs(w2(spectrum, n) - mean) > 0.2 * mean  # equal rows would be far off


@pytest.mark.parametrize("n", [20, 60, 120])
def test_distance_of_subsets_of_a_finite_population(n: int) -> None:
    spectrum, rng, size = SPECTRA["two levels"], np.random.default_rng(n), 150
    found, predicted = [], []
    for _ in range(4):
        points = draw(spectrum, size, rng)
        values, vectors = np.linalg.eigh(np.cov(points.T))
        scores = (points - points.mean(0)) @ vectors
        for _ in range(15):
            subset = scores[rng.permutation(size)[:n]]
            found.append(distance(subset.mean(0), np.cov(subset.T), values))
        predicted.append(w2(values, n, EQUAL, size))
    mean, error = mean_and_error(found)
    assert abs(np.mean(predicted) - mean) < 4 * error + 0.01 * mean
    assert w2(values, n) > 1.05 * mean


@pytest.mark.parametrize("n", [20, 100])
def test_mean_roots_by_mode(n: int) -> None:
    spectrum, rng = SPECTRA["power law"], np.random.default_rng(n)
    roots = []
    for _, covariance in covariances(spectrum, n, 100, rng):
        values, vectors = np.linalg.eigh(covariance)
        roots.append((vectors**2) @ np.sqrt(np.maximum(values, 0)))
    predicted = NoiseCurve(spectrum, n - 1.0, EQUAL).root_modes(spectrum)
    error = np.std(roots, axis=0, ddof=1) / 10
    assert (np.abs(predicted - np.mean(roots, axis=0)) < 4.5 * error + 0.02 * predicted).all()
