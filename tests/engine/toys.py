"""Small studies, for tests of the engine; here, so that workers need not load what tests do."""

import math
import os
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from ornstein.engine.store import Store
from ornstein.engine.study import Cell, Study, cell_seed
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


@dataclass(frozen=True)
class Toy(ToyStudy):
    """Measures a random number; fails where told; notes each call in a file."""

    log: Path | None = None
    failing: frozenset[Cell] = frozenset()
    scale: float = 1.0
    metrics: ClassVar[tuple[str, ...]] = ("value", "limit")  # type: ignore[misc]

    @property
    def identity(self) -> dict[str, object]:
        return {**super().identity, "scale": self.scale}

    def measure(self, cell: Cell) -> dict[str, float]:
        if self.log is not None:
            with self.log.open("a") as stream:
                stream.write(f"{cell.train_size} {cell.replicate}\n")
        if cell in self.failing:
            raise ArithmeticError("no solution")
        rng = np.random.default_rng(cell_seed(self.seed, cell))
        return {"value": self.scale * rng.standard_normal(), "limit": math.inf}


@dataclass(frozen=True)
class Growing(Toy):
    """Keeps 4 MB of each cell in a worker that may grow by 2 MB, so that it is replaced."""

    def seconds(self, cell: Cell) -> float:
        return 10.0

    def measure(self, cell: Cell) -> dict[str, float]:
        import builtins

        from joblib.externals.loky import process_executor

        process_executor._MAX_MEMORY_LEAK_SIZE = 2_000_000
        process_executor._MEMORY_LEAK_CHECK_DELAY = 0.0
        kept = vars(builtins).setdefault("_kept", [])
        kept.append(np.ones(500_000))
        with (self.log or Path(os.devnull)).open("a") as stream:
            stream.write(f"{os.getpid()}\n")
        return replace(self, log=None).measure_quietly(cell)

    def measure_quietly(self, cell: Cell) -> dict[str, float]:
        return Toy.measure(self, cell)


@dataclass(frozen=True)
class Deadly(Toy):
    """Kills the worker of some cells, or of one cell the first time only; all may be slow."""

    killers: frozenset[Cell] = frozenset()
    once: Path | None = None
    cost: float = 0.1
    slow: float = 0.0

    def seconds(self, cell: Cell) -> float:
        return self.cost

    def measure(self, cell: Cell) -> dict[str, float]:
        time.sleep(self.slow)
        if cell in self.killers and (self.once is None or not self.once.exists()):
            if self.once is not None:
                self.once.write_text("")
            os.kill(os.getpid(), signal.SIGKILL)
        return super().measure(cell)
