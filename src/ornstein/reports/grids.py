r"""Pictures of generated images beside what the model was trained on.

Three panels with one grey scale: generated images, the training image nearest to each (Euclidean,
at the same place in its panel), and some training images. A model that copies shows the first panel
twice; one that has learned nothing shows a first panel unlike the third. What lies between images
is pale blue, so that it is taken for no pixel.
"""

from __future__ import annotations

__all__ = ["image_grid", "image_sheets", "tile", "nearest_images"]

import math
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.figure import Figure

from ornstein.memorization.neighbours import nearest_neighbours
from ornstein.reports.figures import style
from ornstein.validation import as_count, as_points

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_BETWEEN = np.array([0.80, 0.88, 0.96])


def image_grid(
    generated: ArrayLike,
    train: ArrayLike,
    *,
    count: int = 16,
    value_range: tuple[float, float] | None = None,
) -> Figure:
    """Generated images, their nearest training images, and training images, side by side.

    Parameters
    ----------
    generated : array-like of shape (n_generated, channels, H, W)
        The first `count` are shown.
    train : array-like of shape (n_train, channels, H, W)
        All are searched for the nearest; the first ones are shown.
    count : int
        Images in a panel, at most.
    value_range : tuple of 2 floats, optional
        Values shown as black and as white; least and greatest of the training images when left
        out.

    Raises
    ------
    ValueError
        If these are no images of one shape, with 1 or 3 channels.
    """
    count = as_count(count, "count")
    shown, known = _as_images(generated, "generated")[:count], _as_images(train, "train")
    if shown.shape[1:] != known.shape[1:]:
        raise ValueError(
            f"generated images have shape {shown.shape[1:]}, training images {known.shape[1:]}: "
            "expected one shape"
        )
    panels = {
        "generated": shown,
        "nearest training image": nearest_images(shown, known),
        "training": known[: len(shown)],
    }
    limits = (float(known.min()), float(known.max())) if value_range is None else value_range
    return image_sheets([panels], limits, columns=math.ceil(math.sqrt(len(shown))))


def image_sheets(
    rows: Sequence[Mapping[str, ArrayLike]],
    value_range: tuple[float, float],
    *,
    columns: int = 4,
    labels: Sequence[str] = (),
) -> Figure:
    """Sheets of images in rows, with one grey scale; titles above the first row.

    Parameters
    ----------
    rows : sequence of mappings of str to array-like of shape (n_images, channels, H, W)
        Title and images of each sheet; equally many in each row.
    value_range : tuple of 2 floats
        Values shown as black and as white.
    columns : int
        Of images, in each sheet.
    labels : sequence of str
        At the left of the rows, if given.
    """
    low, high = value_range
    with style():
        width = len(rows[0])
        figure = Figure(figsize=(2.4 * width, 2.5 * len(rows) + 0.1), layout="constrained")
        figure.get_layout_engine().set(w_pad=0.12, h_pad=0.06)  # type: ignore[union-attr]
        axes = figure.subplots(len(rows), width, squeeze=False)
        for line, panels in zip(axes, rows, strict=True):
            sheets = [_as_images(images, title) for title, images in panels.items()]
            most = max(map(len, sheets))
            for axis, images in zip(line, sheets, strict=True):
                # Blank images at the end, so that all sheets are of one size.
                blank = np.full((most - len(images), *images.shape[1:]), np.nan)
                sheet = _tiled(np.concatenate([images, blank]), columns, gap=1, fill=np.nan)
                edges = [(1, 1), (1, 1), *[(0, 0)] * (sheet.ndim - 2)]
                framed = np.pad(sheet, edges, constant_values=np.nan)
                axis.imshow(_coloured(framed, low, high), interpolation="nearest")
                axis.set(xticks=[], yticks=[])
                axis.spines[:].set_visible(False)
                axis.grid(visible=False)
        for line, label in zip(axes, labels, strict=False):
            line[0].set_ylabel(label)
        for axis, title in zip(axes[0], rows[0], strict=True):
            axis.set_title(title)
    return figure


def tile(images: ArrayLike, columns: int, *, gap: int = 1, fill: float = 0.0) -> Array:
    """Lay images out in rows of `columns`, with `gap` pixels of value `fill` between them.

    Parameters
    ----------
    images : array-like of shape (n, channels, H, W)
        1 or 3 channels.
    columns, gap : int
    fill : float
        Also where images are missing in the last row.

    Returns
    -------
    ndarray of shape (height, width), or (height, width, 3)

    Examples
    --------
    >>> tile(np.arange(3.0).reshape(3, 1, 1, 1), columns=2, fill=9.0)
    array([[0., 9., 1.],
           [9., 9., 9.],
           [2., 9., 9.]])
    """
    return _tiled(_as_images(images, "images"), columns, gap=gap, fill=fill)


def _tiled(array: Array, columns: int, *, gap: int, fill: float) -> Array:
    n, channels, height, width = array.shape
    rows = math.ceil(n / columns)
    sheet = np.full(
        (rows * (height + gap) - gap, columns * (width + gap) - gap, channels), float(fill)
    )
    for index, image in enumerate(array):
        row, column = divmod(index, columns)
        top, left = row * (height + gap), column * (width + gap)
        sheet[top : top + height, left : left + width] = np.moveaxis(image, 0, -1)
    return sheet[..., 0] if channels == 1 else sheet


def _coloured(sheet: Array, low: float, high: float) -> Array:
    """Colours of a sheet, shape (height, width, 3): NaN is what lies between images."""
    scaled = np.clip((sheet - low) / (high - low or 1.0), 0, 1)
    colours = scaled if sheet.ndim == 3 else np.repeat(scaled[..., None], 3, axis=2)
    return np.where(np.isnan(colours), _BETWEEN, colours)


def nearest_images(images: Array, train: Array) -> Array:
    """The training image nearest to each of `images`, in Euclidean distance; its shape."""
    near = nearest_neighbours(images.reshape(len(images), -1), train.reshape(len(train), -1), k=1)
    return train[near.indices[:, 0]]


def _as_images(images: ArrayLike, name: str) -> Array:
    array = np.asarray(images)
    if array.ndim != 4 or array.shape[1] not in {1, 3}:
        raise ValueError(
            f"{name} has shape {array.shape}, expected (n, channels, H, W) with 1 or 3 channels"
        )
    return as_points(array, name).reshape(array.shape)
