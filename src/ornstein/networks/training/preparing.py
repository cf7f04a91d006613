"""What every training starts from: a model with scale and moments, and images divided in two."""

from __future__ import annotations

__all__ = ["Prepared", "prepare"]

from typing import TYPE_CHECKING, NamedTuple

import torch

from ornstein.networks.images import as_images
from ornstein.networks.learned import LearnedDiffusion, Scaling
from ornstein.networks.nets.adapter import channels_of
from ornstein.networks.nets.mlp import MLP
from ornstein.networks.starts import Moments
from ornstein.networks.training.data import split_indices

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from ornstein.networks.images import Images
    from ornstein.networks.process import DiffusionProcess
    from ornstein.networks.training.config import TrainingConfig


class Prepared(NamedTuple):
    """A model before training, and its data."""

    model: LearnedDiffusion
    """With scale and moments of the images that it is to be trained on."""
    images: NDArray[np.float64]
    """All images, in data units."""
    train_indices: Tensor
    """Which of them are to train on."""
    validation_indices: Tensor
    """Which are left for validation."""


def prepare(
    network: nn.Module,
    data: Images,
    config: TrainingConfig,
    process: DiffusionProcess,
    scaling: Scaling | None = None,
    *,
    progress: bool | None = None,
) -> Prepared:
    """Divide `data` as `config` says, and take scale and moments from the part to train on."""
    layout = "any" if isinstance(network, MLP) else channels_of(network) or "unknown"
    images = as_images(data, layout=layout, progress=progress)
    train_indices, validation_indices = split_indices(
        len(images), config.train_fraction, config.seed
    )
    chosen = images[train_indices.numpy()]
    scaling = Scaling.standard(chosen) if scaling is None else scaling
    scaled = torch.from_numpy((chosen - scaling.shift) / scaling.scale)
    model = LearnedDiffusion(network, process, images.shape[1:], scaling, Moments.of(scaled))
    return Prepared(model, images, train_indices, validation_indices)
