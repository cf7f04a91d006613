"""Documents: which table, column and meaning stands where, as text, LaTeX, CSV and Markdown."""

import csv
import io
import re

import pytest

from ornstein.reports.documents import (
    Document,
    Section,
    Table,
    document_text,
    plain_answer,
    table,
)
from ornstein.reports.formats import FORMATS, as_csv, as_latex, as_markdown, formatted
from ornstein.reports.tables import Column


def pair(heading: str, *cells: str) -> list[Column]:
    return [Column(heading, cells), Column("theory", [f"{cell.split()[0]}9" for cell in cells])]


FIRST = Table(
    "Distances at 5 < d | 50%",
    [Column("n", ["8", "40"])],
    [
        [[Column("runs", ["11", "12"])], pair("KL, nats", "1.25 ± 0.13", "-2.5 ± <1e-6")],
        [pair("W2^2", "infinite", "3.75 ± 0.17"), [Column("empty", ["", ""])]],
    ],
)
SECOND = table(
    "",
    [
        Column("n", ["8", "40"]),
        Column("P(Delta > 0)", ["0.727 [0.674, 0.774]", "0.1 [0.05, 0.15]"]),
        Column("span", ["2.25 to 7.125", ""]),
        Column("tr Sigma_G/(d s^2)", ["2e-05", "-infinite"]),
    ],
)
DOCUMENT = Document(
    subject=["One-step model in d = 16 & more", "T = 2, seed 7; n* = 31.7"],
    sections=[
        Section([FIRST], {"KL": "a divergence", "theory": "closed form", "absent": "no column"}),
        Section([SECOND], {"P(Delta > 0)": "a share"}),
    ],
    answer="Answer: yes, at n* = 31.7.",
    notes=["one run_time note", "another note"],
)


def test_text_has_everything_in_its_order() -> None:
    blocks = document_text(DOCUMENT).split("\n\n")
    assert blocks == [
        "One-step model in d = 16 & more\nT = 2, seed 7; n* = 31.7",
        "Distances at 5 < d | 50%",
        (
            " n  runs      KL, nats  theory\n--  ----  ------------  ------\n"
            " 8    11   1.25 ± 0.13   1.259\n40    12  -2.5 ± <1e-6   -2.59"
        ),
        (
            " n         W2^2     theory\n--  -----------  ---------\n"
            " 8     infinite  infinite9\n40  3.75 ± 0.17      3.759"
        ),
        "  KL      a divergence\n  theory  closed form",
        (
            " n          P(Delta > 0)           span  tr Sigma_G/(d s^2)\n"
            "--  --------------------  -------------  ------------------\n"
            " 8  0.727 [0.674, 0.774]  2.25 to 7.125               2e-05\n"
            "40      0.1 [0.05, 0.15]                          -infinite"
        ),
        "  P(Delta > 0)  a share",
        "Answer: yes, at n* = 31.7.",
        "  one run_time note",
        "  another note",
    ]


def test_columns_of_one_heading_are_told_apart() -> None:
    headings = [column.heading for column in FIRST.columns]
    assert headings == ["n", "runs", "KL, nats", "theory (KL, nats)", "W2^2", "theory (W2^2)"]
    one = Table("", [Column("S", ["3"])], [[pair("KL", "1")]])
    assert [column.heading for column in one.columns] == ["S", "KL", "theory"]


def test_csv_has_one_number_a_field() -> None:
    text = as_csv(DOCUMENT)
    first, second = [
        list(csv.reader(io.StringIO(block)))
        for block in (
            re.sub(r"^# .*\n?", "", part, flags=re.MULTILINE) for part in text.split("\n\n")
        )
        if block.strip()
    ]
    assert first == [
        [
            "n",
            "runs",
            "KL, nats",
            "KL, nats s.e.",
            "theory (KL, nats)",
            "W2^2",
            "W2^2 s.e.",
            "theory (W2^2)",
        ],
        ["8", "11", "1.25", "0.13", "1.259", "inf", "", "infinite9"],
        ["40", "12", "-2.5", "<1e-6", "-2.59", "3.75", "0.17", "3.759"],
    ]
    assert second == [
        [
            "n",
            "P(Delta > 0)",
            "P(Delta > 0) low",
            "P(Delta > 0) high",
            "span low",
            "span high",
            "tr Sigma_G/(d s^2)",
        ],
        ["8", "0.727", "0.674", "0.774", "2.25", "7.125", "2e-05"],
        ["40", "0.1", "0.05", "0.15", "", "", "-inf"],
    ]
    comments = [line[2:] for line in text.splitlines() if line.startswith("# ")]
    assert comments == [
        *DOCUMENT.subject,
        FIRST.title,
        "KL: a divergence",
        "theory: closed form",
        "P(Delta > 0): a share",
        "Answer: yes, at n* = 31.7.",
        *DOCUMENT.notes,
    ]


def test_pandas_reads_a_table(tmp_path) -> None:
    pd = pytest.importorskip("pandas")
    (tmp_path / "a.csv").write_text(as_csv(Document(subject=["x"], sections=[Section([SECOND])])))
    read = pd.read_csv(tmp_path / "a.csv", comment="#")
    assert read["P(Delta > 0) low"].tolist() == [0.674, 0.05]
    assert read["tr Sigma_G/(d s^2)"].tolist() == [2e-5, -float("inf")]


def test_latex_is_tables_with_captions() -> None:
    text = as_latex(DOCUMENT)
    captions = re.findall(r"\\caption\{(.*)\}$", text, re.MULTILINE)
    about = r"One-step model in d = 16 \& more; T = 2, seed 7; $n^*$ = 31.7."
    assert captions == [rf"Distances at 5 $<$ d $|$ 50\%. {about}"] * 2 + [about]
    bodies = re.findall(r"\\toprule\n(.*?)\\bottomrule", text, re.DOTALL)
    rows = [
        [row.strip().removesuffix(r" \\") for row in body.splitlines() if "rule" not in row]
        for body in bodies
    ]
    assert [[row for row in body if row] for body in rows] == [
        [
            "n & runs & KL, nats & theory",
            r"8 & 11 & 1.25 $\pm$ 0.13 & 1.259",
            r"40 & 12 & $-$2.5 $\pm<$1$\times 10^{-6}$ & $-$2.59".replace(r"\pm<", r"\pm$ $<"),
        ],
        [
            "n & $W_2^2$ & theory",
            "8 & infinite & infinite9",
            r"40 & 3.75 $\pm$ 0.17 & 3.759",
        ],
        [
            r"n & P($\Delta$ $>$ 0) & span & tr $\Sigma_G$/(d $s^{2}$)",
            r"8 & 0.727 [0.674, 0.774] & 2.25 to 7.125 & 2$\times 10^{-5}$",
            "40 & 0.1 [0.05, 0.15] &  & $-$infinite",
        ],
    ]
    for body, columns in zip(re.findall(r"begin\{tabular\}\{(r+)\}", text), (4, 3, 4), strict=True):
        assert len(body) == columns
    outside = [line for line in text.splitlines() if line.startswith("%")]
    assert "% KL: a divergence" in outside
    assert "% Answer: yes, at n* = 31.7." in outside
    assert text.count(r"\begin{table}") == text.count(r"\end{table}") == 3


def test_latex_has_no_letter_that_means_something_else() -> None:
    given = r"a_b {c} \d $5 #6 7% & 8~9 x^y | <e>"
    written = r"a\_b \{c\} \textbackslash{}d \$5 \#6 7\% \& 8\textasciitilde{}9 $x^{y}$ $|$ $<$e$>$"
    one = table(given, [Column(given, [given]), Column("^", ["^ 1"])])
    text = as_latex(Document(subject=[], sections=[Section([one])]))
    assert rf"\caption{{{written}.}}" in text
    rows = [line.strip() for line in text.splitlines() if line.endswith(r"\\")]
    power = r"\textasciicircum{}"
    assert rows == [rf"{written} & {power} \\", rf"{written} & {power} 1 \\"]


def test_markdown_is_tables_with_meanings() -> None:
    text = as_markdown(DOCUMENT)
    assert text.startswith("One-step model in d = 16 & more  \nT = 2, seed 7; n\\* = 31.7\n\n")
    assert "**Distances at 5 \\< d \\| 50%**" in text
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert lines[:4] == [
        "| n | runs | KL, nats | theory (KL, nats) | W2^2 | theory (W2^2) |",
        "| ---: | ---: | ---: | ---: | ---: | ---: |",
        "| 8 | 11 | 1.25 ± 0.13 | 1.259 | infinite | infinite9 |",
        "| 40 | 12 | -2.5 ± \\<1e-6 | -2.59 | 3.75 ± 0.17 | 3.759 |",
    ]
    assert lines[4].startswith("| n | P(Delta \\> 0) | span | tr Sigma\\_G/(d s^2) |")
    assert "- KL: a divergence" in text
    assert text.endswith("Answer: yes, at n\\* = 31.7.\n\n- one run\\_time note\n- another note")


def test_a_document_without_tables_is_its_words() -> None:
    empty = Document(
        subject=["nothing"], sections=[Section([Table("title", [])])], answer="Answer: no."
    )
    assert {name: formatted(empty, name).count("Answer: no.") for name in FORMATS} == dict.fromkeys(
        ("text", "latex", "csv", "markdown"), 1
    )
    assert plain_answer(empty) == "No."
