r"""What even the simplest model would show: Gaussians fitted to the training set.

A model that has learned anything from n points depends on them, and its points lie nearer to the
training set than to fresh ones: that is no copying. The simplest such model is
``N(mean, S)`` with the mean and covariance of the training set; it holds ``d (d + 3) / 2`` numbers
and no point. For N(0, I), d = 64 and as many held-out as training points its share f is 0.825,
0.651, 0.564 and 0.527 at n = 100, 300, 1000 and 3000.

The parametric bootstrap draws B sets of generated points from that Gaussian and computes the share
of each with respect to the same training and held-out points. ``p = (1 + #{f_b >= f}) / (B + 1)``
is the p-value of *this model is no closer to its training set than such a Gaussian*. The contrasts
of the same sets tell what share of a list of copies the dependence of such a Gaussian accounts for
(:mod:`ornstein.memorization.copies`).

Beside it stands the share of :func:`ornstein.theory.fitted_gaussian_share`, the mean over training
sets of a Gaussian population. Its spectrum is estimated: the eigenvalues of the sample covariance
are drawn towards their mean until their squares add up to the unbiased estimate of ``tr Sigma^2``.
Where the two disagree, the data are far from Gaussian, or this training set is no typical one.

References
----------
Davison, Hinkley, "Bootstrap methods and their application", 1997, section 4.2 (the p-value).
"""

from __future__ import annotations

__all__ = ["GaussianReference", "gaussian_reference", "fitted_gaussian", "closed_form_share"]

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.special import ndtri

from ornstein.gaussians import Gaussian
from ornstein.memorization.contrasts import measure
from ornstein.memorization.copies import Reference, unit_contrasts
from ornstein.memorization.dependence import train_share, unit_counts
from ornstein.progress import progress_bar
from ornstein.theory.fitted_gaussians import LEAST_EFFECTIVE_DIMENSION, fitted_gaussian_share

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ornstein.memorization.contrasts import Blocks, Contrasts
    from ornstein.memorization.pool import Pool

    Array = NDArray[np.float64]

_EPSILON = float(np.finfo(np.float64).eps)
_Z80 = float(ndtri(0.8))
_MOST, _FEWEST = 2000, 200  # points in a set
_DRAWS, _LEAST_DRAWS = 99, 39
_MOST_COORDINATES = 2048  # of a covariance whose eigenvalues are taken
_MOST_RATIO = 20  # of numbers of points
_WORK = 1e11  # products of coordinates above which sets are smaller, and then fewer


class GaussianReference(NamedTuple):
    """Shares of Gaussians fitted to the training set, and the p-value of the model's share."""

    share: float
    """Mean of f over the sets drawn from the Gaussian."""
    low: float
    """2.5% point of f over them."""
    high: float
    """97.5% point."""
    p_value: float
    """Of a share as large as the model's, were it such a Gaussian."""
    detectable: float
    """Share of a model that is found to be larger with probability 0.8."""
    draws: int
    size: int
    """Points in each set; of the generated points as many were taken to compare with."""
    reference: Reference
    """Contrasts of the sets, with respect to the blocks."""


def gaussian_reference(
    train: Array,
    contrasts: Contrasts,
    pool: Pool,
    blocks: Blocks,
    rng: np.random.Generator,
    *,
    alpha: float = 0.05,
    progress: bool | None = None,
    **search: Any,
) -> GaussianReference:
    """Compare the share f of a model with that of Gaussians fitted to its training set.

    Parameters
    ----------
    train : ndarray of shape (n_train, dim)
        All rows that the model was trained on.
    contrasts : Contrasts
        Of the generated points, with respect to all training and held-out values.
    pool : Pool
    blocks : Blocks
        For the contrasts that are kept.
    rng : Generator
    alpha : float
        Level of the test: the p-value can be as small as that.
    progress : bool, optional
        Show a bar; by default if stderr is a terminal.
    **search
        Options of :func:`~ornstein.memorization.neighbours.nearest_neighbours`.

    Notes
    -----
    99 sets of up to 2000 points; of large data fewer points in each, at least 200 of 39 sets.
    """
    count = contrasts.contrast.size
    affordable = int(_WORK / (_DRAWS * pool.values.size))
    size = min(count, _MOST, max(affordable, _FEWEST))
    draws = max(_DRAWS if affordable >= _FEWEST else _LEAST_DRAWS, math.ceil(1 / alpha) - 1)
    law = fitted_gaussian(train)
    shares, kept = np.empty(draws), []
    with progress_bar(draws, "set", progress, label="Gaussian reference") as bar:
        for draw in range(draws):
            found, by_block = measure(law.sample(size, rng), pool, blocks, **search)
            shares[draw] = train_share(unit_counts(found, pool))
            above = unit_contrasts(by_block, pool)
            kept.append(above[above > 0])
            bar.update()
    chosen = np.arange(count) if size == count else rng.choice(count, size, replace=False)
    share = train_share(unit_counts(contrasts.of(chosen), pool))
    low, high = np.quantile(shares, [0.025, 0.975])
    return GaussianReference(
        float(shares.mean()),
        float(low),
        float(high),
        float((1 + (shares >= share - 1e-12).sum()) / (draws + 1)),
        min(1.0, float(np.quantile(shares, 1 - alpha) + _Z80 * shares.std())),
        draws,
        size,
        Reference(np.sort(np.concatenate(kept)), count / (size * draws)),
    )


def fitted_gaussian(train: Array) -> Gaussian:
    """Mean and covariance of at least 2 points; of fewer points than dimensions, a singular law."""
    mean = train.mean(axis=0)
    centred = (train - mean) / np.sqrt(len(train) - 1)
    if len(train) <= train.shape[1]:
        return Gaussian.from_factor(mean, centred.T)
    # Coordinates that are constant or depend on others leave eigenvalues of rounding: no variance.
    return Gaussian(mean, centred.T @ centred, tolerance=train.shape[1] * _EPSILON)


def closed_form_share(train: Array, n_held_out: int) -> float:
    """Share f of Gaussians fitted to such training sets, if the population is Gaussian.

    NaN where the closed form does not hold: if the effective dimension of the training set is
    below 4, or there are fewer points than that, or it has more than 2048 coordinates, or one set
    has more than 20 times as many points as the other.

    Parameters
    ----------
    train : ndarray of shape (n_train, dim)
        Distinct training points.
    n_held_out : int
    """
    n, dim = train.shape
    if n < 3 or dim > _MOST_COORDINATES or max(n, n_held_out) > _MOST_RATIO * min(n, n_held_out):
        return math.nan
    centred = train - train.mean(axis=0)
    values = np.linalg.eigvalsh(centred.T @ centred / (n - 1)).clip(0.0)
    dof, trace, squares = n - 1, values.sum(), np.square(values).sum()
    unbiased = dof**2 / ((dof - 1) * (dof + 2)) * (squares - trace**2 / dof)
    mean = trace / dim
    spread = squares - dim * mean**2
    kept = math.sqrt(min(max(unbiased - dim * mean**2, 0.0) / spread, 1.0)) if spread > 0 else 0.0
    spectrum = mean + kept * (values - mean)
    effective = trace**2 / np.square(spectrum).sum()
    if effective < LEAST_EFFECTIVE_DIMENSION or n < effective:
        return math.nan
    return fitted_gaussian_share(spectrum, n, n_held_out)
