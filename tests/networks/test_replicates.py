"""Replicates trained at once: each as alone, within float32 rounding."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from ornstein.networks import (
    MLP,
    DiffusionProcess,
    LearnedDiffusion,
    TrainingConfig,
    UNet,
    replicates_at_once,
    sample_replicates,
    seeded,
    train,
    train_replicates,
)

RNG = np.random.default_rng(0)
DATA = [RNG.normal(k, 1 + k, (21, 3)) for k in range(4)]
SEEDS = [3, 1, 4, 15]


def networks() -> list[MLP]:
    return [seeded(lambda: MLP(3, 8, 2), seed) for seed in SEEDS]


@pytest.mark.parametrize(
    "config",
    [
        TrainingConfig(epochs=4, batch_size=8, learning_rate=1e-2),
        TrainingConfig(training_steps=7, batch_size=8, ema_decay=0.8, gradient_clip=0.05),
        TrainingConfig(epochs=5, train_fraction=1.0, ema_decay=0.99),
        TrainingConfig(epochs=3, batch_size=3, train_fraction=0.7, ema_decay=0.5, validate_every=2),
    ],
)
@pytest.mark.parametrize("prediction", ["epsilon", "v"])
def test_as_one_by_one(config: TrainingConfig, prediction) -> None:
    process = DiffusionProcess(40, prediction=prediction)
    together = train_replicates(networks(), DATA, SEEDS, config, process=process, validate=True)
    for index, net in enumerate(networks()):
        alone = train(net, DATA[index], replace(config, seed=SEEDS[index]), process=process)
        model = together.models[index]
        for name, tensor in alone.model.state_dict().items():
            torch.testing.assert_close(model.state_dict()[name], tensor, rtol=1e-4, atol=1e-5)
        assert torch.equal(together.train_indices[index], alone.train_indices)
        assert model.scaling == alone.model.scaling
        assert len(together.histories[index]) == len(alone.history)
        for row, expected in zip(together.histories[index], alone.history, strict=True):
            assert row.keys() == expected.keys()
            assert row == pytest.approx(expected, rel=1e-4)


def test_a_replicate_does_not_depend_on_the_others() -> None:
    config = TrainingConfig(epochs=3, batch_size=8, gradient_clip=0.1)
    four = train_replicates(networks(), DATA, SEEDS, config)
    two = train_replicates(networks()[1:3], [DATA[1], 1e3 * DATA[2]], SEEDS[1:3], config)
    for a, b in zip(four.models[1].parameters(), two.models[0].parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=1e-5, atol=1e-6)


def test_the_unet_too() -> None:
    images = [np.random.default_rng(k).random((5, 1, 8, 8)) for k in range(2)]
    nets = [[seeded(lambda: UNet(width_multiplier=0.0625), k) for k in range(2)] for _ in range(2)]
    config = TrainingConfig(epochs=3)
    together = train_replicates(nets[0], images, [0, 1], config)
    for index, net in enumerate(nets[1]):
        alone = train(net, images[index], replace(config, seed=index)).model
        for a, b in zip(together.models[index].parameters(), alone.parameters(), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-3, atol=2e-5)


@pytest.mark.parametrize("sampler", ["ddpm", "heun"])
@pytest.mark.parametrize("start", ["standard", "marginal", "points"])
def test_sampled_together_as_one_by_one(sampler: str, start: str) -> None:
    config = TrainingConfig(epochs=2, batch_size=8, learning_rate=1e-2)
    models = train_replicates(networks(), DATA, SEEDS, config, process=DiffusionProcess(30)).models
    starts: list = [points[:7] for points in DATA] if start == "points" else [start] * 4
    options = {"sampler": sampler, "sampling_steps": 12, "batch_size": 5}
    together = sample_replicates(
        models,
        7,
        generators=[torch.Generator().manual_seed(k) for k in range(4)],
        start=starts if start == "points" else start,
        **options,
    )
    for k, (model, found) in enumerate(zip(models, together, strict=True)):
        generator = torch.Generator().manual_seed(k)
        alone = model.sample(7, start=starts[k], generator=generator, **options)
        torch.testing.assert_close(found, alone, rtol=1e-4, atol=1e-4)
        assert not model.training


def test_unets_are_sampled_together_too() -> None:
    nets = [seeded(lambda: UNet(width_multiplier=0.0625), k) for k in range(2)]
    models = [LearnedDiffusion(net, DiffusionProcess(20), (1, 8, 8)) for net in nets]
    generators = [[torch.Generator().manual_seed(k) for k in range(2)] for _ in range(2)]
    together = sample_replicates(models, 3, generators=generators[0], sampling_steps=4)
    for model, found, generator in zip(models, together, generators[1], strict=True):
        alone = model.sample(3, sampling_steps=4, generator=generator)
        torch.testing.assert_close(found, alone, rtol=1e-4, atol=1e-4)
    with pytest.raises(ValueError, match="as many of each"):
        sample_replicates(models, 3, generators=generators[0][:1])
    points = np.zeros((1, 1, 8, 8))
    with pytest.raises(ValueError, match="as many of each"):
        sample_replicates(models, 3, generators=generators[0], start=[points])
    with pytest.raises(ValueError, match="a point for each"):
        sample_replicates(models, 3, generators=generators[0], start=[points, points])


def test_observations_at_snapshots_disturb_nothing() -> None:
    config = TrainingConfig(epochs=3, batch_size=8, ema_decay=0.5)
    seen = []

    def observe(step: int, models: list) -> list[dict[str, float]]:
        seen.append(step)
        assert not any(model.training for model in models)
        return [{"loss": model.loss(points)} for model, points in zip(models, DATA, strict=True)]

    result = train_replicates(networks(), DATA, SEEDS, config, snapshots=[1, 9], observe=observe)
    plain = train_replicates(networks(), DATA, SEEDS, config)
    assert seen == [1, 9]
    for history, model, other in zip(result.histories, result.models, plain.models, strict=True):
        assert [row["step"] for row in history] == [1, 3, 6, 9]
        assert history[-1].keys() == {"step", "loss", "epoch", "train_loss"}
        assert all(map(torch.equal, model.parameters(), other.parameters()))
        assert not model.training


class Normed(nn.Module):
    """Has buffers that change in training, a parameter without axes, and a frozen one."""

    def __init__(self) -> None:
        super().__init__()
        self.enter, self.leave = nn.Linear(3, 6, bias=False), nn.Linear(6, 3)
        self.norm = nn.BatchNorm1d(6)
        self.gain = nn.Parameter(torch.tensor(1.0))
        self.leave.bias.requires_grad_(False)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        return self.gain * self.leave(self.norm(self.enter(x)))


def test_networks_of_any_kind_are_trained_as_alone() -> None:
    config = TrainingConfig(epochs=4, batch_size=8, learning_rate=1e-2, gradient_clip=0.3)
    nets = [[seeded(Normed, seed) for seed in SEEDS] for _ in range(2)]
    together = train_replicates(nets[0], DATA, SEEDS, config, validate=True)
    for index, net in enumerate(nets[1]):
        frozen = net.leave.bias.clone()
        alone = train(net, DATA[index], replace(config, seed=SEEDS[index]))
        state = together.models[index].state_dict()
        for name, tensor in alone.model.state_dict().items():
            torch.testing.assert_close(state[name], tensor, rtol=1e-4, atol=1e-5)
        assert torch.equal(state["network.leave.bias"], frozen)
        for row, expected in zip(together.histories[index], alone.history, strict=True):
            assert row == pytest.approx(expected, rel=1e-4)


def test_progress_is_shown_of_training_and_sampling(capfd: pytest.CaptureFixture[str]) -> None:
    config = TrainingConfig(epochs=1)
    models = train_replicates(networks(), DATA, SEEDS, config, progress=True).models
    assert "training" in capfd.readouterr().err
    sample_replicates(models, 2, generators=SEEDS, sampling_steps=5, batch_size=1, progress=True)
    streams = capfd.readouterr()
    assert "sampling" in streams.err
    assert "/10 " in streams.err  # two batches of five steps
    assert not streams.out
    train_replicates(networks(), DATA, SEEDS, config)
    sample_replicates(models, 2, generators=SEEDS)
    assert capfd.readouterr() == ("", "")


def test_bfloat16() -> None:
    config = TrainingConfig(epochs=2, precision="bf16-mixed")
    result = train_replicates(networks(), DATA, SEEDS, config)
    assert all(np.isfinite(row["train_loss"]) for h in result.histories for row in h)


def test_what_does_not_fit_is_refused() -> None:
    config = TrainingConfig(epochs=1)
    with pytest.raises(ValueError, match="as many of each"):
        train_replicates(networks(), DATA[:3], SEEDS, config)
    with pytest.raises(ValueError, match="as many of each"):
        train_replicates([], [], [], config)
    with pytest.raises(ValueError, match="need one shape"):
        train_replicates(networks(), [*DATA[:3], DATA[3][:5]], SEEDS, config)
    with pytest.raises(ValueError, match="16-mixed"):
        train_replicates(networks(), DATA, SEEDS, replace(config, precision="16-mixed"))
    with pytest.raises(ValueError, match=r"observe returned 1 value\(s\) for 4 model\(s\)"):
        train_replicates(
            networks(), DATA, SEEDS, config, snapshots=[1], observe=lambda *_: [{"a": 1.0}]
        )
    one = LearnedDiffusion(MLP(3, 8), DiffusionProcess(20), (3,))
    for other, message in (
        (LearnedDiffusion(MLP(3, 8), DiffusionProcess(30), (3,)), "processes"),
        (LearnedDiffusion(MLP(4, 8), DiffusionProcess(20), (4,)), "shapes"),
        (LearnedDiffusion(Normed(), DiffusionProcess(20), (3,)), "networks"),
    ):
        with pytest.raises(ValueError, match=f"models have the {message}"):
            sample_replicates([one, other], 2, generators=0)


def test_how_many_at_once() -> None:
    with torch.device("meta"):
        small, large = MLP(64, 256), UNet()
    assert replicates_at_once(small) == 16
    assert replicates_at_once(large) == 1
    assert replicates_at_once(small, "cuda") == 256
    assert replicates_at_once(large, "cuda") == 20
