"""``ornstein data``: what it prints, draws and refuses; and that studies read what it reads."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

RNG = np.random.default_rng(0)
POINTS = RNG.standard_normal((40, 3))


def write(name: str, content: str | bytes) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(content.encode() if isinstance(content, str) else content)


def folder(name: str, *images: np.ndarray) -> None:
    Path(name).mkdir()
    for index, image in enumerate(images):
        Image.fromarray(image).save(f"{name}/{index}.png")


def grey(side: int = 4) -> np.ndarray:
    return RNG.integers(0, 256, (side, side), dtype=np.uint8)


def test_the_report_of_digits(ornstein: Callable) -> None:
    result = ornstein("data", "digits")
    assert (result.status, result.err) == (0, "")
    assert result.out.splitlines() == [
        "digits: 1797 images of 8 x 8, 1 channel",
        "  stored     scikit-learn, values 0 to 16, 920 kB",
        "  used       64 coordinates, values as they are",
        "  values     0 to 16, mean 4.884, standard deviation 4.334 (root of the mean",
        "             variance)",
        "             █                  highest 48.9%",
        "             █",
        "             █",
        "             █▃▂▂▂▂▂▂▂▂▂▂▃▂▃▃▆",
        "             0              16",
        "  spectrum   179, 164, 142, 101, 69.5, ...; half of the variance in 5",
        "             directions, 90% in 21; rank 61 of 64; effective dimension 13.2",
        "  note       3 of 64 coordinates are constant",
    ]


def test_the_numbers_of_the_report(ornstein: Callable) -> None:
    np.save("x.npy", POINTS * [1, 2, 3])
    document = json.loads(ornstein("data", "x.npy", "--json").out)
    (one,) = document["sets"]
    values = POINTS * [1, 2, 3]
    assert (one["name"], one["kind"], one["stored"]) == ("x.npy", "array", "float64")
    assert (one["rows"], one["dim"], one["shape"]) == (40, 3, [3])
    assert (one["low"], one["high"]) == (values.min(), values.max())
    assert one["std"] == pytest.approx(np.sqrt(values.var(axis=0, ddof=1).mean()))
    spectrum = np.linalg.eigvalsh(np.cov(values, rowvar=False))[::-1]
    assert one["spectrum"] == pytest.approx(spectrum.tolist())
    assert one["effective_dimension"] == pytest.approx(spectrum.sum() ** 2 / (spectrum**2).sum())
    assert one["rank"] == 3
    assert sum(one["histogram"]["counts"]) == 120
    assert one["near_duplicates"]["rows"] == 0
    assert document["compared"] == []


def test_lines_fit_80_columns(ornstein: Callable) -> None:
    frame = pd.DataFrame(
        {
            "id": np.arange(50),
            "a column with a long name": POINTS[:1, 0].repeat(50) * np.arange(50),
            "kind": ["one", "two"] * 25,
            "name": [f"person {index}" for index in range(50)],
        }
    )
    frame.to_csv("people.csv", index=False)
    np.save("x.npy", POINTS)
    for paths in (["people.csv"], ["digits", "patches"], ["x.npy", "x.npy"]):
        result = ornstein("data", *paths)
        assert result.status == 0
        assert max(map(len, result.out.splitlines())) <= 80


def test_what_is_used_of_a_table_is_said(ornstein: Callable) -> None:
    frame = pd.DataFrame(
        {
            "id": np.arange(40),
            "size": POINTS[:, 0],
            "kind": ["one", "two"] * 20,
            "when": pd.date_range("2024-01-01", periods=40).strftime("%d.%m.%Y"),
        }
    )
    frame.to_csv("x.csv", index=False, sep=";", decimal=",")
    text = " ".join(ornstein("data", "x.csv").out.split())
    for part in (
        "x.csv: a table of 40 rows and 3 columns",
        "4 coordinates from 1 column of numbers, 1 column of categories, 1 column of dates",
        "note read with cells separated by semicolon and decimal commas",
        "note column id set aside: row numbers, unique and consecutive",
        "note column size used as number: less the median, over the interquartile range / 1.349",
        "note column kind used as category: one coordinate a category, 1/sqrt 2 where it holds",
        "note column when used as date: days, then as a number",
    ):
        assert part in text
    ranks = ornstein("data", "x.csv", "--numbers", "ranks").out
    assert "column size used as number: normal quantiles of ranks" in ranks


def test_several_images_are_one_set_and_several_files_are_several(ornstein: Callable) -> None:
    folder("images", *[grey() for _ in range(5)])
    files = [f"images/{index}.png" for index in range(5)]
    assert "5 images of 4 x 4" in ornstein("data", *files).out
    np.save("x.npy", POINTS)
    np.save("y.npy", 2 + RNG.standard_normal((40, 3)))
    text = ornstein("data", "x.npy", "y.npy").out
    assert text.count(" points of 3 coordinates") == 2
    assert text.endswith("Compared: x.npy, y.npy\n             nothing that does not fit\n")


def test_classes_of_subfolders_are_counted(ornstein: Callable) -> None:
    for name in ("cat", "dog"):
        folder(name, *[grey() for _ in range(3 if name == "cat" else 2)])
    (one,) = json.loads(ornstein("data", ".", "--recursive", "--json").out)["sets"]
    assert one["classes"] == {"cat": 3, "dog": 2}
    (other,) = json.loads(ornstein("data", "cat", "--json").out)["sets"]
    assert other["classes"] is None


def test_the_exit_status_says_whether_data_can_be_used(ornstein: Callable) -> None:
    bad = POINTS.copy()
    bad[3, 1] = np.nan
    np.save("nan.npy", bad)
    result = ornstein("data", "nan.npy")
    assert (result.status, result.err) == (1, "")
    assert (
        "  REFUSAL    1 NaN value(s), the first at row 3, column 1: drop or impute them"
        in result.out
    )
    np.save("unit.npy", RNG.random((40, 3)))
    np.save("bytes.npy", 255 * RNG.random((40, 3)))
    assert ornstein("data", "unit.npy", "bytes.npy").status == 1


def prepare() -> None:
    """Every kind of wrong or odd input."""
    np.save("good.npy", POINTS)
    np.save("vector.npy", POINTS[:, 0])
    np.save("complex.npy", POINTS + 1j)
    np.save("objects.npy", np.array([[{}], [{}]], dtype=object), allow_pickle=True)
    np.save("dates.npy", np.zeros((5, 2), dtype="M8[D]"))
    np.save("text.npy", np.array([["a", "b"]] * 5))
    np.save("fields.npy", np.zeros(5, dtype=[("a", "f8"), ("b", "i4")]))
    np.save("ambiguous.npy", RNG.random((5, 3, 8, 3)))
    np.save("one_image.npy", RNG.random((20, 30, 3)))
    np.save("empty.npy", np.zeros((0, 3)))
    np.savez("two.npz", a=POINTS, b=POINTS[:5])
    write("cut.npy", Path("good.npy").read_bytes()[:300])
    write("text.pt", "nothing")
    write("two_ways.csv", "1,5\n2,7\n3,8\n")
    write("thousands.csv", "a;b\n1,234;5,678\n2,345;6,789\n")
    write("ragged.csv", "1,2\n3,4\n5,6,7\n")
    write("names.csv", "a,b\nx,y\nz,w\n")
    write("bad_cell.csv", "1,2,x\n3,4,5\n6,7,8\n9,9,9\n")
    write("dates.csv", "t,x\n01/02/2024,1\n03/04/2024,2\n05/06/2024,3\n")
    write("twice.csv", "a,a\n1,2\n3,4\n5,6\n")
    write("unnamed.csv", ",a\n5,1.5\n1,2.5\n9,3.5\n")
    write("binary.csv", b"\x00\x01\x02")
    write("blank.csv", "\n\n")
    write("text.xlsx", "no book")
    write("text.parquet", "no table")
    write("notes.txt", "1 2 3")
    folder("sizes", grey(), grey(5))
    folder("modes", grey(), RNG.integers(0, 256, (4, 4, 3), dtype=np.uint8))
    folder("alpha", RNG.integers(0, 256, (4, 4, 4), dtype=np.uint8))
    folder("cut", grey(40))
    write("cut/0.png", Path("cut/0.png").read_bytes()[:200])
    folder("moving", grey())
    Image.fromarray(grey()).save(
        "moving/1.gif", save_all=True, append_images=[Image.fromarray(grey())]
    )
    folder("none")
    write("nested/class/0.png", b"")


WRONG = {
    "missing.npy": "no data at 'missing.npy': expected digits, patches, a file ending in .npy",
    "vector.npy": "vector.npy has shape (40,), expected one point per row: reshape it",
    "complex.npy": "complex.npy holds complex values, expected real numbers: give real and",
    "objects.npy": "objects.npy holds no array of numbers, but text or Python objects",
    "dates.npy": "dates.npy holds dates or durations, expected real numbers: turn them into",
    "text.npy": "text.npy holds text, expected real numbers: turn it into numbers",
    "fields.npy": "fields.npy has named fields (a, b), expected an array of numbers: save",
    "ambiguous.npy": "channels may come first (3) or last (3): choose with --layout first or last",
    "one_image.npy": "one colour image or 20 grey ones of 30 x 3 pixels: choose with --layout",
    "empty.npy": "empty.npy has shape (0, 3), expected at least one point and one coordinate",
    "two.npz": "it holds the arrays a (40, 3), b (5, 3), expected exactly one: name it, as",
    "two.npz:c": "cannot read two.npz: it holds a, b, and no 'c'",
    "cut.npy": "cannot read cut.npy",
    "text.pt": "cannot read text.pt",
    "two_ways.csv": "two ways, '3,8' as 3, 8 (--separator , --decimal .) or as 3.8",
    "thousands.csv": "as 2.345, 6.789 (--decimal ,) or as 2345, 6789 (--decimal . --thousands ,)",
    "ragged.csv": "its rows have different numbers of cells, whatever separates them",
    "names.csv": "its first row 'a, b' may name the columns or be a point",
    "bad_cell.csv": "numbers and 1 cell(s) that are none, the first 'x' in row 0",
    "dates.csv": "dates such as 01/02/2024, which have two readings: choose with --dates",
    "twice.csv": "several columns called a, expected different names",
    "unnamed.csv": "its first column has no name and is not row numbers: name it, or drop it",
    "binary.csv": "it holds bytes that are no text",
    "blank.csv": "it holds no rows",
    "text.xlsx": "cannot read text.xlsx",
    "text.parquet": "cannot read text.parquet",
    "notes.txt": "notes.txt ends in '.txt': expected one of .npy",
    "sizes": "0.png has 4 x 4 pixels and 1.png 5 x 5 pixels, expected images of one size: make",
    "modes": "0.png is grey and 1.png is colour: make them alike with --channels grey or",
    "alpha": "0.png has transparent pixels (an alpha channel): choose with --alpha drop, white",
    "cut": "cannot read the image 0.png",
    "moving": "1.gif is animated or has pages (2 of them), expected one image: save the frames",
    "none": "no images in the folder 'none': expected files ending in",
    "nested": "it has 1 subfolder (class), which --recursive reads",
}


def test_wrong_inputs_get_one_line(ornstein: Callable) -> None:
    prepare()
    for path, expected in WRONG.items():
        commands: list[tuple] = [("data",)]
        if path in {"fields.npy", "two_ways.csv", "alpha"}:  # of each reader, as all read alike
            commands.append(("linear", "--train-sizes", 5, "--out", "study", "--data"))
        for command in commands:
            result = ornstein(*command, path)
            assert (result.status, result.out) == (2, ""), path
            assert len(result.err.splitlines()) == 1, result.err
            assert result.err.startswith("ornstein: error: "), result.err
            assert expected in result.err, result.err
    assert not Path("study").exists()


@pytest.mark.parametrize(
    ("path", "options", "rows"),
    [
        ("ambiguous.npy", ("--layout", "first"), "5 images of 3 x 8, 3 channels"),
        ("ambiguous.npy", ("--layout", "last"), "5 images of 8 x 3, 3 channels"),
        ("one_image.npy", ("--layout", "flat"), "20 points of 90 coordinates"),
        ("two.npz:b", (), "5 points of 3 coordinates"),
        ("two_ways.csv", ("--separator", ",", "--decimal", "."), "3 rows and 2 columns"),
        ("two_ways.csv", ("--decimal", ",", "--separator", ";"), "3 rows and 1 column"),
        ("names.csv", ("--header", "no"), "3 rows and 2 columns"),
        ("names.csv", ("--header", "yes"), "2 rows and 2 columns"),
        ("bad_cell.csv", ("--header", "yes"), "3 rows and 3 columns"),
        ("dates.csv", ("--dates", "day-first"), "3 rows and 2 columns"),
        ("sizes", ("--pixels", 4), "2 images of 4 x 4, 1 channel"),
        ("modes", ("--channels", "rgb"), "2 images of 4 x 4, 3 channels"),
        ("alpha", ("--alpha", "drop"), "1 image of 4 x 4, 3 channels"),
    ],
)
def test_what_the_line_says_to_do_resolves_it(
    ornstein: Callable, path: str, options: tuple, rows: str
) -> None:
    prepare()
    result = ornstein("data", path, *options)
    assert result.err == ""
    assert rows in result.out


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (("data",), "path is missing"),
        (("data", "digits", "--alpha", "drop"), "alpha has no effect on digits"),
        (("data", "digits", "--numbers", "ranks"), "numbers is 'ranks' and has no effect"),
        (("data", "digits", "--pixels", 0), "pixels is 0, expected at least 1"),
        (("data", "digits", "--plot", "x.txt"), "--plot: given 'x.txt', expected a file name in"),
        (("data", "digits", "--alpha", "some"), "--alpha: given 'some', expected"),
        (("data", "digits", "--separator", "ab"), "separator is 'ab', expected one character"),
        (("data", "digits", "--encoding", "no"), "encoding is 'no', which is not known"),
        (("linear", "--separator", ";"), "separator is given without data"),
        (("linear", "--pixels", 4), "pixels is given without data"),
        (("linear", "--data", "digits", "--alpha", "drop"), "alpha has no effect on digits"),
        (("unet", "--data", "digits", "--alpha", "drop"), "alpha has no effect on digits"),
        (("unet", "--separator", ";"), "separator is given without data"),
    ],
)
def test_options_without_effect(ornstein: Callable, arguments: tuple, expected: str) -> None:
    result = ornstein(*arguments)
    assert (result.status, result.out) == (2, "")
    assert expected in result.err
    assert len(result.err.splitlines()) == 1


@pytest.mark.usefixtures("without_figure")
def test_studies_say_what_was_found(ornstein: Callable) -> None:
    values = np.concatenate([POINTS, POINTS[:2]])
    pd.DataFrame(values, columns=list("abc")).to_csv("x.csv", sep=";", decimal=",")
    options = ("--train-sizes", "9", "--simulations", 2, "--jobs", 1, "--out", "study")
    text = " ".join(ornstein("linear", "--data", "x.csv", *options).out.split())
    assert "x.csv: read with cells separated by semicolon and decimal commas." in text
    assert "x.csv: column without a name set aside: row numbers, unique and consecutive." in text
    assert "x.csv: 2 of 42 rows equal one before them (as row 40 equals row 0): drop them" in text


def test_the_sheet(ornstein: Callable) -> None:
    folder("images", *[grey() for _ in range(40)])
    result = ornstein("data", "images", "digits", "--pixels", 8, "--plot", "sheet.svg")
    assert result.err == "ornstein: wrote sheet.svg\n"
    text = Path("sheet.svg").read_text()
    assert re.search(r"images: 40 points, d = 64; digits: 1797 points", text)
