"""Which axis of an array counts what: points, channels, rows and columns of pixels.

===========================  =====================================================
shape                        is read as
===========================  =====================================================
(n, d)                       vectors of d coordinates
(n, H, W)                    grey images
(n, 1 or 3 or 4, H, W)       images, channels first, as PyTorch has them
(n, H, W, 1 or 3 or 4)       images, channels last, as scikit-learn's photos; moved
(n, C, H, W), other C        images, channels first, with a note
both ends 3 or 4             refused: `layout` decides
(H, W, 3 or 4), H, W >= 16   refused: one colour image, or n grey ones?
five axes and more           vectors, flattened, with a note
===========================  =====================================================

Where one of the two readings has a single channel, the order of the numbers is the same in both if
the other has one too; only then is the first taken without a word.
"""

from __future__ import annotations

__all__ = ["Layout", "find_layout"]

import math
from typing import NamedTuple

from ornstein.data.findings import Finding, note

_CHANNELS = frozenset({1, 3, 4})
_LEAST_SIDE = 16  # of what may be one colour image


class Layout(NamedTuple):
    """How the axes of an array are read."""

    axes: tuple[int, ...] | None
    """Order of the stored axes; None for the order that they have."""
    shape: tuple[int, ...]
    """Of a point: (channels, height, width), or (dim,)."""
    findings: tuple[Finding, ...] = ()


def find_layout(shape: tuple[int, ...], name: str, layout: str | None = None) -> Layout:
    """Say how an array of this shape is to be read.

    Parameters
    ----------
    shape : tuple of int
        Points along the first axis.
    name : str
        For messages.
    layout : {"first", "last", "grey", "flat"}, optional
        Where channels are; ``grey`` for (n, H, W); ``flat`` for vectors.

    Raises
    ------
    ValueError
        If there are no points along an axis, two readings are possible, or `layout` does not fit.

    Examples
    --------
    >>> find_layout((10, 8, 8, 3), "x.npy").shape
    (3, 8, 8)
    """
    if len(shape) < 2:
        raise ValueError(
            f"{name} has shape {shape}, expected one point per row: reshape it to (n_points, dim)"
        )
    if layout is not None:
        return _as_told(shape, name, layout)
    if len(shape) == 2:
        return Layout(None, shape[1:])
    if len(shape) == 3:
        return _grey(shape, name)
    if len(shape) == 4:
        return _channels(shape, name)
    flat = math.prod(shape[1:])
    return Layout(None, (flat,), (note(f"points of shape {shape[1:]} flattened to {flat}"),))


def _as_told(shape: tuple[int, ...], name: str, layout: str) -> Layout:
    expected = {"first": 4, "last": 4, "grey": 3}.get(layout)
    if expected is not None and len(shape) != expected:
        axes = {"first": "(n, C, H, W)", "last": "(n, H, W, C)", "grey": "(n, H, W)"}[layout]
        raise ValueError(f"{name} has shape {shape} and layout {layout} is given, expected {axes}")
    if layout == "flat":
        return Layout(None, (math.prod(shape[1:]),))
    if layout == "grey":
        return Layout(None, (1, *shape[1:]))
    return _moved(shape) if layout == "last" else Layout(None, shape[1:])


def _grey(shape: tuple[int, ...], name: str) -> Layout:
    if shape[2] in {3, 4} and min(shape[:2]) >= _LEAST_SIDE:
        raise ValueError(
            f"{name} has shape {shape}, which may be one colour image or {shape[0]} grey ones of "
            f"{shape[1]} x {shape[2]} pixels: choose with --layout grey or flat, or add an axis"
        )
    return Layout(None, (1, *shape[1:]))


def _channels(shape: tuple[int, ...], name: str) -> Layout:
    first, last = shape[1] in _CHANNELS, shape[3] in _CHANNELS
    if first and last and not shape[1] == shape[3] == 1:
        raise ValueError(
            f"{name} has shape {shape}, where channels may come first ({shape[1]}) or last "
            f"({shape[3]}): choose with --layout first or last"
        )
    if last and not first:
        return _moved(shape)
    if first:
        return Layout(None, shape[1:])
    said = note(
        f"the {shape[1]} entries of the second axis taken as channels",
        "--layout last or flat reads them otherwise",
    )
    return Layout(None, shape[1:], (said,))


def _moved(shape: tuple[int, ...]) -> Layout:
    n, height, width, channels = shape
    said = note(
        f"channels moved from last to first: {shape} is read as {(n, channels, height, width)}"
    )
    return Layout((0, 3, 1, 2), (channels, height, width), (said,))
