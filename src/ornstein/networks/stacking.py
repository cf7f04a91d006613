r"""K networks of one kind, called at once.

One small network leaves a machine idle between its small products. K of them, with their
parameters stacked along a first axis (``torch.func.stack_module_state``) and mapped over it
(``torch.vmap``), make products K times as large. Training and sampling of replicates build on it.
"""

from __future__ import annotations

__all__ = ["Stack", "replicates_at_once"]

import copy
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import torch
from torch.func import functional_call, stack_module_state
from torch.nn.attention import SDPBackend, sdpa_kernel

from ornstein.networks.nets.adapter import as_answer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor, nn


class Stack:
    """Parameters and buffers of K networks, stacked along a first axis.

    Parameters
    ----------
    networks : sequence of K nn.Module
        Equal except for their parameters and buffers; all in evaluation mode, or none.

    Attributes
    ----------
    parameters, buffers : dict of str to Tensor of shape (K, ...)
        Copies: the networks themselves change by :meth:`write_back` only.
    """

    def __init__(self, networks: Sequence[nn.Module]) -> None:
        self.networks = list(networks)
        self.parameters, self.buffers = stack_module_state(self.networks)  # type: ignore[arg-type]
        # Only its structure is used.
        self._skeleton = copy.deepcopy(self.networks[0]).to("meta")
        self._mapped = torch.vmap(self.answer)

    def answer(self, parameters: Any, buffers: Any, x: Tensor, k: Tensor) -> Tensor:
        """``f(x, k)`` of one network, with its parameters and buffers; to be mapped."""
        answer = functional_call(self._skeleton, (parameters, buffers), (x, k.expand(len(x))))
        return as_answer(answer, x, type(self._skeleton).__name__)

    def answers(self, x: Tensor, k: Tensor) -> Tensor:
        """``f(x, k)`` of every network, for x of shape (K, n, ...) and a step for each, (K,)."""
        with self.mapping():
            return self._mapped(self.parameters, self.buffers, x, k)

    @contextmanager
    def mapping(self) -> Iterator[None]:
        """Context in which the networks may be mapped over.

        Raises
        ------
        ValueError
            If ``torch.vmap`` cannot do it.
        """
        try:
            # Of the ways to compute attention, the one that can be mapped.
            with sdpa_kernel(SDPBackend.MATH):
                yield
        except RuntimeError as error:
            if "vmap" not in str(error):
                raise
            name, reason = type(self._skeleton).__name__, str(error).splitlines()[0]
            raise ValueError(
                f"several {name} cannot be computed at once ({reason}): train and sample them one "
                "by one"
            ) from error

    def train(self, training: bool = True) -> None:
        """Answer as networks do in training, or in evaluation mode."""
        self._skeleton.train(training)

    @torch.no_grad()
    def write_back(self, parameters: Mapping[str, Tensor]) -> None:
        """Copy stacked `parameters`, and the buffers, to the networks."""
        for index, network in enumerate(self.networks):
            own = {**dict(network.named_parameters()), **dict(network.named_buffers())}
            for name, tensor in {**parameters, **self.buffers}.items():
                own[name].copy_(tensor[index])


def replicates_at_once(network: nn.Module, device: str | torch.device = "cpu") -> int:
    """How many replicates of `network` to train at once, by default.

    On a CPU, what measured fastest (``python -m benchmarks networks``): 16 networks of less than a
    million parameters, which take 1.2 to 10 times less time than one by one; one larger network,
    whose products are large enough by themselves. Elsewhere as many as keep weights, gradients and
    moments within 4 GiB, at most 256.
    """
    size = sum(p.numel() for p in network.parameters())
    if torch.device(device).type == "cpu":
        return 16 if size < 1_000_000 else 1
    return max(1, min(256, 2**32 // (16 * size)))
