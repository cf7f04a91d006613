"""Random numbers of training as functions of a seed and of the place where they are needed.

What step 1234 draws depends on (seed, 1234) and on nothing before it. So a run that was killed
goes on with the numbers it would have had, and replicates trained together draw what each would
draw alone. The global generator is not touched.
"""

from __future__ import annotations

__all__ = ["keyed_generator", "seeded", "stratified_noise"]

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import torch
from torch import Tensor

if TYPE_CHECKING:
    from collections.abc import Callable

    T = TypeVar("T")


def keyed_generator(
    seed: int, *key: int, device: torch.device | str = "cpu", out: torch.Generator | None = None
) -> torch.Generator:
    """Return a generator whose numbers follow from `seed` and `key` alone.

    Parameters
    ----------
    seed : int
        Seed of the run, >= 0.
    *key : int
        Place in the run, >= 0.
    device : torch.device or str
        Where its numbers are made; devices differ in their numbers.
    out : torch.Generator, optional
        Seeded and returned, instead of a new one.
    """
    words = np.random.SeedSequence(seed, spawn_key=key).generate_state(1, np.uint64)
    generator = torch.Generator(device) if out is None else out
    return generator.manual_seed(int(words[0]) >> 1)


def seeded(factory: Callable[[], T], seed: int) -> T:
    """Call `factory` with PyTorch's global CPU generator seeded; put that back as it was.

    For the initial weights of a network, which PyTorch draws from the global generator.

    Examples
    --------
    >>> from ornstein.networks import MLP
    >>> one, two = (seeded(lambda: MLP(dim=2), seed=3) for _ in range(2))
    >>> torch.equal(one.enter.weight, two.enter.weight)
    True
    """
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return factory()


def stratified_noise(x0: Tensor, steps: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Steps, spread evenly and in random order, and noise for each point of `x0`."""
    options: dict[str, Any] = {"generator": generator, "device": generator.device}
    n = len(x0)
    spread = (torch.arange(n, device=generator.device) + torch.rand(n, **options)) / n
    k = (spread * steps).long().clamp_(max=steps - 1)[torch.randperm(n, **options)]
    z = torch.randn(x0.shape, dtype=x0.dtype, **options)
    return k.to(x0.device), z.to(x0.device)
