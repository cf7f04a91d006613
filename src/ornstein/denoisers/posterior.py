r"""The posterior over a finite training set, given a noisy point.

For ``y = x_i + s z`` with ``i`` uniform over the ``n`` training points (EDM noise ``s``),

    w_i(y) = exp(-|y - x_i|^2 / 2 s^2) / sum_j exp(-|y - x_j|^2 / 2 s^2),
    D(y)   = sum_i w_i x_i,                                    the denoiser of least squared error,
    p_s(y) = n^{-1} sum_i N(y; x_i, s^2 I),                    the evidence,

tied by Tweedie's formula ``D(y) = y + s^2 grad ln p_s(y)``. ``D`` goes to the nearest training
point as ``s -> 0`` (to the average of several at one distance), and to their mean as
``s -> infinity``. As many points as ``1 / sum_i w_i^2`` share the weight, between 1 and n.

The weights come from :mod:`ornstein.denoisers.training_points`, in logarithms, a block of queries
at a time.

References
----------
Vincent, "A connection between score matching and denoising autoencoders", 2011; Karras, Aittala,
Aila, Laine, arXiv 2206.00364, appendix B.3 (the denoiser of a finite training set).
"""

from __future__ import annotations

__all__ = ["Concentration", "posterior_mean", "posterior_weights", "log_evidence", "concentration"]

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from ornstein.denoisers.training_points import TrainingPoints, as_moderate, weights_in_parts
from ornstein.validation import as_points, as_positive

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]


class Concentration(NamedTuple):
    """How many training points share the posterior weight of each query.

    ``effective_points`` is the participation ratio ``1 / sum_i w_i^2``, between 1 and n;
    ``largest_weight`` the weight of the heaviest point. Both of shape (n_queries,).
    """

    effective_points: NDArray[np.float64]
    largest_weight: NDArray[np.float64]


def posterior_mean(
    queries: ArrayLike, train: ArrayLike | TrainingPoints, noise: ArrayLike
) -> NDArray[np.float64]:
    """Posterior mean ``D(y)`` over the training points, the memorizing denoiser.

    Parameters
    ----------
    queries : array-like of shape (n_queries, dim)
        Noisy points ``y``, in data units.
    train : array-like of shape (n_train, dim), or TrainingPoints
        Training points; prepared once with :meth:`TrainingPoints.of` for repeated calls.
    noise : float or array-like of shape (n_queries,)
        EDM noise ``s > 0``, in data units, of all queries or of each.

    Returns
    -------
    ndarray of shape (n_queries, dim)

    Raises
    ------
    TypeError, ValueError
        If an array is no finite real matrix, dimensions disagree, or a noise is not > 0.

    Examples
    --------
    >>> posterior_mean([[0.9], [0.5], [-3.0]], [[0.0], [1.0]], noise=1.0)
    array([[0.598688],
           [0.5     ],
           [0.029312]])
    """
    queries, train, noise = _validated(queries, train, noise)
    means = np.empty_like(queries)
    for part in weights_in_parts(queries, train, noise):
        if isinstance(part.weights, csr_array):
            # From the points themselves, so that a weight of 1 returns its point bit by bit.
            share = np.repeat(1 / part.total, np.diff(part.weights.indptr))
            part.weights.data *= share
            means[part.rows] = part.weights @ train.points
        else:
            sums = part.weights @ train.centred
            sums /= (part.total * train.factor)[:, None]
            means[part.rows] = sums + train.centre
    return means


def posterior_weights(
    queries: ArrayLike, train: ArrayLike | TrainingPoints, noise: ArrayLike
) -> NDArray[np.float64]:
    """Posterior weights ``w_i(y)``, each row of sum 1.

    Weights below ``2^-53 / n`` of the largest may be returned as 0.

    Parameters
    ----------
    queries, train, noise
        As for :func:`posterior_mean`.

    Returns
    -------
    ndarray of shape (n_queries, n_train)

    Examples
    --------
    >>> posterior_weights([[0.9]], [[0.0], [1.0], [1.0]], noise=1.0)
    array([[0.251026, 0.374487, 0.374487]])
    """
    queries, train, noise = _validated(queries, train, noise)
    weights = np.empty((len(queries), len(train.points)))
    for part in weights_in_parts(queries, train, noise):
        dense = part.weights.toarray() if isinstance(part.weights, csr_array) else part.weights
        weights[part.rows] = dense / part.total[:, None]
    return weights


def log_evidence(
    queries: ArrayLike, train: ArrayLike | TrainingPoints, noise: ArrayLike
) -> NDArray[np.float64]:
    """``ln p_s(y)``, log density of the training points under noise, in nats.

    Parameters
    ----------
    queries, train, noise
        As for :func:`posterior_mean`.

    Returns
    -------
    ndarray of shape (n_queries,)

    Examples
    --------
    >>> log_evidence([[0.0]], [[0.0], [0.0]], noise=1.0)  # a standard normal law at its mean
    array([-0.918939])
    """
    queries, train, noise = _validated(queries, train, noise)
    n, dim = train.points.shape
    logs = np.empty(len(queries))
    for part in weights_in_parts(queries, train, noise):
        gaps = queries[part.rows] - train.points[part.nearest]
        with np.errstate(over="ignore"):  # a density below e^-1e308 is 0
            gaps /= noise[part.rows, None]
            logs[part.rows] = np.log(part.total / n) - 0.5 * np.einsum("ij,ij->i", gaps, gaps)
    return logs - dim * (0.5 * math.log(2 * math.pi) + np.log(noise))


def concentration(
    queries: ArrayLike, train: ArrayLike | TrainingPoints, noise: ArrayLike
) -> Concentration:
    """Effective number of points, and the largest weight, of the posterior of each query.

    Parameters
    ----------
    queries, train, noise
        As for :func:`posterior_mean`.

    Returns
    -------
    Concentration
        ``effective_points``, ``largest_weight``.

    Examples
    --------
    >>> concentration([[0.5], [9.0]], [[0.0], [1.0], [2.0], [3.0]], noise=0.1).effective_points
    array([2., 1.])
    """
    queries, train, noise = _validated(queries, train, noise)
    effective, largest = np.empty(len(queries)), np.empty(len(queries))
    for part in weights_in_parts(queries, train, noise):
        if isinstance(part.weights, csr_array):
            squares = np.add.reduceat(part.weights.data**2, part.weights.indptr[:-1])
        else:
            squares = np.einsum("ij,ij->i", part.weights, part.weights)
        effective[part.rows] = part.total**2 / squares
        largest[part.rows] = 1 / part.total
    return Concentration(effective, largest)


def _validated(
    queries: ArrayLike, train: ArrayLike | TrainingPoints, noise: ArrayLike
) -> tuple[Array, TrainingPoints, Array]:
    train = TrainingPoints.of(train)
    points = as_moderate(as_points(queries, "queries", dim=train.points.shape[1]), "queries")
    train.check_reach(points)
    s = as_positive(noise, "noise")
    if s.ndim > 1 or (s.ndim == 1 and s.size != len(points)):
        raise ValueError(
            f"noise has shape {s.shape}, expected a number or one per query, ({len(points)},)"
        )
    return points, train, np.broadcast_to(s, len(points))
