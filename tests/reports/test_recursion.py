"""What people read of a recursion study."""

import json
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from tests.reports.cells import expected, filled
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

from ornstein.json_values import as_json
from ornstein.reports.recursion import answer, figures, heading, tables
from ornstein.reports.tables import with_error
from ornstein.studies.neural.recursion import NeuralRecursionStudy, NeuralRecursionSummary
from ornstein.studies.neural.recursion_options import NeuralRecursionOptions
from ornstein.studies.recursion.options import RecursionOptions
from ornstein.studies.recursion.prediction import predicted
from ornstein.studies.recursion.study import MEASURED, RecursionStudy
from ornstein.studies.recursion.summary import RecursionSummary

DIM = 6


def row(n: int, k: int, **changes: float) -> dict[str, Any]:
    """A row in which no two numbers are alike."""
    found: dict[str, Any] = {"train_size": n, "generation": k, "simulations": 30 + n}
    for place, name in enumerate(MEASURED):
        found[f"{name}_mean"] = (place + 1) * (1 + k / 10 + n / 1000)
        found[f"{name}_se"] = 0.01 * (place + 1) + k / 1000
        found[f"{name}_theory"] = (place + 1) * (1.05 + k / 10 + n / 1000)
    return found | changes


def summary(*rows: dict[str, Any], **changes: Any) -> RecursionSummary:
    fields: dict[str, Any] = {
        "rows": rows or [row(n, k) for n in (10, 50) for k in (1, 2, 3)],
        "notes": ["a note on all this"],
        "theory": {"limit": {10: 1.5445, 50: math.inf}},
        "options": RecursionOptions((10, 50), 3, dim=DIM, std=1.5, fresh_fraction=0.25, seed=7),
    }
    return RecursionSummary(**{**fields, **changes})


class TestTables:
    def test_every_column_and_cell(self) -> None:
        found = read_tables(tables(summary()))
        rows = [row(10, k) for k in (1, 2, 3)]
        assert found[0].title == "n = 10 (1.7 d), 40 runs; tr S^2/d tends to 1.544"
        columns = [*found[0].columns, *found[1].columns[1:]]
        assert columns[0] == ("k", ["1", "2", "3"]) == found[1].columns[0]
        headings = ["KL, nats", "tr S/d", "tr S^2/d", "(tr S)^2/d^2"]
        for place, (name, title) in enumerate(zip(MEASURED, headings, strict=True)):
            values = [[r[f"{name}_{part}"] for part in ("mean", "se", "theory")] for r in rows]
            measured, theory = columns[1 + 2 * place : 3 + 2 * place]
            assert measured == (title, [with_error(*v[:2]) for v in values])
            assert theory == ("theory", [with_error(*v) for v in values])
        assert found[2].title == "n = 50 (8.3 d), 80 runs; tr S^2/d grows without limit"

    def test_no_theory_has_no_column(self) -> None:
        rows = [row(10, 1, **{f"{name}_theory": math.nan for name in MEASURED})]
        text = tables(summary(*rows, theory={"limit": {10: math.nan}}))
        found = read_tables(text)
        assert found[0].title == "n = 10 (1.7 d), 40 runs"
        assert all(name != "theory" for table in found for name, _ in table.columns)
        assert "theory" not in legend_of(text)

    def test_heading(self) -> None:
        assert heading(summary()) == (
            "Gaussian models trained on samples of the last one, from N(0, 1.5^2) in d = 6\n"
            "3 generations, 0.25 of the points are fresh, mean fitted\n"
            "seed 7"
        )
        options = RecursionOptions((10,), model="one-step", time=1.2, noise_scale=0.5)
        text = heading(summary(options=options))
        assert text.startswith("One-step denoisers trained on samples of the last one")
        assert "no fresh points, mean fitted, T = 1.2, noise scale 0.5" in text
        assert "known mean" in heading(summary(options=RecursionOptions(known_mean=True)))

    def test_each_column_is_explained_in_one_line(self) -> None:
        meanings = legend_of(tables(summary()))
        assert set(meanings) == {
            *("k", "KL", "tr S/d", "tr S^2/d", "(tr S)^2/d^2", "theory"),
        }

    def test_twelve_of_many_generations(self) -> None:
        options = RecursionOptions((10,), 40, dim=DIM)
        text = tables(summary(*(row(10, k) for k in range(1, 41)), options=options))
        shown = read_tables(text)[0].column("k")
        assert len(shown) == 12
        assert (shown[0], shown[-1]) == ("1", "40")
        assert "12 of 40 generations are shown" in sentences(text)

    @pytest.mark.parametrize("size", [1e-6, 1.0, 123456.0, 3.3e9, math.inf])
    def test_it_fits_80_columns(self, size: float) -> None:
        error = math.nan if math.isinf(size) else size / 7
        values = {f"{name}_{part}": size for name in MEASURED for part in ("mean", "theory")}
        values |= {f"{name}_se": error for name in MEASURED}
        check_width(tables(summary(*(row(10_000_000, k, **values) for k in (1, 2)))))


def test_answer() -> None:
    assert answer(summary()) == (
        "Answer: KL to the population of generation 3: at n = 10 it is 1.31 nats, after 1.11 in "
        "the first generation; at n = 50 it is 1.35 nats, after 1.15 in the first generation."
    )
    rows = [row(10, k, kl_mean=math.inf) for k in (1, 2, 3)]
    assert answer(summary(*rows)).endswith("of generation 3: at n = 10 it is infinite.")
    assert answer(summary()) in sentences(tables(summary()))


class TestSummary:
    study = RecursionStudy(RecursionOptions((5, 20), 2, dim=4, simulations=3, fresh_fraction=0.2))

    def test_rows(self) -> None:
        found, values = filled(self.study)
        assert [(r["train_size"], r["generation"]) for r in found.rows] == [
            (n, k) for n in (5, 20) for k in (1, 2)
        ]
        for r in found.rows:
            n, k = r["train_size"], r["generation"]
            wanted: dict[str, Any] = {"train_size": n, "generation": k, "simulations": 3}
            for name in MEASURED:
                wanted |= expected(name, values[n][f"{k}/{name}"])
                wanted[f"{name}_theory"] = predicted(self.study, n)[name][k - 1]
            assert list(r) == list(wanted)
            assert r == pytest.approx(wanted, nan_ok=True)
        document = json.loads(as_json(found.document()))
        assert set(document) == {"rows", "notes"}

    def test_notes_say_what_is_special(self) -> None:
        def notes(**options: Any) -> str:
            chosen = {"train_sizes": (4, 20), "generations": 1, "dim": 4, "simulations": 1}
            study = RecursionStudy(RecursionOptions(**{**chosen, **options}))
            return " ".join(study.run(jobs=1).notes)

        assert "n < 5: the first generation has fewer directions" in notes()
        assert "KL is infinite." in notes()
        assert "directions" not in notes(known_mean=True)
        assert "theory: exact." in notes()
        fresh = notes(fresh_fraction=0.25)
        assert "fresh points: 1 of 4, 5 of 20." in fresh
        assert "unless fresh points fill them" in fresh
        assert "none for KL, and none for traces but with a known mean" in fresh
        assert "there is none for KL." in notes(fresh_fraction=0.25, known_mean=True)
        one_step = notes(model="one-step", train_sizes=(6, 20))
        assert "|n - 1 - d| <= 1: the expectations of the one-step model" in one_step
        assert "error O(1/d) a generation" in one_step
        assert "theory: none for the one-step model with fresh points" in notes(
            model="one-step", fresh_fraction=0.5
        )


class TestNetworks:
    """Networks have the same tables and figure; what stands beside them is said to be no theory."""

    options = NeuralRecursionOptions(
        (10, 50), generations=3, dim=6, std=(1.5,), width=32, training_steps=70, diffusion_steps=90
    )

    def found(self, **changes: Any) -> NeuralRecursionSummary:
        fields: dict[str, Any] = {
            "rows": [
                {key.replace("_theory", "_gaussian"): value for key, value in row(n, k).items()}
                for n in (10, 50)
                for k in (1, 2, 3)
            ],
            "notes": ["a note on all this"],
            "options": self.options,
            "source": "N(0, 1.5^2)",
            "shape": (6,),
            "dim": 6,
            "std": 1.5,
            "trained_on": {10: 10, 50: 50},
            "optimiser_steps": {10: 70, 50: 70},
        }
        return NeuralRecursionSummary(**{**fields, **changes})

    def test_tables(self) -> None:
        text = tables(self.found())
        found = read_tables(text)
        rows = [row(10, k) for k in (1, 2, 3)]
        assert [found[0].title, found[2].title] == [
            "n = 10 (1.7 d), 40 runs",
            "n = 50 (8.3 d), 80 runs",
        ]
        columns = [*found[0].columns[1:], *found[1].columns[1:]]
        headings = ["KL, nats", "tr S/d", "tr S^2/d", "(tr S)^2/d^2"]
        for place, (name, title) in enumerate(zip(MEASURED, headings, strict=True)):
            values = [[r[f"{name}_{part}"] for part in ("mean", "se", "theory")] for r in rows]
            measured, reference = columns[2 * place : 2 * place + 2]
            assert measured == (title, [with_error(*v[:2]) for v in values])
            assert reference == ("Gaussian", [with_error(*v) for v in values])
        assert "theory" not in legend_of(text)
        assert legend_of(text)["Gaussian"].endswith("as many points: a reference only")
        assert answer(self.found()) == answer(summary())

    def test_heading(self) -> None:
        assert heading(self.found()) == (
            "MLPs of width 32 trained on samples of the last one, from N(0, 1.5^2) in d = 6\n"
            "3 generations, no fresh points, 70 optimiser steps, T = 90, ddpm in 90 steps,\n"
            "standard start, 1000 points measured\n"
            "seed 0"
        )
        options = replace(
            self.options,
            width=None,
            sampler="heun",
            sampling_steps=9,
            grid="karras",
            start="marginal",
            generated=77,
            fresh_fraction=0.5,
        )
        text = " ".join(heading(self.found(options=options)).split())
        assert text.startswith("MLPs trained on samples")
        assert "0.5 of the points are fresh" in text
        assert "heun in 9 steps on the karras grid, marginal start, 77 points measured" in text

    def test_figure(self) -> None:
        figure = figures(self.found())["figure"]
        assert list(entries_of(figure)) == [
            "n = 10 (1.7 d)",
            "n = 50 (8.3 d)",
            "Gaussian model, theory",
        ]
        names = [("kl", 1 / DIM), ("trace", 1.0), ("square", 1.0)]
        for axis, (name, unit) in zip(figure.axes, names, strict=True):
            series = list(drawn(axis).values())
            points = [s for s in series if s.marker != "None"]
            lines = [s for s in series if s.marker == "None"]
            for s, line, n in zip(points, lines, (10, 50), strict=True):
                rows = [row(n, k) for k in (1, 2, 3)]
                np.testing.assert_allclose(s.y, [unit * r[f"{name}_mean"] for r in rows])
                np.testing.assert_allclose(line.y, [unit * r[f"{name}_theory"] for r in rows])
        assert caption_of(figure).startswith("MLPs of width 32 trained on samples of the last one")
        assert "70 optimiser steps, T = 90, ddpm in 90 steps" in caption_of(figure)
        check_layout(figure)

    def test_rows(self) -> None:
        study = NeuralRecursionStudy(replace(self.options, simulations=3, generations=2))
        found, values = filled(study)
        for r in found.rows:
            n, k = r["train_size"], r["generation"]
            wanted: dict[str, Any] = {"train_size": n, "generation": k, "simulations": 3}
            gaussian = predicted(RecursionStudy(RecursionOptions((n,), 2, dim=6)), n)
            for name in MEASURED:
                wanted |= expected(name, values[n][f"{k}/{name}"])
                wanted[f"{name}_gaussian"] = gaussian[name][k - 1]
            wanted |= expected("train_loss", values[n][f"{k}/train_loss"])
            assert list(r) == list(wanted)
            assert r == pytest.approx(wanted, nan_ok=True)
        assert set(json.loads(as_json(found.document()))) == {"rows", "notes"}
        notes = " ".join(found.notes)
        assert "corrected for the number of points, 1000, as of Gaussian ones" in notes
        assert "predicts no network" in notes
        assert "barely trained at n = 10, 50" in notes


class TestFigure:
    def test_every_curve_lies_where_the_rows_say(self) -> None:
        found = summary()
        axes = figures(found)["figure"].axes
        for axis, (name, unit) in zip(
            axes, [("kl", 1 / DIM), ("trace", 1.0), ("square", 1.0)], strict=True
        ):
            series = list(drawn(axis).values())
            points = [s for s in series if s.marker != "None"]
            lines = [s for s in series if s.marker == "None" and s.dash == "-"]
            limits = [s for s in series if s.dash == ":"]
            # Of n = 50 it is infinite.
            assert [(set(s.y), s.colour) for s in limits] == (
                [({1.5445}, points[0].colour)] if name == "square" else []
            )
            for s, line, n in zip(points, lines, (10, 50), strict=True):
                rows = [row(n, k) for k in (1, 2, 3)]
                mean = unit * np.array([r[f"{name}_mean"] for r in rows])
                error = unit * np.array([r[f"{name}_se"] for r in rows])
                np.testing.assert_allclose(s.x, [1, 2, 3])
                np.testing.assert_allclose(s.y, mean)
                np.testing.assert_allclose(s.high - mean, error)
                np.testing.assert_allclose(line.x, [1, 2, 3])
                np.testing.assert_allclose(line.y, [unit * r[f"{name}_theory"] for r in rows])
                assert line.colour == s.colour

    def test_words(self) -> None:
        figure = figures(summary())["figure"]
        assert [axis.get_title() for axis in figure.axes] == [
            "KL(generation || population) / d  [nats]",
            r"$\mathrm{tr}\,S / d$",
            r"$\mathrm{tr}\,S^2 / d$",
        ]
        assert {axis.get_xlabel() for axis in figure.axes} == {"generation k"}
        assert caption_of(figure) == (
            "Gaussian models trained on samples of the last one, from N(0, 1.5²) in d = 6, "
            "3 generations, 0.25 of the points are fresh, mean fitted, seed 7"
        )
        sizes = ["n = 10 (1.7 d)", "n = 50 (8.3 d)"]
        assert list(entries_of(figure)) == [*sizes, "theory", "limit of theory"]
        endless = figures(summary(theory={"limit": {10: math.inf, 50: math.nan}}))["figure"]
        assert list(entries_of(endless)) == [*sizes, "theory"]

    def test_what_is_missing_is_said(self) -> None:
        rows = [row(10, k, kl_mean=math.inf, kl_se=math.nan) for k in (1, 2, 3)]
        figure = figures(summary(*rows))["figure"]
        assert len(figure.axes) == 2
        assert caption_of(figure).endswith("not drawn: KL (infinite)")
        none = {f"{name}_theory": math.nan for name in MEASURED}
        figure = figures(summary(row(10, 1, **none)))["figure"]
        assert "theory" not in entries_of(figure)

    def test_theory_of_one_generation_is_seen(self) -> None:
        options = RecursionOptions((10,), 1, dim=DIM)
        figure = figures(summary(row(10, 1), options=options))["figure"]
        assert ", 1 generation, " in caption_of(figure)
        (mark,) = [s for s in drawn(figure.axes[0]).values() if s.marker == "_"]
        np.testing.assert_allclose(mark.y, row(10, 1)["kl_theory"] / DIM)
        assert entries_of(figure)["theory"].get_marker() == "_"

    @pytest.mark.parametrize("last", [1, 3, 100])
    def test_labels_do_not_overlap(self, last: int) -> None:
        options = RecursionOptions((10, 50), last, dim=DIM)
        rows = [row(n, k) for n in (10, 50) for k in range(1, last + 1)]
        check_layout(figures(summary(*rows, options=options))["figure"])
