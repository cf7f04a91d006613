"""What people read of planted records: numbers in their columns, and the sentence of the answer."""

from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("lightning")

from tests.reports.cells import expected, filled
from tests.reports.networks import STUDIED, options
from tests.reports.reading import legend_of, read_tables
from tests.reports.test_unet import row

from ornstein.engine.study import Cell
from ornstein.intervals import Z95, wilson_interval
from ornstein.reports.unet import answer, tables
from ornstein.studies.neural.canaries import CANARY_METRICS, CanaryStudy, CanarySummary
from ornstein.studies.neural.unet import UNetStudy

SHARES = ("canary_found", "control_found", "canary_auc", "canary_auc_without")


def planted(n: Any, number_of: int = 0, **changes: float) -> dict[str, Any]:
    """A row with columns of canaries, no two alike."""
    size = number_of or n
    found = row(n, number_of)
    for place, name in enumerate(SHARES):
        middle = 0.3 + place / 10 + size / 1e4
        found |= {name: middle, f"{name}_low": middle - 0.06, f"{name}_high": middle + 0.07}
    for place, name in enumerate(("canary_distance", "control_distance")):
        found |= {f"{name}_mean": 1.5 + place + size / 1e3, f"{name}_se": 0.02 + place / 100}
    return found | changes


def summary(*rows: dict[str, Any]) -> CanarySummary:
    overall = planted("all", 111)
    del overall["train_size"]
    return CanarySummary(
        **STUDIED,
        rows=rows or (planted(20), planted(40), planted(80)),
        options=options(),
        overall=overall,
        samples=(),
        components=(),
        has_fits=True,
        canaries=6,
    )


def test_every_column_and_cell() -> None:
    text = tables(summary())
    columns = {name: cells for table in read_tables(text) for name, cells in table.columns}
    assert columns["canaries found"][:2] == ["0.302 [0.242, 0.372]", "0.304 [0.244, 0.374]"]
    assert columns["controls found"][0] == "0.402 [0.342, 0.472]"
    assert columns["from canaries"][0] == "1.520 ± 0.020"
    assert columns["from controls"][0] == "2.520 ± 0.030"
    assert columns["AUC"][0] == "0.502 [0.442, 0.572]"
    assert columns["AUC without"][3] == "0.611 [0.551, 0.681]"
    meanings = legend_of(text)
    assert "planted records, those with" in meanings["canaries found"]
    assert "no network has seen" in meanings["controls found"]
    assert "has not seen them" in meanings["AUC without"]


def test_the_answer_is_by_intervals_that_do_not_overlap() -> None:
    apart = {"canary_found": 0.9, "canary_found_low": 0.48, "control_found_high": 0.472}
    touching = {"canary_found": 0.9, "canary_found_low": 0.46, "control_found_high": 0.476}
    told = {"canary_auc": 0.9, "canary_auc_low": 0.69, "canary_auc_without_high": 0.68}
    nearly = {"canary_auc": 0.9, "canary_auc_low": 0.67, "canary_auc_without_high": 0.68}
    text = answer(summary(planted(20, 0, **apart, **nearly), planted(40, 0, **touching, **told)))
    assert (
        "planted records are generated at n = 20, and told from controls at n = 40 (beyond the 95% "
        "intervals)"
    ) in text
    text = answer(summary(planted(20, 0, **touching, **nearly)))
    assert "are generated at no n, and told from controls at no n" in text


def test_rows_and_the_row_over_all_sizes() -> None:
    study = CanaryStudy(options(train_sizes=(20, 40), simulations=3), canaries=5)
    shares = {
        "canary_found": lambda n: [0.2, 0.4, n / 100],
        "control_found": lambda n: [0.0, 0.2, n / 200],
        "canary_auc": lambda n: [0.5, 0.6, n / 50],
        "canary_auc_without": lambda n: [0.4, 0.6, n / 100],
        "canary_auc_se": lambda _: [0.03, 0.04, 0.12],
    }
    found, values = filled(study, shares)
    assert isinstance(found, CanarySummary)
    assert set(CANARY_METRICS) < set(study.metrics)
    plain = [name for name in UNetStudy(study.options).metrics if name in study.metrics]
    assert list(study.metrics) == [*plain, *CANARY_METRICS]
    both = {name: values[20][name] + values[40][name] for name in CANARY_METRICS}
    for r, own in (*zip(found.rows, values.values(), strict=True), (found.overall, both)):
        wanted: dict[str, float] = {}
        for name in ("canary_found", "control_found"):
            count = 5 * len(own[name])
            low, high = wilson_interval(5 * sum(own[name]), count)
            wanted |= {name: 5 * sum(own[name]) / count, f"{name}_low": low, f"{name}_high": high}
        for name in ("canary_distance", "control_distance"):
            wanted |= expected(name, own[name])
        assert {name: r[name] for name in wanted} == pytest.approx(wanted)
    (first, _) = found.rows
    half = Z95 * 0.13 / 3  # the root of 0.03^2 + 0.04^2 + 0.12^2
    assert first["canary_auc"] == pytest.approx(0.5)
    assert first["canary_auc_low"] == pytest.approx(0.5 - half)
    assert first["canary_auc_high"] == pytest.approx(0.5 + half)
    assert 2 * UNetStudy(study.options).seconds(Cell(20, 0)) == study.seconds(Cell(20, 0))
