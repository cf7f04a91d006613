"""The whole forecast: on the digits, on bad data, again and again the same."""

import importlib
import math
import re
from types import SimpleNamespace

import numpy as np
import pytest
from tests.forecasting.populations import distance

from ornstein import ForecastReport, Gaussian, forecast
from ornstein.data.files import load_data
from ornstein.forecasting import forecast as module
from ornstein.forecasting import quantities as named_quantities
from ornstein.forecasting.curve import Comparison
from ornstein.forecasting.predictions import losses
from ornstein.intervals import few_values_note
from ornstein.theory import renormalized_noise


def few_points() -> np.ndarray:
    """Of standard deviation 2 in five coordinates, and little in the sixth."""
    points = Gaussian.isotropic(6, mean=3.0, std=2.0).sample(120, rng=0)
    points[:, 5] *= 0.05
    return points


@pytest.fixture(scope="module")
def small() -> ForecastReport:
    return forecast(few_points(), targets=["w2=0.02"], replicates=2, progress=False)


def test_the_digits_are_predicted_within_10_percent() -> None:
    """At n = 0.9 d, N/8 and N/2, the loss at the lowest noise too."""
    rng, process = np.random.default_rng(0), module.OneStepProcess()
    data = module.standardize(load_data("digits").points)
    assert (data.points.shape, data.constant) == ((1797, 61), 3)
    whole, parts = module.estimates(data.points, rng)
    attacked = {56: 0.3, 224: 0.3, 898: 0.3}
    asked = module.quantities(process, attacked)
    measured = module.measure(data.points, (56, 224, 898), process, attacked, 12, rng, False)
    curve = module.forecast_curve(whole, parts, (56, 224, 898), attacked, asked)
    for each in module.compare(whole, parts, measured, asked, curve):
        # Losses of subsets are of the points themselves, of which the subsets are.
        assert (each.predicted_error == 0) == ("loss" in each.quantity), each
        room = 10 + 300 * each.measured_error / each.measured
        assert abs(each.percent) < room, each
    found = module.points_needed("w2", 0.01, whole, parts, process)
    assert 650 < found.low < found.n < found.high < 750


def test_standard_errors_of_few_subsets_are_said_to_be(small: ForecastReport) -> None:
    """Student's 97.5% points, from a printed table."""
    said = "Standard errors over {} subsets have {} of freedom: a 95% interval reaches {} of them "
    assert small.notes[-1] == said.format(2, "1 degree", 12.7) + "to each side, not 2."
    assert few_values_note([3, 5], "subset")[0].startswith(said.format(3, "2 degrees", 4.3))
    assert few_values_note([1, 4], "subset") == []


def test_what_a_report_holds(small: ForecastReport) -> None:
    assert [point.n for point in small.curve] == [15, 30, 60, 120, 240, 600, 1200]
    assert sorted({each.n for each in small.compared}) == [15, 30, 60]
    assert small.sizes.unit == pytest.approx(2 * np.sqrt(5 / 6), rel=0.1)
    assert sum(small.spectrum) == pytest.approx(6 * small.sizes.unit**2)
    assert sum(small.sample_spectrum) == pytest.approx(6 * small.sizes.unit**2)
    noise = -np.expm1(-4) * small.sizes.unit**2
    assert small.threshold == pytest.approx(sum(1 + noise / np.array(small.spectrum)))
    assert small.leading == 5  # four hold less than 99% of the variance
    assert small.leading_threshold == pytest.approx(
        sum(1 + noise / np.array(small.spectrum[:5])), rel=1e-12
    )
    sample = np.linalg.eigvalsh(np.cov(few_points().T))[::-1]
    assert small.sample_spectrum == pytest.approx(sample)
    assert small.spectrum[0] < small.sample_spectrum[0]
    # Modes are those at all 120 points.
    spectrum = np.array(small.spectrum) / small.sizes.unit**2
    kappa = renormalized_noise(spectrum, 1.0, 119)
    assert [mode.component for mode in small.modes] == [1, 2, 3, 5, 6]
    for mode in small.modes:
        value = spectrum[mode.component - 1]
        assert mode.kept == pytest.approx(value / (value + kappa), rel=1e-6)
    # Two disjoint halves are enough for the consistency.
    (half,) = [each for each in small.compared if (each.n, each.quantity) == (60, "consistency")]
    assert 0.5 < half.measured < 1
    for point in small.curve:
        assert point.values.keys() == point.errors.keys()
        assert point.errors["w2"] > 0
    assert [each.name for each in small.assumptions] == [
        "Gaussian components", "rows of one size", "independent rows", "no repeated rows",
        "more points than dimensions", "a population with this spectrum",
        "theory holds on these data",
    ]  # fmt: skip


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without what takes most of a second, and is tested elsewhere."""
    monkeypatch.setattr(named_quantities, "one_step_wasserstein", lambda *_, **__: 1.0)
    monkeypatch.setattr(module, "sampling", lambda *_: None)


@pytest.mark.usefixtures("quick")
def test_seed_and_replicates_are_those_that_are_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    measure, calls = module.measure, []
    monkeypatch.setattr(module, "measure", lambda *a: calls.append(a[4]) or measure(*a))
    points = Gaussian.isotropic(2).sample(16, rng=0)
    first, again, other = (
        forecast(points, targets=(), replicates=5, random_state=seed, progress=False)
        for seed in (7, 7, 8)
    )
    assert calls == [5, 5, 5]
    assert first.replicates == 5
    assert first.compared == again.compared
    assert first.compared[0].measured != other.compared[0].measured
    assert first.notes == ()


def test_the_same_seed_gives_the_same_in_any_unit() -> None:
    points, rngs = Gaussian.isotropic(4, mean=3.0).sample(40, rng=0), [0, 0]
    one, other = module.standardize(points), module.standardize(4.0 * points)
    assert (one.points == other.points).all()
    assert other.unit == 4 * one.unit
    (first, _), (second, _) = (
        module.estimates(data.points, np.random.default_rng(seed))
        for data, seed in zip((one, other), rngs, strict=True)
    )
    assert (first.population == second.population).all()
    assert first.fluctuations.tail_factor("distance") == second.fluctuations.tail_factor("distance")
    assert module.collapse(first, 40, 4.0).noise == 4 * module.collapse(first, 40, 1.0).noise
    grids = [module.sampling(first, 40, unit).grid for unit in (1.0, 4.0)]
    assert grids[1] == pytest.approx([4 * level for level in grids[0]])


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
    # One that is large by chance does not hide it.
    noisy = Comparison(5, "one_step_w2", 2.0, 1.0, 0.5, 0.01)
    last = module.check_assumptions(data, whole, [noisy, off])[-1]
    assert last.holds == "in part"
    assert "beyond 3 standard errors: +50.0% (w2 at n = 20" in last.check
    last = module.check_assumptions(data, whole, [noisy, near])[-1]
    assert last.holds == "yes"
    assert "on subsets: -75.0% (one-step-w2 at n = 5, -1.5 standard errors)" in last.check
    assert found["rows of one size"].holds == "in part"
    assert found["independent rows"].holds == "in part"
    assert found["no repeated rows"].check == "30 of 60 rows repeat an earlier one"
    assert found["more points than dimensions"].holds == "no"
    assert "2 constant coordinate(s)" in found["more points than dimensions"].check
    assert all(each.consequence for each in assumptions if each.holds != "yes")


@pytest.mark.parametrize(("lag", "holds"), [(0.05, "yes"), (0.15, "in part"), (-0.15, "in part")])
def test_rows_are_called_independent_up_to_three_standard_deviations(
    lag: float, holds: str
) -> None:
    noise = np.random.default_rng(3).standard_normal((1201, 1))
    data = module.standardize(noise[1:] + lag * noise[:-1])
    whole, _ = module.estimates(data.points, np.random.default_rng(0))
    near = Comparison(10, "auc", 2.0, 0.01, 2.1, 0.01)
    found = module.check_assumptions(data, whole, [near])[2]
    (deviations,) = map(float, re.findall(r"\(([-\d.]+) standard deviations", found.check))
    assert found.holds == holds
    assert (abs(deviations) <= 3) == (holds == "yes")
    assert deviations == pytest.approx(lag * math.sqrt(1200), abs=2.5)


def test_rows_that_vary_less_than_gaussian_ones_are_not_of_one_size() -> None:
    rows = np.random.default_rng(4).standard_normal((300, 6))
    on_a_sphere = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    data = module.standardize(on_a_sphere)
    whole, _ = module.estimates(data.points, np.random.default_rng(0))
    near = Comparison(10, "auc", 2.0, 0.01, 2.1, 0.01)
    found = module.check_assumptions(data, whole, [near])[1]
    assert found.holds == "in part"
    assert found.consequence == "not counted for: fewer rows than forecast may be enough"


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


def test_what_is_asked_of_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that generates a known set, and denoises all to 0: exact distances and losses."""
    torch = pytest.importorskip("torch")
    pytest.importorskip("lightning")
    from ornstein.forecasting import network_check

    # What `from ornstein.networks import train` sees, whatever other tests imported again.
    networks = importlib.import_module("ornstein.networks")
    data = module.standardize(few_points()).points
    seen = []
    made = np.concatenate([3 * data[:40], -3 * data[:40]])

    class Model:
        def sample(self, *_: object, **__: object) -> object:
            return torch.tensor(made)

        def denoise(self, points: np.ndarray, noise: float) -> np.ndarray:
            assert noise == 0.3
            return np.zeros_like(points)

    def trained(_network: object, points: np.ndarray, *_: object, **__: object) -> SimpleNamespace:
        seen.append(points)
        return SimpleNamespace(model=Model(), seconds=7.0)

    monkeypatch.setattr(networks, "train", trained)
    whole, _ = module.estimates(data, np.random.default_rng(0))
    (row,) = network_check.check_network(data, whole, (100,), 3, False)
    (points,) = seen
    assert points.shape == (100, 6)
    fresh = data[~(data[:, None] == points).all(axis=2).any(axis=1)]
    assert len(fresh) == 20
    total = np.trace(np.cov(data.T))
    assert row.loss == pytest.approx(np.square(fresh).sum() / 20 / total)
    values, vectors = np.linalg.eigh(np.cov(data.T))
    expected = distance(made.mean(0) @ vectors, vectors.T @ np.cov(made.T) @ vectors, values)
    # Less what 80 points add: by C = 8.9 Sigma, roots of 3.0 times the variances.
    scale = np.trace(np.cov(made.T)) / total
    roots = np.sqrt(np.linalg.eigvals(np.cov(made.T) @ np.cov(data.T)).real)
    pairs = (np.outer(roots, roots) / np.add.outer(roots, roots)).sum()
    excess = scale / 80 + (pairs + roots.sum() / 2) / (2 * 79) / total
    assert row.w2 == pytest.approx(expected - excess)
    assert excess > 0.1
    assert row.predicted_loss == losses(whole, 100, 0.3)[1]
    assert (row.n, row.seconds) == (100, 7.0)


def test_the_number_of_generated_points_adds_nothing_to_a_network_s_distance() -> None:
    """Points of the population itself: 0 on average, where their own moments are 0.04 off."""
    from ornstein.forecasting.measuring import Reference
    from ornstein.forecasting.network_check import _distance

    rng, std = np.random.default_rng(0), np.sqrt([3.0, 2.0, 1.0, 0.5, 0.2])
    reference = Reference(rng.standard_normal((400, 5)) * std)
    drawn = rng.standard_normal((300, 60, 5)) * reference.root
    found = np.array([_distance(reference, points) for points in drawn])
    error = found.std() / np.sqrt(300)
    assert abs(found.mean()) < 3 * error + 0.002
    assert error < 0.002
    few = drawn[0, :10]  # 2 d: too few to correct
    plain = distance(few.mean(0), np.cov(few.T), reference.root**2)
    assert _distance(reference, few) == pytest.approx(plain)


@pytest.mark.usefixtures("quick")
def test_networks_are_trained_at_the_three_largest_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("lightning")
    from ornstein.forecasting import network_check

    asked = []
    monkeypatch.setattr(
        network_check, "check_network", lambda _p, _w, sizes, *_: asked.append(tuple(sizes)) or ()
    )
    points = Gaussian.isotropic(2).sample(128, rng=0)
    forecast(points, targets=(), replicates=2, check="mlp", progress=False)
    assert asked == [(16, 32, 64)]


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
