r"""Noise schedules: the noise levels of a sampler, from the first step to the last.

A sampler of S steps has ``S + 1`` levels ``(alpha_i, s_i)``. The noise falls from level to level,
to exactly 0. At level i the noised point is

    x = alpha_i (x_0 + s_i z),        sigma_i = alpha_i s_i.

In code, `noise` is always ``s``, the EDM noise, which is the common clock of
:mod:`ornstein.processes`; `noise_std` is always ``sigma``, the standard deviation of the noise in
``x``.

*Beta schedules* (Ho et al.) noise in T diffusion steps k = 0 .. T-1, with the conventions of
diffusers' ``DDPMScheduler``,

    abar_k = prod_{j <= k} (1 - beta_j),    alpha_k = sqrt(abar_k),    s_k^2 = 1/abar_k - 1,

and variance 1 is preserved: ``alpha^2 + sigma^2 = 1``. ``beta`` grows linearly, or its root does
(``scaled_linear``), or ``abar = cos^2`` of a linear function (``cosine``, Nichol and Dhariwal).
With the usual 1e-4 .. 0.02, ``abar_{T-1}`` is 4e-5 for T = 1000, but 0.13 for T = 200: there the
noised data are still far from N(0, I), where sampling starts.

Fewer sampling steps than diffusion steps take a subset of them. ``trailing``, the default, starts
at the last diffusion step, whatever S is. ``leading`` starts up to ``T/S`` steps before it, at a
noise where N(0, I) is not the law of the noised data (Lin et al.). ``linspace`` contains the first
and the last diffusion step; for S = 1 it is the first alone, where there is almost no noise.

*Karras schedules* (EDM) set ``alpha = 1`` and space ``s^(1/rho)`` evenly between two noises; grids
made for the spectrum of the data are in :mod:`ornstein.diffusion.grids`.

References
----------
Ho, Jain, Abbeel, "Denoising diffusion probabilistic models", arXiv 2006.11239. Nichol, Dhariwal,
"Improved denoising diffusion probabilistic models", arXiv 2102.09672, eq. 17. Karras, Aittala,
Aila, Laine, "Elucidating the design space of diffusion-based generative models", arXiv 2206.00364,
eq. 5. Lin, Liu, Li, Yang, "Common diffusion noise schedules and sample steps are flawed",
arXiv 2305.08891, table 2.
"""

from __future__ import annotations

__all__ = [
    "NoiseLevels",
    "NoiseRange",
    "Schedule",
    "BetaSchedule",
    "KarrasSchedule",
    "as_schedule",
    "SCHEDULES",
    "linear_betas",
    "scaled_linear_betas",
    "cosine_betas",
    "karras_noises",
    "sampling_steps",
    "nearest_step",
]

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

import numpy as np

from ornstein.diffusion.clocks import alpha_bar_from_noise, noise_from_time
from ornstein.validation import as_count, as_positive, as_vector

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_COSINE_OFFSET, _LARGEST_BETA = 0.008, 0.999
_LONGEST = 354.0  # OU time, at which e^{2 t} is still a number


def linear_betas(diffusion_steps: int, beta_start: float = 1e-4, beta_end: float = 0.02) -> Array:
    """``beta_k``, k = 0 .. T-1, evenly spaced from `beta_start` to `beta_end`."""
    start, end = _beta(beta_start, "beta_start"), _beta(beta_end, "beta_end")
    return np.linspace(start, end, as_count(diffusion_steps, "diffusion_steps"))


def scaled_linear_betas(
    diffusion_steps: int, beta_start: float = 1e-4, beta_end: float = 0.02
) -> Array:
    """``beta_k``, k = 0 .. T-1, their square roots evenly spaced."""
    start, end = _beta(beta_start, "beta_start"), _beta(beta_end, "beta_end")
    steps = as_count(diffusion_steps, "diffusion_steps")
    return np.linspace(np.sqrt(start), np.sqrt(end), steps) ** 2


def cosine_betas(diffusion_steps: int) -> Array:
    """``beta_k`` of ``abar(u) = cos^2(pi/2 (u + 0.008)/1.008)``, u = k/T, none above 0.999."""
    steps = as_count(diffusion_steps, "diffusion_steps")
    u = np.arange(steps + 1) / steps
    alpha_bar = np.cos((u + _COSINE_OFFSET) / (1 + _COSINE_OFFSET) * np.pi / 2) ** 2
    return np.minimum(1 - alpha_bar[1:] / alpha_bar[:-1], _LARGEST_BETA)


def karras_noises(
    n_steps: int, smallest: float = 0.002, largest: float = 80.0, rho: float = 7.0
) -> Array:
    """``s_i = (largest^(1/rho) + i/(S-1) (smallest^(1/rho) - largest^(1/rho)))^rho``, falling.

    Examples
    --------
    >>> karras_noises(4)
    array([8.000000e+01, 9.723201e+00, 4.699791e-01, 2.000000e-03])
    """
    low, high = (float(as_positive(smallest, "smallest")), float(as_positive(largest, "largest")))
    if low >= high:
        raise ValueError(
            f"smallest noise {low:g} and largest {high:g}: expected smallest < largest"
        )
    root = 1 / float(as_positive(rho, "rho"))
    noises = np.linspace(high**root, low**root, as_count(n_steps, "n_steps")) ** rho
    # The first and the last exactly as given, not as a root of a power.
    noises[0] = high
    if n_steps > 1:
        noises[-1] = low
    return noises


def sampling_steps(
    diffusion_steps: int,
    n_steps: int,
    spacing: Literal["trailing", "leading", "linspace"] = "trailing",
) -> NDArray[np.int64]:
    """Which of the diffusion steps 0 .. T-1 the S sampling steps are at, falling.

    Raises
    ------
    ValueError
        If there are more sampling steps than diffusion steps, or no such spacing.

    Examples
    --------
    >>> [sampling_steps(1000, 4, spacing).tolist() for spacing in ("trailing", "leading")]
    [[999, 749, 499, 249], [750, 500, 250, 0]]
    """
    total, count = as_count(diffusion_steps, "diffusion_steps"), as_count(n_steps, "n_steps")
    if count > total:
        raise ValueError(
            f"{count} sampling steps of {total} diffusion steps: expected at most {total}; "
            "give more diffusion_steps, or None (null) for a schedule of its own at each number"
        )
    if spacing == "trailing":
        return np.round(total - np.arange(count) * (total / count)).astype(np.int64) - 1
    if spacing == "leading":
        return np.arange(count, dtype=np.int64)[::-1] * (total // count)
    if spacing == "linspace":
        return np.linspace(0, total - 1, count).round().astype(np.int64)[::-1]
    raise ValueError(f"spacing is {spacing!r}, expected 'trailing', 'leading' or 'linspace'")


def nearest_step(noise: ArrayLike, betas: ArrayLike) -> NDArray[np.int64]:
    """Diffusion step whose noise is nearest, in ratio, to EDM noise ``s > 0``.

    A network trained at the steps of a beta schedule is called at these, whatever noises the
    sampler visits.

    Examples
    --------
    >>> nearest_step([0.01, 157.4], linear_betas(1000))
    array([  0, 999])
    """
    known = np.log(_noises(np.asarray(betas, dtype=np.float64)))
    wanted = np.log(as_positive(noise, "noise"))
    return np.searchsorted((known[1:] + known[:-1]) / 2, wanted).astype(np.int64)


@dataclass(frozen=True, eq=False)
class NoiseLevels:
    """Signal ``alpha`` and EDM noise ``s`` at the ``S + 1`` levels of a sampler of S steps.

    Attributes
    ----------
    signal, noise : ndarray of shape (n_steps + 1,)
        `noise` falls strictly, to 0.

    Raises
    ------
    ValueError
        If it does not, or a signal is not > 0.
    """

    signal: Array
    noise: Array

    def __post_init__(self) -> None:
        signal, noise = as_vector(self.signal, "signal"), as_vector(self.noise, "noise")
        as_positive(signal, "signal")
        if signal.size != noise.size or noise.size < 2:
            raise ValueError(
                f"{signal.size} signal and {noise.size} noise level(s): expected as many of both, "
                "2 or more"
            )
        if noise[-1] != 0 or not (np.diff(noise) < 0).all():
            raise ValueError(
                "noise levels do not fall to 0: expected strictly falling, the last one 0"
            )
        object.__setattr__(self, "signal", signal)
        object.__setattr__(self, "noise", noise)

    def __repr__(self) -> str:
        first, last = self.noise[0], self.noise[-2]
        return f"NoiseLevels({len(self)} steps, noise {first:.6g} to {last:.6g}, then 0)"

    def __len__(self) -> int:
        """Number of steps."""
        return self.noise.size - 1

    @property
    def noise_std(self) -> Array:
        """``sigma = alpha s``."""
        return self.signal * self.noise

    def edm(self) -> NoiseLevels:
        """The same noises for points scaled to ``x / alpha = x_0 + s z``."""
        return NoiseLevels(np.ones_like(self.signal), self.noise)


class NoiseRange(NamedTuple):
    """First and last noise level of a schedule, in the limit of infinitely many steps."""

    signal: float
    """``alpha`` of the first level."""
    noise_std: float
    """``sigma`` of the first level."""
    smallest: float
    """EDM noise ``s`` before the last step to 0; 0 if the levels tend to it."""


class Schedule(Protocol):
    """What samplers ask of a schedule."""

    @property
    def name(self) -> str:
        """One word."""
        ...

    def levels(self, n_steps: int) -> NoiseLevels:
        """Levels of a sampler of `n_steps` steps."""
        ...

    def noise_range(self) -> NoiseRange:
        """First and last level for infinitely many steps."""
        ...


@dataclass(frozen=True)
class BetaSchedule:
    """Levels of a variance-preserving process with T diffusion steps.

    Parameters
    ----------
    name : {"linear", "scaled_linear", "cosine"}
        How beta grows.
    diffusion_steps : int or None
        T. None gives every number S of sampling steps a schedule of its own with T = S: with a
        fixed range of beta, more steps then also end at more noise.
    beta_start, beta_end : float
        First and last beta, between 0 and 1; ``cosine`` has its own.
    spacing : {"trailing", "leading", "linspace"}
        Which subset fewer sampling steps take.

    Examples
    --------
    >>> BetaSchedule(diffusion_steps=200).levels(2).noise.round(3).tolist()
    [2.562, 0.812, 0.0]
    """

    name: Literal["linear", "scaled_linear", "cosine"] = "linear"
    diffusion_steps: int | None = 1000
    beta_start: float = 1e-4
    beta_end: float = 0.02
    spacing: Literal["trailing", "leading", "linspace"] = "trailing"

    def betas(self, diffusion_steps: int | None = None) -> Array:
        """``beta_k``, k = 0 .. T-1; T as given here if the schedule leaves it open."""
        total = self.diffusion_steps if diffusion_steps is None else diffusion_steps
        if total is None:
            raise ValueError("the schedule has no diffusion_steps of its own: give them")
        if self.name == "linear":
            return linear_betas(total, self.beta_start, self.beta_end)
        if self.name == "scaled_linear":
            return scaled_linear_betas(total, self.beta_start, self.beta_end)
        if self.name == "cosine":
            return cosine_betas(total)
        raise ValueError(f"schedule {self.name!r}: expected 'linear', 'scaled_linear' or 'cosine'")

    def levels(self, n_steps: int) -> NoiseLevels:
        """Levels at the sampling steps, and a last one without noise."""
        total = n_steps if self.diffusion_steps is None else self.diffusion_steps
        chosen = sampling_steps(total, n_steps, self.spacing)
        noise = _noises(self.betas(total))[chosen]
        signal = np.sqrt(alpha_bar_from_noise(noise))
        return NoiseLevels(np.append(signal, 1.0), np.append(noise, 0.0))

    def noise_range(self) -> NoiseRange:
        """The last diffusion step, and no noise; pure noise for a schedule that grows with S.

        That is the continuous process. No number of steps reaches it: there are at most
        `diffusion_steps` of them, and a schedule that grows with S (other than ``cosine``) goes
        on taking steps of ``beta_start`` at small noise. What is left over is of relative order
        ``beta_start / lambda`` in the variance of a mode: it matters for narrow modes only.
        """
        if self.diffusion_steps is None:
            return NoiseRange(0.0, 1.0, 0.0)
        noise = float(_noises(self.betas())[-1])
        signal = float(np.sqrt(alpha_bar_from_noise(noise)))
        return NoiseRange(signal, signal * noise, 0.0)


@dataclass(frozen=True)
class KarrasSchedule:
    """Levels ``x_0 + s z`` with ``s^(1/rho)`` evenly spaced, and a last step to ``s = 0``.

    Parameters
    ----------
    smallest, largest : float
        Noises of the first and the last but one level, in data units.
    rho : float
        7 in the paper; larger values put more of the steps at small noise.
    """

    smallest: float = 0.002
    largest: float = 80.0
    rho: float = 7.0
    name = "karras"

    def levels(self, n_steps: int) -> NoiseLevels:
        """Levels at the Karras noises, and a last one without noise."""
        noise = np.append(karras_noises(n_steps, self.smallest, self.largest, self.rho), 0.0)
        return NoiseLevels(np.ones_like(noise), noise)

    def noise_range(self) -> NoiseRange:
        """The largest and the smallest noise."""
        return NoiseRange(1.0, self.largest, self.smallest)


SCHEDULES = ("linear", "scaled_linear", "cosine", "karras", "tangent")


def as_schedule(schedule: str | Schedule) -> Schedule:
    """Return a schedule of default parameters for a name, a schedule as it is.

    ``tangent`` is the grid for data of unit variance; ``tangent:V`` for variance V, and
    ``tangent:V,W,..`` for several (:class:`ornstein.diffusion.grids.TangentSchedule`).

    Raises
    ------
    ValueError
        If there is no schedule of that name.

    Examples
    --------
    >>> as_schedule("tangent:0.25,1")
    TangentSchedule(variances=(0.25, 1.0), smallest=0.0, largest=80.0)
    """
    if not isinstance(schedule, str):
        return schedule
    if schedule == "karras":
        return KarrasSchedule()
    name, _, variances = schedule.partition(":")
    if name == "tangent":
        from ornstein.diffusion.grids import TangentSchedule

        try:
            values = tuple(float(value) for value in (variances or "1").split(","))
            return TangentSchedule(values)
        except ValueError as error:
            raise ValueError(f"schedule is {schedule!r}: {error}") from None
    if schedule in SCHEDULES:
        return BetaSchedule(schedule)  # type: ignore[arg-type]
    raise ValueError(f"schedule is {schedule!r}, expected one of {', '.join(SCHEDULES)}")


def _noises(betas: Array) -> Array:
    """EDM noises of a beta schedule, from its OU times: ``1 - abar`` keeps its digits."""
    time = -0.5 * np.cumsum(np.log1p(-betas))
    if time[-1] > _LONGEST:
        raise ValueError(
            f"{betas.size} diffusion steps with betas up to {betas.max():g} leave no signal, "
            "expected fewer: give less diffusion_steps, or smaller betas"
        )
    return noise_from_time(time)


def _beta(value: float, name: str) -> float:
    if not 0 < value < 1:
        raise ValueError(f"{name} is {value:g}, expected a number between 0 and 1")
    return float(value)
