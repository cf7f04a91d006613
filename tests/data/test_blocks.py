"""One pass in blocks: the same numbers as of the whole, whatever the size of a block."""

from pathlib import Path

import numpy as np
import pytest

from ornstein.data import blocks, contents
from ornstein.data.blocks import effective_dimension, sample_of_rows, survey
from ornstein.data.contents import ArrayContents
from ornstein.data.duplicates import common_rows, equal_rows
from ornstein.data.reading import read

RNG = np.random.default_rng(0)


def array(values: object) -> ArrayContents:
    found = read(values)
    assert isinstance(found, ArrayContents)
    return found


@pytest.mark.parametrize("rows", [1, 7, 1000])
@pytest.mark.parametrize("kind", ["memory", "mapped", "fortran", "channels last"])
def test_the_survey_is_that_of_all_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int, kind: str
) -> None:
    values = 1e6 + RNG.standard_normal((60, 3, 2, 5)) * np.arange(1, 6)
    values[:, 0, 1, 2] = 3.0
    points = array(values)
    if kind != "memory":
        stored = values.transpose(0, 2, 3, 1) if kind == "channels last" else values
        np.save(tmp_path / "x.npy", np.asfortranarray(stored) if kind == "fortran" else stored)
        points = array(tmp_path / "x.npy")
    monkeypatch.setattr(contents, "BLOCK_BYTES", 8 * 30 * rows)
    look = survey(points)
    flat = values.reshape(60, -1)
    assert look.n_rows == 60
    assert look.low.tolist() == flat.min(axis=0).tolist()
    assert look.high.tolist() == flat.max(axis=0).tolist()
    np.testing.assert_allclose(look.mean, flat.mean(axis=0), rtol=1e-14)
    right = np.linalg.eigvalsh(np.cov(flat, rowvar=False))[::-1]
    np.testing.assert_allclose(look.spectrum, right, atol=1e-9 * right[0])
    assert look.variance == pytest.approx(flat.var(axis=0, ddof=1).sum(), rel=1e-9)
    assert look.constant.sum() == 1
    assert (look.sampled, look.first_bad, look.whole) == (None, None, False)


def test_values_that_are_not_finite_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "BLOCK_BYTES", 8 * 3 * 5)
    values = RNG.standard_normal((20, 3))
    values[13, 1], values[17, 0], values[17, 2] = np.nan, np.inf, -np.inf
    look = survey(array(values))
    assert (look.n_nan, look.n_infinite, look.first_bad) == (1, 2, (13, 1))
    fine = values[np.isfinite(values).all(axis=1)]
    right = np.linalg.eigvalsh(np.cov(fine, rowvar=False))[::-1]
    np.testing.assert_allclose(look.spectrum, right)
    assert look.high[0] == values[np.isfinite(values[:, 0]), 0].max()


def test_a_wide_spectrum_is_that_of_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    values = RNG.standard_normal((40, 30)) * np.arange(1, 31)
    monkeypatch.setattr(blocks, "MOST_COORDINATES", 29)
    look = survey(array(values))
    assert look.sampled == 29
    some = values[sample_of_rows(40, 29, "spectrum")]
    right = np.linalg.eigvalsh(np.cov(some, rowvar=False))[::-1]
    np.testing.assert_allclose(look.spectrum, right[:28])
    assert look.variance == pytest.approx(values.var(axis=0, ddof=1).sum())
    # Of fewer rows than coordinates all are used, and nothing is left out.
    few = survey(array(values[:20]))
    assert few.sampled is None
    right = np.linalg.eigvalsh(np.cov(values[:20], rowvar=False))[::-1]
    np.testing.assert_allclose(few.spectrum, right[:19])


def test_effective_dimension() -> None:
    assert effective_dimension(np.full(7, 3.0)) == pytest.approx(7)
    values = RNG.random(9)
    assert effective_dimension(values) == pytest.approx(values.sum() ** 2 / (values**2).sum())
    assert effective_dimension(1e-200 * values) == pytest.approx(effective_dimension(values))
    assert effective_dimension(np.zeros(3)) == 0


def test_samples_of_rows_are_the_same_each_time() -> None:
    one, two = (sample_of_rows(1000, 50, "a purpose") for _ in range(2))
    assert one.tolist() == two.tolist() == sorted(set(one.tolist()))
    assert sample_of_rows(1000, 50, "another").tolist() != one.tolist()
    assert sample_of_rows(5, 50, "a purpose").tolist() == [0, 1, 2, 3, 4]


def test_equal_rows_are_found_and_no_others() -> None:
    values = RNG.integers(0, 3, (200, 4)).astype(float)
    values[values == 0] *= -1  # -0, which equals 0
    values[::2] += 0.0
    groups = equal_rows(survey(array(values)).digests)
    plain = [tuple(row) for row in (values + 0.0).tolist()]
    first = [index for index, row in enumerate(plain) if row not in plain[:index]]
    assert groups.first.tolist() == first
    assert groups.repeats == 200 - len(first)
    assert groups.largest == max(plain.count(row) for row in plain)
    assert groups.example is not None
    row, before = groups.example
    assert plain[row] == plain[before]
    assert row == next(index for index in range(200) if index not in first)


def test_digests_are_compared_in_full() -> None:
    digests = np.array([[1, 5], [1, 6], [2, 5], [1, 5]], dtype=np.uint64)
    groups = equal_rows(digests)
    assert groups.first.tolist() == [0, 1, 2]
    assert groups.example == (3, 0)
    rows, partners = common_rows(digests[:1], digests)
    assert (rows.tolist(), partners.tolist()) == ([0, 3], [0, 0])
    # Of equal rows of the first set, the first.
    rows, partners = common_rows(digests, digests[3:])
    assert (rows.tolist(), partners.tolist()) == ([0], [0])


def test_common_rows() -> None:
    one, two = RNG.integers(0, 3, (30, 3)).astype(float), RNG.integers(0, 3, (40, 3)).astype(float)
    rows, partners = common_rows(survey(array(one)).digests, survey(array(two)).digests)
    known = [tuple(row) for row in one.tolist()]
    right = [index for index, row in enumerate(two.tolist()) if tuple(row) in known]
    assert rows.tolist() == right
    assert (two[rows] == one[partners]).all()
