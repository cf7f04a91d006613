"""The membership attack: scikit-learn's areas, coverage of intervals, predicted and known leaks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import ndtr
from sklearn.metrics import roc_auc_score

from ornstein import Gaussian, LinearDiffusion
from ornstein.denoisers.empirical import EmpiricalDenoiser
from ornstein.intervals import wilson_interval
from ornstein.memorization.membership import area_under_curve, membership_attack, residuals
from ornstein.theory import membership

POPULATION = Gaussian.power_law(40, 0.5, mean=2.0)


@pytest.fixture(scope="module")
def split():
    points = POPULATION.sample(1000, rng=0)
    return points[:200], points[200:]


def nothing(points, noise):
    """A denoiser that has seen no data: the residual is the size of the point."""
    return points / (1 + noise**2)


@given(
    members=st.lists(st.integers(0, 6), min_size=1, max_size=12),
    others=st.lists(st.integers(0, 6), min_size=1, max_size=12),
)
def test_areas_are_those_of_scikit_learn(members, others):
    found = area_under_curve(members, others)
    labels = np.repeat([1, 0], [len(members), len(others)])
    expected = roc_auc_score(labels, -np.array(members + others, dtype=float))
    assert found.auc == pytest.approx(expected, abs=1e-12)
    assert 0 <= found.low <= found.auc + 1e-12
    assert found.auc - 1e-12 <= found.high <= 1
    # Swapping the two mirrors the interval.
    mirror = area_under_curve(others, members)
    assert mirror.low == pytest.approx(1 - found.high, abs=1e-7)
    assert mirror.high == pytest.approx(1 - found.low, abs=1e-7)


def test_delong_by_all_pairs():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, 30), rng.normal(1, 2, 45)
    smaller = (a[:, None] < b) + 0.5 * (a[:, None] == b)
    variance = smaller.mean(1).var(ddof=1) / 30 + smaller.mean(0).var(ddof=1) / 45
    found = area_under_curve(a, b)
    logit = np.log(found.auc / (1 - found.auc))
    width = 1.959964 * np.sqrt(variance) / (found.auc * (1 - found.auc))
    low, high = logistic(logit - width), logistic(logit + width)
    assert (found.low, found.high) == (pytest.approx(low, rel=1e-6), pytest.approx(high, rel=1e-6))


def logistic(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(("m", "n", "shift"), [(40, 60, 1.0), (30, 30, 2.5), (15, 400, 0.0)])
def test_intervals_cover_as_often_as_they_say(m, n, shift):
    rng, true = np.random.default_rng(1), ndtr(shift / np.sqrt(2))
    covered = 0
    for _ in range(500):
        found = area_under_curve(rng.standard_normal(m) - shift, rng.standard_normal(n))
        covered += found.low <= true <= found.high
    # 475 expected; a standard error is 5. Above is safe.
    assert 475 - 4 * 5 < covered < 498


def test_complete_separation_has_an_interval():
    """Newcombe's: with m = n = 50 that of 1 reaches down to 0.94."""
    found = area_under_curve(np.zeros(50), np.ones(50))
    assert found.auc == found.high == 1
    assert 0.9 < found.low < 0.97
    assert area_under_curve(np.zeros(5000), np.ones(5000)).low > 0.999
    # All equal: one half, known by nothing.
    tied = area_under_curve(np.ones(20), np.ones(20))
    assert tied.auc == 0.5
    assert tied.low < 0.4
    assert tied.high > 0.6


def test_a_linear_denoiser_leaks_as_predicted(split):
    train, others = split
    model = LinearDiffusion().fit(train)
    noises = np.array([0.2, 0.5, 1.0, 3.0])
    found = membership_attack(model, train, others, noises, false_positive_rate=0.05)
    spectrum = POPULATION.covariance.eigenvalues
    expected = membership(spectrum, noises**2, len(train))
    error = (found.auc_high - found.auc_low) / 3.92
    assert (np.abs(found.auc - expected.auc) < 3 * error + 0.02).all()
    np.testing.assert_allclose(found.non_member_mean, expected.non_member_mean, rtol=0.05)
    np.testing.assert_allclose(found.member_mean, expected.member_mean, rtol=0.05)
    power = expected.power(0.05)
    assert ((found.power_low - 0.05 < power) & (power < found.power_high + 0.05)).all()
    assert (found.false_positive_rate <= 0.05).all()
    assert (np.diff(found.auc) < 0).all()
    # Asked at noised points it leaks less: their noise is not in the training set.
    noised = membership_attack(model, train, others, 0.2, noised=3, random_state=7)
    assert 0.5 < noised.auc[0] < found.auc[0]


def test_residuals_are_the_definition(split):
    train, others = split
    model = LinearDiffusion().fit(train)
    C, m = model.data_law_.covariance.dense(), model.data_law_.mean
    inverse = np.linalg.inv(C + 0.25 * np.eye(40))
    expected = np.square(0.25 * (others - m) @ inverse).sum(1)
    np.testing.assert_allclose(residuals(model, others, 0.5), expected, rtol=1e-9)
    # Noised: x - D(x + s z) = s^2 (C + s^2)^{-1} (x - m) - C (C + s^2)^{-1} s z, on average.
    found = residuals(model, others[:5], 0.5, noised=1500, random_state=7)
    exact = expected[:5] + 0.25 * np.square(C @ inverse).sum()
    np.testing.assert_allclose(found, exact, rtol=0.04)
    again = residuals(model, others[:5], 0.5, noised=1500, random_state=7)
    np.testing.assert_array_equal(found, again)


def test_a_memorizing_denoiser_is_found_out(split):
    train, others = split
    model = EmpiricalDenoiser(noise=1.0).fit(train)
    found = membership_attack(model, train, others, [0.1, 0.5, 100.0])
    assert found.auc[0] == 1
    assert 0.97 < found.auc_low[0] < 1
    assert found.power[0] == 1
    assert found.member_mean[0] < 1e-12
    # Far above the data all points are one cloud.
    assert found.auc_low[2] < 0.5 < found.auc_high[2]
    assert model.noise == 1.0
    assert found.noise.tolist() == [0.1, 0.5, 100.0]


def test_a_denoiser_that_saw_nothing_does_not_leak(split):
    train, others = split
    found = membership_attack(nothing, train, others, [0.3, 3.0], noised=2, random_state=7)
    assert (found.auc_low < 0.5).all()
    assert (found.auc_high > 0.5).all()
    assert (found.power < 0.06).all()


def test_power_counts_members_below_the_threshold():
    members, others = np.arange(10.0)[:, None], np.arange(100.0)[:, None]

    def denoise(points, noise):
        return points - np.sqrt(points)  # the residual is the point itself

    found = membership_attack(denoise, members, others, 1.0, false_positive_rate=0.03)
    # Three of 100 others are below 3, and three members, not the one that is equal to it.
    assert found.power.tolist() == [0.3]
    assert found.false_positive_rate.tolist() == [0.03]
    assert (found.power_low[0], found.power_high[0]) == wilson_interval(3, 10)
    few = membership_attack(denoise, members, others[:20], 1.0, false_positive_rate=0.01)
    assert few.false_positive_rate.tolist() == [0.0]
    assert few.power.tolist() == [0.0]
    every = membership_attack(denoise, members, others, 1.0, false_positive_rate=1.0)
    assert every.power.tolist() == every.false_positive_rate.tolist() == [1.0]


@pytest.mark.parametrize(
    ("change", "error", "match"),
    [
        ({"noise": 0.0}, ValueError, "noise is 0"),
        ({"noised": -1}, ValueError, "noised is -1"),
        ({"false_positive_rate": 2.0}, ValueError, "false_positive_rate is 2"),
        ({"members": np.ones((1, 40))}, ValueError, "members has 1 point"),
        ({"non_members": np.ones((5, 3))}, ValueError, "non_members has 3 coordinates"),
        ({"denoiser": "ddim"}, TypeError, "denoiser is of type str, expected LinearDiffusion"),
        ({"denoiser": lambda x, s: x[:, :2]}, ValueError, r"answers with shape \(200, 2\)"),
        ({"denoiser": lambda x, s: x * np.nan}, ValueError, "NaN or infinite"),
    ],
)
def test_bad_input_is_one_clear_line(split, change, error, match):
    given = {"denoiser": nothing, "members": split[0], "non_members": split[1], "noise": 1.0}
    with pytest.raises(error, match=match) as caught:
        membership_attack(**(given | change))
    assert "\n" not in str(caught.value)
