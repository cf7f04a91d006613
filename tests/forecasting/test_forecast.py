"""The whole forecast: on the digits, on bad data, again and again the same."""

import numpy as np
import pytest

from ornstein import ForecastReport, Gaussian, forecast
from ornstein.forecasting import forecast as module
from ornstein.forecasting.curve import Comparison


@pytest.fixture(scope="module")
def small() -> ForecastReport:
    points = Gaussian.isotropic(6, mean=3.0, std=2.0).sample(120, rng=0)
    return forecast(points, targets=["w2=0.02"], replicates=3, progress=False)


def test_the_digits_are_predicted_within_10_percent() -> None:
    """At N/8 and N/2; at N/16 = 1.8 d the loss at the lowest noise is 7% off."""
    options = {"targets": ["w2=0.01"], "train_sizes": (224, 898), "replicates": 12}
    report = forecast("digits", progress=False, **options)
    for each in report.compared:
        room = 10 + 300 * each.measured_error / each.measured
        assert abs(each.percent) < room, each
    assert report.sizes[:3] == (1797, 61, 3)
    assert 650 < report.targets[0].n < 750
    assert report.targets[0].low < report.targets[0].n < report.targets[0].high


def test_what_a_report_holds(small: ForecastReport) -> None:
    assert [point.n for point in small.curve] == [15, 30, 60, 120, 240, 600, 1200]
    assert sorted({each.n for each in small.compared}) == [15, 30, 60]
    assert small.sizes.unit == pytest.approx(2, rel=0.1)
    assert sum(small.spectrum) == pytest.approx(6 * small.sizes.unit**2)
    assert sum(small.sample_spectrum) == pytest.approx(6 * small.sizes.unit**2)
    noise = -np.expm1(-4) * small.sizes.unit**2
    assert small.threshold == pytest.approx(sum(1 + noise / np.array(small.spectrum)))
    for point in small.curve:
        assert point.values.keys() == point.errors.keys()
        assert point.errors["w2"] > 0
    assert [each.name for each in small.assumptions] == [
        "Gaussian components", "rows of one size", "independent rows", "no repeated rows",
        "more points than dimensions", "a population with this spectrum",
        "theory holds on these data",
    ]  # fmt: skip


def test_the_same_seed_gives_the_same_forecast_in_any_unit(small: ForecastReport) -> None:
    points = 4.0 * Gaussian.isotropic(6, mean=3.0, std=2.0).sample(120, rng=0)
    other = forecast(points, targets=["w2=0.02"], replicates=3, progress=False)
    for name in ("curve", "compared", "targets", "modes", "stopping", "best_losses", "assumptions"):
        assert repr(getattr(other, name)) == repr(getattr(small, name)), name
    assert other.sizes.unit == 4 * small.sizes.unit
    assert other.spectrum == tuple(16 * value for value in small.spectrum)
    assert other.collapse.time == small.collapse.time
    assert other.collapse.noise == pytest.approx(4 * small.collapse.noise)
    assert other.sampling.grid == pytest.approx([4 * level for level in small.sampling.grid])


def test_assumptions_that_fail_are_named() -> None:
    rng = np.random.default_rng(2)
    rows = rng.standard_normal((40, 60)) * rng.gamma(0.5, 2, (40, 1))
    points = np.hstack([np.repeat(rows, 2, axis=0)[:60], np.ones((60, 2))])
    data = module.standardize(points)
    assert data.constant == 2
    whole, _ = module.estimates(data.points, rng)
    off = Comparison(20, "w2", 2.0, 0.01, 3.0, 0.01)
    near = Comparison(10, "auc", 2.0, 0.01, 2.1, 0.01)
    assumptions = module.check_assumptions(data, whole, [off, near])
    found = {each.name: each for each in assumptions}
    last = found["theory holds on these data"]
    assert last.holds == "in part"
    assert "+50.0% (w2 at n = 20, +70.7 standard errors)" in last.check
    assert found["rows of one size"].holds == "in part"
    assert found["independent rows"].holds == "in part"
    assert found["no repeated rows"].check == "30 of 60 rows repeat an earlier one"
    assert found["more points than dimensions"].holds == "no"
    assert "2 constant coordinate(s)" in found["more points than dimensions"].check
    assert all(each.consequence for each in assumptions if each.holds != "yes")


@pytest.mark.parametrize(
    ("points", "options", "message"),
    [
        (np.ones((1, 3)), {}, r"1 point\(s\), expected at least 8"),
        (np.ones((20, 3)), {}, "20 equal points"),
        (np.where(np.eye(20) > 0, np.nan, 1.0), {}, "20 NaN or infinite"),
        (np.eye(20), {"targets": ["fid=3"]}, "expected NAME=BOUND"),
        (np.eye(20), {"train_sizes": [19]}, "at most 18"),
        (np.eye(20), {"train_sizes": []}, "train_sizes is empty"),
        (np.eye(20), {"replicates": 1}, "replicates is 1, expected at least 2"),
        (np.eye(20), {"check": "cnn"}, "check is 'cnn', expected mlp"),
        (np.eye(20), {"time": 0.0}, "time"),
        (np.eye(20, 5000) + np.arange(5000.0) * np.arange(20)[:, None], {}, "at most 4096"),
    ],
)
def test_bad_input(points: np.ndarray, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        forecast(points, progress=False, **options)


def test_a_network_beside_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lightning")
    from ornstein.forecasting import network_check

    monkeypatch.setattr(network_check, "GENERATED", 50)
    points = Gaussian.isotropic(4).sample(100, rng=1)
    data = module.standardize(points).points
    whole, _ = module.estimates(data, np.random.default_rng(0))
    (row,) = network_check.check_network(data, whole, (50,), 0, False, training_steps=20)
    assert row.n == 50
    assert row.predicted_w2 == network_check.wasserstein(whole, 50, of_all=True)
    assert 0.05 < row.loss < 2
    assert row.w2 > 0
