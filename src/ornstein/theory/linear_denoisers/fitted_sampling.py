r"""Samplers of many steps with the denoisers of n points: expected distances to the population.

The denoisers that are best for n points of ``N(m, Sigma)`` are those of ``N(xbar, C)``, so a
sampler generates (:mod:`ornstein.diffusion.affine_propagation`)

    N(phi(C) xbar, f(C)),        f the generated variance of a mode, phi = 1 - tau its mean,

with ``n C`` a Wishart matrix of ``nu = n - 1`` degrees of freedom, and ``xbar = m + Sigma^{1/2}
z / sqrt n`` independent of it: C is the sample covariance of nu points of the population
``(nu/n) Sigma``. r is the rank of Sigma, and all sums are over its modes. In what follows
``<g(C)>`` is a mean over training sets.

**KL.** With ``<(m_G - m)^T Sigma^{-1} (m_G - m)>`` from the mean,

    2 <KL> = <tr Sigma^{-1} f(C)> - r - <ln det f(C)> + ln det Sigma + mean,
    mean = (1/n) tr <phi Sigma^{-1} phi> Sigma + m^T <tau Sigma^{-1} tau> m.

The first is a sum over modes with its order 1, the mean a contour integral over two resolvents
(:mod:`ornstein.theory.random_matrices.resolvent_contours`); and ``ln det f(C) = ln det C + ln det
(f(C)/C)``, of which the first is known exactly and the second is a linear statistic. The total is
right to o(1) nats. For ``nu < r`` it is infinite, unless a ridge fills the missing directions.

Wasserstein and Hellinger are in :mod:`ornstein.theory.linear_denoisers.fitted_distances`.
The distance to the law of infinitely many steps, of the same points, is a linear statistic.

At ``nu = r`` the least eigenvalue of C has its density at 0, and the terms of order 1 diverge like
``ln(1 - r/nu)``. They are taken at ``nu = r + 0.3`` then, where they agree with simulations of
d = 5 to 50 within 3%.

References
----------
Merger, Goldt, arXiv 2505.24769 (infinitely many steps). The distances at every number of steps are
this project's own derivation.
"""

from __future__ import annotations

__all__ = ["FittedSampler", "FittedLaw", "Function"]

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.diffusion.affine_propagation import generated_modes, limit_response, sampler_response
from ornstein.theory.random_matrices.resolvent_contours import resolvent_contour
from ornstein.theory.random_matrices.spectral_averages import spectral_averages
from ornstein.theory.random_matrices.wishart import wishart_kl
from ornstein.validation import as_count

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import NDArray

    from ornstein.diffusion.affine_propagation import GeneratedModes, Start
    from ornstein.diffusion.samplers import Sampler
    from ornstein.diffusion.schedules import Schedule
    from ornstein.theory.random_matrices.resolvent_contours import ResolventContour
    from ornstein.theory.random_matrices.spectral_averages import SpectralAverages

    Array = NDArray[np.float64]

_COMPLEX_STEP = 1e-30
_SQUARE = 0.3


class Function(NamedTuple):
    """A function of the eigenvalues of C: values and slopes at the nodes, and its value at 0."""

    values: Array
    slopes: Array
    at_zero: float

    @classmethod
    def of(cls, function: Callable[[Any], Any], nodes: Array) -> Function:
        """Evaluate an analytic function."""
        return cls.stepped(function(_stepped(nodes)), function(np.zeros(1)), nodes)

    @classmethod
    def stepped(cls, values: Any, at_zero: Any, nodes: Array) -> Function:
        """From values at nodes with an imaginary step, which gives slopes to the last digit."""
        return cls(values.real, values.imag / (nodes * _COMPLEX_STEP), float(at_zero[0]))


def _stepped(nodes: Array) -> Any:
    return nodes * (1 + 1j * _COMPLEX_STEP)


@dataclass(frozen=True, eq=False)
class FittedSampler:
    """A sampler with the best denoisers of n points, on average over the points.

    Parameters
    ----------
    spectrum, mean : ndarray of shape (dim,)
        Eigenvalues of the population covariance, one or more > 0, and its mean along the
        eigenvectors.
    n_train : int
        Number of training points n >= 2.
    sampler : Sampler
    schedule : Schedule
    start : {"standard", "marginal"}
        Law of the first point.
    ridge : float
        Variance added to every direction of C, in squared data units.
    """

    spectrum: Array
    mean: Array
    n_train: int
    sampler: Sampler
    schedule: Schedule
    start: Start = "standard"
    ridge: float = 0.0

    @cached_property
    def rank(self) -> int:
        """Number r of eigenvalues > 0."""
        return int(np.count_nonzero(self.spectrum))

    @property
    def scale(self) -> float:
        """``nu / n``, by which the mean of C is less than Sigma."""
        return 1 - 1 / self.n_train

    @property
    def degrees(self) -> float:
        """Degrees of freedom nu of C."""
        nu = self.n_train - 1
        return nu + _SQUARE if nu == self.rank else float(nu)

    @cached_property
    def averages(self) -> SpectralAverages:
        """Over the spectrum of C."""
        return spectral_averages(self.scale * self.spectrum, self.degrees)

    @cached_property
    def contour(self) -> ResolventContour:
        """Around the spectrum of C."""
        return resolvent_contour(self.scale * self.spectrum, self.degrees)

    def law(self, n_steps: float) -> FittedLaw:
        """What it generates in `n_steps` steps; ``inf`` is the limit."""
        return FittedLaw(self, self._modes(n_steps))

    def discretization_squared(self, n_steps: float) -> float:
        """``E W_2^2`` between the laws of `n_steps` and of infinitely many steps, same points."""
        law, limit = self._modes(n_steps), self._modes(np.inf)

        def apart(x: Any) -> Any:
            return (np.sqrt(law(x).variance) - np.sqrt(limit(x).variance)) ** 2

        def moved(x: Any) -> Any:
            return (law(x).mean_fraction - limit(x).mean_fraction) ** 2

        nodes = self.averages.nodes
        shift = Function.of(moved, nodes)
        weights = self.mean**2 + self.spectrum / self.n_train
        spread = self.averages.total(*Function.of(apart, nodes))
        return spread + float(self.averages.by_mode(shift.values, shift.at_zero) @ weights)

    def log_det(self, function: Function) -> float:
        """``E ln det f(C)`` over the modes of the population, f(0) = 0 or no rank missing."""
        values, slopes, at_zero = function
        if at_zero > 0:
            return self.averages.total(np.log(values), slopes / values, float(np.log(at_zero)))
        x, kept = self.averages.nodes, self.spectrum > 0
        deficit = 2 * float(wishart_kl(self.rank, self.n_train - 1).generated_population)
        exact = float(np.log(self.scale * self.spectrum[kept]).sum()) - deficit
        return exact + self.averages.total(np.log(values / x), slopes / values - 1 / x)

    def _modes(self, n_steps: float) -> Callable[[Any], GeneratedModes]:
        if np.isposinf(n_steps):
            ends = self.schedule.noise_range()
            first = ends.signal, ends.noise_std

            def respond(variance: Any) -> GeneratedModes:
                response = limit_response(ends, variance, self.sampler.eta)
                return generated_modes(response, *first, variance, self.start)

        else:
            trajectory = self.sampler.trajectory(self.schedule.levels(as_count(n_steps, "n_steps")))
            first = trajectory.levels.signal[0], trajectory.levels.noise_std[0]

            def respond(variance: Any) -> GeneratedModes:
                response = sampler_response(trajectory, variance)
                return generated_modes(response, *first, variance, self.start)

        return lambda eigenvalue: respond(eigenvalue + self.ridge)


@dataclass(frozen=True, eq=False)
class FittedLaw:
    """What a :class:`FittedSampler` generates.

    Attributes
    ----------
    model : FittedSampler
    modes : callable
        Generated mean and variance, from eigenvalues of C.
    """

    model: FittedSampler
    modes: Callable[[Any], GeneratedModes]

    @cached_property
    def _functions(self) -> tuple[Function, Function]:
        nodes = self.model.averages.nodes
        at_nodes, at_zero = self.modes(_stepped(nodes)), self.modes(np.zeros(1))
        return (
            Function.stepped(at_nodes.variance, at_zero.variance, nodes),
            Function.stepped(1 - at_nodes.mean_fraction, 1 - at_zero.mean_fraction, nodes),
        )

    @property
    def variance(self) -> Function:
        """Generated variance f."""
        return self._functions[0]

    @property
    def tau(self) -> Function:
        """Part of the deviation of the first point's mean that is left, ``1 - phi``."""
        return self._functions[1]

    @property
    def singular(self) -> bool:
        """Whether it and the population live on different subspaces."""
        model = self.model
        if self.variance.at_zero > 0:
            return model.rank < model.spectrum.size
        return model.n_train - 1 < model.rank

    def kl(self) -> float:
        """``E KL(generated || population)``, total, in nats."""
        if self.singular:
            return np.inf
        model, contour = self.model, self.model.contour
        kept = model.spectrum > 0
        spectrum = model.spectrum[kept]
        values, _, at_zero = self.variance
        on_contour = self.modes(contour.nodes)
        trace = (model.averages.by_mode(values, at_zero)[kept] / spectrum).sum()
        trace += model.scale * contour.inverse_trace_correction(on_contour.variance - at_zero)
        log_ratio = model.log_det(self.variance) - np.log(spectrum).sum()
        # What the start leaves of m, and what of the error of xbar is not lost.
        left = self.tau.at_zero
        once, twice = contour.sandwich(1 - on_contour.mean_fraction - left)
        lost = (left**2 + 2 * left * once[kept]) / spectrum + model.scale * twice[kept]
        passed = (1 - 2 * (left + once[kept])) / spectrum + lost
        mean = spectrum @ passed / model.n_train + model.mean[kept] ** 2 @ lost
        return float(0.5 * (trace - model.rank - log_ratio + mean))
