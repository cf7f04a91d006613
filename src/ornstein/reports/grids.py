r"""Pictures of generated images beside what the model was trained on.

Three panels with one grey scale: generated images, the training image nearest to each (Euclidean,
at the same place in its panel), and some training images. A model that copies shows the first panel
twice; one that has learned nothing shows a first panel unlike the third. What lies between images
is pale blue, so that it is taken for no pixel.
"""

from __future__ import annotations

__all__ = ["image_sheets", "tile", "coloured", "nearest_images"]

import math
from typing import TYPE_CHECKING

import numpy as np

from ornstein.memorization.neighbours import nearest_neighbours
from ornstein.reports.figures import new_figure, style
from ornstein.validation import as_points

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_BETWEEN = np.array([0.80, 0.88, 0.96])


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
        figure = new_figure(2.4 * width, 2.5 * len(rows) + 0.1)
        figure.get_layout_engine().set(w_pad=0.12, h_pad=0.06)  # type: ignore[union-attr]
        axes = figure.subplots(len(rows), width, squeeze=False)
        for line, panels in zip(axes, rows, strict=True):
            sheets = [_as_images(images, title) for title, images in panels.items()]
            most = max(map(len, sheets))
            for axis, images in zip(line, sheets, strict=True):
                # Blank images at the end, so that all sheets are of one size.
                blank = np.full((most - len(images), *images.shape[1:]), np.nan)
                sheet = tile(np.concatenate([images, blank]), columns)
                axis.imshow(coloured(sheet, low, high), interpolation="nearest")
                axis.set(xticks=[], yticks=[])
                axis.spines[:].set_visible(False)
                axis.grid(visible=False)
        for line, label in zip(axes, labels, strict=False):
            line[0].set_ylabel(label)
        for axis, title in zip(axes[0], rows[0], strict=True):
            axis.set_title(title)
    return figure


def tile(images: Array, columns: int) -> Array:
    """Lay images out in rows of `columns`, with a line of NaN between and around them.

    Parameters
    ----------
    images : ndarray of shape (n, channels, H, W)
    columns : int

    Returns
    -------
    ndarray of shape (height, width, channels)
        NaN also where images are missing in the last row.

    Examples
    --------
    >>> tile(np.arange(3.0).reshape(3, 1, 1, 1), columns=2)[..., 0]
    array([[nan, nan, nan, nan, nan],
           [nan,  0., nan,  1., nan],
           [nan, nan, nan, nan, nan],
           [nan,  2., nan, nan, nan],
           [nan, nan, nan, nan, nan]])
    """
    n, channels, height, width = images.shape
    rows = math.ceil(n / columns)
    sheet = np.full((rows * (height + 1) + 1, columns * (width + 1) + 1, channels), np.nan)
    for index, image in enumerate(images):
        row, column = divmod(index, columns)
        top, left = 1 + row * (height + 1), 1 + column * (width + 1)
        sheet[top : top + height, left : left + width] = np.moveaxis(image, 0, -1)
    return sheet


def coloured(sheet: Array, low: float, high: float) -> Array:
    """Colours of a sheet, shape (height, width, 3): NaN is what lies between images."""
    scaled = np.clip((sheet - low) / (high - low or 1.0), 0, 1)
    return np.where(np.isnan(scaled), _BETWEEN, scaled)


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
