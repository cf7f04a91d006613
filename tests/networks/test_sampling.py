"""Sampling: number for number as diffusers, in law as the exact recursion, and deterministic."""

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler
from torch import Tensor, nn

from ornstein.diffusion.affine_propagation import generated_modes, sampler_response
from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import KarrasSchedule
from ornstein.networks import (
    DiffusionProcess,
    LearnedDiffusion,
    Moments,
    Scaling,
    TrainingConfig,
    sample,
    train,
)
from ornstein.networks.starts import first_points

TYPES = ("epsilon", "sample", "v")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


class Wiggle(nn.Module):
    """An arbitrary function of point and step, in float64; remembers the steps it was asked at."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(0.7, dtype=torch.float64))
        self.asked: list[int] = []

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        self.asked.append(int(t[0]))
        return torch.tanh(self.weight * x) + 0.3 * torch.sin(t).view(-1, *(1,) * (x.ndim - 1))


class Ideal(nn.Module):
    """The best denoiser of N(mean, std^2), answering in the terms of a prediction type."""

    def __init__(self, process: DiffusionProcess, mean: float, std: float) -> None:
        super().__init__()
        self.process, self.mean, self.std = process, mean, std
        self.anchor = nn.Parameter(torch.zeros((), dtype=torch.float64))

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        a = self.process.signal[t].view(-1, *(1,) * (x.ndim - 1))
        s = self.process.noise_std[t].view(-1, *(1,) * (x.ndim - 1))
        gain = a * self.std**2 / (a**2 * self.std**2 + s**2)
        clean = self.mean + gain * (x - a * self.mean)
        noise = (x - a * clean) / s
        return {"epsilon": noise, "sample": clean, "v": a * noise - s * clean}[
            self.process.prediction
        ]


def in_float64(scheduler, steps: int):
    scheduler.betas = torch.linspace(1e-4, 0.02, steps, dtype=torch.float64)
    scheduler.alphas_cumprod = (1 - scheduler.betas).cumprod(0)
    scheduler.one = torch.tensor(1.0, dtype=torch.float64)
    if hasattr(scheduler, "final_alpha_cumprod"):
        scheduler.final_alpha_cumprod = scheduler.one
    return scheduler


@pytest.mark.parametrize("prediction", TYPES)
@pytest.mark.parametrize(
    ("sampler", "options"),
    [
        ("ddpm", {}),
        ("ddpm:large", {}),
        ("ddim", {"eta": 0.0}),
        ("ddim:0.5", {"eta": 0.5}),
        ("ddim:1", {"eta": 1.0}),
    ],
)
@pytest.mark.parametrize("count", [60, 15, 1])
def test_ddpm_and_ddim_are_those_of_diffusers(
    prediction, sampler: str, options: dict, count: int
) -> None:
    common = {
        "num_train_timesteps": 60,
        "clip_sample": False,
        "timestep_spacing": "trailing",
        "prediction_type": {"v": "v_prediction"}.get(prediction, prediction),
    }
    if sampler.startswith("ddpm"):
        variance = "fixed_large" if sampler.endswith("large") else "fixed_small"
        theirs = in_float64(DDPMScheduler(variance_type=variance, **common), 60)
    else:
        theirs = in_float64(DDIMScheduler(**common), 60)
    theirs.set_timesteps(count)
    network, process = Wiggle(), DiffusionProcess(60, prediction=prediction)
    ours = sample(
        network, process, 4, (1, 2, 3), sampler=sampler, sampling_steps=count, generator=generator()
    )
    noise = generator()
    x = torch.randn(4, 1, 2, 3, generator=noise, dtype=torch.float64)
    with torch.no_grad():
        for t in theirs.timesteps:
            answer = network(x, t.repeat(4))
            step = theirs.step(answer, t, x, generator=noise, **options)
            x = step.prev_sample
    # Unless it visits step 0, diffusers noises the answer of fixed_large once more.
    x = step.pred_original_sample
    torch.testing.assert_close(ours, x, rtol=1e-6, atol=1e-6)


def test_training_and_sampling_visit_the_same_steps() -> None:
    process = DiffusionProcess(12)
    network = Wiggle()
    sample(network, process, 2, (3,), generator=generator())
    assert network.asked == list(range(11, -1, -1))
    from ornstein.networks.training.data import TrainingStream

    stream = TrainingStream(torch.zeros(50, 3), process.diffusion_steps, 50, seed=0)
    trained = torch.cat([stream.batch(position).k for position in range(20)])
    assert sorted(set(trained.tolist())) == list(range(12))
    counts = np.bincount(trained)
    expected = len(trained) / 12
    assert (np.abs(counts - expected) < 4.5 * np.sqrt(expected)).all()


@pytest.mark.parametrize("prediction", TYPES)
@pytest.mark.parametrize("sampler", ["ddpm", "ddpm:large", "ddim", "heun"])
@pytest.mark.parametrize("start", ["standard", "marginal"])
def test_the_ideal_denoiser_generates_the_law_of_the_exact_recursion(
    prediction, sampler: str, start
) -> None:
    """Also the effect of the start law: at T = 200 the two differ by many standard errors."""
    mean, std, n = 0.8, 0.3, 4000
    process = DiffusionProcess(200, prediction=prediction)
    moments = Moments(torch.full((5,), mean), torch.full((5,), std))
    x = sample(
        Ideal(process, mean, std),
        process,
        n,
        (5,),
        sampler=sampler,
        sampling_steps=20,
        start=moments if start == "marginal" else None,
        generator=generator(),
    ).numpy()
    trajectory = as_sampler(sampler).trajectory(process.schedule.levels(20))
    first = trajectory.levels.signal[0], trajectory.levels.noise_std[0]
    response = sampler_response(trajectory, [std**2])
    fraction, variance = generated_modes(response, *first, [std**2], start)
    count = x.size
    assert abs(x.mean() - mean * fraction[0]) < 4 * np.sqrt(variance[0] / count)
    assert abs(x.var() - variance[0]) < 4 * variance[0] * np.sqrt(2 / count)


@pytest.mark.parametrize("n", [4000, 3])
def test_the_marginal_start_has_the_moments_of_noised_training_points(n: int) -> None:
    """Also where there are fewer points than coordinates: sigma^2 off their span."""
    rng = np.random.default_rng(0)
    points = torch.from_numpy(rng.standard_normal((n, 4)) @ rng.standard_normal((4, 4)) + 2)
    moments = Moments.of(points)
    trajectory = as_sampler("ddim").trajectory(DiffusionProcess(200).schedule.levels(5))
    draws = generator()

    def normal(*size: int) -> Tensor:
        return torch.randn(size, generator=draws, dtype=torch.float64)

    first = first_points(trajectory, moments, normal(100_000, 4), normal).numpy()
    signal, noise_std = trajectory.levels.signal[0], trajectory.levels.noise_std[0]
    C = signal**2 * np.cov(points.T, bias=True) + noise_std**2 * np.eye(4)
    error = np.sqrt((C**2 + np.outer(np.diag(C), np.diag(C))) / len(first))
    assert (np.abs(np.cov(first.T) - C) < 4 * error).all()
    drift = np.abs(first.mean(axis=0) - signal * points.mean(dim=0).numpy())
    assert (drift < 4 * np.sqrt(np.diag(C) / len(first))).all()


def test_many_points_in_many_dimensions_keep_their_variances_only() -> None:
    points = torch.from_numpy(np.random.default_rng(0).standard_normal((2100, 2100)))
    moments = Moments.of(points)
    assert moments.factor is None
    torch.testing.assert_close(moments.std, points.std(0, correction=0))


def test_a_start_from_points_is_where_the_process_puts_them() -> None:
    trajectory = as_sampler("ddpm").trajectory(DiffusionProcess(200).schedule.levels(200))
    points, z = torch.randn(2, 5, 3, generator=generator())
    first = first_points(trajectory, points, z, torch.randn)
    expected = DiffusionProcess(200).noised(points, torch.full((5,), 199), z)
    torch.testing.assert_close(first, expected)


def test_start_law_matters_at_200_steps_and_hardly_at_1000() -> None:
    """The mean that N(0, I) loses: abar of the last step is 0.13 and 4e-5."""
    errors = {}
    for steps in (200, 1000):
        process = DiffusionProcess(steps)
        network = Ideal(process, 2.0, 0.2)
        x = sample(
            network, process, 500, (4,), sampler="ddim", sampling_steps=50, generator=generator()
        )
        errors[steps] = abs(float(x.mean()) - 2.0)
    assert errors[200] > 0.1
    assert errors[1000] < 0.02


def model(**options) -> LearnedDiffusion:
    shape = (1, 2, 2)
    moments = Moments(torch.full(shape, 0.5), torch.full(shape, 0.2))
    return LearnedDiffusion(
        Wiggle(), DiffusionProcess(10), shape, Scaling(3.0, 2.0), moments, **options
    )


@pytest.mark.parametrize("start", ["standard", "marginal"])
@pytest.mark.parametrize("sampler", ["ddpm", "ddim", "heun"])
def test_the_generator_decides(start, sampler: str) -> None:
    one, two, other = (
        model().sample(7, sampler=sampler, start=start, generator=generator(seed))
        for seed in (1, 1, 2)
    )
    assert torch.equal(one, two)
    assert not torch.equal(one, other)
    assert one.shape == (7, 1, 2, 2)


def test_fresh_entropy_without_a_generator_and_the_global_one_untouched() -> None:
    state = torch.random.get_rng_state()
    assert not torch.equal(model().sample(2), model().sample(2))
    assert torch.equal(torch.random.get_rng_state(), state)


def test_batches_share_one_generator_and_cover_all() -> None:
    whole = model().sample(7, batch_size=3, generator=generator())
    first = model().sample(3, generator=generator())
    assert whole.shape == (7, 1, 2, 2)
    assert torch.equal(whole[:3], first)
    assert len(whole.flatten(1).unique(dim=0)) == 7


def test_callback_sees_every_step_in_data_units(capfd: pytest.CaptureFixture[str]) -> None:
    seen: list[tuple[int, Tensor]] = []
    x = model().sample(5, sampling_steps=4, batch_size=3, callback=lambda i, x: seen.append((i, x)))
    assert [(i, len(x)) for i, x in seen] == [(i, n) for n in (3, 2) for i in (1, 2, 3, 4)]
    torch.testing.assert_close(torch.cat([seen[3][1], seen[7][1]]), x)
    assert capfd.readouterr() == ("", "")
    model().sample(2, progress=True, batch_size=1)
    streams = capfd.readouterr()
    assert not streams.out
    assert "sampling" in streams.err
    assert "/20 " in streams.err
    model().loss(np.zeros((4, 1, 2, 2)), batch_size=2, progress=True)
    assert "/2 " in capfd.readouterr().err


def test_other_noise_levels_ask_the_nearest_step() -> None:
    network, process = Wiggle(), DiffusionProcess(1000)
    schedule = KarrasSchedule(0.01, 100.0)
    sample(network, process, 2, (3,), sampler="euler", sampling_steps=8, schedule=schedule)
    wanted = schedule.levels(8).noise[:-1]
    known = (process.noise_std / process.signal).numpy()
    best = [int(np.abs(np.log(known / s)).argmin()) for s in wanted]
    assert network.asked == best
    assert network.training


def test_bad_requests_are_refused() -> None:
    for options, message in [
        ({"sampling_steps": 11}, "at most 10"),
        ({"sampling_steps": 0}, "at least 1"),
        ({"sampler": "magic"}, "expected one of"),
        ({"start": "somewhere"}, "'standard', 'marginal' or points"),
        ({"start": np.zeros((3, 1, 2, 2))}, "a point for each"),
        ({"start": np.zeros((2, 4))}, "expected \\(n, 1, 2, 2\\)"),
        ({"batch_size": 0}, "batch_size"),
    ]:
        with pytest.raises(ValueError, match=message):
            model().sample(2, **options)
    unknown = LearnedDiffusion(Wiggle(), DiffusionProcess(10), (4,))
    with pytest.raises(ValueError, match="needs the moments"):
        unknown.sample(2, start="marginal")


def test_loss_of_the_ideal_denoiser_is_the_closed_form() -> None:
    """E (z - z_hat)^2 = alpha^2 v / (alpha^2 v + sigma^2), averaged over all steps."""
    process = DiffusionProcess(40)
    learned = LearnedDiffusion(Ideal(process, 0.0, 0.5), process, (3,))
    data = 0.5 * np.random.default_rng(0).standard_normal((400, 3))
    a2, s2 = process.signal**2, process.noise_std**2
    expected = float((a2 * 0.25 / (a2 * 0.25 + s2)).mean())
    losses = [learned.loss(data, draws=10, generator=generator(seed)) for seed in range(8)]
    error = np.std(losses, ddof=1) / np.sqrt(8) + expected * np.sqrt(2 / data.size)
    assert abs(np.mean(losses) - expected) < 4 * error


def test_scale_goes_in_and_out() -> None:
    data = np.random.default_rng(0).normal(100.0, 7.0, (60, 4))
    result = train(Wiggle().float(), data, TrainingConfig(epochs=1), process=DiffusionProcess(5))
    x0 = result.model.to_network(data[result.train_indices])
    assert float(x0.mean()) == pytest.approx(0, abs=1e-5)
    assert float(x0.std(correction=0)) == pytest.approx(1, abs=1e-5)
    torch.testing.assert_close(result.model.mean, x0.double().mean(0), atol=1e-5, rtol=0)
    back = result.model.to_data(result.model.to_network(data))
    np.testing.assert_allclose(back, data, rtol=1e-5)
    assert Scaling.unit_interval() == (0.5, 0.5)
