"""Pages: what stands where, what is escaped, how large they are; nothing is asked of a network."""

import base64
import io
import math
import re
from dataclasses import replace

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image
from tests.reports.html_reading import Page, check_page
from tests.reports.test_documents import DOCUMENT, FIRST, SECOND

from ornstein.reports.documents import Document, Picture, Section, table
from ornstein.reports.pages import page, write_page
from ornstein.reports.pages.drawings import MOST_POINTS, drawing, in_words
from ornstein.reports.pages.images import ImagePairs, Pair
from ornstein.reports.pages.stylesheet import STYLESHEET
from ornstein.reports.tables import Column


def figure(points: int = 5) -> Figure:
    made = Figure()
    left, right = made.subplots(1, 2, sharex=True)
    x = np.linspace(1, 2, points)
    if points < 1000:
        left.errorbar(x, np.sin(40 * x), yerr=0.1, fmt="o", label="a <mark>")
    else:
        left.plot(x, np.sin(40 * x), "o")
    left.set_title(r"$W_2^2 / (d\,\sigma^2)$")
    right.scatter(x, np.cos(x))
    right.set(xlabel="n / d", ylabel=r"$P(\Delta > 0)$")
    return made


WHOLE = replace(
    DOCUMENT,
    title="Title <b> & more",
    question="Is 1 < 2?",
    findings={"First": "one of it.", "Second": "two of it."},
    figures=[Picture("Picture <1>", figure(), "Marks & lines.")],
    made={"KL": "in closed form, ± nothing", "runs": "drawn"},
    state="3 of 7 cells are done.",
    configuration={"dim": 17, "std": "0.25", "nothing": None, "flag": False},
    versions={"python": "3.99.1", "numpy": "9.8.7"},
    command="ornstein linear --data 'a <b>.npy' --dim 17",
)


def test_every_part_stands_in_its_place() -> None:
    read = check_page(page(WHOLE))
    assert read.headings == [
        (1, "Title <b> & more"),
        (2, "Figures"),
        (2, "Tables"),
        (2, "Notes"),
        (2, "How each number was made"),
        (2, "Configuration"),
        (2, "Versions"),
        (2, "Run it again"),
    ]
    assert read.by_class["question"] == ["Is 1 < 2?"]
    assert read.by_class["answer"] == ["Answer. Yes, at n* = 31.7."]
    assert read.by_class["state"] == ["Not finished. 3 of 7 cells are done."]
    assert read.by_class["subject"] == list(WHOLE.subject)
    assert read.items == ["First. one of it.", "Second. two of it.", *WHOLE.notes]
    assert read.definitions == {
        "KL": "in closed form, ± nothing",
        "theory": "closed form",
        "P(Delta > 0)": "a share",
        "runs": "drawn",
    }
    assert read.code == "ornstein linear --data 'a <b>.npy' --dim 17"
    assert read.captions == ["Picture <1>. Marks & lines."]


def test_every_cell_of_every_table() -> None:
    read = check_page(page(WHOLE))
    first = read.table(FIRST.title)
    assert first.head == ["n", "runs", "KL, nats", "theory (KL, nats)", "W2²", "theory (W2²)"]
    assert first.rows == [
        ["8", "11", "1.25 ± 0.13", "1.259", "infinite", "infinite9"],
        ["40", "12", "-2.5 ± <1e-6", "-2.59", "3.75 ± 0.17", "3.759"],
    ]
    second = read.table("Table")
    assert second.head == ["n", "P(Delta > 0)", "span", "tr Sigma_G/(d s²)"]
    assert second.rows == [
        list(row) for row in zip(*(c.cells for c in SECOND.columns), strict=True)
    ]
    assert read.table("Options of the run").rows == [
        ["dim", "17"],
        ["std", "0.25"],
        ["flag", "False"],
    ]
    assert read.table("What it ran with").rows == [["python", "3.99.1"], ["numpy", "9.8.7"]]


def test_what_is_not_there_has_no_heading() -> None:
    read = check_page(page(Document(subject=["nothing yet"], title="Empty")))
    assert read.headings == [(1, "Empty")]
    assert read.tables == []
    assert set(read.by_class) == {"kind", "subject"}


def test_a_figure_is_svg_in_words() -> None:
    text = page(replace(WHOLE, figures=[Picture("One", figure()), Picture("Two", figure())]))
    read = check_page(text)  # identifiers are unique on the page
    assert read.tags.count("svg") == 2
    words = "Panels: W_2^2 / (d sigma^2) against n / d; P(Delta > 0) against n / d."
    assert read.alternatives == [f"One. {words}", f"Two. {words}"]
    assert in_words(Figure()) == ""
    assert "metadata" not in read.tags
    assert "image" not in read.tags


def test_a_figure_of_images_is_an_image() -> None:
    made = Figure()
    made.subplots().imshow(np.eye(3))
    made.axes[0].set_title("generated")
    found = drawing(made, "Samples", "x")
    read = Page(found.html)
    assert read.tags == ["img"]
    assert read.alternatives == ["Samples. Shown: generated."]
    assert found.remark == ""


def test_very_many_points_are_an_image_within_the_figure() -> None:
    many = 100_000
    text = page(Document(subject=[], title="many", figures=[Picture("All", figure(many))]))
    assert len(text.encode()) < 1_000_000
    read = check_page(text)
    assert "image" in read.tags
    count = re.search(r"(\d+) points are drawn as an image, to keep this file small; all", text)
    assert count is not None
    assert int(count[1]) == 2 * many
    # The words stay words.
    assert "n / d" in re.sub(r"<image.*?>", "", text)
    few = drawing(figure(MOST_POINTS // 10), "few", "x")
    assert few.remark == ""
    assert "<image" not in few.html


def test_a_figure_that_stays_large_becomes_one_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ornstein.reports.pages.drawings.MOST_BYTES", 12_000)
    found = drawing(figure(), "large", "x")
    assert Page(found.html).tags == ["img"]
    assert found.remark == (
        "The figure is drawn as an image, to keep this file small; all points are there."
    )
    assert len(found.html) < 2 * 12_000


def test_long_tables_are_cut_and_say_so() -> None:
    numbers = [str(n) for n in range(1234)]
    long = table("long", [Column("n", numbers), Column("KL", numbers)])
    text = page(Document(subject=[], sections=[Section([long])]))
    assert len(check_page(text).table("long").rows) == 300
    assert "934 of 1234 rows are not shown." in text


def test_the_file_is_whole_or_not_there(tmp_path) -> None:
    write_page(WHOLE, tmp_path / "a.html")
    assert (tmp_path / "a.html").read_text(encoding="utf-8") == page(WHOLE)
    assert [file.name for file in tmp_path.iterdir()] == ["a.html"]
    with pytest.raises(OSError, match="no folder"):
        write_page(WHOLE, tmp_path / "no folder" / "a.html")


def luminance(colour: str) -> float:
    digits = colour if len(colour) == 6 else "".join(2 * letter for letter in colour)
    parts = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_words_can_be_read_light_dark_and_printed() -> None:
    """WCAG 2 AA: a contrast of 4.5 to 1."""
    blocks = re.findall(r":root\{([^}]*)\}", STYLESHEET)
    assert len(blocks) == 3
    for block in blocks:
        colour = dict(re.findall(r"--(\w+):#(\w+)", block))
        for back in ("paper", "soft"):
            for ink in ("ink", "muted"):
                low, high = sorted([luminance(colour[back]), luminance(colour[ink])])
                assert (high + 0.05) / (low + 0.05) > 4.5, (back, ink, block)
    # Figures are drawn for white paper: turned on a dark screen, hues kept, and never printed so.
    dark = "@media screen and (prefers-color-scheme:dark)"
    assert f"{dark}{{figure svg{{filter:invert(1) hue-rotate(180deg)}}}}" in STYLESHEET
    assert STYLESHEET.count("filter:") == 1
    for rule in ("prefers-color-scheme:dark", "@media print", "max-width:40rem"):
        assert rule in STYLESHEET


# ---- images


def images(text: str) -> list[np.ndarray]:
    found = re.findall(r'src="data:image/png;base64,([^"]*)"', text)
    return [np.asarray(Image.open(io.BytesIO(base64.b64decode(data)))) for data in found]


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 3)])
def test_pairs_are_pixel_for_pixel(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    a, b, c, d = (rng.random((2, *shape)) for _ in range(4))
    pairs = ImagePairs(
        "Listed <pairs>",
        ("rows", "generated", "nearest"),
        [Pair(f"{i} and {i + 5}", a[i], b[i]) for i in range(2)],
        ("", "held out", "nearest"),
        [Pair(f"control {i}", c[i], d[i]) for i in range(2)],
        low=-1.0,
        high=3.0,
    )
    text = pairs.html()
    read = check_page(page(Document(subject=[], title="x", figures=[Picture("Pairs", pairs)])))
    assert read.table("Listed <pairs>").head == ["rows", "generated", "nearest", "difference"]
    assert [row[0] for row in read.table("Listed <pairs>").rows] == ["0 and 5", "1 and 6"]
    assert read.table("Controls: held-out images").head == ["", "held out", "nearest", "difference"]
    assert read.alternatives[:3] == ["0 and 5: first", "0 and 5: second", "0 and 5: difference"]
    shown = images(text)
    assert len(shown) == 12
    expected = []
    for one, two in ((a, b), (c, d)):
        for i in range(2):
            gap = np.abs(one[i] - two[i])
            gap = gap if gap.ndim == 2 else gap.mean(axis=2)
            expected += [(one[i] + 1) / 4, (two[i] + 1) / 4, 1 - gap / 4]
    for image, values in zip(shown, expected, strict=True):
        np.testing.assert_array_equal(image, np.round(255 * values))
    # 96 pixels on the longer side of 5.
    assert text.count('width="100" height="80"') == 12
    assert "Images of 5 x 4 pixels, enlarged 20 times, without smoothing." in text


def test_large_images_keep_their_size_and_are_as_many_as_fit() -> None:
    rng = np.random.default_rng(0)
    noise = rng.random((40, 128, 100))
    pairs = [Pair(str(i), noise[i], noise[-1 - i]) for i in range(20)]
    text = ImagePairs("t", ("a", "b", "c"), pairs, ("a", "b", "c"), pairs[:2], 0.0, 1.0).html()
    assert 'width="100" height="128"' in text
    assert "Images of 100 x 128 pixels, each at its own size." in text
    shown = re.search(r" (\d+) of 20 pairs are shown, to keep this file small\.", text)
    assert shown is not None
    assert 2 < int(shown[1]) < 20
    assert len(text) < 700_000


def test_nan_is_black() -> None:
    image = np.array([[math.nan, 1.0]])
    text = ImagePairs("t", ("a",) * 3, [Pair("p", image, image)], ("a",) * 3, [], 0.0, 1.0).html()
    assert images(text)[0].tolist() == [[0, 255]]
    assert "Controls" not in text
