"""Descriptive metrics against prdc, POT, torchmetrics, scipy and scikit-learn, to rounding."""

import math

import numpy as np
import ot
import pytest
from prdc import compute_prdc
from scipy.linalg import sqrtm
from scipy.stats import mannwhitneyu
from sklearn.cluster import KMeans
from sklearn.neighbors import NearestNeighbors

from ornstein.memorization.distribution_distances import (
    frechet_distance,
    kernel_distance,
    sliced_wasserstein,
)
from ornstein.memorization.metrics import descriptive_metrics
from ornstein.memorization.neighbour_metrics import (
    authenticity,
    closest_record_share,
    data_copying,
    precision_recall_density_coverage,
)


def draws(seed: int, *sizes: int, dim: int = 6) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [(1 + 0.2 * i) * rng.standard_normal((n, dim)) + 0.3 * i for i, n in enumerate(sizes)]


@pytest.mark.parametrize("k", [1, 5])
def test_precision_recall_density_and_coverage_are_those_of_prdc(
    k: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    real, new = draws(0, 120, 90)
    expected = compute_prdc(real, new, k)
    capsys.readouterr()  # prdc prints
    for block in (2**22, 200):
        monkeypatch.setattr("ornstein.memorization.neighbour_metrics._BLOCK", block)
        found = precision_recall_density_coverage(new, real, k)
        assert found._asdict() == pytest.approx(expected, abs=1e-14)
    assert len(set(found)) == 4


def test_the_kernel_distance_is_that_of_torchmetrics() -> None:
    torch = pytest.importorskip("torch")
    kid = pytest.importorskip("torchmetrics.image.kid")
    a, b = draws(1, 70, 70)
    expected = float(kid.poly_mmd(torch.from_numpy(a), torch.from_numpy(b)))
    assert kernel_distance(a, b) == pytest.approx(expected, rel=1e-10)


def test_the_frechet_distance_is_that_of_its_definition_and_of_torchmetrics() -> None:
    a, b = draws(2, 60, 80)
    gap = a.mean(axis=0) - b.mean(axis=0)
    ca, cb = np.cov(a.T), np.cov(b.T)
    expected = gap @ gap + np.trace(ca + cb - 2 * np.real(sqrtm(ca @ cb)))
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-10)
    torch = pytest.importorskip("torch")
    fid = pytest.importorskip("torchmetrics.image.fid")
    tensors = [torch.from_numpy(x) for x in (a.mean(0), ca, b.mean(0), cb)]
    assert frechet_distance(a, b) == pytest.approx(float(fid._compute_fid(*tensors)), rel=1e-8)


@pytest.mark.parametrize("sizes", [(50, 50), (50, 30), (20, 70)])
def test_the_sliced_wasserstein_distance_is_that_of_pot(sizes: tuple[int, int]) -> None:
    a, b = draws(3, *sizes)
    rng = np.random.default_rng(0)
    directions = np.random.default_rng(0).standard_normal((100, 6))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    expected = ot.sliced_wasserstein_distance(a, b, projections=directions.T)
    assert sliced_wasserstein(a, b, 100, rng) == pytest.approx(expected, rel=1e-10)


def test_authenticity_is_that_of_all_distances() -> None:
    old, new = draws(4, 60, 200, dim=2)
    search = NearestNeighbors(n_neighbors=2).fit(old)
    own = search.kneighbors(old)[0][:, 1]
    distance, index = (found[:, 0] for found in search.kneighbors(new))
    expected = (distance > own[index]).mean()
    assert 0.2 < expected < 0.95
    assert authenticity(new, old) == expected
    assert authenticity(new, np.concatenate([old, old])) == expected
    assert authenticity(old + 1e-9, old) == 0
    with pytest.raises(ValueError, match="one distinct point"):
        authenticity(new, np.zeros((5, 2)))


@pytest.mark.parametrize("cells", [1, 3])
def test_data_copying_is_the_mean_of_mann_whitney_z_values(cells: int) -> None:
    old, fresh, new = draws(5, 200, 150, 180)
    search = NearestNeighbors(n_neighbors=1).fit(old)
    ours, theirs = (search.kneighbors(x)[0][:, 0] for x in (new, fresh))
    means = KMeans(cells, n_init="auto", random_state=0).fit(old)
    values, weights = [], []
    for cell in range(cells):
        a, b = ours[means.predict(new) == cell], theirs[means.predict(fresh) == cell]
        if min(a.size, b.size) < 20:
            continue
        u = mannwhitneyu(a, b).statistic
        z = (u - a.size * b.size / 2) / math.sqrt(a.size * b.size * (a.size + b.size + 1) / 12)
        values.append(z)
        weights.append(b.size)
    assert data_copying(new, old, fresh, cells) == pytest.approx(
        np.average(values, weights=weights)
    )
    assert data_copying(old + 1e-6, old, fresh) < -10
    assert data_copying(5 * fresh, old, fresh) > 5
    with pytest.raises(ValueError, match="none of 50 cells holds 20"):
        data_copying(new, old, fresh, 50)


def test_shares_of_closest_records() -> None:
    rng = np.random.default_rng(6)
    fresh = rng.random(1000)
    assert closest_record_share(np.zeros(10), fresh) == 1
    assert closest_record_share(fresh, fresh) == pytest.approx(0.05, abs=1e-3)
    assert closest_record_share(fresh, fresh, 0.2) == pytest.approx(0.2, abs=1e-3)


def test_bad_input_is_refused() -> None:
    with pytest.raises(ValueError, match="a has 1 point"):
        frechet_distance(np.zeros((1, 2)), np.zeros((3, 2)))
    with pytest.raises(ValueError, match="b has 3 coordinates"):
        kernel_distance(np.zeros((2, 2)), np.zeros((3, 3)))
    with pytest.raises(ValueError, match="reference has 5 point"):
        precision_recall_density_coverage(np.zeros((9, 2)), np.zeros((5, 2)))
    with pytest.raises(ValueError, match="projections is 0"):
        sliced_wasserstein([[0.0]], [[0.0]], 0)


def metrics_of(train, fresh, new, seed=0):
    found, notes = descriptive_metrics(train, fresh, new, np.random.default_rng(seed))
    return {metric.name: metric for metric in found}, notes


def test_the_table_holds_each_metric_in_units_of_the_data() -> None:
    rng = np.random.default_rng(7)
    train, fresh, new = (rng.standard_normal((n, 5)) for n in (60, 60, 60))
    found, notes = metrics_of(train, fresh, new)
    assert notes == ()
    quality = precision_recall_density_coverage(new, train)
    of_fresh = precision_recall_density_coverage(fresh, train)
    for name in ("precision", "recall", "density", "coverage"):
        assert found[name].value == pytest.approx(getattr(quality, name))
        assert found[name].held_out == pytest.approx(getattr(of_fresh, name))
    scale = train.var(axis=0).mean()
    assert found["Frechet distance"].value == pytest.approx(frechet_distance(new, train) / scale)
    assert found["Frechet distance"].held_out == pytest.approx(
        frechet_distance(fresh, train) / scale
    )
    assert found["authenticity"].value == authenticity(new, train)
    assert found["authenticity"].held_out == authenticity(fresh, train)
    nearest = NearestNeighbors(n_neighbors=1).fit(train).kneighbors(new)[0]
    assert found["closest record, median"].value == pytest.approx(np.median(nearest) / scale**0.5)
    moved, _ = metrics_of(1e4 + 3 * train, 1e4 + 3 * fresh, 1e4 + 3 * new)
    for name, metric in found.items():
        assert moved[name].value == pytest.approx(metric.value, rel=1e-6, abs=1e-9), name
        assert len(metric.meaning) > 40


def test_copies_move_each_metric_as_its_direction_says() -> None:
    rng = np.random.default_rng(8)
    train, fresh = rng.standard_normal((300, 16)), rng.standard_normal((300, 16))
    new = train + 0.05 * rng.standard_normal(train.shape)
    found, _ = metrics_of(train, fresh, new)
    for name, metric in found.items():
        if name == "density":
            assert metric.direction == "none"
            continue
        assert metric.direction in {"higher", "lower"}
        higher = metric.value > metric.held_out
        assert higher == (metric.direction == "higher"), name
    assert len(found) == 15
    assert found["Delta"].value < -0.5
    assert "19 random relabellings, which go from" in found["Delta"].meaning


def test_fresh_points_have_the_held_out_values() -> None:
    rng = np.random.default_rng(9)
    train, fresh, new = (rng.standard_normal((400, 8)) for _ in range(3))
    found, _ = metrics_of(train, fresh, new)
    for name in ("authenticity", "precision", "recall", "coverage", "closest record, median"):
        assert found[name].value == pytest.approx(found[name].held_out, abs=0.12), name
    assert abs(found["C_T"].value) < 4
    assert abs(found["Delta"].value) <= 1


def test_what_is_left_out_is_said() -> None:
    rng = np.random.default_rng(10)
    found, notes = metrics_of(*(rng.standard_normal((n, 2)) for n in (30, 9, 30)))
    assert found == {}
    assert notes == (
        "No descriptive metrics: the smallest set has 9 points, expected at least 10.",
    )
    found, notes = metrics_of(*(rng.standard_normal((12, 2049)) for _ in range(3)))
    assert "Frechet distance" not in found
    assert notes == ("No Frechet distance: 2049 coordinates are more than 2048.",)
