"""The engine: seeds, resuming, refusing, failing cells, the same numbers for any workers."""

import math
import sqlite3
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from ornstein.engine.running import compute
from ornstein.engine.store import Outcome, Store, StudyError, read_status
from ornstein.engine.study import Cell, Study, cell_seed, planned_cells
from ornstein.engine.summary import Summary, mean_and_error, write_csv
from ornstein.intervals import wilson_interval


@dataclass(frozen=True)
class Toy(Study):
    """Measures a random number; fails where told; notes each call in a file."""

    train_sizes: tuple[int, ...] = (2, 5)  # type: ignore[assignment]
    simulations: int = 4  # type: ignore[assignment]
    seed: int = 0  # type: ignore[assignment]
    log: Path | None = None
    failing: frozenset[Cell] = frozenset()
    scale: float = 1.0
    name: ClassVar[str] = "toy"
    metrics: ClassVar[tuple[str, ...]] = ("value", "limit")  # type: ignore[misc]

    def summarize(self, store: Store) -> Summary:
        return Summary(rows=[{"values": len(store.values(planned_cells(self)))}])

    @property
    def identity(self) -> dict[str, object]:
        return {"study": "toy", "seed": self.seed, "scale": self.scale}

    def seconds(self, cell: Cell) -> float:
        return 0.02

    def measure(self, cell: Cell) -> dict[str, float]:
        if self.log is not None:
            with self.log.open("a") as stream:
                stream.write(f"{cell.train_size} {cell.replicate}\n")
        if cell in self.failing:
            raise ArithmeticError("no solution")
        rng = np.random.default_rng(cell_seed(self.seed, cell))
        return {"value": self.scale * rng.standard_normal(), "limit": math.inf}


def run(study: Toy, folder: Path, **options) -> dict:
    with Store(folder, study.identity, study.metrics) as store:
        compute(study, store, **options)
        return store.values(planned_cells(study))


def test_same_values_for_any_number_of_workers(tmp_path: Path) -> None:
    one = run(Toy(simulations=12), tmp_path / "one", jobs=1)
    two = run(Toy(simulations=12), tmp_path / "two", jobs=2)
    assert one == two
    assert one[2]["limit"] == [math.inf] * 12


@dataclass(frozen=True)
class Hoarder(Toy):
    """Keeps 400 MB of each cell, so that joblib replaces its worker after a second."""

    def seconds(self, cell: Cell) -> float:
        return 10.0

    def measure(self, cell: Cell) -> dict[str, float]:
        import builtins

        hoard = vars(builtins).setdefault("_hoard", [])
        hoard.append(np.ones(50_000_000))
        time.sleep(1.2)
        return super().measure(cell)


@pytest.mark.slow
def test_a_worker_that_has_grown_is_replaced_without_a_word(tmp_path: Path) -> None:
    """The warning of that is an error here, and would be the end of the thread that replaces."""
    study = Hoarder(train_sizes=(2,), simulations=8)
    assert len(run(study, tmp_path, jobs=2)[2]["value"]) == 8


def test_seeds_depend_on_the_cell_alone() -> None:
    draws = {
        (seed, n, r): np.random.default_rng(cell_seed(seed, Cell(n, r))).integers(2**60)
        for seed in range(3)
        for n in (2, 3)
        for r in range(3)
    }
    assert len(set(draws.values())) == len(draws)


def test_more_sizes_and_replicates_reuse_what_is_there(tmp_path: Path) -> None:
    log = tmp_path / "log"
    run(Toy(log=log), tmp_path / "s", jobs=1)
    grown = run(Toy(train_sizes=(2, 5, 9), simulations=6, log=log), tmp_path / "s", jobs=1)
    calls = log.read_text().splitlines()
    assert len(calls) == len(set(calls)) == 18
    assert grown == run(Toy(train_sizes=(2, 5, 9), simulations=6), tmp_path / "fresh", jobs=1)
    fewer = run(Toy(train_sizes=(5,), simulations=2), tmp_path / "s", jobs=1)
    assert fewer == {5: {name: values[:2] for name, values in grown[5].items()}}


def test_another_configuration_is_refused_with_the_difference(tmp_path: Path) -> None:
    first = run(Toy(), tmp_path, jobs=1)
    with pytest.raises(StudyError, match=r"scale is 1\.0 there and 2\.0 here"):
        run(Toy(scale=2.0), tmp_path, jobs=1)
    assert run(Toy(), tmp_path, jobs=1) == first


def test_a_failing_cell_is_recorded_and_the_rest_goes_on(tmp_path: Path) -> None:
    bad = frozenset({Cell(5, 1)})
    values = run(Toy(failing=bad), tmp_path, jobs=1)
    assert len(values[2]["value"]) == 4
    assert len(values[5]["value"]) == 3
    status = read_status(tmp_path)
    assert status.planned == {2: 4, 5: 4}
    assert status.done == {2: 4, 5: 3}
    assert status.failed == {5: 1}
    assert status.errors == ((Cell(5, 1), "ArithmeticError: no solution"),)
    # It is not tried again unless asked for.
    log = tmp_path / "log"
    run(Toy(log=log), tmp_path, jobs=1)
    assert not log.exists()
    healed = run(Toy(log=log), tmp_path, jobs=1, retry_failed=True)
    assert log.read_text() == "5 1\n"
    assert healed == run(Toy(), tmp_path / "fresh", jobs=1)


def test_an_interrupted_study_keeps_what_is_finished(tmp_path: Path) -> None:
    class Interrupted(Toy):
        def measure(self, cell: Cell) -> dict[str, float]:
            if cell.replicate == 2:
                raise KeyboardInterrupt
            return super().measure(cell)

        def seconds(self, cell: Cell) -> float:
            return 10.0

    with pytest.raises(KeyboardInterrupt):
        run(Interrupted(), tmp_path, jobs=1)
    assert read_status(tmp_path).done == {2: 2, 5: 2}
    assert run(Toy(), tmp_path, jobs=1) == run(Toy(), tmp_path / "fresh", jobs=1)


def test_folders_that_cannot_be_used(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here")
    with pytest.raises(StudyError, match="cannot use the folder"):
        Store(tmp_path / "file" / "study", {}, ["a"])
    assert (tmp_path / "file").read_text() == "here"
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "study.sqlite").write_text("this is no database, " * 20)
    with pytest.raises(StudyError, match="not a database"):
        Store(tmp_path / "bad", {}, ["a"])
    with pytest.raises(StudyError, match="cannot read"):
        read_status(tmp_path / "bad")
    with pytest.raises(StudyError, match="no study in"):
        read_status(tmp_path / "nowhere")


def test_each_cell_is_on_disk_when_saved(tmp_path: Path) -> None:
    """A second connection sees a cell before the first one closes."""
    with Store(tmp_path, {"a": 1}, ["x"]) as store:
        store.save(Outcome(Cell(3, 0), 0.1, values={"x": math.nan}))
        other = sqlite3.connect(tmp_path / "study.sqlite")
        assert other.execute("SELECT status, x FROM cells").fetchall() == [("done", None)]
        other.close()
        assert math.isnan(store.values([Cell(3, 0)])[3]["x"][0])


def test_dask_without_a_scheduler_is_one_clear_line(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"dask") as caught:
        run(Toy(), tmp_path, dask="tcp://127.0.0.1:1")
    assert "\n" not in str(caught.value)


def test_mean_and_error_of_odd_lists() -> None:
    assert mean_and_error([1.0, math.inf])[0] == math.inf
    assert math.isnan(mean_and_error([1.0, math.inf])[1])
    assert math.isnan(mean_and_error([math.inf, -math.inf])[0])
    assert math.isnan(mean_and_error([])[0])
    assert mean_and_error([3.0])[0] == 3.0


@pytest.mark.parametrize(("k", "n"), [(0, 10), (3, 10), (10, 10), (150, 300)])
def test_wilson_interval_against_scipy(k: int, n: int) -> None:
    from scipy.stats import binomtest

    oracle = binomtest(k, n).proportion_ci(0.95, method="wilson")
    assert wilson_interval(k, n) == pytest.approx((oracle.low, oracle.high), abs=1e-12)


def test_csv_keeps_all_digits(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", [{"n": 3, "a": 0.1 + 0.2, "b": math.nan, "c": math.inf}])
    assert (tmp_path / "t.csv").read_text() == "n,a,b,c\n3,0.30000000000000004,,inf\n"
