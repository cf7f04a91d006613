"""Averages over a sample covariance: exact Wishart moments, the digamma sum, a simulation."""

import numpy as np
import pytest
from scipy.special import digamma

from ornstein.theory.random_matrices.resolvent_contours import resolvent_contour
from ornstein.theory.random_matrices.spectral_averages import spectral_averages

SPECTRA = {
    "isotropic": np.full(50, 2.0),
    "two levels": np.repeat([3.0, 0.3], 20),
    "power law": 10 / np.arange(1, 51),
    "nine decades": np.geomspace(1e-9, 1, 30),
    "with zeros": np.repeat([5.0, 1.0, 0.0], [3, 17, 10]),
    "spike": np.append(np.ones(60), 1e3),
}


def rank(spectrum):
    return np.count_nonzero(spectrum)


@pytest.mark.parametrize("per_rank", [0.3, 0.9, 1.1, 4, 1000])
@pytest.mark.parametrize("name", SPECTRA)
def test_moments_are_those_of_a_wishart_matrix(name, per_rank):
    spectrum = SPECTRA[name]
    n = per_rank * rank(spectrum)
    averages = spectral_averages(spectrum, n)
    x, one = averages.nodes, np.ones_like(averages.nodes)
    np.testing.assert_allclose(averages.by_mode(one, 1.0), 1, rtol=1e-6)
    np.testing.assert_allclose(averages.by_mode(one).sum(), min(n, rank(spectrum)), rtol=1e-6)
    np.testing.assert_allclose(averages.by_mode(x), spectrum, rtol=1e-6)
    # E C^2 = Sigma^2 + Sigma tr Sigma / n + Sigma^2 / n, the last of order 1 in the trace.
    leading = spectrum**2 + spectrum * spectrum.sum() / n
    np.testing.assert_allclose(averages.by_mode(x**2), leading, rtol=1e-6)
    exact = leading.sum() + np.square(spectrum).sum() / n
    assert averages.total(x**2, 2 * x) == pytest.approx(exact, rel=1e-7)
    # E tr C^3 = t3 + 3 t1 t2/n + t1^3/n^2 + 3 t3/n + 3 t1 t2/n^2 + 4 t3/n^2, t_k = tr Sigma^k.
    t1, t2, t3 = (float((spectrum**k).sum()) for k in (1, 2, 3))
    order_one = 3 * (t1 * t2 + t3 * n) / n**2
    values, slopes = averages.total(x**3, 3 * x**2), averages.total(x**3, 0 * x)
    assert values - slopes == pytest.approx(order_one, rel=1e-6)


@pytest.mark.parametrize("name", SPECTRA)
@pytest.mark.parametrize("per_rank", [1.5, 4, 100])
def test_log_determinant_to_the_next_order(name, per_rank):
    spectrum = SPECTRA[name][SPECTRA[name] > 0]
    r = spectrum.size
    n = int(per_rank * r)
    exact = digamma((n - np.arange(r)) / 2).sum() + r * np.log(2 / n) + np.log(spectrum).sum()
    averages = spectral_averages(spectrum, n)
    x = averages.nodes
    # f(0) is infinite, but no eigenvalue is 0.
    error = exact - averages.total(np.log(x), 1 / x, -np.inf)
    # What is left is of order 1/n: 1/6 (1/(n - r) - 1/n) by Stirling's formula, and a little.
    assert 0 < error < 0.5 * r / (n * (n - r))


def test_order_one_of_equal_eigenvalues_is_at_the_edges():
    """``(f(l-) + f(l+))/4 - (1/2 pi) int f / sqrt((x - l-)(l+ - x))`` (Bai, Silverstein)."""
    averages = spectral_averages(np.ones(40), 100)
    x = averages.nodes
    low, high = (1 - 0.4**0.5) ** 2, (1 + 0.4**0.5) ** 2
    theta = np.pi * (np.arange(400) + 0.5) / 400
    inside = (low + high) / 2 + (high - low) / 2 * np.cos(theta)

    def f(x):
        return np.exp(-x) / (x + 0.1)

    expected = (f(low) + f(high)) / 4 - f(inside).mean() / 2
    slopes = -f(x) - f(x) / (x + 0.1)
    found = averages.total(f(x), slopes) - averages.by_mode(f(x)).sum()
    assert found == pytest.approx(expected, rel=1e-8)


def test_modes_of_a_rational_function_by_simulation():
    """d=50, n=200, lambda = 10/k, f = x^2/(x + .1): within 1% and 4 standard errors."""
    spectrum, n = 10 / np.arange(1, 51), 200
    rng = np.random.default_rng(0)
    points = np.sqrt(spectrum) * rng.standard_normal((400, n, 50))
    values, vectors = np.linalg.eigh(points.swapaxes(1, 2) @ points / n)
    simulated = np.einsum("rki,ri->rk", vectors**2, values**2 / (values + 0.1))
    x = spectral_averages(spectrum, n).nodes
    expected = spectral_averages(spectrum, n).by_mode(x**2 / (x + 0.1))
    error = simulated.std(axis=0) / 20
    assert (np.abs(simulated.mean(axis=0) - expected) < 4 * error + 0.01 * expected).all()
    assert np.abs(simulated.mean(axis=0) / expected - 1).mean() < 0.01
    # The trace with the inverse of Sigma, to order 1: a mean of 50 modes is known to 0.02.
    contour = resolvent_contour(spectrum, n)
    z = contour.nodes
    trace = (expected / spectrum).sum() + contour.inverse_trace_correction(z**2 / (z + 0.1))
    measured = (simulated / spectrum).sum(axis=1)
    assert abs(measured.mean() - trace) < 4 * measured.std() / 20


@pytest.mark.parametrize("per_rank", [0.3, 1.1, 4, 1000])
@pytest.mark.parametrize("name", SPECTRA)
def test_two_resolvents_and_the_order_one_of_a_trace(name, per_rank):
    spectrum = SPECTRA[name]
    r, kept = rank(spectrum), spectrum > 0
    n = per_rank * r
    contour = resolvent_contour(spectrum, n)
    z = contour.nodes
    # E tr Sigma^{-1} C^2 = tr Sigma (1 + (r + 1)/n), E tr Sigma^{-1} C = r.
    assert contour.inverse_trace_correction(z**2) == pytest.approx(spectrum.sum() / n, rel=1e-9)
    assert contour.inverse_trace_correction(z) == pytest.approx(0, abs=1e-9)
    # n^2 E tr Sigma^{-1} C^3 = (n^2 + 3n + 4) t2 + 2 (n + 1) t1^2 + (n + 1) r t2 + r t1^2.
    t1, t2 = float(spectrum.sum()), float(np.square(spectrum).sum())
    order_one = (3 * n * t2 + 2 * t1**2 + r * t2) / n**2
    assert contour.inverse_trace_correction(z**3) == pytest.approx(order_one, rel=1e-9)
    once, twice = contour.sandwich(z)
    np.testing.assert_allclose(once, spectrum, atol=1e-12 * spectrum.max())
    wide = name == "nine decades"
    np.testing.assert_allclose(
        twice, spectrum * (1 + r / n), rtol=1e-6, atol=1e-5 if wide else 1e-9
    )
    assert not twice[~kept].any()


def test_bad_input_is_refused():
    with pytest.raises(ValueError, match="eigenvalues are all 0"):
        spectral_averages([0.0, 0.0], 10)
    with pytest.raises(ValueError, match="n_train is 0"):
        spectral_averages([1.0], 0)
