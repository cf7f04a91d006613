"""The summary of a linear study: simulation and theory, size by size."""

from __future__ import annotations

__all__ = ["LinearSummary", "summarize"]

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ornstein.data.sources import MIXTURE_DRAWS
from ornstein.engine.summary import Summary, WhenRead, averages, share_positive
from ornstein.intervals import few_values_note
from ornstein.studies.linear.prediction import (
    MOST_KURTOSIS,
    heavy_components,
    kl_of_infinite_data,
    predicted_shares,
    shares_hold,
)
from ornstein.studies.linear.study import COMPARED
from ornstein.studies.perfect_models import PerfectModel, perfect_model_of
from ornstein.theory.one_step_model.delta_probability import RATIOS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ornstein.engine.store import Store
    from ornstein.studies.linear.options import LinearOptions
    from ornstein.studies.linear.study import LinearStudy

_CURVE_POINTS, _POINTS_AROUND_DIM, _ISOTROPIC_POINTS = 70, 30, 160
_SHARE_POINTS = 40
_SHARES = (
    f"theory of P(Delta > 0): for n from {RATIOS[0]:g} d to {RATIOS[1]:g} d, within 0.03 of "
    "simulations in d = 8 to 100."
)
_MANY = 200  # dimensions above which a curve has fewer points


@dataclass(frozen=True, kw_only=True)
class LinearSummary(Summary):
    """What a linear study found.

    Rows have, for each of KL, Hellinger^2, Wasserstein^2 and trace, ``_mean``, ``_se``,
    ``_theory`` and ``_median``. `theory` has the array ``train_size`` and theory at these sizes,
    ``kl_infinite_data``, the KL that stays with infinitely many points, ``perfect_delta``,
    P(Delta > 0) of a model that generates the population, and ``delta_positive``, that of the
    one-step model without a simulation.
    """

    options: LinearOptions
    source: str
    """What the training sets are drawn from, in words."""
    dim: int
    std: float
    threshold: float
    """``n*`` of the spectrum; infinite if an eigenvalue is 0."""

    report: ClassVar[str] = "linear"


def summarize(study: LinearStudy, store: Store) -> LinearSummary:
    """Make the summary of the finished cells; curves are computed when a figure reads them."""
    found = store.of(study)
    sizes = list(found)
    theory = study.theory(sizes) if found else {}
    perfect = _perfect(study, sizes)
    grid = _grid(study, sizes) if theory else np.zeros(0, dtype=int)
    places = sorted({*sizes, *_share_places(study, grid)})
    has_shares = bool(shares_hold(study, places).any())
    shares = predicted_shares(study, sizes)
    rows = [
        _row(size, values, {name: float(column[i]) for name, column in theory.items()})
        | perfect.columns(size)
        | ({"delta_positive_theory": float(shares[i])} if has_shares else {})
        for i, (size, values) in enumerate(found.items())
    ]
    return LinearSummary(
        rows=rows,
        notes=[
            *_notes(study),
            *filter(None, [perfect.note, _SHARES if has_shares else ""]),
            *few_values_note((row["simulations"] for row in rows), "run"),
        ],
        theory=WhenRead(
            lambda: (
                _curves(study, grid)
                | _limit(study)
                | perfect.curve()
                | (_share_curve(study, places) if has_shares else {})
            )
        ),
        options=study.options,
        source=study.source.describe(),
        dim=study.dim,
        std=study.std,
        threshold=study.threshold,
    )


def _row(
    train_size: int, values: dict[str, list[float]], theory: Mapping[str, float]
) -> dict[str, Any]:
    """One row of ``summary.csv``."""
    row: dict[str, Any] = {"train_size": train_size, "simulations": len(values["delta_sign"])}
    for name in COMPARED:
        row |= averages(values, (name,)) | {f"{name}_theory": theory.get(name, math.nan)}
    row |= averages(values, ("log_l2_original", "log_l2_train", "delta_log_abs"))
    row |= share_positive("delta", values["delta_sign"])
    return row | {f"{name}_median": float(np.median(values[name])) for name in COMPARED}


def _perfect(study: LinearStudy, sizes: Sequence[int]) -> PerfectModel:
    """P(Delta > 0) of a model that generates the population; of data there is none."""
    population, options = study.source.population, study.options
    if population is None or options.originals is None or options.original_mode is None:
        return PerfectModel({}, "")
    return perfect_model_of(
        population, sizes, options.originals, options.original_mode, options.seed
    )


def _share_places(study: LinearStudy, grid: np.ndarray) -> list[int]:
    """Some sizes of a grid, for a curve of P(Delta > 0)."""
    low, high = (ratio * study.dim for ratio in RATIOS)
    inside = grid[(grid >= low) & (grid <= high)]
    return inside[:: max(1, len(inside) // _SHARE_POINTS)].tolist()


def _limit(study: LinearStudy) -> dict[str, Any]:
    """The entry ``kl_infinite_data`` of `theory`; empty where there is none."""
    limit = kl_of_infinite_data(study)
    return {} if limit is None else {"kl_infinite_data": limit}


def _share_curve(study: LinearStudy, places: Sequence[int]) -> dict[str, Any]:
    """The entry ``delta_positive`` of `theory`: arrays ``train_size`` and ``share``."""
    shares = predicted_shares(study, places)
    known = ~np.isnan(shares)
    arrays = {"train_size": np.array(places, dtype=float)[known], "share": shares[known]}
    return {"delta_positive": arrays}


def _grid(study: LinearStudy, sizes: Sequence[int]) -> np.ndarray:
    """Sizes at which the curves of theory are known."""
    # A figure of one size shows what is around it.
    factor = 1.2 if max(sizes) > 3 * min(sizes) else 2.1
    low, high = max(2.0, min(sizes) / factor), max(sizes) * factor
    # Of N points no more than N can be drawn.
    high = min(high, max(study.source.largest_train_size + 2, *sizes))
    if study.options.data is None and not study.options.has_spectrum:
        places = np.geomspace(low, high, _ISOTROPIC_POINTS)
    else:
        few = min(1.0, _MANY / study.dim)
        middle = study.dim * np.linspace(0.8, 1.25, max(10, int(few * _POINTS_AROUND_DIM)))
        places = np.geomspace(low, high, max(20, int(few * _CURVE_POINTS)))
        places = np.append(places, middle[(middle > low) & (middle < high)])
    return np.unique(places.round().astype(int))


def _curves(study: LinearStudy, grid: np.ndarray) -> dict[str, np.ndarray]:
    """Theory on a grid of sizes; empty where there is none."""
    if not grid.size:
        return {}
    return {"train_size": grid.astype(float), **study.theory(grid.tolist())}


def _notes(study: LinearStudy) -> list[str]:
    """What a reader of the table needs to know."""
    population = study.source.population
    rank = int((study.spectrum > 0).sum())
    notes = []
    if any(size - 1 < rank for size in study.train_sizes):
        notes.append(
            f"n - 1 < {'d' if rank == study.dim else rank}: the generated law has rank n - 1, so "
            "KL and the L2 distances are infinite and Hellinger^2 is 1; Wasserstein and Delta stay "
            "finite."
        )
    if any(abs(size - 1 - study.dim) <= 1 for size in study.train_sizes):
        notes.append(
            "|n - 1 - d| <= 1: the expectations are infinite, so means over runs, where they "
            "are finite, and their standard errors depend on the largest run alone."
        )
    if any(2 <= abs(size - 1 - study.dim) <= 3 for size in study.train_sizes):
        notes.append(
            "|n - 1 - d| is 2 or 3: the expectations of trace, Wasserstein^2 and KL are finite, "
            "but their variances over runs are not. Means over few runs are most often too small, "
            "and their standard errors too."
        )
    if math.isinf(study.threshold):
        notes.append(
            f"n* is infinite: {study.dim - rank} of the {study.dim} eigenvalues of the covariance "
            "are 0."
        )
    if population is not None and len(population.components) > 1:
        notes.append(
            "theory: empty, since the closed forms hold for one Gaussian; KL and Hellinger^2 to "
            f"the mixture are estimated from {MIXTURE_DRAWS} generated points a cell (error "
            "included), Wasserstein to a mixture has no closed form. n* is that of the Gaussian "
            "with its covariance."
        )
        return notes
    if population is None:
        return [*notes, *_notes_on_data(study), *study.source.notes]
    errors = (
        "theory: asymptotic, of error O(1/d) in total nats (trace: exact to O(1/n)); "
        "within the window |n - n*| < n*/sqrt(d), O(1/sqrt(d))."
    )
    if study.options.has_spectrum:
        errors += " d counts the eigenvalues that make up most of the trace."
    return [*notes, errors]


def _notes_on_data(study: LinearStudy) -> list[str]:
    source = study.source
    count = int(source.largest_train_size) + 2
    heavy = heavy_components(source)
    theory = (
        f"theory: of Gaussian data with the covariance of {source.name}, drawn without replacement "
        f"like the training sets, from {count} points; measured distances are to the Gaussian with "
        "the mean and covariance of all of them."
    )
    if heavy:
        theory += (
            f" KL and Hellinger^2 are not predicted: along {heavy} of the {source.dim} principal "
            f"components the excess kurtosis is above {MOST_KURTOSIS:g} (0 if Gaussian), and these "
            "two count every direction alike, however little it varies."
        )
    asked = study.options.originals
    originals = f"the {count} - n points left over"
    if asked is not None:
        originals = f"{asked} of the points left over (--originals)"
    notes = [
        theory,
        (
            f"Delta: the originals are {originals}. "
            "Where their number is not n, sizes alone move Delta away from 0."
        ),
    ]
    if source.constant_coordinates:
        notes.append(
            f"{source.constant_coordinates} of the {source.dim} coordinates of {source.name} are "
            "constant. "
            "Where still more are constant in a training set, the generated law lacks "
            "directions of the data: KL and the L2 distances are infinite, and "
            "Hellinger^2 is 1."
        )
    return notes
