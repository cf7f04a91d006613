r"""Draw images from a network, with the samplers of :mod:`ornstein.samplers`.

A sampler asks for the clean image behind ``y = x_0 + s z`` at some noise s. The network knows the
T noises it was trained at: it is asked at the one nearest to s, ``k``, at the point
``x = alpha_k y``, and its answer is turned into ``D`` by
:meth:`~ornstein.networks.process.DiffusionProcess.denoised`. With beta schedules the sampler's
noises are among the T, and nothing is rounded.

Starts, at the first level ``(alpha, sigma)``: *standard*, ``N(0, (alpha^2 + sigma^2) I)``, which is
N(0, I) for a beta schedule; *marginal*, ``N(alpha m, alpha^2 s^2 + sigma^2)`` pixel by pixel, where
noised data of mean m and standard deviation s are.
"""

from __future__ import annotations

__all__ = ["sample", "sampling_path", "Moments"]

import sys
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from ornstein.samplers import as_sampler, denoising_path
from ornstein.schedules import as_schedule
from ornstein.validation import as_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ornstein.networks.process import DiffusionProcess
    from ornstein.samplers import Sampler, Trajectory
    from ornstein.schedules import Schedule


class Moments(NamedTuple):
    """Mean and standard deviation of each pixel, two tensors of the shape of one image."""

    mean: Tensor
    std: Tensor


def sample(
    network: nn.Module,
    process: DiffusionProcess,
    n: int,
    shape: Sequence[int],
    *,
    sampler: str | Sampler = "ddpm",
    steps: int | None = None,
    schedule: str | Schedule | None = None,
    start: Moments | None = None,
    batch_size: int = 1024,
    generator: torch.Generator | None = None,
    progress: bool | None = None,
    callback: Callable[[int, Tensor], None] | None = None,
) -> Tensor:
    """Draw images in the scale of the network.

    Parameters
    ----------
    network : nn.Module
        ``f(x, k)``, as trained with `process`. Used in evaluation mode, without gradients.
    process : DiffusionProcess
    n : int
        How many.
    shape : sequence of int
        Of one image.
    sampler : str or Sampler
        As :func:`ornstein.samplers.as_sampler` reads it: ``"ddpm"``, ``"ddim"``, ``"heun"``, ...
    steps : int, optional
        Sampling steps; all of the process when left out. Any number up to T, and beyond with a
        `schedule` of its own.
    schedule : str or Schedule, optional
        Noise levels to visit; those of the process when left out.
    start : Moments, optional
        Of the data in the scale of the network, for the marginal start; standard when left out.
    batch_size : int
        Images at once.
    generator : torch.Generator, optional
        Of any device; fresh entropy when left out. The same generator and `batch_size` give the
        same images.
    progress : bool, optional
        Show a progress bar on stderr; by default if that is a terminal.
    callback : callable (step, x), optional
        Called after every step of every batch, with the number of steps done and the points.

    Returns
    -------
    Tensor of shape (n, ...)
        On the CPU.
    """
    count = as_count(n, "n")
    size = as_count(batch_size, "batch_size")
    levels = process.schedule if schedule is None else as_schedule(schedule)
    trajectory = as_sampler(sampler).trajectory(
        levels.levels(process.steps if steps is None else steps)
    )
    if generator is None:
        generator = torch.Generator()
        generator.seed()
    batches = []
    with _bar(len(trajectory.steps) * -(-count // size), progress) as bar:
        for first in range(0, count, size):
            here = (min(size, count - first), *shape)
            x = None
            path = sampling_path(network, process, trajectory, here, generator, start)
            for done, x in enumerate(path, 1):
                bar.update()
                if callback is not None:
                    callback(done, x)
            assert x is not None  # a trajectory has at least one step
            batches.append(x.cpu())
    return torch.cat(batches)


@torch.no_grad()
def sampling_path(
    network: nn.Module,
    process: DiffusionProcess,
    trajectory: Trajectory,
    shape: Sequence[int],
    generator: torch.Generator,
    start: Moments | None = None,
) -> Iterator[Tensor]:
    """Yield one batch of points after every step of `trajectory`; the last ones are the sample.

    Parameters
    ----------
    network, process, generator, start
        As in :func:`sample`.
    trajectory : Trajectory
        Of a sampler.
    shape : sequence of int
        ``(batch, ...)``.
    """
    device = process.signal.device
    dtype = next((p.dtype for p in network.parameters()), torch.get_default_dtype())

    def normal() -> Tensor:
        return torch.randn(shape, generator=generator, device=generator.device, dtype=dtype).to(
            device
        )

    nearest = {
        stage.noise: process.nearest_step(stage.noise)
        for step in trajectory.steps
        for stage in step
    }

    def denoise(y: Tensor, noise: float) -> Tensor:
        k = torch.full((shape[0],), nearest[noise], device=device)
        x = process.signal[k[0]].to(dtype) * y
        return process.denoised(x, k, network(x, k)).to(dtype)

    x = trajectory.start_std * normal()
    if start is not None:
        signal, noise = trajectory.levels.signal[0], trajectory.levels.noise[0]
        std = signal * torch.sqrt(start.std.to(device) ** 2 + noise**2)
        x = (signal * start.mean.to(device) + std / trajectory.start_std * x).to(dtype)
    training = network.training
    network.eval()
    try:
        yield from denoising_path(trajectory, x, denoise, normal)
    finally:
        network.train(training)


def _bar(total: int, progress: bool | None) -> Any:
    from tqdm import tqdm

    disable = not sys.stderr.isatty() if progress is None else not progress
    return tqdm(total=total, unit="step", file=sys.stderr, disable=disable, leave=False)
