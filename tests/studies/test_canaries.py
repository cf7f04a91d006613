"""Canaries: planted in one network's training set only, measured beside controls."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

from ornstein.engine.running import compute
from ornstein.engine.store import Store
from ornstein.engine.study import Cell, cell_seed
from ornstein.studies.neural import canaries as module
from ornstein.studies.neural.canaries import CANARY_METRICS, CanaryStudy
from ornstein.studies.neural.models import TrainedModel
from ornstein.studies.neural.options import NeuralOptions
from ornstein.studies.neural.unet import UNetStudy


def options(**changes: Any) -> NeuralOptions:
    fields: dict[str, Any] = {
        "train_sizes": (20,), "model": "mlp", "pixels": 3, "width": 16, "epochs": 2,
        "diffusion_steps": 10, "originals": 50, "simulations": 2,
    }  # fmt: skip
    return NeuralOptions(**{**fields, **changes})


def test_canaries_and_controls_are_fresh_records_in_another_order() -> None:
    study = CanaryStudy(options(), canaries=4)
    canaries, controls = study.planted(Cell(20, 0))
    assert canaries.shape == controls.shape == (4, 9)
    again = study.planted(Cell(20, 0))
    np.testing.assert_array_equal(canaries, again[0])
    np.testing.assert_array_equal(controls, again[1])
    assert not np.array_equal(canaries, study.planted(Cell(20, 1))[0])
    fresh = np.sort(study.draw(Cell(20, 0)).held_out, axis=1)
    for record in (*canaries, *controls):
        assert (np.sort(record) == fresh).all(axis=1).sum() == 1


def test_they_are_planted_among_what_is_trained_on() -> None:
    study = CanaryStudy(options(), canaries=4)
    planted = module._PlantedStudy(study.options, study.execution, canaries=4)
    canaries, controls = study.planted(Cell(20, 0))
    before, after = (each.draw(Cell(20, 0)).images.reshape(20, 9) for each in (study, planted))
    changed = (before != after).any(axis=1)
    assert changed.sum() == 4
    np.testing.assert_array_equal(np.sort(after[changed], axis=0), np.sort(canaries, axis=0))
    from ornstein.networks.training.data import split_indices

    rows, _ = split_indices(20, 0.9, study.seeds(Cell(20, 0)).training)
    assert set(np.flatnonzero(changed)) <= set(rows.tolist())
    assert not module._rows_in(after, controls).any()


class Denoiser:
    """Fits the points that it knows, and moves all others."""

    def __init__(self, known: np.ndarray) -> None:
        self.known = known

    def denoise(self, points: np.ndarray, noise: float) -> np.ndarray:
        gaps = np.linalg.norm(points[:, None] - self.known, axis=2)
        return self.known[gaps.argmin(axis=1)]


def test_what_is_measured_of_a_model_that_gives_them_away() -> None:
    study = CanaryStudy(options(), canaries=4)
    cell = Cell(20, 0)
    canaries, _ = study.planted(cell)
    data = study.draw(cell)
    rest = data.images.reshape(20, 9)[:14]
    knows = np.concatenate([rest, canaries])
    fields: Any = (cell, data, study.seeds(cell))
    planted = TrainedModel(*fields, Denoiser(knows), knows)
    plain = TrainedModel(*fields, Denoiser(rest), rest)
    values = study._canary_values(plain, planted, canaries[:3] + 1e-6)
    assert set(values) == set(CANARY_METRICS)
    assert values["canary_found"] == 0.75
    assert values["control_found"] < 0.5
    assert values["canary_distance"] < values["control_distance"]
    assert values["canary_auc"] == 1
    assert values["canary_auc_without"] < 0.95
    row = study._canary_row({name: [value, value] for name, value in values.items()})
    assert row["canary_found"] == 0.75
    assert 0.4 < row["canary_found_low"] < 0.75 < row["canary_found_high"] < 0.95
    assert row["canary_auc_low"] < 1 == row["canary_auc_high"]
    half = (row["canary_auc"] - row["canary_auc_low"]) / 1.959964
    assert half == pytest.approx(values["canary_auc_se"] / np.sqrt(2))


def test_shares_distances_and_errors_by_their_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two generated points are well within half the distance to others, and two a little beyond."""
    study = CanaryStudy(options(std=(2.5,)), canaries=4)
    cell = Cell(20, 0)
    canaries, controls = study.planted(cell)
    data = study.draw(cell)
    rest = data.images.reshape(20, 9)[:14]
    knows = np.concatenate([canaries, rest])
    others = distances(canaries, rest).min(axis=1)
    points = canaries + (others * [0.4, 0.4, 0.7, 0.7] / 3)[:, None]  # 3 is the root of d
    asked = []

    def attack(denoise: Any, members: Any, fresh: Any, noise: Any, **how: Any) -> Any:
        np.testing.assert_array_equal(members, canaries)
        np.testing.assert_array_equal(fresh, controls)
        asked.append((denoise, noise, how["noised"]))
        numbers = {"auc": 0.7, "auc_low": 0.5, "auc_high": 0.8}
        return SimpleNamespace(**{name: np.array([v]) for name, v in numbers.items()})

    monkeypatch.setattr(module, "membership_attack", attack)
    fields: Any = (cell, data, study.seeds(cell))
    planted, plain = (TrainedModel(*fields, Denoiser(known), known) for known in (knows, rest))
    values = study._canary_values(plain, planted, points)
    assert [each[0] for each in asked] == [planted.model.denoise, plain.model.denoise]
    assert all(each[1:] == ([0.75], 4) for each in asked)
    assert values["canary_auc_se"] == pytest.approx(0.3 / 3.919928)
    for name, records in (("canary", canaries), ("control", controls)):
        near = distances(records, points).min(axis=1)
        around = distances(records, rest).min(axis=1)
        assert values[f"{name}_found"] == (near < around / 2).mean()
        assert values[f"{name}_distance"] == pytest.approx(near.mean() / 3 / 2.5)
    assert values["canary_found"] == 0.5


def distances(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.linalg.norm(one[:, None] - other, axis=2)


def test_each_record_has_an_order_of_its_own_and_noise_of_its_own() -> None:
    study, cell = CanaryStudy(options(), canaries=4), Cell(20, 0)
    fresh = study.draw(cell).held_out
    orders = set()
    for record in np.concatenate(study.planted(cell)):
        (source,) = fresh[(np.sort(fresh, axis=1) == np.sort(record)).all(axis=1)]
        orders.add(tuple((source == record[:, None]).argmax(axis=1)))
    assert len(orders) == 8
    # Not with the random numbers that the data were drawn with.
    for seed in cell_seed(study.seed, cell).spawn(4):
        rng = np.random.default_rng(seed)
        chosen = fresh[rng.choice(len(fresh), 8, replace=False)]
        assert not np.array_equal(rng.permuted(chosen, axis=1)[:4], study.planted(cell)[0])


def test_a_study_with_its_table(tmp_path: Path) -> None:
    study = CanaryStudy(options(), canaries=4)
    summary = study.run(tmp_path, jobs=1)
    (row,) = summary.rows
    plain = UNetStudy(options()).run(tmp_path / "plain", jobs=1).rows[0]
    names = [name for name in plain if not name.endswith("_seconds")]
    assert list(row)[: len(plain)] == list(plain)  # new columns come after
    assert [row[name] for name in names] == pytest.approx(
        [plain[name] for name in names], nan_ok=True
    )
    for name in ("canary_found", "control_found", "canary_auc", "canary_auc_without"):
        assert 0 <= row[f"{name}_low"] <= row[name] <= row[f"{name}_high"] <= 1
    text = summary.table()
    assert "Planted records (canaries), shares with 95% intervals, distances in std" in text
    assert f"{row['canary_auc']:.3f} [{row['canary_auc_low']:.3f}, " in text
    assert f"{row['control_found']:.3f} [{row['control_found_low']:.3f}, " in text
    assert "4 fresh records with their coordinates in random order" in " ".join(text.split())
    assert "planted records are generated at " in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80
    assert (tmp_path / "config.yaml").read_text().count("canaries: 4") == 1
    with Store(tmp_path, study.identity, study.metrics) as store:
        compute(study, store, jobs=1)
        assert not store.failed()


@pytest.mark.parametrize(
    ("canaries", "message"),
    [(1, "canaries"), (10, "canaries is 10, and 18 images are trained on at n = 20: expected at")],
)
def test_numbers_that_do_not_fit_are_refused(canaries: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        CanaryStudy(options(), canaries=canaries)
