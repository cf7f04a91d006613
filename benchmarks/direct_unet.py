"""A cell of the U-Net study as one would write it down: one image after the other.

The loss loops over the images of a batch and multiplies the betas up again for each of them, images
are sampled one at a time, and kernel sums run over all pairs of points, coordinate by coordinate.
Same network, same optimiser, same number of steps; nothing is improved. This is what the cell of
`ornstein unet` is timed against.
"""

from __future__ import annotations

__all__ = ["direct_cell"]

from time import perf_counter
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ornstein.networks import UNet

Array = NDArray[np.float64]


class DirectCell(NamedTuple):
    """Delta, and where the seconds went."""

    delta: float
    train_seconds: float
    sample_seconds: float
    distance_seconds: float


def direct_cell(
    images: Tensor,
    originals: Array,
    epochs: int = 10,
    batch_size: int = 128,
    steps: int = 200,
    generated: int = 10,
) -> DirectCell:
    """Train on 9 of 10 `images` in [0, 1], shape (n, 1, H, W); sample; Delta per coordinate."""
    start = perf_counter()
    network = UNet()
    betas = np.linspace(1e-4, 0.02, steps)
    optimizer = torch.optim.Adam(network.parameters(), lr=2e-4)
    x = 2 * images - 1
    held_out, x = x[: len(x) // 10], x[len(x) // 10 :]
    for _ in range(epochs):
        for batch in x[torch.randperm(len(x))].split(batch_size):
            loss = _loss(network, batch, betas)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        with torch.no_grad():
            _loss(network, held_out, betas)
    trained = perf_counter()
    made = torch.cat([_one_image(network, betas, images.shape[-1]) for _ in range(generated)])
    sampled = perf_counter()
    scale = originals.std(axis=0)
    sets = [(made.numpy() + 1) / 2, (x.numpy() + 1) / 2, originals]
    sets = [points.reshape(len(points), -1) / scale for points in sets]
    delta = float(np.mean([_distance(*(s[:, c] for s in sets)) for c in range(len(scale))]))
    seconds = trained - start, sampled - trained, perf_counter() - sampled
    return DirectCell(delta, *seconds)


def _abar(betas: Array, step: int) -> float:
    product = 1.0
    for beta in betas[: step + 1]:
        product *= 1 - beta
    return product


def _loss(network: UNet, batch: Tensor, betas: Array) -> Tensor:
    total = torch.zeros(())
    for image in batch:
        step = int(torch.randint(len(betas), ()))
        abar = _abar(betas, step)
        noise = torch.randn_like(image)
        noised = np.sqrt(abar) * image + np.sqrt(1 - abar) * noise
        answer = network(noised[None], torch.tensor([step]))
        total = total + (answer[0] - noise).square().mean()
    return total / len(batch)


@torch.no_grad()
def _one_image(network: UNet, betas: Array, side: int) -> Tensor:
    x = torch.randn(1, 1, side, side)
    for step in range(len(betas) - 1, -1, -1):
        abar = _abar(betas, step)
        answer = network(x, torch.tensor([step]))
        x = (x - betas[step] / np.sqrt(1 - abar) * answer) / np.sqrt(1 - betas[step])
        if step:
            x = x + np.sqrt(betas[step]) * torch.randn_like(x)
    return x


def _distance(made: Array, train: Array, originals: Array) -> float:
    """Squared L2 distance of generated to training points, minus that to originals."""
    return _squared_l2(made, train) - _squared_l2(made, originals)


def _squared_l2(a: Array, b: Array) -> float:
    return _pairs(a, a) - 2 * _pairs(a, b) + _pairs(b, b)


def _pairs(a: Array, b: Array, chunk: int = 500) -> float:
    """Overlap of two kernel densities of bandwidth 1/N."""
    variance = len(a) ** -2.0 + len(b) ** -2.0
    total = 0.0
    for start in range(0, len(a), chunk):
        gaps = a[start : start + chunk, None] - b
        total += np.exp(-(gaps**2) / (2 * variance)).sum()
    return float(total / np.sqrt(2 * np.pi * variance) / (len(a) * len(b)))
