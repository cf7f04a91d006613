"""Spectra of sample covariances: closed forms, polynomial roots, moments, gaps, simulation."""

from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ornstein.theory.linear_denoisers.effective_noise import renormalized_noise
from ornstein.theory.random_matrices.marchenko_pastur import marchenko_pastur_quadrature
from ornstein.theory.random_matrices.sample_covariance import (
    _bracket,
    _curve,
    sample_covariance_atom,
    sample_covariance_range,
    sample_covariance_spectrum,
)


def logarithmic(low, high):
    return st.floats(low, high).map(lambda exponent: 10.0**exponent)


spectra = st.lists(logarithmic(-6, 6), min_size=1, max_size=12).map(np.array)


def quadrature(spectrum, n_train, count=400):
    """Nodes over the whole range, and weights times density; square roots at the edges cancel."""
    low, high = sample_covariance_range(spectrum, n_train)
    angle = np.pi * (np.arange(count) + 0.5) / count
    span = np.log(high / max(low, 1e-12 * high))
    x = high * np.exp(-span * np.cos(angle / 2) ** 2)
    weights = np.pi / count * span * x * np.sin(angle) / 2
    return x, weights * sample_covariance_spectrum(x, spectrum, n_train)


@pytest.mark.parametrize("n_train", [30, 99.5, 100, 200, 1e4, 1e8])
def test_isotropic_is_marchenko_pastur(n_train):
    c = 100 / n_train
    low, high = (1 - np.sqrt(c)) ** 2, (1 + np.sqrt(c)) ** 2
    assert sample_covariance_range(np.ones(100), n_train) == pytest.approx((low, high), abs=1e-14)
    x = low + (high - low) * np.linspace(0.01, 0.99, 41)
    expected = np.sqrt((high - x) * (x - low)) / (2 * np.pi * c * x)
    found = sample_covariance_spectrum(3 * x, 3 * np.ones(100), n_train)
    assert 3 * found == pytest.approx(expected, rel=1e-10)
    outside = np.array([0.5 * low, 1.01 * high, 1e9])
    assert not sample_covariance_spectrum(outside[outside > 0], np.ones(100), n_train).any()
    # The project's own quadrature of that law has the same atom and mass.
    _, weights, atom = marchenko_pastur_quadrature(c)
    assert sample_covariance_atom(np.ones(100), n_train) == pytest.approx(atom, abs=1e-15)
    assert quadrature(np.ones(100), n_train)[1].sum() == pytest.approx(weights.sum(), rel=1e-5)


@settings(deadline=None)
@given(
    second=logarithmic(-3, 3), share=st.integers(1, 9), n_train=logarithmic(0, 3), x=st.floats(0, 1)
)
def test_two_eigenvalues_are_the_root_of_a_cubic(second, share, n_train, x):
    spectrum = np.repeat([1.0, second], [share, 10 - share])
    low, high = sample_covariance_range(spectrum, n_train)
    x = low + (high - low) * (0.02 + 0.96 * x)
    # Silverstein's equation z = -1/m + sum_k w_k lambda_k / (1 + lambda_k m), without fractions.
    first, other = np.poly1d([1.0, 1.0]), np.poly1d([second, 1.0])
    m = np.poly1d([1.0, 0.0])
    terms = share / n_train * m * other + (10 - share) / n_train * second * m * first
    roots = (x * m * first * other + first * other - terms).roots
    expected = n_train / 10 / np.pi * max(roots.imag.max(), 0.0)
    found = sample_covariance_spectrum(x, spectrum, n_train)
    assert found == pytest.approx(expected, rel=1e-6, abs=1e-6 * expected + 1e-5 / high)


@settings(max_examples=300, deadline=None)
@given(spectrum=spectra, ratio=logarithmic(-3, 3), place=st.floats(0.001, 0.999))
def test_every_point_of_the_curve_is_found_again(spectrum, ratio, place):
    n = spectrum.size / ratio
    values, counts = np.unique(spectrum, return_counts=True)
    low, high = _bracket(values, counts / n)
    scales = np.arcsinh(np.array([low, high]) / values[0])
    u = values[0] * np.sinh(scales[0] + place * (scales[1] - scales[0]))
    point = _curve(np.array(u), values, counts / n)
    if point.x <= 1e-9 * values[0]:
        return
    w = u + 1j * np.sqrt(point.v2)
    z = w - (counts / n * values * w / (values - w)).sum()
    assert z == pytest.approx(point.x, abs=1e-9 * max(abs(w), point.x))
    density = n / (np.pi * spectrum.size) * w.imag / abs(w) ** 2
    found = sample_covariance_spectrum(float(point.x), spectrum, n)
    # The density has a vertical slope at its edges: x there has few digits of u.
    assert found == pytest.approx(density, rel=1e-5, abs=1e-6 / point.x)


def test_slope_of_the_curve():
    # It only steers the search: a wrong one would cost time, not digits.
    values, weights = np.array([1.0, 3.0, 40.0]), np.array([0.2, 0.1, 0.3])
    u = np.array([-0.4, 0.9, 1.3, 2.0, 3.3, 15.0, 47.0, 90.0])
    point = _curve(u, values, weights)
    assert {bool(inside) for inside in point.v2 > 0} == {True, False}
    step = 1e-6 * np.abs(u)
    up, down = (_curve(u + sign * step, values, weights).x for sign in (1, -1))
    assert point.slope == pytest.approx((up - down) / (2 * step), rel=1e-5)
    assert (point.slope > 0).all()


@pytest.mark.parametrize("n_train", [20, 60, 150])
def test_moments_and_resolvent(n_train):
    spectrum = np.arange(1, 41) ** -0.8
    c = spectrum.size / n_train
    # The first eigenvalues are isolated: their gaps are within the range.
    x, mass = quadrature(spectrum, n_train, 2000)
    atom = sample_covariance_atom(spectrum, n_train)
    assert mass.sum() + atom == pytest.approx(1.0, abs=1e-5)
    assert mass @ x == pytest.approx(spectrum.mean(), rel=1e-5)
    second = np.square(spectrum).mean() + c * spectrum.mean() ** 2
    assert mass @ x**2 == pytest.approx(second, rel=1e-5)
    # Another door to the same theory: tr (C + s^2)^{-1} = (kappa / s^2) tr (Sigma + kappa)^{-1}.
    for noise in (0.01, 0.3, 5.0):
        kappa = renormalized_noise(spectrum, noise, n_train)
        expected = kappa / noise * (1 / (spectrum + kappa)).mean()
        assert mass @ (1 / (x + noise)) + atom / noise == pytest.approx(expected, rel=1e-5)


def test_gaps_separate_groups_of_eigenvalues():
    spectrum = np.repeat([1.0, 100.0], [30, 10])
    x = np.linspace(1e-3, 250, 8001)
    density = sample_covariance_spectrum(x, spectrum, 400)
    inside = density > 0
    starts = np.flatnonzero(np.diff(inside.astype(int)))
    assert len(starts) == 4
    groups = [np.trapezoid(density[x < 20], x[x < 20]), np.trapezoid(density[x > 20], x[x > 20])]
    assert groups == pytest.approx([0.75, 0.25], abs=2e-3)


def test_null_directions_and_units():
    spectrum = np.array([3.0, 2.0, 1.0, 0.0])
    x = np.array([0.5, 1.0, 2.0])
    found = sample_covariance_spectrum(x, spectrum, [[2], [6]])
    assert found.shape == (2, 3)
    # Per eigenvalue of the whole matrix: three quarters of the density without the zero.
    alone = sample_covariance_spectrum(x, spectrum[:3], 6)
    assert found[1] == pytest.approx(0.75 * alone, rel=1e-12)
    assert sample_covariance_atom(spectrum, [2, 6]).tolist() == [0.5, 0.25]
    scaled = sample_covariance_spectrum(1e6 * x, 1e6 * spectrum, 6)
    assert 1e6 * scaled == pytest.approx(found[1], rel=1e-9)
    assert sample_covariance_spectrum(1.0, np.zeros(3), 5) == 0.0
    assert type(sample_covariance_spectrum(1.0, spectrum, 5)) is float
    assert type(sample_covariance_atom(spectrum, 5)) is float


def test_many_points_leave_the_population():
    x, mass = quadrature(np.array([2.0]), 1e8)
    assert mass @ x == pytest.approx(2.0, rel=1e-6)
    assert x[0] == pytest.approx(2.0, rel=1e-3)
    assert x[-1] == pytest.approx(2.0, rel=1e-3)


def test_errors():
    for call in (
        partial(sample_covariance_spectrum, 0.0, [1.0], 2),
        partial(sample_covariance_spectrum, 1.0, [-1.0], 2),
        partial(sample_covariance_spectrum, 1.0, [1.0], 0),
        partial(sample_covariance_range, [0.0], 2),
        partial(sample_covariance_atom, [1.0], -1),
    ):
        with pytest.raises(ValueError, match="expected"):
            call()


@pytest.mark.parametrize("n_train", [60, 240])
def test_simulated_eigenvalues(n_train):
    rng = np.random.default_rng(1)
    dim, runs = 120, 20
    spectrum = np.concatenate([np.ones(60), np.full(40, 4.0), np.full(20, 12.0)])
    counts = np.zeros(5)
    low, high = sample_covariance_range(spectrum, n_train)
    cuts = np.linspace(low, high, 6)
    cuts[0], cuts[-1] = 1e-9, 2 * high
    for _ in range(runs):
        x = rng.standard_normal((n_train, dim)) * np.sqrt(spectrum)
        counts += np.histogram(np.linalg.eigvalsh(x.T @ x / n_train), cuts)[0] / (runs * dim)
    nodes, mass = quadrature(spectrum, n_train, 4000)
    expected = np.histogram(nodes, cuts, weights=mass)[0]
    # Eigenvalues are rigid: a share fluctuates by O(1/dim) in a run, and is biased by as much.
    assert counts == pytest.approx(expected, abs=0.5 / dim)
