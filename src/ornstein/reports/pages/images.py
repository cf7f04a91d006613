"""Pairs of images on a page, at their own size: each beside its nearest training image.

A pixel of an image is a pixel of the page, or a whole number of them where an image is small. One
grey scale holds for all; the difference is dark where two images differ, on the same scale. Below
the pairs stand controls: held-out images with the training images nearest to *them*.
"""

from __future__ import annotations

__all__ = ["ImagePairs", "Pair", "as_pixels", "difference"]

import base64
import html
import io
import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_LEAST_SIDE = 96
"""Pixels of the page, of the longer side of an image."""
MOST_BYTES = 600_000


class Pair(NamedTuple):
    """Two images and their names."""

    name: str
    image: Array
    """Of shape (height, width), or (height, width, 3)."""
    other: Array


class ImagePairs(NamedTuple):
    """Pairs and controls; `html` makes what a page shows."""

    title: str
    headings: tuple[str, str, str]
    """Of the names of the pairs, and of their two images."""
    pairs: Sequence[Pair]
    control_headings: tuple[str, str, str]
    controls: Sequence[Pair]
    low: float
    high: float
    """Values shown as black and as white."""

    def html(self) -> str:
        """Tables of images, as many as there is space for, and how much they are enlarged."""
        shape = self.pairs[0].image.shape
        scale = max(1, math.ceil(_LEAST_SIDE / max(shape[:2])))
        cost, rows, controls = 0, [], []
        for place in range(max(len(self.pairs), len(self.controls))):
            for given, found in ((self.pairs, rows), (self.controls, controls)):
                if place < len(given) and cost < MOST_BYTES:
                    row = self._row(given[place], scale)
                    found.append(row)
                    cost += len(row)
        size = f"{shape[1]} x {shape[0]} pixels"
        said = f"Images of {size}, " + (
            "each at its own size." if scale == 1 else f"enlarged {scale} times, without smoothing."
        )
        if len(rows) < len(self.pairs):
            said += f" {len(rows)} of {len(self.pairs)} pairs are shown, to keep this file small."
        return (
            f'<div class="pairs">{_table(self.title, self.headings, rows)}'
            f"{_table('Controls: held-out images', self.control_headings, controls)}</div>"
            f"<p>{said}</p>"
        )

    def _row(self, pair: Pair, scale: int) -> str:
        span = (self.high - self.low) or 1.0
        first, second = ((each - self.low) / span for each in (pair.image, pair.other))
        gap = 1.0 - difference(pair.image, pair.other) / span
        cells = "".join(
            f"<td>{_img(image, scale, f'{pair.name}: {what}')}</td>"
            for image, what in ((first, "first"), (second, "second"), (gap, "difference"))
        )
        return f'<tr><th scope="row">{html.escape(pair.name)}</th>{cells}</tr>'


def difference(image: Array, other: Array) -> Array:
    """Absolute difference, the mean over colours."""
    gap = np.abs(image - other)
    return gap.mean(axis=2) if gap.ndim == 3 else gap


def as_pixels(image: Array) -> NDArray[np.uint8]:
    """Bytes of an image of values from 0 to 1; what lies outside is cut."""
    return np.round(255 * np.clip(np.nan_to_num(image), 0, 1)).astype(np.uint8)


def _img(image: Array, scale: int, text: str) -> str:
    stream = io.BytesIO()
    Image.fromarray(as_pixels(image)).save(stream, format="PNG", optimize=True)
    data = base64.b64encode(stream.getvalue()).decode("ascii")
    height, width = image.shape[:2]
    return (
        f'<img alt="{html.escape(text)}" width="{scale * width}" height="{scale * height}" '
        f'src="data:image/png;base64,{data}">'
    )


def _table(title: str, headings: tuple[str, str, str], rows: Sequence[str]) -> str:
    if not rows:
        return ""
    head = "".join(
        f'<th scope="col">{html.escape(each)}</th>' for each in (*headings, "difference")
    )
    return (
        f"<table><caption>{html.escape(title)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{''.join(rows)}</tbody></table>"
    )
