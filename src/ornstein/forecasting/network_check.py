"""A small network beside the forecast: an MLP, trained on subsets of three sizes.

The forecast is of linear models. How far a network is from it is measured: the moments of what it
generates against those of the data, less what their number adds to the distance
(:mod:`ornstein.memorization.sample_measures`), and its denoising loss on points it has not seen.
Sampling starts from a Gaussian where the noised training data are, as 200 diffusion steps do not
reach N(0, I).
"""

from __future__ import annotations

__all__ = ["NetworkRow", "check_network", "GENERATED", "TRAINING_STEPS"]

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.forecasting.measuring import Reference, fitted_distance
from ornstein.forecasting.predictions import losses, wasserstein
from ornstein.gaussians import Gaussian

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ornstein.forecasting.estimate import Estimate

    Array = NDArray[np.float64]

GENERATED, TRAINING_STEPS = 2000, 2000
_NOISE, _SAMPLING_STEPS, _MOST_FRESH = 0.3, 30, 2000


class NetworkRow(NamedTuple):
    """The network trained on n points, beside the linear models."""

    n: int
    w2: float
    """Of mean and covariance of what it generates, to those of all points, over tr Sigma; of more
    than 2 d generated points without what their number adds, and near 0 it may be below 0."""
    predicted_w2: float
    """Of the linear diffusion on subsets of that size."""
    loss: float
    """On points it has not seen, at noise level 0.3, over tr Sigma."""
    predicted_loss: float
    seconds: float


def check_network(
    points: Array,
    whole: Estimate,
    sizes: Sequence[int],
    seed: int,
    progress: bool | None = None,
    *,
    training_steps: int = TRAINING_STEPS,
) -> tuple[NetworkRow, ...]:
    """Train an MLP on subsets of the points.

    Parameters
    ----------
    points : ndarray of shape (n_points, dim)
        Standardized.
    whole : Estimate
    sizes : sequence of int
        At most N - 2.
    seed : int
    progress : bool, optional
    training_steps : int
        Optimiser steps of each training.

    Raises
    ------
    ImportError
        If PyTorch is missing.
    """
    from ornstein.networks import MLP, DiffusionProcess, TrainingConfig, seeded, train

    reference, centre = Reference(points), points.mean(axis=0)
    rows = []
    for n in sizes:
        order = np.random.default_rng([seed, n]).permutation(len(points))
        seen, fresh = points[order[:n]], points[order[n:]][:_MOST_FRESH]
        network = seeded(MLP, seed, points.shape[1])
        config = TrainingConfig(
            training_steps=training_steps,
            learning_rate=1e-3,
            train_fraction=1.0,
            ema_decay=0.99,
            accelerator="cpu",
            seed=seed,
            validate_every=10**6,
        )
        process = DiffusionProcess(200, prediction="v")
        result = train(network, seen, config, process=process, progress=progress)
        drawn = result.model.sample(
            GENERATED,
            sampler="ddim",
            sampling_steps=_SAMPLING_STEPS,
            start="marginal",
            generator=seed,
            progress=progress,
        )
        rng = np.random.default_rng([seed, n, 1])
        noised = fresh + _NOISE * rng.standard_normal(fresh.shape)
        missed = np.square(result.model.denoise(noised, _NOISE) - fresh).sum(1).mean()
        rows.append(
            NetworkRow(
                n,
                _distance(reference, (drawn.double().numpy() - centre) @ reference.vectors),
                wasserstein(whole, n, of_all=True),
                float(missed) / reference.trace,
                losses(whole, n, _NOISE)[1],
                result.seconds,
            )
        )
    return tuple(rows)


def _distance(reference: Reference, generated: Array) -> float:
    """``W_2^2 / tr Sigma`` of generated points in the axes of the reference."""
    from ornstein.memorization.sample_measures import can_be_fitted, fitted_distances

    count, dim = generated.shape
    if can_be_fitted(count, dim):
        law = Gaussian(np.zeros(dim), np.square(reference.root))
        return fitted_distances(generated, law).wasserstein2 / reference.trace
    mean = generated.mean(axis=0)
    centred = generated - mean
    return fitted_distance(reference, mean, centred.T @ centred / (count - 1))
