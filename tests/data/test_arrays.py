"""Arrays of files and in memory: values, types, layouts, and what is refused."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from ornstein.data.contents import ArrayContents
from ornstein.data.files import load_data
from ornstein.data.reading import read, read_all
from ornstein.data.reading_options import ReadingOptions

RNG = np.random.default_rng(0)
DTYPES = (
    "f2",
    "f4",
    "f8",
    ">f4",
    ">f8",
    "i1",
    "i2",
    "i4",
    "i8",
    ">i4",
    "u1",
    "u2",
    "u4",
    "u8",
    "?",
)


def array(source: object, **options: object) -> ArrayContents:
    contents = read(source, ReadingOptions(**options))  # type: ignore[arg-type]
    assert isinstance(contents, ArrayContents)
    return contents


def said(contents: ArrayContents) -> str:
    return "; ".join(map(str, contents.findings))


def values_of(kind: str) -> st.SearchStrategy[np.ndarray]:
    dtype = np.dtype(kind)
    sides = st.tuples(st.integers(1, 5), st.integers(1, 5))
    if dtype.kind == "f":
        elements = st.floats(width=8 * dtype.itemsize, allow_nan=False, allow_infinity=False)
    elif dtype.kind == "b":
        elements = st.booleans()
    else:
        # Up to 2^53 every whole number is a float64.
        low, high = int(np.iinfo(dtype).min), int(np.iinfo(dtype).max)
        elements = st.integers(max(low, -(2**53)), min(high, 2**53))
    return sides.flatmap(lambda shape: arrays(dtype, shape, elements=elements))


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        (suffix, kind)
        for suffix in (".npy", ".npz", ".safetensors", ".pt")
        for kind in DTYPES
        # Tensors have neither another byte order nor unsigned numbers of 64 bits.
        if suffix in {".npy", ".npz"} or (">" not in kind and kind != "u8")
    ],
)
def test_round_trips(tmp_path_factory: pytest.TempPathFactory, suffix: str, kind: str) -> None:
    file = tmp_path_factory.mktemp("trip") / f"x{suffix}"

    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck))
    @given(values_of(kind), st.booleans())
    def check(values: np.ndarray, fortran: bool) -> None:
        given = np.asfortranarray(values) if fortran else values
        write(file, given)
        np.testing.assert_array_equal(array(file).points(), values.astype(np.float64))

    check()


def write(file: Path, values: np.ndarray) -> None:
    if file.suffix == ".npy":
        np.save(file, values)
    elif file.suffix == ".npz":
        np.savez(file, any_name=values)
    elif file.suffix == ".pt":
        torch = pytest.importorskip("torch")
        torch.save(torch.from_numpy(np.ascontiguousarray(values)), file)
    else:
        save_file = pytest.importorskip("safetensors.numpy").save_file
        save_file({"x": np.ascontiguousarray(values)}, file)


@pytest.mark.parametrize(
    ("shape", "right", "moved"),
    [
        ((6, 5), (5,), False),
        ((6, 8, 8), (1, 8, 8), False),
        ((6, 3, 8, 8), (3, 8, 8), False),
        ((6, 8, 8, 3), (3, 8, 8), True),
        ((6, 8, 9, 1), (1, 8, 9), True),
        ((6, 1, 8, 1), (1, 8, 1), False),
        ((6, 5, 8, 9), (5, 8, 9), False),
        ((6, 2, 3, 4, 5), (120,), False),
    ],
)
@pytest.mark.parametrize("mapped", [True, False])
def test_layouts(tmp_path: Path, shape: tuple, right: tuple, moved: bool, mapped: bool) -> None:
    values = RNG.standard_normal(shape)
    np.save(tmp_path / "x.npy", values)
    contents = array(tmp_path / "x.npy" if mapped else values)
    assert contents.shape == right
    expected = values.transpose(0, 3, 1, 2) if moved else values
    np.testing.assert_array_equal(contents.points(), expected.reshape(6, -1))
    np.testing.assert_array_equal(contents.rows(slice(1, 4)), expected.reshape(6, -1)[1:4])
    np.testing.assert_array_equal(contents.rows([5, 0]), expected.reshape(6, -1)[[5, 0]])
    assert ("channels moved from last to first" in said(contents)) == moved


@pytest.mark.parametrize(
    ("shape", "layout", "right"),
    [
        ((6, 3, 8, 3), "first", (3, 8, 3)),
        ((6, 3, 8, 3), "last", (3, 3, 8)),
        ((6, 3, 8, 3), "flat", (72,)),
        ((20, 20, 3), "grey", (1, 20, 3)),
        ((20, 20, 3), "flat", (60,)),
    ],
)
def test_layouts_that_are_told(shape: tuple, layout: str, right: tuple) -> None:
    values = RNG.standard_normal(shape)
    with pytest.raises(ValueError, match=r"choose with --layout"):
        array(values)
    contents = array(values, layout=layout)
    assert contents.shape == right
    expected = values.transpose(0, 3, 1, 2) if layout == "last" else values
    np.testing.assert_array_equal(contents.points(), expected.reshape(len(values), -1))
    with pytest.raises(ValueError, match="layout first is given, expected"):
        array(values[0], layout="first")


def test_several_arrays_and_their_names(tmp_path: Path) -> None:
    a, b = RNG.standard_normal((5, 2)), RNG.standard_normal((6, 3))
    np.savez(tmp_path / "x.npz", a=a, b=b)
    np.testing.assert_array_equal(array(f"{tmp_path}/x.npz:b").points(), b)
    assert array(f"{tmp_path}/x.npz:b").name == "x.npz:b"
    with pytest.raises(ValueError, match=r"arrays a \(5, 2\), b \(6, 3\).*as x\.npz:a"):
        array(tmp_path / "x.npz")
    with pytest.raises(ValueError, match="holds a, b, and no 'c'"):
        array(f"{tmp_path}/x.npz:c")
    np.save(tmp_path / "x.npy", a)
    with pytest.raises(ValueError, match=r"a \.npy file holds one"):
        array(f"{tmp_path}/x.npy:a")


def test_labels_beside_points_are_known(tmp_path: Path) -> None:
    points, labels = RNG.integers(0, 256, (7, 4, 4), dtype=np.uint8), np.arange(7)
    np.savez(tmp_path / "x.npz", data=points, target=labels)
    contents = array(tmp_path / "x.npz")
    np.testing.assert_array_equal(contents.points(), points.reshape(7, -1))
    assert "data read as the points; target, one number for each, set aside" in said(contents)
    torch = pytest.importorskip("torch")
    # As torchvision writes MNIST: a pair of images and targets.
    torch.save((torch.from_numpy(points), torch.from_numpy(labels)), tmp_path / "x.pt")
    np.testing.assert_array_equal(array(tmp_path / "x.pt").points(), points.reshape(7, -1))


def test_tensors_of_every_kind(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    values = torch.tensor([[1.5, -2.0], [0.25, 3.0], [1.0, 1.0]])
    torch.save({"a": values.to(torch.bfloat16), "b": values[:2]}, tmp_path / "x.pt")
    np.testing.assert_array_equal(array(f"{tmp_path}/x.pt:a").points(), values.numpy())
    np.testing.assert_array_equal(array(values).points(), values.numpy())
    torch.save(values.to_sparse(), tmp_path / "sparse.pt")
    with pytest.raises(ValueError, match="sparse, quantized or complex"):
        array(tmp_path / "sparse.pt")
    torch.save(torch.nn.Linear(2, 2), tmp_path / "module.pt")
    with pytest.raises(ValueError, match=r"cannot read module\.pt: it holds more than tensors"):
        array(tmp_path / "module.pt")
    (tmp_path / "text.pt").write_text("no tensor")
    with pytest.raises(ValueError, match=r"cannot read text\.pt"):
        array(tmp_path / "text.pt")
    torch.save({"a": 3}, tmp_path / "none.pt")
    with pytest.raises(ValueError, match="it holds no tensor"):
        array(tmp_path / "none.pt")


def test_bytes_are_divided_only_beside_others() -> None:
    whole = RNG.integers(0, 256, (5, 4), dtype=np.uint8)
    one, two = read_all([whole, whole])
    assert isinstance(one, ArrayContents)
    np.testing.assert_array_equal(one.points(), whole)
    one, two = read_all([whole, whole / 255.0])
    assert isinstance(one, ArrayContents)
    assert isinstance(two, ArrayContents)
    np.testing.assert_array_equal(one.points(), two.points())
    assert "bytes divided by 255" in said(one)
    assert said(two) == ""


def structured() -> np.ndarray:
    return np.zeros(4, dtype=[("a", "f8"), ("b", "f8")])


@pytest.mark.parametrize(
    ("values", "error", "expected"),
    [
        (np.ones((3, 2)) + 1j, TypeError, "complex values, expected real numbers"),
        (structured(), TypeError, r"named fields \(a, b\)"),
        (np.array([[{}], [{}]], dtype=object), TypeError, "Python objects"),
        (np.array([["1", "2"]]), TypeError, "holds text"),
        (np.zeros((3, 2), dtype="M8[s]"), TypeError, "dates or durations"),
        (np.zeros((3, 2), dtype="m8[s]"), TypeError, "dates or durations"),
        (np.ma.masked_equal(np.arange(6).reshape(3, 2), 2), ValueError, "1 masked value"),
        (np.arange(4), ValueError, r"shape \(4,\), expected one point per row"),
        (np.float64(1), ValueError, r"shape \(\)"),
        (np.zeros((3, 0)), ValueError, "at least one point and one coordinate"),
        ([[1, 2], [3]], ValueError, "rows of different lengths"),
    ],
)
def test_what_is_no_array_of_numbers(values: object, error: type[Exception], expected: str) -> None:
    with pytest.raises(error, match=expected) as caught:
        load_data(values)
    assert "\n" not in str(caught.value)


def test_digits_that_float64_lacks_are_said() -> None:
    large = np.array([[2**60 + 1, 5], [3, 4], [7, 8]])
    assert "no float64 each: differences below 256 are lost" in said(array(large))
    assert said(array(np.array([[2**53, 5], [3, 4]]))) == ""
    assert f"{np.dtype(np.longdouble)} rounded to float64" in said(
        array(np.ones((3, 2), dtype=np.longdouble))
    )


def test_how_it_is_stored_is_said(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", np.asfortranarray(RNG.standard_normal((4, 3)).astype(">f4")))
    assert array(tmp_path / "x.npy").stored == "float32, big endian, columns first (Fortran)"


def test_the_file_is_mapped_and_not_loaded(tmp_path: Path) -> None:
    np.save(tmp_path / "x.npy", RNG.standard_normal((50, 3)))
    contents = array(tmp_path / "x.npy")
    assert isinstance(contents.values, np.memmap)
    starts = [start for start, _ in contents.blocks()]
    assert starts == [0]
