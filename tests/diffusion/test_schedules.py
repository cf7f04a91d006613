"""Noise schedules against diffusers' schedulers and mpmath, and the laws they state."""

import diffusers
import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ornstein.diffusion.schedules import (
    SCHEDULES,
    BetaSchedule,
    KarrasSchedule,
    NoiseLevels,
    as_schedule,
    karras_noises,
    nearest_step,
    sampling_steps,
)
from ornstein.processes import noise_from_alpha_bar

KINDS = {"linear": "linear", "scaled_linear": "scaled_linear", "cosine": "squaredcos_cap_v2"}
SPACINGS = ["trailing", "leading", "linspace"]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.parametrize("total", [10, 200, 1000])
def test_betas_are_those_of_diffusers(name: str, total: int) -> None:
    oracle = diffusers.DDPMScheduler(
        num_train_timesteps=total, beta_start=1e-4, beta_end=0.02, beta_schedule=KINDS[name]
    )
    betas = BetaSchedule(name, total).betas()
    assert betas.dtype == np.float64
    np.testing.assert_allclose(betas, oracle.betas.numpy(), atol=1e-6)
    np.testing.assert_allclose(np.cumprod(1 - betas), oracle.alphas_cumprod.numpy(), atol=1e-6)


@pytest.mark.parametrize("spacing", SPACINGS)
@pytest.mark.parametrize("total", [200, 1000])
def test_sampling_steps_are_those_of_diffusers(spacing: str, total: int) -> None:
    oracle = diffusers.DDPMScheduler(num_train_timesteps=total, timestep_spacing=spacing)
    for count in (1, 2, 3, 7, 10, 30, 64, 99, total - 1, total):
        oracle.set_timesteps(count)
        steps = sampling_steps(total, count, spacing)
        theirs = oracle.timesteps.numpy()
        # By rounding, their trailing spacing has at times one step more, to diffusion step -1.
        assert (theirs[count:] == -1).all()
        np.testing.assert_array_equal(steps, theirs[:count])


@pytest.mark.parametrize("count", [1, 2, 10, 50])
def test_karras_noises_are_those_of_diffusers(count: int) -> None:
    oracle = diffusers.EDMEulerScheduler(sigma_min=0.01, sigma_max=50.0, rho=5.0)
    oracle.set_timesteps(count)
    levels = KarrasSchedule(0.01, 50.0, 5.0).levels(count)
    np.testing.assert_allclose(levels.noise, oracle.sigmas.numpy(), rtol=1e-6)
    assert (levels.signal == 1).all()


@given(
    name=st.sampled_from(list(KINDS)),
    spacing=st.sampled_from(SPACINGS),
    total=st.integers(2, 300),
    data=st.data(),
)
def test_beta_levels_preserve_variance_and_are_the_products(name, spacing, total, data) -> None:
    count = data.draw(st.integers(1, total))
    schedule = BetaSchedule(name, total, spacing=spacing)
    levels = schedule.levels(count)
    assert len(levels) == count
    np.testing.assert_allclose(levels.signal**2 + levels.noise_std**2, 1, rtol=1e-12)
    alpha_bar = np.cumprod(1 - schedule.betas())[sampling_steps(total, count, spacing)]
    np.testing.assert_allclose(levels.signal[:-1] ** 2, alpha_bar, rtol=1e-9)
    np.testing.assert_allclose(levels.noise[:-1], noise_from_alpha_bar(alpha_bar), rtol=1e-6)
    assert (levels.edm().noise == levels.noise).all()
    assert (levels.edm().signal == 1).all()


def test_small_betas_keep_their_digits() -> None:
    """In float64, 1 - abar of betas near 1e-12 would have four digits left."""
    schedule = BetaSchedule(diffusion_steps=5, beta_start=1e-12, beta_end=3e-12)
    with mpmath.workdps(50):
        product = mpmath.mpf(1)
        exact = []
        for beta in schedule.betas():
            product *= 1 - mpmath.mpf(float(beta))
            exact.append(float(mpmath.sqrt(1 / product - 1)))
    np.testing.assert_allclose(schedule.levels(5).noise[-2::-1], exact, rtol=1e-13)


def test_two_hundred_steps_do_not_reach_pure_noise() -> None:
    """The published defaults; theory.md puts abar_T at 0.13."""
    for total, alpha_bar in ((200, 0.1322), (1000, 4.036e-5)):
        signal = BetaSchedule(diffusion_steps=total).levels(1).signal[0]
        assert signal**2 == pytest.approx(alpha_bar, rel=1e-3)


def test_trailing_starts_where_the_diffusion_stops_and_leading_does_not() -> None:
    last = BetaSchedule().levels(1000).noise[0]
    for count in (1, 3, 10, 100):
        assert BetaSchedule(spacing="trailing").levels(count).noise[0] == last
        assert BetaSchedule(spacing="leading").levels(count).noise[0] < last


def test_a_schedule_of_its_own_for_every_number_of_steps() -> None:
    schedule = BetaSchedule(diffusion_steps=None)
    for count in (5, 50, 500):
        whole = BetaSchedule(diffusion_steps=count).levels(count)
        np.testing.assert_array_equal(schedule.levels(count).noise, whole.noise)
    assert schedule.levels(3000).signal[0] == pytest.approx(schedule.noise_range().signal, abs=1e-6)


@pytest.mark.parametrize("name", SCHEDULES)
def test_levels_reach_both_limits(name: str) -> None:
    schedule = as_schedule(name)
    levels, limits = schedule.levels(1000), schedule.noise_range()
    assert schedule.name == name
    assert levels.signal[0] == pytest.approx(limits.signal, rel=1e-12)
    assert levels.noise_std[0] == pytest.approx(limits.noise_std, rel=1e-12)
    assert levels.noise[-2] >= limits.smallest
    assert levels.noise[-2] == pytest.approx(limits.smallest, abs=0.011)


@given(total=st.integers(1, 400), name=st.sampled_from(list(KINDS)), shift=st.floats(-0.4, 0.4))
def test_nearest_step_finds_the_step_of_a_noise(total: int, name: str, shift: float) -> None:
    betas = BetaSchedule(name, total).betas()
    noise = noise_from_alpha_bar(np.cumprod(1 - betas))
    np.testing.assert_array_equal(nearest_step(noise, betas), np.arange(total))
    gaps = np.diff(np.log(noise), append=np.log(noise[-1]) + 1, prepend=np.log(noise[0]) - 1)
    off = noise * np.exp(shift * np.minimum(gaps[1:], gaps[:-1]))
    np.testing.assert_array_equal(nearest_step(off, betas), np.arange(total))


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: sampling_steps(10, 11), "11 sampling steps of 10 diffusion steps"),
        (lambda: sampling_steps(10, 0), "n_steps is 0"),
        (lambda: sampling_steps(10, 5, "even"), "spacing is 'even'"),  # type: ignore[arg-type]
        (lambda: as_schedule("sigmoid"), "schedule is 'sigmoid'"),
        (lambda: BetaSchedule(beta_end=1.0).betas(), "beta_end is 1"),
        (lambda: BetaSchedule(diffusion_steps=0).levels(1), "diffusion_steps is 0"),
        (lambda: BetaSchedule("sine").betas(), "schedule 'sine'"),  # type: ignore[arg-type]
        (lambda: BetaSchedule(diffusion_steps=None).betas(), "no diffusion_steps"),
        (lambda: karras_noises(5, 2.0, 1.0), "smallest < largest"),
        (lambda: karras_noises(5, rho=0.0), "rho is 0"),
        (lambda: NoiseLevels(np.ones(3), np.array([2.0, 1.0, 0.5])), "the last one 0"),
        (lambda: NoiseLevels(np.ones(3), np.array([1.0, 2.0, 0.0])), "strictly falling"),
        (lambda: NoiseLevels(np.ones(2), np.array([2.0, 1.0, 0.0])), "as many of both"),
        (lambda: NoiseLevels(np.array([0.0, 1.0]), np.array([1.0, 0.0])), "signal is 0"),
    ],
)
def test_bad_input_is_one_clear_line(call, match: str) -> None:
    with pytest.raises(ValueError, match=match) as caught:
        call()
    assert "\n" not in str(caught.value)
