r"""Learned models on disk: a folder with ``config.json`` and ``model.safetensors``, no pickle.

``config.json`` says how to build the model again: which network with which arguments, process,
shape and scale. ``model.safetensors`` holds weights and the moments of the training data.
"""

from __future__ import annotations

__all__ = ["save_pretrained", "from_pretrained", "NETWORKS"]

import json
import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ornstein.networks.learned import LearnedDiffusion, Scaling
from ornstein.networks.nets.adapter import Adapter
from ornstein.networks.nets.mlp import MLP
from ornstein.networks.nets.unet import UNet
from ornstein.networks.process import DiffusionProcess
from ornstein.networks.starts import Moments

if TYPE_CHECKING:
    from torch import nn

NETWORKS: dict[str, type[nn.Module]] = {"UNet": UNet, "MLP": MLP}
"""Networks that can be built again from their configuration alone."""

_CONFIG, _WEIGHTS = "config.json", "model.safetensors"


def save_pretrained(model: LearnedDiffusion, folder: str | Path) -> None:
    """Write a model into `folder`, which is made if missing.

    Raises
    ------
    ValueError
        If the folder cannot be written.
    """
    from safetensors.torch import save_file

    network: Any = model.network
    known = type(network).__name__ if type(network) in NETWORKS.values() else None
    config = {
        "format": "ornstein learned diffusion, 1",
        "ornstein": version("ornstein"),
        "network": known,
        "network_config": network.config if known else None,
        "process": model.process.config,
        "shape": list(model.shape),
        "scaling": model.scaling._asdict(),
    }
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        weights = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
        draft = folder / f".{_WEIGHTS}.tmp"
        save_file(weights, draft)
        os.replace(draft, folder / _WEIGHTS)  # noqa: PTH105 - atomic on every platform
        (folder / _CONFIG).write_text(json.dumps(config, indent=2) + "\n")
    except OSError as error:
        raise ValueError(f"cannot write a model to {str(folder)!r}: {error}") from error


def from_pretrained(folder: str | Path, network: nn.Module | None = None) -> LearnedDiffusion:
    """Read a model that :func:`save_pretrained` wrote.

    Parameters
    ----------
    folder : str or Path
    network : nn.Module, optional
        Needed only for networks from elsewhere: one like the one that was saved, as it was (in its
        :class:`~ornstein.networks.nets.adapter.Adapter`, if it was in one). Its weights are
        replaced.

    Raises
    ------
    ValueError
        If there is no model of ours, or `network` is missing or does not fit.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    folder = Path(folder)
    try:
        config = json.loads((folder / _CONFIG).read_text())
        weights = load_file(folder / _WEIGHTS)
        kind, shape = config["network"], config["shape"]
        process, scaling = DiffusionProcess(**config["process"]), Scaling(**config["scaling"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ValueError(
            f"no learned model in {str(folder)!r} ({' '.join(str(error).split())}): expected a "
            f"folder with {_CONFIG} and {_WEIGHTS}, as save_pretrained makes it"
        ) from error
    if network is None:
        if kind not in NETWORKS:
            raise ValueError(
                f"the model in {str(folder)!r} has a network from elsewhere: give one like it, "
                "from_pretrained(folder, network=Adapter(...))"
            )
        network = NETWORKS[kind](**config["network_config"])
    moments = Moments(*(weights.get(name, torch.empty(0)) for name in Moments._fields))
    model = LearnedDiffusion(network, process, shape, scaling, moments)
    try:
        model.load_state_dict(weights)
    except RuntimeError as error:
        name = type(network.module if isinstance(network, Adapter) else network).__name__
        lines = " ".join(str(error).split())
        raise ValueError(
            f"the weights in {str(folder)!r} do not fit {name}: {lines[:200]}"
        ) from error
    return model.eval()
