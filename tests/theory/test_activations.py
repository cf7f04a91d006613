"""Activation constants against integrals and closed forms of others."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erf, roots_hermitenorm

from ornstein.theory.random_features.activations import activation_constants, feature_noise

times = st.floats(1e-4, 5.0)


def test_tanh_matches_the_check_values():
    mu1, mu_star_squared, _ = activation_constants("tanh", 0.1)
    assert mu1 == pytest.approx(0.60570551, abs=5e-9)
    assert mu_star_squared == pytest.approx(0.02741533, abs=5e-9)


@pytest.mark.parametrize("activation", [np.tanh, np.arctan, np.arcsinh, lambda g: np.tanh(3 * g)])
def test_moments_match_mpmath_quadrature(activation):
    functions = {
        np.tanh: mpmath.tanh,
        np.arctan: mpmath.atan,
        np.arcsinh: mpmath.asinh,
    }
    function = functions.get(activation, lambda g: mpmath.tanh(3 * g))
    linear = 2 * mpmath.quad(lambda g: g * function(g) * mpmath.npdf(g), [0, 1, 4, 14])
    square = 2 * mpmath.quad(lambda g: function(g) ** 2 * mpmath.npdf(g), [0, 1, 4, 14])
    mu1, mu_star_squared, _ = activation_constants(activation, 1.0)
    assert mu1 == pytest.approx(float(linear), abs=1e-12)
    assert mu_star_squared == pytest.approx(float(square - linear**2), abs=1e-12)


@pytest.mark.parametrize("time", [0.01, 0.1, 1.0])
def test_noise_correlation_is_its_defining_integral_over_data_and_two_noises(time):
    # sigma - mu1 e^{-t} u, as the definition has it: data u, independent noises v and w.
    node, weight = roots_hermitenorm(80)
    weight = weight / weight.sum()
    kept, noise = math.exp(-time), math.sqrt(-math.expm1(-2 * time))
    mu1, mu_star_squared, kappa = activation_constants("tanh", time)
    # v and w enter as one factor each, so that the triple integral is a square.
    over_noise = (
        np.tanh(kept * node[:, None] + noise * node) - mu1 * kept * node[:, None]
    ) @ weight
    assert kappa == pytest.approx(weight @ over_noise**2 / mu_star_squared, abs=1e-9)


@given(times)
def test_erf_and_sign_follow_the_arcsine_laws(time):
    rho = math.exp(-2 * time)
    for activation, argument in (("erf", 2 / 3), ("sign", 1.0)):
        mu1, mu_star_squared, shared, fresh = feature_noise(activation, time)
        law = 2 / math.pi * np.arcsin(argument * np.array([rho, 1.0]))
        assert mu1**2 * rho + shared == pytest.approx(law[0], abs=1e-13)
        assert mu1**2 + mu_star_squared == pytest.approx(law[1], abs=1e-13)
        assert shared + fresh == pytest.approx(mu_star_squared, abs=1e-13)


@pytest.mark.parametrize("activation", ["tanh", "erf", "sign"])
def test_noise_correlation_falls_from_one_to_the_cubic_decay(activation):
    kappa = np.asarray(activation_constants(activation, np.geomspace(1e-12, 12, 60)).kappa_noise)
    assert (np.diff(kappa) < 0).all()
    assert kappa[0] == pytest.approx(1.0, abs=1e-5)
    late = np.asarray(activation_constants(activation, [8.0, 9.0]).kappa_noise)
    assert late[0] / late[1] == pytest.approx(math.exp(6.0), rel=1e-6)


def test_fresh_noise_keeps_its_relative_accuracy_at_small_times():
    time = 1e-9
    with mpmath.workdps(50):
        rho = mpmath.exp(-2 * mpmath.mpf(time))
        sign = 2 / mpmath.pi * (mpmath.acos(rho) - (1 - rho))
        # mu1^2 is the slope of the arcsine law at 0, (2/pi)(2/3) for erf.
        linear = 4 / mpmath.pi / 3
        law = [2 / mpmath.pi * mpmath.asin(2 * x / 3) for x in (1, rho)]
        smooth = law[0] - law[1] - linear * (1 - rho)
    assert feature_noise("sign", time)[3] == pytest.approx(float(sign), rel=1e-12)
    assert feature_noise("erf", time)[3] == pytest.approx(float(smooth), rel=1e-12)


def test_callable_and_name_agree_and_scale():
    named = activation_constants("erf", [0.1, 1.0])
    scaled = activation_constants(lambda g: -3 * erf(g), [0.1, 1.0])
    assert scaled.mu1 == pytest.approx(-3 * named.mu1, rel=1e-14)
    assert scaled.mu_star_squared == pytest.approx(9 * named.mu_star_squared, rel=1e-13)
    np.testing.assert_allclose(scaled.kappa_noise, named.kappa_noise, rtol=1e-13)


def test_polynomials_are_exact():
    # g^3 = sqrt(6) h_3 + 3 h_1.
    mu1, mu_star_squared, kappa = activation_constants(lambda g: g**3, 0.2)
    assert (mu1, mu_star_squared) == pytest.approx((3.0, 6.0), rel=1e-13)
    assert kappa == pytest.approx(math.exp(-1.2), rel=1e-13)
    assert activation_constants(lambda g: g**3 - 3 * g, 0.2).mu1 == pytest.approx(0.0, abs=1e-13)


def test_identity_has_no_feature_noise():
    assert activation_constants("identity", 0.3) == pytest.approx((1.0, 0.0, 0.0), abs=1e-14)


def test_shapes_follow_the_time():
    assert isinstance(activation_constants("tanh", 1).kappa_noise, float)
    assert np.shape(activation_constants("sign", np.ones((2, 3))).kappa_noise) == (2, 3)


@pytest.mark.parametrize(
    ("activation", "error", "says"),
    [
        ("relu", ValueError, "'relu', expected one of 'tanh'"),
        (lambda g: np.maximum(g, 0), ValueError, "not odd"),
        (lambda g: np.clip(g, -1, 1), ValueError, "too rough"),
        (lambda g: 0 * g, ValueError, "0 everywhere"),
        (lambda g: np.where(np.abs(g) > 10, np.nan, g), ValueError, "not finite"),
        (lambda g: 1.0, ValueError, "element-wise"),
        (3.0, TypeError, "expected a name or a callable"),
    ],
)
def test_other_activations_are_refused(activation, error, says):
    with pytest.raises(error, match=says):
        activation_constants(activation, 0.1)


def test_time_has_to_be_positive():
    with pytest.raises(ValueError, match="time is 0, expected a finite number > 0"):
        activation_constants("tanh", [0.1, 0.0])
