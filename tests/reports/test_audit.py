"""Text, sentences, rows, HTML and picture of an audit: each number in its place."""

import html
import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from tests.reports.html_reading import check_page

from ornstein.json_values import as_json
from ornstein.memorization.audit_report import AuditReport, Pairs
from ornstein.memorization.copies import Copy
from ornstein.memorization.metrics import Metric
from ornstein.memorization.power import Detectable
from ornstein.reports.audit import TITLES, audit_rows, audit_text, copy_rows
from ornstein.reports.audit_document import audit_document
from ornstein.reports.audit_html import audit_fragment, audit_page, pairs_figure, write_audit_html
from ornstein.reports.audit_sentences import audit_sentences
from ornstein.reports.documents import plain_answer
from ornstein.reports.explanations import AUDIT
from ornstein.reports.formats import as_latex
from ornstein.reports.pages import page

NOTHING = AuditReport(
    verdict="nothing detected",
    copies=(),
    exact_copies=(),
    suspects=(Copy(11, 12, 13.25, 1.375), Copy(14, 15, 16.5, 0.625)),
    copied_share=0.0,
    copied_share_low=0.0,
    copied_share_high=0.0077,
    threshold=math.nan,
    least_copies=17,
    minimum_detectable_fraction=0.021,
    detectable=(
        Detectable(0.01, 0.021, 21),
        Detectable(0.1, 0.034, 34),
        Detectable(0.3, math.nan, 0),
    ),
    train_share=0.512,
    train_share_low=0.461,
    train_share_high=0.563,
    dependence_p_value=0.31,
    detectable_share=0.574,
    effective_number=372.5,
    gaussian_share=0.531,
    gaussian_share_low=0.487,
    gaussian_share_high=0.579,
    gaussian_p_value=0.82,
    gaussian_detectable_share=0.593,
    gaussian_closed_form=0.546,
    metrics=(Metric("authenticity", 0.625, 0.875, "lower", "Meaning of the first <number>."),),
    cautions=("The units may differ.",),
    warnings=("Something was removed & said.",),
    sizes={"train": 801, "held_out": 502, "generated": 1003, "dim": 64},
    fdr=0.1,
    alpha=0.05,
    grouped=False,
    values_repeat=False,
)
COPIED = replace(
    NOTHING,
    verdict="copies",
    copies=(Copy(3, 4, 0.5, math.inf), Copy(5, 6, 0.75, 2.125)),
    exact_copies=(Copy(7, 8, 0.0, math.inf),),
    copied_share=0.003,
    copied_share_low=0.001,
    copied_share_high=0.0088,
    threshold=2.125,
    train_share=0.902,
    train_share_low=0.871,
    train_share_high=0.923,
    dependence_p_value=0.0001,
    gaussian_p_value=0.01,
)


def row_of(text: str, start: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.strip().startswith(start)]
    return re.split(r"\s{2,}", line.strip())


def tables_of(page: str) -> list[list[list[str]]]:
    """Cells of each table of a page, the heading first."""
    return [
        [
            [html.unescape(cell) for cell in re.findall(r"<t[hd]>(.*?)</t[hd]>", row)]
            for row in re.findall(r"<tr>(.*?)</tr>", table)
        ]
        for table in re.findall(r"<table>(.*?)</table>", page)
    ]


def test_sentences_without_a_finding_say_what_would_have_been() -> None:
    copies, gaussian, dependence = audit_sentences(NOTHING).values()
    assert copies.startswith("No copying detected; 2.1% or more would have been (copies within 1% ")
    assert "Fewer than 17 copied training points cannot be listed at a false" in copies
    assert "have a share of 0.531 (95% of them 0.487 to 0.579)" in gaussian
    assert gaussian.endswith(
        "Not closer than that; a share of 0.593 or more would have been (with probability 0.8)."
    )
    assert "is 0.512 [0.461, 0.563], where 0.5 is expected without dependence: p = 0.31." in (
        dependence
    )
    assert "No dependence detected; a share of 0.574 or more would have been" in dependence


def test_captions_end_with_one_period() -> None:
    found = as_latex(audit_document(COPIED))
    assert found.count("coordinates.}") == found.count("\\caption") == 4


def test_sentences_with_findings() -> None:
    copies, gaussian, dependence = audit_sentences(COPIED).values()
    assert copies.startswith(
        "1 generated point of 1003 equals a training point exactly. 2 of 1003 "
    )
    assert "at most 10% are expected to be there by chance" in copies
    assert (
        "Together, each counted once, 3 points: 0.30% [0.10%, 0.88%] of the generated points."
        in copies
    )
    assert "p = 0.010. Closer to the training data than even the simplest model" in gaussian
    assert "by itself this is no copying" in dependence
    only_exact = audit_sentences(replace(COPIED, copies=()))["copies"]
    assert "exactly. That is 0.30% [0.10%, 0.88%] of the generated points." in only_exact
    assert "The list of near copies is empty: 2.1% or more would have been" in only_exact
    independent = audit_sentences(replace(COPIED, dependence_p_value=0.4))["gaussian"]
    assert "no dependence on the training data is detected" in independent
    several = replace(COPIED, exact_copies=COPIED.exact_copies * 2)
    assert "2 generated points of 1003 equal a training" in audit_sentences(several)["copies"]


def test_equal_rows_are_no_evidence_where_values_repeat() -> None:
    text = audit_sentences(replace(NOTHING, exact_copies=COPIED.exact_copies, values_repeat=True))
    assert text["copies"].startswith(
        "1 generated point of 1003 equals a training point exactly; the data repeat their values, "
        "so that this is no evidence. No copying detected; 2.1% or more would have been"
    )


def test_what_could_not_have_been_seen_is_said() -> None:
    blind = replace(
        NOTHING,
        minimum_detectable_fraction=math.nan,
        detectable_share=1.0,
        gaussian_detectable_share=1.0,
        grouped=True,
    )
    copies, gaussian, dependence = audit_sentences(blind).values()
    assert "no share of copies, however large, would have been" in copies
    assert "Fewer than 17 copied groups" in copies
    assert "no share would have been" in gaussian
    assert "no share would have been" in dependence
    assert [row_of(audit_text(blind), name)[-1] for name in ("copied", "nearer than G")] == [
        "never",
        "never",
    ]


def test_text_has_each_number_in_its_column() -> None:
    text = audit_text(NOTHING)
    assert max(map(len, text.splitlines())) <= 80
    assert text.startswith(
        "1003 generated points, 801 training and 502 held-out points of 64 coordinates\n"
    )
    assert "\nVerdict: nothing detected\n\nCaution: The units may differ.\n" in text
    assert row_of(text, "copied") == ["copied", "0.0000", "0.0000 to 0.0077", "0.0210"]
    assert row_of(text, "nearer than G") == [
        "nearer than Gaussians",
        "0.5120",
        "0.4610 to 0.5630",
        "0.5310",
        "0.82",
        "0.5930",
    ]
    said = "Gaussian reference: bootstrap 0.531, closed form 0.546 (Gaussian data)"
    assert f"\n  {said}\n" in text
    assert f"<li>{said}.</li>" in audit_fragment(NOTHING)
    assert "0.531; closed form: does not hold here\n" in audit_text(
        replace(NOTHING, gaussian_closed_form=math.nan)
    )
    assert row_of(text, "nearer than c") == [
        "nearer than chance",
        "0.5120",
        "0.4610 to 0.5630",
        "0.5",
        "0.31",
        "0.5740",
    ]
    assert row_of(text, "1.0%") == ["1.0%", "2.1%", "21"]
    assert row_of(text, "10%") == ["10%", "3.4%", "34"]
    assert row_of(text, "30%") == ["30%", "never"]
    assert row_of(text, "11  ") == ["11", "12", "13.25", "1.375", "suspect"]
    assert row_of(text, "authenticity") == ["authenticity", "0.625", "0.875", "lower"]
    assert "  - authenticity: Meaning of the first <number>." in text
    assert text.endswith("Notes\n  - Something was removed & said.")
    assert "Descriptive" not in audit_text(replace(NOTHING, metrics=()))


def test_pairs_are_ranked_and_say_how_they_were_found() -> None:
    assert [(row["generated"], row["listed"], row["exact"]) for row in copy_rows(COPIED)] == [
        (7, False, True),
        (3, True, False),
        (5, True, False),
        (11, False, False),
        (14, False, False),
    ]
    text = audit_text(COPIED)
    assert row_of(text, "7  ") == ["7", "8", "0", "infinite", "exact"]
    assert row_of(text, "5  ") == ["5", "6", "0.7500", "2.125", "listed"]
    many = replace(NOTHING, suspects=tuple(Copy(i, i, 1.0, 9.0 - i) for i in range(15)))
    assert "Pairs of the largest contrast (10 of 15)" in audit_text(many)


def test_rows_for_pandas() -> None:
    copies, gaussian, dependence, metric = audit_rows(NOTHING)
    assert list(copies.values())[:4] == ["copies", 0.0, 0.0, 0.0077]
    assert copies["detectable"] == 0.021
    assert list(gaussian.values())[:7] == ["gaussian", 0.512, 0.461, 0.563, 0.531, 0.82, 0.593]
    assert list(dependence.values())[:7] == ["dependence", 0.512, 0.461, 0.563, 0.5, 0.31, 0.574]
    assert (metric["name"], metric["value"], metric["reference"]) == ("authenticity", 0.625, 0.875)


def test_the_page_escapes_and_holds_every_number(tmp_path) -> None:
    write_audit_html(COPIED, tmp_path / "a.html")
    read = check_page((tmp_path / "a.html").read_text())
    assert read.headings[0] == (1, "Audit of generated data")
    assert read.by_class["question"] == ["Has the model copied its training data?"]
    (answer,) = read.by_class["answer"]
    assert answer == (
        "Answer. Copies were found: 0.30% [0.10%, 0.88%] of the generated points are listed or "
        "exact copies of training points."
    )
    assert read.by_class["subject"] == [
        "1003 generated points, 801 training and 502 held-out points of 64 coordinates."
    ]
    sentences = audit_sentences(COPIED)
    assert read.items == [
        *(f"{TITLES[name]}. {text}" for name, text in sentences.items()),
        "Gaussian reference: bootstrap 0.531, closed form 0.546 (Gaussian data).",
        "Something was removed & said.",
    ]
    assert read.by_class["state"] == ["Caution. The units may differ."]
    assert "img" not in read.tags
    verdicts = read.table("Three verdicts")
    assert verdicts.head == ["share", "of the points", "low", "high", "expected", "p", "found from"]
    assert verdicts.rows == [
        ["copied", "0.003000", "0.001000", "0.008800", "", "", "0.02100"],
        ["nearer than Gaussians", "0.9020", "0.8710", "0.9230", "0.5310", "0.01000", "0.5930"],
        ["nearer than chance", "0.9020", "0.8710", "0.9230", "0.5000", "0.0001000", "0.5740"],
    ]
    title = "Copies that would have been found, by how far they are from a training point"
    detectable = read.table(title)
    assert detectable.head == ["noise", "found from", "points"]
    assert detectable.rows == [
        ["1.0%", "0.02100", "21"],
        ["10%", "0.03400", "34"],
        ["30%", "never", ""],
    ]
    pairs = read.table("Pairs of the largest contrast")
    assert pairs.head == ["generated", "train", "distance", "contrast", "found"]
    assert pairs.rows == [
        ["7", "8", "0", "infinite", "exact"],
        ["3", "4", "0.5000", "infinite", "listed"],
        ["5", "6", "0.7500", "2.125", "listed"],
        ["11", "12", "13.25", "1.375", "suspect"],
        ["14", "15", "16.50", "0.6250", "suspect"],
    ]
    metrics = read.table("Descriptive metrics")
    assert metrics.head == ["metric", "generated", "held out", "copying makes it", "meaning"]
    assert metrics.rows == [
        ["authenticity", "0.6250", "0.8750", "lower", "Meaning of the first <number>."]
    ]
    for table in (verdicts, detectable, pairs, metrics):
        assert set(table.head) <= {*read.definitions, "high", "metric"}, table.caption


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({}, "Nothing was detected: neither copying nor dependence; of copies, 2.1% or more would"),
        (
            {"verdict": "depends on the training data"},
            "(0.512 nearer to the training set, 0.5 by chance; p = 0.31); no copying was detected.",
        ),
        (
            {"verdict": "closer than a Gaussian"},
            "(0.512 nearer to the training set, against 0.531; p = 0.82).",
        ),
    ],
)
def test_the_answer_is_one_sentence(changes: dict, sentence: str) -> None:
    text = plain_answer(audit_page(replace(NOTHING, **changes)))
    assert sentence in text
    assert len(re.findall(r"\.(?= |$)", text)) == 1


ROWS = ((3, 4, 0.25), (5, 6, 0.5), (7, 8, 0.0), (11, 12, 2.0))
CONTROLS = ((21, 22, 4.0), (23, 24, 5.0), (25, 26, 6.0))


def test_the_page_shows_pairs_with_their_rows() -> None:
    rng = np.random.default_rng(0)
    images = [rng.random((count, 4, 5)) for count in (4, 4, 3, 3)]
    document = audit_page(
        replace(COPIED, pairs=Pairs(*images, ROWS, CONTROLS)),
        settings={"train": "a.npy", "fdr": 0.125},
        versions={"numpy": "9.9"},
        command="ornstein audit --train a.npy",
    )
    read = check_page(page(document))
    assert read.headings[0] == (1, AUDIT.title)
    assert read.by_class["question"] == [AUDIT.question]
    assert set(AUDIT.made) <= set(read.definitions)
    drawn = document.figures[0].figure
    assert (drawn.low, drawn.high) == (images[1].min(), images[1].max())
    listed = read.table("Listed pairs")
    assert [row[0] for row in listed.rows] == [
        "3 and 4, distance 0.2500",
        "5 and 6, distance 0.5000",
        "7 and 8, distance 0",
        "11 and 12, distance 2.000",
    ]
    assert [row[0] for row in read.table("Controls: held-out images").rows] == [
        "21 and 22, distance 4.000",
        "23 and 24, distance 5.000",
        "25 and 26, distance 6.000",
    ]
    assert read.tags.count("img") == 3 * 7
    assert read.table("Options of the run").rows == [["train", "a.npy"], ["fdr", "0.125"]]
    assert read.code == "ornstein audit --train a.npy"
    few = Pairs(*(image[:2] for image in images), ROWS[2:], CONTROLS[:2])
    suspects = check_page(page(audit_page(replace(NOTHING, pairs=few))))
    assert suspects.table("Suspects, none listed").rows[1][0] == "11 and 12, distance 2.000"


@pytest.mark.parametrize("report", [NOTHING, COPIED])
def test_the_json_document_is_read_back(report) -> None:
    assert AuditReport.from_dict(json.loads(as_json(report.to_dict()))) == report
    with pytest.raises(ValueError, match="no document of an audit: 'copies'"):
        AuditReport.from_dict({"verdict": "copies"})


def test_the_fragment_for_notebooks() -> None:
    fragment = audit_fragment(COPIED)
    assert "removed &amp; said" in fragment
    assert "<strong>Caution.</strong> The units may differ.</p>" in fragment
    assert "<strong>Answer.</strong> Copies were found: " in fragment
    assert "<li><strong>Dependence on the training data.</strong> The share nearer" in fragment
    assert fragment.count("<table>") == 1
    cells = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", fragment)
    assert cells[7:14] == ["copied", "0.003000", "0.001000", "0.008800", "", "", "0.02100"]


@pytest.mark.parametrize("shape", [(4, 5), (1, 4, 5), (3, 4, 5), (4, 5, 3)])
def test_the_picture_shows_pairs_differences_and_held_out_points(shape) -> None:
    rng = np.random.default_rng(0)
    images = [rng.random((3, *shape)) for _ in range(4)]
    rows = ((11, 12, 1.25), (14, 15, 0.0), (16, 17, 3.5))
    fresh = ((21, 22, 4.25), (24, 25, 5.5), (26, 27, 6.5))
    figure = pairs_figure(replace(NOTHING, pairs=Pairs(*images, rows, fresh)))
    assert figure is not None
    assert [axes.get_title().split("\n") for axes in figure.axes] == [
        ["generated", "(suspects, none listed)"],
        ["nearest", "training"],
        ["difference,", "distance"],
        ["held out", "(fresh)"],
        ["nearest", "training"],
        ["difference,", "distance"],
    ]
    assert [[text.get_text() for text in axes.texts] for axes in figure.axes] == [
        ["row 11", "row 14", "row 16"],
        ["row 12", "row 15", "row 17"],
        ["1.250", "0", "3.500"],
        ["row 21", "row 24", "row 26"],
        ["row 22", "row 25", "row 27"],
        ["4.250", "5.500", "6.500"],
    ]
    for axes in figure.axes:  # each below its own image, of 4 rows of pixels and one for the text
        assert [text.get_position()[1] for text in axes.texts] == [4.0, 9.0, 14.0]
    low, span = images[1].min(), np.ptp(images[1])
    grey = len(shape) == 2 or shape[0] == 1
    for first, (a, b) in ((0, images[:2]), (3, images[2:])):
        for place, values in enumerate(((a - low) / span, (b - low) / span, np.abs(a - b) / span)):
            column = np.asarray(figure.axes[first + place].images[0].get_array())
            assert column.shape[0] == 3 * 4 + 3
            for row in range(3):
                shown = column[5 * row : 5 * row + 4]
                if grey:
                    np.testing.assert_allclose(shown, values[row].reshape(4, 5))
                    # A difference is dark on white.
                    colours = figure.axes[first + place].images[0].get_cmap().name
                    assert colours == ("gray_r" if place == 2 else "gray")
                elif place == 2:
                    expected = values[row].mean(axis=-1 if shape[-1] == 3 else 0)
                    np.testing.assert_allclose(shown, expected)
                else:
                    last = values[row] if shape[-1] == 3 else np.moveaxis(values[row], 0, -1)
                    np.testing.assert_allclose(shown, np.clip(last, 0, 1))
    for copies, expected in ((3, "1 of 3 listed"), (11, "listed pairs")):
        pairs = Pairs(*images, ((copies, 4, 0.5), (11, 12, 1.0), (11, 14, 1.0)), fresh)
        report = replace(COPIED, copies=(Copy(copies, 4, 0.5, 2.0),), pairs=pairs)
        listed = pairs_figure(report)
        assert listed is not None
        assert listed.axes[0].get_title() == f"generated\n({expected})"


def test_without_images_there_is_no_picture() -> None:
    assert pairs_figure(NOTHING) is None
