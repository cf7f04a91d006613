"""What people read of a linear study: each number stands where its heading, axis or key says."""

import csv
import json
import math
import pickle
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.reports.reading import (
    caption_of,
    check_layout,
    check_width,
    drawn,
    entries_of,
    landmarks,
    legend_of,
    read_tables,
    sentences,
)

from ornstein.engine.store import Outcome, Store
from ornstein.engine.study import Cell
from ornstein.engine.summary import mean_and_error, write_csv
from ornstein.intervals import wilson_interval
from ornstein.json_values import as_json
from ornstein.reports.figures import BLUE, VERMILION
from ornstein.reports.linear import answer, figures, heading, tables
from ornstein.reports.tables import with_error
from ornstein.studies.linear.options import LinearOptions, sizes_around
from ornstein.studies.linear.prediction import kl_of_infinite_data
from ornstein.studies.linear.study import METRICS, LinearStudy
from ornstein.studies.linear.summary import LinearSummary
from ornstein.theory import delta_positive_probability

COMPARED = ("kl", "hellinger2", "wasserstein2", "trace")
DIM, STD, THRESHOLD = 30, 2.0, 59.5


def row(n: int, **changes: float) -> dict[str, Any]:
    """A row of summary.csv in which no two numbers are alike."""
    values = {
        "kl": (18.1234, 0.0271, 17.8456, 18.0987),
        "hellinger2": (0.7234, 0.0029, 0.7156, 0.7298),
        "wasserstein2": (13.8371, 0.0153, 13.9942, 13.7765),
        "trace": (0.6709, 0.0047, 0.6622, 0.6755),
    }
    found: dict[str, Any] = {"train_size": n, "simulations": 250 + n}
    for name, (mean, error, theory, _) in values.items():
        found |= {
            f"{name}_mean": mean + n / 1000,
            f"{name}_se": error,
            f"{name}_theory": theory + n / 1000,
        }
    for place, name in enumerate(("log_l2_original", "log_l2_train", "delta_log_abs")):
        found |= {f"{name}_mean": -92.1681 - 7 * place - n / 1000, f"{name}_se": 0.01 + place}
    found |= {
        "delta_positive": 0.627,
        "delta_positive_low": 0.574,
        "delta_positive_high": 0.683,
    }
    found |= {f"{name}_median": median + n / 1000 for name, (*_, median) in values.items()}
    return found | changes


def infinite(n: int) -> dict[str, Any]:
    """A row of a singular law."""
    return row(
        n,
        kl_mean=math.inf,
        kl_se=math.nan,
        kl_theory=math.inf,
        kl_median=math.inf,
        hellinger2_mean=1.0,
        hellinger2_se=0.0,
        log_l2_original_mean=math.inf,
        log_l2_train_mean=math.inf,
        delta_positive=0.0,
        delta_positive_low=0.0,
        delta_positive_high=0.0377,
    )


def curves(*sizes: int) -> dict[str, np.ndarray]:
    """Theory that is another one for each name."""
    n = np.array(sizes, dtype=float)
    return {
        "train_size": n,
        "kl": 600 / n,
        "hellinger2": 20 / n,
        "wasserstein2": 900 / n,
        "trace": 30 / n + 0.5,
    }


def summary(*rows: dict[str, Any], **changes: Any) -> LinearSummary:
    fields: dict[str, Any] = {
        "rows": rows,
        "notes": ["a note on all this"],
        "theory": curves(40, 60, 300),
        "options": LinearOptions(
            dim=DIM, std=(STD,), time=1.7, noise_scale=0.8, originals=321, seed=11
        ),
        "source": "N(10, 2^2)",
        "dim": DIM,
        "std": STD,
        "threshold": THRESHOLD,
    }
    return LinearSummary(**{**fields, **changes})


MIXTURE = {
    **{f"{name}_theory": math.nan for name in COMPARED},
    "wasserstein2_mean": math.nan,
    "wasserstein2_se": math.nan,
    "wasserstein2_median": math.nan,
}


class TestTables:
    def test_every_column_and_cell(self) -> None:
        rows = [row(60), row(300)]
        first, second, third = read_tables(tables(summary(*rows)))

        def pair(heading: str, name: str) -> list[tuple[str, list[str]]]:
            return [
                (heading, [with_error(r[f"{name}_mean"], r[f"{name}_se"]) for r in rows]),
                (
                    "theory",
                    [
                        with_error(r[f"{name}_mean"], r[f"{name}_se"], r[f"{name}_theory"])
                        for r in rows
                    ],
                ),
            ]

        sizes = ("n", ["60", "300"])
        assert first.columns == [
            sizes,
            ("runs", ["310", "550"]),
            *pair("KL, nats", "kl"),
            *pair("Wasserstein^2", "wasserstein2"),
        ]
        assert second.columns == [
            sizes,
            *pair("Hellinger^2", "hellinger2"),
            *pair("tr Sigma_G/(d s^2)", "trace"),
        ]
        assert third.columns == [
            sizes,
            ("originals", ["-92.2281", "-92.4681"]),
            ("training set", ["-99.2281", "-99.4681"]),
            ("ln |Delta|", ["-106.228", "-106.468"]),
            ("P(Delta > 0) [95%]", ["0.627 [0.574, 0.683]"] * 2),
        ]
        assert first.columns[2][1] == ["18.183 ± 0.027", "18.423 ± 0.027"]
        assert first.columns[3][1] == ["17.906", "18.146"]

    def test_titles_heading_and_notes(self) -> None:
        text = tables(summary(row(60)))
        assert text.startswith(
            "One-step linear denoiser on N(10, 2^2) in d = 30\n"
            "T = 1.7, noise scale 0.8, 321 originals (expected), seed 11; n* = 59.5\n"
        )
        titles = [table.title for table in read_tables(text)]
        assert titles[0] == "Generated law against the population (mean ± standard error over runs)"
        assert "Generated law against points: ln of squared L2 distances" in text
        assert text.endswith("\n\n  a note on all this")

    def test_data_have_their_own_heading(self) -> None:
        options = LinearOptions(data="digits", seed=3)
        text = heading(summary(row(60), options=options, source="data digits", threshold=67.3))
        assert text.splitlines()[0] == "One-step linear denoiser on data digits, d = 30, std 2.000"
        assert "the rest as originals, seed 3; n* = 67.3" in text

    def test_where_the_expectation_is_infinite_the_median_stands(self) -> None:
        theory = dict.fromkeys(("kl_theory", "wasserstein2_theory", "trace_theory"), math.inf)
        rows = [row(n, **theory) for n in (30, 31, 32)] + [row(29), row(33)]
        first, second, _ = read_tables(tables(summary(*rows)))
        assert first.column("KL, nats")[:3] == ["median 18.13", "median 18.13", "median 18.13"]
        assert first.column("Wasserstein^2")[:3] == ["median 13.81"] * 3
        assert second.column("tr Sigma_G/(d s^2)")[:2] == ["median 0.7055", "median 0.7065"]
        assert second.column("Hellinger^2")[0] == "0.7534 ± 0.0029"
        assert first.columns[3][1][:3] == ["infinite"] * 3
        assert not any("median" in cell for cell in first.column("KL, nats")[3:])
        assert legend_of(tables(summary(*rows)))["median"].startswith("over runs")

    def test_infinite_is_a_word(self) -> None:
        text = tables(summary(infinite(20), row(60)))
        first, _, third = read_tables(text)
        assert first.column("KL, nats")[0] == "infinite"
        assert first.columns[3][1][0] == "infinite"
        assert third.column("originals")[0] == "infinite"
        assert "inf " not in text

    def test_a_perfect_model_where_it_is_known(self) -> None:
        rows = [row(60, delta_perfect=0.4567), row(300, delta_perfect=0.81)]
        text = tables(summary(*rows))
        assert read_tables(text)[2].column("perfect model") == ["0.457", "0.810"]
        assert "a model that generates the population" in legend_of(text)["perfect model"]
        assert "perfect model" not in tables(summary(row(60)))

    def test_theory_of_the_shares_where_it_is_known(self) -> None:
        known = {20: math.nan, 60: 0.4561, 300: 0.8129}
        rows = [
            row(n, delta_perfect=0.9 + n / 9999, delta_positive_theory=share)
            for n, share in known.items()
        ]
        text = tables(summary(*rows))
        check_width(text)
        third, fourth = read_tables(text)[2:]
        assert [name for name, _ in third.columns][-1] == "ln |Delta|"
        # A share stands beside what it is to be compared with.
        assert fourth.columns == [
            ("n", ["20", "60", "300"]),
            ("P(Delta > 0) [95%]", ["0.627 [0.574, 0.683]"] * 3),
            ("perfect model", ["0.902", "0.906", "0.930"]),
            ("theory", ["", "0.456", "0.813"]),
        ]
        assert "the one-step model, without simulation" in text
        beyond = [row(n, delta_perfect=0.5, delta_positive_theory=math.nan) for n in (10, 20)]
        assert len(read_tables(tables(summary(*beyond)))) == 3
        assert "without simulation" not in tables(summary(*beyond))

    def test_mixtures_have_neither_theory_nor_wasserstein(self) -> None:
        text = tables(summary(row(60, **MIXTURE), theory={}))
        first, second, _ = read_tables(text)
        assert [name for name, _ in first.columns] == ["n", "runs", "KL, nats"]
        assert [name for name, _ in second.columns] == ["n", "Hellinger^2", "tr Sigma_G/(d s^2)"]
        assert {"theory", "Wasserstein^2"}.isdisjoint(legend_of(text))

    def test_data_far_from_gaussian_have_no_theory_of_kl_and_hellinger(self) -> None:
        unknown = {"kl_theory": math.nan, "hellinger2_theory": math.nan}
        first, second, _ = read_tables(tables(summary(row(60, **unknown), row(300, **unknown))))
        assert [name for name, _ in first.columns] == [
            *("n", "runs", "KL, nats", "Wasserstein^2", "theory"),
        ]
        assert [name for name, _ in second.columns] == [
            *("n", "Hellinger^2", "tr Sigma_G/(d s^2)", "theory"),
        ]

    def test_a_spectrum_is_in_the_heading(self) -> None:
        options = LinearOptions(spectrum="2,1,0", seed=3)
        found = summary(
            row(60),
            options=options,
            source="N(10, Sigma), d = 3, spectrum 2,1,0",
            threshold=math.inf,
        )
        assert heading(found) == (
            "One-step linear denoiser on N(10, Sigma), d = 3, spectrum 2,1,0, std 2.000\n"
            "T = 2, noise scale 1, 10000 originals (expected), seed 3; n* = infinite"
        )
        figure = figures(found)["figure"]
        assert caption_of(figure) == (
            "One-step denoiser on N(10, Sigma), d = 3, spectrum 2,1,0, T = 2, noise scale 1, "
            "n* = infinite, seed 3"
        )
        assert "n*" not in landmarks(figure.axes[0])
        check_width(tables(found))
        check_layout(figure)

    def test_an_infinite_threshold_is_no_landmark_of_the_table(self) -> None:
        rows = [row(n) for n in range(5, 501, 5)]
        shown = read_tables(tables(summary(*rows, threshold=math.inf)))[0].column("n")
        assert len(shown) == 12
        assert {"5", "30", "500"} <= set(shown)

    def test_each_column_is_explained_in_one_line(self) -> None:
        text = tables(summary(row(31, delta_perfect=0.5), row(300, delta_perfect=0.6)))
        meanings = legend_of(text)
        for table in read_tables(text):
            for name, _ in table.columns:
                if name not in {"n", "runs"}:
                    assert name.removesuffix(", nats").removesuffix(" [95%]") in meanings
        assert meanings["KL"] == "KL(generated || population), in nats"
        assert meanings["Wasserstein^2"].endswith("in squared data units")
        assert meanings["training set"] == "the same of the training set"

    def test_twelve_of_many_sizes_with_the_landmarks_among_them(self) -> None:
        sizes = range(5, 501, 5)
        text = tables(summary(*(row(n) for n in sizes)))
        shown = [int(n) for n in read_tables(text)[0].column("n")]
        assert len(shown) == 12
        assert {5, 30, 60, 500} <= set(shown)
        assert shown == sorted(shown)
        assert "12 of 100 training sizes are shown; summary.csv and --json have all." in text

    @pytest.mark.parametrize("size", [1e-5, 1.0, 123.456789, 1e5, 3.3e9, math.inf])
    @pytest.mark.parametrize("relative", [3e-5, 1e-3, 0.1, 30.0, math.nan])
    def test_it_fits_80_columns(self, size: float, relative: float) -> None:
        error = math.nan if math.isinf(size) else relative * size
        values = {
            f"{name}_{part}": size
            for name in ("kl", "wasserstein2", "trace")
            for part in ("mean", "theory", "median")
        }
        values |= {f"{name}_se": error for name in ("kl", "wasserstein2", "trace")}
        values |= {f"log_l2_{name}_mean": -size for name in ("original", "train")}
        rows = [row(n, **values, delta_perfect=0.5) for n in (2, 31, 10_000_000)]
        text = tables(summary(*rows, source="0.3 N(0, 1^2) + 0.7 N(10, 2^2)"))
        check_width(text)
        assert "10000000" in text
        legend_of(text)


class TestAnswer:
    def test_where_delta_turns(self) -> None:
        rows = [
            infinite(20),
            row(40, delta_positive_low=0.1),
            row(60, delta_positive_low=0.501),
            row(300),
        ]
        assert answer(summary(*rows)) == (
            "Answer: KL to the population is 18.4 nats at n = 300, after 18.2 at n = 40; from "
            "n = 60 (2 d) on, Delta > 0 in more than half of the runs (95% interval above 1/2): "
            "the law is closer to fresh data than to its training set."
        )
        # Above 1/2 from there on, not only there.
        rows[1]["delta_positive_low"] = 0.9
        rows[2]["delta_positive_low"] = 0.4
        assert "from n = 300 (10 d) on" in answer(summary(*rows))

    def test_beside_a_perfect_model(self) -> None:
        text = answer(summary(row(60, delta_perfect=0.8), row(300, delta_perfect=0.961)))
        assert text.endswith(
            "to its training set; 0.627 of the runs at n = 300, 0.961 for a perfect model."
        )
        below = answer(summary(infinite(10), infinite(20) | {"delta_perfect": 0.75}))
        assert below.endswith("runs (0.000 [0.000, 0.038] there, 0.750 for a perfect model).")

    def test_where_it_does_not(self) -> None:
        assert answer(summary(infinite(10), infinite(20))) == (
            "Answer: KL to the population is infinite at every n; up to n = 20 it is not "
            "established that Delta > 0 in more than half of the runs (0.000 [0.000, 0.038] there)."
        )

    def test_it_stands_in_the_text(self) -> None:
        found = summary(row(60))
        assert answer(found) in sentences(tables(found))


class TestSummary:
    """From cells to rows: columns of summary.csv and keys of the JSON document."""

    COLUMNS = (
        "train_size",
        "simulations",
        *(f"{name}_{part}" for name in COMPARED for part in ("mean", "se", "theory")),
        *(
            f"{name}_{part}"
            for name in ("log_l2_original", "log_l2_train", "delta_log_abs")
            for part in ("mean", "se")
        ),
        *("delta_positive", "delta_positive_low", "delta_positive_high"),
        *(f"{name}_median" for name in COMPARED),
        *("delta_perfect", "delta_perfect_low", "delta_perfect_high"),
        "delta_positive_theory",
    )

    @staticmethod
    def found() -> tuple[LinearStudy, LinearSummary, dict[int, dict[str, list[float]]]]:
        options = LinearOptions((40, 100), dim=20, std=(1.5,), simulations=3, noise_scale=0.5)
        study = LinearStudy(options)
        values: dict[int, dict[str, list[float]]] = {n: {} for n in (40, 100)}
        with Store(None, study.identity, study.metrics) as store:
            for n, own in values.items():
                for place, name in enumerate(METRICS):
                    own[name] = [place + n / 1000 + 0.1 * r**2 for r in range(3)]
                own["delta_sign"] = [1.0, -1.0, 1.0] if n == 40 else [1.0] * 3
                for replicate in range(3):
                    cell = {name: column[replicate] for name, column in own.items()}
                    store.save(Outcome(Cell(n, replicate), 0.0, cell))
            return study, study.summarize(store), values

    def test_rows(self, tmp_path: Path) -> None:
        study, summary, values = self.found()
        for found in summary.rows:
            own = values[found["train_size"]]
            assert tuple(found) == self.COLUMNS
            assert found["simulations"] == 3
            for name in COMPARED:
                assert (found[f"{name}_mean"], found[f"{name}_se"]) == mean_and_error(own[name])
                assert found[f"{name}_median"] == own[name][1]
                (theory,) = study.theory([found["train_size"]])[name]
                assert found[f"{name}_theory"] == theory
            for name in ("log_l2_original", "log_l2_train", "delta_log_abs"):
                assert (found[f"{name}_mean"], found[f"{name}_se"]) == mean_and_error(own[name])
            positive = sum(sign > 0 for sign in own["delta_sign"])
            assert found["delta_positive"] == positive / 3
            ends = (found["delta_positive_low"], found["delta_positive_high"])
            assert ends == wilson_interval(positive, 3)
            perfect, count = found["delta_perfect"], round(200 * found["delta_perfect"])
            assert perfect == count / 200
            ends = (found["delta_perfect_low"], found["delta_perfect_high"])
            assert ends == wilson_interval(count, 200)
            share = delta_positive_probability(20, found["train_size"], 10_000, 2.0, 0.5, 1.5)
            assert found["delta_positive_theory"] == pytest.approx(share, abs=1e-9)
        theory = summary.theory["delta_positive"]
        assert np.isin([40, 100], theory["train_size"]).all()
        assert theory["train_size"][0] >= 1.15 * 20
        assert (np.diff(theory["train_size"]) > 0).all()
        at = theory["train_size"] == 40
        assert theory["share"][at] == pytest.approx(summary.rows[0]["delta_positive_theory"])
        known = summary.theory["perfect_delta"]
        for column, end in {"share": "", "low": "_low", "high": "_high"}.items():
            assert list(known[column]) == [r[f"delta_perfect{end}"] for r in summary.rows]
        assert list(known["train_size"]) == [40, 100]
        write_csv(tmp_path / "summary.csv", summary.rows)
        with (tmp_path / "summary.csv").open(newline="") as stream:
            lines = list(csv.DictReader(stream))
        for line, found in zip(lines, summary.rows, strict=True):
            assert {name: float(text) for name, text in line.items()} == pytest.approx(found)

    def test_document(self) -> None:
        _, summary, _ = self.found()
        document = json.loads(as_json(summary.document()))
        assert set(document) == {"rows", "notes"}
        assert document["rows"] == [pytest.approx(row) for row in summary.rows]
        assert document["notes"] == list(summary.notes)

    def test_what_was_studied(self) -> None:
        study, summary, _ = self.found()
        assert (summary.dim, summary.std) == (20, 1.5)
        assert summary.source == "N(10, 1.5^2)"
        # d (1 + lambda (1 - e^-2T) / sigma^2), written out.
        expected = 20 * (1 + 0.5 * (1 - math.exp(-4)) / 1.5**2)
        assert summary.threshold == study.threshold == pytest.approx(expected, rel=1e-12)
        curve = summary.theory
        index = int(np.searchsorted(curve["train_size"], 60))
        n = int(curve["train_size"][index])
        for name in COMPARED:
            assert curve[name][index] == study.theory([n])[name][0]
        assert curve["train_size"][0] < 40
        assert curve["train_size"][-1] > 100

    def test_curves_are_computed_for_figures_alone(self, monkeypatch: pytest.MonkeyPatch) -> None:
        asked: list[int] = []
        theory = LinearStudy.theory
        monkeypatch.setattr(
            LinearStudy, "theory", lambda self, sizes: asked.extend(sizes) or theory(self, sizes)
        )
        summary = LinearStudy(LinearOptions((10, 40), dim=9, simulations=1)).run(jobs=1)
        summary.table()
        assert set(asked) == {10, 40}
        summary.figures()
        assert len(asked) > 40
        kept = pickle.loads(pickle.dumps(summary)).theory
        assert {*kept} == {*summary.theory}
        np.testing.assert_array_equal(kept["kl"], summary.theory["kl"])

    def test_the_published_threshold(self) -> None:
        assert LinearStudy(LinearOptions()).threshold == pytest.approx(198.2, abs=0.05)

    def test_one_size_has_a_curve_around_it(self) -> None:
        study = LinearStudy(LinearOptions((60,), dim=20, simulations=1))
        sizes = study.run(jobs=1).theory["train_size"]
        assert sizes[0] <= 30
        assert sizes[-1] >= 120

    def test_data_without_sizes_have_sizes_around_their_dimension(self) -> None:
        study = LinearStudy(LinearOptions(data="digits"))
        assert study.train_sizes == sizes_around(64, 1795)

    def test_notes_say_what_is_special(self) -> None:
        def notes(**options: Any) -> str:
            return " ".join(LinearStudy(LinearOptions(simulations=1, **options)).run(jobs=1).notes)

        below = notes(train_sizes=(4, 20), dim=8)
        assert "n - 1 < d: the generated law has rank n - 1" in below
        assert "expectations are infinite" not in below
        assert "expectations are infinite" in notes(train_sizes=(9, 20), dim=8)
        mixture = notes(train_sizes=(20,), dim=2, mean=(0.0, 3.0))
        assert "theory: empty" in mixture
        assert "n* is that of the Gaussian with its covariance" in mixture
        zeros = notes(train_sizes=(2, 20), spectrum="1,0.5,0,0")
        assert "n - 1 < 2: the generated law has rank n - 1" in zeros
        assert "n* is infinite: 2 of the 4 eigenvalues of the covariance are 0." in zeros
        assert "theory: asymptotic" in zeros
        assert "d counts the eigenvalues that make up most of the trace" in zeros
        assert "d counts" not in notes(train_sizes=(20,), dim=2)


class TestFigure:
    UNITS = (("kl", 1 / DIM), ("hellinger2", 1.0), ("wasserstein2", 1 / (DIM * STD**2)))

    def test_every_series_lies_where_the_rows_say(self) -> None:
        rows = [infinite(20), row(60), row(300, delta_positive=0.911, delta_positive_high=0.93)]
        axes = figures(summary(*rows))["figure"].axes
        for axis, (name, unit) in zip(axes, self.UNITS, strict=False):
            found = drawn(axis)
            assert set(found) == {"simulation, mean ± s.e.", "theory", *(set(found) - NAMED)}
            points, curve = found["simulation, mean ± s.e."], found["theory"]
            shown = [r for r in rows if math.isfinite(r[f"{name}_mean"])]
            means = unit * np.array([r[f"{name}_mean"] for r in shown])
            errors = unit * np.nan_to_num([r[f"{name}_se"] for r in shown])
            np.testing.assert_allclose(points.x, [r["train_size"] / DIM for r in shown])
            np.testing.assert_allclose(points.y, means)
            np.testing.assert_allclose(points.high - means, errors, atol=1e-12)
            np.testing.assert_allclose(means - points.low, errors, atol=1e-12)
            assert (points.colour, points.marker) == (BLUE.lower(), "o")
            np.testing.assert_allclose(curve.x, np.array([40, 60, 300]) / DIM)
            np.testing.assert_allclose(curve.y, unit * curves(40, 60, 300)[name])
            assert (curve.colour, curve.dash) == ("#000000", "-")
        shares = drawn(axes[3])["share of runs"]
        np.testing.assert_allclose(shares.x, np.array([20, 60, 300]) / DIM)
        np.testing.assert_allclose(shares.y, [0.0, 0.627, 0.911])
        np.testing.assert_allclose(shares.low, [0.0, 0.574, 0.574])
        np.testing.assert_allclose(shares.high, [0.0377, 0.683, 0.93])
        assert (shares.colour, shares.marker) == (VERMILION.lower(), "s")

    def test_curves_of_few_whole_sizes_have_no_corners(self) -> None:
        found = summary(row(60), row(300))
        sizes = np.array([2.0, 3.0, 4.0, 5.0, 6.0, 60.0, 61.0])
        values = np.array([5.0, 3.0, 2.0, 2.5, np.inf, 7.0, 6.0])
        found.theory.update(train_size=sizes, wasserstein2=values, kl=values, hellinger2=0 * sizes)
        curve = drawn(figures(found)["figure"].axes[2])["theory"]
        x, y = curve.x * DIM, curve.y * DIM * STD**2
        exact = np.isin(x.round(9), sizes)
        np.testing.assert_allclose(y[exact], np.where(np.isinf(values), np.nan, values))
        # Between neighbours, and nowhere else; and no step turns by much.
        assert ((x < 5) | exact).all()
        low = x <= 5
        assert low.sum() == 4 + 3 * 8
        slopes = np.diff(y[low]) / np.diff(np.log(x[low]))
        straight = np.diff(values[:4]) / np.diff(np.log(sizes[:4]))
        assert np.abs(np.diff(slopes)).max() < 0.4 * np.abs(np.diff(straight)).max()
        assert y[low].min() == 2.0

    def test_words(self) -> None:
        figure = figures(summary(row(60), row(300)))["figure"]
        assert [axis.get_title() for axis in figure.axes] == [
            "KL(generated || population) / d  [nats]",
            "squared Hellinger distance",
            r"$W_2^2 / (d\,\sigma^2)$",
            r"$P(\Delta > 0)$, Wilson 95% interval",
        ]
        labels = [axis.get_xlabel() for axis in figure.axes]
        assert labels == ["", "", *["training size / dimension,  n / d"] * 2]
        assert caption_of(figure) == (
            "One-step denoiser on N(10, 2²), d = 30, T = 1.7, noise scale 0.8, n* = 59.5, seed 11"
        )
        found = entries_of(figure)
        assert set(found) == {"theory", "simulation, mean ± s.e.", "share of runs"}
        assert [axis.get_yscale() for axis in figure.axes] == ["log", "linear", "log", "linear"]

    def test_kl_of_infinitely_many_points(self) -> None:
        for limit, seen in ((17.0, True), (9.0, True), (0.3, False), (0.0, False)):
            found = summary(row(60), row(300))
            found.theory["kl_infinite_data"] = limit
            axes = figures(found)["figure"].axes
            named = [text for text in axes[0].texts if text.get_text() == "n → ∞"]
            assert len(named) == seen
            if seen:
                assert named[0].xy[1] == limit / DIM  # type: ignore[attr-defined]
                (line,) = [each for each in axes[0].get_lines() if list(each.get_xdata()) == [0, 1]]
                assert list(line.get_ydata()) == [limit / DIM] * 2
                assert axes[0].get_ylim()[0] < limit / DIM
            assert not any("∞" in text.get_text() for axis in axes[1:] for text in axis.texts)
        options = LinearOptions((40,), dim=20, std=(1.5,), simulations=2, noise_scale=0.5)
        other = LinearOptions((40,), spectrum="4,2,1", simulations=2, time=1.0)
        for chosen in (options, other):
            study = LinearStudy(chosen)
            known = kl_of_infinite_data(study)
            far = {n: float(study.theory([n])["kl"][0]) for n in (10**6, 10**7)}
            assert known is not None
            assert far[10**7] == pytest.approx(known, rel=1e-4)
            assert abs(far[10**7] - known) < 0.2 * abs(far[10**6] - known)
        assert "kl_infinite_data" in TestSummary.found()[1].theory

    def test_landmarks(self) -> None:
        for axis in figures(summary(row(25), row(300)))["figure"].axes:
            marks = landmarks(axis)
            assert marks["n = d"] == 1.0
            assert marks["n*"] == pytest.approx(THRESHOLD / DIM)
        # 1/2 is not what a perfect model has, and no line says so.
        assert "1/2" not in landmarks(axis)

    def test_landmarks_out_of_sight_are_in_the_caption(self) -> None:
        figure = figures(summary(row(6000), row(9000)))["figure"]
        assert "n*" not in landmarks(figure.axes[0])
        assert "n* = 59.5" in caption_of(figure)

    def test_medians_where_the_mean_is_infinite(self) -> None:
        figure = figures(summary(row(31), row(300)))["figure"]
        kl, hellinger, wasserstein, _ = figure.axes
        for axis, name, unit in ((kl, "kl", 1 / DIM), (wasserstein, "wasserstein2", 1 / 120)):
            found = drawn(axis)
            median = found["simulation, median (infinite mean)"]
            assert median.x == pytest.approx([31 / DIM])
            assert median.y == pytest.approx([unit * row(31)[f"{name}_median"]])
            assert found["simulation, mean ± s.e."].x == pytest.approx([300 / DIM])
        assert "simulation, median (infinite mean)" not in drawn(hellinger)
        assert "simulation, median (infinite mean)" in entries_of(figure)

    def test_a_mixture_shows_the_trace_where_it_has_no_wasserstein(self) -> None:
        rows = [row(20, **MIXTURE), row(60, **MIXTURE)]
        figure = figures(summary(*rows, theory={}))["figure"]
        assert figure.axes[2].get_title() == r"$\mathrm{tr}\,\Sigma_G / (d\,\sigma^2)$"
        found = drawn(figure.axes[2])["simulation, mean ± s.e."]
        np.testing.assert_allclose(found.y, [0.6909, 0.7309])
        assert "theory" not in entries_of(figure)
        assert caption_of(figure).endswith("not drawn: Wasserstein² (no closed form)")

    def test_below_the_dimension_no_panel_is_empty(self) -> None:
        figure = figures(summary(infinite(10), infinite(20)))["figure"]
        assert len(figure.axes) == 3
        assert all("simulation, mean ± s.e." in drawn(axis) for axis in figure.axes[:2])
        assert caption_of(figure).endswith("not drawn: KL (infinite) and Hellinger² (above 0.999)")

    def test_no_curve_where_theory_has_no_value(self) -> None:
        known = {**curves(40, 60, 300), "kl": np.full(3, math.nan)}
        kl, hellinger, *_ = figures(summary(row(60), theory=known))["figure"].axes
        assert "theory" not in drawn(kl)
        assert "theory" in drawn(hellinger)

    def test_hellinger_ends_at_1(self) -> None:
        rows = [infinite(20), row(60, hellinger2_mean=0.9), row(200, hellinger2_se=0.2)]
        axis = figures(summary(*rows))["figure"].axes[1]
        assert axis.get_ylim()[1] == 1.0
        assert drawn(axis)["simulation, mean ± s.e."].y[0] == 1.0
        (bars,) = axis.containers
        # The point on the edge is seen whole.
        assert not bars.lines[0].get_clip_on()
        low = figures(summary(row(60), row(100)))["figure"].axes[1].get_ylim()[1]
        assert low < 0.9

    def test_a_perfect_model_where_theory_has_it(self) -> None:
        known = {
            "train_size": np.array([30.0, 90.0]),
            "share": np.array([0.3, 0.7]),
            "low": np.array([0.2, 0.65]),
            "high": np.array([0.45, 0.8]),
        }
        figure = figures(summary(row(60), theory={**curves(40, 60), "perfect_delta": known}))
        found = drawn(figure["figure"].axes[3])["perfect model"]
        np.testing.assert_allclose(found.x, [1.0, 3.0])
        np.testing.assert_allclose(found.y, [0.3, 0.7])
        (band,) = figure["figure"].axes[3].collections[-1:]
        corners = {(round(x, 6), round(y, 6)) for x, y in band.get_paths()[0].vertices}
        assert {(1.0, 0.2), (1.0, 0.45), (3.0, 0.65), (3.0, 0.8)} <= corners
        assert "perfect model" in entries_of(figure["figure"])
        alone = figures(summary(row(60), theory={"perfect_delta": known}))["figure"]
        assert "theory" not in entries_of(alone)

    def test_theory_of_the_shares_where_it_is_drawn(self) -> None:
        known = {"train_size": np.array([45.0, 60.0]), "share": np.array([0.12, 0.67])}
        axes = figures(summary(row(60), theory={"delta_positive": known}))["figure"].axes
        found = drawn(axes[3])["theory"]
        np.testing.assert_allclose(found.x, [1.5, 2.0])
        np.testing.assert_allclose(found.y, [0.12, 0.67])
        assert "theory" not in drawn(axes[0])

    @pytest.mark.parametrize(
        "rows",
        [
            [row(60)],
            [row(n) for n in range(5, 301, 5)],
            [infinite(10), infinite(20)],
            [row(20, **MIXTURE), row(60, **MIXTURE)],
            [row(5000), row(9000)],
            [row(60, hellinger2_mean=0.99999), row(300, hellinger2_mean=0.99998)],
        ],
        ids=["one size", "many", "below", "mixture", "far above", "hellinger near 1"],
    )
    def test_labels_do_not_overlap(self, rows: list[dict[str, Any]]) -> None:
        check_layout(figures(summary(*rows))["figure"])

    def test_landmarks_close_together_do_not_overlap(self) -> None:
        found = summary(row(20), row(300), threshold=31.0)
        check_layout(figures(found)["figure"])
        check_layout(figures(replace(found, source="data " + "long name " * 12))["figure"])


NAMED = {"simulation, mean ± s.e.", "theory", "simulation, median (infinite mean)"}
