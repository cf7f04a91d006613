"""What people read of a study of trained networks."""

import json
import math
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

from tests.reports.cells import expected, expected_share, filled
from tests.reports.networks import DIM, STD, STUDIED, numbered, options, share
from tests.reports.reading import (
    caption_of,
    check_layout,
    check_width,
    drawn,
    landmarks,
    legend_of,
    read_tables,
    sentences,
)

from ornstein.engine.study import Cell
from ornstein.json_values import as_json
from ornstein.memorization.sample_measures import FittedDistances
from ornstein.reports.figures import BLUE, GREEN, GREY, VERMILION
from ornstein.reports.networks import copied, heading
from ornstein.reports.tables import interval, number, with_error
from ornstein.reports.unet import answer, figures, samples_figure, tables
from ornstein.studies.neural import study as study_module
from ornstein.studies.neural import unet as unet_module
from ornstein.studies.neural.models import TrainedModel
from ornstein.studies.neural.options import NeuralOptions
from ornstein.studies.neural.samples import Samples
from ornstein.studies.neural.study import CellData, CellSeeds
from ornstein.studies.neural.unet import METRICS, UNetStudy, UNetSummary, perfect_delta

DISTANCES = ("distance_original", "distance_train", "delta")
FITS = ("kl", "kl_linear", "wasserstein2", "wasserstein2_linear")
COMPONENTS = tuple(f"component{i}_{name}" for i in (1, 2) for name in ("weight", "mean", "std"))


def row(n: Any, number_of: int = 0, **changes: float) -> dict[str, Any]:
    """A row in which no two numbers are alike."""
    size = number_of or n
    found: dict[str, Any] = {"train_size": n, "simulations": 5 + size // 10}
    found |= numbered((*DISTANCES, "memorized", "baseline", *FITS), size)
    found |= numbered(("train_loss", "validation_loss"), size, 0.7, 0.9)
    found |= numbered(COMPONENTS, size, 0.1, 0.4)
    found |= share("delta", 0.41 + size / 5000) | share("full_delta", 0.72 + size / 5000)
    found |= {
        "log_l2_original_mean": 3.0,
        "log_l2_train_mean": 4.0,
        "full_delta_log_abs_mean": -9.1234 - size / 100,
        "train_seconds": 12.3 + size,
        "sample_seconds": 0.456 + size,
    }
    # As summary.csv has it: no size of the row over all, and its null value is unknown.
    return found | ({} if n == "all" else {"delta_null": -0.02 - size / 1e4}) | changes


def missing(*names: str) -> dict[str, float]:
    return {f"{name}_{part}": math.nan for name in names for part in ("mean", "se")}


def summary(*rows: dict[str, Any], **changes: Any) -> UNetSummary:
    chosen = rows or (row(20), row(40), row(80))
    overall = row("all", 111)
    del overall["train_size"]
    fields: dict[str, Any] = {
        **STUDIED,
        "rows": chosen,
        "options": options(),
        "overall": overall,
        "samples": (),
        "components": (),
        "has_fits": True,
    }
    return UNetSummary(**{**fields, **changes})


def measured(rows: list[dict[str, Any]], name: str) -> list[str]:
    return [with_error(r[f"{name}_mean"], r[f"{name}_se"]) for r in rows]


class TestTables:
    def lines(self) -> list[dict[str, Any]]:
        return [row(20), row(40), row(80), row("all", 111)]

    def test_every_column_and_cell(self) -> None:
        lines = self.lines()
        sizes = ("n", ["20", "40", "80", "all"])
        found = read_tables(tables(summary()))
        columns = [column for table in found for column in table.columns if column[0] != "n"]
        assert all(table.columns[0] == sizes for table in found)
        assert columns == [
            ("runs", ["7", "9", "13", "16"]),
            ("original-generated", measured(lines, "distance_original")),
            ("train-generated", measured(lines, "distance_train")),
            ("Delta", measured(lines, "delta")),
            ("perfect model", ["-0.022", "-0.024", "-0.028", ""]),
            ("per coordinate", self.shares(lines, "delta")),
            ("full dimension", self.shares(lines, "full_delta")),
            ("ln |Delta|", ["-9.323", "-9.523", "-9.923", "-10.23"]),
            ("memorized", measured(lines, "memorized")),
            ("baseline", measured(lines, "baseline")),
            ("loss", measured(lines, "train_loss")),
            ("valid.", measured(lines, "validation_loss")),
            ("train, s", ["32.3", "52.3", "92.3", "123"]),
            ("sample, s", ["20.5", "40.5", "80.5", "111"]),
            ("KL, nats", measured(lines, "kl")),
            ("linear", measured(lines, "kl_linear")),
            ("W2^2", measured(lines, "wasserstein2")),
            ("linear", measured(lines, "wasserstein2_linear")),
        ]

    @staticmethod
    def shares(lines: list[dict[str, Any]], name: str) -> list[str]:
        return [
            interval(*(r[f"{name}_positive{end}"] for end in ("", "_low", "_high"))) for r in lines
        ]

    def test_one_size_has_no_line_over_all(self) -> None:
        text = tables(summary(row(40)))
        assert all(table.column("n") == ["40"] for table in read_tables(text))
        assert "all" not in legend_of(text)

    def test_components_beside_the_truth(self) -> None:
        truth = ((0.3, 0.2, 0.11), (0.7, 0.8, 0.13))
        rows = [row(20), row(40)]
        text = tables(summary(*rows, components=truth))
        found = [t for t in read_tables(text) if any(name == "component" for name, _ in t.columns)]
        columns = dict(
            column for table in found for column in table.columns if column[0] != "truth"
        )
        assert columns["n"] == ["20", "", "40", ""]
        assert columns["component"] == ["1", "2", "1", "2"]
        for name in ("weight", "mean", "std"):
            assert columns[name] == [
                with_error(r[f"component{i}_{name}_mean"], r[f"component{i}_{name}_se"])
                for r in rows
                for i in (1, 2)
            ]
        truths = [cells for t in found for name, cells in t.columns if name == "truth"]
        assert truths == [
            [number(component[place], 3) for component in truth] * 2 for place in range(3)
        ]

    def test_titles_and_heading(self) -> None:
        text = tables(summary())
        assert text.startswith(
            "MLP of width 32 on N(0.5, 0.2^2), 1 x 4 x 4\n"
            "trained 10 epochs (10 to 30 optimiser steps) in batches of 128, T = 50,\n"
            "predicting epsilon\n"
            "60 generated by ddpm in 50 steps from the standard start, seed 7\n"
        )
        for title in (
            "Squared L2 distances per coordinate (mean ± standard error over runs)",
            "P(Delta > 0) with its Wilson 95% interval; size of Delta in full dimension",
            "Memorized fraction, losses of the last epoch, seconds a run",
            "Gaussian fit to the generated points against the population's",
        ):
            assert f"\n\n{title}\n\n" in text
        assert text.endswith("\n\n  a note on all this")
        once = options(model="unet", width=None, training_steps=1)
        text = heading(summary(options=once))
        assert text.startswith("U-Net on N(0.5, 0.2^2)")
        assert "trained 1 optimiser step in" in text

    def test_without_enough_points_there_is_no_fit(self) -> None:
        text = tables(summary(row(20, **missing(*FITS)), has_fits=False))
        assert "Gaussian fit" not in text
        assert {"KL", "W2^2", "linear"}.isdisjoint(legend_of(text))

    def test_a_perfect_model_where_it_is_known(self) -> None:
        rows = [row(20, delta_perfect=0.4567), row(40, delta_perfect=0.81)]
        _, shares, *_ = read_tables(tables(summary(*rows)))
        assert shares.column("perfect model") == ["0.457", "0.810", ""]

    def test_an_infinite_expectation_is_a_word(self) -> None:
        endless = {"kl_linear_mean": math.inf, "kl_linear_se": math.nan}
        text = tables(summary(row(20, **endless), row(40)))
        (fits,) = [t for t in read_tables(text) if t.columns[1][0] == "KL, nats"]
        assert fits.columns[2][1][0] == "infinite"

    def test_each_column_is_explained_in_one_line(self) -> None:
        text = tables(summary(components=((0.3, 0.2, 0.11), (0.7, 0.8, 0.13))))
        meanings = legend_of(text)
        unnamed = {"n", "runs", "sample, s", "weight", "mean", "std", "truth"}
        for table in read_tables(text):
            for name, _ in table.columns:
                assert name in unnamed or name.removesuffix(", nats") in meanings
        assert (
            meanings["train-generated"] == "the same to the images that the network is trained on"
        )
        assert meanings["all"] == "mean over the runs of all sizes, each counted once"

    @pytest.mark.parametrize("size", [1e-5, 1.0, 123.456789, 3.3e9])
    @pytest.mark.parametrize("relative", [3e-5, 0.1, 30.0, math.nan])
    def test_it_fits_80_columns(self, size: float, relative: float) -> None:
        wide = row(10_000_000)
        wide |= {name: size for name in wide if name.endswith("_mean")}
        wide |= {name: size * relative for name in wide if name.endswith("_se")}
        text = tables(summary(wide, row(20), components=((0.3, 0.2, 0.1), (0.7, 0.8, 0.1))))
        check_width(text)
        assert "10000000" in text


class TestAnswer:
    PLAIN: ClassVar = {"memorized_mean": 0.02, "memorized_se": 0.01, "baseline_mean": 0.01}

    def rows(self, **changes: float) -> UNetSummary:
        return summary(row(20, **self.PLAIN), row(40, **{**self.PLAIN, **changes}))

    def test_what_it_has_learned(self) -> None:
        linear = {"wasserstein2_linear_mean": 0.5, "wasserstein2_linear_se": 0.01}
        for value, words in (
            (0.6, "less than the best linear denoiser of the same images (W2^2 0.600 ± 0.010"),
            (0.4, "more than the best linear denoiser of the same images (W2^2 0.400 ± 0.010"),
            (
                0.515,
                "as much as the best linear denoiser of the same images, within 2 standard errors",
            ),
        ):
            found = self.rows(wasserstein2_mean=value, wasserstein2_se=0.01, **linear)
            text = answer(found)
            assert text.startswith(f"Answer: at n = 40 the network has learned {words}")
            assert "against 0.50)" in text

    def test_without_fits_the_loss_tells(self) -> None:
        found = self.rows(**missing("wasserstein2"), train_loss_mean=0.7123, train_loss_se=0.0056)
        assert answer(found).startswith(
            "Answer: at n = 40 the training loss is 0.7123 ± 0.0056, that of the best linear "
            "denoiser 0.612; it copies at no n: the memorized fraction is nowhere above that of "
            "held-out images by more than 4 standard errors."
        )

    def test_what_it_has_copied(self) -> None:
        found = self.rows(memorized_mean=0.812, memorized_se=0.013, baseline_mean=0.0346)
        assert answer(found).endswith(
            "it copies at n = 40 (at n = 40 a fraction 0.812 ± 0.013 is memorized, of held-out "
            "images 0.035)."
        )

    def test_barely_trained_networks_are_named_first(self) -> None:
        text = answer(summary(row(20), row(40), barely_trained=(40,)))
        assert text.startswith("Answer: barely trained at n = 40; at n = 20 the network has ")

    def test_it_stands_in_the_text(self) -> None:
        assert answer(summary()) in sentences(tables(summary()))

    def test_copying_is_told_from_chance(self) -> None:
        def judged(share: float, error: float, baseline: float, runs: int = 10) -> bool:
            changes = {"memorized_mean": share, "memorized_se": error, "baseline_mean": baseline}
            changes |= {"baseline_se": 0.0, "simulations": runs}
            return copied(summary(), row(20, **changes))

        assert judged(0.9, 0.02, 0.0)
        assert judged(0.9, math.nan, 0.0)  # one run
        assert not judged(0.9, 0.3, 0.0)
        assert not judged(0.009, 0.0, 0.0, runs=10_000)
        # Three runs of 60 points agree on one memorized point each.
        assert not judged(1 / 60, 0.0, 0.0, runs=3)
        assert not judged(0.3, 0.01, 0.3)


class TestSummary:
    study = UNetStudy(
        NeuralOptions((10, 30), model="mlp", pixels=2, generated=20, simulations=3, originals=50)
    )

    def test_rows(self) -> None:
        found, values = filled(self.study)
        together = {name: [v for own in values.values() for v in own[name]] for name in METRICS}
        for r, n in [*zip(found.rows, values, strict=True), (found.overall, None)]:
            own = together if n is None else values[n]
            wanted: dict[str, Any] = {} if n is None else {"train_size": n}
            wanted |= {"simulations": 6 if n is None else 3}
            for name in DISTANCES:
                wanted |= expected(name, own[name])
            wanted |= expected_share("delta", own["delta_sign"])
            for name in ("log_l2_original", "log_l2_train"):
                wanted[f"{name}_mean"] = expected(name, own[name])[f"{name}_mean"]
            wanted |= expected_share("full_delta", own["full_delta_sign"])
            wanted["full_delta_log_abs_mean"] = np.mean(own["full_delta_log_abs"])
            for name in ("memorized", "baseline", *FITS, "train_loss", "validation_loss"):
                wanted |= expected(name, own[name])
            for name in ("train_seconds", "sample_seconds"):
                wanted[name] = np.mean(own[name])
            if n is not None:
                wanted["delta_null"] = perfect_delta(self.study.options.trained_on(n), 50)
            assert list(r) == list(wanted)
            assert r == pytest.approx(wanted)

    def test_document(self) -> None:
        found, _ = filled(self.study)
        document = json.loads(as_json(found.document()))
        assert set(document) == {"rows", "net", "notes"}
        assert document["net"]["kl_mean"] == pytest.approx(found.overall["kl_mean"])
        assert [r["train_size"] for r in document["rows"]] == [10, 30]

    def test_components(self) -> None:
        study = UNetStudy(
            NeuralOptions(
                (10,),
                model="mlp",
                pixels=2,
                mean=(0.2, 0.8),
                std=(0.1, 0.05),
                weights=(0.3, 0.7),
                generated=20,
                simulations=3,
            )
        )
        found, values = filled(study)
        for name in COMPONENTS:
            assert found.rows[0][f"{name}_mean"] == pytest.approx(np.mean(values[10][name]))
        assert found.components == [(0.3, 0.2, 0.1), (0.7, 0.8, 0.05)]
        assert math.isnan(found.rows[0]["delta_null"])

    def test_what_a_cell_measures_has_its_own_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kernels = {name: 10.0 + k for k, name in enumerate(unet_module.KERNEL)}
        seen: dict[str, Any] = {}

        def linear(train: Any, reference: Any, trajectory: Any, start: str) -> FittedDistances:
            seen.update(train=train, start=start, levels=len(trajectory.levels))
            return FittedDistances(3.0, 4.0)

        def fractions(generated: Any, train: Any, held_out: Any) -> dict[str, float]:
            seen.update(generated=generated, held_out=held_out)
            return {"memorized": 5.0, "baseline": 6.0}

        monkeypatch.setattr(study_module, "kernel_measures", lambda *_: kernels)
        monkeypatch.setattr(unet_module, "memorization", fractions)
        monkeypatch.setattr(unet_module, "fitted_distances", lambda *_: FittedDistances(1.0, 2.0))
        monkeypatch.setattr(unet_module, "linear_distances", linear)
        points, held_out = np.ones((20, 4)), np.zeros((7, 4))
        train = np.full((9, 4), 2.0)
        seeds = CellSeeds(np.random.SeedSequence(0), 0, 0, 0)
        history = ({"train_loss": 70.0}, {"train_loss": 7.0, "validation_loss": 8.0})
        data = CellData(train, None, held_out)
        model = TrainedModel(Cell(10, 0), data, seeds, None, train, history, 9.0)
        values = self.study._measured(model, points, 11.0)
        assert {name: values[name] for name in unet_module.KERNEL} == kernels
        assert {name: value for name, value in values.items() if name not in kernels} == {
            "kl": 1.0,
            "wasserstein2": 2.0,
            "kl_linear": 3.0,
            "wasserstein2_linear": 4.0,
            "memorized": 5.0,
            "baseline": 6.0,
            "train_loss": 7.0,
            "validation_loss": 8.0,
            "train_seconds": 9.0,
            "sample_seconds": 11.0,
        }
        assert seen["train"] is train
        assert seen["generated"] is points
        assert seen["held_out"] is held_out
        assert seen["start"] == "standard"


class TestFigure:
    def test_every_series_lies_where_the_rows_say(self) -> None:
        rows = [row(20), row(40), row(80)]
        axes = figures(summary(*rows))["figure"].axes
        distances, signs, memorized, losses, kl, wasserstein = axes
        units = {kl: 1 / DIM, wasserstein: 1 / (DIM * STD**2)}
        series = [
            (distances, "original-generated", "distance_original", BLUE, "o"),
            (distances, "train-generated", "distance_train", VERMILION, "s"),
            (memorized, "generated", "memorized", VERMILION, "s"),
            (memorized, "held out (baseline)", "baseline", GREY, "^"),
            (losses, "training", "train_loss", BLUE, "o"),
            (losses, "validation", "validation_loss", GREEN, "D"),
            (kl, "network", "kl", BLUE, "o"),
            (kl, "linear, exact", "kl_linear", "#000000", "x"),
            (wasserstein, "network", "wasserstein2", BLUE, "o"),
            (wasserstein, "linear, exact", "wasserstein2_linear", "#000000", "x"),
        ]
        for axis, label, name, colour, marker in series:
            found, unit = drawn(axis)[label], units.get(axis, 1.0)
            mean, error = (
                unit * np.array([r[f"{name}_{part}"] for r in rows]) for part in ("mean", "se")
            )
            np.testing.assert_allclose(found.x, [20, 40, 80])
            np.testing.assert_allclose(found.y, mean)
            np.testing.assert_allclose(found.high - mean, error)
            np.testing.assert_allclose(mean - found.low, error)
            assert (found.colour, found.marker) == (colour.lower(), marker)
        for label, name, colour, shift in (
            ("per coordinate", "delta", BLUE, 1 / 1.02),
            ("full dimension", "full_delta", GREEN, 1.02),
        ):
            found = drawn(signs)[label]
            np.testing.assert_allclose(found.x, np.array([20, 40, 80]) * shift)
            for end, y in (("", found.y), ("_low", found.low), ("_high", found.high)):
                np.testing.assert_allclose(y, [r[f"{name}_positive{end}"] for r in rows])
            assert found.colour == colour.lower()
        best = drawn(losses)["best linear"]
        assert set(best.y) == {0.6123}

    def test_words(self) -> None:
        figure = figures(summary())["figure"]
        assert [axis.get_title() for axis in figure.axes] == [
            "squared L2 distance per coordinate",
            r"$P(\Delta > 0)$, Wilson 95% interval",
            "memorized fraction",
            "loss, last epoch",
            "KL of Gaussian fit / d  [nats]",
            r"$W_2^2 / (d\,\sigma^2)$ of Gaussian fit",
        ]
        assert [axis.get_xlabel() for axis in figure.axes] == [""] * 3 + ["training size n"] * 3
        assert all(landmarks(axis)["n = d"] == DIM for axis in figure.axes)
        # 1/2 is not what a perfect model has, and no line says so.
        assert "1/2" not in landmarks(figure.axes[1])
        assert all(axis.get_xscale() == "log" for axis in figure.axes)
        assert [axis.get_yscale() for axis in figure.axes[4:]] == ["log", "log"]
        assert caption_of(figure) == (
            "MLP of width 32 on N(0.5, 0.2²), d = 16, T = 50, 10 to 30 optimiser steps, standard "
            "start, seed 7"
        )

    def test_without_fits_there_are_four_panels(self) -> None:
        rows = [row(n, **missing(*FITS)) for n in (20, 40)]
        assert len(figures(summary(*rows, has_fits=False))["figure"].axes) == 4

    def test_constant_pixels_have_no_kl_and_no_empty_panel(self) -> None:
        rows = [row(n, **missing("kl", "kl_linear")) for n in (20, 40)]
        figure = figures(summary(*rows))["figure"]
        assert figure.axes[4].get_title() == r"$\Delta$ per coordinate"
        found = drawn(figure.axes[4])["mean ± s.e."]
        np.testing.assert_allclose(found.y, [r["delta_mean"] for r in rows])
        assert "not drawn: KL" in caption_of(figure)

    def test_a_value_corrected_below_0_keeps_the_logarithmic_axis(self) -> None:
        figure = figures(summary(row(20, kl_mean=-0.01), row(40)))["figure"]
        assert figure.axes[4].get_yscale() == "log"
        below = drawn(figure.axes[4])["at or below 0"]
        assert (below.x.tolist(), below.edge) == ([20], BLUE.lower())

    def test_a_perfect_model_where_theory_has_it(self) -> None:
        known = {"train_size": [20, 80], "share": [0.3, 0.6]}
        figure = figures(summary(theory={"perfect_delta": known, "linear_loss": 0.5}))["figure"]
        found = drawn(figure.axes[1])["perfect model"]
        assert (found.x.tolist(), found.y.tolist()) == ([20, 80], [0.3, 0.6])

    @pytest.mark.parametrize(
        "found",
        [
            summary(),
            summary(row(40)),
            summary(*(row(n) for n in range(50, 1051, 100)), trained_on={}),
            summary(row(20, **missing(*FITS)), row(1000, **missing(*FITS)), has_fits=False),
            summary(row(20, **missing("kl", "kl_linear")), row(40, **missing("kl", "kl_linear"))),
            summary(row(20, kl_mean=-0.01), row(40)),
            summary(
                theory={
                    "linear_loss": 0.5,
                    "perfect_delta": {"train_size": [20, 80], "share": [1.0, 1.0]},
                }
            ),
        ],
        ids=["three", "one", "published", "no fits", "constant", "negative", "perfect"],
    )
    def test_labels_do_not_overlap(self, found: UNetSummary) -> None:
        check_layout(figures(found)["figure"])


class TestSamples:
    @staticmethod
    def samples(n: int) -> Samples:
        rng = np.random.default_rng(n)
        images = rng.random((3, 5, 1, 4, 4))
        return Samples(n, images[0], images[1], images[2])

    def test_images_stand_under_their_title(self) -> None:
        kept = [self.samples(n) for n in (20, 30, 40, 50, 80)]
        found = summary(samples=kept)
        figure = samples_figure(found)
        grid = np.reshape(figure.axes, (3, 3))
        assert [axis.get_title() for axis in grid[0]] == [
            *("generated", "nearest training image", "training"),
        ]
        assert [axis.get_ylabel() for axis in grid[:, 0]] == ["n = 20", "n = 40", "n = 80"]
        shown = [kept[0], kept[2], kept[4]]
        low = min(each.train.min() for each in shown)
        high = max(each.train.max() for each in shown)
        for line, sets in zip(grid, shown, strict=True):
            for axis, images in zip(line, sets[1:], strict=True):
                sheet = np.asarray(axis.images[0].get_array())
                # The second image of the first line, right of the first and a gap of 1.
                part = sheet[1:5, 6:10, 0]
                np.testing.assert_allclose(part, np.clip((images[1, 0] - low) / (high - low), 0, 1))
        assert "samples.png" in figures(found)
        assert "samples.png" not in figures(summary())
        assert caption_of(figure).startswith("MLP of width 32 on N(0.5, 0.2²), d = 16")
        check_layout(figure)

    def test_what_lies_between_images_is_no_pixel(self, tmp_path: Path) -> None:
        figure = samples_figure(summary(samples=[self.samples(20)]))
        sheet = np.asarray(figure.axes[0].images[0].get_array())
        between = sheet[0, 0]
        assert len(set(between)) == 3  # a colour, where images are grey
        for place in ((0, 5), (5, 0), (3, 5), (-1, -1)):
            np.testing.assert_array_equal(sheet[place], between)
