"""Phase maps: every value is that of the function it maps, every line where its formula says."""

from functools import partial

import numpy as np
import pytest

from ornstein import theory
from ornstein.processes import noise_from_time
from ornstein.theory.one_step_model.delta_expectation import expected_delta
from ornstein.theory.phase import delta_map, denoising_map, early_stopping_map, kl_map
from ornstein.theory.phase_spectra import membership_map

SIZES = np.array([5, 18, 19, 22, 30, 60, 400])
TIMES = np.array([0.1, 0.7, 2.0])


def test_kl_is_that_of_the_one_step_model():
    found = kl_map(SIZES, TIMES, dim=16, noise_scale=0.7, std=1.3)
    expected = theory.one_step(16, SIZES, TIMES[:, None], 0.7, 1.3).kl / 16
    assert found.values.shape == (3, 7)
    assert np.isinf(found.values[:, :2]).all()
    np.testing.assert_allclose(found.values, expected, rtol=1e-12)
    scales = np.array([0.1, 1.0, 5.0])
    found = kl_map(SIZES, scales, "noise_scale", dim=16, time=0.4)
    expected = theory.one_step(16, SIZES, 0.4, scales[:, None]).kl / 16
    np.testing.assert_allclose(found.values, expected, rtol=1e-12)


def test_delta_is_its_expectation():
    found = delta_map(SIZES, TIMES, dim=16, noise_scale=0.7, n_original=500, std=1.3)
    expected = expected_delta(16, SIZES, 500, TIMES[:, None], 0.7, 1.3)
    np.testing.assert_allclose(found.values, expected.relative, rtol=1e-12)
    np.testing.assert_allclose(found.log_abs, expected.log_abs, rtol=1e-12)
    assert (np.sign(found.values) == expected.sign).all()


def test_what_leaks_most_does_not_stand_on_the_rows_of_the_map():
    spectrum, sizes, s = (
        np.arange(1, 41) ** -0.5,
        np.array([50, 80, 120, 900]),
        np.geomspace(0.01, 10, 9),
    )
    x, line = membership_map(sizes, s, spectrum).lines["leaks most"]
    fine = np.geomspace(0.01, 10, 8001)
    law = theory.membership(spectrum, fine**2, sizes[:, None])
    apart = law.log_gap / np.hypot(law.member_log_std, law.non_member_log_std)
    best = fine[apart.argmax(axis=1)]
    inside = best > s[1]
    assert 1 < inside.sum() < 4  # with most points the least noise does
    np.testing.assert_allclose(line[np.isin(x, sizes[inside])], best[inside], rtol=2e-3)


@pytest.mark.parametrize("spectrum", [np.ones(20), np.arange(1, 21) ** -1.0])
def test_denoising_losses(spectrum):
    noise = np.array([0.1, 1.0])
    expected = theory.denoising_losses(spectrum, noise[:, None] ** 2, SIZES)
    found = denoising_map(SIZES, noise, spectrum)
    np.testing.assert_allclose(found.values, expected.test, rtol=1e-13)
    excess = denoising_map(SIZES, noise, spectrum, relative=True).values
    np.testing.assert_allclose(excess, expected.test / expected.optimum - 1, rtol=1e-9)


def test_early_stopping_losses():
    tau = np.array([0.1, 1.0, 20.0])
    found = early_stopping_map(SIZES, tau, dim=40, noise=0.8, init=0.3)
    expected = theory.early_stopping_losses(tau[:, None], 40 / SIZES, 0.64, 0.3).test
    np.testing.assert_allclose(found.values, expected, rtol=1e-13)
    excess = early_stopping_map(SIZES, tau, dim=40, noise=0.8, init=0.3, relative=True).values
    np.testing.assert_allclose(excess, expected / (0.64 / 1.64) - 1, rtol=1e-9)


# ---- lines


def inside(line):
    x, y = line
    kept = np.isfinite(x)
    assert (np.isfinite(y) == kept).all()
    return x[kept], y[kept]


def test_lines_of_the_one_step_model():
    sizes, scales = np.arange(20, 3000, 20), np.geomspace(0.01, 200, 300)
    lines = kl_map(sizes, scales, "noise_scale", dim=100, time=0.5, std=2.0).lines
    x, y = inside(lines["n = d"])
    assert x.tolist() == [100.0, 100.0]
    assert y.tolist() == [scales[0], scales[-1]]
    x, y = inside(lines["n*"])
    assert x == pytest.approx(theory.one_step(100, 500, 0.5, y, 2.0).threshold, rel=1e-12)
    assert x.max() <= sizes[-1]
    # Collapse: the noise of the model is that at the collapse time of the empirical score.
    x, y = inside(lines["collapse"])
    noise = np.sqrt(y * -np.expm1(-2 * 0.5))
    expected = noise_from_time(theory.collapse_time(x, np.full(100, 4.0)))
    assert noise == pytest.approx(expected, rel=1e-10)
    # ... and over time the same, where the noise scale is large enough to reach it.
    lines_in_time = kl_map(sizes, np.geomspace(0.01, 3, 50), dim=100, noise_scale=60.0, std=2.0)
    x, y = inside(lines_in_time.lines["collapse"])
    noise = np.sqrt(60.0 * -np.expm1(-2 * y))
    assert noise == pytest.approx(noise_from_time(theory.collapse_time(x, np.full(100, 4.0))))
    assert x.size > 100
    drawn = delta_map(sizes[::30], scales[::30], "noise_scale", time=0.5, std=2.0).lines
    assert lines.keys() == drawn.keys()


def test_lines_of_the_best_denoiser():
    spectrum = np.append(26.0, np.ones(29))
    sizes, noise = np.arange(10, 500, 10), np.geomspace(0.05, 20, 200)
    lines = denoising_map(sizes, noise, spectrum).lines
    assert inside(lines["n = d"])[0].tolist() == [30.0, 30.0]
    assert inside(lines["speciation"])[1] == pytest.approx([5.0, 5.0])
    x, y = inside(lines["collapse"])
    assert y == pytest.approx(noise_from_time(theory.collapse_time(x, spectrum)), rel=1e-12)
    assert "speciation" not in denoising_map(sizes, noise, np.ones(30)).lines


def test_best_time_to_stop_is_the_valley_of_the_map():
    tau = np.geomspace(0.01, 100, 400)
    found = early_stopping_map([10, 50, 200], tau, dim=50)
    best = inside(found.lines["best stop"])[1]
    assert best == pytest.approx(tau[found.values.argmin(axis=0)], rel=0.03)


def test_lines_outside_the_map_are_left_out():
    assert not kl_map([150, 160], [1.9, 2.0]).lines
    assert list(kl_map([90, 160], [1.9, 2.0]).lines) == ["n = d"]


def test_errors():
    for call in (
        partial(kl_map, [30, 20], [1.0]),
        partial(kl_map, [1, 20], [1.0]),
        partial(kl_map, [30], [2.0, 1.0]),
        partial(kl_map, [30], [0.0]),
        partial(kl_map, [30], [1.0], "noise"),
        partial(kl_map, [30], [1.0], dim=0),
        partial(delta_map, [30], [1.0], std=0.0),
        partial(delta_map, [30], [1.0], n_original=1),
        partial(denoising_map, [30], [1.0], [0.0, 0.0]),
        partial(early_stopping_map, [30], [1.0], noise=0.0),
    ):
        with pytest.raises(ValueError, match=r"expected|ascending"):
            call()
    with pytest.raises(TypeError, match=r"2\.5, expected whole numbers"):
        kl_map([2.5], [1.0])
