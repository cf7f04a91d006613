"""One image file as numbers, at its full depth.

Values are kept as they are stored, beside the largest value of their type, by which they are to be
divided: 1 for black and white, 255 for 8 bits, 4095 for 12, 65535 for 16, 32767 and 2^31 - 1 for
signed integers, 2^32 - 1 for unsigned ones of 32 bits. Floats are taken as they are (divided by 1).

=====================  ========================================================
mode of the file       channels
=====================  ========================================================
1, L, I;16, I, F       1
RGB, P, YCbCr          3 (a palette is looked up)
CMYK                   4, as stored
LA, RGBA, PA, tRNS     refused unless all pixels are opaque, or `alpha` is given
=====================  ========================================================

Pillow reads colours of 16 bits with 8 of them: they are refused. The orientation that a camera
notes (EXIF) is applied.
"""

from __future__ import annotations

__all__ = ["Pixels", "open_image", "SUFFIXES"]

import struct
import warnings
import zlib
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".gif", ".tif", ".tiff", ".webp"})
MOST_PIXELS = 100_000_000
"""Of one image; more are refused by the header alone."""

_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    struct.error,
    zlib.error,
    Warning,
)
_LARGEST = {"1": 1.0, "I;12": 4095.0, "I;16S": 32767.0, "I;16BS": 32767.0}
_SAMPLE_FORMAT, _SIGNED = 339, 2
_LUMA = np.array([0.299, 0.587, 0.114])
"""Weights of red, green and blue (ITU-R BT.601)."""


class Pixels(NamedTuple):
    """What an image file holds."""

    values: NDArray[Any]
    """As stored, of shape (channels, height, width)."""
    largest: float
    """Of their type, by which they are divided."""
    mode: str
    """In Pillow's words."""
    was_opaque: bool
    """Whether an alpha channel was left out that says nothing."""

    @property
    def kind(self) -> str:
        """Grey, colour or ink; of floats it is said."""
        names = {1: "grey", 3: "colour", 4: "ink (CMYK)"}
        name = names[len(self.values)]
        return f"{name} of floats" if self.values.dtype.kind == "f" and self.mode == "F" else name


def open_image(path: Path, alpha: str | None = None, channels: str | None = None) -> Pixels:
    """Read an image file.

    Parameters
    ----------
    path : Path
    alpha : {"drop", "white", "black"}, optional
        What to do with transparent pixels.
    channels : {"grey", "rgb"}, optional
        Colours as grey by luminance (ITU-R BT.601), grey as three equal channels, inks as colours.

    Raises
    ------
    ValueError
        If it is cut short, animated, too large, has transparent pixels and `alpha` is not given, or
        more depth than can be read.
    """
    from PIL import Image

    try:
        # From a stream: given a path, Pillow 13 maps an uncompressed TIFF file that is to be turned
        # with the sides of the turned image, and its pixels come out of order.
        with warnings.catch_warnings(), path.open("rb") as stream:
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(stream) as image:
                pixels = _read(image, alpha)
    except ImageRefusedError as refused:
        raise ValueError(f"{path.name} {refused}") from None
    except Image.DecompressionBombError as bomb:
        raise ValueError(
            f"{path.name} says in its header that it has far too many pixels ({bomb}): expected "
            f"at most {MOST_PIXELS}"
        ) from None
    except _BROKEN as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise ValueError(f"cannot read the image {path.name}: {reason}") from error
    return _with_channels(pixels, channels)


class ImageRefusedError(Exception):
    """An image that can be read in more than one way, or not in full."""


def _read(image: Any, alpha: str | None) -> Pixels:
    from PIL import ImageOps

    width, height = image.size
    if width * height > MOST_PIXELS:
        raise ImageRefusedError(
            f"says in its header that it has {width} x {height} pixels, expected at most "
            f"{MOST_PIXELS}: make it smaller"
        )
    frames = getattr(image, "n_frames", 1)
    if frames > 1:
        raise ImageRefusedError(
            f"is animated or has pages ({frames} of them), expected one image: save the frames "
            "as files"
        )
    raw = _raw_mode(image)
    _refuse_lost_depth(image, raw)
    unsigned = raw == "I;32N"
    image.load()
    mode = image.mode
    image = ImageOps.exif_transpose(image)
    if mode == "YCbCr":
        image = image.convert("RGB")
    if mode in {"LA", "La", "PA", "RGBA", "RGBa"} or "transparency" in image.info:
        return _without_alpha(image, mode, alpha)
    if mode == "P":
        image = image.convert("RGB")
    if image.mode not in {"1", "L", "I", "F", "RGB", "CMYK"} and not image.mode.startswith("I;16"):
        raise ImageRefusedError(
            f"has the mode {mode}, expected black and white, grey, RGB, CMYK or a palette: "
            "convert it to RGB"
        )
    values = np.asarray(image)
    if unsigned:
        values = values.view(np.uint32)
    if image.mode == "1":
        values = values.astype(np.uint8)
    return Pixels(_channels_first(values), _largest(raw, values), mode, False)


def _raw_mode(image: Any) -> str:
    """How pixels are stored, as Pillow names it; empty where it does not say."""
    tiles = getattr(image, "tile", None) or []
    arguments = tiles[0][3] if tiles else ""
    if isinstance(arguments, tuple | list):
        arguments = arguments[0] if arguments else ""
    return arguments if isinstance(arguments, str) else ""


def _refuse_lost_depth(image: Any, raw: str) -> None:
    if image.mode in {"RGB", "RGBA", "LA", "CMYK"} and ";16" in raw:
        raise ImageRefusedError(
            f"has {image.mode} channels of 16 bits, of which 8 would be read: save it as an array "
            "(.npy), or with 8 bits"
        )
    tags = getattr(image, "tag_v2", {})
    signed = tags.get(_SAMPLE_FORMAT, (1,)) if tags else (1,)
    if image.mode == "L" and _SIGNED in np.atleast_1d(signed):
        raise ImageRefusedError(
            "has signed values of 8 bits, which would be read as unsigned: save it as an array "
            "(.npy)"
        )


def _largest(raw: str, values: NDArray[Any]) -> float:
    if raw in _LARGEST:
        return _LARGEST[raw]
    if values.dtype.kind == "f":
        return 1.0
    if raw.startswith("1"):
        return 1.0
    return float(np.iinfo(values.dtype).max)


def _channels_first(values: NDArray[Any]) -> NDArray[Any]:
    return values[None] if values.ndim == 2 else np.ascontiguousarray(values.transpose(2, 0, 1))


def _without_alpha(image: Any, mode: str, alpha: str | None) -> Pixels:
    """Blend with a background, or leave out alpha: what is asked for, or makes no difference."""
    if image.mode.startswith("I"):
        if alpha != "drop":
            raise ImageRefusedError(
                "names one of its 16-bit values transparent: choose with --alpha drop, or save it "
                "without"
            )
        values = np.asarray(image)
        return Pixels(_channels_first(values), _largest("", values), mode, False)
    both = image.convert("LA" if mode in {"1", "L", "LA", "La"} else "RGBA")
    stored = _channels_first(np.asarray(both))
    colours, opacity = stored[:-1], stored[-1]
    opaque = bool((opacity == 255).all())
    if opaque or alpha == "drop":
        return Pixels(colours, 255.0, mode, opaque)
    if alpha is None:
        raise ImageRefusedError(
            "has transparent pixels (an alpha channel): choose with --alpha drop, white or black "
            "(of an audit: --transparency)"
        )
    share = opacity / 255.0
    background = 255.0 if alpha == "white" else 0.0
    return Pixels(colours * share + background * (1 - share), 255.0, mode, False)


def _with_channels(pixels: Pixels, channels: str | None) -> Pixels:
    values = pixels.values
    if channels is None or len(values) == {"grey": 1, "rgb": 3}[channels]:
        return pixels
    if len(values) == 4:
        # Inks take light away: what is left of white.
        ink, black = values[:3] / pixels.largest, values[3] / pixels.largest
        values = pixels.largest * (1 - ink) * (1 - black)
    if channels == "grey":
        values = np.tensordot(_LUMA, values.astype(np.float64), axes=1)[None]
    elif len(values) == 1:
        values = np.repeat(values, 3, axis=0)
    return pixels._replace(values=values)
