r"""Noise levels for few steps, from the spectrum of the data.

**One variance.** A step of Euler's method (and of DDIM) from noise s to s' multiplies a deviation
from the mean in a mode of variance lambda by ``(lambda + s s') / (lambda + s^2)``. With the angles
``theta = arctan(s / sqrt(lambda))`` that is

    cos(theta - theta') cos(theta) / cos(theta'),

and the exact solution of the ODE is the same without the first factor. So S steps from the noised
law at ``s_T`` to that at ``s_0`` leave of its standard deviation

    q = prod_i cos(theta_i - theta_{i+1}) <= cos(Theta/S)^S,        Theta = theta_T - theta_0,

with equality for equal angles, the *tangent law* ``s_i = sqrt(lambda) tan(theta_i)``: no grid is
better, and ``KL = (q^2 - 1 - 2 ln q)/2`` is exact. The last noise may be 0: a step there is a step.

**A spectrum.** The grid of least ``sum_k (q_k^2 - 1 - 2 ln q_k)/2`` is found in two moves. For many
steps ``-2 S ln q_k`` tends to ``a_k = int lambda_k s'(u)^2 / (lambda_k + s^2)^2 du`` along the grid
``s(u)``, and KL to ``sum_k a_k^2 / (4 S^2)``, which is least where

    s'(u)^2 sum_k a_k lambda_k / (lambda_k + s^2)^2        is constant:

levels at equal distances of a metric that contains the a_k, found by iteration. From there, or from
the best tangent law if that is better, the exact KL is lowered by BFGS in the logarithms of the
distances between levels: the levels keep their order, and the result is never worse than either.

In general a mode counts as ``(c_k q_k^2 - b_k - 2 b_k ln q_k)/2``: b is how often a variance
occurs, and c differs from b where the variance that the sampler aims at is not that of the
population, as for a denoiser that was fitted on few points.

References
----------
Sun, Poor, Zhang, arXiv 2601.13602 (a tangent law). The exact statement, and grids for a spectrum,
are this project's own. Karras, Aittala, Aila, Laine, arXiv 2206.00364 (what it is compared with).
"""

from __future__ import annotations

__all__ = [
    "tangent_noises",
    "Modes",
    "grid_loss",
    "optimal_noises",
    "TangentSchedule",
    "LogSchedule",
    "NoiseGrid",
]

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import minimize, minimize_scalar

from ornstein.diffusion.schedules import NoiseLevels, NoiseRange
from ornstein.validation import as_count, as_positive

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_FINE, _ROUNDS, _CANDIDATES = 2000, 60, 40
_BFGS = {"maxiter": 400, "ftol": 1e-12, "gtol": 1e-12, "maxcor": 20}


def tangent_noises(
    n_steps: int, variance: float = 1.0, smallest: float = 0.0, largest: float = 80.0
) -> Array:
    """Noises ``sqrt(variance) tan(theta_i)``, theta equally spaced: the best for one variance.

    Parameters
    ----------
    n_steps : int
        Number of steps S.
    variance : float
        ``lambda`` > 0, in squared data units.
    smallest, largest : float
        Last and first noise, ``0 <= smallest < largest``, in data units.

    Returns
    -------
    ndarray of shape (n_steps + 1,)
        Falling, with both ends as given.

    Raises
    ------
    ValueError
        If a parameter is outside its range.

    Examples
    --------
    >>> tangent_noises(4)
    array([80. ,  2.351615,  0.987578,  0.410557,  0. ])
    """
    root = float(np.sqrt(as_positive(variance, "variance")))
    low, high = _ends(smallest, largest)
    # Angles from the far end: those near pi/2 keep their digits.
    top, bottom = np.arctan2(root, high), np.arctan2(root, low)
    fraction = np.arange(as_count(n_steps, "n_steps") + 1) / n_steps
    noises = root / np.tan(top + (bottom - top) * fraction)
    noises[0], noises[-1] = high, low
    return noises


class Modes(NamedTuple):
    """What a grid is made for, as arrays of shape (n_modes,)."""

    variances: Array
    """Distinct variances lambda > 0, in squared data units."""
    counts: Array
    """b: how often each occurs."""
    targets: Array
    """c: the same times variance aimed at, over that of the population."""

    @classmethod
    def of(cls, eigenvalues: Array) -> Modes:
        """Those of a spectrum, where eigenvalues 0 need no steps."""
        values, counts = np.unique(eigenvalues[eigenvalues > 0], return_counts=True)
        return cls(values, counts.astype(np.float64), counts.astype(np.float64))


def grid_loss(noises: Array, modes: Modes) -> float:
    """``sum (c q^2 - b - 2 b ln q) / 2`` of Euler's method on a grid, in nats.

    For ``c = b`` the divergence of what it makes of the noised law at the first noise from the
    noised law at the last one.

    Examples
    --------
    >>> grid_loss(tangent_noises(10, smallest=0.002), Modes.of(np.ones(1)))
    0.01365627
    """
    return _loss_and_slopes(noises, modes)[0]


def optimal_noises(
    modes: Modes, n_steps: int, smallest: float = 0.002, largest: float = 80.0
) -> Array:
    """The grid of least loss that is found; for one variance, the tangent law.

    Parameters
    ----------
    modes : Modes
    n_steps, smallest, largest
        As for `tangent_noises`, which raises the same errors.

    Returns
    -------
    ndarray of shape (n_steps + 1,)
        Falling, with both ends as given.
    """
    low, high = _ends(smallest, largest)
    steps = as_count(n_steps, "n_steps")
    if not modes.variances.size:
        return tangent_noises(steps, 1.0, low, high)
    if modes.variances.size == 1 and (modes.targets == modes.counts).all():
        return tangent_noises(steps, float(modes.variances[0]), low, high)
    variance, tangent = _best_tangent(modes, steps, low, high)
    if steps == 1:
        return tangent
    equal = _equal_distances(modes, steps, low, high)
    start = min((tangent, equal), key=lambda noises: grid_loss(noises, modes))
    return _lowered(start, modes, variance)


@dataclass(frozen=True)
class TangentSchedule:
    """Levels ``x_0 + s z`` of the grid that is best for a spectrum.

    Parameters
    ----------
    variances : tuple of float
        Eigenvalues of the data covariance, in squared data units.
    smallest, largest : float
        Last noise before the clean end, and first one. For ``smallest = 0`` the last step goes to
        0 by the law; otherwise it is a jump, as in Karras' schedule.

    Examples
    --------
    >>> TangentSchedule((1.0,)).levels(4).noise.round(3).tolist()
    [80.0, 2.352, 0.988, 0.411, 0.0]
    """

    variances: tuple[float, ...] = (1.0,)
    smallest: float = 0.0
    largest: float = 80.0

    def __post_init__(self) -> None:
        as_positive(self.variances, "variances", zero=True)
        _ends(self.smallest, self.largest)

    @property
    def name(self) -> str:
        """``tangent``."""
        return "tangent"

    def levels(self, n_steps: int) -> NoiseLevels:
        """Levels of a sampler of `n_steps` steps."""
        steps = as_count(n_steps, "n_steps")
        if self.smallest == 0:
            noise = _noises(self, steps)
        elif steps == 1:
            noise = np.array([self.largest, 0.0])
        else:
            noise = np.append(_noises(self, steps - 1), 0.0)
        return NoiseLevels(np.ones_like(noise), noise)

    def noise_range(self) -> NoiseRange:
        """The largest and the smallest noise."""
        return NoiseRange(1.0, self.largest, self.smallest)


@dataclass(frozen=True)
class LogSchedule:
    """Levels ``x_0 + s z`` at noises of equal ratio, and a last jump to 0.

    Parameters
    ----------
    smallest, largest : float
        Last noise before the clean end, and first one; ``0 < smallest < largest``.

    Examples
    --------
    >>> LogSchedule(0.01, 100.0).levels(3).noise.round(3).tolist()
    [100.0, 1.0, 0.01, 0.0]
    """

    smallest: float = 0.002
    largest: float = 80.0

    def __post_init__(self) -> None:
        as_positive(self.smallest, "smallest")
        _ends(self.smallest, self.largest)

    @property
    def name(self) -> str:
        """``log``."""
        return "log"

    def levels(self, n_steps: int) -> NoiseLevels:
        """Levels of a sampler of `n_steps` steps."""
        noise = np.geomspace(self.largest, self.smallest, as_count(n_steps, "n_steps"))
        noise[0] = self.largest
        return NoiseLevels(np.ones(noise.size + 1), np.append(noise, 0.0))

    def noise_range(self) -> NoiseRange:
        """The largest and the smallest noise."""
        return NoiseRange(1.0, self.largest, self.smallest)


@dataclass(frozen=True)
class NoiseGrid:
    """Levels ``x_0 + s z`` at given noises, for one number of steps.

    Parameters
    ----------
    noises : tuple of float
        Falling, in data units. If the last one is not 0, a last step goes from it to 0.

    Examples
    --------
    >>> len(NoiseGrid((80.0, 1.0, 0.1)).levels(3))
    3
    """

    noises: tuple[float, ...]

    def __post_init__(self) -> None:
        given = tuple(float(noise) for noise in self.noises)
        object.__setattr__(self, "noises", given)
        self._levels()

    @property
    def name(self) -> str:
        """``grid``."""
        return "grid"

    def levels(self, n_steps: int) -> NoiseLevels:
        """Its levels, if that is its number of steps."""
        levels = self._levels()
        if as_count(n_steps, "n_steps") != len(levels):
            raise ValueError(
                f"n_steps is {n_steps}, expected {len(levels)}, the number of steps of the noises "
                "given; make a grid for each number of steps"
            )
        return levels

    def noise_range(self) -> NoiseRange:
        """The first and the last noise."""
        return NoiseRange(1.0, self.noises[0], self.noises[-1])

    def _levels(self) -> NoiseLevels:
        noise = np.array(self.noises)
        noise = noise if noise.size and noise[-1] == 0 else np.append(noise, 0.0)
        return NoiseLevels(np.ones_like(noise), noise)


@lru_cache(maxsize=256)
def _noises(schedule: TangentSchedule, n_steps: int) -> Array:
    modes = Modes.of(np.array(schedule.variances, dtype=np.float64))
    return optimal_noises(modes, n_steps, schedule.smallest, schedule.largest)


def _ends(smallest: float, largest: float) -> tuple[float, float]:
    low = float(as_positive(smallest, "smallest noise", zero=True))
    high = float(as_positive(largest, "largest noise"))
    if low >= high:
        raise ValueError(
            f"smallest noise {low:g} and largest {high:g}: expected smallest < largest"
        )
    return low, high


def _loss_and_slopes(noises: Array, modes: Modes) -> tuple[float, Array]:
    """The loss, and its derivative with respect to each noise."""
    lam = modes.variances[:, None]
    s, s_next = noises[:-1], noises[1:]
    # tan(theta - theta') of each step.
    tangent = np.sqrt(lam) * (s - s_next) / (lam + s * s_next)
    log_q = -0.5 * np.log1p(tangent**2).sum(-1)
    squared = np.exp(2 * log_q)
    # c q^2 - b - 2 b ln q without the difference of near numbers.
    loss = modes.counts * (np.expm1(2 * log_q) - 2 * log_q)
    loss += (modes.targets - modes.counts) * squared
    slope = modes.targets * squared - modes.counts
    turn = slope[:, None] * tangent
    angle = np.sqrt(lam) / (lam + noises**2)
    slopes = np.zeros_like(noises)
    slopes[:-1] -= (turn * angle[:, :-1]).sum(0)
    slopes[1:] += (turn * angle[:, 1:]).sum(0)
    return float(0.5 * loss.sum()), slopes


def _equal_distances(modes: Modes, steps: int, low: float, high: float) -> Array:
    """Levels at equal distances of the self-consistent metric of many steps."""
    lam = modes.variances
    finest = max(low, 1e-3 * min(float(np.sqrt(lam[0])), high))
    fine = np.geomspace(high, finest, _FINE)
    fine = fine if low == finest else np.append(fine, low)
    middle, step = 0.5 * (fine[1:] + fine[:-1]), fine[:-1] - fine[1:]
    each = lam[:, None] / (lam[:, None] + middle**2) ** 2
    lengths, root = np.ones_like(lam), np.ones_like(step)
    for _ in range(_ROUNDS):
        root = np.sqrt((modes.counts * lengths) @ each)
        # The root of old and new: lengths alone would overshoot.
        lengths = np.sqrt(lengths * (root @ step) * ((each / root) @ step))
    distance = np.append(0.0, np.cumsum(root * step))
    noises = np.interp(np.arange(steps + 1) / steps * distance[-1], distance, fine)
    noises[0], noises[-1] = high, low
    return noises


def _best_tangent(modes: Modes, steps: int, low: float, high: float) -> tuple[float, Array]:
    """The best of all tangent laws: its variance, and its noises."""

    def loss(log_variance: float) -> float:
        return grid_loss(tangent_noises(steps, float(np.exp(log_variance)), low, high), modes)

    ends = np.log(modes.variances[[0, -1]])
    candidates = np.linspace(ends[0] - 1, ends[1] + 1, _CANDIDATES)
    best = min(candidates.tolist(), key=loss)
    width = float(candidates[1] - candidates[0])
    found = minimize_scalar(loss, bounds=(best - width, best + width), method="bounded")
    variance = float(np.exp(min((best, float(found.x)), key=loss)))
    return variance, tangent_noises(steps, variance, low, high)


def _lowered(start: Array, modes: Modes, variance: float) -> Array:
    """Lower the exact loss from a grid, moving the shares of the angle that each step takes."""
    root = np.sqrt(variance)
    angles = np.arctan2(root, start)
    length = angles[-1] - angles[0]

    def grid(logits: Array) -> tuple[Array, Array]:
        shares = np.exp(logits - logits.max())
        shares /= shares.sum()
        noises = root / np.tan(angles[0] + length * np.append(0.0, np.cumsum(shares)))
        noises[0], noises[-1] = start[0], start[-1]
        return noises, shares

    def loss(logits: Array) -> tuple[float, Array]:
        noises, shares = grid(logits)
        value, slopes = _loss_and_slopes(noises, modes)
        turned = -slopes * (variance + noises**2) / root * length
        # A share moves all levels after it, but not the last.
        moved = np.append(np.cumsum(turned[1:-1][::-1])[::-1], 0.0)
        return value, shares * (moved - shares @ moved)

    first = np.log(np.diff(angles) / length)
    found = minimize(loss, first, jac=True, method="L-BFGS-B", options=_BFGS)
    noises, _ = grid(found.x)
    falling = bool((np.diff(noises) < 0).all())
    return noises if falling and grid_loss(noises, modes) < grid_loss(start, modes) else start
