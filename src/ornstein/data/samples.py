"""Data that come with scikit-learn, by name."""

from __future__ import annotations

__all__ = ["DATA_NAMES", "named"]

from functools import cache

import numpy as np

from ornstein.data.contents import ArrayContents

DATA_NAMES = ("digits", "patches")
_SIDE = 8


def named(name: str) -> ArrayContents:
    """The data set of one of :data:`DATA_NAMES`, images of 8 x 8 pixels."""
    images = (_digits() if name == "digits" else _patches()).copy()
    stored = "scikit-learn, values 0 to 16" if name == "digits" else "scikit-learn, values 0 to 1"
    return ArrayContents(name, "images", images, stored)


@cache
def _digits() -> np.ndarray:
    from sklearn.datasets import load_digits

    images, _ = load_digits(return_X_y=True)
    return np.asarray(images, dtype=np.float64).reshape(-1, 1, _SIDE, _SIDE)


@cache
def _patches() -> np.ndarray:
    from sklearn.datasets import load_sample_images

    tiles = []
    for image in load_sample_images().images:
        grey = image.mean(axis=2) / 255.0
        rows, columns = (side // _SIDE for side in grey.shape)
        grey = grey[: rows * _SIDE, : columns * _SIDE]
        blocks = grey.reshape(rows, _SIDE, columns, _SIDE).swapaxes(1, 2)
        tiles.append(blocks.reshape(-1, 1, _SIDE, _SIDE))
    return np.concatenate(tiles)
