"""The U-Net study: determinism, resuming, odd input; that it tells memorizing from learning."""

import math
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

from ornstein.engine.running import _groups, compute
from ornstein.engine.store import Store
from ornstein.engine.study import Cell, planned_cells
from ornstein.studies.neural import snapshots as snapshots_module
from ornstein.studies.neural import unet as unet_module
from ornstein.studies.neural.models import generate, snapshot_steps, train_models
from ornstein.studies.neural.options import Execution, NeuralOptions
from ornstein.studies.neural.samples import read_samples
from ornstein.studies.neural.snapshots import SnapshotStudy, Window, crossing, exponent
from ornstein.studies.neural.steps import NeuralStepsOptions, NeuralStepsStudy
from ornstein.studies.neural.study import NeuralStudy
from ornstein.studies.neural.unet import (
    FITTED,
    METRICS,
    SECONDS,
    UNetStudy,
    component_metric,
)

TINY: dict[str, Any] = {
    "model": "mlp",
    "pixels": 2,
    "width": 16,
    "epochs": 2,
    "diffusion_steps": 20,
    "originals": 50,
    "simulations": 2,
}


def tiny(sizes: tuple[int, ...] = (10,), **options: Any) -> NeuralOptions:
    fields = {**TINY, **options}
    if "training_steps" in options:
        del fields["epochs"]
    return NeuralOptions(train_sizes=sizes, **fields)


def run(study: NeuralStudy, folder: Path, **options: Any) -> dict[int, dict[str, list[float]]]:
    """Values of all cells except times, NaN as None."""
    with Store(folder, study.identity, study.metrics) as store:
        compute(study, store, **{"jobs": 1, **options})
        assert not store.failed()
        table = store.values(planned_cells(study))
    return {
        size: {
            name: [None if math.isnan(v) else v for v in column]
            for name, column in values.items()
            if not name.endswith("_seconds")
        }
        for size, values in table.items()
    }


class TestDeterminism:
    def test_replicates_together_are_as_alone(self, tmp_path: Path) -> None:
        config = tiny((12,), simulations=3)
        alone = run(UNetStudy(config), tmp_path / "alone")[12]
        together = run(UNetStudy(config, Execution(replicate_batch=2)), tmp_path / "together")[12]
        for name in METRICS:
            if name in SECONDS or "sign" in name:
                continue
            one, two = (np.array(v[name], dtype=float) for v in (alone, together))
            assert one == pytest.approx(two, rel=1e-3, abs=1e-4, nan_ok=True), name

    def test_a_failing_group_is_done_one_by_one(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        config = tiny((12,), simulations=3)
        expected = run(UNetStudy(config), tmp_path / "alone")
        original = UNetStudy.measure_batch

        def failing(self: UNetStudy, cells: list[Cell]) -> list[dict[str, float]]:
            if len(cells) > 1:
                raise MemoryError("too many")
            return original(self, cells)

        monkeypatch.setattr(UNetStudy, "measure_batch", failing)
        study = UNetStudy(config, Execution(replicate_batch=3))
        assert run(study, tmp_path / "group") == expected

    def test_groups_do_not_depend_on_what_is_there(self) -> None:
        study = UNetStudy(tiny((10, 20), simulations=4), Execution(replicate_batch=2))
        cells = planned_cells(study)
        groups = {tuple(task) for task in _groups(study, cells)}
        assert len(groups) == 4
        assert {tuple(task) for task in _groups(study, cells[4:])} < groups

    def test_seeds_differ(self) -> None:
        study = UNetStudy(tiny())
        cells = [Cell(n, r) for n in (10, 11) for r in range(3)]
        numbers = [number for cell in cells for number in study.seeds(cell)[1:]]
        assert len(set(numbers)) == len(numbers)
        assert study.seeds(cells[0])[1:] == study.seeds(cells[0])[1:]

    def test_each_cell_samples_with_its_own_noise(self) -> None:
        study = UNetStudy(tiny())
        one, two = (train_models(study, [Cell(10, r)])[0] for r in range(2))
        same = two._replace(model=one.model)
        points, again, others, later = (
            generate(study, [model], stream=stream)[0]
            for model, stream in ((one, 0), (one, 0), (same, 0), (one, 1))
        )
        assert np.array_equal(points, again)
        assert not np.array_equal(points, others)
        assert not np.array_equal(points, later)

    def test_the_network_is_trained_on_part_of_n(self) -> None:
        study = UNetStudy(tiny((10,), train_fraction=0.7))
        assert study.options.trained_on(10) == 7
        assert NeuralOptions(train_sizes=(50,)).trained_on(50) == 45
        assert NeuralOptions(train_sizes=(2,)).trained_on(2) == 1


class TestResuming:
    @pytest.mark.parametrize("at", [10, 20])
    def test_within_a_cell(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at: int) -> None:
        """A cell that is stopped in training goes on from its checkpoint, to the same values."""
        config = tiny((10,), simulations=1, training_steps=30)
        execution = Execution(folder=tmp_path / "broken", checkpoint_after=1e-9)
        unbroken = SnapshotStudy(config, replace(execution, folder=None))
        expected = run(unbroken, tmp_path / "unbroken")
        steps: list[int] = []
        observe = SnapshotStudy._observe

        def stopping(self: SnapshotStudy, training: Any, step: int) -> dict[str, float]:
            steps.append(step)
            if step == at and steps.count(at) == 1:
                raise KeyboardInterrupt
            return observe(self, training, step)

        monkeypatch.setattr(SnapshotStudy, "_observe", stopping)
        study = SnapshotStudy(config, execution)
        checkpoints = tmp_path / "broken" / "checkpoints"
        with pytest.raises(KeyboardInterrupt):
            run(study, tmp_path / "broken")
        assert [file.name for file in checkpoints.iterdir()] == ["n10-r0.ckpt"]
        assert run(study, tmp_path / "broken") == expected
        # What was seen before the checkpoint is not looked at again.
        assert steps == [10, 10, 20, 30] if at == 10 else [10, 20, 20, 30]
        assert not list(checkpoints.iterdir())

    def test_after_training(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """What fails after training is tried again without training again."""
        execution = Execution(folder=tmp_path / "s", checkpoint_after=1e-9)
        study = UNetStudy(tiny((10,), simulations=1), execution)
        expected = run(replace(study, execution=Execution()), tmp_path / "unbroken")

        def failing(*_: Any, **__: Any) -> None:
            raise ArithmeticError("no samples")

        with (
            monkeypatch.context() as patch,
            Store(tmp_path / "s", study.identity, study.metrics) as store,
        ):
            patch.setattr(unet_module, "generate", failing)
            compute(study, store, jobs=1)
            assert store.failed() == {Cell(10, 0)}
        assert (tmp_path / "s/checkpoints/n10-r0.ckpt").exists()
        before = (tmp_path / "s/logs/n10-r0.csv").read_text()
        assert run(study, tmp_path / "s", retry_failed=True) == expected
        assert not (tmp_path / "s/checkpoints/n10-r0.ckpt").exists()
        assert (tmp_path / "s/logs/n10-r0.csv").read_text() == before

    def test_short_trainings_leave_no_checkpoints(self, tmp_path: Path) -> None:
        study = UNetStudy(tiny((10,), simulations=1), Execution(folder=tmp_path / "s"))
        run(study, tmp_path / "s")
        assert not (tmp_path / "s/checkpoints").exists()
        log = (tmp_path / "s/logs/n10-r0.csv").read_text().splitlines()
        assert log[0] == "step,epoch,train_loss,validation_loss"
        assert len(log) == 3
        (samples,), notes = read_samples(tmp_path / "s", [10, 20])
        assert notes == []
        assert samples.generated.shape == samples.nearest.shape == (10, 1, 2, 2)
        assert samples.train.shape == (9, 1, 2, 2)


@pytest.mark.parametrize(
    "content", ["nothing", "text", "foreign member", "no arrays", "flat arrays", "cut off"]
)
def test_sample_files_that_cannot_be_read(tmp_path: Path, content: str) -> None:
    """The table is not lost for a picture: a note names the file."""
    path = tmp_path / "samples" / "n10.npz"
    path.parent.mkdir()
    images = dict.fromkeys(("generated", "nearest", "train"), np.ones((2, 1, 3, 3), np.float32))
    np.savez_compressed(path, **images)  # type: ignore[arg-type]
    assert len(read_samples(tmp_path, [10])[0]) == 1
    if content == "flat arrays":
        np.savez(path, **{name: np.ones(3) for name in images})  # type: ignore[arg-type]
    elif content in {"foreign member", "no arrays"}:
        with zipfile.ZipFile(path, "w") as archive:
            names = images if content == "foreign member" else ["readme.txt"]
            for name in names:
                archive.writestr(name, "no array")
    else:
        whole = path.read_bytes()
        path.write_bytes({"nothing": b"", "text": b"text", "cut off": whole[:-30]}[content])
    samples, (note,) = read_samples(tmp_path, [10, 20])
    assert samples == []
    assert note.startswith("samples/n10.npz cannot be read (")
    assert note.endswith("): samples.png lacks it.")
    assert "\n" not in note


class TestWhatIsMeasured:
    @pytest.mark.parametrize(
        ("sizes", "options"),
        [
            ((10,), {"batch_size": 128}),  # n below the batch
            ((2,), {}),
            ((10,), {"train_fraction": 1.0}),
            ((10,), {"generated": 1}),
            ((10,), {"mean": (0.0, 1.0), "std": (0.1, 0.2), "generated": 20}),
            ((10,), {"sampler": "heun", "sampling_steps": 5, "start": "marginal"}),
            ((10,), {"start": "population", "generated": 20}),
            ((10,), {"prediction": "v", "ema_decay": 0.9}),
            ((10,), {"model": "unet", "pixels": 8, "width": 0.05, "training_steps": 1}),
        ],
    )
    def test_no_value_is_missing_that_could_be_there(
        self, sizes: tuple[int, ...], options: dict[str, Any]
    ) -> None:
        study = UNetStudy(tiny(sizes, **options))
        values = study.measure(Cell(sizes[0], 0))
        assert set(values) == set(study.metrics)
        missing = {name for name in METRICS if math.isnan(values[name])}
        expected = set() if study.has_fits else set(FITTED)
        if sizes == (2,):
            expected |= {"memorized", "baseline"}
        if study.options.train_fraction == 1:
            expected |= {"validation_loss"}
        assert missing == expected

    def test_constant_pixels(self, tmp_path: Path) -> None:
        images = np.random.default_rng(0).standard_normal((30, 2, 2, 2))
        images[:, 1] = 3.0  # a channel
        images[:, 0, 0, 0] = -1.0  # and a pixel
        np.save(tmp_path / "x.npy", images)
        study = UNetStudy(tiny(data=str(tmp_path / "x.npy"), pixels=None, generated=20))
        assert study.shape == (2, 2, 2)
        values = study.measure(Cell(10, 0))
        assert math.isfinite(values["delta"])
        assert math.isfinite(values["wasserstein2"])
        assert math.isnan(values["kl"])  # no network generates exactly constant pixels

    def test_a_training_set_of_constant_images(self, tmp_path: Path) -> None:
        images = np.ones((30, 1, 2, 2))
        images[0] = 2.0
        np.save(tmp_path / "x.npy", images)
        study = UNetStudy(tiny(data=str(tmp_path / "x.npy"), pixels=None))
        cell = next(c for c in (Cell(10, r) for r in range(9)) if np.ptp(study.draw(c).images) == 0)
        with pytest.raises(ValueError, match="originals are all equal"):
            # One bright image among the originals, and then none: some variance is needed.
            replace(study, options=replace(study.options, originals=2)).measure(cell)
        values = study.measure(cell)
        assert math.isnan(values["memorized"])

    def test_data_are_split_without_overlap(self) -> None:
        study = UNetStudy(tiny((100,), data="digits", pixels=8))
        images, originals, held_out = study.draw(Cell(100, 0))
        assert images.shape == (100, 1, 8, 8)
        assert originals.shape == (50, 64)
        # As many as it is trained on, where nobody wants fewer.
        many = UNetStudy(tiny((100,), data="digits", pixels=8, originals=10_000))
        assert many.draw(Cell(100, 0)).originals.shape == (90, 64)
        assert held_out.shape == (1000, 64)
        # Digits have no equal images.
        train = {row.tobytes() for row in images.reshape(100, -1)}
        assert not train & {row.tobytes() for row in held_out}

    def test_summary_by_size_and_overall(self) -> None:
        study = UNetStudy(tiny((10, 20), simulations=2, generated=20))
        summary = study.run(jobs=1)
        rows, whole = summary.rows, summary.overall
        assert [row["train_size"] for row in rows] == [10, 20]
        assert whole["simulations"] == 4
        for name in ("distance_original", "distance_train", "delta", "memorized", "kl"):
            mean = np.mean([row[f"{name}_mean"] for row in rows])
            assert whole[f"{name}_mean"] == pytest.approx(mean)
        for row in rows:
            gap = row["distance_train_mean"] - row["distance_original_mean"]
            assert row["delta_mean"] == pytest.approx(gap)
            assert 0 <= row["delta_positive_low"] <= row["delta_positive"]
            assert row["train_seconds"] > 0
            assert row["sample_seconds"] > 0


class TestBadInput:
    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"train_fraction": 0.0}, "train_fraction is 0, expected"),
            ({"width": 15}, "width is 15, expected an even number"),
            ({"sampling_steps": 21}, "21 sampling steps of 20 diffusion steps"),
            ({"sampler": "best"}, "best"),
            ({"model": "net"}, "model is 'net'"),
            ({"prediction": "x"}, "prediction is 'x'"),
            ({"batch_size": 0}, "batch_size"),
            ({"sizes": (1,)}, "a training size"),
            ({"sizes": (1796,), "data": "digits"}, "expected at most 1795"),
        ],
    )
    def test_one_clear_line(self, options: dict[str, Any], message: str) -> None:
        sizes = options.pop("sizes", (10,))
        with pytest.raises(ValueError, match=message):
            UNetStudy(tiny(sizes, **options))

    def test_vectors_are_for_the_mlp(self, tmp_path: Path) -> None:
        np.save(tmp_path / "x.npy", np.random.default_rng(0).standard_normal((30, 5)))
        options = {"data": str(tmp_path / "x.npy"), "pixels": None}
        with pytest.raises(ValueError, match=r"vectors of 5 coordinates.*give --model mlp"):
            UNetStudy(tiny(**options, model="unet", width=None))
        assert math.isfinite(UNetStudy(tiny(**options)).measure(Cell(10, 0))["delta"])

    def test_sides_that_are_no_multiples_of_8(self, tmp_path: Path) -> None:
        """The U-Net pads them: they are measured at their own size."""
        np.save(tmp_path / "x.npy", np.random.default_rng(0).random((30, 1, 5, 11)))
        options = {"data": str(tmp_path / "x.npy"), "model": "unet", "width": 0.05}
        study = UNetStudy(tiny(**options, pixels=None, training_steps=1, diffusion_steps=3))
        assert study.shape == (1, 5, 11)
        assert math.isfinite(study.measure(Cell(10, 0))["delta"])
        # Its cost is that of the padded image, 8 x 16.
        whole = UNetStudy(tiny(**options, pixels=16, training_steps=1, diffusion_steps=3))
        assert 2 * study._flops == whole._flops

    def test_steps_need_points_for_a_covariance(self) -> None:
        config = NeuralStepsOptions(train_sizes=(10,), **TINY, generated=8, steps=(5,))
        with pytest.raises(ValueError, match="more than 2 d = 8"):
            NeuralStepsStudy(config)

    def test_snapshots_need_equal_steps(self) -> None:
        with pytest.raises(ValueError, match="give training_steps"):
            SnapshotStudy(tiny())


class TestSnapshots:
    def test_where_it_looks(self) -> None:
        assert snapshot_steps(10) == (10,)
        assert snapshot_steps(7) == (7,)
        assert snapshot_steps(1000) == (10, 20, 50, 100, 200, 500, 1000)

    def test_crossing(self) -> None:
        assert crossing((10, 20, 50), (0.6, 0.7, 0.8)) == 10
        assert crossing((10, 20, 50), (0.0, 0.7, 0.4)) == math.inf
        # For good: the first passage does not count.
        assert crossing((10, 100, 1000, 10_000), (0.6, 0.0, 0.5, 0.9)) == pytest.approx(1000)

    def test_exponent(self) -> None:
        found = [Window(n, n, 10, 0.0, 7.0 * n**1.3, 0.0, 7.0 * n**1.3, 1) for n in (10, 40, 90)]
        assert exponent(found).slope == pytest.approx(1.3)
        never = found[0]._replace(memorization_step=math.nan)
        assert exponent([*found, never]).slope == pytest.approx(1.3)
        assert math.isnan(exponent(found[:1]).slope)

    def test_error_of_the_exponent(self) -> None:
        """As the spread of the slopes of noisy times."""
        rng, error, sizes = np.random.default_rng(0), 0.1, (10, 40, 90, 300)

        def noisy() -> list[Window]:
            times = [n * math.exp(error * rng.standard_normal()) for n in sizes]
            tails = [(t, t * math.exp(-error), t * math.exp(error), 1) for t in times]
            return [Window(n, n, 10, 0.0, *tail) for n, tail in zip(sizes, tails, strict=True)]

        slopes = [exponent(noisy()).slope for _ in range(2000)]
        assert exponent(noisy()).error == pytest.approx(np.std(slopes), rel=0.07)

    def test_together_as_alone(self, tmp_path: Path) -> None:
        config = tiny((12,), training_steps=30, simulations=2)
        one = run(SnapshotStudy(config), tmp_path / "one")[12]
        two = run(SnapshotStudy(config, Execution(replicate_batch=2)), tmp_path / "two")[12]
        assert list(one) == list(two)
        for name, values in one.items():
            if "sign" not in name and "memorized" not in name:
                assert values == pytest.approx(two[name], rel=1e-2, abs=1e-3), name
        assert one["30/loss_test"] != one["10/loss_test"]

    def test_only_networks_change_between_looks(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The losses of one snapshot are at the noises of the others."""
        config = tiny((12,), training_steps=20, simulations=1, learning_rate=1e-30)
        values = SnapshotStudy(config).measure(Cell(12, 0))
        assert values["10/loss_test"] == values["20/loss_test"]
        assert values["10/loss_train"] == values["20/loss_train"]
        assert snapshots_module.HALF == 0.5


def test_steps_of_a_trained_network() -> None:
    config = NeuralStepsOptions(
        train_sizes=(20,),
        **{**TINY, "epochs": 5},
        generated=40,
        samplers=("ddpm", "ddim"),
        steps=(20, 3),
    )
    study = NeuralStepsStudy(config)
    rows = study.run(jobs=1).rows
    assert [(row["sampler"], row["steps"]) for row in rows] == [
        (sampler, steps) for sampler in ("ddpm", "ddim") for steps in (3, 20)
    ]
    for row in rows:
        assert math.isfinite(row["kl_mean"])
        assert row["kl_linear_mean"] > 0
    # The linear curve falls with more steps, exactly.
    assert rows[0]["kl_linear_mean"] > rows[1]["kl_linear_mean"]
    assert rows[2]["wasserstein2_linear_mean"] > rows[3]["wasserstein2_linear_mean"]


@pytest.mark.slow
class TestMemorizationAndGeneralization:
    """As many originals as training points, so that Delta of a perfect model is at 0."""

    options: ClassVar[dict[str, Any]] = {
        "model": "mlp",
        "pixels": 4,
        "train_fraction": 1.0,
        "generated": 100,
        "prediction": "sample",
        "sampling_steps": 50,
    }

    def measured(self, n: int, replicates: int, **options: Any) -> dict[str, np.ndarray]:
        config = NeuralOptions(train_sizes=(n,), originals=n, **self.options | options)
        study = UNetStudy(config, Execution(replicate_batch=replicates))
        cells = study.measure_batch([Cell(n, r) for r in range(replicates)])
        return {name: np.array([values[name] for values in cells]) for name in METRICS}

    def test_overfit_on_purpose(self) -> None:
        short = {"training_steps": 300, "ema_decay": 0.95, "sampling_steps": 25}
        found = self.measured(16, 2, learning_rate=3e-3, **short)
        assert (found["memorized"] > 0.9).all()
        assert (found["baseline"] < 0.01).all()
        assert (found["delta_sign"] == -1).all()
        assert (found["full_delta_sign"] == -1).all()
        # Far below what a fresh sample would have, within a few hundredths of 0.
        assert (found["delta"] < -0.1).all()

    def test_the_window_opens_with_n(self) -> None:
        """Four times the data: memorized some four times later, and learned longer before that."""
        config = NeuralOptions(
            train_sizes=(8, 32),
            model="mlp",
            prediction="sample",
            learning_rate=3e-3,
            training_steps=100,
            generated=50,
            sampling_steps=10,
            simulations=2,
        )
        study = SnapshotStudy(config, Execution(replicate_batch=2))
        few, many = study.run(jobs=1).windows
        assert few.memorized == many.memorized == 2
        assert few.best_step < few.memorization_step
        assert many.best_step < many.memorization_step
        assert 2 < many.memorization_step / few.memorization_step < 8
        assert many.best_loss < few.best_loss

    def test_enough_data_and_few_epochs(self) -> None:
        short = {"epochs": 10, "width": 64, "sampling_steps": 20}
        found = self.measured(1000, 8, learning_rate=1e-3, **short)
        assert (found["memorized"] <= found["baseline"] + 0.01).all()
        mean, error = found["delta"].mean(), found["delta"].std(ddof=1) / math.sqrt(8)
        assert mean > -2 * error
        assert error < 0.01
        assert abs(mean) < 0.01

    def test_the_unet_learns_a_mixture(self) -> None:
        """Weights, means and deviations of 1,000 images within 10 percent of the truth."""
        truth = {"mean": (0.2, 0.8), "std": (0.1, 0.1), "weights": (0.3, 0.7)}
        config = NeuralOptions(
            train_sizes=(2000,),
            width=0.125,
            prediction="v",
            diffusion_steps=100,
            train_fraction=1.0,
            training_steps=200,
            batch_size=32,
            learning_rate=5e-3,
            ema_decay=0.97,
            start="population",
            sampling_steps=20,
            generated=1000,
            **truth,
        )
        found = UNetStudy(config).measure(Cell(2000, 0))
        for name, values in zip(("mean", "std", "weight"), truth.values(), strict=True):
            for index, value in enumerate(values):
                assert found[component_metric(index, name)] == pytest.approx(value, rel=0.1)
        assert found["kl"] < found["kl_linear"]
