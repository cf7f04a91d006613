"""A small study, for tests of the engine: what it measures is for each test to say."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ornstein.engine.store import Store
from ornstein.engine.study import Cell, Study
from ornstein.engine.summary import Summary


class ToySummary(Summary):
    """Rows alone: there is nothing to draw."""

    report: ClassVar[str] = "none"

    def write_figures(self, folder: Path) -> None:
        return


@dataclass(frozen=True)
class ToyStudy(Study):
    """All of a study but what it measures, and its summary: the values by training size."""

    train_sizes: tuple[int, ...] = (2, 5)  # type: ignore[assignment]
    simulations: int = 4  # type: ignore[assignment]
    seed: int = 0  # type: ignore[assignment]
    name: ClassVar[str] = "toy"

    @property
    def settings(self) -> dict[str, Any]:
        return {"train_sizes": list(self.train_sizes), "simulations": self.simulations}

    @property
    def identity(self) -> dict[str, Any]:
        return {"study": "toy", "seed": self.seed}

    def seconds(self, cell: Cell) -> float:
        return 0.02

    def summarize(self, store: Store) -> Summary:
        found = store.of(self).items()
        return ToySummary(
            rows=[{"n": n} | {k: tuple(v) for k, v in own.items()} for n, own in found]
        )
