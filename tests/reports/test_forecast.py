"""Text, page, document and figure of a forecast, with distinct numbers going in."""

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import LineCollection, PolyCollection
from tests.forecasting.example import example_report
from tests.reports.html_reading import Page, check_page
from tests.reports.reading import (
    caption_of,
    check_layout,
    check_width,
    drawn,
    legend_of,
    read_tables,
    sentences,
)

from ornstein.forecasting.report import ForecastReport
from ornstein.json_values import as_json
from ornstein.reports.documents import plain_answer
from ornstein.reports.explanations import FORECAST
from ornstein.reports.forecast_document import forecast_document
from ornstein.reports.forecast_html import forecast_page
from ornstein.reports.formats import formatted
from ornstein.reports.pages import page


@pytest.fixture(scope="module")
def report() -> ForecastReport:
    return example_report()


def test_the_text_fits_and_explains_its_columns(report: ForecastReport) -> None:
    text = str(report)
    check_width(text)
    meanings = legend_of(text)
    for table in read_tables(text):
        for heading, _ in table.columns:
            if heading in {"quantity", "target", "points needed"} or "of the MLP" in heading:
                continue
            name = heading.partition(" at ")[0]  # train at 0.1
            assert heading in meanings or name in meanings, heading


def test_targets(report: ForecastReport) -> None:
    table = read_tables(str(report))[0]
    assert table.column("target") == ["w2 <= 0.1", "auc <= 0.55", "one-step-w2 <= 0.2"]
    assert table.column("points needed") == ["412", "61", "not within 100 x"]
    assert table.column("from") == ["380.0", "55.00", ""]
    assert table.column("to") == ["447.0", "68.00", ""]
    assert table.column("at your data") == ["0.3050", "0.5300", "0.2710"]
    assert table.column("at 100 x") == ["0.003100", "0.5100", "0.2620"]
    said = sentences(str(report))
    assert "from 412 [380, 447] points on, 4.12 times your data, with which it is 0.3050." in said
    assert "from 61 [55, 68] points on; your 100 are enough (it is 0.5300)." in said
    assert (
        "not within 100 times your data (10000 points), where it is 0.2620; with your 100 points "
        "it is 0.2710." in said
    )


def test_the_answer_names_every_target(report: ForecastReport) -> None:
    assert plain_answer(forecast_document(report)) == (
        "Your 100 points are enough for auc <= 0.55; w2 <= 0.1 takes 412 points, and you have 100; "
        "10000 points are not enough for one-step-w2 <= 0.2."
    )
    without = replace(report, targets=())
    assert "with 100 points W2^2 is 0.3000 of the total variance" in str(without)
    assert "points needed" not in str(without)


def test_curve_and_losses(report: ForecastReport) -> None:
    tables = read_tables(str(report))
    assert tables[1].column("n") == ["25", "50", "100", "1000"]
    assert tables[1].column("of data") == ["0.250", "0.500", "1.00", "10.0"]
    assert tables[1].column("W2^2")[0] == "0.5000 ± 0.0010"
    assert tables[1].column("one-step W2^2")[1] == "0.4100 ± 0.0020"
    assert tables[1].column("consistency")[2] == "0.3200 ± 0.0030"
    assert tables[2].column("AUC")[3] == "0.1300 ± 0.0040"
    columns = {name: cells for table in tables[3:5] for name, cells in table.columns}
    assert columns["train at 0.1"][0] == "0.5400 ± 0.0050"
    assert columns["test at 1"][3] == "0.190 ± 0.010"
    assert "the least possible is 0.01100 at 0.1, 0.05200 at 0.3, 0.2930 at 1" in sentences(
        str(report)
    )


def test_comparisons(report: ForecastReport) -> None:
    (table,) = [t for t in read_tables(str(report)) if t.columns[0][0] == "quantity"]
    assert table.title == "Measured: 13 subsets of each size, and theory of the same subsets"
    assert table.column("quantity")[:2] == ["W2^2", "W2^2"]
    assert table.column("n")[:2] == ["25", "50"]
    assert table.column("measured")[0] == "0.200 ± 0.020"
    assert table.column("theory")[0] == "0.250 ± 0.010"
    assert table.column("differ")[0] == "+25.0%"
    assert float(table.column("s.e.")[0]) == pytest.approx(0.05 / math.hypot(0.02, 0.01), rel=0.02)
    assert table.column("quantity")[4] == "test loss, 0.3"


def test_modes_network_and_sentences(report: ForecastReport) -> None:
    tables = {t.columns[0][0]: t for t in read_tables(str(report))}
    modes = tables["component"]
    assert modes.column("component") == ["1", "7"]
    assert modes.column("of variance") == ["0.600", "0.0100"]
    assert modes.column("ideal") == ["0.9000", "0.2000"]
    assert modes.column("kept") == ["0.8100", "0.1500"]
    assert modes.column("over-shrunk") == ["10.00%", "25.00%"]
    assert modes.column("agreed") == ["0.9500", "0.7000"]
    said = sentences(str(report))
    for words in (
        "Forecast for some.npy: 100 points of 7 coordinates (2 more never vary and are left out)",
        "4.500 in data units",
        "as some directions never vary; for the leading 5 components alone they stay away from 0",
        "from n* = 31.40 on. Its noise: T = 1.5, noise scale 0.7",
        "With 100 points and the leading 5 components (99% of the variance), Heun's method",
        "at 17 steps (0.1234 nats, 0.1299 for infinitely many); 8 steps are within 5%",
        "in data units: 80.0, 3.30, 0.00210.",
        "from time 1.10 to 3.30, least at 2.20 (0.06600 of the variance); trained to the end",
        "it is 0.07700",
        "noise 0.3 (1.35 in data units)",
        "noise 5.55 in data units (OU time t_C = 0.444)",
        "At n = 25 its W2^2 is 2.00 and its loss 1.50 times the forecast of the linear models.",
        "rows of one size: in part. Twice as much. More are needed.",
        "independent rows: yes. Correlation 0.01.",
        "some.npy: 3 rows repeat.",
    ):
        assert words in said, words


def test_document_and_rows(report: ForecastReport) -> None:
    document = json.loads(as_json(report.to_dict()))
    assert document["sizes"] == {"points": 100, "dim": 7, "constant": 2, "unit": 4.5}
    assert document["threshold"] == "inf"
    assert document["curve"][0]["values"]["w2"] == 0.5
    assert document["compared"][0]["percent"] == pytest.approx(25)
    assert document["targets"][2]["n"] == "inf"
    assert document["modes"][1]["over_shrinkage"] == pytest.approx(0.25)
    assert document["best_losses"] == {"0.1": 0.011, "0.3": 0.052, "1": 0.293}
    assert document["network"][0]["w2"] == 0.36
    frame = report.to_pandas()
    assert list(frame.n) == [25, 50, 100, 1000]
    assert list(frame.multiple) == [0.25, 0.5, 1, 10]
    assert frame["auc_measured"][0] == 3.2
    for name, value in (("", 3.2), ("_se", 0.02)):
        assert frame[f"auc_measured{name}"][1] == value
    for name, value in (("", 3.25), ("_se", 0.01)):
        assert frame[f"auc_subset{name}"][1] == value
    assert (frame["auc"][1], frame["auc_se"][1]) == (pytest.approx(0.43), 0.004)
    assert np.isnan(frame["auc_measured"][2])
    assert repr(report).startswith("ForecastReport('some.npy': 100 points of 7 coordinates")


@pytest.fixture(scope="module")
def shown(report: ForecastReport) -> Page:
    settings, versions = {"replicates": 13, "check": None}, {"numpy": "7.7"}
    return check_page(
        page(forecast_page(report, settings=settings, versions=versions, command="ornstein f"))
    )


def test_the_page_says_what_was_asked_and_found(report: ForecastReport, shown: Page) -> None:
    assert shown.headings[0] == (1, FORECAST.title)
    assert shown.by_class["question"] == [FORECAST.question]
    assert shown.by_class["answer"][0].startswith("Answer. Your 100 points are enough for auc <=")
    assert shown.by_class["subject"][0].startswith("Forecast for some.npy: 100 points of 7")
    for words in (
        "Threshold. The one-step", "Sampling steps. With 100", "Grid. Noise levels",
        "Early stopping. Gradient flow", "Collapse. A model", "from 412 [380, 447] points",
        "auc <= 0.55. AUC of membership at the noise that leaks most: from 61 [55, 68] points on",
        "A small network. At n = 25 its W2² is 2.00 and its loss 1.50 times",
        "some.npy: 3 rows repeat.", "W2² is the squared Wasserstein distance",
    ):  # fmt: skip
        assert any(words in item for item in shown.items), words
    assert not any(item.startswith("Assumption") for item in shown.items)
    assert set(FORECAST.made) <= {text.replace("²", "^2") for text in shown.definitions}
    assert shown.captions == [f"Learning curves. {FORECAST.figure}"]
    assert dict(shown.table("Options of the run").rows) == {"replicates": "13"}
    assert dict(shown.table("What it ran with").rows) == {"numpy": "7.7"}
    assert shown.code == "ornstein f"


def test_the_tables_of_the_page(report: ForecastReport, shown: Page) -> None:
    table = shown.table("Assumptions, and the check of each")
    assert table.head == ["assumption", "holds", "check", "what follows"]
    assert table.rows[0] == ["rows of one size", "in part", "twice as much", "more are needed"]
    compared = shown.table("Measured: 13 subsets of each size, and theory of the same subsets")
    assert len(compared.rows) == len(report.compared) == 20
    assert compared.rows[2][:3] == ["one-step W2²", "25", "1.200 ± 0.020"]
    assert ["train loss, 0.1", "50"] in [row[:2] for row in compared.rows]
    (network,) = [each for each in shown.tables if each.caption.startswith("A small network")]
    assert network.head[2] == "linear (W2² of the MLP)"
    assert network.head[4] == "linear (loss of the MLP)"
    assert network.rows == [["25", "0.3600", "0.1800", "0.09000", "0.06000", "7.0"]]
    for heading in (*compared.head[2:], "of data", "train", "at 100 x", "agreed", "linear"):
        assert heading in shown.definitions, heading


def test_formats_and_fragment(report: ForecastReport, tmp_path: Path) -> None:
    report.to_html(tmp_path / "report.html")
    written = (tmp_path / "report.html").read_text()
    assert check_page(written).headings[0] == (1, FORECAST.title)
    document = forecast_document(report)
    written = formatted(document, "csv")
    assert "25,0.250,0.5000,0.0010,0.5100,0.0020,0.5200,0.0030,0.5300,0.0040,0.32\n" in written
    assert '"train loss, 0.1",25,4.200,0.020,4.250,0.010,+1.2%,2.2' in written
    assert "# Assumption, rows of one size: in part. Twice as much. More are needed." in written
    assert "| auc \\<= 0.55 |" in formatted(document, "markdown").replace("&lt;", "<")
    assert r"\caption{Learning curve: what n new points" in formatted(document, "latex")
    part = report._repr_html_()
    assert "from 61 [55, 68] points on" in part
    assert "0.5000 ± 0.0010" in part
    # The comparisons of the text; the page has all.
    assert "train loss, 0.1" not in part
    assert "train loss, 0.1" in (tmp_path / "report.html").read_text()
    assert "<html" not in part


def test_it_is_read_back(report: ForecastReport) -> None:
    again = ForecastReport.from_dict(json.loads(as_json(report.to_dict())))
    assert str(again) == str(report)
    assert as_json(again.to_dict()) == as_json(report.to_dict())
    assert again.targets[1] == report.targets[1]
    assert again.best_losses == report.best_losses
    assert again.sampling == report.sampling
    plain = report.to_dict()
    del plain["collapse"]
    with pytest.raises(ValueError, match="this is no document of a forecast: 'collapse'"):
        ForecastReport.from_dict(plain)


@pytest.mark.parametrize(("name", "width"), [("paper", 6.75), ("talk", 12.0)])
def test_figure_of_a_style(report: ForecastReport, name: str, width: float) -> None:
    figure = report.figure(name)
    check_layout(figure)
    assert figure.get_figwidth() == width


def test_figure(report: ForecastReport) -> None:
    figure = report.figure()
    check_layout(figure)
    assert "some.npy" in caption_of(figure)
    first = drawn(figure.axes[0])
    np.testing.assert_allclose(first["theory, new points"].x, [25, 50, 100, 1000])
    np.testing.assert_allclose(first["theory, new points"].y, [0.5, 0.4, 0.3, 0.1])
    np.testing.assert_allclose(first["theory, subsets of data"].y, [0.25, 0.25])
    np.testing.assert_allclose(first["measured, subsets of data"].y, [0.2, 0.2])
    np.testing.assert_allclose(first["your data"].x, [100, 100])
    # Two standard errors of the theory, and one of what was measured.
    (band,) = [c for c in figure.axes[0].collections if isinstance(c, PolyCollection)]
    edges = band.get_paths()[0].vertices
    assert {round(y, 9) for x, y in edges if x == 25} == {0.498, 0.502}
    (bars,) = [c for c in figure.axes[0].collections if isinstance(c, LineCollection)]
    np.testing.assert_allclose(bars.get_segments()[1], [[50, 0.18], [50, 0.22]])
    below = drawn(figure.axes[2])
    np.testing.assert_allclose(below["theory, new points"].y, [0.48, 0.58, 0.68, 0.88])
    losses = drawn(figure.axes[3])
    np.testing.assert_allclose(losses["least loss"].y, [0.052, 0.052])
    np.testing.assert_allclose(losses["theory, training points"].y, [0.56, 0.46, 0.36, 0.16])
    # Each panel is named for what it shows; bands are two standard errors, bars one.
    panels = {
        0: ("w2", "linear diffusion"),
        1: ("one_step_w2", "one-step"),
        2: ("consistency", "1 - consistency"),
        3: ("test_loss_0.3", "at noise 0.3"),
        4: ("auc", "AUC"),
    }
    for place, (name, label) in panels.items():
        axis = figure.axes[place]
        assert label in axis.get_ylabel()
        corners = np.asarray(axis.collections[0].get_paths()[0].vertices)
        for point in report.curve:
            value, error = point.values[name], point.errors[name]
            if math.isfinite(value):
                middle = 1 - value if name == "consistency" else value
                heights = corners[corners[:, 0] == point.n, 1]
                ends = (heights.min(), heights.max())
                assert ends == pytest.approx((middle - 2 * error, middle + 2 * error))
        measured = drawn(axis).get("measured, subsets of data")
        found = [each for each in report.compared if each.quantity == name]
        if measured is not None:
            half = [
                0.5 * (high - low) for low, high in zip(measured.low, measured.high, strict=True)
            ]
            assert half == pytest.approx(np.nan_to_num([each.measured_error for each in found]))
    spectrum = drawn(figure.axes[5])
    np.testing.assert_allclose(spectrum["estimated population"].y, [9, 4, 1])
    np.testing.assert_allclose(spectrum["sample covariance"].y, [10, 3.5, 0.9])
