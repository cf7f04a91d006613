r"""Training data in memory: which images, which diffusion steps and which noise make up each batch.

All n images are one tensor on the device that trains. An epoch goes through them in random order,
in batches of at most B (all n at once if there are fewer); the batch at position
``p = epoch * ceil(n / B) + b`` is a function of the seed and of p, so that training can go on from
any p. No processes, no copies.
"""

from __future__ import annotations

__all__ = ["TrainingBatch", "TrainingStream", "ValidationBatches", "split_indices"]

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from ornstein.networks.randomness import Purpose, keyed_generator, stratified_noise
from ornstein.validation import as_count

if TYPE_CHECKING:
    from collections.abc import Iterator


class TrainingBatch(NamedTuple):
    """Clean images, shape (batch, ...), their diffusion steps, shape (batch,), and their noise."""

    x0: Tensor
    k: Tensor
    z: Tensor


class TrainingStream:
    """Batches of an epoch, again and again; it remembers where it is.

    Parameters
    ----------
    x0 : Tensor of shape (n, ...)
        Images in the scale of the network, on the device that trains.
    diffusion_steps : int
        T, from which each image draws one step, uniformly.
    batch_size : int
    seed : int
    end : int, optional
        Position at which even an unfinished epoch is over.
    """

    def __init__(
        self, x0: Tensor, diffusion_steps: int, batch_size: int, seed: int, end: int | None = None
    ) -> None:
        self.x0 = x0
        self.end = end
        self.diffusion_steps = diffusion_steps
        self.batch_size = as_count(batch_size, "batch_size")
        self.seed = seed
        self.position = 0
        self._generator = torch.Generator(x0.device)
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.long)

    def __len__(self) -> int:
        """Batches of an epoch."""
        return math.ceil(len(self.x0) / self.batch_size)

    def __iter__(self) -> Iterator[TrainingBatch]:
        """Yield the batches from here to the end of the epoch."""
        while True:
            self.position += 1
            yield self.batch(self.position - 1)
            if self.position % len(self) == 0 or self.position == self.end:
                return

    def batch(self, position: int) -> TrainingBatch:
        """The batch at a position, counted from the start of the first epoch."""
        epoch, b = divmod(position, len(self))
        if epoch != self._epoch:
            generator = keyed_generator(self.seed, Purpose.ORDER, epoch)
            self._order = torch.randperm(len(self.x0), generator=generator).to(self.x0.device)
            self._epoch = epoch
        chosen = self._order[b * self.batch_size : (b + 1) * self.batch_size]
        x0 = self.x0[chosen]
        generator = keyed_generator(self.seed, Purpose.DRAWS, position, out=self._generator)
        k = torch.randint(self.diffusion_steps, (len(x0),), generator=generator, device=x0.device)
        z = torch.randn(x0.shape, generator=generator, device=x0.device, dtype=x0.dtype)
        return TrainingBatch(x0, k, z)

    def state_dict(self) -> dict[str, int]:
        """Where it is."""
        return {"position": self.position}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Go on from there."""
        self.position = state["position"]


class ValidationBatches:
    """The validation images, with diffusion steps and noise that are the same at every pass."""

    def __init__(self, x0: Tensor, diffusion_steps: int, batch_size: int, seed: int) -> None:
        self.size = batch_size
        k, z = stratified_noise(x0, diffusion_steps, keyed_generator(seed, Purpose.VALIDATION))
        self.whole = TrainingBatch(x0, k, z)

    def __len__(self) -> int:
        """Batches of a pass."""
        return math.ceil(len(self.whole.x0) / self.size)

    def __iter__(self) -> Iterator[TrainingBatch]:
        """Yield the batches of a pass."""
        parts = (tensor.split(self.size) for tensor in self.whole)
        yield from (TrainingBatch(*part) for part in zip(*parts, strict=True))


def split_indices(n: int, train_fraction: float, seed: int) -> tuple[Tensor, Tensor]:
    """Divide ``0 .. n-1`` at random into training and validation indices.

    ``floor(train_fraction * n)`` are for training, but at least one; all with a fraction of 1.

    Raises
    ------
    ValueError
        If there is nothing to train on, or the fraction is not in (0, 1].

    Examples
    --------
    >>> [len(part) for part in split_indices(50, 0.9, seed=0)]
    [45, 5]
    """
    n = as_count(n, "the number of images")
    if not 0 < train_fraction <= 1:
        raise ValueError(f"train_fraction is {train_fraction:g}, expected a number in (0, 1]")
    order = torch.randperm(n, generator=keyed_generator(seed, Purpose.SPLIT))
    # 1e-9: 0.9 * 50 may be less than 45 by a rounding error.
    count = max(1, int(train_fraction * n + 1e-9))
    return order[:count].sort().values, order[count:].sort().values
