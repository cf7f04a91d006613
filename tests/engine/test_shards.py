"""Shards of a study and merging: the same cells, once each, bit for bit."""

import math
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ornstein.engine.exporting import cells_table, write_cells
from ornstein.engine.merging import merge, shards_in
from ornstein.engine.shards import Shard, cells_of
from ornstein.engine.status import read_status
from ornstein.engine.store import Outcome, Store, StudyError
from ornstein.engine.study import Cell, planned_cells
from ornstein.studies.linear.options import LinearOptions
from ornstein.studies.linear.study import LinearStudy

OPTIONS = LinearOptions(train_sizes=(4, 9, 30), dim=5, simulations=7)
STUDY = LinearStudy(OPTIONS)


def dump(folder: Path) -> list[tuple]:
    """Cells and values, without what depends on the machine."""
    table = cells_table(folder).drop(columns=["seconds", "cpu", "error"])
    return [tuple(map(repr, row)) for row in table.itertuples(index=False)]


class TestShares:
    @pytest.mark.parametrize("count", [1, 2, 5, 8, 40])
    def test_disjoint_and_whole(self, count: int) -> None:
        shares = [cells_of(STUDY, Shard(i, count)) for i in range(1, count + 1)]
        assert Counter(c for share in shares for c in share) == Counter(planned_cells(STUDY))
        order = planned_cells(STUDY)
        for share in shares:
            assert share == sorted(share, key=order.index)

    def test_balanced_by_cost(self) -> None:
        study = LinearStudy(replace(OPTIONS, train_sizes=(5, 50, 5000), simulations=40))
        costs = [sum(map(study.seconds, cells_of(study, Shard(i, 8)))) for i in range(1, 9)]
        assert max(costs) - min(costs) <= max(map(study.seconds, planned_cells(study)))

    def test_one_large_cell_has_a_shard_of_its_own(self) -> None:
        """Shares of equal number would give it half of the others."""
        small = tuple(range(2, 22))
        study = LinearStudy(replace(OPTIONS, train_sizes=(*small, 50_000), simulations=1))
        costs = {n: study.seconds(Cell(n, 0)) for n in study.train_sizes}
        assert costs[50_000] > sum(costs[n] for n in small)
        first, second = (cells_of(study, Shard(i, 2)) for i in (1, 2))
        assert first == [Cell(50_000, 0)]
        assert second == [Cell(n, 0) for n in small]

    @pytest.mark.parametrize("text", ["0/8", "9/8", "3", "a/b", "3/8/9", "-1/4", "1.5/2", ""])
    def test_what_is_no_shard(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"expected i/k with i from 1 to k, as in 3/8"):
            Shard.read(text)


class TestMerging:
    def test_eight_shards_are_the_serial_study(self, tmp_path: Path) -> None:
        whole = STUDY.run(tmp_path / "whole", jobs=1)
        for index in range(1, 9):
            STUDY.run(tmp_path / "parts", jobs=1, shard=Shard(index, 8))
        shards = shards_in(tmp_path / "parts")
        assert [path.name for path in shards] == [f"shard-{i}-of-8" for i in range(1, 9)]
        assert not (tmp_path / "parts" / "shard-1-of-8" / "summary.csv").exists()
        result = merge(shards, tmp_path / "parts")
        assert (result.added, result.known, result.done, result.failed) == (21, 0, 21, 0)
        assert result.missing == 0
        assert dump(tmp_path / "parts") == dump(tmp_path / "whole")
        again = merge(shards, tmp_path / "parts")
        assert (again.added, again.known, again.done) == (0, 21, 21)
        assert dump(tmp_path / "parts") == dump(tmp_path / "whole")
        joined = STUDY.run(tmp_path / "parts", jobs=1)
        assert joined.rows == whole.rows
        csv = (tmp_path / "parts" / "summary.csv").read_text()
        assert csv == (tmp_path / "whole" / "summary.csv").read_text()

    def test_what_is_planned_and_missing(self, tmp_path: Path) -> None:
        STUDY.run(tmp_path, jobs=1, shard=Shard(2, 3))
        share = Counter(cell.train_size for cell in cells_of(STUDY, Shard(2, 3)))
        assert read_status(tmp_path / "shard-2-of-3").planned == dict(share)
        result = merge(shards_in(tmp_path), tmp_path)
        assert (result.done, result.missing) == (share.total(), 21 - share.total())

    def filled(self, folder: Path, *outcomes: Outcome, **identity: object) -> Path:
        with Store(folder, {"study": "toy", **identity}, ("x",)) as store:
            store.plan({"train_sizes": [3], "simulations": 2})
            store.save(*outcomes)
        return folder

    def test_done_replaces_failed(self, tmp_path: Path) -> None:
        failed = Outcome(Cell(3, 0), 0.1, error="no")
        done = Outcome(Cell(3, 0), 0.1, values={"x": math.nan}, cpu="A")
        for order in ("ab", "ba"):
            a = self.filled(tmp_path / order / "a", failed)
            b = self.filled(tmp_path / order / "b", done)
            places = {"a": a, "b": b}
            result = merge([places[name] for name in order], tmp_path / order / "out")
            assert (result.done, result.failed, result.missing) == (1, 0, 1)

    def test_of_different_studies(self, tmp_path: Path) -> None:
        a = self.filled(tmp_path / "a", seed=1)
        b = self.filled(tmp_path / "b", seed=2)
        with pytest.raises(StudyError, match=r"different studies: their seed differ"):
            merge([a, b], tmp_path / "out")

    def test_two_values_of_one_cell(self, tmp_path: Path) -> None:
        a = self.filled(tmp_path / "a", Outcome(Cell(3, 1), 0.1, values={"x": 1.0}))
        b = self.filled(tmp_path / "b", Outcome(Cell(3, 1), 0.1, values={"x": 1.0 + 1e-9}))
        c = self.filled(tmp_path / "c", Outcome(Cell(3, 1), 0.1, values={"x": 1.5}))
        assert merge([a, b], tmp_path / "out").known == 1
        with pytest.raises(StudyError, match=r"x = 1\.5 at n = 3, run 1, where .* has 1"):
            merge([a, c], tmp_path / "out")


def test_each_value_stands_in_its_column(tmp_path: Path) -> None:
    with Store(tmp_path / "s", {"study": "toy"}, ("z", "a")) as store:
        store.save(
            Outcome(Cell(8, 1), 0.25, values={"z": 1.5, "a": 2.5}, cpu="Babbage"),
            Outcome(Cell(3, 2), 0.75, error="no"),
        )
    table = cells_table(tmp_path / "s")
    first, second = table.to_dict("records")
    assert pd.isna(second.pop("error"))
    assert second == {
        "train_size": 8, "replicate": 1, "status": "done", "seconds": 0.25, "cpu": "Babbage",
        "z": 1.5, "a": 2.5,
    }  # fmt: skip
    assert (first["train_size"], first["replicate"]) == (3, 2)
    assert (first["status"], first["error"]) == ("failed", "no")
    for name in ("cells.csv", "cells.parquet"):
        write_cells(table, tmp_path / name)
    for read in (pd.read_csv(tmp_path / "cells.csv"), pd.read_parquet(tmp_path / "cells.parquet")):
        assert (read["z"][1], read["a"][1], read["seconds"][1]) == (1.5, 2.5, 0.25)
    write_cells(table, tmp_path / "cells.npz")
    with np.load(tmp_path / "cells.npz") as grids:
        assert (grids["z"][1, 0], grids["a"][1, 0], grids["seconds"][1, 0]) == (1.5, 2.5, 0.25)


def test_cells_that_are_not_finished_are_nan_in_grids(tmp_path: Path) -> None:
    with Store(tmp_path / "s", {"study": "toy"}, ("x",)) as store:
        store.save(
            Outcome(Cell(3, 0), 0.1, values={"x": 1.5}),
            Outcome(Cell(3, 2), 0.2, error="no"),
            Outcome(Cell(8, 2), 0.3, values={"x": 2.5}),
        )
    write_cells(cells_table(tmp_path / "s"), tmp_path / "c.npz")
    with np.load(tmp_path / "c.npz") as grids:
        assert list(grids["replicate"]) == [0, 2]
        assert np.array_equal(grids["x"], [[1.5, np.nan], [np.nan, 2.5]], equal_nan=True)
        assert np.array_equal(grids["seconds"], [[0.1, np.nan], [np.nan, 0.3]], equal_nan=True)
