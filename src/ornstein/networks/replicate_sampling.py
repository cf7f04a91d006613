r"""Sampling from K models at once, each with the noise that it would draw alone.

After trainings of a few steps, hundreds of sampling steps are most of the work of a study of small
networks. The networks are called as a :class:`~ornstein.networks.stacking.Stack`.
"""

from __future__ import annotations

__all__ = ["sample_replicates"]

from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Literal

import torch

from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import as_schedule
from ornstein.networks.randomness import Purpose, as_torch_generator
from ornstein.networks.renaming import renamed
from ornstein.networks.sampling import (
    chosen_steps,
    evaluating,
    normal_draws,
    part_of,
    sampling_path,
)
from ornstein.networks.stacking import Stack
from ornstein.networks.starts import checked_start, first_points
from ornstein.progress import progress_bar
from ornstein.validation import as_count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike
    from torch import Tensor

    from ornstein.diffusion.samplers import Sampler
    from ornstein.diffusion.schedules import Schedule
    from ornstein.networks.learned import LearnedDiffusion


@renamed(steps="sampling_steps")
def sample_replicates(
    models: Sequence[LearnedDiffusion],
    n: int,
    *,
    generators: int | Sequence[int | torch.Generator],
    sampler: str | Sampler = "ddpm",
    sampling_steps: int | None = None,
    schedule: str | Schedule | None = None,
    start: Literal["standard", "marginal"] | Sequence[ArrayLike] = "standard",
    batch_size: int = 1024,
    progress: bool | None = None,
) -> list[Tensor]:
    """Draw from K models at once what each would draw alone, up to rounding.

    Parameters
    ----------
    models : sequence of K LearnedDiffusion
        Of one kind, except for weights, scales and moments; on one device.
    n : int
        Images of each.
    generators : sequence of K ints or torch.Generators, or int
        Each as for a single model; an int alone stands for K independent streams.
    sampler, sampling_steps, schedule
        As for a single model.
    start : {"standard", "marginal"}, or sequence of K array-likes of shape (n, ...)
        As for a single model; points in data units.
    batch_size : int
        Images of each model at once.
    progress : bool, optional
        Show a progress bar on stderr; by default if that is a terminal.

    Returns
    -------
    list of K Tensors of shape (n, ...)
        In data units, on the CPU.

    Raises
    ------
    ValueError
        If lengths or models disagree, or an argument is out of range.
    """
    if isinstance(generators, int):
        seed = generators
        generators = [
            as_torch_generator(seed, Purpose.SAMPLING, index) for index in range(len(models))
        ]
    given = [start] * len(models) if isinstance(start, str) else start
    if not models or not len(models) == len(generators) == len(given):
        raise ValueError(
            f"{len(models)} model(s), {len(generators)} generator(s) and {len(given)} start(s): "
            "expected as many of each, at least one"
        )
    _check_alike(models)
    count, size = as_count(n, "n"), as_count(batch_size, "batch_size")
    process = models[0].process
    visited = process.schedule if schedule is None else as_schedule(schedule)
    levels = visited.levels(chosen_steps(process, sampling_steps))
    trajectory = as_sampler(sampler).trajectory(levels)
    starts = [
        checked_start(model.first(own), (count, *model.shape))
        for model, own in zip(models, given, strict=True)
    ]
    draws = [
        partial(normal_draws, as_torch_generator(generator, Purpose.SAMPLING), model)
        for model, generator in zip(models, generators, strict=True)
    ]
    total = len(trajectory.steps) * -(-count // size)
    bar = progress_bar(total, "step", progress, label="sampling")
    with bar, ExitStack() as stack:
        for model in models:
            stack.enter_context(evaluating(model.network))
        answers = Stack([model.network for model in models]).answers
        batches = []
        for low in range(0, count, size):
            here = (min(size, count - low), *models[0].shape)
            first = [
                first_points(trajectory, part_of(own, low, size), draw(*here), draw)
                for draw, own in zip(draws, starts, strict=True)
            ]
            noise = partial(_stacked_draws, draws, here)
            x = torch.stack(first)
            for points in sampling_path(answers, process, trajectory, x, noise):
                bar.update()
                x = points
            batches.append(x.cpu())
    images = torch.cat(batches, dim=1)
    return [model.to_data(own) for model, own in zip(models, images, strict=True)]


def _check_alike(models: Sequence[LearnedDiffusion]) -> None:
    first = models[0]
    for model in models[1:]:
        for what, one, other in (
            ("shapes", first.shape, model.shape),
            ("processes", first.process.config, model.process.config),
            ("networks", type(first.network).__name__, type(model.network).__name__),
        ):
            if one != other:
                raise ValueError(
                    f"models have the {what} {one} and {other}: replicates need one, sample the "
                    "others apart"
                )


def _stacked_draws(draws: Sequence[Callable[..., Tensor]], shape: Sequence[int]) -> Tensor:
    return torch.stack([draw(*shape) for draw in draws])
