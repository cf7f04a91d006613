"""The least fraction of copies that is found, against experiments in which copies are planted."""

import math

import numpy as np
import pytest

from ornstein.memorization.contrasts import blocks_of, measure
from ornstein.memorization.copies import Reference, list_copies
from ornstein.memorization.pool import pool_of
from ornstein.memorization.power import minimum_detectable

NOTHING = Reference(np.zeros(0), 1.0)


def parts(train, held_out, new, seed=0):
    rng = np.random.default_rng(seed)
    pool = pool_of(train, held_out)
    blocks = blocks_of(pool, rng)
    return pool, blocks, measure(new, pool, blocks)[1]


@pytest.mark.parametrize(
    ("sizes", "noise"), [((150, 150), 0.01), ((150, 150), 0.6), ((60, 180), 0.3)]
)
def test_the_least_fraction_is_the_one_found_in_four_experiments_of_five(sizes, noise) -> None:
    rng, dim, count, fdr = np.random.default_rng(0), 8, 200, 0.2
    said = []
    for seed in range(5):
        train, held_out, new = (rng.standard_normal((n, dim)) for n in (*sizes, count))
        pool, blocks, contrasts = parts(train, held_out, new)
        (found,) = minimum_detectable(
            train,
            contrasts,
            pool,
            blocks,
            fdr,
            NOTHING,
            np.random.default_rng(seed),
            noises=[noise],
        )
        assert found.fraction == found.copies / count
        said.append(found.copies)

    def share_found(k: int, runs: int = 60) -> float:
        hits = 0
        for seed in range(runs):
            train, held_out, new = (rng.standard_normal((n, dim)) for n in (*sizes, count))
            new[:k] = train[rng.integers(0, sizes[0], k)] + noise * rng.standard_normal((k, dim))
            pool, blocks, contrasts = parts(train, held_out, new, seed)
            hits += bool(list_copies(contrasts, pool, fdr, blocks.odds).copies)
        return hits / runs

    middle = float(np.median(said))
    error = 3 * math.sqrt(0.8 * 0.2 / 60)
    assert share_found(max(1, round(middle / 1.5))) < 0.8 + error
    assert share_found(round(1.5 * middle)) > 0.8 - error


def test_what_cannot_be_found_is_said_not_to_be() -> None:
    """Five training points are fewer than a list at 0.1 needs; noise of 5 hides every copy."""
    rng = np.random.default_rng(1)
    few, many, new = (rng.standard_normal((n, 3)) for n in (5, 200, 100))
    pool, blocks, contrasts = parts(few, many[:5], new)
    (found,) = minimum_detectable(few, contrasts, pool, blocks, 0.1, NOTHING, rng, noises=[0.01])
    assert (found.copies, math.isnan(found.fraction)) == (0, True)
    pool, blocks, contrasts = parts(many, rng.standard_normal((200, 3)), new)
    near, far = minimum_detectable(
        many, contrasts, pool, blocks, 0.1, NOTHING, rng, noises=[0.01, 5.0]
    )
    assert 0.1 <= near.fraction < 0.2
    assert math.isnan(far.fraction)


def test_copies_already_listed_are_no_background() -> None:
    rng = np.random.default_rng(2)
    train, held_out, new = (rng.standard_normal((n, 16)) for n in (200, 200, 200))
    new[:60] = train[:60] + 0.01 * rng.standard_normal((60, 16))
    pool, blocks, contrasts = parts(train, held_out, new)
    listed = [copy.generated for copy in list_copies(contrasts, pool, 0.1).copies]
    assert set(range(60)) <= set(listed)
    with_copies, without = (
        minimum_detectable(
            train, contrasts, pool, blocks, 0.1, NOTHING, rng, listed=known, noises=[0.01]
        )[0].fraction
        for known in ((), listed)
    )
    assert without < 0.08
    assert not with_copies < 2 * without


def test_the_unit_does_not_matter() -> None:
    """Copies are planted at a share of the data's own standard deviation."""
    rng = np.random.default_rng(4)
    train, held_out, new = (rng.standard_normal((n, 4)) for n in (60, 60, 80))
    found = [
        minimum_detectable(
            scale * train,
            contrasts,
            pool,
            blocks,
            0.2,
            NOTHING,
            np.random.default_rng(1),
            noises=[0.5],
        )
        for scale in (1.0, 64.0)
        for pool, blocks, contrasts in [parts(scale * train, scale * held_out, scale * new)]
    ]
    assert found[0] == found[1]
    assert found[0][0].copies > 8  # noise that hides some


def test_the_reference_raises_the_least_fraction() -> None:
    rng = np.random.default_rng(3)
    train, held_out, new = (rng.standard_normal((n, 16)) for n in (200, 200, 200))
    pool, blocks, contrasts = parts(train, held_out, new)
    demanding = Reference(np.full(400, 9.0), 1 / 200)  # 2 points at every contrast up to 9
    counts = [
        minimum_detectable(train, contrasts, pool, blocks, 0.1, known, rng, noises=[0.01])[0].copies
        for known in (NOTHING, demanding)
    ]
    assert 10 <= counts[0] < 17
    assert 20 <= counts[1] < 30
