"""Text, page, document and figure of a forecast, with distinct numbers going in."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from tests.forecasting.example import example_report
from tests.reports.reading import (
    caption_of,
    check_layout,
    check_width,
    drawn,
    legend_of,
    read_tables,
    sentences,
)

from ornstein.cli.parsing import as_json
from ornstein.forecasting.report import ForecastReport


@pytest.fixture(scope="module")
def report() -> ForecastReport:
    return example_report()


def test_the_text_fits_and_explains_its_columns(report: ForecastReport) -> None:
    text = str(report)
    check_width(text)
    meanings = legend_of(text)
    for table in read_tables(text)[1:6]:
        for heading, _ in table.columns:
            if heading == "quantity" or " at " in heading:
                continue
            assert heading in meanings, heading


def test_targets(report: ForecastReport) -> None:
    table = read_tables(str(report))[0]
    assert table.column("target") == ["w2 <= 0.1", "auc <= 0.55", "one-step-w2 <= 0.2"]
    assert table.column("points needed") == ["412", "61", "not within 100 x"]
    assert table.column("from") == ["380.0", "55.00", ""]
    assert table.column("to") == ["447.0", "68.00", ""]
    assert table.column("at your data") == ["0.3050", "0.5300", "0.2710"]
    said = sentences(str(report))
    assert "from 412 [380, 447] points on, 4.12 times your data, with which it is 0.3050." in said
    assert "from 61 [55, 68] points on; your 100 are enough (it is 0.5300)." in said
    assert (
        "not within 100 times your data (10000 points), where it is 0.2620; with your 100 points "
        "it is 0.2710." in said
    )


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
        "from no number of points, as some directions never vary; for the leading 5 components",
        "alone from n* = 31.40. Its noise: T = 1.5, noise scale 0.7",
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
    assert frame["auc_subset_se"][1] == 0.01
    assert np.isnan(frame["auc_measured"][2])
    assert repr(report).startswith("ForecastReport('some.npy': 100 points of 7 coordinates")


def test_page_and_fragment(report: ForecastReport, tmp_path: Path) -> None:
    report.to_html(tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text()
    for words in (
        "from 412 [380, 447] points on", "0.5000 ± 0.0010", "train loss, 0.1", "+25.0%",
        "twice as much", "more are needed", "n* = 31.40", "some.npy: 3 rows repeat.",
        "data:image/png;base64,", "0.003100", "0.3600",
    ):  # fmt: skip
        assert words in page, words
    assert "from 61 [55, 68] points on" in report._repr_html_()
    assert not re.search(r"src='(?!data:)", page)
    assert "name='viewport'" in page  # on a phone tables are scrolled, not the page
    assert (
        page.count("<div class='scroll'") == page.count("<table>") == page.count("</table></div>")
    )


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
    below = drawn(figure.axes[2])
    np.testing.assert_allclose(below["theory, new points"].y, [0.48, 0.58, 0.68, 0.88])
    losses = drawn(figure.axes[3])
    np.testing.assert_allclose(losses["least loss"].y, [0.052, 0.052])
    np.testing.assert_allclose(losses["theory, training points"].y, [0.56, 0.46, 0.36, 0.16])
    spectrum = drawn(figure.axes[5])
    np.testing.assert_allclose(spectrum["estimated population"].y, [9, 4, 1])
    np.testing.assert_allclose(spectrum["sample covariance"].y, [10, 3.5, 0.9])
