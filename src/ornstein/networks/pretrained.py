r"""Learned models on disk: a folder with ``config.json`` and ``model.safetensors``, no pickle.

``config.json`` says how to build the model again: which network with which arguments, process,
shape and scale. ``model.safetensors`` holds weights and the moments of the training data. Version 2
of the format has the present names of what describes a process; version 1 is read too.
"""

from __future__ import annotations

__all__ = ["save_pretrained", "from_pretrained", "NETWORKS"]

import json
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from ornstein.files import atomic_write
from ornstein.networks.learned import LearnedDiffusion, Scaling
from ornstein.networks.nets.adapter import Adapter, Denoiser
from ornstein.networks.nets.mlp import MLP
from ornstein.networks.nets.unet import UNet
from ornstein.networks.process import DiffusionProcess, process_arguments

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

NETWORKS: dict[str, type[nn.Module]] = {"UNet": UNet, "MLP": MLP}
"""Networks that can be built again from their configuration alone."""

_CONFIG, _WEIGHTS = "config.json", "model.safetensors"
_FORMAT, _VERSIONS = "ornstein learned diffusion", (1, 2)
_WRAPPERS: dict[str, type[Any]] = {"Adapter": Adapter, "Denoiser": Denoiser}
_KEYS = ("network", "network_config", "process", "shape", "scaling")


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
        "format": f"{_FORMAT}, {_VERSIONS[-1]}",
        "ornstein": version("ornstein"),
        "network": known,
        "network_config": network.config if known else None,
        "wrapper": next((name for name, kind in _WRAPPERS.items() if type(network) is kind), None),
        "process": model.process.config,
        "shape": list(model.shape),
        "scaling": model.scaling._asdict(),
    }
    folder = Path(folder)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # Clones, since safetensors refuses tensors that share memory, such as tied weights.
        weights = {
            name: tensor.detach().cpu().clone(memory_format=torch.contiguous_format)
            for name, tensor in model.state_dict().items()
        }
        with atomic_write(folder / _WEIGHTS) as draft:
            save_file(weights, draft)
        with atomic_write(folder / _CONFIG) as draft:
            draft.write_text(json.dumps(config, indent=2) + "\n")
    except OSError as error:
        raise ValueError(f"cannot write a model to {str(folder)!r}: {error}") from error


def from_pretrained(folder: str | Path, network: nn.Module | None = None) -> LearnedDiffusion:
    """Read a model that :func:`save_pretrained` wrote.

    Parameters
    ----------
    folder : str or Path
    network : nn.Module, optional
        Needed only for networks from elsewhere: one like the one that was saved. Its weights are
        replaced.

    Raises
    ------
    ValueError
        If there is no model of ours, of a version that is known, whole and unchanged; or `network`
        is missing or does not fit.
    """
    folder = Path(folder)
    where = f"no learned model in {str(folder)!r}"
    try:
        config = _read_config(folder / _CONFIG)
        weights = _read_weights(folder / _WEIGHTS)
    except _Unreadable as error:
        raise ValueError(f"{where}: {error}") from error
    if network is None and config["network"] not in NETWORKS:
        raise ValueError(
            f"the model in {str(folder)!r} has a network from elsewhere: give one like it, "
            "from_pretrained(folder, network=...)"
        )
    try:
        if network is None:
            network = NETWORKS[config["network"]](**config["network_config"])
        process = DiffusionProcess(**process_arguments(config["process"]))
        network = _in_its_wrapper(network, config, weights, process)
        scaling = Scaling(**config["scaling"])
        model = LearnedDiffusion(network, process, config["shape"], scaling)
    except (TypeError, ValueError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"{where}: {_CONFIG} has an invalid value ({reason})") from error
    if "factor" in weights:
        model.factor = model.factor.new_empty(len(weights["factor"]), *model.shape)
    _check_weights(model, weights, folder)
    model.load_state_dict(weights)
    return model.eval()


class _Unreadable(Exception):  # noqa: N818 - becomes a ValueError
    """What is wrong with a file."""


def _read_config(path: Path) -> dict[str, Any]:
    expected = f"expected a folder with {_CONFIG} and {_WEIGHTS}, as save_pretrained makes it"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _Unreadable(f"{_CONFIG} cannot be read ({error.strerror}), {expected}") from error
    except ValueError as error:
        raise _Unreadable(f"{_CONFIG} is no JSON ({error}), {expected}") from error
    kind = config.get("format") if isinstance(config, dict) else None
    if not isinstance(kind, str) or not kind.startswith(f"{_FORMAT}, "):
        whose = config.get("_class_name") if isinstance(config, dict) else None
        remedy = (
            f"it is of diffusers: load it with diffusers' {whose}.from_pretrained, and give it to "
            "LearnedDiffusion"
            if isinstance(whose, str)
            else expected
        )
        raise _Unreadable(f"{_CONFIG} is not of this package ({remedy})")
    known = " and ".join(map(str, _VERSIONS))
    if kind not in {f"{_FORMAT}, {number}" for number in _VERSIONS}:
        number = kind.removeprefix(f"{_FORMAT}, ")
        raise _Unreadable(
            f"{_CONFIG} has version {number} of the format (of ornstein {config.get('ornstein')}), "
            f"expected {known}: update ornstein"
        )
    missing = [key for key in _KEYS if key not in config]
    if missing:
        raise _Unreadable(f"{_CONFIG} lacks {', '.join(missing)}: save the model again")
    return config


def _read_weights(path: Path) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        with path.open("rb") as stream:
            start = stream.read(2)
        if start in {b"PK", b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"}:
            raise _Unreadable(
                f"{_WEIGHTS} is a pickle, as torch.save makes it, which could run any code: "
                "expected safetensors, as save_pretrained makes it"
            )
        return load_file(path)
    except OSError as error:
        raise _Unreadable(
            f"{_WEIGHTS} cannot be read ({error.strerror}): expected it beside {_CONFIG}"
        ) from error
    except SafetensorError as error:
        raise _Unreadable(
            f"{_WEIGHTS} is cut short or no safetensors file ({error}): copy or save it again"
        ) from error


def _in_its_wrapper(
    network: nn.Module,
    config: Mapping[str, Any],
    weights: Mapping[str, Tensor],
    process: DiffusionProcess,
) -> nn.Module:
    """The network wrapped as it was when it was saved, however it is given."""
    own = network.module if isinstance(network, Adapter | Denoiser) else network
    # Version 1 did not say, and knew adapters only.
    inside = any(name.startswith("network.module.") for name in weights)
    its_own = any(name.startswith("module.") for name in own.state_dict())
    wrapper = config.get("wrapper", "Adapter" if inside and not its_own else None)
    if wrapper == "Denoiser":
        return Denoiser(own, process)
    return Adapter(own) if wrapper == "Adapter" else own


def _check_weights(model: LearnedDiffusion, weights: Mapping[str, Tensor], folder: Path) -> None:
    network = model.network
    name = type(network.module if isinstance(network, Adapter | Denoiser) else network).__name__
    expected = model.state_dict()
    faults = [
        *(f"{key} is missing" for key in expected if key not in weights),
        *(f"{key} is not expected" for key in weights if key not in expected),
        *(
            f"{key} has shape {tuple(weights[key].shape)}, expected {tuple(tensor.shape)}"
            for key, tensor in expected.items()
            if key in weights and weights[key].shape != tensor.shape
        ),
    ]
    if faults:
        more = f", and {len(faults) - 1} more" if len(faults) > 1 else ""
        raise ValueError(
            f"the weights in {str(folder)!r} do not fit {name}: {faults[0]}{more}; give the "
            f"{_WEIGHTS} that was saved with this {_CONFIG}, and the network that was saved"
        )
