"""Grids from a spectrum: the exact tangent law, against other grids, in other people's samplers."""

import itertools

import diffusers
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from ornstein.data.files import load_data
from ornstein.diffusion.grids import (
    LogSchedule,
    Modes,
    NoiseGrid,
    TangentSchedule,
    _best_tangent,
    _equal_distances,
    _loss_and_slopes,
    grid_loss,
    optimal_noises,
    tangent_noises,
)
from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import as_schedule, karras_noises
from ornstein.theory import best_steps, sampler_quality, tangent_grid
from ornstein.theory.linear_denoisers.fitted_sampling import FittedSampler


def data_spectrum(name):
    points = load_data(name).points
    values = np.linalg.eigvalsh(np.cov(points.T))
    values = np.where(values > 1e-10 * values.max(), values, 0.0)
    return values / values.mean()


SPECTRA = {
    "isotropic": np.ones(16),
    "two levels": np.repeat([3.0, 0.3], 8),
    **{f"power {a}": np.arange(1.0, 65) ** -a for a in (0.5, 1, 1.5, 2)},
    "spiked": np.append(np.ones(99), 1000.0),
    "zeros": np.append(1 / np.arange(1, 17), np.zeros(16)),
    "twelve decades": np.geomspace(1e-12, 1, 40),
    "digits": data_spectrum("digits"),
    "patches": data_spectrum("patches"),
}


def euler(noises, variances):
    """Euler's method as k-diffusion writes it, on the standard deviations of modes."""
    x = np.sqrt(variances + noises[0] ** 2)
    for sigma, sigma_next in itertools.pairwise(noises):
        denoised = variances / (variances + sigma**2) * x
        d = (x - denoised) / sigma
        x = x + d * (sigma_next - sigma)
    return x


@given(
    steps=st.integers(1, 60),
    variance=st.floats(1e-6, 1e6),
    smallest=st.sampled_from([0.0, 0.002, 0.3]),
)
def test_one_variance_is_exact(steps, variance, smallest):
    noises = tangent_noises(steps, variance, smallest)
    assert noises.size == steps + 1
    assert noises[0] == 80
    assert noises[-1] == smallest
    assert (np.diff(noises) < 0).all()
    angle = np.arctan(80 / np.sqrt(variance)) - np.arctan(smallest / np.sqrt(variance))
    ratio = euler(noises, np.array([variance])) / np.sqrt(variance + smallest**2)
    q = np.cos(angle / steps) ** steps
    assert ratio[0] == pytest.approx(q, rel=1e-7, abs=1e-9)
    loss = grid_loss(noises, Modes.of(np.array([variance])))
    assert loss == pytest.approx((q**2 - 1 - 2 * np.log(q)) / 2, rel=1e-6, abs=1e-9)
    # Any other grid is worse.
    moved = noises[1:-1] * np.exp(0.01 * (-1.0) ** np.arange(steps - 1))
    if steps > 1 and (np.diff(moved) < 0).all():
        other = np.concatenate([noises[:1], moved, noises[-1:]])
        assert grid_loss(other, Modes.of(np.array([variance]))) >= loss * (1 - 1e-9)


def test_check_values():
    one, slow = Modes.of(np.ones(1)), Modes.of(1 / np.arange(1.0, 257))

    def log_spaced(steps):
        return np.geomspace(80, 0.002, steps + 1)

    for steps, tangent, karras, spaced in (
        (10, 0.0136562712, 0.0560766, 0.0591541),
        (50, 0.000577464, 0.00256106, 0.00270978),
    ):
        assert grid_loss(tangent_grid([1.0], steps), one) == pytest.approx(tangent, rel=1e-6)
        assert grid_loss(karras_noises(steps + 1), one) == pytest.approx(karras, rel=3e-6)
        assert grid_loss(log_spaced(steps), one) == pytest.approx(spaced, rel=3e-6)
    for steps, tangent, karras in ((10, 0.018090, 0.101294), (50, 0.000773, 0.004881)):
        noises = tangent_noises(steps, 0.0134, 0.002)
        assert grid_loss(noises, slow) / 256 == pytest.approx(tangent, abs=6e-7)
        assert grid_loss(karras_noises(steps + 1), slow) / 256 == pytest.approx(karras, abs=6e-7)
        assert grid_loss(tangent_grid(1 / np.arange(1, 257), steps), slow) / 256 < 0.95 * tangent


@pytest.mark.parametrize("name", SPECTRA)
def test_below_karras_and_every_tangent_law(name):
    spectrum = SPECTRA[name]
    modes = Modes.of(spectrum)
    for steps in (5, 10, 20, 50):
        noises = tangent_grid(spectrum, steps)
        assert (np.diff(noises) < 0).all()
        assert (noises[0], noises[-1]) == (80, 0.002)
        loss = grid_loss(noises, modes)
        assert loss < grid_loss(karras_noises(steps + 1), modes)
        for variance in np.geomspace(1e-6, 1e3, 200).tolist():
            other = tangent_noises(steps, variance, 0.002)
            assert loss <= grid_loss(other, modes) * (1 + 1e-9)
        # The loss is what an independent loop makes of the noised population.
        q = euler(noises, modes.variances) / np.sqrt(modes.variances + 0.002**2)
        kl = (modes.counts * (q**2 - 1 - 2 * np.log(q))).sum() / 2
        assert loss == pytest.approx(kl, rel=1e-6)


@pytest.mark.parametrize("name", ["two levels", "power 1.5", "digits"])
def test_no_single_level_can_be_moved_to_advantage(name):
    modes = Modes.of(SPECTRA[name])
    for smallest in (0.002, 0.0):
        noises = optimal_noises(modes, 6, smallest)
        loss = grid_loss(noises, modes)
        for index in range(1, 6):
            for factor in (0.99, 1.01):
                moved = noises.copy()
                moved[index] *= factor
                assert grid_loss(moved, modes) > loss


def test_slopes_of_the_loss():
    variances = np.array([0.01, 0.2, 1.0, 7.0])
    modes = Modes(variances, np.array([1.0, 2.0, 1.0, 3.0]), np.array([0.4, 2.0, 1.5, 5.0]))
    noises = tangent_noises(5, 0.3, 0.01)
    slopes = _loss_and_slopes(noises, modes)[1]
    for index in range(6):
        ends = []
        for side in (1, -1):
            moved = noises.copy()
            moved[index] *= 1 + side * 1e-5
            ends.append(grid_loss(moved, modes))
        difference = (ends[0] - ends[1]) / (2e-5 * noises[index])
        assert difference == pytest.approx(slopes[index], rel=1e-6, abs=1e-9)


@pytest.mark.parametrize("name", ["two levels", "power 1.5", "twelve decades", "digits"])
def test_equal_distances_are_the_limit_of_many_steps(name):
    """The self-consistent metric alone loses nothing to BFGS there, and less than others."""
    modes = Modes.of(SPECTRA[name])
    metric = _equal_distances(modes, 100, 0.002, 80.0)
    loss = grid_loss(metric, modes)
    assert loss == pytest.approx(grid_loss(optimal_noises(modes, 100), modes), rel=1e-4)
    assert loss < 0.97 * grid_loss(_best_tangent(modes, 100, 0.002, 80.0)[1], modes)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_diffusers_takes_the_grid():
    """Its Euler scheduler, told the sigmas, draws what ours draws."""
    spectrum = np.array([4.0, 1.0, 0.05])
    noises = tangent_grid(spectrum, 12)
    oracle = diffusers.EulerDiscreteScheduler(1000, prediction_type="sample")
    oracle.set_timesteps(sigmas=noises.tolist())
    assert oracle.sigmas.tolist() == pytest.approx(noises.tolist(), rel=1e-6)
    oracle.sigmas = torch.from_numpy(noises)
    # diag(sqrt) columns: each mode starts at its own standard deviation.
    x = torch.diag(torch.from_numpy(np.sqrt(spectrum + 80**2)))
    gain = torch.from_numpy(spectrum)
    for index, t in enumerate(oracle.timesteps):
        oracle.scale_model_input(x, t)
        denoised = gain / (gain + noises[index] ** 2) * x
        x = oracle.step(denoised, t, x).prev_sample.double()
    ours = euler(noises, spectrum)
    # It keeps the point in float32 between steps.
    np.testing.assert_allclose(torch.diagonal(x).numpy(), ours, rtol=1e-5)


@pytest.mark.parametrize("name", ["isotropic", "power 1", "digits"])
def test_a_schedule_for_samplers(name):
    spectrum = SPECTRA[name]
    schedule = TangentSchedule(tuple(spectrum.tolist()))
    for steps in (1, 5, 20):
        levels = schedule.levels(steps)
        assert len(levels) == steps
        assert (levels.noise[0], levels.noise[-1]) == (80, 0)
    steps = [5, 10, 50]
    ours, karras = (
        sampler_quality(spectrum, steps, "ddim", which, start="marginal")
        for which in (schedule, "karras")
    )
    assert (ours.kl < karras.kl).all()
    if name == "isotropic":
        q = np.cos(np.arctan(80) / np.array(steps)) ** steps
        np.testing.assert_allclose(ours.kl, 8 * (q**2 - 1 - 2 * np.log(q)), rtol=1e-9)
    # With a smallest noise the last step is a jump, as Karras' is.
    jump = TangentSchedule(schedule.variances, 0.002, 20.0).levels(4).noise
    np.testing.assert_allclose(jump[:-1], tangent_grid(spectrum, 3, 0.002, 20.0))


def test_names_of_schedules():
    assert as_schedule("tangent") == TangentSchedule((1.0,))
    assert as_schedule("tangent:0.5,2") == TangentSchedule((0.5, 2.0))
    assert as_schedule("tangent").noise_range() == (1.0, 80.0, 0.0)
    for wrong in ("tangent:x", "tangent:-1"):
        with pytest.raises(ValueError, match="schedule is 'tangent:"):
            as_schedule(wrong)
    grid = NoiseGrid(tuple(tangent_grid([1.0], 4)))
    assert len(grid.levels(5)) == 5
    assert len(NoiseGrid(tuple(tangent_grid([1.0], 4, 0.0))).levels(4)) == 4
    with pytest.raises(ValueError, match="n_steps is 4, expected 5"):
        grid.levels(4)
    with pytest.raises(ValueError, match="noise levels do not fall"):
        NoiseGrid((1.0, 2.0))


@pytest.mark.parametrize("spectrum", [np.ones(20), 1 / np.arange(1, 21)])
@pytest.mark.parametrize("n", [40, 80, 400])
def test_of_n_points_the_best_grid_is_another_one(spectrum, n):
    """Its expected KL is lower than the population's grid has, and than any tangent law has."""

    def kl(noises):
        model = FittedSampler(
            spectrum,
            np.zeros(20),
            n,
            as_sampler("euler"),
            NoiseGrid(tuple(noises)),
            "marginal",
        )
        return model.law(8).kl()

    fitted = tangent_grid(spectrum, 8, 0.0, n_train=n)
    least = kl(fitted)
    assert least < kl(tangent_grid(spectrum, 8, 0.0)) - 1e-4
    for variance in (0.01, 0.05, 0.2, 0.6, 1.0, 1.5):
        assert least < kl(tangent_noises(8, variance))
    for index in (1, 4, 7):
        moved = fitted.copy()
        moved[index] *= 1.02
        assert kl(moved) > least - 1e-4


def test_many_points_have_the_grid_of_the_population():
    spectrum = [1.0, 0.3, 0.05]
    np.testing.assert_allclose(
        tangent_grid(spectrum, 8, n_train=10**7), tangent_grid(spectrum, 8), rtol=1e-3
    )
    for n in (2, 3, 4, 5):
        noises = tangent_grid(spectrum, 8, n_train=n)
        assert (np.diff(noises) < 0).all()


def test_scaling_data_and_noises():
    one = tangent_grid([1.0, 0.04], 7, 0.01, 50.0)
    np.testing.assert_allclose(tangent_grid([9.0, 0.36], 7, 0.03, 150.0), 3 * one, rtol=1e-4)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: tangent_grid([1.0], 0), "n_steps is 0"),
        (lambda: tangent_grid([-1.0], 5), "eigenvalues is -1"),
        (lambda: tangent_grid([1.0], 5, 2.0, 1.0), "smallest noise 2 and largest 1"),
        (lambda: tangent_grid([1.0], 5, -1.0), "noise_min is -1"),
        (lambda: tangent_grid([1.0], 5, n_train=1), "n_train is 1"),
        (lambda: TangentSchedule((-1.0,)), "variances is -1"),
    ],
)
def test_bad_input_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()


def test_few_steps_can_beat_infinitely_many():
    """A grid made for n points, whose last levels lose what C has in excess."""
    spectrum, n = np.ones(20), 40
    grid = NoiseGrid(tuple(tangent_grid(spectrum, 30, 0.0, n_train=n)))
    few = sampler_quality(spectrum, 30, "euler", grid, n_train=n, start="marginal").kl
    limit = best_steps(spectrum, n, "euler", "karras", start="marginal", most=30).kl_limit
    assert few < limit - 0.05


def test_noises_of_equal_ratio() -> None:
    noise = LogSchedule(0.1, 10.0).levels(5).noise
    np.testing.assert_allclose(noise[:-1], [10.0, 10**0.5, 1.0, 10**-0.5, 0.1], rtol=1e-12)
    assert noise[-1] == 0.0
    assert len(LogSchedule().levels(1)) == 1
    assert LogSchedule(0.1, 10.0).noise_range() == (1.0, 10.0, 0.1)
    for ends in ((0.0, 1.0), (2.0, 1.0)):
        with pytest.raises(ValueError, match="smallest"):
            LogSchedule(*ends)
