"""Tensors of .pt files as arrays, without running what a file may hold."""

from __future__ import annotations

__all__ = ["read_tensors"]

import pickle
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray


def read_tensors(path: Path) -> dict[str, NDArray[Any]]:
    """All tensors of a file that `torch.save` wrote, by name, or by position in a tuple.

    Raises
    ------
    ValueError
        If it holds anything but tensors and containers of them, or tensors without an array:
        sparse, quantized or complex ones.
    """
    try:
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except (pickle.UnpicklingError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        if "weights_only" in reason.lower() or "unsupported" in reason.lower():
            reason = "it holds more than tensors, which would have to be run: save tensors alone"
        raise ValueError(reason) from None
    found = dict(_tensors(loaded, ""))
    if not found:
        raise ValueError("it holds no tensor")
    return found


def _tensors(value: Any, name: str) -> Iterator[tuple[str, NDArray[Any]]]:
    if isinstance(value, torch.Tensor):
        yield name or "tensor", _array(value, name)
    elif isinstance(value, dict):
        for key, entry in value.items():
            yield from _tensors(entry, f"{name}.{key}" if name else str(key))
    elif isinstance(value, list | tuple):
        for index, entry in enumerate(value):
            yield from _tensors(entry, f"{name}.{index}" if name else str(index))


def _array(tensor: torch.Tensor, name: str) -> NDArray[Any]:
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_complex():
        raise ValueError(f"its tensor {name} is sparse, quantized or complex: save a dense one")
    plain = tensor.detach()
    # numpy has no bfloat16, whose values are all float32.
    return (plain.float() if plain.dtype == torch.bfloat16 else plain).numpy()
