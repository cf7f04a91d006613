r"""What follows from the spectrum for training and sampling at n points.

**Over-shrinkage.** The population's own denoiser keeps ``lambda/(lambda + v)`` of a mode, that of n
points on average ``lambda/(lambda + kappa)``: less. What models of different training sets agree on
when they sample from the same seed is ``(E C^{1/2})_kk``, of variance ``(E C^{1/2})_kk^2``.

**Early stopping.** Full-batch gradient flow of a linear denoiser at the noise v from the start
``W = 1`` (a network that predicts the noise, begun at 0): with ``w(x) = x/(x+v) + (1 - x/(x+v))
e^{-2 tau (x+v)}``,

    E L_test(tau) = sum_k lambda_k E [(1 - w(C))^2]_kk + v sum_k E [w(C)^2]_kk,

by :mod:`ornstein.theory.random_matrices.spectral_averages`: section 8 of ``docs/theory.md`` for any
spectrum. The window is where it is within 1% of its least.
"""

from __future__ import annotations

__all__ = ["Mode", "Stopping", "Sampling", "Collapse", "modes", "stopping", "sampling", "collapse"]

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.forecasting.noise_curve import NoiseCurve
from ornstein.theory import best_steps, collapse_time, sampler_quality, tangent_grid
from ornstein.theory.random_matrices.spectral_averages import spectral_averages

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.forecasting.estimate import Estimate

    Array = NDArray[np.float64]

SHRINKAGE_NOISE, STOPPING_NOISE = 1.0, 0.3
VARIANCE_SHARE = 0.99
"""Sampling is about the leading components that hold this share of the variance."""
_NEAR, _TIMES, _MOST_STEPS, _PLAIN_STEPS = 0.01, 400, 100, 20
_FEW, _ENOUGH = (3, 4, 5, 7, 10, 14, 20, 28, 40, 56, 80), 1.05
_LISTED = (1, 2, 3, 5, 10, 20, 50, 100, 200, 500)


class Mode(NamedTuple):
    """A principal component at n points."""

    component: int
    """Counted from 1, in order of variance."""
    share: float
    """Of the total variance."""
    ideal: float
    """What the population's denoiser keeps of it, at noise level 1."""
    kept: float
    """What the denoiser of n points keeps of it on average."""
    agreed: float
    """Share of its generated variance on which models of different training sets agree."""

    @property
    def over_shrinkage(self) -> float:
        """Share of the ideal that is lost."""
        return 1.0 - self.kept / self.ideal


class Stopping(NamedTuple):
    """When to stop training a linear denoiser, at noise level 0.3; times are ``eta tau``."""

    first: float
    best: float
    last: float
    """The loss is within 1% of its least from first to last; infinite: no need to stop."""
    best_loss: float
    final_loss: float
    """Over the total variance."""


class Sampling(NamedTuple):
    """Steps and grid for the leading components."""

    components: int
    steps: float
    """Of Heun's method on Karras noises with the least expected KL; infinite: the more the
    better."""
    kl: float
    kl_limit: float
    """There, and for infinitely many steps, in nats."""
    enough: float
    """Fewest steps of some that are within 5% of that limit; infinite if none is."""
    grid: tuple[float, ...]
    """Noise levels of the tangent grid for Euler's method (DDIM), in data units."""


class Collapse(NamedTuple):
    """When a model that memorizes falls to single training points."""

    time: float
    """OU time t_C for data of standard deviation 1."""
    noise: float
    """The EDM noise of it, in data units."""


def modes(estimate: Estimate, n: int) -> tuple[Mode, ...]:
    """Some principal components: 1, 2, 3, 5, 10, ... and the last."""
    spectrum, v = estimate.population, SHRINKAGE_NOISE**2
    values = spectrum[spectrum > 0]
    place = NoiseCurve(spectrum, n - 1.0, estimate.rows(v)).equivalent(np.array([v]))
    kappa = float(place.kappa[0])
    roots = NoiseCurve(spectrum, n - 1.0, estimate.rows("consistency")).root_modes(values)
    agreed = np.square(roots) / values
    listed = sorted({*(index for index in _LISTED if index <= values.size), values.size})
    return tuple(
        Mode(
            index,
            float(values[index - 1] / spectrum.sum()),
            float(values[index - 1] / (values[index - 1] + v)),
            float(values[index - 1] / (values[index - 1] + kappa)),
            float(agreed[index - 1]),
        )
        for index in listed
    )


def stopping(estimate: Estimate, n: int) -> Stopping:
    """The window of training times, in units of 1 / (learning rate x mean coordinate variance)."""
    spectrum, v = estimate.population, STOPPING_NOISE**2
    averages = spectral_averages(spectrum, n - 1.0)
    x = averages.nodes
    total, slowest = float(spectrum.sum()), v + float(x.min())
    times = np.geomspace(0.01 / (v + float(x.max())), 20.0 / slowest, _TIMES)

    def loss(tau: float) -> float:
        decay, gone = np.exp(-2.0 * tau * (x + v)), math.exp(-2.0 * tau * v)
        left = v / (x + v) * (1.0 - decay)
        weight = 1.0 - left
        missed = averages.by_mode(np.square(left), (1.0 - gone) ** 2)
        noise = averages.by_mode(np.square(weight), gone**2)
        # Directions without variance are in the noise alone, as atoms at 0.
        return float(spectrum @ missed + v * noise.sum()) / total

    values = np.array([loss(float(tau)) for tau in times])
    final = loss(math.inf)
    best = int(np.argmin(values))
    near = np.flatnonzero(values <= (1.0 + _NEAR) * values[best])
    ends = final <= (1.0 + _NEAR) * values[best]
    return Stopping(
        float(times[near[0]]),
        float(times[best]),
        math.inf if ends else float(times[near[-1]]),
        float(values[best]),
        final,
    )


def sampling(estimate: Estimate, n: int, unit: float) -> Sampling:
    """Best number of steps, and a grid of noise levels."""
    spectrum = estimate.population
    kept = int(np.searchsorted(np.cumsum(spectrum), VARIANCE_SHARE * spectrum.sum())) + 1
    leading = spectrum[: min(kept, int((spectrum > 0).sum()), max(n - 2, 1))]
    found = best_steps(leading, n, "heun", "karras", most=_MOST_STEPS)
    steps = int(found.steps) if math.isfinite(found.steps) else _PLAIN_STEPS
    grid = unit * tangent_grid(leading, min(steps, _PLAIN_STEPS), n_train=n)
    enough = math.inf
    for few in _FEW:
        kl = sampler_quality(leading, few, "heun", "karras", n_train=n).kl
        if kl <= _ENOUGH * found.kl_limit:
            enough = float(few)
            break
    limits = float(found.kl), float(found.kl_limit), enough
    return Sampling(leading.size, float(found.steps), *limits, tuple(grid.tolist()))


def collapse(estimate: Estimate, n: int, unit: float) -> Collapse:
    """The collapse time of n points."""
    time = float(collapse_time(n, estimate.population))
    return Collapse(time, unit * math.sqrt(math.expm1(2.0 * time)))
