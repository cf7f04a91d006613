r"""Mean and covariance of points that come in batches.

Two sets of ``n_a`` and ``n_b`` points with means ``a``, ``b`` and scatter ``A``, ``B`` join as

    mean = a + n_b / (n_a + n_b) (b - a),
    scatter = A + B + n_a n_b / (n_a + n_b) (b - a)(b - a)^T,

each batch centred on its own mean, in float64: data far from 0 lose no digits. Up to ``dim`` points
the rows themselves are kept, and the covariance is that of their factor; beyond, the scatter, one
(dim, dim) array. The products square the condition number: eigenvalues below ``1e-15 dim`` of the
largest are rounding, and taken as 0.

References
----------
Chan, Golub, LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances",
1979.
"""

from __future__ import annotations

__all__ = ["RunningMoments", "centred"]

from typing import TYPE_CHECKING

import numpy as np

from ornstein.covariances import Covariance
from ornstein.gaussians import Gaussian

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_ROUNDING = 1e-15


class RunningMoments:
    """Moments of the points absorbed so far.

    Parameters
    ----------
    dim : int
        Dimension.

    Attributes
    ----------
    count : int
        Number of points, ``n``.
    mean : ndarray of shape (dim,)
        ``xbar``.
    """

    def __init__(self, dim: int) -> None:
        self.count = 0
        self.mean: Array = np.zeros(dim)
        self._rows: list[Array] | None = []
        self._scatter: Array | None = None

    @property
    def dim(self) -> int:
        """Dimension."""
        return self.mean.size

    def absorb(self, points: Array) -> None:
        """Add points, shape (n_batch, dim), float64."""
        if not len(points):
            return
        if self._rows is not None:
            self._rows.append(points)
            self.count += len(points)
            self.mean, rows = centred(np.concatenate(self._rows))
            if self.count > self.dim:
                self._rows, self._scatter = None, rows.T @ rows
            return
        total = self.count + len(points)
        mean, rows = centred(points)
        step = mean - self.mean
        assert self._scatter is not None  # beyond dim points
        self._scatter += rows.T @ rows
        weighted = step * np.sqrt(self.count * (len(points) / total))
        self._scatter += np.outer(weighted, weighted)
        self.mean = self.mean + len(points) / total * step
        self.count = total

    def law(self, ridge: float = 0.0, ddof: int = 0) -> Gaussian:
        """``N(xbar, C + ridge I)`` with ``C`` over ``n - ddof``.

        By default over ``n``, as the minimum of a training loss has it.
        """
        count = self.count - ddof
        if self._scatter is None:
            _, rows = centred(np.concatenate(self._rows or [np.zeros((0, self.dim))]))
            covariance = Covariance.from_factor(rows.T / np.sqrt(count))
        else:
            covariance = Covariance.full(self._scatter / count, self.dim * _ROUNDING)
        return Gaussian(self.mean, covariance.add_isotropic(ridge))


def centred(points: Array) -> tuple[Array, Array]:
    """Mean of points, shape (n, dim), and what is left of them.

    The rounding of the mean, common to all rows, would count as a direction of its own: the mean of
    what is left is taken off, too.
    """
    mean = points.mean(axis=0)
    rows = points - mean
    left = rows.mean(axis=0)
    rows -= left
    return mean + left, rows
