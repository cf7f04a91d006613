"""Central squares of images, and other numbers of pixels.

Smaller images are averages over the pixels that a pixel covers, larger ones are interpolated
linearly (Pillow's BOX and BILINEAR on 32-bit floats).
"""

from __future__ import annotations

__all__ = ["central_square", "resized"]

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FLOAT32_DIGITS = 2.0**24  # whole numbers up to here have a float of 32 bits each


def central_square(values: NDArray[Any]) -> NDArray[Any]:
    """Cut images of shape (..., height, width) to the square in their middle.

    Examples
    --------
    >>> central_square(np.arange(10).reshape(2, 5))
    array([[1, 2],
           [6, 7]])
    """
    height, width = values.shape[-2:]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return values[..., top : top + side, left : left + side]


def resized(values: NDArray[Any], side: int, largest: float = 1.0) -> NDArray[np.float64]:
    """Resize images of shape (..., height, width) to `side` pixels a side.

    `largest` is the largest of their type; the result is on the same scale.
    """
    from PIL import Image

    if values.shape[-2:] == (side, side):
        return values.astype(np.float64)
    smaller = side <= min(values.shape[-2:])
    how = Image.Resampling.BOX if smaller else Image.Resampling.BILINEAR
    unit = largest if largest > _FLOAT32_DIGITS else 1.0
    flat = values.reshape(-1, *values.shape[-2:])
    made = [
        np.asarray(
            Image.fromarray((image / unit).astype(np.float32)).resize((side, side), how),
            dtype=np.float64,
        )
        for image in flat
    ]
    return unit * np.stack(made).reshape(*values.shape[:-2], side, side)
