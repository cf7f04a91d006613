"""Training in Lightning's terms: what a step computes, and what it is fed."""
# ruff: noqa: ARG002 - Lightning hands everything to every hook

from __future__ import annotations

__all__ = ["DiffusionModule", "DiffusionData"]

from typing import TYPE_CHECKING, Any

from lightning.pytorch import LightningDataModule, LightningModule

from ornstein.networks.randomness import dropout_randomness
from ornstein.networks.training.data import TrainingStream, ValidationBatches
from ornstein.networks.training.optimiser import adam, clip_gradients

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from ornstein.networks.learned import LearnedDiffusion
    from ornstein.networks.training.config import TrainingConfig
    from ornstein.networks.training.data import TrainingBatch
    from ornstein.networks.training.preparing import Prepared


class DiffusionModule(LightningModule):
    """The training objective of a learned diffusion, and Adam.

    A step is a function of weights, batch and position: what is random comes with the batch, or, in
    networks that draw random numbers themselves, from the seed and the position.

    Parameters
    ----------
    model : LearnedDiffusion
        Its network is trained in place.
    config : TrainingConfig
    """

    def __init__(self, model: LearnedDiffusion, config: TrainingConfig) -> None:
        super().__init__()
        self.model = model
        self.config = config

    def training_step(self, batch: TrainingBatch, batch_idx: int) -> Tensor:
        """Mean loss over images, all of the batch at once."""
        place = self.config.seed, self.trainer.global_step
        with dropout_randomness(self.model.network, *place, self.device):
            return self._loss(batch)

    def validation_step(self, batch: TrainingBatch, batch_idx: int) -> Tensor:
        """Mean loss over images, at diffusion steps and noise that are the same in every epoch."""
        return self._loss(batch)

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Adam."""
        return adam(self.parameters(), self.config)

    def configure_gradient_clipping(
        self,
        optimizer: torch.optim.Optimizer,
        gradient_clip_val: float | None = None,
        gradient_clip_algorithm: str | None = None,
    ) -> None:
        """Clip by the norm of the whole gradient, if asked for."""
        if self.config.gradient_clip is not None:
            clip_gradients(self.parameters(), self.config.gradient_clip)

    def _loss(self, batch: TrainingBatch) -> Tensor:
        return self.model.process.losses(self.model.network, *batch).mean()


class DiffusionData(LightningDataModule):
    """Images in memory, divided into training and validation.

    Parameters
    ----------
    prepared : Prepared
        Model, images, and which of them are for what.
    config : TrainingConfig
    """

    def __init__(self, prepared: Prepared, config: TrainingConfig) -> None:
        super().__init__()
        model, images, self.train_indices, self.validation_indices = prepared
        self.x0 = model.to_network(images)
        self.options: Any = {
            "diffusion_steps": model.process.diffusion_steps,
            "batch_size": config.batch_size,
            "seed": config.seed,
        }
        self.epoch_length = config.epoch_length(len(self.train_indices))
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
