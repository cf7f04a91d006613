r"""How many replicates are enough: until the standard error is what was asked for.

Every training size begins with the replicates that the study plans. While a standard error of one
of its means, over the first r replicates, is above the target, r grows to the next number of

    r_0, \lceil 1.5 r_0 \rceil, \lceil 1.5 r_1 \rceil, \ldots \le r_{max},

in whole batches. The rule looks at the first r replicates alone, so it gives the same numbers of
them however often a study was interrupted. A rule that looks at the data stops a little more often
where the spread happens to look small: the summary says so.

An infinite or undefined mean has no standard error, and asks for nothing.
"""

from __future__ import annotations

__all__ = ["Precision", "enough"]

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ornstein.engine.study import Cell
from ornstein.engine.summary import mean_and_error
from ornstein.intervals import Z95, wilson_interval
from ornstein.validation import as_count, as_positive

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ornstein.engine.store import Store
    from ornstein.engine.study import Study

_GROWTH = 1.5
_SHARES = {"delta": "delta_sign"}


@dataclass(frozen=True)
class Precision:
    """Standard errors asked for.

    Parameters
    ----------
    targets : mapping of str to float
        Standard error of the mean of each measured value, in its units; ``delta`` is the share
        P(Delta > 0).
    max_simulations : int
        Most replicates of a training size.

    Raises
    ------
    ValueError
        If a target is not positive, or none is given.
    """

    targets: Mapping[str, float]
    max_simulations: int

    def __post_init__(self) -> None:
        if not self.targets:
            raise ValueError("target_se is empty, expected targets like kl=0.01,delta=0.02")
        for name, target in self.targets.items():
            as_positive(target, f"target_se of {name}")
        as_count(self.max_simulations, "max_simulations")

    @classmethod
    def read(cls, text: str, max_simulations: int) -> Precision:
        """Read ``kl=0.01,delta=0.02``."""
        targets: dict[str, float] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            name, _, value = part.partition("=")
            try:
                targets[name.strip()] = float(value)
            except ValueError:
                raise ValueError(
                    f"target_se has {part!r}, expected name=error, as in kl=0.01,delta=0.02"
                ) from None
        return cls(targets, max_simulations)

    def ladder(self, study: Study) -> list[int]:
        """Numbers of replicates at which the rule looks.

        Raises
        ------
        ValueError
            If the study plans more than `max_simulations`.
        """
        if study.simulations > self.max_simulations:
            raise ValueError(
                f"max_simulations is {self.max_simulations}, expected at least the "
                f"{study.simulations} simulations that every training size has"
            )
        steps = [study.simulations]
        while steps[-1] < self.max_simulations:
            grown = math.ceil(_GROWTH * steps[-1] / study.batch_size) * study.batch_size
            steps.append(min(grown, self.max_simulations))
        return steps

    def metrics(self, study: Study) -> dict[str, list[str]]:
        """Measured values that each target is about, for every sampler and S if there are several.

        Raises
        ------
        ValueError
            If nothing of that name is measured.
        """
        found: dict[str, list[str]] = {}
        for target in self.targets:
            name = _SHARES.get(target, target)
            found[target] = [m for m in study.metrics if m.rpartition("/")[2] == name]
            if not found[target]:
                known = sorted({m.rpartition("/")[2] for m in study.metrics})
                raise ValueError(
                    f"target_se names {target!r}, which this study does not measure: expected one "
                    f"of {', '.join(known)}, or delta for P(Delta > 0)"
                )
        return found

    def reached(
        self, values: Mapping[str, Sequence[float]], metrics: Mapping[str, list[str]]
    ) -> bool:
        """Whether all standard errors over these replicates are small enough."""
        return all(
            not _error(target, values[name]) > self.targets[target]
            for target, names in metrics.items()
            for name in names
        )


def enough(study: Study, store: Store, precision: Precision) -> tuple[dict[int, int], list[int]]:
    """Replicates of each size that the rule asks for now, and the sizes that fell short of it.

    A size for which cells are still missing gets what its next look needs.
    """
    metrics, ladder = precision.metrics(study), precision.ladder(study)
    done = store.finished() | store.failed()
    counts: dict[int, int] = {}
    short: list[int] = []
    for size in study.train_sizes:
        for count in ladder:
            counts[size] = count
            cells = [Cell(size, replicate) for replicate in range(count)]
            if not done.issuperset(cells):
                break
            values = store.values(cells).get(size)
            if values is None or precision.reached(values, metrics):
                break
        else:
            short.append(size)
    return counts, short


def _error(target: str, values: Sequence[float]) -> float:
    """Standard error of the mean, or of a share."""
    if target in _SHARES:
        low, high = wilson_interval(sum(value > 0 for value in values), len(values))
        return (high - low) / (2 * Z95)
    return mean_and_error(values)[1]
