"""Studies whose finished cells are made by hand: what goes into a summary."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ornstein.engine.store import Outcome, Store
from ornstein.engine.study import Cell, Study
from ornstein.engine.summary import Summary, mean_and_error
from ornstein.intervals import wilson_interval

Values = dict[int, dict[str, list[float]]]


def filled(
    study: Study, special: Mapping[str, Callable[[int], Sequence[float]]] | None = None
) -> tuple[Summary, Values]:
    """The summary of a study whose cells hold numbers that are all different.

    Signs are of `n` positive runs that differ from name to name; `special` gives the values of
    some names by training size.
    """
    given = special or {}
    values: Values = {n: {} for n in study.train_sizes}
    runs = study.simulations
    with Store(None, study.identity, study.metrics) as store:
        for n, own in values.items():
            for place, name in enumerate(study.metrics):
                if name in given:
                    own[name] = list(given[name](n))
                elif name.endswith("sign"):
                    own[name] = [1.0 if r < (place + n) % (runs + 1) else -1.0 for r in range(runs)]
                else:
                    own[name] = [2.0 + place + n / 1000 + 0.07 * r**2 for r in range(runs)]
            for replicate in range(runs):
                cell = {name: column[replicate] for name, column in own.items()}
                store.save(Outcome(Cell(n, replicate), 0.0, cell))
        return study.summarize(store), values


def expected(name: str, values: Sequence[float]) -> dict[str, float]:
    """Columns of a mean."""
    mean, error = mean_and_error(values)
    return {f"{name}_mean": mean, f"{name}_se": error}


def expected_share(name: str, signs: Sequence[float]) -> dict[str, Any]:
    """Columns of a share of positive signs."""
    positive = int(np.sum(np.asarray(signs) > 0))
    low, high = wilson_interval(positive, len(signs))
    return {
        f"{name}_positive": positive / len(signs),
        f"{name}_positive_low": low,
        f"{name}_positive_high": high,
    }
