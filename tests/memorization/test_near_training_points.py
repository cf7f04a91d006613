"""Near-duplicated training points: counted, said, and copies of them found."""

import numpy as np
import pandas as pd
import pytest
from tests.memorization.quick import quick

from ornstein.memorization import near_training_points as module
from ornstein.memorization.contrasts import blocks_of
from ornstein.memorization.near_training_points import NearDuplicates, near_training_points
from ornstein.memorization.neighbours import memorized_fraction
from ornstein.memorization.pool import pool_of


def repeated(seed: int, sizes: tuple[int, int], each: int, noise: float, copies: int, dim: int):
    """Training points of which each has near-duplicates; fresh points; generated points.

    The first of the generated points are copies within 1% of the data's standard deviation.
    """
    rng = np.random.default_rng(seed)
    n, m = sizes
    base = rng.standard_normal((n // each, dim))
    train = np.concatenate([base + noise * rng.standard_normal(base.shape) for _ in range(each)])
    held_out, new = rng.standard_normal((m, dim)), rng.standard_normal((n, dim))
    new[:copies] = train[:copies] + 0.01 * rng.standard_normal((copies, dim))
    return train, held_out, new


def recall(report, copies: int) -> float:
    return len({copy.generated for copy in report.copies} & set(range(copies))) / copies


@pytest.mark.parametrize(
    ("sizes", "each", "noise", "copies"),
    [
        ((600, 600), 1, 0.0, 30),
        ((600, 600), 2, 0.02, 30),
        ((600, 600), 6, 0.02, 30),
        ((300, 900), 3, 0.02, 30),
        ((1200, 240), 12, 0.003, 70),  # five blocks of training points
    ],
)
def test_copies_of_near_equal_points_are_found(sizes, each, noise, copies) -> None:
    sets = repeated(0, sizes, each, noise, copies, dim=24)
    report = quick(*sets)
    near = report.near_duplicates
    assert near is not None
    assert near.train == (0 if each == 1 else sizes[0])
    assert near.groups == (0 if each == 1 else sizes[0] // each)
    assert near.largest == (0 if each == 1 else each)
    assert (near.held_out, near.searched, near.points) == (0, sizes[0], sizes[0])
    assert report.verdict == "copies"
    assert recall(report, copies) == 1
    said = [note for note in report.warnings if "nearly equal" in note]
    assert len(said) == (each > 1)
    if each > 1:
        assert said[0].startswith(
            f"Of {sizes[0]} training points, {sizes[0]} nearly equal another one, in "
            f"{sizes[0] // each} groups of up to {each}. Copies of them are found all the same;"
        )
        # The ratio of distances, that others use, finds part of them, or none.
        ratio = memorized_fraction(sets[2], sets[0], sets[1], 1 / 3)
        assert ratio.fraction < (0.7 if noise > 0.01 else 0.01) * copies / len(sets[2])
    assert report.to_dict()["near_duplicates"] == near._asdict()


def test_near_equal_points_are_dealt_to_one_block() -> None:
    train, held_out, _ = repeated(1, (1200, 240), 4, 0.01, 1, dim=8)
    pool = pool_of(train, held_out)
    _, labels = near_training_points(pool)
    assert labels is not None
    spread, together = (blocks_of(pool, np.random.default_rng(0), near) for near in (None, labels))
    assert len(spread.train) == len(together.train) == 5
    assert {part.size for part in together.train} == {together.size} == {240}
    assert together.train_rest.size == spread.train_rest.size == 0

    def split(blocks) -> int:
        """Groups whose points are in several blocks."""
        place = np.empty(len(pool.values), dtype=int)
        for index, part in enumerate(blocks.train):
            place[part] = index
        where = place[pool.train]
        return sum(len(set(where[labels == label])) > 1 for label in set(labels.tolist()))

    assert split(spread) > 250
    assert split(together) <= 4


def test_held_out_points_near_training_points_are_said() -> None:
    rng = np.random.default_rng(2)
    train, held_out, new = (rng.standard_normal((200, 10)) for _ in range(3))
    held_out[:7] = train[:7] + 0.003 * rng.standard_normal((7, 10))
    new[:20] = train[:20] + 0.003 * rng.standard_normal((20, 10))
    report = quick(train, held_out, new)
    assert report.near_duplicates == NearDuplicates(0, 0, 0, 7, 200, 200, True)
    (said,) = report.warnings
    assert said.startswith("7 held-out points nearly equal a training point, and can hide copies")
    listed = {copy.generated for copy in report.copies}
    assert len(listed & set(range(7))) < 5
    assert listed >= set(range(7, 20))


def test_held_out_points_are_counted_and_equal_ones_are_not_near() -> None:
    """Two of them near one training point are two; one near two training points is one."""
    rng = np.random.default_rng(5)
    train, held_out = rng.standard_normal((100, 6)), rng.standard_normal((100, 6))
    held_out[:2] = train[0] + np.array([1e-3, -1e-3])[:, None]
    found, _ = near_training_points(pool_of(train, held_out))
    assert found is not None
    assert (found.train, found.held_out) == (0, 2)
    train[2] = train[1] + 1e-3
    held_out[:2] = train[1] + 5e-4, rng.standard_normal(6)
    found, labels = near_training_points(pool_of(train, held_out))
    assert found is not None
    assert labels is not None
    assert (found.train, found.groups, found.largest, found.held_out) == (2, 1, 2, 1)
    assert labels[1] == labels[2]
    assert np.unique(labels).size == 99
    # Data that repeat their values: 20 of them in both sets, at distance 0.
    values = rng.standard_normal((120, 6))
    one, other = values[:70], values[50:]
    pool = pool_of(np.concatenate([one, one[50:]]), np.concatenate([other, other[:20]]))
    assert pool.repeats
    found, _ = near_training_points(pool)
    assert found is not None
    assert (found.train, found.held_out, found.points) == (0, 0, 50)


def test_the_limit_is_that_of_chance_and_a_third_at_most() -> None:
    """In the plane 5 n max(1, n/m) t^2 = 0.01 pairs are expected; in 40 dimensions t is 1/3."""
    fresh = np.random.default_rng(0).random((4000, 2))
    dimension = np.log(0.01 / 5000) / np.log(module._limit(fresh, 1000))
    assert dimension == pytest.approx(2, rel=0.1)
    assert module._limit(fresh, 40_000) ** dimension == pytest.approx(0.01 / (5 * 40_000 * 10))
    fresh = np.random.default_rng(0).standard_normal((500, 40))
    assert module._limit(fresh, 500) == pytest.approx(1 / 3)


def test_two_points_are_near_by_the_scale_of_either() -> None:
    points = np.array([[0.0], [1.0], [50.0]])
    for scale in ([10.0, 1.0, 1.0], [1.0, 10.0, 1.0]):
        i, j, complete = module._near(points, None, np.array(scale), 0.2)
        assert (i.tolist(), j.tolist(), complete) == ([0], [1], True)
    # Between two sets it is that of the first.
    i, j, _ = module._near(points[:2], np.array([[2.5], [30.0]]), np.array([20.0, 10.0]), 0.2)
    assert sorted(zip(i.tolist(), j.tolist(), strict=True)) == [(0, 0), (1, 0)]
    i, _, _ = module._near(points[:2], np.array([[2.5], [30.0]]), np.array([10.0, 1.0]), 0.2)
    assert i.size == 0


def test_pairs_that_are_too_many_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_PAIRS", 3)
    train, held_out, _ = repeated(1, (200, 200), 2, 0.01, 1, dim=8)
    found, _ = near_training_points(pool_of(train, held_out))
    assert found is not None
    assert not found.complete
    assert "at least 200 nearly equal another one" in found.notes[0]


def test_the_sentences_and_their_numbers() -> None:
    one, two = NearDuplicates(3, 1, 3, 1, 20, 70, False).notes
    assert one.startswith(
        "Of 20 training points, a random part that was searched, at least 3 nearly equal another "
        "one, in 1 group of up to 3."
    )
    assert two.startswith("At least 1 held-out point nearly equals a training point, and can ")
    assert NearDuplicates(0, 0, 0, 0, 70, 70, True).notes == ()


def test_tables_of_mixed_kinds_and_few_points_are_left_out() -> None:
    rng = np.random.default_rng(3)

    def table() -> pd.DataFrame:
        return pd.DataFrame({"x": rng.standard_normal(60), "k": rng.choice(["a", "b"], 60)})

    def look(*sets, **options):
        return quick(*sets, **options).near_duplicates

    assert look(table(), table(), table()) is None
    assert look(*(table()[["x"]] for _ in range(3))) is not None
    few = [rng.standard_normal((20, 3)) for _ in range(3)]
    assert look(*few) is None
    many = [rng.standard_normal((40, 3)) for _ in range(3)]
    assert look(*many) is not None
    assert look(*many, near_duplicates=False) is None


def test_of_many_points_a_part_is_searched(monkeypatch) -> None:
    monkeypatch.setattr(module, "_MOST", 100)
    train, held_out, _ = repeated(4, (600, 300), 2, 0.01, 1, dim=8)
    found, labels = near_training_points(pool_of(train, held_out))
    assert found is not None
    assert (found.searched, found.points) == (100, 600)
    assert 0 < found.train < 60  # 100 * 99/599 = 17 expected
    assert labels is not None
    assert labels.shape == (600,)
