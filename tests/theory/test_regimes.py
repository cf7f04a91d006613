"""Speciation, cloning, collapse: quadrature, limits, and trajectories' posteriors simulated."""

from functools import partial

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ornstein.theory.regimes import cloning_probability, collapse_time, speciation_time


def logarithmic(low, high):
    return st.floats(low, high).map(lambda exponent: 10.0**exponent)


spectra = st.lists(logarithmic(-6, 6), min_size=1, max_size=30).map(np.array)
times, sizes = logarithmic(-3, 1), logarithmic(0.01, 12)


# ---- speciation and cloning


def test_speciation():
    assert speciation_time([1.0, np.e**4, 0.0]) == pytest.approx(2.0, rel=1e-15)
    assert speciation_time([0.5]) < 0
    # Two classes at +-m, |m|^2 = d: the largest eigenvalue is d + s^2.
    for dim in (16, 256):
        spectrum = np.append(np.ones(dim - 1), dim + 1.0)
        t = speciation_time(spectrum)
        assert cloning_probability(t, np.sqrt(dim)) == pytest.approx(0.7752, abs=0.2 / dim)


@pytest.mark.parametrize("dim", [1, 2, 64, 10**6])
def test_check_value(dim):
    found = cloning_probability(0.5 * np.log(dim), np.sqrt(dim), 1.0)
    assert found == pytest.approx(0.775200, abs=5e-7)


@settings(max_examples=6, deadline=None)
@given(time=times, mean_norm=logarithmic(-3, 3), std=logarithmic(-2, 2))
def test_cloning_as_published(time, mean_norm, std):
    with mpmath.workdps(20):
        t, m, s = (mpmath.mpf(value) for value in (time, mean_norm, std))
        v = 1 - mpmath.exp(-2 * t) + s**2 * mpmath.exp(-2 * t)
        a = m * mpmath.exp(-t) / mpmath.sqrt(v)

        def integrand(y):
            plus, minus = mpmath.npdf(y, a), mpmath.npdf(y, -a)
            return (plus**2 + minus**2) / (plus + minus)

        # By symmetry twice the half line; the weight lies within 12 of a.
        pieces = [0, *(a + k for k in range(-12, 13) if a + k > 0)]
        expected = float(mpmath.quad(integrand, pieces))
    assert cloning_probability(time, mean_norm, std) == pytest.approx(expected, abs=1e-12)


def test_cloning_limits():
    assert cloning_probability(100.0, 5.0) == pytest.approx(0.5, abs=1e-15)
    assert cloning_probability(1.0, 0.0) == pytest.approx(0.5, abs=1e-15)
    assert cloning_probability(0.0, [20.0, 1e3, 1e150, 1e300], 1.0).tolist() == [1.0] * 4
    assert cloning_probability(0.0, 1e300, 1e-300) == 1.0
    assert cloning_probability(700.0, 1e300, 1e-300) == pytest.approx(
        cloning_probability(0.0, 1e300 * np.exp(-700.0), 1.0), rel=1e-12
    )
    curve = cloning_probability(np.linspace(0, 8, 400), 30.0, 2.0)
    assert (np.diff(curve) <= 1e-15).all()
    assert 0.5 < curve[-1] < curve[0] == 1.0


def test_simulated_clones():
    """Draw a noisy point, then two classes from its posterior in all dimensions."""
    rng = np.random.default_rng(2)
    dim, std, n = 20, 0.8, 40_000
    m = rng.standard_normal(dim)
    for t in (0.3, 1.0, 2.0):
        keep, noise = np.exp(-t), -np.expm1(-2 * t)
        classes = rng.choice([-1.0, 1.0], n)
        x = classes[:, None] * m + std * rng.standard_normal((n, dim))
        y = keep * x + np.sqrt(noise) * rng.standard_normal((n, dim))
        distance = [np.square(y - sign * keep * m).sum(axis=1) for sign in (1, -1)]
        log_odds = (distance[1] - distance[0]) / (2 * (noise + (std * keep) ** 2))
        plus = 1 / (1 + np.exp(-log_odds))
        clones = rng.random((2, n)) < plus
        agree = (clones[0] == clones[1]).mean()
        expected = cloning_probability(t, np.linalg.norm(m), std)
        assert agree == pytest.approx(expected, abs=4 * np.sqrt(0.25 / n))


# ---- collapse


def test_collapse_check_values():
    assert collapse_time(20_000, np.ones(256)) == pytest.approx(1.298790, abs=5e-7)
    assert collapse_time(1000, np.ones(64)) == pytest.approx(0.819542, abs=5e-7)


@given(dim=st.integers(1, 200), variance=logarithmic(-3, 3), n_train=sizes)
def test_collapse_closed_form(dim, variance, n_train):
    with mpmath.workdps(40):
        ratio = mpmath.expm1(2 * mpmath.log(mpmath.mpf(n_train)) / dim)
        expected = float(mpmath.log1p(mpmath.mpf(variance) / ratio) / 2)
    found = collapse_time(n_train, np.full(dim, variance))
    assert found == pytest.approx(expected, rel=3e-14)


@given(spectrum=spectra, n_train=sizes)
def test_collapse_solves_the_entropy_equation(spectrum, n_train):
    t = collapse_time(n_train, spectrum)
    noise = np.expm1(2 * t)
    resolved = 0.5 * np.log1p(spectrum / noise).sum()
    assert resolved == pytest.approx(np.log(n_train), rel=1e-12)
    assert collapse_time(n_train, np.append(spectrum, 0.0)) == pytest.approx(t, rel=1e-13)
    assert collapse_time(n_train, spectrum[::-1]) == pytest.approx(t, rel=1e-13)
    assert collapse_time(2 * n_train, spectrum) < t
    assert collapse_time(n_train, 2 * spectrum) > t


def test_collapse_limits():
    assert collapse_time(1, np.ones(3)) == np.inf
    assert collapse_time([1, 2, 1], [1.0, 2.0]).tolist()[::2] == [np.inf, np.inf]
    assert collapse_time(1e300, [1.0]) < 1e-299
    assert 0 < collapse_time(1e300, np.ones(100)) < 1e-5
    # Few points for the dimension: the noise is d s^2 / (2 ln n).
    t = collapse_time(10, np.full(10**5, 2.0))
    assert t == pytest.approx(0.5 * np.log1p(2.0 * 10**5 / (2 * np.log(10))), rel=1e-4)


def test_types_and_errors():
    assert type(speciation_time([2.0])) is float
    assert type(cloning_probability(1, 1)) is float
    assert type(collapse_time(5, [1.0])) is float
    assert cloning_probability([[1.0], [2.0]], [1.0, 2.0, 3.0]).shape == (2, 3)
    assert collapse_time([[5, 6], [7, 8]], [1.0, 2.0]).shape == (2, 2)
    for call in (
        partial(speciation_time, [0.0]),
        partial(speciation_time, 3.0),
        partial(cloning_probability, -1.0, 1.0),
        partial(cloning_probability, 1.0, -1.0),
        partial(cloning_probability, 1.0, 1.0, 0.0),
        partial(collapse_time, 0.5, [1.0]),
        partial(collapse_time, 5, [0.0, 0.0]),
        partial(collapse_time, 5, [-1.0]),
    ):
        with pytest.raises(ValueError, match="expected"):
            call()


@pytest.mark.parametrize("exponent", [0.0, 0.3])
def test_simulated_collapse(exponent):
    """Posterior weight of the point behind a noisy one: 1/2 near t_C, and a step around it."""
    rng = np.random.default_rng(8)
    dim, n = 64, 1000
    spectrum = np.arange(1, dim + 1) ** -exponent
    weights = []
    t_C = collapse_time(n, spectrum)
    for factor in (0.5, 1.0, 1.6):
        t = factor * t_C
        noise = np.expm1(2 * t)
        own = []
        for _ in range(100):
            x = rng.standard_normal((n, dim)) * np.sqrt(spectrum)
            y = x[0] + np.sqrt(noise) * rng.standard_normal(dim)
            log_weight = -np.square(y - x).sum(axis=1) / (2 * noise)
            own.append(np.exp(log_weight[0] - np.logaddexp.reduce(log_weight)))
        weights.append(np.mean(own))
    before, at, after = weights
    assert before > 0.95
    # .57 for the isotropic law, over many draws; 100 draws have a standard error of 0.04.
    assert at == pytest.approx(0.57, abs=0.16)
    assert after < 0.2
