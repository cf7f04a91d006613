"""Guidance: check values, the reverse ODE itself, limits, two classes by brute force."""

from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from ornstein.theory import guided_class_density, guided_class_moments, guided_moments


def logarithmic(low, high):
    return st.floats(low, high).map(lambda exponent: 10.0**exponent)


def by_ode(own, pooled, g, delta, start=1e3):
    """Variance and mean at noise 0 of N(0, s^2), from the denoisers as they are defined."""

    def slope(log_s, state):
        s2 = np.exp(2 * log_s)

        def denoised(x):
            of_class = delta + own / (own + s2) * (x - delta)
            return (1 + g) * of_class - g * pooled / (pooled + s2) * x

        # In ln s; two trajectories give the linear part and the constant one.
        return state - denoised(state)

    end = 1e-5 * np.sqrt(min(own, pooled))
    first = np.array([0.0, start])
    span = np.log(start), np.log(end)
    low, high = solve_ivp(slope, span, first, rtol=1e-10, atol=1e-12).y[:, -1]
    return (high - low) ** 2, low


def test_check_values():
    found = guided_moments(0.5, 1.3, 2.0, 1.0)
    assert found.variance == pytest.approx(0.0739645, abs=5e-8)
    assert found.mean - 1 == pytest.approx(0.7692308, abs=5e-8)


@pytest.mark.parametrize(
    ("own", "pooled", "g", "delta"),
    [(0.5, 1.3, 2.0, 1.0), (1.3, 0.5, 0.7, -2.0), (0.2, 0.9, 4.5, 0.3), (1.0, 1.0, 1.0, 2.0)],
)
def test_the_reverse_ode_ends_there(own, pooled, g, delta):
    variance, mean = by_ode(own, pooled, g, delta)
    found = guided_moments(own, pooled, g, delta)
    assert found.variance == pytest.approx(variance, rel=1e-4)
    # Of the class mean, the start at noise 1000 leaves out 1e-3 delta at most.
    assert found.mean == pytest.approx(mean, abs=3e-3 * abs(delta))


@settings(max_examples=40, deadline=None)
@given(rho=logarithmic(-10, 6), g=st.floats(-1, 12))
def test_the_push_is_hypergeometric(rho, g):
    with mpmath.workdps(40):
        r, strength = mpmath.mpf(rho), mpmath.mpf(g)
        series = mpmath.hyp2f1(1 - strength / 2, 1, 1.5, 1 - r)
        expected = float(1 + strength * r * series)
    assert guided_moments(rho, 1.0, g, 1.0).mean == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_limits():
    own, pooled, delta = np.array([0.3, 2.0, 0.7]), np.array([1.0, 0.5, 0.7]), np.array([1, 2, 3.0])
    none = guided_moments(own, pooled, 0.0, delta)
    np.testing.assert_allclose(none.variance, own)
    np.testing.assert_allclose(none.mean, delta)
    pool = guided_moments(own, pooled, -1.0, delta)
    np.testing.assert_allclose(pool.variance, pooled)
    np.testing.assert_allclose(pool.mean, 0, atol=1e-12)
    # g = 2: beyond delta by 2 rho delta; equal variances: by g delta.
    np.testing.assert_allclose(
        guided_moments(own, pooled, 2.0, delta).mean, delta * (1 + 2 * own / pooled)
    )
    assert guided_moments(0.7, 0.7, 3.5, 2.0) == pytest.approx((0.7, 2 * 4.5))
    # In other units of length; a class that varies as little as can be.
    small = guided_moments(own * 1e-8, pooled * 1e-8, 1.5, delta * 1e-4)
    large = guided_moments(own, pooled, 1.5, delta)
    np.testing.assert_allclose(small.variance, large.variance * 1e-8)
    np.testing.assert_allclose(small.mean, large.mean * 1e-4)


def test_modes_without_variance():
    found = guided_moments([0.0, 0.0, 0.0], [1.0, 1.0, 0.0], [2.0, -1.0, 2.0], 3.0)
    np.testing.assert_array_equal(found.variance, [0.0, 1.0, 0.0])
    np.testing.assert_allclose(found.mean, [3.0, 0.0, 9.0], atol=1e-12)
    assert guided_moments(1e-12, 1.0, 2.0, 3.0).mean == pytest.approx(3.0)


def two_classes(z, mu, g, std, steps=4000):
    """Along m: the reverse ODE with the two denoisers, by Heun's method from large noise."""
    noises = np.geomspace(3e4, 1e-3 * std, steps)
    y = mu + noises[0] * z

    def slope(y, s):
        v = std**2 + s**2

        def posterior(mean):
            return mean + std**2 / v * (y - mean)

        odds = 1 / (1 + np.exp(-2 * mu * y / v))
        pooled = odds * posterior(mu) + (1 - odds) * posterior(-mu)
        return (y - (1 + g) * posterior(mu) + g * pooled) / s

    for s, s_next in pairwise(noises):
        first = slope(y, s)
        second = slope(y + (s_next - s) * first, s_next)
        y = y + (s_next - s) * (first + second) / 2
    return y


@pytest.mark.parametrize(("mu", "g", "std"), [(1.0, 2.0, 0.5), (2.0, 0.6, 1.5), (0.4, 5.0, 0.2)])
def test_two_classes_by_the_reverse_ode(mu, g, std):
    z = np.linspace(-5, 5, 401)
    y = two_classes(z, mu, g, std)
    # Trajectories do not cross: densities follow from neighbours.
    assert (np.diff(y) > 0).all()
    place, width = y[1:-1], (y[2:] - y[:-2]) / (z[2] - z[0])
    expected = np.exp(-(z[1:-1] ** 2) / 2) / np.sqrt(2 * np.pi) / width
    found = guided_class_density(place, mu, g, std)
    np.testing.assert_allclose(found, expected, rtol=6e-3, atol=1e-4)
    weight = np.exp(-(z**2) / 2) / np.exp(-(z**2) / 2).sum()
    moments = guided_class_moments(mu, g, std)
    assert moments.mean == pytest.approx(weight @ y, rel=1e-3)
    assert moments.variance == pytest.approx(weight @ (y - weight @ y) ** 2, rel=2e-3)


@pytest.mark.parametrize(("mu", "g", "std"), [(1.0, 2.0, 0.5), (10.0, 5.0, 0.5), (0.1, 7.0, 1.0)])
def test_density_and_moments_agree(mu, g, std):
    variance, mean = guided_class_moments(mu, g, std)
    y = np.linspace(mean - 9 * std, mean + 9 * std, 1601)
    density = guided_class_density(y, mu, g, std)
    step = y[1] - y[0]
    assert density.sum() * step == pytest.approx(1, abs=1e-9)
    assert (density * y).sum() * step == pytest.approx(mean, rel=1e-8)
    assert (density * (y - mean) ** 2).sum() * step == pytest.approx(variance, rel=1e-7)
    # The other class is the mirror image.
    mirror = guided_class_density(-y, mu, g, std, sign=-1)
    np.testing.assert_allclose(mirror, density, rtol=1e-5, atol=1e-12)
    assert guided_class_moments(mu, g, std, sign=-1) == pytest.approx((variance, -mean))


def test_limits_of_two_classes():
    y = np.array([-1.0, 0.5, 4.0])
    normal = np.exp(-((y - 2) ** 2) / 2 / 0.49) / np.sqrt(2 * np.pi * 0.49)
    np.testing.assert_allclose(guided_class_density(y, 2.0, 0.0, 0.7), normal)
    assert guided_class_moments(2.0, 0.0, 0.7) == pytest.approx((0.49, 2.0))
    # Classes in one place are not told apart.
    assert guided_class_moments(0.0, 3.0, 0.7) == pytest.approx((0.49, 0.0), abs=1e-12)
    # Far apart, a class is generated with what it takes from noise larger than the distance.
    near, far = (guided_class_moments(mu, 2.0, 0.7) for mu in (40.0, 400.0))
    assert far.mean - 400 == pytest.approx(near.mean - 40, rel=1e-6)
    assert near.variance == pytest.approx(far.variance, rel=1e-6)
    # Close together, to first order in w: d xi/dw = g.
    assert guided_class_moments(1e-4, 3.0).mean == pytest.approx(4e-4, rel=1e-3)
    assert isinstance(guided_class_density(0.3, 1.0, 1.0), float)


@pytest.mark.parametrize(
    ("function", "given", "match"),
    [
        (guided_moments, (-1.0, 1.0, 1.0), "class_variance is -1"),
        (guided_moments, (1.0, -1.0, 1.0), "pooled_variance is -1"),
        (guided_moments, (1.0, 0.0, 1.0), "pooled_variance is 0 where class_variance is not"),
        (guided_moments, (1.0, 1.0, -1.5), "guidance is -1.5, expected a number from -1 to"),
        (guided_moments, (1.0, 1.0, 1.0, np.nan), "class_mean is nan, expected a number"),
        (guided_class_moments, (-1.0, 1.0), "mean_norm is -1"),
        (guided_class_moments, (1.0, -0.5), "guidance is -0.5, expected a finite number >= 0"),
        (guided_class_density, (0.0, 1.0, 1.0, 0.0), "std is 0"),
        (guided_class_density, (np.inf, 1.0, 1.0), "position is inf, expected a number"),
    ],
)
def test_bad_input(function, given, match):
    with pytest.raises(ValueError, match=match):
        function(*given)
    with pytest.raises(ValueError, match="sign is 0, expected 1 or -1"):
        guided_class_moments(1.0, 1.0, sign=0)
