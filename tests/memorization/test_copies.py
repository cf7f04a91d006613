"""Contrasts by all pairs; the list against a plain search, its false share, generators to spare."""

import math
from typing import Any

import numpy as np
import pytest
from tests.memorization.quick import few_draws

from ornstein.memorization.contrasts import Contrasts, blocks_of, measure
from ornstein.memorization.copies import (
    Reference,
    exact_copies,
    first_rows,
    list_copies,
    mirror_threshold,
    unit_contrasts,
)
from ornstein.memorization.pool import pool_of
from ornstein.memorization.reference import fitted_gaussian, gaussian_reference


class Listed:
    """Everything that leads to a list."""

    def __init__(
        self,
        train: Any,
        held_out: Any,
        generated: Any,
        *,
        fdr: float = 0.1,
        groups: Any = None,
        seed: int = 0,
        reference: bool = False,
    ) -> None:
        rng = np.random.default_rng(seed)
        new = np.asarray(generated, dtype=float)
        self.pool = pool_of(train, held_out, groups)
        self.blocks = blocks_of(self.pool, rng)
        self.everything, self.contrasts = measure(new, self.pool, self.blocks)
        self.reference = (
            gaussian_reference(
                np.asarray(train, dtype=float), self.everything, self.pool, self.blocks, rng
            )._asdict()
            if reference
            else {"reference": Reference(np.zeros(0), 1.0)}
        )
        self.found = list_copies(
            self.contrasts, self.pool, fdr, self.blocks.odds, self.reference["reference"]
        )
        self.generated = sorted(copy.generated for copy in self.found.copies)


def distances(new: np.ndarray, points: np.ndarray) -> np.ndarray:
    return np.linalg.norm(new[:, None] - points, axis=2)


def test_contrast_of_equal_sets_is_that_of_all_pairs() -> None:
    rng = np.random.default_rng(0)
    train, held_out, new = (rng.standard_normal((n, 4)) for n in (30, 30, 80))
    result = Listed(train, held_out, new)
    to_train, to_held_out = distances(new, train), distances(new, held_out)
    expected = np.log(to_held_out.min(axis=1)) - np.log(to_train.min(axis=1))
    for contrasts in (result.everything, result.contrasts):
        np.testing.assert_allclose(contrasts.contrast, expected, atol=1e-12)
        np.testing.assert_allclose(contrasts.train_distance, to_train.min(axis=1), rtol=1e-13)
        rows = result.pool.values[contrasts.held_out]
        np.testing.assert_array_equal(rows, held_out[to_held_out.argmin(axis=1)])
    assert [s.generated for s in result.found.suspects] == np.argsort(-expected)[:20].tolist()
    assert result.found.suspects[0].train == to_train[expected.argmax()].argmin()


@pytest.mark.parametrize("sizes", [(90, 30), (30, 90), (60, 40)])
def test_contrast_of_blocks_is_to_the_median_of_the_others(sizes: tuple[int, int]) -> None:
    rng = np.random.default_rng(1)
    train, held_out, new = (rng.standard_normal((n, 3)) for n in (*sizes, 50))
    result = Listed(train, held_out, new)
    blocks, pool = result.blocks, result.pool
    assert len(blocks.train) * blocks.size == sizes[0]
    assert len(blocks.held_out) * blocks.size == sizes[1]
    assert blocks.odds == sizes[0] / sizes[1]
    every = np.stack(
        [distances(new, pool.values[v]).min(axis=1) for v in (*blocks.train, *blocks.held_out)]
    )
    for g in range(50):
        first = every[:, g].argmin()
        size = np.log(np.median(np.delete(every[:, g], first)) / every[first, g])
        sign = 1 if first < len(blocks.train) else -1
        assert result.contrasts.contrast[g] == pytest.approx(sign * size, abs=1e-12)


@pytest.mark.parametrize("odds", [1.0, 3.0, 0.25])
def test_the_threshold_is_the_least_that_the_definition_allows(odds: float) -> None:
    rng = np.random.default_rng(2)
    for trial in range(60):
        s = np.round(rng.standard_normal(60) + rng.choice([0, 4], 60, p=[0.6, 0.4]), 1)
        reference = Reference(np.sort(np.abs(rng.standard_normal(200))), 0.05 * (trial % 3))
        fine = [
            t
            for t in sorted(set(s[s > 0]))
            if max(
                odds * (1 + (s <= -t).sum()),
                reference.weight * (reference.contrasts >= t).sum(),
            )
            <= 0.2 * (s >= t).sum() + 1e-12
        ]
        found = mirror_threshold(s, 0.2, odds, reference)
        assert found == fine[0] if fine else math.isnan(found)


def test_infinite_contrasts_are_the_largest() -> None:
    s = np.array([math.inf] * 10 + [0.5, -0.6, -0.1])
    assert mirror_threshold(s, 0.1) == math.inf
    assert math.isnan(mirror_threshold(np.append(s, -math.inf), 0.1))


def test_points_that_share_their_nearest_point_count_once() -> None:
    rng = np.random.default_rng(3)
    train, held_out = rng.standard_normal((20, 3)), rng.standard_normal((20, 3))
    new = np.concatenate([train[:2].repeat(50, axis=0), held_out[:1]])
    new += 1e-3 * rng.standard_normal(new.shape)
    result = Listed(train, held_out, new)
    units = unit_contrasts(result.contrasts, result.pool)
    s = result.contrasts.contrast
    assert sorted(units) == pytest.approx(sorted([s[:50].max(), s[50:100].max(), s[100]]))
    assert result.generated == []
    # Rows of one group: one coin again.
    labels = np.zeros(20, dtype=int), np.arange(1, 21)
    by_group = Listed(train, held_out, new, groups=labels)
    assert unit_contrasts(by_group.contrasts, by_group.pool).size == 2


@pytest.mark.parametrize("scale", [0.01, 0.7, 1.0, 1.3])
def test_narrow_and_wide_generators_are_not_called_copiers(scale: float) -> None:
    rng, listed = np.random.default_rng(4), 0
    for run in range(25):
        train, held_out, new = (rng.standard_normal((n, 16)) for n in (200, 200, 300))
        listed += bool(Listed(train, held_out, scale * new, seed=run).generated)
    assert listed <= 4  # 5% of 25 runs, and 3 standard errors of it


@pytest.mark.parametrize("sizes", [(400, 400), (400, 100), (300, 1200)])
def test_copies_are_listed_with_the_stated_false_share(sizes: tuple[int, int]) -> None:
    rng, dim = np.random.default_rng(5), 16
    n, m = sizes
    copied = 15 if n <= m else 60
    false, recall = [], []
    for run in range(20):
        train, held_out = rng.standard_normal((n, dim)), rng.standard_normal((m, dim))
        new = rng.standard_normal((400, dim))
        new[:copied] = train[rng.choice(n, copied, replace=False)]
        new[:copied] += 0.05 * rng.standard_normal((copied, dim))
        found = np.array(Listed(train, held_out, new, fdr=0.2, seed=run).generated)
        false.append((found >= copied).sum() / max(found.size, 1))
        recall.append((found < copied).sum() / copied)
    assert np.mean(recall) > 0.9
    assert np.mean(false) < 0.2 + 3 * np.std(false) / np.sqrt(20)


def test_without_copies_lists_are_false_in_the_stated_share_at_most() -> None:
    """At q = 0.5 two copied points are enough, so that the bound is nearly reached."""
    rng, runs = np.random.default_rng(6), 100
    for sizes in ((60, 60), (60, 180), (180, 60)):
        listed = 0
        for run in range(runs):
            train, held_out, new = (rng.standard_normal((k, 4)) for k in (*sizes, 60))
            listed += bool(Listed(train, held_out, new, fdr=0.5, seed=run).generated)
        assert listed / runs < 0.5 + 3 * np.sqrt(0.25 / runs)
        assert listed / runs > 0.05


@pytest.mark.parametrize(("sizes", "least"), [((50, 50), 10), ((150, 50), 30), ((50, 450), 2)])
def test_how_few_copies_can_be_listed(sizes: tuple[int, int], least: int) -> None:
    rng = np.random.default_rng(7)
    train, held_out = rng.standard_normal((sizes[0], 30)), rng.standard_normal((sizes[1], 30))
    for count in (least - 1, least):
        near = train[rng.choice(sizes[0], count, replace=False)] + 1e-6
        result = Listed(train, held_out, near)
        assert result.found.least == least
        assert len(result.generated) == (count if count == least else 0)
        assert len(result.found.suspects) == min(20, count)


def test_a_gaussian_fitted_to_few_points_depends_on_them_and_lists_none() -> None:
    """Its signs are no fair coins: without the reference it would be called a copier."""
    rng = np.random.default_rng(8)
    train, held_out = rng.standard_normal((60, 32)), rng.standard_normal((60, 32))
    new = fitted_gaussian(train).sample(400, rng)
    assert len(Listed(train, held_out, new).generated) >= 10
    result = Listed(train, held_out, new, reference=True)
    assert result.generated == []


def test_exact_copies_are_found_one_by_one() -> None:
    rng = np.random.default_rng(9)
    train, held_out = rng.standard_normal((100, 5)), rng.standard_normal((100, 5))
    new = rng.standard_normal((200, 5))
    new[7], new[9], new[11] = train[3], held_out[4], train[3] + 1e-7
    result = Listed(train, held_out, new)
    (only,) = exact_copies(new, result.everything, result.pool)
    assert only == (7, 3, 0.0, math.inf)
    assert result.everything.contrast[9] == -math.inf
    stored = new.astype(np.float32).astype(float)
    result = Listed(train, held_out, stored)
    assert exact_copies(stored, result.everything, result.pool) == ()
    rounded = exact_copies(stored, result.everything, result.pool, 6e-8)
    assert [copy.generated for copy in rounded] == [7]


def test_a_value_of_several_training_rows_stands_for_the_first() -> None:
    pool = pool_of([[5.0], [0.0], [5.0], [0.0]], [[0.0], [5.0], [0.0], [5.0]])
    assert pool.repeats
    rows = first_rows(pool)
    assert {float(value[0]): int(row) for value, row in zip(pool.values, rows, strict=True)} == {
        5.0: 0,
        0.0: 1,
    }


@pytest.mark.parametrize("change", ["offset 1e4", "bytes", "duplicated rows"])
def test_copies_are_found_whatever_the_data_look_like(change: str) -> None:
    rng, dim = np.random.default_rng(10), 64
    train, held_out, new = (rng.standard_normal((300, dim)) for _ in range(3))
    if change == "bytes":
        train, held_out, new = (
            np.clip(128 + 40 * x, 0, 255).astype(np.uint8) for x in (train, held_out, new)
        )
    if change == "offset 1e4":
        train, held_out, new = (1e4 + x for x in (train, held_out, new))
    if change == "duplicated rows":
        train = np.concatenate([train, train[:100], train[:50]])
    new[:20] = train[:20]
    result = Listed(train, held_out, new)
    assert result.generated[:20] == list(range(20))
    assert len(result.generated) < 25
    assert {copy.generated: copy.train for copy in result.found.copies}[5] == 5


def test_swapping_the_sets_turns_the_contrasts_over() -> None:
    rng = np.random.default_rng(11)
    a, b, new = (rng.standard_normal((n, 3)) for n in (40, 40, 60))
    first, second = (Listed(x, y, new).contrasts for x, y in ((a, b), (b, a)))
    np.testing.assert_array_equal(first.contrast, -second.contrast)
    assert isinstance(first, Contrasts)


def test_the_share_of_fitted_gaussians_is_the_simulated_one() -> None:
    """An independent simulation gave 0.825 at n = 100, d = 64."""
    rng = np.random.default_rng(12)
    shares, p_values = [], []
    for _ in range(6):
        train, held_out = rng.standard_normal((100, 64)), rng.standard_normal((100, 64))
        new = fitted_gaussian(train).sample(250, rng)
        with few_draws():
            result = Listed(train, held_out, new, reference=True).reference
        shares.append(result["share"])
        p_values.append(result["p_value"])
    assert abs(np.mean(shares) - 0.825) < 4 * np.std(shares) / np.sqrt(6)
    assert np.std(shares) < 0.05
    assert 0.2 < np.mean(p_values) < 0.8


def test_the_fitted_gaussian_has_the_moments_of_its_points() -> None:
    rng = np.random.default_rng(13)
    for n, dim in ((5, 8), (8, 8), (40, 3)):
        points = 3 + rng.standard_normal((n, dim))
        law = fitted_gaussian(points)
        np.testing.assert_allclose(law.mean, points.mean(axis=0), rtol=1e-12)
        np.testing.assert_allclose(law.covariance.dense(), np.cov(points.T), atol=1e-12)
