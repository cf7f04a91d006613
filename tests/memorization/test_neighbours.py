"""Neighbours against scikit-learn; duplicates, zero distances, far data; the baseline's law."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.neighbors import NearestNeighbors

from ornstein.intervals import wilson_interval
from ornstein.memorization.exact_search import (
    ExactSearch,
    candidates,
    single_precision_suffices,
    targets_of,
)
from ornstein.memorization.neighbours import memorized_fraction, nearest_neighbours

HOME = "ornstein.memorization.neighbours"


def brute(queries: np.ndarray, points: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """All differences; stable order."""
    distances = np.array([[math.dist(q, p) for p in points] for q in queries])
    order = np.argsort(distances, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(distances, order, axis=1), order


@pytest.mark.parametrize(("dim", "k"), [(1, 2), (2, 1), (5, 3), (64, 2), (300, 5)])
def test_neighbours_are_those_of_scikit_learn(dim: int, k: int) -> None:
    rng = np.random.default_rng(dim)
    points, queries = rng.standard_normal((400, dim)), rng.standard_normal((90, dim))
    search = NearestNeighbors(n_neighbors=k, algorithm="kd_tree").fit(points)
    distances, indices = search.kneighbors(queries)
    ours = nearest_neighbours(queries, points, k)
    np.testing.assert_array_equal(ours.indices, indices)
    np.testing.assert_allclose(ours.distances, distances, rtol=1e-13)


@pytest.mark.parametrize("dim", [1, 3, 40])
def test_far_from_the_origin_only_differences_tell(dim: int) -> None:
    """Squares of coordinates are 1e22 times what decides."""
    rng = np.random.default_rng(dim)
    points, queries = 1e9 + 0.01 * rng.random((60, dim)), 1e9 + 0.01 * rng.random((30, dim))
    distances, indices = brute(queries, points, 2)
    ours = nearest_neighbours(queries, points)
    np.testing.assert_array_equal(ours.indices, indices)
    np.testing.assert_allclose(ours.distances, distances, rtol=1e-14)


def test_an_outlier_among_the_points_costs_no_digits() -> None:
    rng = np.random.default_rng(0)
    points = np.concatenate([[np.full(20, -1e9)], rng.standard_normal((50, 20))])
    queries = points[1:30] + 1e-6 * rng.standard_normal((29, 20))
    ours = nearest_neighbours(queries, points)
    np.testing.assert_array_equal(ours.indices[:, 0], np.arange(1, 30))
    np.testing.assert_array_equal(ours.indices, brute(queries, points, 2)[1])


@pytest.mark.parametrize("scale", [1e-310, 1e-200, 1e-20, 1e150, 1e300])
def test_no_scale_overflows_or_underflows(scale: float) -> None:
    rng = np.random.default_rng(1)
    points, queries = scale * rng.standard_normal((40, 6)), scale * rng.standard_normal((10, 6))
    distances, indices = brute(queries, points, 2)
    ours = nearest_neighbours(queries, points)
    np.testing.assert_array_equal(ours.indices, indices)
    np.testing.assert_allclose(ours.distances, distances, rtol=1e-9)
    assert (ours.distances > 0).all()


def test_zero_distance_is_equality() -> None:
    points = np.array([[0.0, 1e-300], [0.0, 0.0], [5.0, 1.0]])
    ours = nearest_neighbours([[0.0, 0.0], [-0.0, 1e-300]], points)
    assert ours.indices.tolist() == [[1, 0], [0, 1]]
    assert ours.distances.tolist() == [[0.0, 1e-300], [0.0, 1e-300]]


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10_000), dim=st.integers(1, 4), values=st.integers(1, 5))
def test_ties_go_to_the_lowest_index(seed: int, dim: int, values: int) -> None:
    """Small integers: many equal points, many equal distances."""
    rng = np.random.default_rng(seed)
    points = rng.integers(0, values, (25, dim)).astype(float)
    queries = rng.integers(0, values, (8, dim)).astype(float)
    distances, indices = brute(queries, points, 4)
    ours = nearest_neighbours(queries, points, 4)
    np.testing.assert_array_equal(ours.indices, indices)
    np.testing.assert_allclose(ours.distances, distances, rtol=1e-15)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(2)
    points, queries = rng.standard_normal((130, 9)), rng.standard_normal((70, 9))
    points[50:60] = points[0]
    whole = nearest_neighbours(queries, points, 3)
    monkeypatch.setattr(f"{HOME}._BLOCK", 500)
    monkeypatch.setattr(f"{HOME}._ROWS", 1)
    monkeypatch.setattr("ornstein.memorization.exact_search._PAIRS", 20)
    monkeypatch.setattr("ornstein.memorization.exact_search._SHIFTED", 63)
    parts = nearest_neighbours(queries, points, 3)
    np.testing.assert_array_equal(parts.indices, whole.indices)
    np.testing.assert_allclose(parts.distances, whole.distances, rtol=1e-15)


@pytest.mark.parametrize("single", [True, False])
def test_every_number_of_points_and_neighbours(single: bool, monkeypatch) -> None:
    """Groups of points are filled up; what fills them is no neighbour."""
    monkeypatch.setattr(f"{HOME}.single_precision_suffices", lambda _: single)
    rng = np.random.default_rng(19)
    for n in (*range(1, 12), 63, 65, 130):
        points = rng.standard_normal((n, 3))
        for k in range(1, min(n, 9) + 1):
            ours = nearest_neighbours(points[:5] + 0.1, points, k)
            np.testing.assert_array_equal(ours.indices, brute(points[:5] + 0.1, points, k)[1])


def test_float32_and_images() -> None:
    rng = np.random.default_rng(3)
    points = rng.standard_normal((50, 1, 4, 4)).astype(np.float32)
    ours = memorized_fraction(points[:5], points, points[10:20])
    assert ours.fraction == ours.held_out_fraction == 1
    assert [pair.train for pair in ours.nearest_pairs] == [0, 1, 2, 3, 4]
    assert (ours.ratios == 0).all()


@pytest.mark.parametrize(("dim", "threshold"), [(1, 0.5), (2, 0.5), (2, 1 / 3), (3, 0.7)])
def test_baseline_of_an_even_density_is_a_power_of_the_threshold(dim, threshold) -> None:
    """Points of a Poisson process: (d_1 / d_2)^dim is uniform, so the fraction is threshold^dim."""
    rng = np.random.default_rng(dim)
    train, trials = rng.random((4000, dim)), 4000
    held_out = 0.2 + 0.6 * rng.random((trials, dim))
    result = memorized_fraction(held_out, train, held_out, threshold)
    expected = threshold**dim
    # Neighbouring queries share their neighbours: about as many trials as training points.
    error = math.sqrt(expected * (1 - expected) / min(trials, 0.6**dim * len(train)))
    assert abs(result.fraction - expected) < 4 * error
    assert result.held_out_fraction == result.fraction


def test_copies_are_counted_and_fresh_points_are_not() -> None:
    rng = np.random.default_rng(4)
    train, fresh = rng.standard_normal((300, 30)), rng.standard_normal((400, 30))
    generated = np.concatenate([train[:7] + 0.01 * rng.standard_normal((7, 30)), fresh[:13]])
    result = memorized_fraction(generated, train, fresh, n_pairs=8)
    assert result.fraction == 7 / 20
    assert result.held_out_fraction == 0
    assert sorted(pair.generated for pair in result.nearest_pairs[:7]) == list(range(7))
    assert all(pair.generated == pair.train for pair in result.nearest_pairs[:7])
    assert len(result.nearest_pairs) == 8
    ratios = [pair.ratio for pair in result.nearest_pairs]
    assert ratios == sorted(ratios)
    assert ratios[-1] == np.sort(result.ratios)[7]
    pair = result.nearest_pairs[0]
    assert pair.distance == pytest.approx(math.dist(generated[pair.generated], train[pair.train]))


def test_duplicates_in_the_training_set_count_once() -> None:
    """A copy of a point that occurs three times is a copy all the same."""
    rng = np.random.default_rng(5)
    once = rng.standard_normal((40, 10))
    once[7] = 0.0
    train = np.concatenate([once[5:6], once[5:6], -once[7:8], once])
    generated = np.concatenate([once[5:6], once[7:9] + 1e-6, once[20:21] + 1.0])
    result, plain = memorized_fraction(generated, train), memorized_fraction(generated, once)
    np.testing.assert_array_equal(result.ratios, plain.ratios)
    assert result.ratios[0] == 0
    assert result.fraction == 0.75
    # The index of a point is that of its first occurrence in the training set as given.
    assert [pair.train for pair in sorted(result.nearest_pairs)[:3]] == [0, 2, 11]


def test_intervals_are_wilsons() -> None:
    rng = np.random.default_rng(6)
    train = rng.standard_normal((60, 20))
    for copies, total in [(0, 10), (3, 11), (12, 12)]:
        generated = np.concatenate([train[:copies], rng.standard_normal((total - copies, 20))])
        result = memorized_fraction(generated, train)
        assert result.fraction == copies / total
        assert (result.low, result.high) == pytest.approx(wilson_interval(copies, total), abs=1e-12)
        assert math.isnan(result.held_out_fraction)


def test_shift_scale_and_rotation_change_nothing() -> None:
    rng = np.random.default_rng(7)
    train, generated = rng.standard_normal((80, 6)), rng.standard_normal((30, 6))
    rotation, _ = np.linalg.qr(rng.standard_normal((6, 6)))
    base = memorized_fraction(generated, train)
    moved = memorized_fraction(5 * generated @ rotation + 3, 5 * train @ rotation + 3)
    np.testing.assert_allclose(moved.ratios, base.ratios, rtol=1e-12)
    shuffled = memorized_fraction(generated, train[::-1])
    np.testing.assert_array_equal(shuffled.ratios, base.ratios)
    assert shuffled.nearest_pairs[0].train == 79 - base.nearest_pairs[0].train


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda X: nearest_neighbours(X, X[:1]), "points has 1 point.s., expected at least 2"),
        (lambda X: nearest_neighbours(X, X[:, :2]), "expected 3"),
        (lambda X: nearest_neighbours(X, X, 0), "k is 0"),
        (lambda X: memorized_fraction(X, X[:1]), "train has 1 point"),
        (lambda X: memorized_fraction(X, np.ones((4, 3))), "one distinct point"),
        (lambda X: memorized_fraction(X, X, X[:, :1]), "held_out has 1 coordinates"),
        (lambda X: memorized_fraction(X, X, threshold=0.0), "threshold is 0"),
        (lambda X: memorized_fraction(X, X, threshold=1.5), "threshold is 1.5"),
        (lambda X: memorized_fraction(X * np.inf, X), "generated has"),
    ],
)
def test_bad_input_is_one_clear_line(call, match: str) -> None:
    X = np.random.default_rng(0).standard_normal((10, 3)) + 5
    with pytest.raises(ValueError, match=match) as caught:
        call(X)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("far", [1e3, 1e6, 1e9])
def test_queries_far_from_the_points_lose_none(far: float) -> None:
    """Products of far queries round by more than squares of the points: lengths of all pairs."""
    rng = np.random.default_rng(5)
    points = rng.standard_normal((300, 40))
    direction = rng.standard_normal(40)
    direction /= np.linalg.norm(direction)
    points -= np.outer(points @ direction, direction)  # all nearly as far
    queries = far * direction + rng.standard_normal((20, 40))
    lengths = np.array([[np.linalg.norm(q - p) for p in points] for q in queries])
    near = nearest_neighbours(queries, points, k=3)
    truth = np.sort(lengths, axis=1)[:, :3]
    np.testing.assert_allclose(near.distances, truth, rtol=4e-16)


@pytest.mark.parametrize("n_jobs", [1, 2, -1])
def test_neither_threads_nor_memory_change_the_result(
    n_jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(f"{HOME}._BLOCK", 3000)
    monkeypatch.setattr(f"{HOME}._ROWS", 10)
    rng = np.random.default_rng(20)
    points, queries = rng.standard_normal((300, 9)), rng.standard_normal((200, 9))
    expected = brute(queries, points, 3)[1]
    for memory in (None, 3e5):
        ours = nearest_neighbours(queries, points, 3, n_jobs=n_jobs, max_memory=memory)
        np.testing.assert_array_equal(ours.indices, expected)


def test_memory_is_kept_or_refused() -> None:
    points = np.random.default_rng(21).standard_normal((4000, 20))
    needed = 4000 * 21 * 12 + 9 * 4000 + 24 * 20
    nearest_neighbours(points[:3], points, max_memory=needed + 1)
    with pytest.raises(
        ValueError, match=r"max_memory is 1e\+06 bytes, expected at least 1.04e\+06"
    ):
        nearest_neighbours(points[:3], points, max_memory=1e6)
    with pytest.raises(ValueError, match="n_jobs is 0"):
        nearest_neighbours(points[:3], points, n_jobs=0)
    tracemalloc.start()
    nearest_neighbours(points, points, 1, max_memory=needed + 2e5)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < needed + 2e5 + 16 * 4000 + 2e5  # the result, and small arrays


@pytest.mark.parametrize("spread", [1e-3, 1e-7, 1e-10, 0.0])
def test_distances_that_single_precision_cannot_tell_apart(spread: float) -> None:
    """Points on a sphere about the query, nearly or exactly."""
    rng = np.random.default_rng(22)
    directions = rng.standard_normal((500, 30))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    points = 2.0 + (1 + spread * rng.standard_normal((500, 1))) * directions
    queries = 2.0 + 1e-9 * rng.standard_normal((5, 30))
    distances, indices = brute(queries, points, 4)
    ours = nearest_neighbours(queries, points, 4)
    np.testing.assert_allclose(ours.distances, distances, rtol=1e-14)
    if spread > 0:
        np.testing.assert_array_equal(ours.indices, indices)


def test_far_outliers_are_left_to_double_precision() -> None:
    rng = np.random.default_rng(23)
    points = np.concatenate([rng.standard_normal((600, 20)), [np.full(20, 1e6)]])
    search = ExactSearch(points, points, 1, single=True)
    assert search.targets.single
    length, column = search(slice(0, 601))
    assert not search.targets.single
    np.testing.assert_array_equal(column[:, 0], np.arange(601))
    assert (length == 0).all()


@pytest.mark.parametrize("single", [True, False])
def test_every_pair_within_the_bound_is_a_candidate(single: bool) -> None:
    """The error of the product, against products in long double, is within what is proved."""
    rng = np.random.default_rng(24)
    for dim in (1, 3, 50, 700):
        points = rng.uniform(-1, 1, (200, dim)) * rng.choice([1, 1e-3], (200, 1))
        queries = rng.uniform(-1, 1, (40, dim)) * rng.choice([1, 1e-3], (40, 1))
        targets = targets_of(points, np.zeros(dim), 1.0, 1, single=single)
        left = np.column_stack([-2 * queries, np.ones(40)]).astype(targets.points.dtype)
        upper = (left @ targets.points.T)[:, :200].astype(np.longdouble)
        p, q = points.astype(np.longdouble), queries.astype(np.longdouble)
        exact = (p**2).sum(axis=1) - 2 * q @ p.T
        error = np.abs(upper - targets.slack - exact)
        own = targets.factor * (q**2).sum(axis=1)[:, None] + targets.lost
        assert (error <= targets.slack + own).all()
        assert error.max() > 0
        row, column, crowded = candidates(queries, targets, 1)
        assert crowded or set(zip(range(40), exact.argmin(axis=1), strict=True)) <= set(
            zip(row, column, strict=True)
        )


def test_dimensions_without_a_proof_are_left_to_double_precision() -> None:
    assert single_precision_suffices(2888)
    assert not single_precision_suffices(2889)
    rng = np.random.default_rng(25)
    points = rng.standard_normal((40, 3000))
    ours = nearest_neighbours(points + 1e-9, points, 1)
    assert ours.indices[:, 0].tolist() == list(range(40))
