r"""The U-Net of the learned diffusion model: a network ``f(x, t)`` of the shape of its image.

Four layers, each of half the side of the one before, down and up again, with skips between equals:

    ===========  =====================  ===========================
    side         on the way down        on the way up
    ===========  =====================  ===========================
    1            ``DoubleConv``, 64     ``Up``, 64, then ``OutConv``
    1/2          ``Down``, 128          ``Up``, 64
    1/4          ``Down``, 256 *        ``Up``, 128 *
    1/8          ``Down``, 256 *
    ===========  =====================  ===========================

(* self-attention follows). The encoding of time is added after every ``Down`` and ``Up``. With one
channel these widths make 12.92 million parameters, and 0.184 GFLOP for an image of 8 x 8 (a
multiplication with its addition counted as two, products with padding included).

Images whose sides are no multiples of 8 are padded with zeros on all sides, and the answer is
cropped. Zeros are what the convolutions, too, see beyond the border, and there is no side that is
too small for them (a reflection must be smaller than its image).
"""

from __future__ import annotations

__all__ = ["UNet"]

from typing import TYPE_CHECKING, Any, Literal

from torch import Tensor, nn
from torch.nn import functional

from ornstein.networks.nets.blocks import DoubleConv, Down, OutConv, SelfAttention, TimeEncoding, Up
from ornstein.validation import as_count, as_positive

if TYPE_CHECKING:
    from collections.abc import Sequence

_SIDE = 8


class UNet(nn.Module):
    """U-Net with self-attention, for images of any sides.

    Parameters
    ----------
    channels : int
        Channels of the image.
    widths : sequence of 4 ints
        Channels of the four layers.
    heads : int
        Attention heads.
    width_multiplier : float
        Multiplies `widths`; results are rounded to multiples of `heads` (and even).
    upsampling : {"bilinear", "transposed"}
        How the way up doubles the sides.

    Attributes
    ----------
    config : dict
        The arguments, from which the same network can be built again.

    Raises
    ------
    ValueError
        If an argument is out of range, or an input has other channels.

    Examples
    --------
    >>> import torch
    >>> network = UNet(channels=1, width_multiplier=0.125)
    >>> network(torch.zeros(5, 1, 8, 8), torch.arange(5)).shape
    torch.Size([5, 1, 8, 8])
    """

    def __init__(
        self,
        channels: int = 1,
        widths: Sequence[int] = (64, 128, 256, 256),
        heads: int = 4,
        width_multiplier: float = 1.0,
        upsampling: Literal["bilinear", "transposed"] = "bilinear",
    ) -> None:
        super().__init__()
        as_count(channels, "channels")
        as_count(heads, "heads")
        as_positive(width_multiplier, "width_multiplier")
        if len(widths) != 4:
            raise ValueError(f"widths is {tuple(widths)}, expected four numbers of channels")
        if upsampling not in {"bilinear", "transposed"}:
            raise ValueError(f"upsampling is {upsampling!r}, expected 'bilinear' or 'transposed'")
        self.config: dict[str, Any] = {
            "channels": channels,
            "widths": list(widths),
            "heads": heads,
            "width_multiplier": width_multiplier,
            "upsampling": upsampling,
        }
        unit = heads if heads % 2 == 0 else 2 * heads
        first, second, third, fourth = (
            max(1, round(as_count(width, "a width") * width_multiplier / unit)) * unit
            for width in widths
        )
        self.channels = channels
        self.encoding = TimeEncoding([second, third, fourth, second, first, first])
        self.enter = DoubleConv(channels, first)
        self.down1 = Down(first, second)
        self.down2 = Down(second, third)
        self.down3 = Down(third, fourth)
        self.up3 = Up(fourth, third, second, upsampling)
        self.up2 = Up(second, second, first, upsampling)
        self.up1 = Up(first, first, first, upsampling)
        self.leave = OutConv(first, channels)
        self.attend_down2 = SelfAttention(third, heads)
        self.attend_down3 = SelfAttention(fourth, heads)
        self.attend_up3 = SelfAttention(second, heads)

    def forward(self, x: Tensor, t: Tensor) -> Tensor:
        """Map images of shape (batch, channels, H, W) at times `t`, shape (batch,), to the same."""
        if x.ndim != 4 or x.shape[1] != self.channels:
            raise ValueError(
                f"the U-Net was given shape {tuple(x.shape)}, expected (batch, {self.channels}, H, "
                f"W): build it with UNet(channels=...), and give images with the channels first"
            )
        height, width = x.shape[2:]
        below, right = -height % _SIDE, -width % _SIDE
        if below or right:
            pad = right // 2, right - right // 2, below // 2, below - below // 2
            answer = self(functional.pad(x, pad), t)
            return answer[..., pad[2] : pad[2] + height, pad[0] : pad[0] + width]
        e1, e2, e3, e4, e5, e6 = (e[:, :, None, None] for e in self.encoding(t))
        full = self.enter(x)
        half = self.down1(full) + e1
        quarter = self.attend_down2(self.down2(half) + e2)
        eighth = self.attend_down3(self.down3(quarter) + e3)
        h = self.attend_up3(self.up3(eighth, quarter) + e4)
        h = self.up2(h, half) + e5
        h = self.up1(h, full) + e6
        return self.leave(h)
