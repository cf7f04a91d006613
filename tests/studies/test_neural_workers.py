"""Networks in a worker process: the values of this one; a training killed there goes on here.

One worker for both, since to load PyTorch and Lightning takes longer than all that it does.
"""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

import torch

from ornstein.engine import running
from ornstein.engine.pool import ProcessPool
from ornstein.engine.store import Outcome, Store
from ornstein.engine.study import Cell, planned_cells
from ornstein.networks import MLP, LearnedDiffusion, TrainingConfig, TrainingResult, seeded, train
from ornstein.studies.neural.options import NeuralOptions
from ornstein.studies.neural.unet import UNetStudy

STUDY = NeuralOptions(
    train_sizes=(10, 30),
    model="mlp",
    pixels=2,
    width=16,
    epochs=2,
    diffusion_steps=20,
    originals=50,
    simulations=2,
)
DATA = np.random.default_rng(0).normal(0.5, 0.1, (40, 4))
CONFIG = TrainingConfig(
    epochs=3,
    batch_size=16,
    ema_decay=0.9,
    gradient_clip=0.5,
    checkpoint_seconds=0,
    accelerator="cpu",
)


def trained(checkpoint: Path | None = None, **options: Any) -> TrainingResult:
    return train(seeded(lambda: MLP(4, 8, 1), 1), DATA, CONFIG, checkpoint=checkpoint, **options)


def killed(step: int, _: LearnedDiffusion) -> None:
    if step == 5:
        os.kill(os.getpid(), signal.SIGKILL)


class CellsOrTraining:
    """What the worker does: cells of a study, or a training of which only a checkpoint is left."""

    def __init__(self, cells: Callable[[list[Cell]], list[Outcome]]) -> None:
        self.cells = cells

    def __call__(self, task: list[Cell] | Path) -> Any:
        if isinstance(task, Path):
            return trained(task, snapshots=range(1, 20), observe=killed)
        return self.cells(task)


class OneWorker(ProcessPool):
    """Told to close after the cells of a study, it has the worker train first."""

    checkpoint: Path

    def close(self) -> None:
        self.submit(self.checkpoint)
        assert self.next_finished().lost
        super().close()


def values(study: UNetStudy, folder: Path, jobs: int) -> dict[int, dict[str, list[float]]]:
    with Store(folder, study.identity, study.metrics) as store:
        running.compute(study, store, jobs=jobs)
        assert not store.failed()
        table = store.values(planned_cells(study))
    return {
        size: {name: own for name, own in found.items() if not name.endswith("_seconds")}
        for size, found in table.items()
    }


@pytest.mark.slow
def test_cells_and_a_training_in_a_worker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What several workers do with cells is tested in ``engine``."""
    # As if cells were expensive: one for each task.
    monkeypatch.setattr(UNetStudy, "seconds", lambda *_: 1.0)
    study = UNetStudy(STUDY)
    here = values(study, tmp_path / "here", jobs=1)
    used: list[ProcessPool] = []

    def one_worker(function: Any, *_: Any, **__: Any) -> ProcessPool:
        used.append(OneWorker(CellsOrTraining(function), 1))
        return used[-1]

    monkeypatch.setattr(OneWorker, "checkpoint", tmp_path / "training.ckpt", raising=False)
    monkeypatch.setattr(running, "open_pool", one_worker)
    there = values(study, tmp_path / "there", jobs=2)
    assert len(used) == 1
    assert sorted(here) == [10, 30]
    np.testing.assert_equal(there, here)  # NaN is as NaN

    assert OneWorker.checkpoint.exists()
    resumed, unbroken = trained(OneWorker.checkpoint), trained()
    one, two = resumed.model.state_dict(), unbroken.model.state_dict()
    assert all(torch.equal(one[name], two[name]) for name in two)
    assert resumed.history == unbroken.history
