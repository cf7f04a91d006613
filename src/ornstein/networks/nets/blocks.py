r"""Building blocks of the U-Net.

*Convolutions* are 3 x 3, padded with zeros and without bias, each followed by GroupNorm over all
channels and pixels of an image (one group) and, except for the last of a residual block, a GELU.

*Time* enters through sinusoidal encodings, ``c`` numbers for a layer of ``c`` channels,

    e_i(t) = sin(omega_i t),   e_{c/2 + i}(t) = cos(omega_i t),   omega_i = 10000^{-2i/c},

the same for every pixel, added to the layer (Ho, Jain, Abbeel, "Denoising diffusion probabilistic
models", 2020, after Vaswani et al., 2017).

*Attention* looks at the pixels of a layer as tokens: ``h = x + MHA(LN(x))``, then
``h + MLP(LN(h))`` with one hidden layer of as many channels and a GELU.
"""

from __future__ import annotations

__all__ = [
    "DoubleConv",
    "Down",
    "Up",
    "OutConv",
    "SelfAttention",
    "TimeEncoding",
    "sinusoidal_encoding",
]

import math
from typing import TYPE_CHECKING, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Sequence


class DoubleConv(nn.Module):
    """Twice convolution, GroupNorm(1), GELU; residual: the input is added before the last GELU.

    Parameters
    ----------
    channels_in, channels_out : int
        Equal if `residual`.
    channels_mid : int, optional
        Channels between the two; by default `channels_out`.
    residual : bool
    """

    def __init__(
        self,
        channels_in: int,
        channels_out: int,
        channels_mid: int | None = None,
        *,
        residual: bool = False,
    ) -> None:
        super().__init__()
        middle = channels_mid or channels_out
        self.residual = residual
        self.first = nn.Conv2d(channels_in, middle, 3, padding=1, bias=False)
        self.first_norm = nn.GroupNorm(1, middle)
        self.second = nn.Conv2d(middle, channels_out, 3, padding=1, bias=False)
        self.second_norm = nn.GroupNorm(1, channels_out)

    def forward(self, x: Tensor) -> Tensor:
        """Shape (batch, channels_in, H, W) to (batch, channels_out, H, W)."""
        h = functional.gelu(self.first_norm(self.first(x)))
        h = self.second_norm(self.second(h))
        return functional.gelu(x + h if self.residual else h)


class Down(nn.Module):
    """Halve the sides by the maximum of 2 x 2 pixels, then two DoubleConvs, one residual."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__()
        self.blocks = nn.Sequential(
            nn.MaxPool2d(2),
            DoubleConv(channels_in, channels_in, residual=True),
            DoubleConv(channels_in, channels_out),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Shape (batch, channels_in, H, W) to (batch, channels_out, H / 2, W / 2)."""
        return self.blocks(x)


class Up(nn.Module):
    """Double the sides, put the skipped layer beside, then two DoubleConvs, one residual.

    Parameters
    ----------
    channels_low, channels_skip, channels_out : int
        Of the layer to be enlarged, of the skipped one, of the result.
    upsampling : {"bilinear", "transposed"}
        Interpolate, or learn to: a transposed 2 x 2 convolution with stride 2.
    """

    def __init__(
        self,
        channels_low: int,
        channels_skip: int,
        channels_out: int,
        upsampling: Literal["bilinear", "transposed"] = "bilinear",
    ) -> None:
        super().__init__()
        self.enlarge: nn.Module = (
            nn.Upsample(scale_factor=2, mode="bilinear")
            if upsampling == "bilinear"
            else nn.ConvTranspose2d(channels_low, channels_low, 2, stride=2)
        )
        channels = channels_low + channels_skip
        self.blocks = nn.Sequential(
            DoubleConv(channels, channels, residual=True),
            DoubleConv(channels, channels_out, channels // 2),
        )

    def forward(self, low: Tensor, skip: Tensor) -> Tensor:
        """Shapes (batch, channels_low, H, W) and (batch, channels_skip, 2 H, 2 W)."""
        return self.blocks(torch.cat([skip, self.enlarge(low)], dim=1))


class OutConv(nn.Conv2d):
    """A convolution of 1 x 1 with bias, from features to channels of the image."""

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, 1)


class SelfAttention(nn.Module):
    """Multi-head self-attention among pixels with LayerNorm, and a GELU feed-forward layer.

    Parameters
    ----------
    channels : int
        A multiple of `heads`.
    heads : int
    """

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm = nn.LayerNorm(channels)
        self.project_in = nn.Linear(channels, 3 * channels)
        self.project_out = nn.Linear(channels, channels)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(channels),
            nn.Linear(channels, channels),
            nn.GELU(),
            nn.Linear(channels, channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Shape (batch, channels, H, W), kept."""
        batch, channels, *sides = x.shape
        tokens = x.flatten(2).transpose(1, 2)
        projected = self.project_in(self.norm(tokens))
        split = projected.view(batch, -1, 3, self.heads, channels // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(query, key, value)
        tokens = tokens + self.project_out(attended.transpose(1, 2).reshape(batch, -1, channels))
        tokens = tokens + self.feed_forward(tokens)
        return tokens.transpose(1, 2).reshape(batch, channels, *sides)


def sinusoidal_encoding(t: Tensor, channels: int) -> Tensor:
    """Encodings of times `t` of shape (batch,), as float32 of shape (batch, channels).

    Examples
    --------
    >>> sinusoidal_encoding(torch.tensor([0]), 4)
    tensor([[0., 0., 1., 1.]])
    """
    return TimeEncoding([channels])(t)[0]


class TimeEncoding(nn.Module):
    """Sinusoidal encodings for several layers at once, without parameters.

    Parameters
    ----------
    channels : sequence of int
        Channels of each layer, even.
    """

    frequencies: Tensor

    def __init__(self, channels: Sequence[int]) -> None:
        super().__init__()
        odd = [c for c in channels if c % 2]
        if odd:
            raise ValueError(f"a layer of {odd[0]} channels: sines and cosines need an even number")
        self.halves = [c // 2 for c in channels]
        rates = [
            torch.exp(-math.log(10_000.0) * torch.arange(half, dtype=torch.float64) / half)
            for half in self.halves
        ]
        self.register_buffer("frequencies", torch.cat(rates).float(), persistent=False)

    def forward(self, t: Tensor) -> list[Tensor]:
        """One encoding of shape (batch, channels) per layer, for times of shape (batch,)."""
        angles = t.to(self.frequencies.dtype)[:, None] * self.frequencies
        sines, cosines = angles.sin().split(self.halves, 1), angles.cos().split(self.halves, 1)
        return [torch.cat(pair, dim=1) for pair in zip(sines, cosines, strict=True)]
