"""What a steps study of a linear denoiser computes."""

from __future__ import annotations

__all__ = ["StepsOptions", "ODE", "require_ode", "grid_schedule", "check_samplers"]

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ornstein.data.spectra import read_spectrum
from ornstein.diffusion.grids import LogSchedule, TangentSchedule
from ornstein.diffusion.samplers import as_sampler
from ornstein.diffusion.schedules import BetaSchedule, as_schedule
from ornstein.diffusion.trained_grids import GRIDS
from ornstein.engine.study import check_plan
from ornstein.gaussians import Gaussian
from ornstein.validation import as_count, as_positive

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ornstein.diffusion.samplers import Sampler
    from ornstein.diffusion.schedules import Schedule


ODE = {"euler", "heun"}
"""Samplers whose noise levels a grid gives; the others have those of the process."""


@dataclass(frozen=True)
class StepsOptions:
    """What a steps study of a linear denoiser computes.

    Parameters
    ----------
    train_sizes : tuple of int
        training sizes n >= 2: start:stop:step (stop included) or a comma list
    steps : tuple of int
        numbers of sampling steps S: start:stop:step (stop included) or a comma list; the limit of
        infinitely many is always among the results
    samplers : tuple of str
        any of ddpm, ddpm:large, ddim, ddim:ETA (0 to 1), euler, heun
    dim : int
        dimension d; by default 100, or the number of eigenvalues of the spectrum
    mean : float
        of each coordinate of the population
    std : float
        root of the mean variance of a coordinate, > 0; by default 1, or as the eigenvalues are
    spectrum : str
        population eigenvalues, all > 0: isotropic (the default), power-law:EXPONENT, a comma list
        or a file
    population : str
        isotropic or power-law; spectrum says the same
    exponent : float
        of that power law
    schedule : str
        noise schedule of ddpm and ddim
    ode_schedule : str
        noise schedule of euler and heun
    grid : str
        noise levels of euler and heun: karras (the default), log (equal ratios), tangent (least KL
        for the spectrum of the population)
    diffusion_steps : int
        T of beta schedules, of which S are taken; 0: as many as S
    start : str
        law of the first point: noised centred data of unit variance (standard), or the noised
        training law (marginal)
    ridge : float
        added to the covariance of the denoiser, in squared data units
    originals : int or "n"
        number N of fresh points that Delta compares with; n: as many as training points
    simulations : int
        replicates of each training size
    seed : int
        seed of the study

    Raises
    ------
    ValueError, TypeError
        If a value is out of range, more steps are asked for than the diffusion has, or an option
        has no effect.
    """

    train_sizes: tuple[int, ...] = (50, 150, 400, 1000, 3000)
    steps: tuple[int, ...] = (5, 10, 20, 50, 100, 200, 500, 1000)
    samplers: tuple[str, ...] = ("ddpm", "ddpm:large", "ddim", "euler", "heun")
    dim: int | None = None
    mean: float = 0.0
    std: float | None = None
    spectrum: str | None = None
    population: Literal["isotropic", "power-law"] = "isotropic"
    exponent: float = 1.0
    schedule: Literal["linear", "scaled_linear", "cosine", "karras"] = "linear"
    ode_schedule: Literal["linear", "scaled_linear", "cosine", "karras"] = "karras"
    grid: Literal["tangent", "karras", "log"] | None = None
    diffusion_steps: int = 1000
    start: Literal["standard", "marginal"] = "standard"
    ridge: float = 0.0
    originals: int | Literal["n"] = 10_000
    simulations: int = 100
    seed: int = 0

    def __post_init__(self) -> None:
        check_plan(self)
        if self.dim is not None:
            as_count(self.dim, "dim")
        if self.std is not None:
            as_positive(self.std, "std")
        if self.population not in {"isotropic", "power-law"}:
            raise ValueError(
                f"population is {self.population!r}, expected 'isotropic' or 'power-law'"
            )
        if self.population == "isotropic" and self.exponent != 1.0:
            raise ValueError(
                f"exponent is {self.exponent:g} and population isotropic, where it would have no "
                "effect: give population power-law as well"
            )
        if self.start not in {"standard", "marginal"}:
            raise ValueError(f"start is {self.start!r}, expected 'standard' or 'marginal'")
        for name in ("mean", "exponent"):
            if not math.isfinite(getattr(self, name)):
                raise ValueError(f"{name} is {getattr(self, name):g}, expected a finite number")
        self._choose_spectrum()
        as_positive(self.ridge, "ridge", zero=True)
        as_count(self.diffusion_steps, "diffusion_steps", at_least=0)
        check_samplers(self)
        self._choose_grid()
        for name in self.samplers:
            levels = self.schedule_of(as_sampler(name))
            for count in self.steps:
                levels.levels(count)

    def without_effect(self) -> list[str]:
        """A note on a schedule that no sampler takes, which studies of older versions have too."""
        said = unused_schedule(self.samplers, self.schedule, self.ode_schedule)
        return [] if said is None else [f"{said}."]

    def schedule_of(self, sampler: Sampler) -> Schedule:
        """The schedule that a sampler uses here."""
        ode = sampler.name in ODE
        if ode and self.grid is not None:
            return grid_schedule(self.grid, self.eigenvalues())
        chosen = as_schedule(self.ode_schedule if ode else self.schedule)
        if isinstance(chosen, BetaSchedule):
            return BetaSchedule(chosen.name, self.diffusion_steps or None)
        return chosen

    def eigenvalues(self) -> tuple[float, ...]:
        """Of the population's covariance, in squared data units."""
        return tuple(self.law().covariance.eigenvalues.tolist())

    def law(self) -> Gaussian:
        """The population."""
        assert self.dim is not None
        assert self.std is not None
        if self.spectrum is not None:
            values = read_spectrum(self.spectrum, self.dim)
            return Gaussian(np.full(self.dim, self.mean), values / values.mean() * self.std**2)
        if self.population == "isotropic":
            return Gaussian.isotropic(self.dim, self.mean, self.std)
        return Gaussian.power_law(self.dim, self.exponent, self.mean, self.std)

    def _choose_spectrum(self) -> None:
        """Fill in what the spectrum says; one that `population` can say is kept there."""
        size, scale = 100, 1.0
        if self.spectrum is not None:
            if self.population != "isotropic":
                raise ValueError(
                    "spectrum and population are both given: leave population out, and give "
                    f"spectrum as power-law:{self.exponent:g}"
                )
            text = self.spectrum.strip()
            kind, _, exponent = text.partition(":")
            values = read_spectrum(text, self.dim)
            if values.min() == 0:
                raise ValueError(
                    f"spectrum: {int((values == 0).sum())} of the {values.size} eigenvalues of "
                    f"{text} are 0, expected all > 0: leave out the directions that do not vary"
                )
            object.__setattr__(self, "spectrum", None)
            if kind == "power-law":
                object.__setattr__(self, "population", kind)
                object.__setattr__(self, "exponent", float(exponent))
            elif kind != "isotropic":
                object.__setattr__(self, "spectrum", text)
                size, scale = values.size, math.sqrt(values.mean())
        if self.dim is None:
            object.__setattr__(self, "dim", size)
        if self.std is None:
            object.__setattr__(self, "std", scale)

    def _choose_grid(self) -> None:
        """Refuse a grid without effect; that of Karras is the default, and is not kept."""
        if self.grid not in {None, *GRIDS}:
            raise ValueError(f"grid is {self.grid!r}, expected one of {', '.join(GRIDS)}")
        if self.grid is not None and self.ode_schedule != "karras":
            raise ValueError(
                f"grid is {self.grid!r} and ode_schedule {self.ode_schedule!r}, which has noise "
                "levels of its own: leave one of them out"
            )
        if self.grid is not None:
            require_ode(self.grid, self.samplers)
        if self.grid == "karras":
            object.__setattr__(self, "grid", None)


def require_ode(grid: str, samplers: Sequence[str]) -> None:
    """Raise ValueError if none of the samplers visits the levels of a grid."""
    if not ODE & {as_sampler(name).name for name in samplers}:
        raise ValueError(
            f"grid is {grid!r}, and would have no effect on the samplers "
            f"{', '.join(samplers)}: add euler or heun, or leave grid out"
        )


def unused_schedule(samplers: Sequence[str], schedule: str, ode_schedule: str) -> str | None:
    """Say which schedule was chosen that none of the samplers takes; None if all have an effect."""
    ode = {as_sampler(name).name in ODE for name in samplers}
    shown = ", ".join(samplers)
    if schedule != "linear" and ode == {True}:
        return (
            f"schedule is {schedule!r}, and has no effect on the samplers {shown}: leave it out, "
            "or add ddpm or ddim"
        )
    if ode_schedule != "karras" and ode == {False}:
        return (
            f"ode_schedule is {ode_schedule!r}, and has no effect on the samplers {shown}: leave "
            "it out, or add euler or heun"
        )
    return None


def grid_schedule(grid: str, eigenvalues: tuple[float, ...]) -> Schedule:
    """Noise levels of a grid by name, from 80 down to 0.002 and then to 0."""
    if grid == "tangent":
        return TangentSchedule(eigenvalues, smallest=0.002)
    return LogSchedule() if grid == "log" else as_schedule(grid)


def check_samplers(options: Any) -> None:
    """Validate ``samplers`` and ``steps`` of options.

    Raises
    ------
    ValueError, TypeError
        If there are none, one stands twice, or one does not exist.
    """
    for name in ("train_sizes", "steps", "samplers"):
        entries = getattr(options, name)
        if not entries or len(set(entries)) < len(entries):
            raise ValueError(f"{name} is {entries}, expected one entry or more, none twice")
    for name in options.samplers:
        as_sampler(name)
    for count in options.steps:
        as_count(count, "a number of steps")
