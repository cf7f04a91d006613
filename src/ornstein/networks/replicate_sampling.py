r"""Sampling from K models at once, each with the noise that it would draw alone.

After trainings of a few steps, hundreds of sampling steps are most of the work of a study of small
networks. The networks are called as a :class:`~ornstein.networks.stacking.Stack`.
"""

from __future__ import annotations

__all__ = ["sample_replicates"]

from collections import deque
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Literal

import torch

from ornstein.diffusion.samplers import as_sampler
from ornstein.networks.sampling import evaluating, normal_draws, part_of, sampling_path
from ornstein.networks.stacking import Stack
from ornstein.networks.starts import checked_start, first_points
from ornstein.validation import as_count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike
    from torch import Tensor

    from ornstein.diffusion.samplers import Sampler
    from ornstein.networks.learned import LearnedDiffusion


def sample_replicates(
    models: Sequence[LearnedDiffusion],
    n: int,
    *,
    generators: Sequence[torch.Generator],
    sampler: str | Sampler = "ddpm",
    steps: int | None = None,
    start: Literal["standard", "marginal"] | Sequence[ArrayLike] = "standard",
    batch_size: int = 1024,
) -> list[Tensor]:
    """Draw from K models at once what each would draw alone, up to rounding.

    Parameters
    ----------
    models : sequence of K LearnedDiffusion
        Of one kind, but for weights, scales and moments; on one device.
    n : int
        Images of each.
    generators : sequence of K torch.Generator
    sampler, steps
        As for a single model.
    start : {"standard", "marginal"}, or sequence of K array-likes of shape (n, ...)
        As for a single model; points in data units.
    batch_size : int
        Images of each model at once.

    Returns
    -------
    list of K Tensors of shape (n, ...)
        In data units, on the CPU.

    Raises
    ------
    ValueError
        If lengths disagree, or an argument is out of range.
    """
    given = [start] * len(models) if isinstance(start, str) else start
    if not models or not len(models) == len(generators) == len(given):
        raise ValueError(
            f"{len(models)} model(s), {len(generators)} generator(s) and {len(given)} start(s): "
            "expected as many of each, at least one"
        )
    count, size = as_count(n, "n"), as_count(batch_size, "batch_size")
    process = models[0].process
    levels = process.schedule.levels(process.steps if steps is None else steps)
    trajectory = as_sampler(sampler).trajectory(levels)
    starts = [
        checked_start(model.first(own), (count, *model.shape))
        for model, own in zip(models, given, strict=True)
    ]
    draws = [
        partial(normal_draws, generator, model)
        for model, generator in zip(models, generators, strict=True)
    ]
    with ExitStack() as stack:
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
            path = sampling_path(answers, process, trajectory, torch.stack(first), noise)
            batches.append(deque(path, maxlen=1).pop().cpu())
    images = torch.cat(batches, dim=1)
    return [model.to_data(own) for model, own in zip(models, images, strict=True)]


def _stacked_draws(draws: Sequence[Callable[..., Tensor]], shape: Sequence[int]) -> Tensor:
    return torch.stack([draw(*shape) for draw in draws])
