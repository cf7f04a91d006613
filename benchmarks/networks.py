"""The learned model: a cell at published defaults, the least it can take, replicates at once."""

from __future__ import annotations

__all__ = ["run"]

from functools import partial
from time import perf_counter
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks.direct_unet import direct_cell
from benchmarks.timing import best_of, once
from ornstein.memorization.sample_delta import coordinate_delta
from ornstein.networks import (
    MLP,
    Adapter,
    DiffusionProcess,
    LearnedDiffusion,
    Scaling,
    TrainingConfig,
    UNet,
    sample_replicates,
    seeded,
    train,
    train_replicates,
)

GFLOP = 0.184  # of one image of 8 x 8, one forward pass, by torch.utils.flop_counter
ORIGINALS = 10_000


def run() -> None:
    """Print all tables of this file."""
    rate = _matrix_rate()
    _cells(rate)
    _against_diffusers()
    _overhead()
    _replicates()


def _matrix_rate() -> float:
    a, b = torch.randn(2, 2048, 2048)
    rate = 2 * 2048**3 / best_of(lambda: a @ b, 5) / 1e9
    print(
        f"{torch.get_num_threads()} threads, PyTorch {torch.__version__}; float32 products of "
        f"2048 x 2048 matrices run at {rate:.0f} GFLOP/s.\n"
    )
    return rate


def _cells(rate: float) -> None:
    print(
        "## One cell at the published defaults: 8 x 8, T = 200, 10 epochs, batch 128, "
        "10 generated, 10000 originals\n"
    )
    print("| method | n | train s | sample s | distances s | total s | floor s | ratio |")
    print("|---|---|---|---|---|---|---|---|")
    rng = np.random.default_rng(0)
    originals = rng.normal(0.5, 0.1, (ORIGINALS, 64))
    images = rng.normal(0.5, 0.1, (150, 1, 8, 8))
    _cell(images[:50], originals)  # not counted: first use of everything
    ours = {n: _cell(images[:n], originals) for n in (50, 150)}
    direct = direct_cell(torch.from_numpy(images[:50]).float(), originals)
    rows: list[tuple[str, int, tuple[float, ...]]] = [
        ("ornstein", n, seconds) for n, seconds in ours.items()
    ]
    rows.append(("direct", 50, direct[1:]))
    for name, n, seconds in rows:
        # Forward, and backward at twice its cost, for 9 of 10; forward for the rest, for sampling.
        work = GFLOP * (10 * (3 * 0.9 + 0.1) * n + 10 * 200)
        total, ratio = sum(seconds), sum(direct[1:]) / sum(seconds)
        parts = " | ".join(f"{part:.2f}" for part in seconds)
        last = f"{ratio:.1f}" if n == 50 else ""
        print(f"| {name} | {n} | {parts} | {total:.2f} | {work / rate:.2f} | {last} |")
    print()


def _cell(images: np.ndarray, originals: np.ndarray) -> tuple[float, float, float]:
    start = perf_counter()
    network = seeded(UNet, 0)
    result = train(network, images, TrainingConfig(), scaling=Scaling.unit_interval())
    trained = perf_counter()
    generated = result.model.sample(10, generator=0)
    sampled = perf_counter()
    flat = images.reshape(len(images), -1)
    coordinate_delta(generated.flatten(1).numpy(), flat, originals)
    return trained - start, sampled - trained, perf_counter() - sampled


def _against_diffusers() -> None:
    from diffusers.models.unets.unet_2d import UNet2DModel

    theirs = UNet2DModel(
        sample_size=8,
        in_channels=1,
        out_channels=1,
        block_out_channels=(64, 128, 160, 160),
        layers_per_block=2,
        down_block_types=("DownBlock2D", "DownBlock2D", "AttnDownBlock2D", "AttnDownBlock2D"),
        up_block_types=("AttnUpBlock2D", "AttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    )
    print("## Throughput beside diffusers' UNet2DModel of about the same size, 8 x 8\n")
    print("| network | parameters, M | train images/s, batch 128 | sampling image-steps/s, 10 |")
    print("|---|---|---|---|")
    for name, network in (("ornstein", UNet()), ("diffusers", Adapter(theirs))):
        size = sum(p.numel() for p in network.parameters()) / 1e6
        step = _training_step(network, torch.randn(128, 1, 8, 8))
        model = LearnedDiffusion(network, DiffusionProcess(200), (1, 8, 8))
        sampling = best_of(lambda m=model: m.sample(10, sampling_steps=10), 3)
        print(f"| {name} | {size:.2f} | {128 / best_of(step, 3):.0f} | {100 / sampling:.0f} |")
    print()


def _training_step(network: nn.Module, x0: Tensor) -> Any:
    process = DiffusionProcess(200)
    optimizer = torch.optim.Adam(network.parameters(), fused=True)
    k, z = torch.randint(200, (len(x0),)), torch.randn_like(x0)

    def step() -> None:
        optimizer.zero_grad()
        process.losses(network, x0, k, z).mean().backward()
        optimizer.step()

    return step


def _overhead() -> None:
    print("## What training costs beside the network (MLP of width 16, n = 50, 1 batch an epoch)\n")
    data = np.random.default_rng(0).standard_normal((50, 4))
    config = TrainingConfig(epochs=300)
    seconds = best_of(lambda: train(MLP(4, 16, 1), data, config), 2)
    single = best_of(lambda: train(MLP(4, 16, 1), data, TrainingConfig(epochs=1)), 3)
    plain = best_of(_training_step(MLP(4, 16, 1), torch.randn(45, 4)), 50)
    per_epoch = (seconds - single) / 299
    print("| | ms |\n|---|---|")
    print(f"| starting and ending | {1e3 * (single - per_epoch):.1f} |")
    print(f"| an epoch of one step, with validation | {1e3 * per_epoch:.2f} |")
    print(f"| of which the step itself, in a plain loop | {1e3 * plain:.2f} |\n")


def _replicates() -> None:
    print("## Replicates of an MLP (d = 16, depth 3, n = 50, 200 steps), ms a replicate and step\n")
    print("### Training\n")
    print("| width | one by one | K = 1 | K = 4 | K = 16 | K = 64 |\n|---|---|---|---|---|---|")
    rng = np.random.default_rng(0)
    for width in (32, 128, 256):
        steps = 200
        config = TrainingConfig(training_steps=steps, train_fraction=1.0)

        def together(count: int, width: int = width, config: TrainingConfig = config) -> float:
            data = [rng.standard_normal((50, 16)) for _ in range(count)]
            networks = [MLP(16, width) for _ in range(count)]
            seeds = list(range(count))
            return once(lambda: train_replicates(networks, data, seeds, config)) / count

        together(1)
        alone = once(lambda w=width, c=config: train(MLP(16, w), np.ones((50, 16)), c))
        seconds = [alone, *(together(count) for count in (1, 4, 16, 64))]
        print(f"| {width} | " + " | ".join(f"{1e3 * s / steps:.2f}" for s in seconds) + " |")
    print()
    print("### Sampling, 10 points\n")
    print("| width | one by one | K = 1 | K = 4 | K = 16 | K = 64 |\n|---|---|---|---|---|---|")
    for width in (32, 128, 256):
        models = [LearnedDiffusion(MLP(16, width), DiffusionProcess(200), (16,)) for _ in range(64)]
        generators = [torch.Generator() for _ in models]
        seconds = [best_of(partial(models[0].sample, 10), 3)]
        for count in (1, 4, 16, 64):
            here = partial(sample_replicates, models[:count], 10, generators=generators[:count])
            seconds.append(best_of(here, 3) / count)
        print(f"| {width} | " + " | ".join(f"{1e3 * s / 200:.3f}" for s in seconds) + " |")
    print()
