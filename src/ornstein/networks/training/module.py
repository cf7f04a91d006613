"""Training in Lightning's terms: what a step computes, and what it is fed."""
# ruff: noqa: ARG002 - Lightning hands everything to every hook

from __future__ import annotations

__all__ = ["DiffusionModule", "DiffusionData"]

import math
from typing import TYPE_CHECKING, Any

import torch
from lightning.pytorch import LightningDataModule, LightningModule

from ornstein.networks.training.data import TrainingStream, ValidationBatches, split_indices

if TYPE_CHECKING:
    from torch import Tensor

    from ornstein.networks.learned import LearnedDiffusion
    from ornstein.networks.training.config import TrainingConfig
    from ornstein.networks.training.data import TrainingBatch


class DiffusionModule(LightningModule):
    """The training objective of a learned diffusion, and Adam.

    A step is a function of weights and batch: all that is random comes with the batch.

    Parameters
    ----------
    model : LearnedDiffusion
        Its network is trained in place.
    learning_rate : float
    fused : bool
        Adam in one kernel: faster, but without gradient scaling in float16.
    """

    def __init__(self, model: LearnedDiffusion, learning_rate: float, *, fused: bool) -> None:
        super().__init__()
        self.model = model
        self.learning_rate = learning_rate
        self.fused = fused

    def training_step(self, batch: TrainingBatch, batch_idx: int) -> Tensor:
        """Mean loss over images, all of the batch at once."""
        loss = self._loss(batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(batch.x0))
        return loss

    def validation_step(self, batch: TrainingBatch, batch_idx: int) -> Tensor:
        """Mean loss over images, at steps and noise that stay the same from epoch to epoch."""
        loss = self._loss(batch)
        self.log("validation_loss", loss, batch_size=len(batch.x0))
        return loss

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam with its usual moments."""
        return torch.optim.Adam(self.parameters(), lr=self.learning_rate, fused=self.fused)

    def _loss(self, batch: TrainingBatch) -> Tensor:
        return self.model.process.losses(self.model.network, *batch).mean()


class DiffusionData(LightningDataModule):
    """Images in memory, divided into training and validation.

    Parameters
    ----------
    x0 : Tensor of shape (n, ...)
        In the scale of the network.
    steps : int
        Diffusion steps T.
    config : TrainingConfig
    """

    def __init__(self, x0: Tensor, steps: int, config: TrainingConfig) -> None:
        super().__init__()
        self.x0 = x0
        self.options: Any = {"steps": steps, "batch_size": config.batch_size, "seed": config.seed}
        self.train_indices, self.validation_indices = split_indices(
            len(x0), config.train_fraction, config.seed
        )
        self.epoch_length = math.ceil(len(self.train_indices) / config.batch_size)
        self.total_steps = config.total_steps(len(self.train_indices))
        self.position = 0
        self.stream: TrainingStream | None = None

    def setup(self, stage: str) -> None:
        """Move all images to the device that trains, once."""
        if self.trainer is not None:
            self.x0 = self.x0.to(self.trainer.strategy.root_device)

    def train_dataloader(self) -> TrainingStream:
        """The stream of training batches."""
        images = self.x0[self.train_indices]
        self.stream = TrainingStream(images, **self.options, end=self.total_steps)
        self.stream.position = self.position
        return self.stream

    def val_dataloader(self) -> ValidationBatches | list[Any]:
        """The validation images; nothing if all are for training."""
        if not len(self.validation_indices):
            return []
        return ValidationBatches(self.x0[self.validation_indices], **self.options)

    def state_dict(self) -> dict[str, Any]:
        """Where the stream is: Lightning asks loaders themselves only in the middle of an epoch."""
        return {"position": self.position if self.stream is None else self.stream.position}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on from there."""
        self.position = state_dict["position"]
