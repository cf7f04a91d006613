r"""A small residual network for vectors (or images read as vectors).

    h_0 = W_in x,    h_{l+1} = h_l + U_l gelu(V_l LN(h_l + E e(t))),    f = W_out LN(h_L)

with the sinusoidal encoding ``e(t)`` of :mod:`ornstein.networks.nets.blocks`, and ``E`` shared by
the blocks. ``W_out`` starts at 0, so that the untrained network predicts 0.
"""

from __future__ import annotations

__all__ = ["MLP"]

from typing import Any

from torch import Tensor, nn
from torch.nn import functional

from ornstein.networks.nets.blocks import TimeEncoding
from ornstein.validation import as_count


class MLP(nn.Module):
    """Residual network for points of `dim` coordinates.

    Parameters
    ----------
    dim : int
        Coordinates of a point; an input of shape (batch, ...) is flattened, and the output gets
        its shape.
    width : int
        Hidden units, even.
    depth : int
        Residual blocks.

    Attributes
    ----------
    config : dict
        The arguments, from which the same network can be built again.

    Examples
    --------
    >>> import torch
    >>> network = MLP(dim=3, width=16)
    >>> network(torch.zeros(5, 3), torch.arange(5)).shape
    torch.Size([5, 3])
    """

    def __init__(self, dim: int, width: int = 128, depth: int = 3) -> None:
        super().__init__()
        self.dim = as_count(dim, "dim")
        as_count(width, "width", at_least=2)
        as_count(depth, "depth")
        self.config: dict[str, Any] = {"dim": dim, "width": width, "depth": depth}
        self.encoding = TimeEncoding([width])
        self.enter = nn.Linear(dim, width)
        self.time = nn.Linear(width, width)
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(depth))
        self.inner = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.outer = nn.ModuleList(nn.Linear(width, width) for _ in range(depth))
        self.last_norm = nn.LayerNorm(width)
        self.leave = nn.Linear(width, dim)
        nn.init.zeros_(self.leave.weight)
        nn.init.zeros_(self.leave.bias)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Map points of shape (batch, ...) at times `t` of shape (batch,) to the same shape."""
        flat = x.flatten(1)
        if flat.shape[1] != self.dim:
            raise ValueError(
                f"the MLP was given points of {flat.shape[1]} coordinates, expected {self.dim}"
            )
        shift = self.time(self.encoding(t)[0])
        h = self.enter(flat)
        for norm, inner, outer in zip(self.norms, self.inner, self.outer, strict=True):
            h = h + outer(functional.gelu(inner(norm(h + shift))))
        return self.leave(self.last_norm(h)).view_as(x)
