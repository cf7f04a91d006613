"""Values of a steps study by sampler and number of steps: their names, and their rows."""

from __future__ import annotations

__all__ = ["AVERAGED", "MEASURED", "metric_name", "metrics_by_sampler", "rows_by_sampler"]

import math
from typing import TYPE_CHECKING, Any

from ornstein.memorization.sample_measures import FITTED

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    Row = dict[str, float | int | str]

AVERAGED = (*FITTED, "memorized", "delta")
MEASURED = (*AVERAGED, "delta_sign")
"""What is measured of generated points, for each sampler and number of steps."""


def metric_name(sampler: str, steps: float, metric: str) -> str:
    """Name of a value in the store."""
    return f"{sampler}/{'inf' if steps == math.inf else int(steps)}/{metric}"


def metrics_by_sampler(study: Any, names: Iterable[str]) -> tuple[str, ...]:
    """Names of these values for each sampler and number of steps of a study."""
    return tuple(
        metric_name(sampler, steps, name)
        for sampler in study.options.samplers
        for steps in study.all_steps
        for name in names
    )


def rows_by_sampler(
    study: Any, train_size: int, values: Mapping[str, Sequence[float]], names: Sequence[str]
) -> Iterator[tuple[Row, dict[str, Sequence[float]]]]:
    """Yield, for each sampler and number of steps, the first columns of a row, and its values.

    The values are those of `names`, by name, of all cells of a training size.
    """
    for sampler in study.options.samplers:
        for steps in study.all_steps:
            here = {name: values[metric_name(sampler, steps, name)] for name in names}
            row: Row = {"sampler": sampler, "steps": steps, "train_size": train_size}
            yield row | {"simulations": len(here[names[0]])}, here
