"""Random numbers as functions of a seed and of the place where they are needed.

What optimiser step 1234 draws depends on (seed, 1234) and on nothing before it. So a run that was
killed goes on with the numbers it would have had, and replicates trained together draw what each
would draw alone. The global generator is not touched.

A seed is mixed with what its numbers are for (:class:`Purpose`): with 0 for weights, training
and sampling alike, each gets independent numbers. (A ``torch.Generator`` seeded with 0 by hand
gives the numbers of ``torch.manual_seed(0)``, wherever they are drawn.)
"""

from __future__ import annotations

__all__ = [
    "Purpose",
    "keyed_generator",
    "as_torch_generator",
    "seeded",
    "dropout_randomness",
    "stratified_noise",
]

from contextlib import contextmanager
from enum import IntEnum
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
import torch
from torch import Tensor, nn

from ornstein.networks.nets.mlp import MLP
from ornstein.networks.nets.unet import UNet
from ornstein.validation import as_count

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

P = ParamSpec("P")
T = TypeVar("T")


class Purpose(IntEnum):
    """What random numbers are for. The same seed has another stream for each."""

    ORDER = 0
    DRAWS = 1
    VALIDATION = 2
    SPLIT = 3
    WEIGHTS = 4
    SAMPLING = 5
    LOSS = 6
    GRIDS = 7
    DROPOUT = 8


def keyed_generator(
    seed: int, *key: int, device: torch.device | str = "cpu", out: torch.Generator | None = None
) -> torch.Generator:
    """Return a generator whose numbers follow from `seed` and `key` alone.

    Parameters
    ----------
    seed : int
        Seed of the run, >= 0.
    *key : int
        Purpose, and place in the run, >= 0.
    device : torch.device or str
        Where its numbers are made; devices differ in their numbers.
    out : torch.Generator, optional
        Seeded and returned, instead of a new one.
    """
    words = np.random.SeedSequence(seed, spawn_key=key).generate_state(1, np.uint64)
    generator = torch.Generator(device) if out is None else out
    return generator.manual_seed(int(words[0]) >> 1)


def as_torch_generator(
    generator: int | torch.Generator | None, *key: int, device: torch.device | str = "cpu"
) -> torch.Generator:
    """The generator that a caller means.

    Parameters
    ----------
    generator : int, torch.Generator or None
        A generator is used as it is, and advances; None is fresh entropy. An int is the seed of a
        stream that belongs to `key` alone.
    *key : int
        A :class:`Purpose`, and what comes after it.
    device : torch.device or str
        Of a generator that is made here.

    Raises
    ------
    TypeError, ValueError
        If it is none of these.
    """
    if isinstance(generator, torch.Generator):
        return generator
    if generator is None:
        fresh = torch.Generator(device)
        fresh.seed()
        return fresh
    if not isinstance(generator, int | np.integer):
        raise TypeError(
            f"generator is a {type(generator).__name__}, expected an int or a torch.Generator"
        )
    return keyed_generator(as_count(generator, "generator", at_least=0), *key, device=device)


def seeded(
    factory: Callable[P, T], seed: int | torch.Generator, *args: P.args, **kwargs: P.kwargs
) -> T:
    """Call ``factory(*args, **kwargs)`` with PyTorch's global generator seeded; put that back.

    For the initial weights of a network, which PyTorch draws from the global generator of the CPU.

    Parameters
    ----------
    factory : callable
        A network class, or a function that returns a network.
    seed : int or torch.Generator
        An int >= 0 is the seed of a stream for weights: training and sampling with the same int
        have other random numbers. A generator on the CPU is used as it is, and advances.
    *args, **kwargs
        Of `factory`.

    Examples
    --------
    >>> from ornstein.networks import MLP
    >>> one, two = (seeded(MLP, 3, dim=2) for _ in range(2))
    >>> torch.equal(one.enter.weight, two.enter.weight)
    True
    """
    generator = as_torch_generator(seed, Purpose.WEIGHTS)
    if generator.device.type != "cpu":
        raise ValueError(f"seed is a generator on {generator.device}, expected one on the CPU")
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.set_state(generator.get_state())
        made = factory(*args, **kwargs)
        generator.set_state(torch.default_generator.get_state())
    return made


@contextmanager
def dropout_randomness(
    network: nn.Module, seed: int, position: int, device: torch.device
) -> Iterator[None]:
    """Context in which what a network draws by itself follows from `seed` and `position`.

    Such as dropout, which takes PyTorch's global generators: they are seeded, and put back as they
    were. Our networks draw nothing (networks derived from them may).
    """
    if type(network) in {UNet, MLP}:
        yield
        return
    on_gpu = device.type == "cuda"
    with torch.random.fork_rng(devices=[device] if on_gpu else []):
        number = keyed_generator(seed, Purpose.DROPOUT, position).initial_seed()
        torch.default_generator.manual_seed(number)
        if on_gpu:
            with torch.cuda.device(device):
                torch.cuda.manual_seed(number)
        yield


def stratified_noise(
    x0: Tensor, diffusion_steps: int, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Diffusion steps, spread evenly and in random order, and noise for each point of `x0`."""
    options: dict[str, Any] = {"generator": generator, "device": generator.device}
    n = len(x0)
    spread = (torch.arange(n, device=generator.device) + torch.rand(n, **options)) / n
    k = (
        (spread * diffusion_steps)
        .long()
        .clamp_(max=diffusion_steps - 1)[torch.randperm(n, **options)]
    )
    z = torch.randn(x0.shape, dtype=x0.dtype, **options)
    return k.to(x0.device), z.to(x0.device)
