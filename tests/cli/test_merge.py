"""``ornstein merge``, ``export`` and ``status --watch``."""

import json
import math
import os
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from ornstein.cli import status as watching
from ornstein.cli.running import COMMANDS
from ornstein.engine.exporting import cells_table
from ornstein.engine.store import Outcome, Store
from ornstein.engine.study import Cell

pytestmark = pytest.mark.usefixtures("without_figure")


class TestCommands:
    ARGUMENTS = ("--dim", 5, "--train-sizes", "4,30", "--simulations", 3, "--jobs", 1)

    def test_from_shards_to_tables(self, ornstein: Callable, tmp_path: Path) -> None:
        whole = ornstein("linear", *self.ARGUMENTS, "--out", "whole")
        for index in (1, 2):
            part = ornstein("linear", *self.ARGUMENTS, "--out", "s", "--shard", f"{index}/2")
            assert (part.status, part.err) == (0, "")
            assert "ornstein merge s joins them" in part.out
            if index == 1:
                partial = ornstein("merge", "s")
                assert partial.status == 1
                assert "3 done, 0 failed, 3 missing" in partial.out
                missing = "What is missing is computed by: ornstein linear --config s/config.yaml"
                assert f"{missing} --out s\n" in partial.out
                assert f"{missing} --out s\n" in ornstein("status", "s").out
        joined = ornstein("merge", "s")
        assert "What is missing" not in ornstein("status", "s").out
        assert (joined.status, joined.err) == (0, "")
        assert "6 done, 0 failed, 0 missing" in joined.out
        table = whole.out.partition("\n\nWritten")[0]
        assert table in joined.out
        document = json.loads(ornstein("merge", "s", "--json").out)
        assert document["known"] == document["done"] == 6
        assert document["command"] == ["linear", "--config", "s/config.yaml", "--out", "s"]

    def test_refusals(self, ornstein: Callable) -> None:
        wrong = ornstein("linear", *self.ARGUMENTS, "--shard", "5/4")
        assert wrong.status == 2
        assert wrong.err.startswith("ornstein: error: --shard: shard is 5/4, expected i/k")
        assert "no study in 'nowhere'" in ornstein("merge", "nowhere").err
        ornstein("linear", *self.ARGUMENTS, "--out", "a")
        assert "--out says which" in ornstein("merge", "a", "a").err

    @pytest.mark.parametrize("name", ["cells.csv", "cells.parquet", "cells.npz"])
    def test_export(self, ornstein: Callable, tmp_path: Path, name: str) -> None:
        ornstein("linear", *self.ARGUMENTS, "--out", "s")
        result = ornstein("export", "s", "--out", name)
        assert (result.status, result.out) == (0, f"6 cells (6 done) written to {name}\n")
        expected = cells_table(tmp_path / "s")
        assert list(expected["train_size"]) == [4, 4, 4, 30, 30, 30]
        assert list(expected["replicate"]) == [0, 1, 2, 0, 1, 2]
        assert expected["cpu"].nunique() == 1
        assert math.isfinite(expected["wasserstein2"].sum())
        if name.endswith("npz"):
            with np.load(name) as grids:
                assert list(grids["train_size"]) == [4, 30]
                assert list(grids["replicate"]) == [0, 1, 2]
                values = expected["wasserstein2"].to_numpy().reshape(2, 3)
                assert np.array_equal(grids["wasserstein2"], values)
                assert "status" not in grids
            return
        read = pd.read_csv if name.endswith("csv") else pd.read_parquet
        found = read(name)
        assert list(found.columns) == list(expected.columns)
        for column in ("train_size", "replicate", "status", "wasserstein2", "kl"):
            assert list(found[column]) == list(expected[column])

    def test_other_endings_are_refused(self, ornstein: Callable) -> None:
        ornstein("linear", *self.ARGUMENTS, "--out", "s")
        result = ornstein("export", "s", "--out", "cells.xlsx")
        assert result.status == 2
        assert "ends in .csv .parquet .npz" in result.err


class TestWatch:
    def test_until_all_is_done(
        self, ornstein: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A line at each look; cells come in between."""
        monkeypatch.setattr(watching.time, "monotonic", iter(range(0, 100, 4)).__next__)
        with Store(tmp_path / "s", {"study": "toy"}, ("x",)) as store:
            store.plan({"train_sizes": [3, 5], "simulations": 600})
            looks = iter(range(3))

            def between(_: float) -> None:
                size, first = divmod(next(looks) * 400, 600)
                cells = [Cell((3, 5)[size], first + r) for r in range(400)]
                cells = [Cell(5, c.replicate - 600) if c.replicate >= 600 else c for c in cells]
                store.save(*(Outcome(cell, 0.1, values={"x": 0.0}) for cell in cells))

            monkeypatch.setattr(watching.time, "sleep", between)
            result = ornstein("status", "s", "--watch")
        assert (result.status, result.err) == (0, "")
        lines = result.out.splitlines()
        assert [line.split("  ", 1)[1].partition(";")[0] for line in lines] == [
            "0 of 1200 cells",
            "400 of 1200 cells, 100 a second, 0:08 left",
            "800 of 1200 cells, 100 a second, 0:04 left",
            "1200 of 1200 cells, 100 a second, 0:00 left",
        ]
        assert all(re.match(r"\d\d:\d\d:\d\d  ", line) for line in lines)
        assert all(f"; process {os.getpid()} on " in line for line in lines)

    def test_where_nobody_computes(self, ornstein: Callable, tmp_path: Path) -> None:
        with Store(tmp_path / "s", {"study": "toy"}, ("x",)) as store:
            store.plan({"train_sizes": [3], "simulations": 3})
            store.save(Outcome(Cell(3, 0), 0.1, error="no"))
        result = ornstein("status", "s", "--watch")
        assert result.status == 1
        assert result.out.splitlines()[0].endswith("0 of 3 cells, 1 failed")
        assert result.err == "ornstein: nobody computes it now\n"
        assert "exclude each other" in ornstein("status", "s", "--watch", "--json").err

    def test_status_names_the_driver(self, ornstein: Callable, tmp_path: Path) -> None:
        with Store(tmp_path / "s", {"study": "toy"}, ("x",)) as store:
            store.plan({"train_sizes": [3], "simulations": 3})
            store.save(Outcome(Cell(3, 0), 0.25, values={"x": 1.0}))
            assert f"At work: process {os.getpid()} on " in ornstein("status", "s").out
            document = json.loads(ornstein("status", "s", "--json").out)
            assert document["seconds"] == 0.25
            assert document["driver"].startswith(f"process {os.getpid()} on ")
        assert "At work" not in ornstein("status", "s").out


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "0:00"), (59.6, "1:00"), (3599, "59:59"), (36_061, "10:01:01")]
)
def test_times(seconds: float, text: str) -> None:
    assert watching._clock(seconds) == text


def test_every_study_has_a_command() -> None:
    from ornstein.engine.study import Study
    from ornstein.studies.linear import study as _linear
    from ornstein.studies.neural import canaries, recursion, snapshots, steps, unet
    from ornstein.studies.recursion import study as _recursion
    from ornstein.studies.steps import empirical
    from ornstein.studies.steps import study as _steps

    modules = (_linear, _recursion, _steps, empirical, unet, steps, snapshots, canaries, recursion)
    names = {
        value.name
        for module in modules
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Study) and "name" in vars(value)
    }
    assert names == set(COMMANDS)
