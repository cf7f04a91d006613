"""Spectra by name, from lists, from files of eigenvalues and from data."""

import numpy as np
import pytest

from ornstein.data.files import load_data
from ornstein.data.spectra import describe_spectrum, read_spectrum


def test_by_name_and_from_a_list():
    assert read_spectrum("isotropic").tolist() == [1.0] * 100
    np.testing.assert_allclose(read_spectrum("power-law:0.5", 3), [1, 2**-0.5, 3**-0.5])
    assert read_spectrum("[3, 0, 0.5]").tolist() == [3, 0, 0.5]
    assert read_spectrum("7").tolist() == [7]
    assert read_spectrum("4,1", 2).tolist() == [4, 1]


def test_two_levels():
    assert read_spectrum("two-level:3", 5).tolist() == [3, 3, 3, 1, 1]
    assert read_spectrum("two-level:0.1:0.4", 5).tolist() == [0.1, 0.1, 1, 1, 1]
    # Both levels occur, whatever the share.
    assert read_spectrum("two-level:7:0.01", 4).tolist() == [7, 1, 1, 1]
    assert read_spectrum("two-level:7:0.99", 4).tolist() == [7, 7, 7, 1]
    assert read_spectrum("two-level:7", 1).tolist() == [7]
    assert describe_spectrum(np.array([3.0, 1.0]), "two-level:3") == "d = 2, two-level:3"


def test_of_a_file_of_eigenvalues(tmp_path):
    np.save(tmp_path / "row.npy", np.array([3.0, 1.0, 0.0]))
    np.savetxt(tmp_path / "column.csv", [3.0, 1.0, 0.0])
    np.savetxt(tmp_path / "line.csv", [[3.0, 1.0, 0.5, 0.0]], delimiter=",")
    for name in ("row.npy", "column.csv"):
        assert read_spectrum(str(tmp_path / name)).tolist() == [3, 1, 0]
    values = read_spectrum(str(tmp_path / "line.csv"), 4)
    assert values.tolist() == [3, 1, 0.5, 0]
    assert describe_spectrum(values, "some/line.csv") == "d = 4, spectrum of line.csv (1 of them 0)"


def test_of_points(tmp_path):
    rng = np.random.default_rng(0)
    points = rng.standard_normal((50, 4)) * [2.0, 1.0, 0.0, 0.1] + 5
    np.save(tmp_path / "points.npy", points)
    found = read_spectrum(str(tmp_path / "points.npy"))
    expected = np.linalg.eigvalsh(np.cov(points, rowvar=False))[::-1]
    np.testing.assert_allclose(found[:3], expected[:3], rtol=1e-10)
    assert found[3] == 0
    digits = read_spectrum("digits")
    covariance = np.cov(load_data("digits").points, rowvar=False)
    assert digits.sum() == pytest.approx(np.trace(covariance))
    assert (np.diff(digits) <= 0).all()
    # Three pixels never vary.
    assert (digits == 0).sum() == 3
    assert describe_spectrum(digits, "digits") == "d = 64, spectrum of digits (3 of them 0)"


def test_described():
    assert describe_spectrum(np.ones(7), " isotropic ") == "d = 7, isotropic"
    assert describe_spectrum(np.ones(7), "power-law:1.5") == "d = 7, power-law:1.5"
    assert describe_spectrum(np.array([1.0, 0.25]), "1,0.25") == "d = 2, spectrum 1,0.25"
    many = np.array([9.0, 5, 4, 0.5, 0])
    assert describe_spectrum(many, "9,5,4,0.5,0") == "d = 5, spectrum from 0 to 9 (1 of them 0)"


@pytest.mark.parametrize(
    ("text", "dim", "match"),
    [
        (
            "flat",
            None,
            "spectrum: given 'flat', expected isotropic, power-law:EXPONENT, two-level:",
        ),
        ("isotropic:2", None, "given 'isotropic:2', expected isotropic"),
        ("away/absent.csv", None, "'away/absent.csv', and there is no file of that name: expected"),
        ("power-law", None, "given 'power-law', expected"),
        ("power-law:", None, "given 'power-law:', expected"),
        ("power-law:1,2", None, "given 'power-law:1,2', expected"),
        ("power-law:inf", None, "given 'power-law:inf', expected"),
        ("power-law:-400", 100, "given 'power-law:-400', expected"),
        ("two-level", None, "given 'two-level', expected"),
        ("two-level:0", None, "given 'two-level:0', expected"),
        ("two-level:2:1", None, "given 'two-level:2:1', expected"),
        ("two-level:2:0.5:3", None, "given 'two-level:2:0.5:3', expected"),
        ("two-level:-3", None, "given 'two-level:-3', expected"),
        ("1,-2", None, "expected numbers >= 0, not all of them 0"),
        ("1,nan", None, "expected numbers >= 0, not all of them 0"),
        ("0,0", None, "expected numbers >= 0, not all of them 0"),
        ("", None, "given '', expected"),
        ("1,2", 3, r"given 2 eigenvalue\(s\) and --dim 3: leave --dim out"),
        ("digits", 3, r"digits has 64 eigenvalue\(s\) and --dim 3"),
        ("isotropic", 0, "dim is 0"),
    ],
)
def test_refused(text, dim, match):
    with pytest.raises(ValueError, match=match):
        read_spectrum(text, dim)


def test_files_that_are_no_spectrum(tmp_path):
    (tmp_path / "notes.txt").write_text("1 2 3")
    with pytest.raises(ValueError, match=r"notes.txt ends in '.txt': expected one of .npy"):
        read_spectrum(str(tmp_path / "notes.txt"))
    np.save(tmp_path / "negative.npy", np.array([1.0, -1.0]))
    with pytest.raises(ValueError, match="expected numbers >= 0"):
        read_spectrum(str(tmp_path / "negative.npy"))
