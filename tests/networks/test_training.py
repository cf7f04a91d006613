"""Training: the steps it takes, how it divides the data, odd data, what it writes and says."""

import copy
import csv as csv_module
import math
import signal
import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from ornstein.networks import (
    MLP,
    DiffusionProcess,
    Scaling,
    TrainingConfig,
    UNet,
    seeded,
    train,
    train_replicates,
)
from ornstein.networks.training.averaging import averaging_weight
from ornstein.networks.training.data import TrainingStream, ValidationBatches, split_indices

DATA = np.random.default_rng(0).normal(0.5, 0.1, (40, 4))


def network(seed: int = 1) -> MLP:
    return seeded(lambda: MLP(4, 8, 1), seed)


def weights(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: p.detach().clone() for name, p in module.named_parameters()}


@pytest.mark.parametrize("clip", [None, 0.05])
@pytest.mark.parametrize("decay", [0.0, 0.6])
def test_steps_are_those_of_a_plain_loop(clip: float | None, decay: float) -> None:
    """Lightning's machinery against ten lines with an optimiser that is not fused."""
    config = TrainingConfig(
        epochs=3, batch_size=16, learning_rate=1e-2, gradient_clip=clip, ema_decay=decay, seed=5
    )
    process = DiffusionProcess(50)
    result = train(network(), DATA, config, process=process)
    plain = network()
    stream = TrainingStream(result.model.to_network(DATA[result.train_indices]), 50, 16, seed=5)
    optimizer = torch.optim.Adam(plain.parameters(), lr=1e-2, foreach=False)
    average: dict[str, torch.Tensor] = {}
    losses = []
    for step in range(9):
        batch = stream.batch(step)
        loss = process.losses(plain, *batch).mean()
        optimizer.zero_grad()
        loss.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(plain.parameters(), clip)
        optimizer.step()
        losses.append(float(loss.detach()) * len(batch.x0))
        now = weights(plain)
        move = averaging_weight(decay, step + 1) if decay else 1.0
        average = {n: w if not average else average[n].lerp(w, move) for n, w in now.items()}
    for name, expected in average.items():
        torch.testing.assert_close(
            result.model.network.get_parameter(name), expected, rtol=1e-4, atol=1e-6
        )
    rows = [row for row in result.history if "train_loss" in row]
    assert [row["step"] for row in rows] == [3, 6, 9]
    expected_losses = [sum(losses[i : i + 3]) / 36 for i in (0, 3, 6)]
    np.testing.assert_allclose([row["train_loss"] for row in rows], expected_losses, rtol=1e-5)


def test_averages_forget_the_start() -> None:
    assert averaging_weight(0.999, 1) == 1.0
    assert averaging_weight(0.999, 91) == pytest.approx(0.09)
    weight_of_first = math.prod(1 - averaging_weight(0.999, u) for u in range(2, 101))
    assert weight_of_first < 1e-6 < 0.999**99
    assert averaging_weight(0.999, 10**6) == pytest.approx(0.001)


def test_the_same_seed_trains_the_same_weights_and_leaves_the_global_one() -> None:
    state = torch.random.get_rng_state()
    one, two, other = (
        weights(train(network(), DATA, TrainingConfig(epochs=2, seed=s)).model) for s in (0, 0, 1)
    )
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not all(torch.equal(one[name], other[name]) for name in one)
    network()
    assert torch.equal(torch.random.get_rng_state(), state)


def test_a_batch_is_a_function_of_its_position() -> None:
    x0 = torch.arange(10.0)[:, None]
    stream = TrainingStream(x0, 50, 4, seed=3)
    assert len(stream) == 3
    epochs = [list(stream), list(stream)]
    for epoch in epochs:
        assert [len(batch.x0) for batch in epoch] == [4, 4, 2]
        assert sorted(torch.cat([b.x0 for b in epoch]).flatten().tolist()) == list(range(10))
    assert not torch.equal(epochs[0][0].x0, epochs[1][0].x0)
    full = [batch for epoch in epochs for batch in epoch if len(batch.x0) == 4]
    for draws in ([b.k for b in full], [b.z for b in full]):
        assert len(torch.stack(draws).unique(dim=0)) == 4
    fresh = TrainingStream(x0, 50, 4, seed=3)
    for position in (5, 0, 4):
        known = epochs[position // 3][position % 3]
        assert all(map(torch.equal, fresh.batch(position), known))
    fresh.load_state_dict({"position": 4})
    assert [len(batch.x0) for batch in fresh] == [4, 2]
    assert fresh.state_dict() == {"position": 6}
    assert len(list(TrainingStream(x0, 50, 4, seed=3, end=2))) == 2


def test_validation_draws_are_fixed_and_cover_all_steps() -> None:
    batches = ValidationBatches(torch.zeros(30, 2), 10, 16, seed=0)
    first, second = list(batches), list(batches)
    assert len(first) == len(batches) == 2
    assert all(all(map(torch.equal, a, b)) for a, b in zip(first, second, strict=True))
    assert torch.cat([b.k for b in first]).bincount().tolist() == [3] * 10


@pytest.mark.parametrize(
    ("n", "fraction", "sizes"),
    [(50, 0.9, (45, 5)), (2, 0.9, (1, 1)), (1, 0.9, (1, 0)), (7, 1.0, (7, 0)), (10, 0.01, (1, 9))],
)
def test_split(n: int, fraction: float, sizes: tuple[int, int]) -> None:
    train_part, validation = split_indices(n, fraction, seed=0)
    assert (len(train_part), len(validation)) == sizes
    assert sorted([*train_part.tolist(), *validation.tolist()]) == list(range(n))


def test_training_steps_stop_in_the_middle_of_an_epoch() -> None:
    result = train(network(), DATA, TrainingConfig(training_steps=7, batch_size=16))
    assert result.history[-1]["step"] == 7


def test_unet_learns_and_validates_on_images() -> None:
    images = np.random.default_rng(0).normal(0.5, 0.1, (12, 1, 8, 8))
    net = seeded(lambda: UNet(width_multiplier=0.0625), 0)
    config = TrainingConfig(epochs=40, learning_rate=3e-3)
    result = train(net, images, config, scaling=Scaling.unit_interval())
    losses = [row["train_loss"] for row in result.history]
    assert len(losses) == 40
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:3])
    assert all("validation_loss" in row for row in result.history)
    assert not result.model.training
    assert result.seconds > 0


@pytest.mark.parametrize("n", [2, 3])
@pytest.mark.parametrize("channels", [1, 2])
def test_constant_images_and_tiny_sets_stay_finite(n: int, channels: int) -> None:
    net = seeded(lambda: UNet(channels, width_multiplier=0.0625), 0)
    result = train(net, np.full((n, channels, 8, 8), 0.25), TrainingConfig(epochs=2))
    assert result.model.scaling == (0.25, 1.0)
    generated = result.model.sample(2, sampling_steps=3, start="marginal")
    assert generated.isfinite().all()
    assert all(math.isfinite(value) for row in result.history for value in row.values())


def test_one_constant_channel_beside_another() -> None:
    images = np.random.default_rng(0).random((6, 2, 8, 8))
    images[:, 1] = 0.5
    net = seeded(lambda: UNet(2, width_multiplier=0.0625), 0)
    result = train(net, images, TrainingConfig(epochs=2))
    assert result.model.sample(2, sampling_steps=3, start="marginal").isfinite().all()


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (np.zeros((4, 3, 8)), "expected \\(n, dim\\)"),
        (np.full((4, 4), np.nan), "NaN"),
        (np.zeros((0, 4)), "at least 1"),
        (np.zeros((5, 2, 8, 8)), "expected \\(batch, 1, H, W\\)"),
    ],
)
def test_data_that_are_no_good(data: np.ndarray, message: str) -> None:
    net = UNet(width_multiplier=0.0625) if data.ndim == 4 else network()
    with pytest.raises(ValueError, match=message) as error:
        train(net, data, TrainingConfig(epochs=1))
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "options",
    [
        {"epochs": 0},
        {"training_steps": 0},
        {"batch_size": 0},
        {"learning_rate": 0.0},
        {"ema_decay": 1.0},
        {"gradient_clip": -1.0},
        {"precision": "8"},
        {"validate_every": 0},
        {"seed": -1},
        {"accelerator": "tpu"},
    ],
)
def test_bad_configurations(options: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        TrainingConfig(**options)
    with pytest.raises(ValueError, match="train_fraction"):
        train(network(), DATA, TrainingConfig(train_fraction=0.0))


def test_bfloat16_trains_and_keeps_float32_weights() -> None:
    config = TrainingConfig(epochs=2, precision="bf16-mixed")
    half = train(network(), DATA, config).model.network
    full = train(network(), DATA, TrainingConfig(epochs=2)).model.network
    differing = [
        float((a - b).detach().abs().max())
        for a, b in zip(half.parameters(), full.parameters(), strict=True)
    ]
    assert all(p.dtype == torch.float32 for p in half.parameters())
    assert 0 < max(differing) < 1e-3


def test_observations_see_averages_in_evaluation_mode_and_disturb_nothing(tmp_path: Path) -> None:
    config = TrainingConfig(epochs=3, batch_size=16, ema_decay=0.9, learning_rate=1e-2)
    seen = []

    def observe(step: int, model) -> dict[str, float]:
        assert not model.training
        seen.append((step, weights(model)))
        return {"size": float(model.sample(3, sampling_steps=2).abs().mean())}

    result = train(
        network(), DATA, config, snapshots=[2, 9], observe=observe, csv=tmp_path / "a" / "h.csv"
    )
    undisturbed = weights(train(network(), DATA, config).model)
    assert [step for step, _ in seen] == [2, 9]
    final = weights(result.model)
    assert all(torch.equal(final[name], undisturbed[name]) for name in final)
    assert all(torch.equal(final[name], seen[1][1][name]) for name in final)
    with (tmp_path / "a" / "h.csv").open() as stream:
        rows = list(csv_module.DictReader(stream))
    assert [row["step"] for row in rows] == ["2", "3", "6", "9"]
    assert float(rows[0]["size"]) == result.history[0]["size"]
    assert rows[1]["size"] == ""
    assert float(rows[3]["train_loss"]) == result.history[3]["train_loss"]


def test_quiet_and_tidy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    train(network(), DATA, TrainingConfig(epochs=2))
    assert not list(tmp_path.iterdir())
    assert capfd.readouterr() == ("", "")
    train(network(), DATA, TrainingConfig(epochs=2), progress=True)
    streams = capfd.readouterr()
    assert not streams.out
    assert "training" in streams.err
    assert "/2 " in streams.err


def test_all_that_is_written_is_where_the_caller_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And nothing in the working directory, with logs and checkpoints too; paths may be text."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    images = np.random.default_rng(0).random((6, 1, 8, 8))
    result = train(
        seeded(UNet, 0, width_multiplier=0.0625),
        images,
        TrainingConfig(epochs=2, checkpoint_seconds=0, precision="bf16-mixed"),
        process=DiffusionProcess(5),
        checkpoint=str(tmp_path / "a" / "training.ckpt"),
        csv=str(tmp_path / "b" / "history.csv"),
        tensorboard=str(tmp_path / "c" / "run"),
    )
    result.model.sample(2)
    train_replicates([network()], [DATA], [0], TrainingConfig(epochs=1))
    assert not list((tmp_path / "here").iterdir())
    assert {path.name for path in tmp_path.iterdir()} == {"here", "a", "b", "c"}
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["training.ckpt"]
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["history.csv"]
    assert [path.name for path in (tmp_path / "c").iterdir()] == ["run"]


@pytest.mark.parametrize(
    ("given", "message"), [(MLP, "the class MLP"), (lambda x, t: x, "expected a torch.nn.Module")]
)
def test_what_is_no_network(given, message: str) -> None:
    with pytest.raises(TypeError, match=message) as error:
        train(given, DATA, TrainingConfig(epochs=1))
    assert "\n" not in str(error.value)


def test_a_gpu_that_is_not_there_is_refused_in_one_line() -> None:
    for name in ("gpu", "cuda"):
        with pytest.raises(ValueError, match=f"accelerator is '{name}', and PyTorch finds no GPU"):
            train(network(), DATA, TrainingConfig(accelerator=name))


def test_tensorboard_holds_losses_observations_and_samples(tmp_path: Path) -> None:
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    images = np.random.default_rng(0).random((6, 1, 8, 8))
    net = seeded(lambda: UNet(width_multiplier=0.0625), 0)
    result = train(
        net,
        images,
        TrainingConfig(epochs=2),
        process=DiffusionProcess(5),
        tensorboard=tmp_path / "lightning_logs" / "run",
        snapshots=[1],
        observe=lambda step, model: {"memorized": 0.5},
    )
    events = EventAccumulator(str(tmp_path / "lightning_logs" / "run"))
    events.Reload()
    tags = events.Tags()
    assert {"train_loss", "validation_loss", "memorized"} <= set(tags["scalars"])
    assert tags["images"] == ["samples"]
    for name in ("train_loss", "validation_loss"):
        logged = [(event.step, event.value) for event in events.Scalars(name)]
        assert logged == [(row["step"], pytest.approx(row[name])) for row in result.history]
    assert len(events.Images("samples")) == 2


def test_interrupt_is_an_interrupt() -> None:
    """Lightning would end the process, and ignore Ctrl-C from then on."""
    before = signal.getsignal(signal.SIGINT)

    def interrupt(step: int, model) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(network(), DATA, TrainingConfig(epochs=2), snapshots=[1], observe=interrupt)
    assert signal.getsignal(signal.SIGINT) is before
    assert train(network(), DATA, TrainingConfig(epochs=1)).history


def test_trains_in_a_thread() -> None:
    results: list = []
    thread = threading.Thread(
        target=lambda: results.append(train(network(), DATA, TrainingConfig(epochs=1)))
    )
    thread.start()
    thread.join()
    here = train(network(), DATA, TrainingConfig(epochs=1))
    there = weights(results[0].model)
    assert all(torch.equal(there[name], p) for name, p in weights(here.model).items())


def test_the_network_is_trained_in_place() -> None:
    net = network()
    before = copy.deepcopy(net)
    result = train(net, DATA, TrainingConfig(epochs=1))
    assert result.model.network is net
    assert not torch.equal(net.leave.weight, before.leave.weight)
