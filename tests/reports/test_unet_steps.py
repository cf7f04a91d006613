"""What people read of a study of samplers with a trained network."""

import json
import math
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

from tests.reports.cells import expected, expected_share, filled
from tests.reports.networks import DIM, STD, STUDIED, numbered, share
from tests.reports.reading import (
    caption_of,
    check_layout,
    check_width,
    drawn,
    entries_of,
    legend_of,
    read_tables,
    sentences,
)

from ornstein.diffusion.samplers import as_sampler
from ornstein.engine.study import Cell
from ornstein.json_values import as_json
from ornstein.memorization.sample_measures import FittedDistances
from ornstein.reports.figures import looks
from ornstein.reports.tables import with_error
from ornstein.reports.unet_steps import answer, figures, tables
from ornstein.studies.neural import steps as steps_module
from ornstein.studies.neural import study as study_module
from ornstein.studies.neural.models import TrainedModel
from ornstein.studies.neural.steps import NeuralStepsOptions, NeuralStepsStudy, NeuralStepsSummary
from ornstein.studies.neural.study import CellData, CellSeeds

SAMPLERS = ("ddpm", "heun")
STEPS = (5, 20, 50)
NAMES = ("kl", "kl_linear", "wasserstein2", "wasserstein2_linear", "memorized", "delta")


def row(sampler: str, steps: int, n: int, **changes: float) -> dict[str, Any]:
    place = n + 3 * steps + 200 * SAMPLERS.index(sampler)
    found: dict[str, Any] = {
        "sampler": sampler,
        "steps": steps,
        "train_size": n,
        "simulations": 6,
        **numbered(NAMES, place, 0.1, 0.9),
        "baseline_mean": 0.0123 + n / 1e4,
        "baseline_se": 0.0011,
        **share("delta", 0.3 + place / 2000),
    }
    for name in ("kl", "wasserstein2"):
        found |= {f"{name}_excess": 1.0 / steps, f"{name}_excess_se": 0.001}
    if steps == STEPS[-1]:
        found |= {f"{name}_excess": 0.0 for name in ("kl", "wasserstein2")}
    return found | changes


def rows_of(*sizes: int, **changes: float) -> list[dict[str, Any]]:
    return [row(s, steps, n, **changes) for n in sizes for s in SAMPLERS for steps in STEPS]


def summary(**changes: Any) -> NeuralStepsSummary:
    fields: dict[str, Any] = {
        **STUDIED,
        "rows": rows_of(20, 40),
        "options": NeuralStepsOptions(
            train_sizes=(20, 40),
            model="mlp",
            pixels=4,
            width=32,
            samplers=SAMPLERS,
            steps=STEPS,
            diffusion_steps=50,
            generated=60,
            seed=7,
        ),
        "all_steps": STEPS,
    }
    return NeuralStepsSummary(**{**fields, **changes})


def own(found: NeuralStepsSummary, sampler: str, n: int) -> list[dict[str, Any]]:
    return [dict(r) for r in found.rows if (r["sampler"], r["train_size"]) == (sampler, n)]


def measured(rows: list[dict[str, Any]], name: str) -> list[str]:
    return [with_error(r[f"{name}_mean"], r[f"{name}_se"]) for r in rows]


class TestTables:
    def test_every_column_and_cell(self) -> None:
        found = summary()
        printed = read_tables(tables(found))
        for n, part in ((20, printed[:4]), (40, printed[4:])):
            kl, wasserstein, memorized, shares = part
            ddpm, heun = own(found, "ddpm", n), own(found, "heun", n)
            steps = ("S", ["5", "20", "50"])
            assert kl.title == f"n = {n}, 6 runs: KL, nats, network and linear"
            assert kl.columns == [
                steps,
                ("ddpm", measured(ddpm, "kl")),
                ("linear", measured(ddpm, "kl_linear")),
                ("heun", measured(heun, "kl")),
                ("linear", measured(heun, "kl_linear")),
            ]
            assert wasserstein.title == f"n = {n}, 6 runs: W2^2, network and linear"
            assert wasserstein.columns == [
                steps,
                ("ddpm", measured(ddpm, "wasserstein2")),
                ("linear", measured(ddpm, "wasserstein2_linear")),
                ("heun", measured(heun, "wasserstein2")),
                ("linear", measured(heun, "wasserstein2_linear")),
            ]
            baseline = "0.0143 ± 0.0011" if n == 20 else "0.0163 ± 0.0011"
            assert memorized.title == f"n = {n}, 6 runs: memorized fraction (baseline {baseline})"
            assert memorized.columns == [
                steps,
                ("ddpm mem.", measured(ddpm, "memorized")),
                ("heun mem.", measured(heun, "memorized")),
            ]
            assert shares.title == f"n = {n}, 6 runs: P(Delta > 0) with its 95% interval"
            assert shares.columns == [
                steps,
                ("ddpm", self.shares(ddpm)),
                ("heun", self.shares(heun)),
            ]

    @staticmethod
    def shares(rows: list[dict[str, Any]]) -> list[str]:
        parts = [[r[f"delta_positive{end}"] for end in ("", "_low", "_high")] for r in rows]
        return [f"{value:.2f} [{low:.2f}, {high:.2f}]" for value, low, high in parts]

    def test_infinite_is_a_word_and_an_unknown_kl_has_no_table(self) -> None:
        endless = {"kl_linear_mean": math.inf, "kl_linear_se": math.nan}
        kl, *_ = read_tables(tables(summary(rows=rows_of(20, **endless))))
        assert kl.columns[2] == ("linear", ["infinite"] * 3)
        unknown = {f"{name}_mean": math.nan for name in ("kl", "kl_linear")}
        first, *_ = read_tables(tables(summary(rows=rows_of(20, **unknown))))
        assert "W2^2" in first.title

    def test_heading_and_notes(self) -> None:
        text = tables(summary())
        assert text.startswith(
            "MLP of width 32 on N(0.5, 0.2^2), 1 x 4 x 4\n"
            "trained 2000 optimiser steps in batches of 128, T = 50, predicting epsilon\n"
            "60 generated from the standard start, seed 7\n"
        )
        assert text.endswith("\n\n  a note on all this")

    def test_a_perfect_model_where_it_is_known(self) -> None:
        text = tables(summary(rows=rows_of(20, delta_perfect=0.4567)))
        assert "P(Delta > 0) with its 95% interval; perfect model: 0.457" in text
        assert "perfect model" in legend_of(text)

    def test_each_column_is_explained_in_one_line(self) -> None:
        meanings = legend_of(tables(summary()))
        assert set(meanings) == {"S", "KL", "W2^2", "linear", "mem.", "baseline", "P(Delta > 0)"}
        assert meanings["linear"] == "exact, of the best linear denoiser, same images and sampler"

    @pytest.mark.parametrize("size", [1e-5, 1.0, 123.456789, 3.3e9])
    @pytest.mark.parametrize("relative", [3e-5, 0.1, 30.0, math.nan])
    def test_it_fits_80_columns(self, size: float, relative: float) -> None:
        rows = []
        for r in rows_of(40):
            wide = {name: size for name in r if name.endswith("_mean")}
            wide |= {name: size * relative for name in r if name.endswith("_se")}
            rows.append({**r, **wide, "train_size": 10_000_000})
        found = summary(rows=rows)
        changed = NeuralStepsOptions((10_000_000,), samplers=SAMPLERS, steps=STEPS)
        text = tables(summary(rows=rows, options=changed, trained_on=found.trained_on))
        check_width(text)
        assert "n = 10000000, 6 runs" in text


class TestAnswer:
    def test_how_many_steps_are_enough(self) -> None:
        rows = rows_of(20, 40)
        for r in rows:
            # A tenth of 0.4 is 0.04: ddpm gets there at S = 20, heun at n = 20 at S = 5.
            r["wasserstein2_mean"] = 0.4
            excess = {5: 0.09, 20: 0.03, 50: 0.0}[r["steps"]]
            if r["sampler"] == "heun":
                excess = 0.0 if r["train_size"] == 20 else {5: 0.01, 20: 0.05, 50: 0.0}[r["steps"]]
            r["wasserstein2_excess"] = excess
        assert answer(summary(rows=rows)) == (
            "Answer: enough steps by W2^2 are S = 20 for ddpm at n = 20 and 40, S = 5 for heun at "
            "n = 20 and no fewer than S = 50 for heun at n = 40 (within a tenth, or 2 standard "
            "errors, of S = 50)."
        )

    def test_an_excess_within_its_errors_is_none(self) -> None:
        rows = rows_of(20, wasserstein2_mean=0.4)
        for r in rows:
            r |= {"wasserstein2_excess": 0.09, "wasserstein2_excess_se": 0.046}
        assert "S = 5 for ddpm and heun at n = 20" in answer(summary(rows=rows))
        for r in rows:
            r["wasserstein2_excess_se"] = 0.044
        assert "no fewer than S = 50 for ddpm and heun" in answer(summary(rows=rows))

    def test_one_number_of_steps_tells_nothing(self) -> None:
        text = answer(summary(rows=[row("ddpm", 50, 20)], all_steps=(50,)))
        assert "with one number of steps, S = 50, nothing can be said" in text

    def test_it_stands_in_the_text_with_what_is_barely_trained(self) -> None:
        found = summary(barely_trained=(20,))
        assert answer(found).startswith("Answer: barely trained at n = 20; enough steps")
        assert answer(found) in sentences(tables(found))


class TestSummary:
    study = NeuralStepsStudy(
        NeuralStepsOptions(
            (10, 30),
            model="mlp",
            pixels=2,
            samplers=("ddim", "heun"),
            steps=(10, 5),
            diffusion_steps=20,
            simulations=3,
            originals=50,
        )
    )

    def test_rows(self) -> None:
        found, values = filled(self.study)
        assert len(found.rows) == 2 * 2 * 2
        for r in found.rows:
            own, prefix = values[r["train_size"]], f"{r['sampler']}/{r['steps']}/"
            wanted: dict[str, Any] = {
                "sampler": r["sampler"],
                "steps": r["steps"],
                "train_size": r["train_size"],
                "simulations": 3,
            }
            for name in NAMES:
                wanted |= expected(name, own[prefix + name])
            wanted |= expected("baseline", own["baseline"])
            wanted |= expected_share("delta", own[prefix + "delta_sign"])
            for name in ("kl", "wasserstein2"):
                most = own[f"{r['sampler']}/10/{name}"]
                gap = expected(name, list(np.subtract(own[prefix + name], most)))
                wanted[f"{name}_excess"] = gap[f"{name}_mean"]
                wanted[f"{name}_excess_se"] = gap[f"{name}_se"]
            assert list(r) == list(wanted)
            assert r == pytest.approx(wanted, abs=1e-12)

    def test_document(self) -> None:
        found, _ = filled(self.study)
        document = json.loads(as_json(found.document()))
        assert set(document) == {"rows", "notes"}
        assert len(document["rows"]) == 8

    def test_what_a_cell_measures_has_its_own_name(self, monkeypatch: pytest.MonkeyPatch) -> None:
        kernels = {"delta": 7.0, "delta_sign": -1.0}
        monkeypatch.setattr(study_module, "kernel_measures", lambda *_: kernels)
        monkeypatch.setattr(steps_module, "fitted_distances", lambda *_: FittedDistances(1.0, 2.0))
        monkeypatch.setattr(steps_module, "linear_distances", lambda *_: FittedDistances(3.0, 4.0))
        for module in (steps_module, study_module):
            monkeypatch.setattr(
                module,
                "memorization",
                lambda generated, *_: {"memorized": float(generated[0, 0]), "baseline": math.nan},
            )
        held_out, points = np.full((7, 4), 6.0), np.full((20, 4), 5.0)
        seeds = CellSeeds(np.random.SeedSequence(0), 0, 0, 0)
        data = CellData(np.zeros((9, 4)), None, held_out)
        model = TrainedModel(Cell(10, 0), data, seeds, None, np.zeros((9, 4)), seconds=9.0)
        trajectory = as_sampler("ddim").trajectory(self.study.options.schedule.levels(5))
        reference = self.study.source.moments()
        assert self.study._compared(model, points, trajectory, reference) == {
            "kl": 1.0,
            "wasserstein2": 2.0,
            "kl_linear": 3.0,
            "wasserstein2_linear": 4.0,
            "memorized": 5.0,
            "delta": 7.0,
            "delta_sign": -1.0,
        }
        assert study_module.measured_once(model) == {"baseline": 6.0, "train_seconds": 9.0}


class TestFigure:
    def test_every_curve_lies_where_the_rows_say(self) -> None:
        found = summary()
        axes = np.reshape(figures(found)["figure"].axes, (3, 2))
        units = (
            ("kl", 1 / DIM),
            ("wasserstein2", 1 / (DIM * STD**2)),
            ("memorized", 1.0),
        )
        for line, (name, unit) in zip(axes, units, strict=True):
            for axis, sampler in zip(line, SAMPLERS, strict=True):
                for look, n in zip(looks(2), (20, 40), strict=True):
                    rows = own(found, sampler, n)
                    same = [s for s in drawn(axis).values() if s.colour == look.colour]
                    (network,) = [s for s in same if s.marker == look.marker]
                    self.check(network, rows, name, unit)
                    assert network.dash == "-"
                    if name == "memorized":
                        (baseline,) = [s for s in same if s.dash == ":"]
                        assert set(baseline.y) == {rows[0]["baseline_mean"]}
                        continue
                    (linear,) = [s for s in same if s.dash == "--"]
                    self.check(linear, rows, f"{name}_linear", unit)

    @staticmethod
    def check(series: Any, rows: list[dict[str, Any]], name: str, unit: float) -> None:
        mean, error = (
            unit * np.array([r[f"{name}_{part}"] for r in rows]) for part in ("mean", "se")
        )
        np.testing.assert_allclose(series.x, STEPS)
        np.testing.assert_allclose(series.y, mean)
        np.testing.assert_allclose(series.high - mean, error)
        np.testing.assert_allclose(mean - series.low, error)

    def test_words(self) -> None:
        figure = figures(summary())["figure"]
        axes = np.reshape(figure.axes, (3, 2))
        assert [axis.get_ylabel() for axis in axes[:, 0]] == [
            "KL / d  [nats]",
            r"$W_2^2 / (d\,\sigma^2)$",
            "memorized fraction",
        ]
        assert [axis.get_title() for axis in axes[0]] == list(SAMPLERS)
        assert {axis.get_xlabel() for axis in axes[2]} == {"sampling steps S"}
        labels = [label.get_text() for label in axes[2, 0].get_xticklabels()]
        assert labels == ["50", "20", "5"]
        assert [axis.get_yscale() for axis in axes[:, 1]] == ["log", "log", "linear"]
        found = entries_of(figure)
        assert list(found) == [
            "n = 20 (1.2 d)",
            "n = 40 (2.5 d)",
            "linear, exact",
            "held-out baseline",
        ]
        for handle, look in zip(list(found.values())[:2], looks(2), strict=True):
            assert (handle.get_color(), handle.get_marker()) == look[:2]
        assert found["linear, exact"].get_linestyle() == "--"
        assert found["held-out baseline"].get_linestyle() == ":"
        assert caption_of(figure) == (
            "MLP of width 32 on N(0.5, 0.2²), d = 16, T = 50, 10 to 30 optimiser steps, standard "
            "start, seed 7"
        )

    def test_what_is_infinite_is_said_not_hidden(self) -> None:
        endless = {"kl_linear_mean": math.inf, "kl_linear_se": math.nan}
        found = summary(rows=[*rows_of(20, **endless), *rows_of(40)])
        figure = figures(found)["figure"]
        assert caption_of(figure).endswith(
            "not drawn: KL of the linear denoiser at n = 20 (infinite)"
        )
        unknown = {f"{name}_mean": math.nan for name in ("kl", "kl_linear")}
        figure = figures(summary(rows=rows_of(20, 40, **unknown)))["figure"]
        assert len(figure.axes) == 4
        assert "not drawn: KL" in caption_of(figure)

    def test_a_value_corrected_below_0_is_marked(self) -> None:
        rows = rows_of(20, 40)
        rows[1]["kl_mean"] = -0.01
        figure = figures(summary(rows=rows))["figure"]
        assert drawn(figure.axes[0])["at or below 0"].x.tolist() == [20]
        assert "at or below 0" in entries_of(figure)

    @pytest.mark.parametrize("steps", [(5,), (5, 20, 50), (2, 5, 10, 20, 50, 100, 200, 201)])
    @pytest.mark.parametrize("samplers", [("ddpm",), ("ddpm", "ddpm:large", "ddim:0.25", "heun")])
    def test_labels_do_not_overlap(self, steps: tuple[int, ...], samplers: tuple[str, ...]) -> None:
        rows = [
            {**row("heun", 5, n), "sampler": s, "steps": value}
            for n in (20, 40)
            for s in samplers
            for value in steps
        ]
        chosen = NeuralStepsOptions(
            (20, 40), model="mlp", samplers=samplers, steps=steps, diffusion_steps=500
        )
        found = summary(rows=rows, options=chosen, all_steps=steps)
        check_layout(figures(found)["figure"])
