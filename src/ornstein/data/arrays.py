"""Arrays: .npy (mapped, not loaded), .npz, .safetensors and .pt, and arrays in memory.

Nothing is ever unpickled. Of a file with several arrays, ``FILE.npz:name`` names one; a set with
labels beside it (scikit-learn's ``data`` and ``target``, torchvision's pair of images and targets)
is known by its shapes: one array of points, the others a number for each.

Booleans, integers and floats of all sizes and byte orders are read as float64; whole numbers above
2^53 and long floats lose digits there, which is said. Bytes (0 to 255) stay as they are if all the
sets of one call are bytes, and are divided by 255 otherwise, see :mod:`ornstein.data.reading`.
"""

from __future__ import annotations

__all__ = ["read_array_file", "array_contents", "is_looked_through", "ARRAY_SUFFIXES"]

import importlib
import math
import zipfile
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.data.contents import ArrayContents
from ornstein.data.findings import Finding, note, warning
from ornstein.data.layouts import find_layout
from ornstein.validation import as_real, refuse_masked

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from numpy.typing import NDArray

    from ornstein.data.reading_options import ReadingOptions

ARRAY_SUFFIXES = (".npy", ".npz", ".safetensors", ".pt")
_TENSOR_READER = "ornstein.networks.tensor_files"
"""Knows PyTorch, which this package does not; it is looked up by name."""
_EXACT = 2**53
_LARGE = 2**28
_CUT = "it is cut short: copy or save it again"


def read_array_file(path: Path, options: ReadingOptions, key: str | None = None) -> ArrayContents:
    """Read the points of a file.

    Parameters
    ----------
    path : Path
    options : ReadingOptions
    key : str, optional
        Name of the array, where a file holds several.

    Raises
    ------
    ValueError
        If it cannot be read, or has several arrays and none is named.
    TypeError
        If values are no real numbers.
    """
    suffix = path.suffix.lower()
    if suffix == ".npy":
        if key is not None:
            raise ValueError(
                f"{path.name}:{key} names an array, and a .npy file holds one: leave :{key} out"
            )
        try:
            values = np.load(path, mmap_mode="r", allow_pickle=False)
        except ValueError as error:
            if "pickle" in str(error) or "Python objects" in str(error):
                raise ValueError(
                    f"{path.name} holds no array of numbers, but text or Python objects: save one "
                    "with numpy.save"
                ) from None
            if "mmap length" in str(error) or "EOF" in str(error):
                raise ValueError(_CUT) from None
            raise
        return array_contents(values, path.name, options, path)
    arrays = _READERS[suffix](path, key)
    chosen, name, findings = _choose(arrays, path.name, key)
    return array_contents(chosen, name, options, path, findings)


def array_contents(
    values: Any,
    name: str,
    options: ReadingOptions,
    path: Path | None = None,
    findings: tuple[Finding, ...] = (),
) -> ArrayContents:
    """Contents of an array in memory, or mapped from a file.

    Raises
    ------
    TypeError, ValueError
        If values are no real numbers, are masked, or the shape can be read in two ways.
    """
    refuse_masked(values, name)
    array = np.asanyarray(values)
    _require_numbers(array, name)
    layout = find_layout(array.shape, name, options.layout)
    moved = array if layout.axes is None else array.transpose(layout.axes)
    mapped = isinstance(array, np.memmap)
    if moved.shape[1:] != layout.shape:
        moved = moved.reshape(len(moved), *layout.shape)
        # A view where it can be; a copy of a mapped file loads it.
        mapped = mapped and np.may_share_memory(moved, array)
    if 0 in array.shape:
        raise ValueError(
            f"{name} has shape {array.shape}, expected at least one point and one coordinate"
        )
    return ArrayContents(
        name=name,
        kind="images" if len(layout.shape) == 3 else "array",
        values=moved,
        stored=_stored(array),
        findings=(*findings, *layout.findings, *_lost_digits(array)),
        origin=path,
        file=path if mapped else None,
        axes=layout.axes,
    )


def _require_numbers(array: NDArray[Any], name: str) -> None:
    if array.dtype.names:
        raise TypeError(
            f"{name} has named fields ({', '.join(array.dtype.names[:4])}), expected an array of "
            "numbers: save the fields as columns, or as a table"
        )
    if array.dtype.kind not in "biuf":
        if array.dtype.kind in "OV":
            raise TypeError(f"{name} holds Python objects, expected numbers: save a plain array")
        if array.dtype.kind in "US":
            raise TypeError(f"{name} holds text, expected real numbers: turn it into numbers")
        as_real(array[:1], name)  # complex numbers, dates and durations, each with its own line


def _stored(array: NDArray[Any]) -> str:
    words = [str(array.dtype.newbyteorder("="))]
    if array.dtype.byteorder == ">":
        words.append("big endian")
    if array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous:
        words.append("columns first (Fortran)")
    return ", ".join(words)


def is_looked_through(array: NDArray[Any]) -> bool:
    """Whether an array is looked at in full when it is read, and not only in blocks."""
    return array.nbytes < _LARGE


def _lost_digits(array: NDArray[Any]) -> list[Finding]:
    if array.dtype.kind in "iu" and array.dtype.itemsize == 8 and is_looked_through(array):
        largest = max(abs(int(array.min())), abs(int(array.max())))
        if largest > _EXACT:
            return [
                warning(
                    f"whole numbers up to {largest} have no float64 each: differences below "
                    f"{2 ** (largest.bit_length() - 53)} are lost",
                    "subtract an offset",
                )
            ]
    if array.dtype.kind == "f" and array.dtype.itemsize > 8:
        return [note(f"{array.dtype} rounded to float64")]
    return []


def _npz(path: Path, key: str | None) -> dict[str, NDArray[Any]]:
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as archive:
        if key is not None and key not in archive.files:
            raise ValueError(f"it holds {', '.join(archive.files)}, and no {key!r}")
        names = archive.files if key is None else [key]
        return {name: archive[name] for name in names}


def _safetensors(path: Path, key: str | None) -> dict[str, NDArray[Any]]:
    try:
        from safetensors import SafetensorError, safe_open
    except ImportError:
        raise ValueError(
            "reading .safetensors needs safetensors: pip install 'ornstein[networks]'"
        ) from None
    try:
        with safe_open(path, framework="np") as archive:
            names = list(archive.keys())
            if key is not None and key not in names:
                raise ValueError(f"it holds {', '.join(names)}, and no {key!r}")
            return {name: archive.get_tensor(name) for name in ([key] if key else names)}
    except SafetensorError as error:
        raise ValueError(str(error)) from None
    except TypeError:
        raise ValueError(
            "it holds a type that numpy lacks, as bfloat16: save it as float32"
        ) from None


def _pt(path: Path, key: str | None) -> dict[str, NDArray[Any]]:
    try:
        read = importlib.import_module(_TENSOR_READER).read_tensors
    except ImportError:
        raise ValueError("reading .pt needs PyTorch: pip install 'ornstein[networks]'") from None
    arrays = read(path)
    if key is not None and key not in arrays:
        raise ValueError(f"it holds {', '.join(arrays)}, and no {key!r}")
    return arrays if key is None else {key: arrays[key]}


_READERS = {".npz": _npz, ".safetensors": _safetensors, ".pt": _pt}
BROKEN = (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile)
"""What readers raise for files that are cut short or something else."""


def _choose(
    arrays: Mapping[str, NDArray[Any]], name: str, key: str | None
) -> tuple[NDArray[Any], str, tuple[Finding, ...]]:
    """The array of points among those of a file."""
    if not arrays:
        raise ValueError("it holds no array")
    if len(arrays) == 1:
        only = next(iter(arrays))
        return arrays[only], name if key is None else f"{name}:{key}", ()
    points = [each for each, array in arrays.items() if array.ndim >= 2 and len(array) > 1]
    rows = len(arrays[points[0]]) if len(points) == 1 else math.nan
    aside = [each for each in arrays if each not in points]
    if len(points) == 1 and all(arrays[each].shape == (rows,) for each in aside):
        said = note(
            f"{points[0]} read as the points; {', '.join(aside)}, one number for each, set aside"
        )
        return arrays[points[0]], name, (said,)
    shown = ", ".join(f"{each} {array.shape}" for each, array in list(arrays.items())[:6])
    example = f"{name}:{next(iter(arrays))}"
    raise ValueError(f"it holds the arrays {shown}, expected exactly one: name it, as {example}")
