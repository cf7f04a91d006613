"""What a recursion study computes."""

from __future__ import annotations

__all__ = ["RecursionOptions", "check_fresh_fraction"]

from dataclasses import dataclass
from typing import Literal

from ornstein.diffusion.one_step_noising import OneStepNoising
from ornstein.engine.study import check_plan
from ornstein.validation import as_count, as_positive


@dataclass(frozen=True)
class RecursionOptions:
    """What a recursion study computes.

    Parameters
    ----------
    train_sizes : tuple of int
        number n >= 2 of points that each generation is fitted on: start:stop:step (stop included)
        or a comma list
    generations : int
        number of generations; the population is generation 0
    model : str
        gaussian: a Gaussian with the mean and covariance of the points; one-step: the one-step
        linear denoiser, its noise scaled with the mean variance of the points' law
    dim : int
        dimension d
    std : float
        standard deviation of a coordinate of the population, > 0
    fresh_fraction : float
        share of the n points that are fresh ones of the population, 0 to 1; their number is rounded
    known_mean : bool
        the gaussian model knows the mean, and fits the covariance alone
    time : float
        diffusion time T of the one-step model; by default 2
    noise_scale : float
        noise scale of the one-step model for data of unit variance; by default 1
    simulations : int
        replicates of each training size
    seed : int
        seed of the study

    Raises
    ------
    ValueError, TypeError
        If a value is out of range, or an option has no effect.
    """

    train_sizes: tuple[int, ...] = (20, 40, 80, 200)
    generations: int = 10
    model: Literal["gaussian", "one-step"] = "gaussian"
    dim: int = 8
    std: float = 1.0
    fresh_fraction: float = 0.0
    known_mean: bool = False
    time: float | None = None
    noise_scale: float | None = None
    simulations: int = 200
    seed: int = 0

    def __post_init__(self) -> None:
        check_plan(self)
        as_count(self.generations, "generations")
        as_count(self.dim, "dim")
        as_positive(self.std, "std")
        check_fresh_fraction(self.fresh_fraction)
        if self.model not in {"gaussian", "one-step"}:
            raise ValueError(f"model is {self.model!r}, expected 'gaussian' or 'one-step'")
        for name, default in {"time": 2.0, "noise_scale": 1.0}.items():
            given = getattr(self, name)
            if self.model == "gaussian" and given is not None:
                raise ValueError(
                    f"{name} is {given:g} and model gaussian, where it would have no effect: leave "
                    "it out, or give model one-step"
                )
            if self.model == "one-step" and given is None:
                object.__setattr__(self, name, default)
        if self.model == "one-step":
            if self.known_mean:
                raise ValueError(
                    "known_mean would have no effect with model one-step, which fits its mean: "
                    "leave it out"
                )
            OneStepNoising(self.time or 0.0, self.noise_scale or 0.0)

    def fresh_points(self, train_size: int) -> int:
        """Number of fresh points among the n of a generation."""
        return round(self.fresh_fraction * train_size)


def check_fresh_fraction(share: float) -> None:
    """Raise ValueError if a share of fresh points is none."""
    if not 0 <= share <= 1:
        raise ValueError(f"fresh_fraction is {share:g}, expected a number between 0 and 1")
