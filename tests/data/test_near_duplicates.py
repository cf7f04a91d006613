"""Near-duplicates: planted ones are found, chance gives none, in every geometry."""

import numpy as np
import pytest
from scipy.spatial.distance import cdist
from scipy.stats import chi2

from ornstein.data import close_pairs, near_duplicates
from ornstein.data.contents import ArrayContents
from ornstein.data.near_duplicates import NearPairs, near_pairs
from ornstein.data.reading import read


def array(values: np.ndarray) -> ArrayContents:
    contents = read(values)
    assert isinstance(contents, ArrayContents)
    return contents


def search(values: np.ndarray, other: np.ndarray | None = None) -> NearPairs:
    found = near_pairs(
        array(values),
        np.arange(len(values)),
        values.mean(axis=0),
        None if other is None else array(other),
    )
    assert found is not None
    return found


@pytest.mark.parametrize("dim", [1, 2, 5, 12, 40, 200])
def test_independent_rows_have_none_and_their_dimension_is_measured(dim: int) -> None:
    values = np.random.default_rng(dim).random((2000, dim))
    found = search(values)
    assert len(found.pairs) == 0
    assert found.complete
    if dim <= 5:
        # 512 medians of a Beta law: some percent, and edges of the cube.
        assert found.dimension == pytest.approx(dim, rel=0.2)


@pytest.mark.parametrize("dim", [1, 3, 12, 40, 200, 700])
def test_planted_pairs_are_found_with_their_distances(dim: int) -> None:
    rng = np.random.default_rng(dim)
    values = rng.standard_normal((1500, dim))
    limit = search(values).limit
    around = np.sort(cdist(values[[3, 700]], values), axis=1)[:, 5]
    for row, copy, fifth in zip((3, 700), (1200, 1201), around, strict=True):
        step = rng.standard_normal(dim)
        values[copy] = values[row] + 0.3 * limit * fifth * step / np.linalg.norm(step)
    found = search(values)
    assert sorted(map(tuple, found.pairs.tolist())) == [(3, 1200), (700, 1201)]
    gaps = np.linalg.norm(values[found.pairs[:, 0]] - values[found.pairs[:, 1]], axis=1)
    np.testing.assert_allclose(found.distances, gaps, rtol=1e-12)
    assert (np.diff(found.distances) >= 0).all()
    # A projection to 48 directions changes distances by some 10%; the fifth nearest of 1500 rows
    # there is one that has become nearer.
    fifths = np.sort(cdist(values[found.pairs[:, 0]], values), axis=1)[:, 5]
    changed = found.ratios / (gaps / fifths)
    low, high = (0.9, 1.7) if dim > 48 else (0.9999, 1.0001)
    assert ((changed > low) & (changed < high)).all()
    assert found.rows == 4


def test_where_every_row_has_a_copy_they_are_found() -> None:
    rng = np.random.default_rng(1)
    half = rng.standard_normal((400, 60))
    found = search(np.concatenate([half, half + 0.01 * rng.standard_normal((400, 60))]))
    assert {tuple(pair) for pair in found.pairs.tolist()} == {(i, i + 400) for i in range(400)}


def test_a_dense_cluster_is_no_set_of_copies() -> None:
    rng = np.random.default_rng(2)
    values = rng.standard_normal((1200, 20))
    values[:400] *= 0.05
    assert len(search(values).pairs) == 0


@pytest.mark.parametrize("scale", [1e-150, 1e-3, 1e150])
@pytest.mark.parametrize("dim", [4, 100])
def test_the_unit_does_not_matter(scale: float, dim: int) -> None:
    values = np.random.default_rng(3).standard_normal((300, dim)) + 100
    values[7] = values[9] + 1e-3
    one, other = search(values), search(scale * values)
    assert one.pairs.tolist() == other.pairs.tolist() == [[7, 9]]
    np.testing.assert_allclose(other.distances, scale * one.distances, rtol=1e-9)
    assert other.typical == pytest.approx(scale * one.typical, rel=1e-5)


@pytest.mark.parametrize("dim", [3, 100])
def test_between_two_sets(dim: int) -> None:
    rng = np.random.default_rng(4)
    train, other = rng.standard_normal((500, dim)), rng.standard_normal((80, dim))
    assert len(search(train, other).pairs) == 0
    other[11] = train[42] + 1e-3
    found = search(train, other)
    assert found.pairs.tolist() == [[42, 11]]


@pytest.mark.parametrize("dim", [3, 20, 100])
def test_single_rows_far_away_change_nothing(dim: int) -> None:
    values = np.random.default_rng(5).standard_normal((800, dim))
    values[7] = values[9] + 1e-3
    one = search(values)
    values[100] *= 1e5
    values[200] = values[100] + 1e-3  # far away, and close to each other
    found = search(values)
    assert one.pairs.tolist() == [[7, 9]]
    assert sorted(found.pairs.tolist()) == [[7, 9], [100, 200]]
    assert found.complete


def test_sets_in_quite_another_unit() -> None:
    values = np.random.default_rng(6).standard_normal((100, 20))
    for scale in (1e-200, 1e140):
        assert len(search(values, scale * values + scale).pairs) == 0


def test_few_rows_say_nothing() -> None:
    values = np.random.default_rng(0).standard_normal((29, 3))
    assert near_pairs(array(values), np.arange(29), values.mean(axis=0)) is None


def test_of_many_rows_a_sample_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_duplicates, "MOST_ROWS", 100)
    found = search(np.random.default_rng(0).standard_normal((300, 20)))
    assert found.searched == 100


def test_the_limit_is_that_of_chance_and_a_third_at_most() -> None:
    """In k dimensions 4 n t^k = 0.01 pairs are expected; in 200 that is above a third."""
    rng = np.random.default_rng(6)
    plane = search(rng.random((2000, 2)))
    assert plane.limit == pytest.approx((0.01 / 8000) ** (1 / plane.dimension), rel=1e-9)
    values = rng.standard_normal((300, 200))
    found = search(values)
    assert found.limit == pytest.approx(1 / 3)
    fifth = np.sort(cdist(values[:2], values), axis=1)[:, 5]
    step = rng.standard_normal((2, 200))
    step *= (fifth * [0.2, 0.45] / np.linalg.norm(step, axis=1))[:, None]
    values[100:102] = values[:2] + step
    assert search(values).pairs.tolist() == [[0, 100]]


def test_too_many_to_be_checked_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(near_duplicates, "_CHECKED", 10)
    rng = np.random.default_rng(1)
    half = rng.standard_normal((100, 60))
    found = search(np.concatenate([half, half + 0.001 * rng.standard_normal((100, 60))]))
    assert not found.complete
    assert 0 < len(found.pairs) < 100


def test_the_share_that_a_projection_loses() -> None:
    """The number in the docstring."""
    slack, directions = close_pairs._SLACK, near_duplicates._DIRECTIONS
    assert chi2.sf(directions * slack**2, directions) < 0.005
    assert chi2.sf(directions * slack**2, directions) == pytest.approx(0.004, abs=0.001)
