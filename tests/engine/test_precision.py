"""Replicates until a standard error is reached: as many as needed, the same after any break."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from tests.engine.toys import ToyStudy

from ornstein.engine.precision import Precision
from ornstein.engine.running import compute
from ornstein.engine.shards import Shard
from ornstein.engine.status import read_status
from ornstein.engine.store import Store, StudyError
from ornstein.engine.study import Cell, cell_seed
from ornstein.engine.summary import Summary
from ornstein.intervals import wilson_interval

NAMES = ("a/value", "b/value", "limit", "a/delta_sign")


@dataclass(frozen=True)
class Toy(ToyStudy):
    """Numbers of which that of b is spread by the training size."""

    simulations: int = 8  # type: ignore[assignment]
    batch_size: int = 1  # type: ignore[assignment]
    metrics: ClassVar[tuple[str, ...]] = NAMES  # type: ignore[misc]

    def measure(self, cell: Cell) -> dict[str, float]:
        first, second = np.random.default_rng(cell_seed(self.seed, cell)).standard_normal(2)
        values = (first, cell.train_size * second, math.inf, np.sign(first))
        return dict(zip(NAMES, values, strict=True))


def runs(summary: Summary) -> dict[int, int]:
    return {row["n"]: len(row["limit"]) for row in summary.rows}


def values(size: int, count: int, name: str) -> np.ndarray:
    return np.array([Toy().measure(Cell(size, r))[name] for r in range(count)])


LADDER = [8, 12, 18, 27, 41, 62, 93, 140, 200]


def test_the_first_number_of_the_ladder_that_is_enough(tmp_path: Path) -> None:
    precision = Precision({"value": 0.4}, 200)
    assert precision.ladder(Toy()) == LADDER
    summary = Toy().run(tmp_path / "s", jobs=1, precision=precision)
    expected = {}
    for size in (2, 5):
        errors = {
            r: max(values(size, r, n).std(ddof=1) / math.sqrt(r) for n in NAMES[:2]) for r in LADDER
        }
        expected[size] = next(r for r in LADDER if errors[r] <= 0.4)
    assert runs(summary) == expected
    assert expected[5] > expected[2] > 8
    assert read_status(tmp_path / "s").planned == expected
    (note,) = summary.notes
    assert "at most value 0.4: " in note
    assert f"{expected[2]} to {expected[5]} of each n. " in note
    assert "Not reached" not in note


def test_a_share(tmp_path: Path) -> None:
    summary = Toy(train_sizes=(2,)).run(tmp_path, jobs=1, precision=Precision({"delta": 0.06}, 200))
    positive = values(2, 200, "a/delta_sign") > 0

    def error(r: int) -> float:
        low, high = wilson_interval(int(positive[:r].sum()), r)
        return (high - low) / 2 / 1.959964

    assert runs(summary) == {2: next(r for r in LADDER if error(r) <= 0.06)}


def test_not_reached(tmp_path: Path) -> None:
    summary = Toy().run(tmp_path, jobs=1, precision=Precision({"value": 0.4}, 30))
    assert runs(summary)[5] == 30
    assert "Not reached within 30 runs at n = 5." in summary.notes[-1]


def test_an_infinite_mean_asks_for_nothing(tmp_path: Path) -> None:
    summary = Toy().run(tmp_path, jobs=1, precision=Precision({"limit": 0.1}, 200))
    assert runs(summary) == {2: 8, 5: 8}


def test_interrupted_or_not(tmp_path: Path) -> None:
    """Whatever is there already, and for any workers, the rule ends at the same numbers."""
    precision = Precision({"value": 0.4}, 200)
    whole = Toy().run(tmp_path / "whole", jobs=1, precision=precision)
    with Store(tmp_path / "broken", Toy().identity, NAMES) as store:
        compute(Toy(simulations=60, train_sizes=(5,)), store, jobs=1)
    for _ in range(2):
        again = Toy().run(tmp_path / "broken", jobs=2, precision=precision)
        assert again.rows == whole.rows
    # Without the rule the table is that of the plan.
    assert runs(Toy().run(tmp_path / "broken", jobs=1)) == {2: 8, 5: 8}


def test_whole_batches(tmp_path: Path) -> None:
    study = Toy(batch_size=8)
    assert Precision({"value": 0.4}, 100).ladder(study) == [8, 16, 24, 40, 64, 96, 100]


@pytest.mark.parametrize(
    ("text", "most", "message"),
    [
        ("kl", 100, "has 'kl', expected name=error"),
        ("kl=small", 100, "has 'kl=small', expected name=error"),
        ("kl=-1", 100, "target_se of kl is -1"),
        ("", 100, "target_se is empty"),
        ("kl=0.1", 0, "max_simulations"),
    ],
)
def test_targets_that_are_none(text: str, most: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Precision.read(text, most)
    assert Precision.read(" kl=0.1, delta=2e-2 ", 7).targets == {"kl": 0.1, "delta": 0.02}


def test_refusals(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"names 'kl', .* expected one of delta_sign, limit, value"
    ):
        Toy().run(tmp_path, precision=Precision({"kl": 0.1}, 100))
    with pytest.raises(ValueError, match="max_simulations is 4, expected at least the 8"):
        Toy().run(tmp_path, precision=Precision({"value": 0.1}, 4))
    with pytest.raises(StudyError, match="give it without a shard"):
        Toy().run(tmp_path, precision=Precision({"value": 0.1}, 9), shard=Shard(1, 2))
    with pytest.raises(StudyError, match="its cells would be lost"):
        Toy().run(shard=Shard(1, 2))
