"""The learned diffusion model: networks, training and sampling, in PyTorch.

Names are loaded when first used; Lightning only for training.
"""

from __future__ import annotations

__all__ = [
    "UNet",
    "MLP",
    "Adapter",
    "DiffusionProcess",
    "LearnedDiffusion",
    "Scaling",
    "Moments",
    "TrainingConfig",
    "TrainingResult",
    "train",
    "train_replicates",
    "sample_replicates",
    "replicates_at_once",
    "seeded",
    "sample",
    "save_pretrained",
    "from_pretrained",
]

import importlib
from typing import TYPE_CHECKING, Any

_MISSING = "the learned model needs {}: pip install 'ornstein[networks]'"
try:
    import torch  # noqa: F401
except ModuleNotFoundError:
    raise ImportError(_MISSING.format("torch")) from None

if TYPE_CHECKING:
    from ornstein.networks.learned import LearnedDiffusion, Scaling
    from ornstein.networks.nets.adapter import Adapter
    from ornstein.networks.nets.mlp import MLP
    from ornstein.networks.nets.unet import UNet
    from ornstein.networks.pretrained import from_pretrained, save_pretrained
    from ornstein.networks.process import DiffusionProcess
    from ornstein.networks.randomness import seeded
    from ornstein.networks.replicate_sampling import sample_replicates
    from ornstein.networks.sampling import sample
    from ornstein.networks.stacking import replicates_at_once
    from ornstein.networks.starts import Moments
    from ornstein.networks.training.config import TrainingConfig
    from ornstein.networks.training.replicates import train_replicates
    from ornstein.networks.training.single import TrainingResult, train

_HOMES = {
    "UNet": "nets.unet",
    "MLP": "nets.mlp",
    "Adapter": "nets.adapter",
    "DiffusionProcess": "process",
    "LearnedDiffusion": "learned",
    "Scaling": "learned",
    "Moments": "starts",
    "TrainingConfig": "training.config",
    "TrainingResult": "training.single",
    "train": "training.single",
    "train_replicates": "training.replicates",
    "sample_replicates": "replicate_sampling",
    "replicates_at_once": "stacking",
    "seeded": "randomness",
    "sample": "sampling",
    "save_pretrained": "pretrained",
    "from_pretrained": "pretrained",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        try:
            value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
        except ModuleNotFoundError as error:
            raise ImportError(_MISSING.format(error.name)) from None
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
