"""Models from elsewhere: diffusers' networks and schedulers, denoisers D(x, sigma)."""

from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler, DDPMScheduler, EDMEulerScheduler, UNet2DModel
from torch import Tensor, nn

from ornstein.diffusion.affine_propagation import generated_modes, sampler_response
from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import KarrasSchedule
from ornstein.networks import (
    Adapter,
    DiffusionProcess,
    LearnedDiffusion,
    Scaling,
    TrainingConfig,
    from_pretrained,
    sample_replicates,
    save_pretrained,
    seeded,
    train,
    train_replicates,
)
from ornstein.networks.nets.adapter import Denoiser

IMAGES = np.random.default_rng(0).random((6, 2, 8, 8))
CONFIG = TrainingConfig(epochs=2, learning_rate=1e-3)


def their_unet(seed: int = 0) -> UNet2DModel:
    return seeded(
        UNet2DModel,
        seed,
        sample_size=8,
        in_channels=2,
        out_channels=2,
        block_out_channels=(8, 16),
        layers_per_block=1,
        norm_num_groups=4,
        down_block_types=("DownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "UpBlock2D"),
    )


class Gauss(nn.Module):
    """The exact denoiser of N(mean, std^2): D = mean + (x - mean) / (1 + sigma^2/std^2)."""

    def __init__(self, mean: float, std: float) -> None:
        super().__init__()
        self.mean, self.std = mean, std
        self.asked: list[float] = []

    def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
        assert sigma.shape == (len(x),)
        self.asked.append(float(sigma[0]))
        spread = sigma.double().view(-1, *(1,) * (x.ndim - 1)) / self.std
        return (self.mean + (x.double() - self.mean) / (1 + spread**2)).to(x.dtype)


def test_the_unet_of_diffusers_is_trained_and_sampled_as_it_is() -> None:
    net = their_unet()
    plain = train(net, IMAGES, CONFIG, process=DiffusionProcess(20))
    adapted = train(Adapter(their_unet()), IMAGES, CONFIG, process=DiffusionProcess(20))
    assert plain.model.network is net
    for p, q in zip(plain.model.parameters(), adapted.model.parameters(), strict=True):
        assert torch.equal(p, q)
    images = [each.model.sample(3, sampling_steps=4, generator=0) for each in (plain, adapted)]
    assert torch.equal(*images)
    assert plain.model.loss(IMAGES, generator=0) == adapted.model.loss(IMAGES, generator=0)


def test_networks_that_cannot_be_mapped_are_refused_in_one_line() -> None:
    nets = [their_unet(k) for k in range(2)]
    models = [LearnedDiffusion(net, DiffusionProcess(20), (2, 8, 8)) for net in nets]
    for call in (
        lambda: train_replicates(nets, [IMAGES] * 2, [0, 1], CONFIG),
        lambda: sample_replicates(models, 2, generators=[0, 1]),
    ):
        with pytest.raises(ValueError, match=r"several UNet2DModel cannot.*one by one") as error:
            call()
        assert "\n" not in str(error.value)


class Tupled(nn.Module):
    """Answers as diffusers' networks do without ``return_dict``."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x: Tensor, t: Tensor) -> tuple[Tensor]:
        return (self.layer(x),)


def test_replicates_of_networks_from_elsewhere_are_as_alone() -> None:
    data = [np.random.default_rng(k).normal(k, 1, (20, 4)) for k in range(2)]
    models = train_replicates([seeded(Tupled, k) for k in range(2)], data, [0, 1], CONFIG).models
    for k in range(2):
        config = TrainingConfig(epochs=2, learning_rate=1e-3, seed=k)
        alone = train(seeded(Tupled, k), data[k], config).model
        for p, q in zip(models[k].parameters(), alone.parameters(), strict=True):
            torch.testing.assert_close(p, q, rtol=1e-4, atol=1e-6)
    together = sample_replicates(models, 2, generators=[3, 4], sampling_steps=3)
    for model, seed, found in zip(models, (3, 4), together, strict=True):
        alone = model.sample(2, generator=seed, sampling_steps=3)
        torch.testing.assert_close(found, alone, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("wrapped", [True, False])
@pytest.mark.parametrize("given", [True, False])
def test_theirs_are_saved_and_read_with_or_without_an_adapter(
    wrapped: bool, given: bool, tmp_path: Path
) -> None:
    net = Adapter(their_unet()) if wrapped else their_unet()
    model = LearnedDiffusion(net, DiffusionProcess(5), (2, 8, 8))
    save_pretrained(model, tmp_path)
    other = their_unet(1)
    again = from_pretrained(tmp_path, network=Adapter(other) if given else other)
    assert type(again.network) is type(net)
    images = [each.sample(2, generator=0) for each in (model, again)]
    assert torch.equal(*images)


@pytest.mark.parametrize("kind", ["linear", "scaled_linear", "squaredcos_cap_v2"])
@pytest.mark.parametrize("prediction", ["epsilon", "sample", "v_prediction"])
@pytest.mark.parametrize("scheduler", [DDPMScheduler, DDIMScheduler])
def test_a_process_from_a_scheduler(kind: str, prediction: str, scheduler) -> None:
    theirs = scheduler(300, 1e-3, 0.03, kind, prediction_type=prediction)
    process = DiffusionProcess.from_scheduler(theirs)
    np.testing.assert_allclose(process.signal**2, theirs.alphas_cumprod, rtol=2e-4)
    assert process.prediction == prediction.removesuffix("_prediction")
    again = DiffusionProcess(**process.config)
    assert torch.equal(again.signal, process.signal)
    from_config = DiffusionProcess.from_scheduler(dict(theirs.config))
    assert torch.equal(from_config.signal, process.signal)


@pytest.mark.parametrize("kind", ["scaled_linear", "cosine"])
def test_other_betas_are_sampled_where_they_were_trained(kind) -> None:
    asked: list[int] = []

    class Recording(nn.Module):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            asked.append(int(t[0]))
            return torch.zeros_like(x)

    process = DiffusionProcess(30, beta_schedule=kind)
    LearnedDiffusion(Recording(), process, (2,)).sample(1, generator=0)
    assert asked == list(range(29, -1, -1))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (DDPMScheduler(beta_schedule="sigmoid"), "'sigmoid'"),
        (DDPMScheduler(rescale_betas_zero_snr=True), "rescale_betas_zero_snr"),
        (DDPMScheduler(trained_betas=[0.1, 0.2]), "trained_betas"),
        (EDMEulerScheduler(), "EDMEulerScheduler, expected a scheduler of diffusers"),
        (3, "given int"),
    ],
)
def test_schedulers_that_we_do_not_have(given, message: str) -> None:
    with pytest.raises(ValueError, match=message) as error:
        DiffusionProcess.from_scheduler(given)
    assert "\n" not in str(error.value)


def test_a_denoiser_is_sampled_as_by_the_edm_sampler_of_diffusers() -> None:
    """Euler on Karras' noises: D is made of F as in Karras et al., table 1."""
    theirs = EDMEulerScheduler(sigma_min=0.01, sigma_max=50.0, sigma_data=0.5)
    theirs.set_timesteps(12)

    def raw(x: Tensor, c: Tensor) -> Tensor:
        return torch.tanh(x + c.view(-1, 1))

    class D(nn.Module):
        def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
            s = sigma.view(-1, 1)
            root = torch.sqrt(s**2 + 0.25)
            skip, out, inside = 0.25 / root**2, s * 0.5 / root, 1 / root
            return skip * x + out * raw(inside * x, 0.25 * torch.log(sigma))

    x = 50.0 * torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
    ours = LearnedDiffusion.from_denoiser(D(), (4,)).sample(
        3,
        sampler="euler",
        sampling_steps=12,
        schedule=KarrasSchedule(0.01, 50.0),
        generator=torch.Generator().manual_seed(0),
    )
    for t in theirs.timesteps:
        sigma = theirs.sigmas[theirs.index_for_timestep(t)]
        answer = raw(theirs.precondition_inputs(x, sigma), 0.25 * torch.log(sigma)[None])
        x = theirs.step(answer, t, x).prev_sample
    torch.testing.assert_close(ours, x, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("sampler", ["heun", "ddpm"])
@pytest.mark.parametrize("karras", [True, False])
def test_a_denoiser_generates_the_law_of_the_exact_recursion(sampler: str, karras: bool) -> None:
    mean, std, n = 0.8, 0.3, 4000
    denoiser = Gauss(mean, std)
    model = LearnedDiffusion.from_denoiser(denoiser, (5,), diffusion_steps=200)
    schedule = KarrasSchedule(0.01, 20.0) if karras else None
    x = model.sample(n, sampler=sampler, sampling_steps=8, schedule=schedule, generator=0).numpy()
    levels = (schedule or model.process.schedule).levels(8)
    trajectory = as_sampler(sampler).trajectory(levels)
    first = trajectory.levels.signal[0], trajectory.levels.noise_std[0]
    response = sampler_response(trajectory, [std**2])
    fraction, variance = generated_modes(response, *first, [std**2], "standard")
    assert abs(x.mean() - mean * fraction[0]) < 4 * np.sqrt(variance[0] / x.size)
    assert abs(x.var() - variance[0]) < 4 * variance[0] * np.sqrt(2 / x.size)
    # At the noises of the sampler itself, not at the nearest of 200.
    wanted = {stage.noise for step in trajectory.steps for stage in step}
    np.testing.assert_allclose(sorted(set(denoiser.asked)), sorted(wanted), rtol=1e-6)


def test_a_denoiser_as_a_network_is_asked_in_its_own_scale() -> None:
    process = DiffusionProcess(50, prediction="sample")
    network = Denoiser(Gauss(0.5, 2.0), process)
    k = torch.tensor([0, 20, 49])
    x0, z = torch.randn(2, 3, 7, dtype=torch.float64)
    a, s = process.signal[k, None], process.noise_std[k, None]
    gain = a**2 * 4 / (a**2 * 4 + s**2)
    expected = 0.5 + gain * (process.noised(x0, k, z) / a - 0.5)
    torch.testing.assert_close(network(process.noised(x0, k, z), k), expected)
    with pytest.raises(ValueError, match=r"the process predicts 'epsilon'.*prediction='sample'"):
        Denoiser(Gauss(0.5, 2.0), DiffusionProcess(50))


def test_a_denoiser_has_scales_losses_and_files(tmp_path: Path) -> None:
    """Data in [0, 1], a denoiser of [-1, 1], as is customary."""

    class Shrink(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gain = nn.Parameter(torch.tensor(1.0))

        def forward(self, x: Tensor, sigma: Tensor) -> Tensor:
            return self.gain * x / (1 + sigma.view(-1, 1) ** 2)

    model = LearnedDiffusion.from_denoiser(Shrink(), (3,), Scaling.unit_interval())
    images = model.sample(500, sampler="heun", sampling_steps=20, generator=0)
    assert abs(float(images.mean()) - 0.5) < 0.1
    assert 0 < model.loss(np.full((10, 3), 0.5), generator=0) < 1
    save_pretrained(model, tmp_path)
    for again in (Shrink(), Denoiser(Shrink(), model.process), Adapter(Shrink())):
        again = from_pretrained(tmp_path, network=again)  # noqa: PLW2901
        assert isinstance(again.network, Denoiser)
        found = again.sample(500, sampler="heun", sampling_steps=20, generator=0)
        assert torch.equal(found, images)
