"""What a study of networks trained on each other computes."""

from __future__ import annotations

__all__ = ["NeuralRecursionOptions"]

from dataclasses import dataclass, field
from typing import Any, Literal

from ornstein.studies.neural.options import NeuralOptions
from ornstein.studies.recursion.options import check_fresh_fraction
from ornstein.validation import as_count

DEFAULT_TRAINING_STEPS = 2000


@dataclass(frozen=True)
class NeuralRecursionOptions(NeuralOptions):
    """A network, and the generations that are trained on each other.

    Parameters
    ----------
    train_sizes : tuple of int
        number n >= 2 of points that each network is trained on: start:stop:step (stop included) or
        a comma list
    generations : int
        number of generations; the population is generation 0
    dim : int
        dimension d
    std : tuple of float
        standard deviation of a coordinate of the population, > 0
    fresh_fraction : float
        share of the n points that are fresh ones of the population, 0 to 1; their number is rounded
    model : str
        mlp: a small residual network; gaussian and one-step have other options
    width : float
        hidden units, by default 128
    epochs : int
        passes through the training points, instead of optimiser steps
    training_steps : int
        optimiser steps of each network; by default 2000
    batch_size : int
        points per optimiser step
    train_fraction : float
        part of the n points to train on; the rest is for validation
    start : str
        where sampling starts: N(0, I), or a Gaussian where noised training points are
    generated : int
        points of each generation that are measured, more than 2 d

    Other parameters are those of :class:`~ornstein.studies.neural.options.NeuralOptions` that are
    of a network, its training and its sampler.
    """

    train_sizes: tuple[int, ...] = (100, 400)
    generations: int = 5
    dim: int = 8
    std: tuple[float, ...] = (1.0,)
    fresh_fraction: float = 0.0
    model: Literal["mlp"] = "mlp"
    train_fraction: float = 1.0
    start: Literal["standard", "marginal"] = "standard"
    generated: int = 1000
    simulations: int = 3
    # No options here: the population is one Gaussian, and no data are read.
    pixels: int | None = field(default=None, init=False)
    mean: tuple[float, ...] = field(default=(0.0,), init=False)
    weights: tuple[float, ...] | None = field(default=None, init=False)
    data: str | None = field(default=None, init=False)
    originals: int = field(default=10_000, init=False)
    channels: Any = field(default=None, init=False)
    alpha: Any = field(default=None, init=False)
    recursive: bool = field(default=False, init=False)
    layout: Any = field(default=None, init=False)
    separator: str | None = field(default=None, init=False)
    decimal: Any = field(default=None, init=False)
    thousands: str | None = field(default=None, init=False)
    encoding: str | None = field(default=None, init=False)
    header: Any = field(default=None, init=False)
    dates: Any = field(default=None, init=False)

    def __post_init__(self) -> None:
        if self.epochs is None and self.training_steps is None:
            object.__setattr__(self, "training_steps", DEFAULT_TRAINING_STEPS)
        super().__post_init__()
        as_count(self.generations, "generations")
        as_count(self.dim, "dim")
        check_fresh_fraction(self.fresh_fraction)
        for name, known in {"model": ("mlp",), "start": ("standard", "marginal")}.items():
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name} is {getattr(self, name)!r}, expected "
                    f"{' or '.join(map(repr, known))} of networks that are trained on each other"
                )
        if len(self.std) != 1:
            raise ValueError(
                f"std has {len(self.std)} entries, expected one: the population is one Gaussian"
            )

    def fresh_points(self, train_size: int) -> int:
        """Number of fresh points among the n of a generation."""
        return round(self.fresh_fraction * train_size)
