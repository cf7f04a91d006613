"""Arrays of images with another number of pixels."""

from __future__ import annotations

__all__ = ["with_pixels"]

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ornstein.data.contents import ArrayContents
from ornstein.data.findings import note
from ornstein.data.image_sizes import central_square, resized

if TYPE_CHECKING:
    from ornstein.data.contents import Contents


def with_pixels(contents: Contents, side: int) -> Contents:
    """Cut images to their central square and resize them to `side` pixels a side.

    Raises
    ------
    ValueError
        If these are no images.
    """
    if not isinstance(contents, ArrayContents) or len(contents.shape) != 3:
        raise ValueError(
            f"{contents.name} holds vectors of {math.prod(contents.shape)} coordinates, which have "
            "no pixels: leave pixels out, or give images of shape (n, channels, height, width)"
        )
    height, width = contents.shape[1:]
    if height == width == side:
        return contents
    images = contents.points().reshape(-1, *contents.shape)
    said = note(f"images resized from {width} x {height} to {side} x {side} pixels")
    return replace(
        contents,
        values=resized(central_square(images), side),
        scale=1.0,
        file=None,
        axes=None,
        findings=(*contents.findings, said),
    )
