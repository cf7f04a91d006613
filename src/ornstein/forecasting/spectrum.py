r"""The spectrum of the population, estimated from N points.

Sample eigenvalues are spread more than those of the population: as predictors of what n points will
do they mislead (at N = 4 d the number of points for a given Wasserstein distance comes out 10% low,
at N = d half). What is known without bias is the curve between noise and renormalised noise
(:mod:`~ornstein.forecasting.noise_curve`): with sample eigenvalues ``l_i``, at every noise v,

    sum_k lambda_k/(lambda_k + kappa) = sum_i l_i/(l_i + v) =: D(v),     kappa = v / rho(D/nu_N),

and both sides of the left equation are known but for the ``lambda_k``, in whose distribution it is
linear. So masses on a grid of eigenvalues are fitted to it at many v by non-negative least squares,
each v weighted by the fluctuation of D, ``(2/nu_N) sum (l v)^2/(l + v)^4`` squared; number and sum
of the eigenvalues are kept. The d eigenvalues that are returned are the means of the masses in d
equal parts. Then theory of N points of that population reproduces D, which the fit's residual says.

For ``N - 1 < d`` only ``kappa > kappa_0`` is seen: of the smallest eigenvalues no more than their
number and sum.

References
----------
El Karoui, "Spectrum estimation for large dimensional covariance matrices using random matrix
theory", Ann. Statist. 36 (2008) (that the equation is linear in the spectrum).
"""

from __future__ import annotations

__all__ = ["population_spectrum", "reproduced"]

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import nnls

from ornstein.forecasting.noise_curve import NoiseCurve

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.forecasting.row_sizes import RowSizes

    Array = NDArray[np.float64]

_NOISES, _GRID, _FIRM = 60, 240, 1e3
_ROUNDING = 1e-12


def population_spectrum(sample: Array, dof: float, rows: RowSizes) -> Array:
    """Eigenvalues of the population covariance, from those of a sample covariance.

    Parameters
    ----------
    sample : ndarray of shape (dim,)
        Eigenvalues of the sample covariance, unbiased: one degree of freedom for the mean.
    dof : float
        ``nu_N = N - 1``.
    rows : RowSizes
        Of the population.

    Returns
    -------
    ndarray of shape (dim,)
        In descending order; 0 for directions in which the data do not vary although there are
        points enough to see it.
    """
    top = float(sample.max())
    found = np.sort(sample[sample > _ROUNDING * top])
    dim = sample.size if found.size >= min(dof, sample.size) else found.size
    seen = found.size == dim
    least = 0.1 * found[0] if seen else 1e-3 * found.mean()
    noises = np.geomspace(least, 100.0 * top, _NOISES)
    kept = found / (found + noises[:, None])
    resolved = kept.sum(1)
    kappa = noises / rows.shrinkage(np.minimum(resolved / dof, 1.0 - 1e-13))[0]
    error = np.sqrt(2.0 / dof * np.square(kept * (1.0 - kept)).sum(1)) + 1e-9
    low = 0.25 * found[0] if seen else 1e-3 * found.mean()
    grid = np.geomspace(low, 1.1 * top, _GRID)
    equations = np.vstack(
        [
            grid / (grid + kappa[:, None]) / error[:, None],
            np.full((1, _GRID), _FIRM / dim),
            _FIRM * grid[None] / found.sum(),
        ]
    )
    masses, _ = nnls(equations, np.append(resolved / error, [_FIRM, _FIRM]), maxiter=100 * _GRID)
    masses *= dim / masses.sum()
    # The mean eigenvalue of each of `dim` equal parts of the mass.
    reached = np.append(0.0, np.cumsum(masses))
    reached[-1] = dim
    sums = np.append(0.0, np.cumsum(masses * grid))
    values = np.maximum(np.diff(np.interp(np.arange(dim + 1.0), reached, sums)), 0.0)
    values *= found.sum() / values.sum()
    # Values that differ by rounding are one value.
    values = np.array([float(f"{value:.10e}") for value in values[::-1]])
    return np.append(values, np.zeros(sample.size - dim))


def reproduced(population: Array, sample: Array, dof: float, rows: RowSizes) -> float:
    """How far theory of the estimated population is from the sample spectrum, in eigenvalues.

    The largest difference between the two sides of the equation of this module, over all noises:
    a number of eigenvalues. It fluctuates by about 1 if the rows follow the model.
    """
    found = sample[sample > _ROUNDING * sample.max()]
    noises = np.geomspace(0.1 * found.min(), 100.0 * found.max(), _NOISES)
    of_sample = (found / (found + noises[:, None])).sum(1)
    return float(np.abs(NoiseCurve(population, dof, rows).equivalent(noises).df1 - of_sample).max())
