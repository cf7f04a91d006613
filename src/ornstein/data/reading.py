"""Read whatever people bring: a name, a file, a folder, a list of images, or what is in memory.

All commands read through :func:`read` and :func:`read_all`, so that the same file gives the same
points everywhere.

*Bytes.* Arrays of bytes (0 to 255) stay as they are if all the sets of one call are bytes. If
another set is not, they are divided by 255, with a note: beside values from 0 to 1, which is what
images become, bytes would be 255 times too large.
"""

from __future__ import annotations

__all__ = ["read", "read_all", "read_sets", "DATA_NAMES"]

import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.data.arrays import ARRAY_SUFFIXES, BROKEN, array_contents, read_array_file
from ornstein.data.contents import ArrayContents, Contents
from ornstein.data.findings import note
from ornstein.data.image_arrays import with_pixels
from ornstein.data.image_folders import read_images
from ornstein.data.image_modes import SUFFIXES
from ornstein.data.reading_options import ReadingOptions
from ornstein.data.samples import DATA_NAMES, named
from ornstein.data.tables import TABLE_SUFFIXES, is_frame, read_table_file, table_contents

if TYPE_CHECKING:
    from collections.abc import Sequence

_BYTES = 255.0


def read(
    source: Any,
    options: ReadingOptions | None = None,
    *,
    pixels: int | None = None,
    name: str | None = None,
) -> Contents:
    """Read one set of points.

    Parameters
    ----------
    source : str, Path, sequence of paths, array or data frame
        ``"digits"`` (scikit-learn's 1797 images of 8 x 8, values 0 to 16) or ``"patches"`` (8 x 8
        grey patches of scikit-learn's two sample photographs, values 0 to 1); a file ``.npy``,
        ``.npz``, ``.pt``, ``.safetensors``, ``.csv``, ``.tsv``, ``.parquet``, ``.feather`` or
        ``.xlsx``, of several arrays or sheets one as ``FILE.npz:name``; a folder or a sequence of
        images; an array; a data frame of pandas, Polars or Arrow.
    options : ReadingOptions, optional
        What a file does not tell.
    pixels : int, optional
        Pixels a side, to which images are cut and resized.
    name : str, optional
        For messages, where it is not that of a file.

    Raises
    ------
    ValueError
        If nothing is there, it cannot be read, or it can be read in two ways.
    TypeError
        If values are no real numbers.
    """
    options = ReadingOptions() if options is None else options
    options.require_effect({_kind_of(source)}, name or _shown(source))
    return _read(source, options, pixels, name)


def _read(source: Any, options: ReadingOptions, pixels: int | None, name: str | None) -> Contents:
    contents = _as_stored(source, options, pixels, name)
    if pixels is None or _kind_of(source) == "images":
        return contents
    return with_pixels(contents, pixels)


def _as_stored(
    source: Any, options: ReadingOptions, pixels: int | None, name: str | None
) -> Contents:
    if isinstance(source, str) and source in DATA_NAMES:
        return named(source)
    if isinstance(source, str | Path):
        return _read_path(source, options, pixels)
    if is_frame(source):
        return table_contents(source, name or "data", options)
    if isinstance(source, list | tuple) and source and all(map(_is_path, source)):
        return _read_list([Path(each).expanduser() for each in source], options, pixels)
    return array_contents(_as_array(source, name or "data"), name or "data", options)


def read_all(
    sources: Sequence[Any], options: ReadingOptions | None = None, *, pixels: int | None = None
) -> list[Contents]:
    """Read several sets that are compared, on one scale.

    Raises
    ------
    ValueError, TypeError
        As :func:`read`.
    """
    options = ReadingOptions() if options is None else options
    options.require_effect(set(map(_kind_of, sources)), ", ".join(map(_shown, sources)))
    sets = [_read(source, options, pixels, None) for source in sources]
    alike = [isinstance(each, ArrayContents) and _is_bytes(each) for each in sets]
    if len(sets) == 1 or all(alike) or not any(alike):
        return sets
    return [
        each.with_scale(
            _BYTES, note("bytes divided by 255, since another set of this call is no bytes")
        )
        if isinstance(each, ArrayContents) and one
        else each
        for each, one in zip(sets, alike, strict=True)
    ]


def read_sets(
    paths: Sequence[str], options: ReadingOptions | None = None, *, pixels: int | None = None
) -> list[Contents]:
    """Read what a command line names: each a set, but several images are one.

    Raises
    ------
    ValueError, TypeError
        As :func:`read`.
    """
    if len(paths) > 1 and all(Path(path).suffix.lower() in SUFFIXES for path in paths):
        return [read(list(paths), options, pixels=pixels)]
    return read_all(paths, options, pixels=pixels)


def _kind_of(source: Any) -> str:
    """What kind of data it will be found to be, as far as options go; empty for no data at all."""
    if is_frame(source):
        return "frame"
    if isinstance(source, list | tuple) and source and all(map(_is_path, source)):
        return "images"
    if not isinstance(source, str | Path):
        return "array"
    if isinstance(source, str) and source in DATA_NAMES:
        return "named"
    path = Path(source).expanduser()
    suffix = path.suffix.lower().partition(":")[0]
    if path.is_dir() or suffix in SUFFIXES:
        return "images"
    if suffix in ARRAY_SUFFIXES:
        return "array"
    return {".csv": "text", ".tsv": "text", ".xlsx": "sheet"}.get(suffix, "frame")


def _shown(source: Any) -> str:
    return Path(source).name if _is_path(source) else "data"


def _is_bytes(contents: ArrayContents) -> bool:
    """Whether its points are bytes as they are stored."""
    return contents.dtype == np.uint8 and contents.scale == 1.0


def _is_path(source: Any) -> bool:
    return isinstance(source, str | Path)


def _as_array(source: Any, name: str) -> Any:
    if hasattr(source, "detach") and hasattr(source, "numpy"):  # a tensor, without its package
        return source.detach().cpu().numpy()
    if isinstance(source, list | tuple):
        try:
            return np.ma.asanyarray(source) if any(map(np.ma.isMA, source)) else np.asarray(source)
        except ValueError:
            raise ValueError(f"{name} has rows of different lengths, expected an array") from None
    return source


def _read_list(paths: list[Path], options: ReadingOptions, pixels: int | None) -> Contents:
    other = [path for path in paths if path.suffix.lower() not in SUFFIXES]
    if other:
        raise ValueError(
            f"a list of files holds {other[0].name}, expected images alone: read other files one "
            "by one"
        )
    missing = [path for path in paths if not path.exists()]
    if missing:
        raise ValueError(f"no image at {str(missing[0])!r}")
    return read_images(paths, options, pixels)


def _read_path(source: str | Path, options: ReadingOptions, pixels: int | None) -> Contents:
    path, key = Path(source).expanduser(), None
    if path.is_dir():
        return read_images(path, options, pixels)
    if not path.exists():
        before, colon, after = str(path).rpartition(":")
        if colon and Path(before).is_file():
            path, key = Path(before), after
    suffix = path.suffix.lower()
    if not path.exists():
        raise ValueError(
            f"no data at {str(path)!r}: expected {', '.join(DATA_NAMES)}, a file ending in "
            f"{', '.join((*ARRAY_SUFFIXES, *TABLE_SUFFIXES))}, an image, or a folder of images"
        )
    if suffix in SUFFIXES:
        return read_images([path], options, pixels)
    if suffix not in {*ARRAY_SUFFIXES, *TABLE_SUFFIXES}:
        known = ", ".join((*ARRAY_SUFFIXES, *TABLE_SUFFIXES))
        raise ValueError(f"{path.name} ends in {path.suffix!r}: expected one of {known}")
    reader = read_array_file if suffix in ARRAY_SUFFIXES else read_table_file
    try:
        return reader(path, options, key)
    except BROKEN as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        if isinstance(error, zipfile.BadZipFile):
            reason = f"it is cut short, or no {suffix} file: copy or save it again"
        if suffix in ARRAY_SUFFIXES and path.stat().st_size == 0:
            reason = "it is empty"
        if reason.startswith(path.name):
            raise ValueError(reason) from None
        raise ValueError(f"cannot read {path.name}: {reason}") from error
