r"""What n points make of a noise: the curve of renormalised noise, also for a finite population.

Sample covariance C of n points, ``nu = n - 1`` (the mean is fitted), of a population with
eigenvalues ``lambda_k`` whose rows may have unequal sizes (:mod:`~ornstein.forecasting.row_sizes`).
In resolvents C at the noise variance v acts as the population does at ``kappa >= v``,

    v (C + v)^{-1}  ~  kappa (Sigma + kappa)^{-1},       v = kappa rho(df1/nu),
    df1 = sum_k lambda_k/(lambda_k + kappa),             E tau/(rho + tau c) = 1  defines rho(c),

``rho = 1 - c`` for equal rows, which is equation (*) of
:mod:`ornstein.theory.linear_denoisers.effective_noise`. Given kappa, v is explicit: so everything
here is a function of kappa, and integrals over v are integrals over kappa.

**Drawn without replacement from N points**, whose sample covariance has these eigenvalues. For
Gaussian points the whitened rows are a random frame, and C is a corner of a rotated matrix. Its
free compression is the same curve with

    v = kappa rho(df1/nu) / rho(df1/nu_N),        nu_N = N - 1.

``nu = nu_N`` gives ``kappa = v``: all points are the population. (With unequal rows this is what
two samplings in a row, of N from the law and of n from it, say on average.)

**Order 1.** ``E sum ln(x + v)`` over the eigenvalues x of C is ``1/2 ln dv/dkappa`` more (for n of
Gaussian points and v = 0: ``1/2 ln(1 - d/nu)``, minus the same of N), of relative order 1/d.

**Roots.** From ``int_0^inf ln(1 + x/t^2) dt = pi sqrt x`` and an integration by parts,

    E sum sqrt x_i = (2/pi) int t(kappa) sum_k lambda_k/(lambda_k + kappa)^2 dkappa
                     + (1/pi) int 1/2 ln(dv/dkappa) dt,              t = sqrt v,
    E (C^{1/2})_kk = (2/pi) int t(kappa) lambda_k/(lambda_k + kappa)^2 dkappa.

With ``kappa = kappa_0 + e^y`` the integrands are smooth and decay, and the trapezoidal rule
converges exponentially.

References
----------
This project. Silverstein, "Strong convergence of the empirical distribution of eigenvalues", 1995;
Nica, Speicher, "On the multiplication of free N-tuples", 1996 (compression); El Karoui, Ann. Appl.
Probab. 19 (2009) (unequal rows); Bai, Silverstein, Ann. Probab. 32 (2004) (order 1).
"""

from __future__ import annotations

__all__ = ["NoiseCurve", "Place"]

import math
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.forecasting.row_sizes import RowSizes

    Array = NDArray[np.float64]

_STEP, _MARGIN, _FULL, _POLISH = 0.2, 30.0, 1e-13, 5


class Place(NamedTuple):
    """Points of the curve, arrays of one shape."""

    kappa: Array
    noise: Array
    """v."""
    elasticity: Array
    """``d ln v / d ln kappa``, at least 1."""
    df1: Array
    overlap: Array
    """``sum lambda kappa / (lambda + kappa)^2``."""


class NoiseCurve:
    """The curve between v and kappa for the sample covariance of n points.

    Parameters
    ----------
    eigenvalues : ndarray of shape (dim,)
        Of the population, >= 0, at least one > 0.
    dof : float
        ``nu > 0``.
    rows : RowSizes
    population_dof : float
        ``nu_N``; by default the population is infinite.
    """

    def __init__(
        self, eigenvalues: Array, dof: float, rows: RowSizes, population_dof: float = math.inf
    ) -> None:
        positive = eigenvalues[eigenvalues > 0]
        self.values, self.counts = np.unique(positive, return_counts=True)
        self.dof, self.population_dof, self.rows = dof, population_dof, rows
        self.rank = positive.size
        self.floor = self._least() if dof < self.rank else 0.0

    def at(self, above: Array) -> Place:
        """Points at ``kappa = floor + above``."""
        kappa = self.floor + above
        denominator = self.values + kappa[..., None]
        df1 = (self.values / denominator) @ self.counts
        overlap = (self.values * kappa[..., None] / denominator**2) @ self.counts
        # ln rho has the slope  -(rho'/rho) overlap/nu  in ln kappa.
        rho, slope = self._shrinkage(df1, self.dof, above)
        elasticity = 1.0 - slope * overlap / (self.dof * rho)
        if math.isfinite(self.population_dof):
            of_all, slope = self._shrinkage(df1, self.population_dof, above)
            elasticity = elasticity + slope * overlap / (self.population_dof * of_all)
            rho = rho / of_all
        return Place(kappa, kappa * rho, elasticity, df1, overlap)

    def equivalent(self, noise: Array) -> Place:
        """Points of these noise variances v > 0."""
        place = self._whole
        logs = np.log(self._above)
        y = np.interp(np.log(noise), np.log(place.noise), logs)
        for _ in range(_POLISH):
            found = self.at(np.exp(y))
            slope = found.elasticity * np.exp(y) / found.kappa
            y = np.clip(y - (np.log(found.noise) - np.log(noise)) / slope, logs[0], logs[-1])
        return self.at(np.exp(y))

    def root_trace(self) -> float:
        """``E sum sqrt x_i`` over the eigenvalues of C, with its order 1."""
        place, weight = self._nodes()
        root = np.sqrt(place.noise)
        leading = (root * place.overlap / place.kappa) @ weight * 2.0 / math.pi
        slope = place.elasticity * place.noise / place.kappa
        order_one = (0.25 * np.log(slope) * slope / root) @ weight / math.pi
        return float(leading + order_one)

    def root_modes(self, eigenvalues: Array) -> Array:
        """``E (C^{1/2})_kk`` of modes, shape (dim,)."""
        place, weight = self._nodes()
        kernel = eigenvalues[:, None] / (eigenvalues[:, None] + place.kappa) ** 2
        return kernel @ (np.sqrt(place.noise) * weight) * 2.0 / math.pi

    @cached_property
    def _above(self) -> Array:
        """``kappa - kappa_0`` of points over the whole curve."""
        top = float(self.values[-1])
        low = math.log(max(float(self.values[0]), 1e-14 * top)) - _MARGIN
        count = int((math.log(top) + _MARGIN - low) / _STEP) + 1
        return np.exp(low + _STEP * np.arange(count))

    @cached_property
    def _whole(self) -> Place:
        return self.at(self._above)

    def _nodes(self) -> tuple[Place, Array]:
        """Points over the whole curve, and ``d kappa``."""
        return self._whole, self._above * _STEP

    def _shrinkage(self, df1: Array, dof: float, above: Array) -> tuple[Array, Array]:
        load = df1 / dof
        if dof == self.dof and self.floor > 0:
            # 1 - load, from kappa_0 on, without cancellation.
            gap = self.values / (self.values + self.floor)
            room = above * (gap / (self.values + self.floor + above[..., None]) @ self.counts)
            load = 1.0 - room / dof
            if self.rows.nodes.size == 1:
                return room / dof, np.full_like(load, -1.0)
        elif self.rows.nodes.size == 1:
            kept = (above + self.floor)[..., None] / (self.values + self.floor + above[..., None])
            return (dof - self.rank + kept @ self.counts) / dof, np.full_like(load, -1.0)
        return self.rows.shrinkage(np.minimum(load, 1.0 - _FULL))

    def _least(self) -> float:
        """``kappa_0``, where ``df1 = nu``, for fewer points than directions."""
        low = math.log(float(self.values[0])) - 60.0
        high = math.log(float(self.values @ self.counts) / self.dof) + 1.0
        for _ in range(200):
            middle = 0.5 * (low + high)
            if float((self.values / (self.values + math.exp(middle))) @ self.counts) > self.dof:
                low = middle
            else:
                high = middle
        return math.exp(high)
