"""What people read of a steps study of a linear denoiser."""

import json
import math
from typing import Any

import numpy as np
import pytest
from tests.reports.cells import expected, expected_share, filled
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

from ornstein.intervals import wilson_interval
from ornstein.json_values import as_json
from ornstein.reports.figures import VERMILION
from ornstein.reports.steps import answer, figures, heading, tables
from ornstein.reports.tables import number
from ornstein.studies.steps.options import StepsOptions
from ornstein.studies.steps.study import StepsStudy
from ornstein.studies.steps.summary import Optimum, StepsSummary, optima
from ornstein.theory import BestSteps, best_steps, sampler_quality
from ornstein.theory.random_matrices.wishart import wishart_kl

SAMPLERS = ("ddpm:large", "heun")
STEPS = (5.0, 20.0, math.inf)
DIM, STD = 12, 0.5
UNITS = {"kl": 1 / DIM, "wasserstein2": 1 / (DIM * STD**2)}


def row(sampler: str, steps: float, n: float, **changes: float) -> dict[str, Any]:
    """A row in which no two numbers are alike, and none is that of another row."""
    place = 1 + SAMPLERS.index(sampler) + 3 * STEPS.index(steps) + (7 if n == 40 else 0)
    place += 40 if math.isinf(n) else 0
    exact = math.isinf(n)
    found: dict[str, Any] = {
        "sampler": sampler,
        "steps": steps,
        "train_size": n,
        "simulations": 0 if exact else 25,
    }
    for index, name in enumerate(("kl", "hellinger2", "wasserstein2")):
        found[f"{name}_mean"] = (10.0**-index) * (1 + place / 100)
        found[f"{name}_se"] = math.nan if exact else (10.0**-index) * place / 1000
        found[f"{name}_excess"] = 0.01 * place + index
        found[f"{name}_excess_se"] = math.nan if exact else 0.003 * place
    for end, shift in (("", 0.0), ("_low", -0.08), ("_high", 0.06)):
        found[f"delta_positive{end}"] = math.nan if exact else 0.2 + place / 40 + shift
    for index, name in enumerate(("kl", "hellinger2", "wasserstein2")):
        found[f"{name}_theory"] = (10.0**-index) * (1.5 + place / 100)
    return found | changes


def rows_of(*sizes: float, **changes: float) -> list[dict[str, Any]]:
    changed = {n: {} if math.isinf(n) else changes for n in sizes}
    return [row(s, steps, n, **changed[n]) for n in sizes for s in SAMPLERS for steps in STEPS]


def best(
    sampler: str,
    n: float,
    steps: int,
    excess: float,
    error: float,
    better: bool,
    predicted: float = math.nan,
) -> Optimum:
    return Optimum(sampler, n, steps, excess, error, better, predicted)


OPTIMA = {
    "kl": [
        best("ddpm:large", math.inf, 20, 0.1, math.nan, False, math.inf),
        best("heun", math.inf, 20, 0.2, math.nan, False),
        best("ddpm:large", 20, 5, -0.5123, 0.0123, True, 20),
        best("heun", 20, 20, -0.01, 0.02, False),
        best("ddpm:large", 40, 20, -0.2345, 0.0056, True),
        best("heun", 40, 20, 0.3, 0.02, False),
    ],
    "hellinger2": [],
    "wasserstein2": [
        best("ddpm:large", 20, 20, 0.4, 0.1, False),
        best("heun", 20, 5, -0.0789, 0.0034, True, 5),
        best("ddpm:large", 40, 20, 0.6, 0.1, False),
        best("heun", 40, 20, 0.7, 0.1, False),
    ],
}


def summary(*sizes: int, **changes: Any) -> StepsSummary:
    chosen = sizes or (20, 40)
    fields: dict[str, Any] = {
        "rows": rows_of(math.inf, *chosen),
        "notes": ["a note on all this"],
        "theory": {
            "kl_floor": {20: 0.7654, 40: 0.3456},
            "best_steps": {
                20: {"ddpm:large": BestSteps(7, 0.77, 0.88), "heun": BestSteps(math.inf, 0.9, 0.9)},
                40: {"ddpm:large": BestSteps(13, 0.33, 0.44)},
            },
        },
        "options": StepsOptions(
            train_sizes=chosen,
            steps=(20, 5),
            samplers=SAMPLERS,
            dim=DIM,
            mean=0.25,
            std=STD,
            schedule="cosine",
            originals=777,
            ridge=0.01,
            seed=9,
        ),
        "all_steps": STEPS,
        "orders": {"ddpm:large": 1.234, "heun": 2.345},
        "optima": OPTIMA,
    }
    return StepsSummary(**{**fields, **changes})


def own(found: StepsSummary, sampler: str, n: float) -> list[dict[str, Any]]:
    return [dict(r) for r in found.rows if (r["sampler"], r["train_size"]) == (sampler, n)]


class TestTables:
    def test_every_column_and_cell(self) -> None:
        found = summary()
        exact, kl, share, *_ = read_tables(tables(found))
        assert exact.title == "Infinite data: KL(generated || population) at S steps, nats, exact"
        assert exact.columns == [
            ("S", ["5", "20", "inf", "order"]),
            (
                "ddpm:large",
                [*(number(r["kl_mean"]) for r in own(found, "ddpm:large", math.inf)), "1.23"],
            ),
            ("heun", [*(number(r["kl_mean"]) for r in own(found, "heun", math.inf)), "2.35"]),
        ]
        assert kl.title == "n = 20, 25 runs: KL, nats; theory at S = inf: 0.7654"
        # Of standard errors 0.001, 0.004 and 0.007 the largest, and the other sampler's.
        assert kl.columns == [
            ("S", ["5", "20", "inf", "s.e. <"]),
            ("ddpm:large", ["1.010", "1.040", "1.070", "0.0070"]),
            ("theory", ["1.510", "1.540", "1.570", ""]),
            ("heun", ["1.020", "1.050", "1.080", "0.0080"]),
            ("theory", ["1.520", "1.550", "1.580", ""]),
        ]
        assert share.title == "n = 20: P(Delta > 0)"
        # Intervals are 0.14 wide.
        assert share.columns == [
            ("S", ["5", "20", "inf", "95% ±"]),
            ("ddpm:large", ["0.225", "0.300", "0.375", "0.070"]),
            ("heun", ["0.250", "0.325", "0.400", "0.070"]),
        ]

    def test_each_size_has_its_own(self) -> None:
        _, _, _, kl, share, *_ = read_tables(tables(summary()))
        assert kl.title == "n = 40, 25 runs: KL, nats; theory at S = inf: 0.3456"
        assert kl.column("heun")[:3] == ["1.090", "1.120", "1.150"]
        assert kl.columns[-1] == ("theory", ["1.590", "1.620", "1.650", ""])
        assert share.column("heun")[:3] == ["0.425", "0.500", "0.575"]

    def test_the_verdicts(self) -> None:
        *_, kl, wasserstein = read_tables(tables(summary()))
        keys = [
            ("n", ["inf", "inf", "20", "20", "40", "40"]),
            ("sampler", ["ddpm:large", "heun"] * 3),
        ]
        assert kl.columns == [
            *keys,
            ("S: KL", ["inf", "inf", "5", "inf", "20", "inf"]),
            ("theory", ["inf", "", "20", "", "", ""]),
            ("all S", ["", "", "7", "inf", "13", ""]),
            ("excess", ["", "", "-0.512 ± 0.012", "", "-0.2345 ± 0.0056", ""]),
        ]
        assert wasserstein.columns == [
            *keys,
            ("S: W2^2", ["", "", "inf", "5", "inf", "inf"]),
            ("theory", ["", "", "", "5", "", ""]),
            ("excess", ["", "", "", "-0.0789 ± 0.0034", "", ""]),
        ]

    def test_where_kl_is_infinite_wasserstein_stands(self) -> None:
        rows = rows_of(math.inf, 20, kl_mean=math.inf, kl_se=math.nan)
        _, distance, *_ = read_tables(tables(summary(20, rows=rows)))
        assert distance.title == "n = 20, 25 runs: W2^2 (KL is infinite)"
        assert distance.column("heun") == ["0.01020", "0.01050", "0.01080", "8.0e-05"]
        assert distance.columns[-1] == ("theory", ["0.01520", "0.01550", "0.01580", ""])

    def test_one_run_and_one_number_of_steps_have_no_last_line(self) -> None:
        rows = [
            row(s, steps, n, kl_se=math.nan, simulations=1)
            for n in (math.inf, 20)
            for s in SAMPLERS
            for steps in (5.0, math.inf)
        ]
        orders = dict.fromkeys(SAMPLERS, math.nan)
        found = summary(20, rows=rows, orders=orders, all_steps=(5.0, math.inf))
        exact, kl, *_ = read_tables(tables(found))
        assert exact.column("S") == kl.column("S") == ["5", "inf"]
        assert kl.title.startswith("n = 20, 1 run: ")

    def test_heading(self) -> None:
        assert heading(summary()) == (
            "Samplers with a linear denoiser on N(0.25, 0.5^2) in d = 12\n"
            "schedules: cosine (DDPM, DDIM), karras (Euler, Heun), T = 1000, standard start\n"
            "ridge 0.01, 777 originals (expected), seed 9"
        )
        law = StepsOptions((20,), dim=5, population="power-law", exponent=1.5, diffusion_steps=0)
        text = heading(summary(20, options=law))
        assert "N(0, 1^2) in d = 5, variances k^-1.5" in text
        assert "T = S," in text

    def test_a_perfect_model_where_it_is_known(self) -> None:
        rows = rows_of(math.inf, 20, delta_perfect=0.4567)
        assert "n = 20: P(Delta > 0); perfect model: 0.457" in tables(summary(20, rows=rows))

    def test_each_column_is_explained_in_one_line(self) -> None:
        text = tables(summary())
        meanings = legend_of(text)
        assert set(meanings) == {
            *("S", "KL", "order", "theory", "s.e. <", "P(Delta > 0)", "95% ±"),
            *("n", "S: KL", "S: W2^2", "all S", "excess"),
        }
        assert meanings["95% ±"] == "half the width of the widest Wilson 95% interval above"
        assert meanings["s.e. <"] == "largest standard error of the means above"
        rows = rows_of(math.inf, 20, kl_mean=math.inf, kl_se=math.nan)
        assert "W2^2" in legend_of(tables(summary(20, rows=rows)))

    @pytest.mark.parametrize("size", [1e-9, 1.0, 123456.0, 3.3e9])
    def test_it_fits_80_columns(self, size: float) -> None:
        names = ("ddpm", "ddpm:large", "ddim", "ddim:0.25", "euler", "heun")
        steps = (1.0, 1_000_000.0, math.inf)
        rows = [
            {
                **row("heun", 5.0, n, kl_mean=size, kl_se=size / 7, kl_theory=size),
                "sampler": s,
                "steps": value,
            }
            for n in (math.inf, 10_000_000)
            for s in names
            for value in steps
        ]
        options = StepsOptions((10_000_000,), (1,), names)
        found = summary(
            rows=rows,
            options=options,
            all_steps=steps,
            orders=dict.fromkeys(names, 1.0),
            optima={"kl": [best(s, 10_000_000, 1, -size, size / 9, True, 1e6) for s in names]}
            | {"wasserstein2": []},
        )
        text = tables(found)
        check_width(text)
        assert "n = 10000000" in text
        assert "1000000" in read_tables(text)[0].column("S")
        assert "e+0" not in " ".join(read_tables(text)[-1].column("n"))


class TestAnswer:
    def test_for_which_sampler_and_size(self) -> None:
        assert answer(summary()) == (
            "Answer: a finite number of steps is best by KL for ddpm:large (S = 5 to 20 at n = 20 "
            "and 40); by W2^2 for heun (S = 5 at n = 20)."
        )
        assert answer(summary()) in sentences(tables(summary()))

    def test_where_none_is(self) -> None:
        none = [o._replace(better=False) for o in OPTIMA["kl"]]
        text = answer(summary(optima={"kl": none, "wasserstein2": []}))
        assert text == "Answer: a finite number of steps is best by KL for no sampler at any n."

    def test_where_kl_is_infinite_at_some_sizes(self) -> None:
        some = [o for o in OPTIMA["kl"] if o.train_size == 40]
        text = answer(summary(optima={"kl": some, "wasserstein2": []}))
        assert "by KL, where it is finite, for ddpm:large (S = 20 at n = 40)" in text

    def test_one_run_cannot_tell(self) -> None:
        one = [o._replace(better=False, excess_se=math.nan) for o in OPTIMA["kl"]]
        text = answer(summary(optima={"kl": one, "wasserstein2": []}))
        assert "one run alone has no standard error" in text


class TestSummary:
    study = StepsStudy(
        StepsOptions((20, 60), (10, 5), ("ddim", "heun"), dim=8, simulations=3, originals=50)
    )

    def test_rows(self) -> None:
        found, values = filled(self.study)
        measured = [r for r in found.rows if not math.isinf(r["train_size"])]
        assert len(measured) == 2 * 2 * 3
        for r in measured:
            own = values[r["train_size"]]
            steps = "inf" if math.isinf(r["steps"]) else int(r["steps"])
            wanted: dict[str, Any] = {
                "sampler": r["sampler"],
                "steps": r["steps"],
                "train_size": r["train_size"],
                "simulations": 3,
            }
            for name in ("kl", "hellinger2", "wasserstein2"):
                here = own[f"{r['sampler']}/{steps}/{name}"]
                limit = own[f"{r['sampler']}/inf/{name}"]
                wanted |= expected(name, here)
                gap = list(np.subtract(here, limit))
                wanted |= {
                    f"{name}_excess": expected(name, gap)[f"{name}_mean"],
                    f"{name}_excess_se": expected(name, gap)[f"{name}_se"],
                }
            wanted |= expected_share("delta", own[f"{r['sampler']}/{steps}/delta_sign"])
            schedule = "karras" if r["sampler"] == "heun" else "linear"
            theory = sampler_quality(
                [1.0] * 8, r["steps"], r["sampler"], schedule, n_train=r["train_size"]
            )
            wanted |= {
                "kl_theory": theory.kl,
                "hellinger2_theory": theory.hellinger_squared,
                "wasserstein2_theory": theory.wasserstein_squared,
            }
            (share,) = found.theory["perfect_delta"]["share"][
                found.theory["perfect_delta"]["train_size"] == r["train_size"]
            ]
            low, high = wilson_interval(round(200 * share), 200)
            ends = {"delta_perfect_low": low, "delta_perfect_high": high}
            wanted |= {"delta_perfect": share, **ends}
            assert list(r) == list(wanted)
            assert r == pytest.approx(wanted)

    def test_theory(self) -> None:
        found, _ = filled(self.study)
        # d ln(n / (n - 1)) / 2 beside the Wishart term: mean and covariance with 1/n.
        floor = wishart_kl(8, 59).generated_population + 4 * math.log(60 / 59)
        assert found.theory["kl_floor"][60] == pytest.approx(floor)
        assert found.theory["best_steps"] == {
            n: {
                "ddim": best_steps([1.0] * 8, n, "ddim", "linear"),
                "heun": best_steps([1.0] * 8, n, "heun", "karras"),
            }
            for n in (20, 60)
        }
        # At infinite n the theory is what is exact.
        for r in found.rows[:6]:
            assert r["kl_theory"] == r["kl_mean"]
            assert math.isnan(r["delta_perfect"])
            assert list(r) == list(found.rows[-1])

    def test_document(self) -> None:
        found, _ = filled(self.study)
        document = json.loads(as_json(found.document()))
        assert set(document) == {"rows", "orders", "optima", "best_steps", "notes"}
        predicted = found.theory["best_steps"][60]["heun"]
        wanted = {"train_size": 60, "sampler": "heun", "steps": predicted.steps}
        entry = document["best_steps"][-1]
        assert {name: entry[name] for name in wanted} == wanted
        assert entry["kl"] == pytest.approx(predicted.kl)
        assert entry["kl_limit"] == pytest.approx(predicted.kl_limit)
        assert set(document["orders"]) == {"ddim", "heun"}
        assert set(document["optima"]) == {"kl", "hellinger2", "wasserstein2"}
        wanted = optima(found.rows, "kl")
        for entry, o in zip(document["optima"]["kl"], wanted, strict=True):
            values = entry if isinstance(entry, list) else list(entry.values())
            assert values[0] == o.sampler
            assert values[2] == o.steps
            assert values[3] == pytest.approx(o.excess)
        assert len(document["rows"]) == len(found.rows)
        assert document["rows"][-1]["train_size"] == 60


class TestFigure:
    def test_every_curve_lies_where_the_rows_say(self) -> None:
        found = summary()
        axes = np.reshape(figures(found)["figure"].axes, (3, 2))
        x = np.array([5, 20, 100.0])
        for line, (metric, unit) in zip(
            axes,
            [
                ("kl_mean", 1 / DIM),
                ("wasserstein2_mean", 1 / (DIM * STD**2)),
                ("delta_positive", 1.0),
            ],
            strict=True,
        ):
            for axis, sampler in zip(line, SAMPLERS, strict=True):
                curves = [s for s in drawn(axis).values() if s.marker not in {"None", "."}]
                curves = [s for s in curves if s.edge != VERMILION.lower()]
                for n, marker in ((20, "o"), (40, "s")):
                    y = unit * np.array([r[metric] for r in own(found, sampler, n)])
                    finite, limit = [s for s in curves if s.marker == marker]
                    assert finite.dash == limit.dash == "None"
                    name = metric.replace("_mean", "_theory")
                    theory = unit * np.array([r[name] for r in own(found, sampler, n)])
                    lines = [s for s in drawn(axis).values() if s.colour == finite.colour]
                    joined, dotted = [s for s in lines if s.marker == "None"]
                    assert (joined.dash, dotted.dash) == ("-", ":")
                    np.testing.assert_allclose(joined.x, x[:2])
                    np.testing.assert_allclose(joined.y, theory[:2])
                    np.testing.assert_allclose(dotted.y, theory[1:])
                    np.testing.assert_allclose(finite.x, x[:2])
                    np.testing.assert_allclose(finite.y, y[:2])
                    np.testing.assert_allclose((limit.x[0], limit.y[0]), (x[2], y[2]))
                exact = [s for s in drawn(axis).values() if s.dash == "--"]
                if metric == "delta_positive":
                    assert not exact
                    continue
                y = unit * np.array([r[metric] for r in own(found, sampler, math.inf)])
                np.testing.assert_allclose(exact[0].x, x[:2])
                np.testing.assert_allclose(exact[0].y, y[:2])
                assert exact[0].colour == "#000000"

    def test_rings_are_at_the_best_number_of_steps(self) -> None:
        found = summary()
        axes = np.reshape(figures(found)["figure"].axes, (3, 2))

        def rings(axis: Any) -> list[tuple[float, float]]:
            lines = [line for line in axis.get_lines() if line.get_markeredgecolor() == VERMILION]
            return [(float(line.get_xdata()[0]), float(line.get_ydata()[0])) for line in lines]

        kl = {n: own(found, "ddpm:large", n) for n in (20, 40)}
        assert rings(axes[0, 0]) == [
            (5.0, pytest.approx(kl[20][0]["kl_mean"] / DIM)),
            (20.0, pytest.approx(kl[40][1]["kl_mean"] / DIM)),
        ]
        assert rings(axes[0, 1]) == []
        heun = own(found, "heun", 20)[0]["wasserstein2_mean"]
        assert rings(axes[1, 1]) == [(5.0, pytest.approx(heun / (DIM * STD**2)))]
        assert rings(axes[2, 0]) == []

    def test_bands_are_the_intervals(self) -> None:
        found = summary()
        axes = np.reshape(figures(found)["figure"].axes, (3, 2))
        for axis, sampler in zip(axes[2], SAMPLERS, strict=True):
            for band, n in zip(axis.collections, (20, 40), strict=True):
                corners = band.get_paths()[0].vertices
                for r, x in zip(own(found, sampler, n), (5, 20, 100), strict=True):
                    heights = corners[np.isclose(corners[:, 0], x), 1]
                    assert heights.min() == pytest.approx(r["delta_positive_low"])
                    assert heights.max() == pytest.approx(r["delta_positive_high"])

    def test_words(self) -> None:
        figure = figures(summary())["figure"]
        axes = np.reshape(figure.axes, (3, 2))
        assert [axis.get_ylabel() for axis in axes[:, 0]] == [
            "KL / d  [nats]",
            r"$W_2^2 / (d\,\sigma^2)$",
            r"$P(\Delta > 0)$",
        ]
        assert [axis.get_title() for axis in axes[0]] == [
            "ddpm:large\norder 1.23",
            "heun\norder 2.35",
        ]
        assert {axis.get_xlabel() for axis in axes[2]} == {"sampling steps S"}
        labels = [label.get_text() for label in axes[2, 0].get_xticklabels()]
        assert labels == ["5", "20", "∞"]
        assert caption_of(figure) == (
            "Linear denoiser on N(0.25, 0.5²) in d = 12, T = 1000, standard start, ridge 0.01, "
            "seed 9"
        )

    def test_the_legend_has_the_looks_of_the_curves(self) -> None:
        figure = figures(summary())["figure"]
        found = entries_of(figure)
        assert list(found) == [
            "n = 20 (1.7 d)",
            "n = 40 (3.3 d)",
            "theory at n points (distances)",
            "infinite data, exact",
            "Wilson 95% interval",
            "finite S better than ∞ (4 s.e.)",
            "best S in theory (KL)",
        ]
        axis = figure.axes[0]
        for label, marker in (("n = 20 (1.7 d)", "o"), ("n = 40 (3.3 d)", "s")):
            (line, *_) = [
                each
                for each in axis.get_lines()
                if each.get_marker() == marker and each.get_markeredgecolor() != VERMILION
            ]
            assert found[label].get_marker() == marker
            assert found[label].get_color() == line.get_color()
        none = {"kl": [], "wasserstein2": []}
        figure = figures(summary(optima=none))["figure"]
        assert "finite S better than ∞ (4 s.e.)" not in entries_of(figure)

    def test_diamonds_are_at_the_predicted_best(self) -> None:
        axes = figures(summary())["figure"].axes
        marked = [
            [
                (float(line.get_xdata()[0]), float(line.get_ydata()[0]))
                for line in axis.get_lines()
                if line.get_marker() == "D" and line.get_markeredgecolor() == "black"
            ]
            for axis in axes
        ]
        assert marked[0] == [
            (7.0, pytest.approx(0.77 / DIM)),
            (13.0, pytest.approx(0.33 / DIM)),
        ]
        assert not any(marked[1:])

    def test_infinite_kl_has_no_empty_panels(self) -> None:
        rows = rows_of(math.inf, 20, 40, kl_mean=math.inf, kl_se=math.nan)
        figure = figures(summary(rows=rows))["figure"]
        assert len(figure.axes) == 4
        assert figure.axes[0].get_ylabel() == r"$W_2^2 / (d\,\sigma^2)$"
        assert caption_of(figure).endswith("not drawn: KL (infinite at every n)")

    def test_an_unknown_order_is_not_shown(self) -> None:
        figure = figures(summary(orders=dict.fromkeys(SAMPLERS, math.nan)))["figure"]
        assert figure.axes[0].get_title() == "ddpm:large"

    def test_a_perfect_model_where_theory_has_it(self) -> None:
        known = {"train_size": [20, 40, 99], "share": [0.31, 0.52, 0.9]}
        figure = figures(summary(theory={"perfect_delta": known}))["figure"]
        levels = [s for s in drawn(figure.axes[4]).values() if s.dash == "-."]
        assert [float(s.y[0]) for s in levels] == [0.31, 0.52]
        assert "perfect model" in entries_of(figure)

    @pytest.mark.parametrize("count", [1, 2, 5])
    def test_labels_do_not_overlap(self, count: int) -> None:
        names = ("ddpm:large", "heun", "ddim:0.25", "euler", "ddim")[:count]
        rows = [
            {**row("heun", steps, n), "sampler": name}
            for n in (math.inf, 20, 40)
            for name in names
            for steps in STEPS
        ]
        steps = (1.0, 1000.0, math.inf) if count == 2 else STEPS
        if count == 2:
            swap = dict(zip(STEPS, steps, strict=True))
            rows = [{**r, "steps": swap[r["steps"]]} for r in rows]
        options = StepsOptions((20, 40), (5, 20), names, dim=DIM)
        found = summary(
            rows=rows,
            options=options,
            all_steps=steps,
            orders=dict.fromkeys(names, 1.0),
            optima={"kl": [], "wasserstein2": []},
        )
        check_layout(figures(found)["figure"])
