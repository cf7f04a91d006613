"""P(Delta > 0) of a perfect model beside a study: what it costs, where it is left out."""

import numpy as np

from ornstein import Gaussian
from ornstein.intervals import wilson_interval
from ornstein.memorization.null import perfect_model_delta
from ornstein.studies.linear.options import LinearOptions
from ornstein.studies.linear.study import LinearStudy
from ornstein.studies.perfect_models import original_count, perfect_model_of

POPULATION = Gaussian.isotropic(100, mean=10.0)


def test_columns_and_curve() -> None:
    found = perfect_model_of(POPULATION, [400, 75], 10_000, "expected", seed=4)
    assert "the share in 200 draws" in found.note
    known = found.curve()["perfect_delta"]
    assert list(known["train_size"]) == [75, 400]
    for i, n in enumerate((75, 400)):
        own = found.columns(n)
        assert own["delta_perfect"] == known["share"][i]
        count = round(200 * own["delta_perfect"])
        ends = (own["delta_perfect_low"], own["delta_perfect_high"])
        assert ends == wilson_interval(count, 200) == (known["low"][i], known["high"][i])
        # Within 4 standard errors of another 500 draws.
        other = perfect_model_delta(POPULATION, n, 10_000, 500, rng=n).fraction
        assert abs(own["delta_perfect"] - other) < 4 * np.sqrt(0.04 * 0.96 * (1 / 200 + 1 / 500))
    assert found.columns(50) == {}


def test_as_many_drawn_originals_are_exactly_a_half() -> None:
    found = perfect_model_of(POPULATION, [10**6], "n", "sampled", seed=0)
    assert found.columns(10**6)["delta_perfect"] == 0.5
    assert "exactly 1/2" in found.note


def test_where_it_would_take_minutes_it_is_left_out_and_said() -> None:
    found = perfect_model_of(POPULATION, [100, 200], 10_000, "sampled", seed=0)
    assert found.shares == {}
    assert found.curve() == found.columns(100) == {}
    assert "left out, since 50 draws of it would take more than 12 s" in found.note
    assert perfect_model_of(POPULATION, [10**6], 10_000, "expected", seed=0).shares == {}


def test_nothing_without_cells_or_population() -> None:
    assert perfect_model_of(POPULATION, [], 10_000, "expected", seed=0) == ({}, "")
    study = LinearStudy(LinearOptions((100,), data="digits", simulations=1))
    found = study.run(jobs=1)
    assert "delta_perfect" not in found.rows[0]
    assert "perfect_delta" not in found.theory
    assert not any("perfect model" in note for note in found.notes)


def test_number_of_originals() -> None:
    assert [original_count(7, n) for n in (3, 9)] == [7, 7]
    assert [original_count("n", n) for n in (3, 9)] == [3, 9]
