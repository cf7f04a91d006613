"""Data sets by name or from files, one point per row."""

from __future__ import annotations

__all__ = ["load_data", "read_numbers", "DATA_NAMES"]

import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.data.sources import DataSet
from ornstein.validation import as_points

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

DATA_NAMES = ("digits", "patches")
_IMAGES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"})
_PATCH_SIDE = 8
_FEW_COLUMNS = 3  # a row 0, 1 may well be a data point


def load_data(source: str | Path) -> DataSet:
    """Read a data set by name or path, one point per row.

    Parameters
    ----------
    source : str or Path
        ``"digits"`` (scikit-learn's 1797 images of 8 x 8, values 0 to 16), ``"patches"`` (8 x 8
        grey patches of scikit-learn's two sample photographs, values 0 to 1), a file ``.npy``,
        ``.npz``, ``.csv`` or ``.parquet``, or a folder of images of one size (values 0 to 1).
        In a .csv, lines after # are skipped, and a first row that is not numbers, or is
        0, 1, 2, ..., names the columns.

    Raises
    ------
    ValueError
        If nothing is there, the file cannot be read, or the points cannot be used.
    TypeError
        If a column holds text.
    """
    if str(source) == "digits":
        return DataSet(_digits(), "digits")
    if str(source) == "patches":
        return DataSet(_patches(), "patches")
    path = Path(source).expanduser()
    if path.is_dir():
        return DataSet(_image_folder(path), path.name)
    if not path.exists():
        raise ValueError(
            f"no data at {str(path)!r}: expected {', '.join(DATA_NAMES)}, "
            "a .npy, .npz, .csv or .parquet file, or a folder of images"
        )
    array = read_numbers(path)
    if array.ndim == 1:
        raise ValueError(f"{path.name} has shape {array.shape}, expected one point per row")
    return DataSet(as_points(array, path.name, at_least=3), path.name)


def read_numbers(path: Path) -> NDArray[Any]:
    """The array of a file ``.npy``, ``.npz``, ``.csv`` or ``.parquet``, of any shape.

    Raises
    ------
    ValueError
        If the file is of another kind, or cannot be read.
    TypeError
        If a column holds text.
    """
    readers: dict[str, Callable[[Path], Any]] = {
        ".npy": _npy,
        ".npz": _npz,
        ".csv": _csv,
        ".parquet": _parquet,
    }
    reader = readers.get(path.suffix.lower())
    if reader is None:
        raise ValueError(
            f"{path.name} ends in {path.suffix!r}: expected one of {', '.join(readers)}"
        )
    try:
        return reader(path)
    except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise ValueError(f"cannot read {path.name}: {reason}") from error


def _digits() -> NDArray[np.float64]:
    from sklearn.datasets import load_digits

    images, _ = load_digits(return_X_y=True)
    return np.asarray(images, dtype=np.float64)


def _patches() -> NDArray[np.float64]:
    from sklearn.datasets import load_sample_images

    tiles = []
    for image in load_sample_images().images:
        grey = image.mean(axis=2) / 255.0
        rows, columns = (side // _PATCH_SIDE for side in grey.shape)
        grey = grey[: rows * _PATCH_SIDE, : columns * _PATCH_SIDE]
        blocks = grey.reshape(rows, _PATCH_SIDE, columns, _PATCH_SIDE).swapaxes(1, 2)
        tiles.append(blocks.reshape(-1, _PATCH_SIDE**2))
    return np.concatenate(tiles)


def _npy(path: Path) -> NDArray[Any]:
    return np.load(path, allow_pickle=False)


def _npz(path: Path) -> NDArray[Any]:
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        if len(archive.files) != 1:
            raise ValueError(f"it holds the arrays {archive.files}, expected exactly one")
        return archive[archive.files[0]]


def _csv(path: Path) -> NDArray[Any]:
    import pandas as pd

    first = pd.read_csv(path, header=None, nrows=1, comment="#")
    # A first row of numbers is a data point, anything else names the columns: also 0, 1, 2, ...,
    # the names that pandas gives when nobody does.
    numbers = all(pd.api.types.is_numeric_dtype(kind) for kind in first.dtypes)
    cells = first.to_numpy()[0]
    counted = numbers and any(
        len(names) >= _FEW_COLUMNS and np.array_equal(names, np.arange(len(names)))
        for names in (cells, cells[1:])
    )
    named = counted or not numbers
    table = pd.read_csv(path, header=0 if named else None, comment="#")
    if named and str(table.columns[0]).startswith("Unnamed:"):
        raise ValueError(
            "its first column has no name, as row numbers that pandas writes have none: "
            "drop it (to_csv(index=False)), or name it"
        )
    return _table(table)


def _parquet(path: Path) -> NDArray[Any]:
    import pandas as pd

    try:
        return _table(pd.read_parquet(path))
    except ImportError:
        raise ValueError("reading parquet needs pyarrow: pip install 'ornstein[parquet]'") from None


def _table(table: Any) -> NDArray[np.float64]:
    text = [str(name) for name, kind in table.dtypes.items() if kind.kind not in "biuf"]
    if text:
        raise TypeError(
            f"column(s) {', '.join(text[:5])} hold text or dates, expected numbers: "
            "drop or encode them"
        )
    return table.to_numpy(dtype=np.float64)


def _image_folder(folder: Path) -> NDArray[np.float64]:
    from PIL import Image

    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in _IMAGES)
    if not files:
        raise ValueError(
            f"no images in the folder {str(folder)!r}: expected files ending in "
            f"{', '.join(sorted(_IMAGES))}"
        )
    arrays: list[NDArray[np.float64]] = []
    for file in files:
        try:
            with warnings.catch_warnings(), Image.open(file) as image:
                warnings.simplefilter("error")
                mode = "L" if image.mode in {"1", "L", "I;16", "I", "F"} else "RGB"
                arrays.append(np.asarray(image.convert(mode), dtype=np.float64) / 255.0)
        except (OSError, SyntaxError, Warning) as error:
            raise ValueError(f"cannot read the image {file.name}: {error}") from error
    if len({array.shape for array in arrays}) > 1:
        odd = next(i for i, array in enumerate(arrays) if array.shape != arrays[0].shape)
        raise ValueError(
            f"{files[odd].name} has shape {arrays[odd].shape} and {files[0].name} "
            f"{arrays[0].shape}: expected images of one size and number of channels"
        )
    return np.stack(arrays).reshape(len(arrays), -1)
