"""Sampler steps against diffusers' schedulers, the laws they obey, and the exact recursion.

diffusers computes its tables in float32; where one step is compared, its tables are put in float64
on the same betas, so that what is compared is the formula.
"""

import diffusers
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ornstein.diffusion.affine_propagation import (
    Response,
    generated_modes,
    limit_response,
    optimal_gain,
    sampler_response,
)
from ornstein.diffusion.samplers import (
    DDIM,
    DDPM,
    Euler,
    Heun,
    Stage,
    Trajectory,
    as_sampler,
    denoising_path,
)
from ornstein.diffusion.schedules import BetaSchedule, KarrasSchedule, NoiseLevels, as_schedule

NAMES = ["ddpm", "ddpm:large", "ddim", "ddim:0.3", "ddim:1", "euler", "heun"]
VARIANCES = np.array([9.0, 1.0, 0.3, 0.01, 0.0])


def in_float64(oracle, schedule: BetaSchedule):
    """A diffusers scheduler with our betas, all its tables in float64."""
    oracle.betas = torch.from_numpy(schedule.betas())
    oracle.alphas = 1 - oracle.betas
    oracle.alphas_cumprod = torch.cumprod(oracle.alphas, dim=0)
    oracle.one = torch.tensor(1.0, dtype=torch.float64)
    if hasattr(oracle, "final_alpha_cumprod"):
        oracle.final_alpha_cumprod = oracle.one
    return oracle


def oracle_path(oracle, x: torch.Tensor, denoise, seed: int, **options) -> list[torch.Tensor]:
    """Sample with a diffusers scheduler that is told the clean estimate."""
    noise = torch.Generator().manual_seed(seed)
    path = []
    for t in oracle.timesteps:
        x = oracle.step(denoise(x, t), t, x, generator=noise, **options).prev_sample
        path.append(x)
    return path


def our_path(trajectory, x: torch.Tensor, denoise, seed: int) -> list[torch.Tensor]:
    noise = torch.Generator().manual_seed(seed)

    def normal() -> torch.Tensor:
        return torch.randn(x.shape, generator=noise, dtype=x.dtype)

    return list(denoising_path(trajectory, x, denoise, normal))


@pytest.mark.parametrize("kind", ["linear", "scaled_linear", "cosine"])
@pytest.mark.parametrize("count", [4, 20, 100])
@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("spacing", ["trailing", "leading"])
def test_ddim_is_that_of_diffusers(kind: str, count: int, eta: float, spacing: str) -> None:
    schedule = BetaSchedule(kind, 100, spacing=spacing)  # type: ignore[arg-type]
    oracle = in_float64(
        diffusers.DDIMScheduler(
            100, clip_sample=False, prediction_type="sample", timestep_spacing=spacing
        ),
        schedule,
    )
    oracle.set_timesteps(count)
    x = torch.randn(3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    theirs = oracle_path(oracle, x, lambda x, t: torch.tanh(x) + 2, 1, eta=eta)
    levels = schedule.levels(count)
    signal = dict(zip(levels.noise[:-1].tolist(), levels.signal[:-1].tolist(), strict=True))
    ours = our_path(DDIM(eta).trajectory(levels), x, lambda y, s: torch.tanh(y * signal[s]) + 2, 1)
    for a, b in zip(ours, theirs, strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", ["linear", "scaled_linear", "cosine"])
@pytest.mark.parametrize("count", [4, 20, 100])
@pytest.mark.parametrize("variance", ["small", "large"])
@pytest.mark.parametrize("spacing", ["trailing", "leading", "linspace"])
def test_ddpm_is_that_of_diffusers(kind: str, count: int, variance: str, spacing: str) -> None:
    schedule = BetaSchedule(kind, 100, spacing=spacing)  # type: ignore[arg-type]
    oracle = in_float64(
        diffusers.DDPMScheduler(
            100,
            clip_sample=False,
            prediction_type="sample",
            timestep_spacing=spacing,
            variance_type=f"fixed_{variance}",
        ),
        schedule,
    )
    oracle.set_timesteps(count)
    x = torch.randn(3, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    theirs = oracle_path(oracle, x, lambda x, t: torch.tanh(x) + 2, 1)
    levels = schedule.levels(count)
    signal = dict(zip(levels.noise[:-1].tolist(), levels.signal[:-1].tolist(), strict=True))
    sampler = DDPM(variance)  # type: ignore[arg-type]
    ours = our_path(sampler.trajectory(levels), x, lambda y, s: torch.tanh(y * signal[s]) + 2, 1)
    if variance == "large" and oracle.timesteps[-1] > 0:
        # They noise the answer when a subset does not end at diffusion step 0.
        ours, theirs = ours[:-1], theirs[:-1]
    for a, b in zip(ours, theirs, strict=True):
        # Their small variance is never below 1e-20, a standard deviation of 1e-10.
        torch.testing.assert_close(a, b, rtol=0, atol=1e-6)


@pytest.mark.parametrize("count", [2, 7, 40])
def test_euler_is_that_of_diffusers(count: int) -> None:
    oracle = diffusers.EDMEulerScheduler(sigma_min=0.01, sigma_max=20.0)
    oracle.set_timesteps(count)
    levels = KarrasSchedule(0.01, 20.0).levels(count)
    oracle.sigmas = torch.from_numpy(levels.noise)
    data = oracle.config.sigma_data

    def output(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
        """What their preconditioning turns into the estimate tanh(x) + 2."""
        total = sigma**2 + data**2
        return (torch.tanh(x) + 2 - data**2 / total * x) * total**0.5 / (sigma * data)

    x = theirs = 20 * torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).double()
    for index, t in enumerate(oracle.timesteps):
        oracle.scale_model_input(theirs, t)
        theirs = oracle.step(output(theirs, oracle.sigmas[index]), t, theirs).prev_sample.double()
    ours = our_path(Euler().trajectory(levels), x, lambda y, s: torch.tanh(y) + 2, 0)[-1]
    # They keep the point in float32 between steps.
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-5)


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("count", [2, 7, 40])
def test_heun_is_that_of_diffusers(count: int) -> None:
    oracle = diffusers.HeunDiscreteScheduler(1000, prediction_type="sample")
    oracle.set_timesteps(count)
    levels = KarrasSchedule(0.01, 20.0).levels(count)
    sigmas = torch.from_numpy(levels.noise)
    oracle.sigmas = torch.cat([sigmas[:1], sigmas[1:-1].repeat_interleave(2), sigmas[-1:]])
    x = theirs = 20 * torch.randn(4, 3, generator=torch.Generator().manual_seed(0)).double()
    for t in oracle.timesteps:
        theirs = oracle.step(torch.tanh(theirs) + 2, t, theirs).prev_sample
    trajectory = Heun().trajectory(levels)
    ours = our_path(trajectory, x, lambda y, s: torch.tanh(y) + 2, 0)[-1]
    torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)
    assert trajectory.evaluations == len(oracle.timesteps) == 2 * count - 1


levels_of_any_scaling = st.builds(
    lambda noise, signal, seed: NoiseLevels(
        np.append(np.random.default_rng(seed).uniform(0.1, 3, len(noise)), signal),
        np.append(sorted(noise, reverse=True), 0.0),
    ),
    st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=8, unique=True),
    st.floats(0.1, 3),
    st.integers(0, 1000),
)


@given(levels=levels_of_any_scaling, name=st.sampled_from(NAMES), m=st.integers(-5, 5))
def test_a_known_answer_is_followed_exactly(levels: NoiseLevels, name: str, m: int) -> None:
    """Where the denoiser answers m, the point alpha m goes to alpha' m, without noise."""
    trajectory = as_sampler(name).trajectory(levels)
    signal = trajectory.levels.signal
    start = np.array([signal[0] * m])
    path = denoising_path(trajectory, start, lambda y, s: np.full(1, float(m)), lambda: np.zeros(1))
    for x, expected in zip(path, signal[1:], strict=True):
        scale = abs(m) * signal.max() * (1 + levels.noise[0] / levels.noise[-2])
        assert x[0] == pytest.approx(expected * m, abs=1e-12 * scale)


@given(levels=levels_of_any_scaling)
def test_ddim_interpolates_between_euler_and_ddpm(levels: NoiseLevels) -> None:
    ancestral, full = DDPM().trajectory(levels), DDIM(1.0).trajectory(levels)
    np.testing.assert_allclose(full.steps, ancestral.steps, rtol=1e-10, atol=1e-12)
    # Of the two in EDM scaling, only one has a choice of scaling.
    still = DDIM(0.0).trajectory(levels.edm())
    np.testing.assert_array_equal(still.steps, Euler().trajectory(levels).steps)


@given(levels=levels_of_any_scaling, name=st.sampled_from(NAMES[:5]))
def test_scaling_of_the_points_does_not_matter(levels: NoiseLevels, name: str) -> None:
    """In units of alpha, all except the large variance (of the forward step, in units of x)."""
    if name == "ddpm:large":
        return
    ours = sampler_response(as_sampler(name).trajectory(levels), VARIANCES)
    edm = sampler_response(as_sampler(name).trajectory(levels.edm()), VARIANCES)
    first, last = levels.signal[0], levels.signal[-1]
    np.testing.assert_allclose(ours.transfer * first, last * edm.transfer, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(ours.added, last**2 * edm.added, rtol=1e-9, atol=1e-300)


@settings(deadline=None)
@given(levels=levels_of_any_scaling, name=st.sampled_from(NAMES))
def test_the_recursion_is_the_sampler(levels: NoiseLevels, name: str) -> None:
    """Run on unit vectors without noise, and on noise alone, one draw at a time."""
    trajectory = as_sampler(name).trajectory(levels)
    response = sampler_response(trajectory, VARIANCES)

    def last(start: np.ndarray, draws: np.ndarray) -> np.ndarray:
        source = iter(draws)
        path = denoising_path(
            trajectory, start, lambda y, s: optimal_gain(VARIANCES, s) * y, lambda: next(source)
        )
        return list(path)[-1]

    ones = np.ones_like(VARIANCES)
    silence = np.zeros((len(levels), ones.size))
    np.testing.assert_allclose(last(ones, silence), response.transfer, rtol=1e-9, atol=1e-300)
    added = np.zeros_like(ones)
    for index in range(len(levels)):
        draws = silence.copy()
        draws[index] = 1.0
        added += last(0 * ones, draws) ** 2
    np.testing.assert_allclose(added, response.added, rtol=1e-9, atol=1e-300)


def test_noise_added_between_two_looks() -> None:
    """No sampler here adds noise in a step of two stages; the recursion is ready for one."""
    stages = (Stage(1.0, 2.0, 0.0, 0.6, 0.3, 0.5), Stage(1.0, 1.0, 0.4, 0.5, 0.2, 0.7))
    levels = NoiseLevels(np.ones(3), np.array([2.0, 1.0, 0.0]))
    trajectory = Trajectory(levels, (stages, stages[:1]))
    response = sampler_response(trajectory, VARIANCES)

    def last(start: float, draws: np.ndarray) -> np.ndarray:
        source = iter(draws)
        path = denoising_path(
            trajectory,
            np.full(VARIANCES.size, start),
            lambda y, s: optimal_gain(VARIANCES, s) * y,
            lambda: next(source),
        )
        return list(path)[-1]

    np.testing.assert_allclose(last(1.0, np.zeros(3)), response.transfer)
    added = sum(last(0.0, draws) ** 2 for draws in np.eye(3))
    np.testing.assert_allclose(added, response.added)


@pytest.mark.parametrize("name", ["ddpm", "ddpm:large", "ddim", "ddim:0.3"])
def test_the_recursion_is_diffusers_on_a_linear_denoiser(name: str) -> None:
    """Their loop, run on unit vectors with a fixed noise, gives the transfer as a difference."""
    schedule, count = BetaSchedule("cosine", 100), 20
    sampler = as_sampler(name)
    kind = diffusers.DDIMScheduler if isinstance(sampler, DDIM) else diffusers.DDPMScheduler
    oracle = in_float64(
        kind(100, clip_sample=False, prediction_type="sample", timestep_spacing="trailing"),
        schedule,
    )
    oracle.set_timesteps(count)
    noises = np.sqrt(1 / oracle.alphas_cumprod.numpy() - 1)

    def denoise(x: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        gain = torch.from_numpy(optimal_gain(VARIANCES, noises[t]))
        return gain * x / oracle.alphas_cumprod[t] ** 0.5

    options = {"eta": sampler.eta} if isinstance(sampler, DDIM) else {}
    pair = [
        oracle_path(oracle, torch.full((1, 5), c).double(), denoise, 3, **options)[-1]
        for c in (1.0, 0.0)
    ]
    transfer = sampler_response(sampler.trajectory(schedule.levels(count)), VARIANCES).transfer
    np.testing.assert_allclose((pair[0] - pair[1]).numpy()[0], transfer, rtol=1e-6, atol=1e-9)


@given(levels=levels_of_any_scaling)
def test_the_mean_step_of_ddpm_is_exact(levels: NoiseLevels) -> None:
    """``E[x' | x]`` is that of the data, by the tower rule: the transfer is the SDE's at any S."""
    first = levels.signal[0]
    for variance in ("small", "large"):
        transfer = sampler_response(DDPM(variance).trajectory(levels), VARIANCES).transfer  # type: ignore[arg-type]
        exact = levels.signal[-1] * VARIANCES / (VARIANCES + levels.noise[0] ** 2) / first
        np.testing.assert_allclose(transfer, exact, rtol=1e-9, atol=1e-300)


@pytest.mark.parametrize("name", ["linear", "scaled_linear", "cosine"])
@pytest.mark.parametrize("count", [1, 5, 100])
def test_the_large_variance_is_right_for_unit_data(name: str, count: int) -> None:
    """Ho et al.: optimal for data N(0, I). Only the noise of the last step is missing."""
    levels = as_schedule(name).levels(count)
    response = sampler_response(DDPM("large").trajectory(levels), np.ones(1))
    modes = generated_modes(response, levels.signal[0], levels.noise_std[0], np.ones(1))
    missing = 1 - levels.signal[-2] ** 2
    assert modes.variance[0] == pytest.approx(1 - missing, rel=1e-9)


@given(levels=levels_of_any_scaling)
def test_deterministic_first_order_steps_lose_variance(levels: NoiseLevels) -> None:
    """``(lambda + s s')^2 <= (lambda + s^2)(lambda + s'^2)``: never more than the ODE keeps."""
    edm = levels.edm()
    response = sampler_response(Euler().trajectory(levels), VARIANCES)
    modes = generated_modes(response, 1.0, edm.noise[0], VARIANCES, "marginal")
    assert (modes.variance <= VARIANCES * (1 + 1e-12)).all()


def test_infinitely_many_steps_reach_the_closed_forms() -> None:
    """The difference to the limit falls tenfold when the steps are ten times finer."""
    variances = VARIANCES[:3]
    for name in ["ddpm", "ddim", "ddim:0.3", "ddim:0.7", "euler"]:
        sampler, errors = as_sampler(name), []
        for total in (2000, 20_000):
            schedule = BetaSchedule("linear", total, 0.1 / total, 20 / total)
            trajectory = sampler.trajectory(schedule.levels(total))
            limits = schedule.noise_range()
            if name == "euler":
                limits = limits._replace(signal=1.0, noise_std=limits.noise_std / limits.signal)
            limit = limit_response(limits, variances, sampler.eta)
            errors.append(np.subtract(sampler_response(trajectory, variances), limit))
        assert np.abs(errors[1]).max() < 3e-3
        tenth = np.divide(errors[0], 10)
        np.testing.assert_allclose(errors[1], tenth, atol=0.05 * np.abs(tenth).max())


def test_limits_that_are_known() -> None:
    schedule = BetaSchedule()
    limits = schedule.noise_range()
    total = limits.signal**2 * VARIANCES + limits.noise_std**2
    for eta in (0.0, 0.5, 1.0):
        response = limit_response(limits, VARIANCES, eta)
        # From their own marginal the data come back.
        marginal = generated_modes(response, limits.signal, limits.noise_std, VARIANCES, "marginal")
        np.testing.assert_allclose(marginal.variance, VARIANCES, rtol=1e-12)
        np.testing.assert_array_equal(marginal.mean_fraction, 1)
    # The probability flow is monotone transport; the SDE ends in the posterior given its start.
    flow, posterior = limit_response(limits, VARIANCES, 0.0), limit_response(limits, VARIANCES, 1.0)
    np.testing.assert_allclose(flow.transfer, np.sqrt(VARIANCES / total))
    np.testing.assert_allclose(posterior.transfer, limits.signal * VARIANCES / total)
    np.testing.assert_allclose(posterior.added, VARIANCES * limits.noise_std**2 / total)
    # A schedule that reaches pure noise.
    pure = limit_response(BetaSchedule(diffusion_steps=None).noise_range(), VARIANCES, 1.0)
    np.testing.assert_array_equal(pure.transfer, 0)
    np.testing.assert_allclose(pure.added, VARIANCES)


def test_karras_keeps_the_last_jump_in_the_limit() -> None:
    schedule = KarrasSchedule(smallest=0.3, largest=30.0)
    limit = limit_response(schedule.noise_range(), VARIANCES, 0.0)
    fine = sampler_response(Heun().trajectory(schedule.levels(3000)), VARIANCES)
    np.testing.assert_allclose(fine.transfer, limit.transfer, rtol=1e-5)
    for name in ("ddpm", "ddim:0.5"):
        sampler = as_sampler(name)
        limit = limit_response(schedule.noise_range(), VARIANCES, sampler.eta)
        fine = sampler_response(sampler.trajectory(schedule.levels(20_000)), VARIANCES)
        np.testing.assert_allclose(fine.transfer, limit.transfer, rtol=2e-3)
        np.testing.assert_allclose(fine.added, limit.added, rtol=2e-3)


@pytest.mark.parametrize("name", NAMES)
def test_order_of_convergence(name: str) -> None:
    """First and second order, in the generated variance, for Karras levels."""
    sampler, schedule, lam = as_sampler(name), KarrasSchedule(), np.array([1.0, 0.3])
    limit = limit_response(schedule.noise_range(), lam, sampler.eta)

    def variance(response: Response) -> np.ndarray:
        return generated_modes(response, 1.0, schedule.largest, lam).variance

    counts = np.array([500, 1000, 2000])
    errors = [
        np.abs(
            variance(sampler_response(sampler.trajectory(schedule.levels(c)), lam))
            - variance(limit)
        )
        for c in counts
    ]
    orders = -np.diff(np.log(errors), axis=0) / np.log(2)
    np.testing.assert_allclose(orders, sampler.order, atol=0.06)


@pytest.mark.parametrize("name", NAMES)
def test_one_step_answers_the_denoised_start(name: str) -> None:
    levels = BetaSchedule().levels(1)
    ((stage,),) = as_sampler(name).trajectory(levels).steps
    assert (stage.start, stage.point, stage.denoised, stage.fresh) == (0.0, 0.0, 1.0, 0.0)


def test_names_come_back() -> None:
    for name in NAMES:
        assert as_sampler(name).name == name
        assert as_sampler(as_sampler(name)).name == name
    assert as_sampler("ddim:0").name == "ddim"
    assert as_sampler("ddpm:small").name == "ddpm"


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: as_sampler("dpm"), "sampler is 'dpm', expected one of"),
        (lambda: as_sampler("euler:2"), "sampler is 'euler:2', expected one of"),
        (lambda: as_sampler("ddim:2"), "eta is 2, expected a number from 0 to 1"),
        (lambda: as_sampler("ddim:x"), "sampler is 'ddim:x'"),
        (lambda: as_sampler("ddpm:medium"), "variance is 'medium'"),
        (lambda: sampler_response(DDIM().trajectory(BetaSchedule().levels(2)), [-1.0]), "-1"),
        (lambda: generated_modes(Response(*np.ones((2, 1))), 1, 1, [1.0], "cold"), "'cold'"),  # type: ignore[arg-type]
    ],
)
def test_bad_input_is_one_clear_line(call, match: str) -> None:
    with pytest.raises(ValueError, match=match) as caught:
        call()
    assert "\n" not in str(caught.value)
