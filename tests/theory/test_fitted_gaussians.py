"""How near a fitted Gaussian is to its training set: simulations, limits, invariances."""

import numpy as np
import pytest

from ornstein.theory import fitted_gaussian_share

# Means of simulations, by sums over points in float64: 300 to 1500 training sets, 300 to 500 points
# drawn from each fitted Gaussian; standard errors 0.0011 to 0.0085.
SIMULATED = [
    ([1.0] * 64, 100, 100, 0.8182, 0.0011),
    ([1.0] * 64, 1000, 1000, 0.5564, 0.0033),
    ([1.0] * 64, 64, 64, 0.8889, 0.0016),
    ([1.0] * 8, 100, 100, 0.5509, 0.0020),
    ([1.0] * 4, 500, 500, 0.5057, 0.0024),
    ([1.0] * 32, 200, 400, 0.6208, 0.0025),
    ([1.0] * 32, 400, 100, 0.5614, 0.0040),
    (1 / np.arange(1.0, 65.0), 200, 200, 0.6266, 0.0022),
    (np.arange(1.0, 101.0) ** -1.5, 300, 300, 0.5568, 0.0022),
]


@pytest.mark.parametrize(("spectrum", "n", "m", "share", "error"), SIMULATED)
def test_it_agrees_with_simulations(spectrum, n, m, share, error) -> None:
    assert fitted_gaussian_share(spectrum, n, m) == pytest.approx(share, abs=0.01 + 2 * error)


def test_one_simulation_is_done_here() -> None:
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(40):
        train, fresh = rng.standard_normal((2, 80, 24))
        weights = rng.standard_normal((150, 80))
        weights -= weights.mean(axis=1, keepdims=True)
        drawn = train.mean(axis=0) + weights @ train / np.sqrt(79)
        near = [np.linalg.norm(drawn[:, None] - x, axis=2).min(axis=1) for x in (train, fresh)]
        shares.append((near[0] < near[1]).mean())
    error = np.std(shares, ddof=1) / np.sqrt(len(shares))
    assert fitted_gaussian_share([1.0] * 24, 80) == pytest.approx(
        np.mean(shares), abs=0.005 + 3 * error
    )


def test_the_unit_and_the_order_do_not_matter() -> None:
    spectrum = 1 / np.arange(1.0, 13.0)
    share = fitted_gaussian_share(spectrum, 60)
    assert fitted_gaussian_share(1e100 * spectrum[::-1], 60) == pytest.approx(share, rel=1e-9)
    assert fitted_gaussian_share([*spectrum, 0.0, 0.0], 60) == pytest.approx(share, rel=1e-9)


def test_more_points_bring_it_to_one_half() -> None:
    shares = [fitted_gaussian_share([1.0] * 20, n) for n in (10, 30, 200, 10**6)]
    assert shares == sorted(shares, reverse=True)
    assert shares[0] > 0.75
    assert shares[-1] == pytest.approx(0.5, abs=1e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0, 1.0, 1.0], 10), "effective dimension 3, expected at least 4"),
        (([0.0, 0.0], 10), "effective dimension 0, expected at least 4"),
        (([1.0] * 8, 1), "n_train"),
        (([1.0] * 8, 100, 4), "n_held_out is 4 beside 100 training points, expected 5 to 2e"),
    ],
)
def test_what_is_outside_is_refused(arguments, message) -> None:
    with pytest.raises(ValueError, match=message):
        fitted_gaussian_share(*arguments)
