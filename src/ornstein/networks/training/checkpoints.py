"""Checkpoints from which training goes on exactly, and which know what they are checkpoints of.

A checkpoint is Lightning's (weights, averages, Adam's moments, counters) and names its training:
configuration, network, digests of data and of initial weights. It is read with
``weights_only=True``: no code comes with it.
"""
# ruff: noqa: ARG002 - Lightning hands everything to every hook

from __future__ import annotations

__all__ = ["Checkpoints", "training_identity", "read_checkpoint"]

import hashlib
import time
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch.callbacks import Callback

from ornstein.files import atomic_write
from ornstein.networks.process import process_arguments
from ornstein.networks.renaming import CONFIG_NAMES, renamed_keys

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    from lightning.pytorch import LightningModule, Trainer
    from numpy.typing import NDArray

    from ornstein.networks.learned import LearnedDiffusion
    from ornstein.networks.training.config import TrainingConfig


class Checkpoints(Callback):
    """One file from which training goes on exactly, replaced every now and then and at the end.

    Parameters
    ----------
    path : Path
    identity : mapping
        What must agree for the file to be used again; plain values.
    seconds : float
        Least time between two.
    """

    def __init__(self, path: Path, identity: Mapping[str, Any], seconds: float) -> None:
        self.path = path
        self.identity = dict(identity)
        self.seconds = seconds
        self._saved = time.monotonic()
        self._finished = False

    def on_train_batch_end(
        self, trainer: Trainer, pl_module: LightningModule, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        """Save if it is time, but at the end of an epoch not before its validation."""
        if not trainer.is_last_batch and self._is_due:
            self._save(trainer)

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Save if it is time, or the last epoch."""
        self._finished = trainer.current_epoch + 1 == trainer.max_epochs
        if self._finished or self._is_due:
            self._save(trainer)

    def on_save_checkpoint(
        self, trainer: Trainer, pl_module: LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Say what this is a checkpoint of."""
        checkpoint["ornstein"] = {"identity": self.identity, "finished": self._finished}

    @property
    def _is_due(self) -> bool:
        return time.monotonic() - self._saved >= self.seconds

    def _save(self, trainer: Trainer) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(self.path) as draft:
            trainer.save_checkpoint(draft)
        self._saved = time.monotonic()


def training_identity(
    model: LearnedDiffusion, images: NDArray[np.float64], config: TrainingConfig
) -> dict[str, Any]:
    """What decides the weights at the end: plain values that distinguish trainings."""
    options = asdict(config)
    for name in ("accelerator", "checkpoint_seconds"):
        del options[name]
    weights = hashlib.sha256()
    for tensor in model.network.state_dict().values():
        weights.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return {
        "network": type(model.network).__name__,
        "initial_weights_sha256": weights.hexdigest(),
        "process": model.process.config,
        "scaling": list(model.scaling),
        "data_sha256": hashlib.sha256(images.tobytes()).hexdigest(),
        **options,
    }


def read_checkpoint(path: Path, identity: Mapping[str, Any]) -> dict[str, Any]:
    """Read a checkpoint of ours, of the same training."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
        known = renamed_keys(state["ornstein"]["identity"], CONFIG_NAMES)
        known["process"] = process_arguments(known["process"])
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(
            f"{path.name} is no checkpoint of this package ({reason}): move it away"
        ) from error
    differing = [key for key in identity if known.get(key) != identity[key]]
    if differing:
        difference = "; ".join(
            f"{key} is {known.get(key)!r} there and {identity[key]!r} here" for key in differing
        )
        raise ValueError(
            f"{path.name} is a checkpoint of another training ({difference}): use another file, "
            "or the configuration it has"
        )
    return state
