"""All descriptive metrics of an audit, each beside the value that fresh data have.

None of them is a test: each is computed once more with held-out points in the place of the
generated ones, and the difference is what is to be read. So that both values are comparable, as
many generated as held-out points are taken, at random, and at most 2000; the training set is
that of the same size where sizes matter. Points are shifted by the mean of the training set and
divided by its standard deviation (root of the mean coordinate variance).
"""

from __future__ import annotations

__all__ = ["Metric", "descriptive_metrics"]

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from ornstein.data.duplicates import distinct_rows
from ornstein.memorization.distribution_distances import (
    frechet_distance,
    kernel_distance,
    sliced_wasserstein,
)
from ornstein.memorization.neighbour_metrics import (
    authenticity,
    closest_record_share,
    data_copying,
    precision_recall_density_coverage,
)
from ornstein.memorization.neighbours import memorized_fraction, nearest_neighbours
from ornstein.memorization.sample_delta import sample_delta

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_MOST = 2000
_RELABELLED, _DELTA = 19, 500  # relabellings for the null of Delta, points of each set
_NEIGHBOURS = 5
_MOST_COORDINATES = 2048  # of a covariance whose root is taken
_CELL, _MOST_CELLS = 100, 10  # points of a cell of C_T, and how many cells


class Metric(NamedTuple):
    """A number, what it is for held-out points, and how to read it."""

    name: str
    value: float
    held_out: float
    direction: str
    """What copying does to it: ``higher``, ``lower`` or ``none``."""
    meaning: str


def descriptive_metrics(
    train: Array, held_out: Array, generated: Array, rng: np.random.Generator
) -> tuple[tuple[Metric, ...], tuple[str, ...]]:
    """All metrics that the sizes allow, and a note on each that they do not.

    Parameters
    ----------
    train, held_out, generated : ndarray of shape (n_points, dim)
        Training points, at least 2 of them distinct, fresh points, generated points.
    rng : Generator
        Draws subsets, directions and relabellings.
    """
    std = math.sqrt(train.var(axis=0).mean())
    old, fresh, new = ((x - train.mean(axis=0)) / std for x in (train, held_out, generated))
    size = min(len(fresh), len(new), _MOST)
    if size < 2 * _NEIGHBOURS or len(old) < 2 * _NEIGHBOURS:
        note = (
            f"No descriptive metrics: the smallest set has {min(size, len(old))} points, expected "
            f"at least {2 * _NEIGHBOURS}."
        )
        return (), (note,)
    some_new, some_fresh = _some(new, size, rng), _some(fresh, size, rng)
    metrics = [
        *_nearest(old, some_fresh, some_new),
        *_whole(_some(old, min(len(old), size), rng), some_fresh, some_new, rng),
        _delta(old, some_fresh, some_new, rng),
    ]
    notes = []
    if old.shape[1] > _MOST_COORDINATES:
        notes.append(
            f"No Frechet distance: {old.shape[1]} coordinates are more than {_MOST_COORDINATES}."
        )
    return tuple(m for m in metrics if m is not None), tuple(notes)


def _nearest(old: Array, fresh: Array, new: Array) -> list[Metric]:
    """Metrics of nearest training points; equal ones count once."""
    old = old[distinct_rows(old)]
    found = []
    for threshold, text in ((1 / 3, "1/3"), (1 / 2, "1/2")):
        share = memorized_fraction(new, old, fresh, threshold, n_pairs=0)
        found.append(
            Metric(
                f"memorized, ratio < {text}",
                share.fraction,
                share.held_out_fraction,
                "higher",
                f"Share of points whose nearest training point is nearer than {text} of the "
                "distance to the second nearest.",
            )
        )
    to_train, fresh_to_train = (nearest_neighbours(x, old, k=2).distances for x in (new, fresh))
    half = len(fresh) // 2
    cells = min(max(1, half // _CELL), _MOST_CELLS)
    return [
        *found,
        Metric(
            "authenticity",
            authenticity(new, old),
            authenticity(fresh, old),
            "lower",
            "Share of points farther from their nearest training point than that one is from "
            "the other training points.",
        ),
        Metric(
            "C_T",
            data_copying(new, old, fresh, cells),
            data_copying(fresh[:half], old, fresh[half:], cells),
            "lower",
            f"z value, mean over {cells} cell{'s' if cells > 1 else ''}: below -3, points lie "
            "nearer to the training set than held-out points do. Held out: one half against the "
            "other.",
        ),
        Metric(
            "closest record < 5% point",
            closest_record_share(to_train[:, 0], fresh_to_train[:, 0]),
            closest_record_share(fresh_to_train[:half, 0], fresh_to_train[half:, 0]),
            "higher",
            "Share of points nearer to the training set than all but 5% of the held-out points. "
            "Held out: one half against the other.",
        ),
        Metric(
            "closest record, median",
            float(np.median(to_train[:, 0])),
            float(np.median(fresh_to_train[:, 0])),
            "lower",
            "Median distance to the nearest training point, in standard deviations of the data.",
        ),
        Metric(
            "nearest to second, 5% point",
            float(np.quantile(to_train[:, 0] / to_train[:, 1], 0.05)),
            float(np.quantile(fresh_to_train[:, 0] / fresh_to_train[:, 1], 0.05)),
            "lower",
            "Distance to the nearest over that to the second nearest training point; 5% of the "
            "points are below.",
        ),
    ]


def _whole(old: Array, fresh: Array, new: Array, rng: np.random.Generator) -> list[Metric | None]:
    """Metrics of sets as wholes, with the training set as the reference."""
    quality = [precision_recall_density_coverage(x, old, _NEIGHBOURS) for x in (new, fresh)]
    seed = int(rng.integers(2**32))
    sliced = [sliced_wasserstein(x, old, random_state=seed) for x in (new, fresh)]
    frechet = None
    if old.shape[1] <= _MOST_COORDINATES:
        frechet = Metric(
            "Frechet distance",
            frechet_distance(new, old),
            frechet_distance(fresh, old),
            "lower",
            "Squared W2 distance of the fitted Gaussians to that of the training set. Below the "
            "held-out value: nearer to the training set than fresh data are.",
        )
    words = {
        "precision": ("higher", "Share of points within reach of a training point's neighbours."),
        "recall": ("higher", "Share of training points within reach of the points' neighbours."),
        "density": ("none", "Mean number of training points in reach; near 1 for copies too."),
        "coverage": ("higher", "Share of training points that have one of the points in reach."),
    }
    return [
        *(
            Metric(name, getattr(quality[0], name), getattr(quality[1], name), *words[name])
            for name in words
        ),
        frechet,
        Metric(
            "kernel distance",
            kernel_distance(new, old),
            kernel_distance(fresh, old),
            "lower",
            "Squared maximum mean discrepancy to the training set, cubic kernel; unbiased, so "
            "that it may be below 0.",
        ),
        Metric(
            "sliced Wasserstein",
            sliced[0],
            sliced[1],
            "lower",
            "Root of the mean squared W2 distance of projections, in standard deviations.",
        ),
    ]


def _delta(old: Array, fresh: Array, new: Array, rng: np.random.Generator) -> Metric:
    """Delta over the sum of its terms; its null by dealing labels anew."""
    size = min(len(old), len(fresh), _DELTA)
    both = np.concatenate([_some(old, size, rng), _some(fresh, size, rng)])

    def relative(points: Array) -> float:
        found = sample_delta(new, points[:size], points[size:], std=1.0)
        if found.sign == 0:
            return 0.0
        pairs, cross, fresh_pairs, fresh_cross = found.log_terms
        logs = (pairs, fresh_pairs, cross + math.log(2), fresh_cross + math.log(2))
        return found.sign * math.exp(found.log_abs - float(np.logaddexp.reduce(logs)))

    new = _some(new, _DELTA, rng)
    value = relative(both)
    null = [relative(rng.permutation(both)) for _ in range(_RELABELLED)]
    return Metric(
        "Delta",
        value,
        float(np.median(null)),
        "lower",
        "Squared distance to the training set less that to held-out points, over the sum of its "
        f"terms; below 0: closer to the training set. Held out: the median of {_RELABELLED} random "
        f"relabellings, which go from {min(null):.3g} to {max(null):.3g}.",
    )


def _some(points: Array, size: int, rng: np.random.Generator) -> Array:
    if len(points) <= size:
        return points
    return points[np.sort(rng.choice(len(points), size, replace=False))]
