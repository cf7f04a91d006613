"""Stopped anywhere and called again: the weights and the history of an unbroken run, exactly.

That a process may be killed by the system as well is in ``tests/studies/test_neural_workers.py``.
"""

from pathlib import Path

import numpy as np
import pytest
import torch

from ornstein.networks import MLP, DiffusionProcess, TrainingConfig, TrainingResult, seeded, train
from ornstein.networks.training.module import DiffusionModule

DATA = np.random.default_rng(0).normal(0.5, 0.1, (40, 4))
CONFIGS = {
    "averages, clipping": TrainingConfig(
        epochs=3, batch_size=16, ema_decay=0.9, gradient_clip=0.5, checkpoint_seconds=0
    ),
    "unfinished epoch": TrainingConfig(training_steps=7, batch_size=16, checkpoint_seconds=0),
    "one batch an epoch": TrainingConfig(epochs=4, batch_size=64, checkpoint_seconds=0),
    "no validation": TrainingConfig(
        training_steps=6, batch_size=16, train_fraction=1.0, checkpoint_seconds=0
    ),
    "some validations": TrainingConfig(
        epochs=3, batch_size=16, validate_every=2, ema_decay=0.5, checkpoint_seconds=0
    ),
}


class Stopped(Exception):  # noqa: N818 - not an error
    pass


def run(config: TrainingConfig, checkpoint: Path | None = None, stop: int = 0) -> TrainingResult:
    def observe(step: int, model) -> dict[str, float]:
        if step == stop:
            raise Stopped
        return {"observed": step}

    return train(
        seeded(lambda: MLP(4, 8, 1), 1),
        DATA,
        config,
        checkpoint=checkpoint,
        snapshots=range(1, 20),
        observe=observe,
    )


def assert_same(one: TrainingResult, two: TrainingResult) -> None:
    a, b = one.model.state_dict(), two.model.state_dict()
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert one.history == two.history


@pytest.mark.parametrize("name", CONFIGS)
def test_stopped_at_any_step_and_resumed(name: str, tmp_path: Path) -> None:
    config = CONFIGS[name]
    unbroken = run(config)
    for stop in range(1, int(unbroken.history[-1]["step"]) + 1):
        checkpoint = tmp_path / f"{stop}" / "training.ckpt"
        with pytest.raises(Stopped):
            run(config, checkpoint, stop)
        # The first two steps of an epoch of three leave a checkpoint, the first step of all none.
        assert checkpoint.exists() == (stop > 1)
        assert_same(run(config, checkpoint), unbroken)
        # Finished: read, not trained.
        assert_same(run(config, checkpoint, stop=1), unbroken)
        assert [path.name for path in checkpoint.parent.iterdir()] == ["training.ckpt"]


@pytest.mark.parametrize("validation", [1, 2, 3])
def test_stopped_while_it_validates(
    validation: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, checkpoint = CONFIGS["averages, clipping"], tmp_path / "training.ckpt"
    calls = []
    original = DiffusionModule.validation_step

    def fail(self: DiffusionModule, batch, batch_idx: int) -> torch.Tensor:
        calls.append(batch_idx)
        if len(calls) == validation:
            raise Stopped
        return original(self, batch, batch_idx)

    with monkeypatch.context() as patch:
        patch.setattr(DiffusionModule, "validation_step", fail)
        with pytest.raises(Stopped):
            run(config, checkpoint)
    assert_same(run(config, checkpoint), run(config))


def test_stopped_twice(tmp_path: Path) -> None:
    config, checkpoint = CONFIGS["averages, clipping"], tmp_path / "training.ckpt"
    for stop in (3, 8):
        with pytest.raises(Stopped):
            run(config, checkpoint, stop)
    assert_same(run(config, checkpoint), run(config))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"config": TrainingConfig(epochs=3, checkpoint_seconds=0)},
            "epochs is 2 there and 3 here",
        ),
        ({"data": DATA + 1}, "data_sha256"),
        ({"network": seeded(lambda: MLP(4, 8, 1), 2)}, "initial_weights_sha256"),
        ({"process": DiffusionProcess(100)}, "process"),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(
    changed: dict, message: str, tmp_path: Path
) -> None:
    options = {
        "network": seeded(lambda: MLP(4, 8, 1), 1),
        "data": DATA,
        "config": TrainingConfig(epochs=2),
    }
    checkpoint = tmp_path / "training.ckpt"
    train(**options, checkpoint=checkpoint)
    known = checkpoint.read_bytes()
    options["network"] = seeded(lambda: MLP(4, 8, 1), 1)
    with pytest.raises(ValueError, match=message) as error:
        train(**options | changed, checkpoint=checkpoint)
    assert "another training" in str(error.value)
    assert checkpoint.read_bytes() == known


def test_a_checkpoint_with_the_old_names_is_gone_on_from(tmp_path: Path) -> None:
    """Identities said ``max_steps``, ``steps``, ``beta_small``, ... and knew linear betas only."""
    checkpoint, config = tmp_path / "training.ckpt", CONFIGS["unfinished epoch"]
    with pytest.raises(Stopped):
        run(config, checkpoint, 5)
    state = torch.load(checkpoint, weights_only=True)
    identity = state["ornstein"]["identity"]
    identity["max_steps"] = identity.pop("training_steps")
    identity["process"] = {
        "steps": 200,
        "beta_small": 1e-4,
        "beta_large": 0.02,
        "prediction_type": "epsilon",
    }
    torch.save(state, checkpoint)
    assert_same(run(config, checkpoint), run(config))


def test_a_file_that_is_no_checkpoint_is_refused_and_kept(tmp_path: Path) -> None:
    checkpoint = tmp_path / "training.ckpt"
    for content in (b"", b"not a checkpoint"):
        checkpoint.write_bytes(content)
        with pytest.raises(ValueError, match="no checkpoint of this package"):
            run(TrainingConfig(epochs=1), checkpoint)
        assert checkpoint.read_bytes() == content
