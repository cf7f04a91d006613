"""Membership against linear denoisers: published numbers, attacks on 21 models, limits."""

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from ornstein.theory import membership, most_revealing_noise, points_for_auc

POWER_LAW = 1 / np.arange(1, 101)


def attacked(spectrum, noise_variance, n, seed, fresh=4000, models=4):
    """Residuals under a few fitted denoisers, known mean, by the definition."""
    rng = np.random.default_rng(seed)
    inside, outside = [], []
    for _ in range(models):
        train, others = (
            np.sqrt(spectrum) * rng.standard_normal((count, spectrum.size)) for count in (n, fresh)
        )
        C = train.T @ train / n
        D = np.linalg.solve(C + noise_variance * np.eye(spectrum.size), C)
        inside.append(np.square(train - train @ D).sum(1))
        outside.append(np.square(others - others @ D).sum(1))
    return inside, outside


def auc(inside, outside):
    return roc_auc_score(
        np.repeat([1, 0], [inside.size, outside.size]), -np.append(inside, outside)
    )


def test_check_values():
    found = membership(np.ones(100), 0.25, [200, 1000, 5000])
    np.testing.assert_allclose(found.ratio, [0.4101, 0.8489, 0.9684], atol=6e-5)
    assert found.non_member_mean[0] == pytest.approx(10.634, abs=6e-4)
    np.testing.assert_allclose(found.member_mean, found.ratio * found.non_member_mean, rtol=1e-12)
    # Simulated: .784 and .560 for n = 1000, 5000, where Gaussians without h give .764 and .562.
    np.testing.assert_allclose(found.auc[1:], [0.784, 0.560], atol=0.006)
    assert membership(np.ones(100), 4.0, 200).ratio == pytest.approx(0.8236, abs=6e-5)
    slow = membership(POWER_LAW, 0.05, 300)
    assert slow.ratio == pytest.approx(0.7909, abs=6e-5)
    assert slow.auc == pytest.approx(0.873, abs=0.008)


@pytest.mark.slow
@pytest.mark.parametrize(
    "spectrum",
    [np.full(60, 1.0), np.full(20, 3.0), np.full(10, 1.0), POWER_LAW[:60], POWER_LAW[:20] ** 2],
    ids=["isotropic 60", "isotropic 20", "isotropic 10", "power law", "steep"],
)
@pytest.mark.parametrize(
    ("per_dim", "noise"), [(0.5, 0.3), (2, 0.3), (2, 3.0), (8, 0.3), (40, 0.1)]
)
def test_the_attack_has_the_auc_and_the_power(spectrum, per_dim, noise):
    n = int(per_dim * spectrum.size)
    noise_variance = noise * spectrum.mean()
    models = max(4, 300 // n)
    inside, outside = attacked(spectrum, noise_variance, n, 0, models=models)
    found = membership(spectrum, noise_variance, n)
    areas = [auc(a, b) for a, b in zip(inside, outside, strict=True)]
    error = np.std(areas) / np.sqrt(models) + 0.3 / np.sqrt(n * models)
    assert abs(np.mean(areas) - found.auc) < 0.03 + 3 * error
    ratio = np.mean(np.concatenate(inside)) / np.mean(np.concatenate(outside))
    # Means are right to relative order 1/n.
    assert ratio == pytest.approx(found.ratio, abs=4 * 0.7 / np.sqrt(n * models) + 1.5 / n)
    mean = np.mean([b.mean() for b in outside])
    spread = np.std([b.mean() for b in outside]) / np.sqrt(models)
    assert mean == pytest.approx(found.non_member_mean, abs=4 * spread + 4 / n * mean)
    for rate in (0.05, 0.2):
        caught = [(a < np.quantile(b, rate)).mean() for a, b in zip(inside, outside, strict=True)]
        error = np.std(caught) / np.sqrt(models) + 0.5 / np.sqrt(n * models)
        assert abs(np.mean(caught) - found.power(rate)) < 0.05 + 3 * error


def test_fluctuations_of_the_logarithms():
    """A point that is long draws its own residual in: the spread of members is smaller."""
    spectrum, n = np.ones(100), 300
    inside, outside = attacked(spectrum, 0.25, n, 1, models=10)
    found = membership(spectrum, 0.25, n)
    logs = [np.log(np.concatenate(part)) for part in (inside, outside)]
    assert logs[0].std() == pytest.approx(found.member_log_std, rel=4 / np.sqrt(2 * 3000) + 0.01)
    assert logs[1].std() == pytest.approx(found.non_member_log_std, rel=0.03)
    gap = logs[1].mean() - logs[0].mean()
    assert gap == pytest.approx(found.log_gap, abs=4 * 0.13 / np.sqrt(3000) + 2 / n)
    assert found.member_log_std < 0.7 * found.non_member_log_std


def test_power_is_a_curve_from_0_to_1_above_the_diagonal():
    found = membership(np.ones(50), 0.5, 100)
    rates = np.linspace(0, 1, 101)
    power = found.power(rates)
    assert power[0] == 0
    assert power[-1] == 1
    assert (np.diff(power) >= 0).all()
    assert (power[1:60] > rates[1:60]).all()
    # Its area is the AUC.
    fine = np.linspace(0, 1, 20_001)
    assert np.trapezoid(found.power(fine), fine) == pytest.approx(found.auc, abs=1e-4)
    with pytest.raises(ValueError, match=r"false_positive_rate is -0\.1, expected"):
        found.power([-0.1, 0.5])


def test_limits_and_shapes():
    n = np.array([[10.0], [1e3], [1e7]])
    found = membership(np.ones(30), [0.1, 1.0], n)
    assert all(field.shape == (3, 2) for field in found)
    assert (np.diff(found.auc, axis=0) < 0).all()
    np.testing.assert_allclose(found.auc[-1], 0.5, atol=1e-4)
    np.testing.assert_allclose(found.ratio[-1], 1, atol=1e-4)
    # As n grows the mean residual is that of the population's denoiser.
    s2 = np.array([0.1, 1.0])
    np.testing.assert_allclose(found.non_member_mean[-1], 30 * (s2 / (1 + s2)) ** 2, rtol=1e-5)
    assert isinstance(membership([1.0], 1.0, 5).auc, float)
    # Scale of the data, and directions without variance.
    one, two = membership([2.0, 1.0], 0.5, 7), membership([8.0, 4.0, 0.0], 2.0, 7)
    assert two.auc == pytest.approx(one.auc, rel=1e-12)
    assert two.member_mean == pytest.approx(4 * one.member_mean, rel=1e-12)


def test_which_noise_reveals_most_and_how_many_points_hide():
    noise_variance, best = most_revealing_noise(POWER_LAW, 300)
    around = membership(POWER_LAW, noise_variance * np.geomspace(1e-2, 1e2, 51), 300).auc
    assert best >= around.max() - 1e-9
    assert 1e-5 < noise_variance < 1
    n = points_for_auc(np.ones(100), 0.25, 0.55)
    assert membership(np.ones(100), 0.25, n).auc == pytest.approx(0.55, rel=1e-9)
    assert membership(np.ones(100), 0.25, 1.1 * n).auc < 0.55
    # Twice the dimension, twice the points for one ratio, and fewer by the averaging.
    assert points_for_auc(np.ones(2), 100.0, 0.99) == 1.0


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: membership([1.0], 0.0, 5), "noise_variance is 0"),
        (lambda: membership([0.0], 1.0, 5), "eigenvalues are all 0"),
        (lambda: membership([1.0], 1.0, 0), "n_train is 0"),
        (lambda: points_for_auc([1.0], 1.0, 0.5), r"auc is 0\.5"),
    ],
)
def test_bad_input_is_refused(call, match):
    with pytest.raises(ValueError, match=match):
        call()
