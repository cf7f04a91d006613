"""Share and p-value: against all relabellings one by one, under the null, under swaps and ties."""

from itertools import combinations

import numpy as np
import pytest

from ornstein.memorization.contrasts import blocks_of, measure
from ornstein.memorization.dependence import dependence, train_share, unit_counts
from ornstein.memorization.pool import pool_of


def found(train, held_out, generated, groups=None, permutations=999, seed=0):
    pool = pool_of(train, held_out, groups)
    blocks = blocks_of(pool, np.random.default_rng(9))
    contrasts, _ = measure(np.asarray(generated, dtype=float), pool, blocks)
    return dependence(contrasts, pool, np.random.default_rng(seed), permutations)


def test_the_share_is_that_of_nearer_points() -> None:
    rng = np.random.default_rng(0)
    train, held_out, new = (rng.standard_normal((n, 3)) for n in (40, 40, 500))
    to_train, to_held_out = (
        np.linalg.norm(new[:, None] - points, axis=2).min(axis=1) for points in (train, held_out)
    )
    nearest = to_train < to_held_out
    assert found(train, held_out, new).share == pytest.approx(np.mean(nearest), abs=1e-12)


@pytest.mark.parametrize("grouped", [False, True])
def test_the_p_value_is_that_of_all_relabellings(grouped: bool) -> None:
    rng = np.random.default_rng(1)
    sizes = [2, 1, 3, 1, 2, 1, 2] if grouped else [1] * 9
    labels = np.repeat(np.arange(len(sizes)), sizes)
    points, new = rng.standard_normal((labels.size, 2)), rng.standard_normal((60, 2))
    units_in_train = 4
    in_train = labels < units_in_train
    groups = (labels[in_train], labels[~in_train]) if grouped else None
    result = found(points[in_train], points[~in_train], new, groups, permutations=40_000)

    nearest = np.linalg.norm(new[:, None] - points, axis=2).argmin(axis=1)
    counts = np.bincount(labels[nearest], minlength=len(sizes))

    def share(chosen: tuple[int, ...]) -> float:
        a, n = counts[list(chosen)].sum(), np.array(sizes)[list(chosen)].sum()
        b, m = counts.sum() - a, sum(sizes) - n
        return (a / n) / (a / n + b / m)

    observed = share(tuple(range(units_in_train)))
    every = np.array([share(c) for c in combinations(range(len(sizes)), units_in_train)])
    exact = float((every >= observed - 1e-12).mean())
    assert result.share == pytest.approx(observed, abs=1e-12)
    assert 0.05 < exact < 0.95
    assert result.p_value == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 40_000))
    assert result.units == len(sizes)
    per_unit = counts if grouped else np.bincount(nearest, minlength=9)
    assert result.effective_number == pytest.approx(60**2 / (per_unit**2).sum())
    assert result.largest_share == per_unit.max() / 60


@pytest.mark.parametrize("sizes", [(50, 50), (80, 30)])
@pytest.mark.parametrize("whole_numbers", [False, True])
def test_swapping_the_sets_turns_f_into_1_minus_f(sizes, whole_numbers: bool) -> None:
    """Whole numbers: many equal rows on both sides and many equal distances."""
    rng = np.random.default_rng(2)

    def draw(n: int) -> np.ndarray:
        return rng.integers(0, 3, (n, 3)).astype(float) if whole_numbers else rng.random((n, 3))

    a, b, new = draw(sizes[0]), draw(sizes[1]), draw(300)
    assert found(a, b, new).share + found(b, a, new).share == pytest.approx(1, abs=1e-14)


def test_neither_the_order_of_rows_nor_of_generated_points_matters() -> None:
    rng = np.random.default_rng(3)
    a, b, new = (rng.integers(0, 4, (60, 2)).astype(float) for _ in range(3))
    first = found(a, b, new)
    assert found(a[::-1], b[rng.permutation(60)], new[::-1]) == pytest.approx(first, rel=1e-14)


@pytest.mark.parametrize(
    ("dim", "sizes", "law"),
    [
        (2, (60, 60), "normal"),
        (30, (120, 40), "skewed"),
        (8, (40, 90), "clumped"),
        (3, (80, 60), "whole numbers"),
    ],
)
def test_under_the_null_five_percent_are_rejected(dim, sizes, law) -> None:
    rng, runs = np.random.default_rng(4), 200

    def draw(n: int) -> np.ndarray:
        z = rng.standard_normal((n, dim))
        return {
            "normal": z,
            "skewed": np.exp(1.5 * z),
            "clumped": rng.integers(0, 4, (n, 1)) * 20.0 + 0.1 * z,
            "whole numbers": np.round(z),
        }[law]

    p_values = [
        found(draw(sizes[0]), draw(sizes[1]), draw(100), permutations=199, seed=run).p_value
        for run in range(runs)
    ]
    rejected = np.mean(np.array(p_values) <= 0.05)
    assert abs(rejected - 0.05) < 3.5 * np.sqrt(0.05 * 0.95 / runs)
    assert abs(np.mean(p_values) - 0.5) < 3.5 / np.sqrt(12 * runs)


def test_near_copies_within_groups_need_the_groups() -> None:
    """Five near-equal points of each group: relabelled one by one, far too many are rejected."""
    rng, runs = np.random.default_rng(5), 120
    labels = np.repeat(np.arange(40), 5)
    p_values = []
    for run in range(runs):
        both = rng.standard_normal((40, 1, 4)) + 0.3 * rng.standard_normal((40, 5, 4))
        old, fresh = both[:20].reshape(100, 4), both[20:].reshape(100, 4)
        new = np.hypot(1, 0.3) * rng.standard_normal((1000, 4))
        groups = (labels[:100], labels[100:])
        p_values.append(
            [found(old, fresh, new, g, 199, run).p_value <= 0.05 for g in (None, groups)]
        )
    alone, grouped = np.mean(p_values, axis=0)
    error = np.sqrt(0.05 * 0.95 / runs)
    assert abs(grouped - 0.05) < 3.5 * error
    assert alone > 0.05 + 5 * error


def test_the_interval_covers_one_half_under_the_null() -> None:
    rng, runs, covered = np.random.default_rng(6), 200, 0
    for _ in range(runs):
        old, fresh, new = (rng.standard_normal((n, 20)) for n in (100, 100, 300))
        result = found(old, fresh, new, permutations=1)
        covered += result.low <= 0.5 <= result.high
    assert abs(covered / runs - 0.95) < 4 * np.sqrt(0.05 * 0.95 / runs)


def test_duplicated_rows_count_once_and_shared_ones_for_neither() -> None:
    rng = np.random.default_rng(7)
    old, fresh, new = (rng.standard_normal((n, 4)) for n in (50, 50, 200))
    twice = pool_of(np.concatenate([old, old[:20]]), np.concatenate([fresh, old[:5]]))
    assert twice.overlap == 5
    assert len(twice.notes) == 2
    assert "Of 55 held-out rows, 5 equal a training row: removed" in twice.notes[0]
    assert "20 training rows repeat" in twice.notes[1]
    contrasts, _ = measure(new, twice, blocks_of(twice, np.random.default_rng(0)))
    assert train_share(unit_counts(contrasts, twice)) == found(old, fresh, new).share


def test_a_law_that_repeats_its_values_keeps_all_rows() -> None:
    rng = np.random.default_rng(8)
    old, fresh = rng.integers(0, 3, (80, 2)), rng.integers(0, 3, (60, 2))
    pool = pool_of(old, fresh)
    assert pool.repeats
    assert (pool.train_rows.size, pool.held_out_rows.size) == (80, 60)
    assert "repeat their values" in pool.notes[0]


def test_a_group_of_both_sets_leaves_the_held_out_side() -> None:
    pool = pool_of(np.eye(4), 2 * np.eye(4), (list("aabb"), list("bccd")))
    assert pool.held_out_rows.tolist() == [1, 2, 3]
    assert "Of 4 held-out rows, 1 of a group that has training rows: removed" in pool.notes[0]


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="all 2 held-out rows equal training rows"):
        pool_of([[0.0], [1.0]], [[1.0], [0.0]])
    with pytest.raises(ValueError, match=r"groups have shapes \[\(1,\), \(2,\)\]"):
        pool_of([[0.0], [1.0]], [[3.0], [4.0]], (["a"], ["b", "c"]))
    with pytest.raises(ValueError, match="groups have shapes"):
        pool_of([[0.0], [1.0]], [[3.0], [4.0]], 3)
    with pytest.raises(ValueError, match="held_out has 1 coordinates per point, expected 2"):
        pool_of(np.eye(2), [[1.0]])
    with pytest.raises(ValueError, match="permutations is 0"):
        found(np.eye(3), 2 * np.eye(3), np.eye(3), permutations=0)
