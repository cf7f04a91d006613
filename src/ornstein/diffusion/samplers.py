r"""Samplers: every step is an affine map of the point, its denoised estimate, and fresh noise.

All samplers here are of one form. With ``y = x / alpha`` (the point in EDM
scaling, :mod:`ornstein.diffusion.schedules`) and ``D = D(y; s)`` the estimate of the clean point, a
step from level ``(alpha, s)`` to ``(alpha', s')`` keeps a fraction ``q`` of what it takes for noise
and adds ``c`` of fresh noise,

    y' = D + q (y - D) + c z,        z ~ N(0, I),

=====================  ====================================  =====================================
sampler                q                                     c^2
=====================  ====================================  =====================================
DDPM, fixed_small      s'^2 / s^2                            (s'^2 / s^2) (s^2 - s'^2)
DDPM, fixed_large      s'^2 / s^2                            (alpha / alpha')^2 (s^2 - s'^2)
DDIM                   sqrt(s'^2 - c^2) / s                  eta^2 (s'^2 / s^2) (s^2 - s'^2)
Euler                  s' / s                                0
=====================  ====================================  =====================================

DDPM ancestral sampling is the posterior of ``y'`` given y and ``x_0 = D``; its two variances are
the posterior one and that of the forward step (beta, in units of x). No noise is added in the last
step, to s' = 0, whose result is D for all of them. DDIM with eta = 1 *is* DDPM with the small
variance; with eta = 0 it *is* Euler's method for the probability-flow ODE ``dy/ds = (y - D(y; s)) /
s``.

Heun's method takes the Euler step to ``y~``, evaluates the denoiser again there, and averages.
Written with points instead of slopes,

    y' = 1/2 y + 1/2 [ y~ + (s' - s) (y~ - D(y~; s')) / s' ],

the second evaluation, too, is an affine map, of the start of the step, of the point and of its
denoised estimate. So a step is one or more *stages*, each one evaluation of the denoiser and six
numbers, and a trajectory is a list of steps.
:func:`denoising_path` runs them with any denoiser and any arrays;
:mod:`ornstein.diffusion.affine_propagation` runs the same numbers on means and variances.

Every sampler has one property: where the denoised estimate is m, the point ``alpha m`` goes to
``alpha' m``.

References
----------
Ho, Jain, Abbeel, arXiv 2006.11239, eq. 7 (DDPM). Song, Meng, Ermon, "Denoising diffusion implicit
models", arXiv 2010.02502, eq. 12 and 16. Karras, Aittala, Aila, Laine, arXiv 2206.00364,
algorithm 1 (Euler, Heun).
"""

from __future__ import annotations

__all__ = [
    "Stage",
    "Trajectory",
    "Sampler",
    "DDPM",
    "DDIM",
    "Euler",
    "Heun",
    "as_sampler",
    "SAMPLERS",
    "denoising_path",
]

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from numpy.typing import NDArray

    from ornstein.diffusion.schedules import NoiseLevels

    Array = NDArray[np.float64]


class Stage(NamedTuple):
    """One evaluation of the denoiser, and the affine map that uses it.

    ``x <- start * x_start + point * x + denoised * D(x / signal; noise) + fresh * z``, where
    ``x_start`` is the point at the start of the step. Plain floats.
    """

    signal: float
    """``alpha`` at which `x` is scaled."""
    noise: float
    """EDM noise ``s`` at which the denoiser is evaluated."""
    start: float
    """Weight of the start of the step; 0 except in Heun's second stage."""
    point: float
    """Weight of the point."""
    denoised: float
    """Weight of its denoised estimate."""
    fresh: float
    """Standard deviation of the noise added."""


@dataclass(frozen=True, eq=False)
class Trajectory:
    """All steps of a sampler, from the first noise level to the sample.

    Attributes
    ----------
    levels : NoiseLevels
        In the scaling that the sampler works in; a sample starts near the first level.
    steps : tuple of tuple of Stage
        One entry per step.
    """

    levels: NoiseLevels
    steps: tuple[tuple[Stage, ...], ...]

    def __repr__(self) -> str:
        return f"Trajectory({len(self.steps)} steps, {self.evaluations} evaluations)"

    @property
    def evaluations(self) -> int:
        """Number of evaluations of the denoiser."""
        return sum(map(len, self.steps))

    @cached_property
    def table(self) -> Array:
        """The stages as an array of shape (n_stages, n_steps, 6), short steps filled up.

        What they are filled up with are stages that leave the point where it is.
        """
        most = max(map(len, self.steps))
        identity = Stage(signal=1.0, noise=1.0, start=0.0, point=1.0, denoised=0.0, fresh=0.0)
        padded = [(*step, *(identity,) * (most - len(step))) for step in self.steps]
        return np.swapaxes(np.array(padded), 0, 1)

    @property
    def start_std(self) -> float:
        """``sqrt(alpha^2 + sigma^2)`` of the first level, where a standard start is drawn from.

        That is the standard deviation of noised data of unit variance: exactly 1 for beta
        schedules; ``sqrt(1 + s^2)`` for Karras', 80.006 where the paper has 80.
        """
        return float(self.levels.signal[0] * np.hypot(1, self.levels.noise[0]))


class Sampler(Protocol):
    """A way of going from level to level; new ones implement `trajectory`."""

    @property
    def name(self) -> str:
        """As :func:`as_sampler` reads it."""
        ...

    @property
    def order(self) -> int:
        """Order of convergence in the number of steps, for fine steps."""
        ...

    @property
    def eta(self) -> float:
        """Part of the reverse SDE's noise that is left for infinitely many steps: 0 is the ODE."""
        ...

    def trajectory(self, levels: NoiseLevels) -> Trajectory:
        """The stages of all steps down `levels`."""
        ...


@dataclass(frozen=True)
class DDPM:
    """Ancestral sampling, with one of the two fixed variances of Ho et al."""

    variance: Literal["small", "large"] = "small"
    order = 1
    eta = 1.0

    def __post_init__(self) -> None:
        if self.variance not in {"small", "large"}:
            raise ValueError(f"DDPM variance is {self.variance!r}, expected 'small' or 'large'")

    @property
    def name(self) -> str:
        """``ddpm`` or ``ddpm:large``."""
        return "ddpm" if self.variance == "small" else "ddpm:large"

    def trajectory(self, levels: NoiseLevels) -> Trajectory:
        """The stages of all steps down `levels`."""
        s, s_next = levels.noise[:-1], levels.noise[1:]
        kept, forward = (s_next / s) ** 2, (s - s_next) * (s + s_next)
        if self.variance == "small":
            return _single_stages(levels, kept, np.sqrt(kept * forward))
        fresh = levels.signal[:-1] / levels.signal[1:] * np.sqrt(forward)
        # The sample is the last mean, without noise.
        fresh[-1] = 0.0
        return _single_stages(levels, kept, fresh)


@dataclass(frozen=True)
class DDIM:
    """Deterministic for ``eta = 0``, ancestral for ``eta = 1``, and all between."""

    eta: float = 0.0
    order = 1

    def __post_init__(self) -> None:
        if not 0 <= self.eta <= 1:
            raise ValueError(f"DDIM eta is {self.eta:g}, expected a number from 0 to 1")

    @property
    def name(self) -> str:
        """``ddim`` or ``ddim:<eta>``."""
        return f"ddim:{self.eta:g}" if self.eta else "ddim"

    def trajectory(self, levels: NoiseLevels) -> Trajectory:
        """The stages of all steps down `levels`."""
        s, s_next = levels.noise[:-1], levels.noise[1:]
        ratio = s_next / s
        # With s' taken out of both roots, neither is of a difference of near numbers.
        root = np.sqrt((1 - self.eta) * (1 + self.eta) + (self.eta * ratio) ** 2)
        fresh = self.eta * ratio * np.sqrt((s - s_next) * (s + s_next))
        return _single_stages(levels, ratio * root, fresh)


@dataclass(frozen=True)
class Euler:
    """Euler's method for the probability-flow ODE, in EDM scaling."""

    name = "euler"
    order = 1
    eta = 0.0

    def trajectory(self, levels: NoiseLevels) -> Trajectory:
        """The stages of all steps down `levels`."""
        ratio = levels.noise[1:] / levels.noise[:-1]
        return _single_stages(levels.edm(), ratio, np.zeros_like(ratio))


@dataclass(frozen=True)
class Heun:
    """Heun's method for the probability-flow ODE, in EDM scaling; the last step is Euler's."""

    name = "heun"
    order = 2
    eta = 0.0

    def trajectory(self, levels: NoiseLevels) -> Trajectory:
        """The stages of all steps down `levels`."""
        euler = Euler().trajectory(levels)
        s, s_next = levels.noise[:-2], levels.noise[1:-1]
        half = 0.5 * s / s_next
        pairs = zip(s_next.tolist(), half.tolist(), strict=True)
        second = [Stage(1.0, noise, 0.5, 1.0 - part, part - 0.5, 0.0) for noise, part in pairs]
        steps = [(*first, again) for first, again in zip(euler.steps, second, strict=False)]
        return Trajectory(euler.levels, (*steps, euler.steps[-1]))


SAMPLERS = ("ddpm", "ddpm:large", "ddim", "ddim:ETA", "euler", "heun")


def as_sampler(sampler: str | Sampler) -> Sampler:
    """Return the sampler of a name, a sampler as it is.

    Raises
    ------
    ValueError
        If there is no sampler of that name.

    Examples
    --------
    >>> as_sampler("ddim:0.5")
    DDIM(eta=0.5)
    """
    if not isinstance(sampler, str):
        return sampler
    name, _, option = sampler.partition(":")
    if name == "ddpm":
        return DDPM(option or "small")  # type: ignore[arg-type]
    if name == "ddim":
        try:
            return DDIM(float(option or 0.0))
        except ValueError as error:
            raise ValueError(f"sampler is {sampler!r}: {error}") from None
    if name in {"euler", "heun"} and not option:
        return Euler() if name == "euler" else Heun()
    raise ValueError(f"sampler is {sampler!r}, expected one of {', '.join(SAMPLERS)}")


def denoising_path(
    trajectory: Trajectory,
    start: Any,
    denoise: Callable[[Any, float], Any],
    normal: Callable[[], Any],
) -> Iterator[Any]:
    """Sample, and yield the points after every step; the last ones are the sample.

    Parameters
    ----------
    trajectory : Trajectory
        Of a sampler.
    start : array of any library
        Points at the first level, in the scaling of ``trajectory.levels``.
    denoise : callable (points, noise) -> array
        Estimate of the clean points from ``x_0 + s z`` and the EDM noise ``s``, a float.
    normal : callable () -> array
        Standard normal numbers, of the shape of the points.

    Yields
    ------
    array
        As `start`.
    """
    x = start
    for step in trajectory.steps:
        x_start = x
        for stage in step:
            moved = stage.point * x + stage.denoised * denoise(x / stage.signal, stage.noise)
            if stage.start:
                moved = moved + stage.start * x_start
            if stage.fresh:
                moved = moved + stage.fresh * normal()
            x = moved
        yield x


def _single_stages(levels: NoiseLevels, kept: Array, fresh: Array) -> Trajectory:
    """Write each step ``y' = D + q (y - D) + c z`` as one stage, for points scaled by ``alpha``."""
    signal, next_signal = levels.signal[:-1], levels.signal[1:]
    columns = (
        signal,
        levels.noise[:-1],
        np.zeros_like(kept),
        next_signal / signal * kept,
        next_signal * (1 - kept),
        next_signal * fresh,
    )
    rows = zip(*(column.tolist() for column in columns), strict=True)
    return Trajectory(levels, tuple((Stage(*row),) for row in rows))
