"""Images for the learned model: data that know their shape, resized where asked.

:mod:`ornstein.data.files` reads one flat point per row. Here a data set comes with the shape of its
points: (channels, height, width) for images, (dim,) for vectors. Images of a folder are cut to
their central square and resized; those of an array keep their size unless another is asked for.
"""

from __future__ import annotations

__all__ = ["load_shaped", "DEFAULT_PIXELS"]

import math
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein.data.files import load_data
from ornstein.data.sources import DataSet
from ornstein.validation import as_count, as_points

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

DEFAULT_PIXELS = 8
_GREY_MODES = frozenset({"1", "L", "I;16", "I", "F", "LA"})
_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"})


def load_shaped(source: str, pixels: int | None = None) -> DataSet:
    """Read images or vectors by name or path.

    Parameters
    ----------
    source : str
        ``"digits"`` or ``"patches"`` (8 x 8), a folder of images, a ``.npy`` file of shape
        (n, channels, height, width), (n, height, width) or (n, dim), or a file of vectors that
        :func:`~ornstein.data.files.load_data` reads.
    pixels : int, optional
        Pixels per side to resize images to. By default those of a folder get 8 and others keep
        their size.

    Raises
    ------
    ValueError
        If nothing is there or it cannot be read, or vectors are to be resized.
    """
    side = None if pixels is None else as_count(pixels, "pixels")
    path = Path(source).expanduser()
    if path.is_dir():
        images = _folder(path, side or DEFAULT_PIXELS)
        return DataSet(as_points(images, path.name, at_least=3), path.name, _of(images))
    data = load_data(source)
    shape = _shape(source, path, data.dim)
    if side is None or shape[1:] == (side, side):
        return DataSet(data.points, data.name, shape)
    if len(shape) == 1:
        raise ValueError(
            f"{data.name} holds vectors of {data.dim} coordinates, which have no pixels: leave "
            "pixels out, or give images of shape (n, channels, height, width)"
        )
    images = _resized(data.points.reshape(-1, *shape), side)
    return DataSet(images.reshape(len(images), -1), data.name, _of(images))


def _of(images: Array) -> tuple[int, ...]:
    return tuple(int(side) for side in images.shape[1:])


def _shape(source: str, path: Path, dim: int) -> tuple[int, ...]:
    """Shape of a point, from the name of the data or the header of the file."""
    if source in {"digits", "patches"}:
        return 1, 8, 8
    if path.suffix.lower() != ".npy":
        return (dim,)
    shape = np.load(path, mmap_mode="r", allow_pickle=False).shape[1:]
    if len(shape) == 2:
        return 1, *shape
    return tuple(shape) if len(shape) == 3 else (math.prod(shape),)


def _resized(images: Array, side: int) -> Array:
    """Resize each channel of each image, shape (n, channels, H, W)."""
    channels = images.reshape(-1, *images.shape[-2:])
    resized = np.stack([_resize(_float_image(channel), side) for channel in channels])
    return resized.reshape(*images.shape[:2], side, side)


def _folder(folder: Path, side: int) -> Array:
    """All images of a folder as squares of `side` pixels, in the order of their names."""
    from PIL import Image

    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in _SUFFIXES)
    if not files:
        raise ValueError(
            f"no images in the folder {str(folder)!r}: expected files ending in "
            f"{', '.join(sorted(_SUFFIXES))}"
        )
    images: list[list[Array]] = []
    for file in files:
        try:
            with warnings.catch_warnings(), Image.open(file) as image:
                warnings.simplefilter("error")
                square = _central_square(image)
                bands = _bands(square)
                images.append([_resize(band, side) / 255.0 for band in bands])
        except (OSError, SyntaxError, Warning) as error:
            raise ValueError(f"cannot read the image {file.name}: {error}") from error
    # Grey images among coloured ones are coloured ones without colour.
    most = max(map(len, images))
    return np.stack([np.stack(image if len(image) == most else image * most) for image in images])


def _central_square(image: Any) -> Any:
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) // 2, (height - side) // 2
    return image.crop((left, top, left + side, top + side))


def _bands(image: Any) -> Iterable[Any]:
    """One band of a grey image, three of a coloured one, values 0 to 255."""
    grey = image.mode in _GREY_MODES
    return image.convert("L" if grey else "RGB").split()


def _float_image(values: Array) -> Any:
    from PIL import Image

    return Image.fromarray(values.astype(np.float32))


def _resize(image: Any, side: int) -> Array:
    """Averages over the pixels that a smaller one covers; interpolation to a larger one."""
    from PIL import Image

    if image.size == (side, side):
        return np.asarray(image, dtype=np.float64)
    smaller = side <= min(image.size)
    how = Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR
    return np.asarray(image.convert("F").resize((side, side), how), dtype=np.float64)
