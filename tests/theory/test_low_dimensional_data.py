"""Data in a subspace: every function of a spectrum takes eigenvalues 0, and says what is right."""

import inspect

import numpy as np
import pytest

from ornstein import theory

INSIDE = np.array([2.0, 1.0, 0.5, 0.3])
PADDED = np.append(INSIDE, [0.0, 0.0, 0.0])
IN_ORDER = np.insert(INSIDE, [0, 2, 4], 0.0)

# The same with and without the directions that never vary.
SAME = {
    "sampler_quality": lambda s: theory.sampler_quality(s, [5, np.inf], "heun", n_train=20),
    "best_steps": lambda s: theory.best_steps(s, 20, "ddpm:large"),
    "tangent_grid": lambda s: [theory.tangent_grid(s, 4), theory.tangent_grid(s, 4, n_train=20)],
    "membership": lambda s: theory.membership(s, 0.3, [3, 20]),
    "most_revealing_noise": lambda s: theory.most_revealing_noise(s, 20),
    "points_for_auc": lambda s: theory.points_for_auc(s, 0.3, 0.6),
    "renormalized_noise": lambda s: theory.renormalized_noise(s, [0.0, 0.3], [3, 9]),
    "renormalized_noise_derivative": lambda s: theory.renormalized_noise_derivative(s, 0.3, [3, 9]),
    "denoising_losses": lambda s: np.multiply(theory.denoising_losses(s, 0.3, [3, 9]), s.size),
    "collapse_time": lambda s: theory.collapse_time([10, 100], s),
    "speciation_time": theory.speciation_time,
    # Each mode three times: it takes four effective dimensions or more.
    "fitted_gaussian_share": lambda s: theory.fitted_gaussian_share(np.repeat(s, 3), 60),
    "sample_covariance_range": lambda s: theory.sample_covariance_range(s, 9),
    "sample_covariance_spectrum": lambda s: (
        s.size * np.array(theory.sample_covariance_spectrum([0.3, 0.8], s, 9))
    ),
    "sample_covariance_atom": lambda s: s.size * (1 - theory.sample_covariance_atom(s, 3)),
}
# One answer for each mode, and what it is for a mode without variance.
BY_MODE = {
    "recursive_score_variance": (
        lambda s: theory.recursive_score_variance(s, 0.3, 1, 0.2),
        1 - (0.2 + 0.8 * np.exp(-0.6)),
    ),
    "generated_variance": (lambda s: theory.generated_variance(s, 1.0, sigma_min=0.1), 0.01),
    "denoiser_weight": (lambda s: theory.denoiser_weight(s, 0.3, 1.0), 0.0),
    "two_layer_weight": (
        lambda s: theory.two_layer_weight(s, 0.3, 1.0, init=0.1),
        0.1 / (1 + 8 * 0.1 * 0.3**2),
    ),
    "emergence_time": (theory.emergence_time, np.inf),
}
# Noise fills those directions: the dimension counts.
NOISED = {
    "one_step_anisotropic": lambda s: theory.one_step_anisotropic(s, [3, 6, 11, 30], 0.7, 0.5),
    "one_step_anisotropic_spectrum": lambda s: theory.one_step_anisotropic_spectrum(
        [0.6, 0.9], s, 30, 0.7, 0.5
    ),
    "one_step_anisotropic_support": lambda s: theory.one_step_anisotropic_support(s, 30, 0.7, 0.5),
    "recursive_one_step_spectrum": lambda s: theory.recursive_one_step_spectrum(s, 30, 1)[:, :4],
    "noisy_data_weight": lambda s: theory.noisy_data_weight(s, 0.3, 9, 0.1)[s > 0],
}


def flat(values):
    parts = values if isinstance(values, (tuple, list)) else [values]
    return np.concatenate([np.ravel(part) for part in parts])


def test_every_function_of_a_spectrum_is_here():
    named = {
        name
        for name in theory.__all__
        if inspect.isfunction(getattr(theory, name))
        and "eigenvalues" in inspect.signature(getattr(theory, name)).parameters
    }
    assert named == {*SAME, *BY_MODE, *NOISED}


@pytest.mark.parametrize("name", SAME)
def test_directions_that_never_vary_change_nothing(name):
    expected = flat(SAME[name](INSIDE))
    assert np.isfinite(expected).all()
    for padded in (PADDED, IN_ORDER):
        np.testing.assert_allclose(flat(SAME[name](padded)), expected, rtol=1e-9)


@pytest.mark.parametrize("name", BY_MODE)
def test_modes_without_variance(name):
    function, of_none = BY_MODE[name]
    np.testing.assert_allclose(function(PADDED)[:4], function(INSIDE), rtol=1e-12)
    np.testing.assert_allclose(function(PADDED)[4:], of_none, rtol=1e-12)


@pytest.mark.parametrize("name", NOISED)
def test_where_noise_fills_the_empty_directions(name):
    found = NOISED[name](PADDED)
    if name == "one_step_anisotropic":
        assert found.signal_fraction[4:].tolist() == [0, 0, 0]
        assert found.threshold == np.inf
        # Finite from the rank of the data on, also below the dimension; nothing is NaN.
        assert np.isfinite(found.kl).tolist() == [False, True, True, True]
        found = (found.kl, found.trace, found.log_det, found.wasserstein_squared)
    assert not np.isnan(flat(found)).any()
    order = NOISED[name](IN_ORDER)
    if name != "one_step_anisotropic":
        np.testing.assert_allclose(flat(order), flat(found), rtol=1e-9)
        assert np.abs(flat(found) / flat(NOISED[name](INSIDE)) - 1).max() > 1e-3


def test_without_noise_the_one_step_model_stays_in_the_subspace():
    found = theory.one_step_anisotropic(PADDED, [3, 20], 0.7, 0.0)
    expected = theory.one_step_anisotropic(INSIDE, [3, 20], 0.7, 0.0)
    # The start has the mean variance of all 7 coordinates in place of 4.
    assert found.log_det[1] == pytest.approx(expected.log_det[1] + 4 * np.log(4 / 7), rel=1e-12)
    assert found.log_det[0] == expected.log_det[0] == -np.inf


def test_collapse_in_a_subspace():
    """Check value: D = 16 of d = 256, n = 20000."""
    variance = np.append(np.ones(16), np.zeros(240))
    noise = np.expm1(2 * theory.collapse_time(20_000, variance))
    assert noise == pytest.approx(0.4084, abs=5e-5)
    assert noise == pytest.approx(1 / (20_000 ** (2 / 16) - 1), rel=1e-12)
    full = np.expm1(2 * theory.collapse_time(20_000, np.ones(256)))
    assert full == pytest.approx(12.43, abs=5e-3)


def test_denoised_points_stay_in_the_subspace():
    x = np.array([1.0, -2.0, 0.5, 3.0])
    for law, point in ((INSIDE, x), (PADDED, np.append(x, [0.0, 0.0, 0.0]))):
        pair = law, np.eye(law.size)
        mean = theory.denoiser_mean(point, 0.0, pair, 0.3, 9)
        np.testing.assert_allclose(
            mean[:4], INSIDE / (INSIDE + theory.renormalized_noise(INSIDE, 0.3, 9)) * x
        )
        assert not mean[4:].any()
        spread = theory.denoiser_variance(point, np.eye(law.size), 0.0, pair, 0.3, 9)
        assert not np.asarray(spread)[4:].any()
