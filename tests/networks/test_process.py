"""The diffusion process against diffusers, number for number, and the laws it obeys."""

import numpy as np
import pytest
import torch
from diffusers import DDPMScheduler

from ornstein.networks import DiffusionProcess

TYPES = ("epsilon", "sample", "v")


def oracle(steps: int = 200, **options) -> DDPMScheduler:
    """diffusers' scheduler on the same betas, its tables in float64."""
    scheduler = DDPMScheduler(
        num_train_timesteps=steps, beta_start=1e-4, beta_end=0.02, clip_sample=False, **options
    )
    scheduler.betas = torch.linspace(1e-4, 0.02, steps, dtype=torch.float64)
    scheduler.alphas = 1 - scheduler.betas
    scheduler.alphas_cumprod = scheduler.alphas.cumprod(0)
    return scheduler


def test_schedule_is_that_of_diffusers() -> None:
    process, theirs = DiffusionProcess(200), oracle()
    assert process.signal.dtype == process.noise_std.dtype == torch.float64
    np.testing.assert_allclose(process.betas, theirs.betas.numpy(), rtol=1e-14)
    np.testing.assert_allclose(process.signal**2, theirs.alphas_cumprod, rtol=1e-13)
    np.testing.assert_allclose(process.noise_std**2, 1 - theirs.alphas_cumprod, rtol=1e-11)
    assert float(process.signal[-1] ** 2) == pytest.approx(0.13, abs=0.005)


@pytest.mark.parametrize("steps", [1, 2, 50, 1000])
def test_noising_and_velocity_are_those_of_diffusers(steps: int) -> None:
    process, theirs = DiffusionProcess(steps, prediction="v"), oracle(steps)
    x0, z = torch.randn(2, 6, 3, 4, 4, dtype=torch.float64)
    k = torch.tensor([0, steps - 1, steps // 2, 0, steps // 3, steps - 1])
    torch.testing.assert_close(
        process.noised(x0, k, z), theirs.add_noise(x0, z, k), rtol=1e-12, atol=1e-12
    )
    torch.testing.assert_close(
        process.target(x0, k, z), theirs.get_velocity(x0, z, k), rtol=1e-12, atol=1e-12
    )


@pytest.mark.parametrize("prediction", TYPES)
def test_the_target_leads_back_to_the_clean_image(prediction) -> None:
    process = DiffusionProcess(100, prediction=prediction)
    x0, z = torch.randn(2, 100, 5, dtype=torch.float64)
    k = torch.arange(100)
    back = process.denoised(process.noised(x0, k, z), k, process.target(x0, k, z))
    torch.testing.assert_close(back, x0, rtol=1e-12, atol=1e-12)


def test_variance_is_preserved_for_standard_data() -> None:
    process = DiffusionProcess(77)
    np.testing.assert_allclose(process.signal**2 + process.noise_std**2, 1, rtol=1e-14)
    assert (process.signal.diff() < 0).all()


@pytest.mark.parametrize("prediction", TYPES)
def test_losses_are_mean_squares_per_image(prediction) -> None:
    """One image at a time, with the products written out."""
    process = DiffusionProcess(50, prediction=prediction)
    x0, z = torch.randn(2, 7, 1, 3, 3, dtype=torch.float64)
    k = torch.randint(50, (7,))
    losses = process.losses(lambda x, t: torch.tanh(x) + t[:, None, None, None] / 50, x0, k, z)
    betas = np.linspace(1e-4, 0.02, 50)
    for i in range(7):
        abar = np.prod(1 - betas[: int(k[i]) + 1])
        a, s = np.sqrt(abar), np.sqrt(1 - abar)
        x = a * x0[i] + s * z[i]
        target = {"epsilon": z[i], "sample": x0[i], "v": a * z[i] - s * x0[i]}[prediction]
        expected = ((torch.tanh(x) + int(k[i]) / 50 - target) ** 2).mean()
        torch.testing.assert_close(losses[i], expected)


def test_float32_against_float64() -> None:
    process = DiffusionProcess(200)
    x0, z = torch.randn(2, 200, 8, dtype=torch.float64)
    k = torch.arange(200)
    exact = process.noised(x0, k, z)
    rough = process.noised(x0.float(), k, z.float())
    assert rough.dtype == torch.float32
    torch.testing.assert_close(rough.double(), exact, rtol=0, atol=2e-6)


def test_configuration_builds_the_same_process() -> None:
    process = DiffusionProcess(30, 1e-3, 0.05, "v")
    again = DiffusionProcess(**process.config)
    assert torch.equal(again.signal, process.signal)
    assert again.prediction == "v"


@pytest.mark.parametrize(
    "options",
    [{"diffusion_steps": 0}, {"beta_start": 0.0}, {"beta_end": 1.5}, {"prediction": "score"}],
)
def test_bad_options_are_refused(options: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        DiffusionProcess(**options)
