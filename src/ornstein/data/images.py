"""Images for the learned model: data that know their shape, resized where asked.

:mod:`ornstein.data.files` makes one flat point per row. Here a data set comes with the shape of its
points: (channels, height, width) for images, (dim,) for vectors. Images of a folder are cut to
their central square and resized; those of an array keep their size unless another is asked for.
"""

from __future__ import annotations

__all__ = ["load_shaped", "DEFAULT_PIXELS"]

from pathlib import Path
from typing import TYPE_CHECKING

from ornstein.data.files import data_set
from ornstein.data.image_modes import SUFFIXES
from ornstein.data.reading import read
from ornstein.validation import as_count

if TYPE_CHECKING:
    from ornstein.data.data_sets import DataSet
    from ornstein.data.reading_options import ReadingOptions

DEFAULT_PIXELS = 8


def load_shaped(
    source: str, pixels: int | None = None, options: ReadingOptions | None = None
) -> DataSet:
    """Read images or vectors by name or path.

    Parameters
    ----------
    source : str
        What :func:`ornstein.data.reading.read` reads.
    pixels : int, optional
        Pixels per side to resize images to. By default those of a folder get 8 and others keep
        their size.
    options : ReadingOptions, optional
        What a file does not tell.

    Raises
    ------
    ValueError
        If nothing is there or it cannot be read, or vectors are to be resized.
    """
    side = None if pixels is None else as_count(pixels, "pixels")
    path = Path(source).expanduser()
    if path.is_dir() or path.suffix.lower() in SUFFIXES:
        side = side or DEFAULT_PIXELS
    contents = read(source, options, pixels=side)
    return data_set(contents, contents.shape)
