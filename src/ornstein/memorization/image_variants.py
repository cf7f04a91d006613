"""Images turned over or moved by a pixel, of which the variant nearest to a training image counts.

A copy that is mirrored or moved is a copy to the eye, and far away in Euclidean distance. Variants
of the generated images are compared with training and held-out images alike, so that what is true
of the contrast under exchangeable labels stays true.
"""

from __future__ import annotations

__all__ = ["image_variants", "image_axes", "VARIANTS"]

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

VARIANTS = ("flips", "shifts")


def image_axes(shape: Sequence[int]) -> tuple[int, int]:
    """Axes of height and width in the shape of an image: channels first, last, or none.

    Raises
    ------
    ValueError
        If the shape is none of an image.

    Examples
    --------
    >>> image_axes((28, 28)), image_axes((3, 32, 32)), image_axes((32, 32, 3))
    ((0, 1), (1, 2), (0, 1))
    """
    if len(shape) == 2:
        return 0, 1
    if len(shape) == 3 and shape[0] in {1, 3}:
        return 1, 2
    if len(shape) == 3 and shape[2] in {1, 3}:
        return 0, 1
    raise ValueError(
        f"points have shape {tuple(shape)}, expected images: (height, width), or with 1 or 3 "
        "channels first or last"
    )


def image_variants(shape: Sequence[int], augment: str) -> Callable[[Array], list[Array]]:
    """From flat images to a list of themselves and their variants.

    Parameters
    ----------
    shape : sequence of int
        Of one image.
    augment : str
        ``"flips"`` (left to right, upside down, both), ``"shifts"`` (by one pixel in four
        directions, the border repeated), or ``"flips,shifts"``: all of them, one at a time.

    Raises
    ------
    ValueError
        If there is no such variant, or points are no images.

    Examples
    --------
    >>> variants = image_variants((1, 2), "flips")
    >>> [each.tolist() for each in variants(np.array([[1.0, 2.0]]))]
    [[[1.0, 2.0]], [[2.0, 1.0]], [[1.0, 2.0]], [[2.0, 1.0]]]
    """
    names = [name.strip() for name in augment.split(",")]
    if not names or not set(names) <= set(VARIANTS):
        raise ValueError(f"augment is {augment!r}, expected 'flips', 'shifts' or 'flips,shifts'")
    try:
        down, right = (axis + 1 for axis in image_axes(shape))
    except ValueError as error:
        raise ValueError(f"augment is {augment!r}, for images alone: {error}") from error

    def variants(points: Array) -> list[Array]:
        images = points.reshape(-1, *shape)
        found = [images]
        if "flips" in names:
            found += [np.flip(images, axes) for axes in (right, down, (down, right))]
        if "shifts" in names:
            found += [_shifted(images, axis, step) for axis in (down, right) for step in (-1, 1)]
        return [np.ascontiguousarray(each.reshape(points.shape)) for each in found]

    return variants


def _shifted(images: Array, axis: int, step: int) -> Array:
    """Moved by one pixel; the border that is left stays as it is."""
    places = np.clip(np.arange(images.shape[axis]) - step, 0, images.shape[axis] - 1)
    return np.take(images, places, axis=axis)
