"""Grids of few noise levels among the T that a network was trained at.

A network knows the noises of its process and no others. A grid for it goes from the largest of them
to the clean image: `karras` and `log` by way of the smallest, `tangent` by the levels that lose
least (:mod:`ornstein.diffusion.grids`). They are moved to the nearest noises that the network
knows, each of them taken once: so it is asked at the noise that the sampler visits. With S = T all
grids are the same, and so they are with S = 1.
"""

from __future__ import annotations

__all__ = ["TrainedGrid", "GRIDS"]

from dataclasses import dataclass

import numpy as np

from ornstein.diffusion.grids import LogSchedule, TangentSchedule
from ornstein.diffusion.schedules import (
    BetaSchedule,
    KarrasSchedule,
    NoiseLevels,
    NoiseRange,
    nearest_step,
)

GRIDS = ("tangent", "karras", "log")


@dataclass(frozen=True)
class TrainedGrid:
    """Levels ``x_0 + s z`` at some of the noises of a process.

    Parameters
    ----------
    grid : {"tangent", "karras", "log"}
        Levels of least KL for `variances`, those of Karras with rho = 7, or levels of equal ratio.
    trained : BetaSchedule
        The process, with a number of diffusion steps T of its own.
    variances : tuple of float
        Eigenvalues of the data's covariance in the scale of the network; for ``tangent`` alone.

    Raises
    ------
    ValueError
        If there is no such grid, or the process has no T.

    Examples
    --------
    >>> process = BetaSchedule("linear", 200)
    >>> TrainedGrid("log", process).levels(4).noise.round(3).tolist()
    [2.562, 0.401, 0.067, 0.01, 0.0]
    >>> TrainedGrid("tangent", process).levels(4).noise.round(3).tolist()
    [2.562, 1.259, 0.684, 0.308, 0.0]
    """

    grid: str
    trained: BetaSchedule
    variances: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        if self.grid not in GRIDS:
            raise ValueError(f"grid is {self.grid!r}, expected one of {', '.join(GRIDS)}")
        if self.trained.diffusion_steps is None:
            raise ValueError("the schedule has no diffusion_steps of its own: give them")

    @property
    def name(self) -> str:
        """That of the grid."""
        return self.grid

    def levels(self, n_steps: int) -> NoiseLevels:
        """Levels of a sampler of `n_steps` <= T steps."""
        known = self.trained.levels(self._total).noise[:-1]
        self.trained.levels(n_steps)  # says how many there can be
        wanted = self._schedule(float(known[-1]), float(known[0])).levels(n_steps).noise[:-1]
        steps = nearest_step(wanted, self.trained.betas())
        # Each once: no higher than one below the last, no lower than what the rest needs.
        for index, step in enumerate(steps):
            highest = steps[index - 1] - 1 if index else self._total - 1
            steps[index] = max(min(step, highest), n_steps - 1 - index)
        noise = np.append(known[::-1][steps], 0.0)
        return NoiseLevels(np.ones_like(noise), noise)

    def noise_range(self) -> NoiseRange:
        """The largest noise of the process, and the smallest."""
        known = self.trained.levels(self._total).noise
        return NoiseRange(1.0, float(known[0]), float(known[-2]))

    @property
    def _total(self) -> int:
        assert self.trained.diffusion_steps is not None  # as checked
        return self.trained.diffusion_steps

    def _schedule(self, low: float, high: float) -> LogSchedule | KarrasSchedule | TangentSchedule:
        if self.grid == "log":
            return LogSchedule(low, high)
        if self.grid == "karras":
            return KarrasSchedule(low, high)
        # To the clean image itself: the smallest noise is left out where a step there is lost.
        return TangentSchedule(self.variances, 0.0, high)
