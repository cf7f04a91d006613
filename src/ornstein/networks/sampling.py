r"""Draw images from a network, with the samplers of :mod:`ornstein.diffusion.samplers`.

A sampler asks for the clean image behind ``y = x_0 + s z`` at some noise s. The network knows the
T noises it was trained at: it is called at the one nearest to s, ``k``, at the point
``x = alpha_k y``, and its answer is turned into ``D`` by
:meth:`~ornstein.networks.process.DiffusionProcess.denoised`. With beta schedules the sampler's
noises are among the T, and nothing is rounded. A denoiser from elsewhere is called at s itself.
"""

from __future__ import annotations

__all__ = ["sample", "sampling_path", "chosen_steps", "evaluating", "normal_draws", "part_of"]

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ornstein.diffusion.samplers import as_sampler, denoising_path
from ornstein.diffusion.schedules import as_schedule
from ornstein.networks.nets.adapter import Denoiser, ask
from ornstein.networks.randomness import Purpose, as_torch_generator
from ornstein.networks.renaming import renamed
from ornstein.networks.starts import checked_start, first_points
from ornstein.progress import progress_bar
from ornstein.validation import as_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from ornstein.diffusion.samplers import Sampler, Trajectory
    from ornstein.diffusion.schedules import Schedule
    from ornstein.networks.process import DiffusionProcess
    from ornstein.networks.starts import Moments


@renamed(steps="sampling_steps")
def sample(
    network: nn.Module,
    process: DiffusionProcess,
    n: int,
    shape: Sequence[int],
    *,
    sampler: str | Sampler = "ddpm",
    sampling_steps: int | None = None,
    schedule: str | Schedule | None = None,
    start: Moments | Tensor | None = None,
    batch_size: int = 1024,
    generator: int | torch.Generator | None = None,
    progress: bool | None = None,
    callback: Callable[[int, Tensor], None] | None = None,
) -> Tensor:
    """Draw images in the scale of the network.

    Parameters
    ----------
    network : nn.Module
        ``f(x, k)``, as trained with `process`, ours or anybody's
        (:func:`~ornstein.networks.nets.adapter.ask`). Used in evaluation mode, without gradients.
    process : DiffusionProcess
    n : int
        How many.
    shape : sequence of int
        Of one image.
    sampler : str or Sampler
        As :func:`ornstein.diffusion.samplers.as_sampler` reads it: ``"ddpm"``, ``"ddim"``,
        ``"heun"``, ...
    sampling_steps : int, optional
        By default all T of the process. Any number up to T, and beyond with a `schedule` of its
        own.
    schedule : str or Schedule, optional
        Noise levels to visit; by default those of the process.
    start : Moments, or Tensor of shape (n, ...), optional
        In the scale of the network: moments of the data for the marginal start, or points to start
        from; by default standard. See :mod:`ornstein.networks.starts`.
    batch_size : int
        Images at once.
    generator : int or torch.Generator, optional
        By default fresh entropy. The same generator (of any device) and `batch_size` give the
        same images. An int stands for a stream of its own, apart from those of weights and
        training with the same int.
    progress : bool, optional
        Show a progress bar on stderr; by default if that is a terminal.
    callback : callable (step, x), optional
        Called after every sampling step of every batch, with how many are done and the points.

    Returns
    -------
    Tensor of shape (n, ...)
        On the CPU.
    """
    count = as_count(n, "n")
    size = as_count(batch_size, "batch_size")
    levels = process.schedule if schedule is None else as_schedule(schedule)
    trajectory = as_sampler(sampler).trajectory(
        levels.levels(chosen_steps(process, sampling_steps))
    )
    source = as_torch_generator(generator, Purpose.SAMPLING)
    start = checked_start(start, (count, *shape))
    normal = partial(normal_draws, source, network, device=process.signal.device)
    batches = []
    total = len(trajectory.steps) * -(-count // size)
    with (
        progress_bar(total, "step", progress, label="sampling") as bar,
        evaluating(network),
    ):
        for first in range(0, count, size):
            here = (min(size, count - first), *shape)
            own = part_of(start, first, size)
            x = first_points(trajectory, own, normal(*here), normal)
            path = sampling_path(network, process, trajectory, x, partial(normal, *here))
            for done, points in enumerate(path, 1):
                bar.update()
                if callback is not None:
                    callback(done, points)
                x = points
            batches.append(x.cpu())
    return torch.cat(batches)


def chosen_steps(process: DiffusionProcess, sampling_steps: int | None) -> int:
    """`sampling_steps`, or all of the process."""
    if sampling_steps is None:
        return process.diffusion_steps
    return as_count(sampling_steps, "sampling_steps")


def sampling_path(
    network: Callable[[Tensor, Tensor], Any],
    process: DiffusionProcess,
    trajectory: Trajectory,
    first: Tensor,
    normal: Callable[[], Tensor],
) -> Iterator[Tensor]:
    """Yield the points after every step of `trajectory`; the last ones are the sample.

    Parameters
    ----------
    network, process
        As in :func:`sample`; the network in evaluation mode.
    trajectory : Trajectory
        Of a sampler.
    first : Tensor of shape (batch, ...)
        Points at the first level.
    normal : callable () -> Tensor
        Standard normal numbers of that shape.
    """
    nearest = {
        stage.noise: process.nearest_step(stage.noise)
        for step in trajectory.steps
        for stage in step
    }

    def denoise(y: Tensor, noise: float) -> Tensor:
        if isinstance(network, Denoiser):
            return network.denoise(y, noise).to(first.dtype)
        k = torch.full((len(first),), nearest[noise], device=first.device)
        x = process.signal[k[0]].to(first.dtype) * y
        return process.denoised(x, k, ask(network, x, k)).to(first.dtype)

    return denoising_path(trajectory, first, denoise, normal)


def normal_draws(
    generator: torch.Generator,
    network: nn.Module,
    *shape: int,
    device: torch.device | None = None,
) -> Tensor:
    """Standard normal numbers of a generator, of the type and on the device of a network."""
    like = next(network.parameters(), torch.empty(0))
    options: Any = {"generator": generator, "device": generator.device, "dtype": like.dtype}
    return torch.randn(shape, **options).to(like.device if device is None else device)


def part_of(start: Moments | Tensor | None, first: int, size: int) -> Moments | Tensor | None:
    """The points of one batch, if `start` is points; else `start`."""
    return start[first : first + size] if isinstance(start, Tensor) else start


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """Context in which a network is in evaluation mode, and no gradients are computed."""
    training = network.training
    network.eval()
    try:
        with torch.no_grad():
            yield
    finally:
        network.train(training)
