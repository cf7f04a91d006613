"""The same on every device: what a GPU computes is near what the CPU computes.

Devices make other random numbers. Training is therefore compared on batches that are drawn on the
CPU and moved (``same_batches``), and sampling takes generators of the CPU anyway. Without a GPU the
tests of "cuda" are skipped: ``pytest tests/networks/test_devices.py -m gpu`` on a machine with one.
"""

import copy
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from ornstein.networks import (
    MLP,
    DiffusionProcess,
    LearnedDiffusion,
    Moments,
    TrainingConfig,
    UNet,
    from_pretrained,
    replicates_at_once,
    sample,
    sample_replicates,
    save_pretrained,
    seeded,
    train,
    train_replicates,
)
from ornstein.networks.training.data import TrainingBatch, TrainingStream

RNG = np.random.default_rng(0)
POINTS = [RNG.normal(k, 1 + k, (21, 3)) for k in range(3)]
IMAGES = [RNG.random((6, 2, 8, 12)) for _ in range(2)]
SEEDS = [3, 1, 4]
EPOCHS = TrainingConfig(epochs=4, batch_size=8, learning_rate=1e-2)
CONFIGS = {
    "plain": EPOCHS,
    "averages, clipping": replace(EPOCHS, ema_decay=0.8, gradient_clip=0.05),
    "unfinished epoch": replace(EPOCHS, training_steps=7),
}
STARTS = ("standard", "marginal", "points")
NEAR = {"rtol": 2e-3, "atol": 2e-4}


def on(config: TrainingConfig, device: str) -> TrainingConfig:
    return replace(config, accelerator={"cpu": "cpu", "cuda": "gpu"}[device])


def points_networks() -> list[MLP]:
    return [seeded(MLP, seed, 3, 8, 2) for seed in SEEDS]


def image_networks() -> list[UNet]:
    return [seeded(UNet, seed, 2, width_multiplier=0.0625) for seed in SEEDS[:2]]


@pytest.fixture
def same_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every device trains on the batches of the CPU."""
    original = TrainingStream.batch

    def batch(self: TrainingStream, position: int) -> TrainingBatch:
        options = (self.diffusion_steps, self.batch_size, self.seed)
        here = original(TrainingStream(self.x0.cpu(), *options), position)
        return TrainingBatch(*(tensor.to(self.x0.device) for tensor in here))

    monkeypatch.setattr(TrainingStream, "batch", batch)


@pytest.fixture(autouse=True)
def _full_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Convolutions on a GPU round to 10 bits unless told not to."""
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)


def assert_answers_near(found: LearnedDiffusion, expected: LearnedDiffusion) -> None:
    """For networks with attention, where the bias of the keys has no effect on the answer."""
    x, t = torch.randn(4, *expected.shape), torch.tensor([0, 10, 100, 199])
    with torch.no_grad():
        answers = [model.network(x, t) for model in (found, expected)]
    torch.testing.assert_close(*answers, **NEAR)


def assert_near(found: LearnedDiffusion, expected: LearnedDiffusion) -> None:
    known = expected.state_dict()
    for name, tensor in found.state_dict().items():
        assert tensor.device.type == "cpu"
        torch.testing.assert_close(tensor, known[name], **NEAR)


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.usefixtures("same_batches")
def test_training(name: str, device: str) -> None:
    config = CONFIGS[name]
    here = train(points_networks()[0], POINTS[0], on(config, "cpu"))
    there = train(points_networks()[0], POINTS[0], on(config, device))
    assert_near(there.model, here.model)
    for row, expected in zip(there.history, here.history, strict=True):
        assert row == pytest.approx(expected, rel=1e-3)


@pytest.mark.usefixtures("same_batches")
def test_training_of_a_unet_on_padded_images(device: str) -> None:
    config = TrainingConfig(epochs=3, learning_rate=1e-3)
    here = train(image_networks()[0], IMAGES[0], on(config, "cpu")).model
    there = train(image_networks()[0], IMAGES[0], on(config, device)).model
    assert_answers_near(there, here)


@pytest.mark.parametrize("precision", ["bf16-mixed", "16-mixed"])
@pytest.mark.usefixtures("same_batches")
def test_training_in_half_precision(precision, device: str) -> None:
    if device == "cpu" and precision == "16-mixed":
        pytest.skip("PyTorch has no mixed float16 on a CPU")
    config = replace(EPOCHS, gradient_clip=0.5, ema_decay=0.5)
    here = train(points_networks()[0], POINTS[0], on(config, "cpu"))
    half = replace(on(config, device), precision=precision)
    there = train(points_networks()[0], POINTS[0], half)
    assert all(p.dtype == torch.float32 for p in there.model.network.parameters())
    for row, expected in zip(there.history, here.history, strict=True):
        assert row == pytest.approx(expected, rel=0.1)


def test_training_with_noise_of_the_device_repeats_itself(device: str) -> None:
    one, two = (train(points_networks()[0], POINTS[0], on(EPOCHS, device)) for _ in range(2))
    assert_near(one.model, two.model)
    assert one.history[-1] == pytest.approx(two.history[-1], rel=1e-3)


@pytest.mark.parametrize("precision", ["32-true", "bf16-mixed"])
@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.usefixtures("same_batches")
def test_training_of_replicates(name: str, precision, device: str) -> None:
    config = replace(CONFIGS[name], precision=precision)
    results = [
        train_replicates(points_networks(), POINTS, SEEDS, config, device=where, validate=True)
        for where in ("cpu", device)
    ]
    rough = precision != "32-true"
    for here, there in zip(*(result.models for result in results), strict=True):
        if not rough:
            assert_near(there, here)
    for here, there in zip(*(result.histories for result in results), strict=True):
        for row, expected in zip(there, here, strict=True):
            assert row == pytest.approx(expected, rel=0.1 if rough else 1e-3)


@pytest.mark.usefixtures("same_batches")
def test_replicates_are_as_one_by_one_on_the_device(device: str) -> None:
    """U-Nets too: attention and convolutions are mapped."""
    config = TrainingConfig(epochs=3, learning_rate=1e-3, ema_decay=0.5)
    together = train_replicates(image_networks(), IMAGES, SEEDS[:2], config, device=device)
    for index, network in enumerate(image_networks()):
        own = on(replace(config, seed=SEEDS[index]), device)
        assert_answers_near(together.models[index], train(network, IMAGES[index], own).model)


def trained(kind: str) -> list[LearnedDiffusion]:
    return copy.deepcopy(_trained(kind))


@cache
def _trained(kind: str) -> list[LearnedDiffusion]:
    config = replace(EPOCHS, accelerator="cpu")
    process = DiffusionProcess(30, prediction="v")
    if kind == "mlp":
        return train_replicates(points_networks(), POINTS, SEEDS, config, process=process).models
    return train_replicates(image_networks(), IMAGES, SEEDS[:2], config, process=process).models


@pytest.mark.parametrize(
    ("kind", "sampler", "start"),
    [
        *((("mlp", sampler, start)) for sampler in ("ddpm", "heun") for start in STARTS),
        ("unet", "ddpm", "marginal"),
    ],
)
def test_sampling(kind: str, sampler: str, start: str, device: str) -> None:
    data = POINTS if kind == "mlp" else IMAGES
    models = trained(kind)
    starts = [data[k][:5] if start == "points" else start for k in range(len(models))]
    options = {"sampler": sampler, "sampling_steps": 8, "batch_size": 3}

    def drawn(model: LearnedDiffusion, k: int) -> Tensor:
        return model.sample(5, start=starts[k], generator=k, **options)

    here = [drawn(model, k) for k, model in enumerate(models)]
    models = [model.to(device) for model in models]
    there = [drawn(model, k) for k, model in enumerate(models)]
    given = starts if start == "points" else start
    together = sample_replicates(
        models, 5, start=given, generators=list(range(len(models))), **options
    )
    for one, two, three in zip(here, there, together, strict=True):
        assert two.device.type == three.device.type == "cpu"
        torch.testing.assert_close(two, one, **NEAR)
        torch.testing.assert_close(three, one, **NEAR)


def test_sampling_with_a_generator_of_the_device(device: str) -> None:
    network = MLP(3, 8).to(device)
    process, moments = DiffusionProcess(20).to(device), Moments.of(torch.from_numpy(POINTS[0]))
    one, two = (
        sample(network, process, 4, (3,), start=moments, generator=generator)
        for generator in (torch.Generator(device).manual_seed(0) for _ in range(2))
    )
    assert torch.equal(one, two)


def test_losses(device: str) -> None:
    model = trained("mlp")[0]
    here = model.loss(POINTS[0], draws=20, generator=0)
    there = model.to(device).loss(POINTS[0], draws=20, generator=0)
    assert there == pytest.approx(here, rel=1e-4)


def test_callbacks_see_the_device_and_files_do_not(device: str, tmp_path: Path) -> None:
    model = trained("mlp")[0].to(device)
    seen: list[Tensor] = []
    images = model.sample(3, sampling_steps=2, generator=0, callback=lambda _, x: seen.append(x))
    assert {x.device.type for x in seen} == {device}
    torch.testing.assert_close(seen[-1].cpu(), images)
    save_pretrained(model, tmp_path)
    again = from_pretrained(tmp_path)
    assert next(again.parameters()).device.type == "cpu"
    torch.testing.assert_close(again.sample(3, sampling_steps=2, generator=0), images, **NEAR)


def test_observations_and_dropout_on_the_device(device: str) -> None:
    """Sampling within training; what a network draws itself follows from the seed."""

    class Dropping(MLP):
        def forward(self, x: Tensor, t: Tensor) -> Tensor:
            return super().forward(torch.dropout(x, 0.3, self.training), t)

    def look(step: int, model: LearnedDiffusion) -> dict[str, float]:
        return {"size": float(model.sample(4, sampling_steps=3, generator=step).abs().mean())}

    config = on(replace(EPOCHS, ema_decay=0.5), device)
    results = []
    for global_seed in (1, 2):
        torch.manual_seed(global_seed)
        net = seeded(Dropping, 0, 3, 8, 1)
        results.append(train(net, POINTS[0], config, snapshots=[2, 5], observe=look))
    assert [row["step"] for row in results[0].history if "size" in row] == [2, 5]
    assert_near(results[0].model, results[1].model)


def test_how_many_replicates_the_device_takes(device: str) -> None:
    assert replicates_at_once(MLP(3, 8), device) == {"cpu": 16, "cuda": 256}[device]
