"""Each format, mode and depth of an image file: the values read are the values written."""

import struct
import warnings
import zlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from ornstein.data.image_modes import open_image

RNG = np.random.default_rng(0)
U8 = RNG.integers(0, 256, (5, 7), dtype=np.uint8)
U16 = RNG.integers(0, 2**16, (5, 7), dtype=np.uint16)
I32 = RNG.integers(0, 2**31, (5, 7), dtype=np.int32)
F32 = RNG.standard_normal((5, 7)).astype(np.float32)
RGB = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)
BITS = RNG.random((5, 7)) < 0.5


def tiff(values: np.ndarray, bits: int, sample_format: int, order: str = "<") -> bytes:
    """A grey, uncompressed TIFF, written here byte by byte."""
    height, width = values.shape
    if bits == 12:
        flat = values.ravel().astype(int)
        data = b"".join(
            bytes([a >> 4, (a & 15) << 4 | b >> 8, b & 255])
            for a, b in zip(flat[::2], flat[1::2], strict=True)
        )
    else:
        data = values.astype(values.dtype.newbyteorder(order)).tobytes()
    tags = [
        (256, 3, width),
        (257, 3, height),
        (258, 3, bits),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 3, height),
        (279, 4, len(data)),
        (339, 3, sample_format),
    ]
    start = 8 + len(data) + len(data) % 2
    head = (b"II*\0" if order == "<" else b"MM\0*") + struct.pack(f"{order}I", start)
    entries = b"".join(
        struct.pack(f"{order}HHI", tag, kind, 1)
        + (struct.pack(f"{order}HH", value, 0) if kind == 3 else struct.pack(f"{order}I", value))
        for tag, kind, value in tags
    )
    body = data + b"\0" * (len(data) % 2)
    return head + body + struct.pack(f"{order}H", len(tags)) + entries + struct.pack("<I", 0)


def grey(values: np.ndarray) -> np.ndarray:
    return values[None].astype(np.float64)


def colour(values: np.ndarray) -> np.ndarray:
    return values.transpose(2, 0, 1).astype(np.float64)


PALETTE = [value for index in range(256) for value in (index, 255 - index, index // 2)]


def paletted() -> Image.Image:
    image = Image.fromarray(U8)
    image = image.convert("P")
    image.putpalette(PALETTE)
    image.putdata(U8.ravel().tolist())
    return image


LOOKED_UP = np.array(PALETTE).reshape(256, 3)[U8]
CMYK = RNG.integers(0, 256, (5, 7, 4), dtype=np.uint8)
SIGNED = np.arange(-5, 30, dtype=np.int16).reshape(5, 7) * 1000
TWELVE = RNG.integers(0, 4096, (4, 6), dtype=np.uint16)
U32 = RNG.integers(0, 2**32, (5, 7), dtype=np.uint32)

# ending, what is written, and the values that are right
CASES = {
    "png 1": (".png", Image.fromarray(BITS), grey(BITS)),
    "png L": (".png", Image.fromarray(U8), grey(U8) / 255),
    "png I;16": (".png", Image.fromarray(U16), grey(U16) / 65535),
    "png RGB": (".png", Image.fromarray(RGB), colour(RGB) / 255),
    "png P": (".png", paletted(), colour(LOOKED_UP) / 255),
    "tiff 1": (".tif", Image.fromarray(BITS), grey(BITS)),
    "tiff L": (".tiff", Image.fromarray(U8), grey(U8) / 255),
    "tiff I;16": (".tif", Image.fromarray(U16), grey(U16) / 65535),
    "tiff I;16 big endian": (".tif", tiff(U16, 16, 1, ">"), grey(U16) / 65535),
    "tiff 12 bits": (".tif", tiff(TWELVE, 12, 1), grey(TWELVE) / 4095),
    "tiff I;16S": (".tif", tiff(SIGNED, 16, 2), grey(SIGNED) / 32767),
    "tiff I": (".tif", Image.fromarray(I32), grey(I32) / (2**31 - 1)),
    "tiff I big endian": (".tif", tiff(I32, 32, 2, ">"), grey(I32) / (2**31 - 1)),
    "tiff unsigned 32": (".tif", tiff(U32, 32, 1), grey(U32) / (2**32 - 1)),
    "tiff F": (".tif", Image.fromarray(F32), grey(F32)),
    "tiff F big endian": (".tif", tiff(F32, 32, 3, ">"), grey(F32)),
    "tiff RGB": (".tif", Image.fromarray(RGB), colour(RGB) / 255),
    "tiff CMYK": (".tif", Image.fromarray(CMYK, "CMYK"), colour(CMYK) / 255),
    "bmp L": (".bmp", Image.fromarray(U8), grey(U8) / 255),
    "bmp RGB": (".bmp", Image.fromarray(RGB), colour(RGB) / 255),
    "gif P": (".gif", paletted(), colour(LOOKED_UP) / 255),
    "webp RGB": (".webp", Image.fromarray(RGB), colour(RGB) / 255),
}


def write(path: Path, content: Image.Image | bytes) -> None:
    if isinstance(content, bytes):
        path.write_bytes(content)
    elif path.suffix == ".webp":
        content.save(path, lossless=True)
    else:
        content.save(path)


@pytest.mark.filterwarnings("ignore:.*mode.*:DeprecationWarning")
@pytest.mark.parametrize("case", CASES)
def test_values_read_are_those_written(tmp_path: Path, case: str) -> None:
    suffix, content, right = CASES[case]
    write(tmp_path / f"x{suffix}", content)
    read = open_image(tmp_path / f"x{suffix}")
    np.testing.assert_array_equal(read.values / read.largest, right)


@pytest.mark.parametrize(("suffix", "values"), [(".jpg", U8), (".jpg", RGB), (".jpeg", RGB)])
def test_jpeg_is_what_its_decoder_gives(tmp_path: Path, suffix: str, values: np.ndarray) -> None:
    """Its values are not those written, but near them where the image is smooth."""
    smooth = np.broadcast_to(np.arange(0, 160, 20, dtype=np.uint8)[:, None], (8, 8))
    smooth = np.stack([smooth] * 3, axis=2) if values.ndim == 3 else smooth
    Image.fromarray(smooth).save(tmp_path / f"x{suffix}", quality=95)
    read = open_image(tmp_path / f"x{suffix}")
    right = colour(smooth) if values.ndim == 3 else grey(smooth)
    assert np.abs(read.values - right).max() <= 3
    assert read.largest == 255


def test_a_palette_of_greys_is_colour_until_asked_for(tmp_path: Path) -> None:
    image = Image.fromarray(U8).convert("P")
    image.putpalette([value for index in range(256) for value in (index,) * 3])
    image.putdata(U8.ravel().tolist())
    image.save(tmp_path / "x.png")
    read = open_image(tmp_path / "x.png")
    np.testing.assert_array_equal(read.values, np.stack([U8] * 3))
    made = open_image(tmp_path / "x.png", channels="grey")
    np.testing.assert_allclose(made.values, U8[None], rtol=1e-14)


def test_colours_as_grey_and_grey_as_colours(tmp_path: Path) -> None:
    Image.fromarray(RGB).save(tmp_path / "c.png")
    Image.fromarray(U16).save(tmp_path / "g.png")
    luma = RGB @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(open_image(tmp_path / "c.png", channels="grey").values[0], luma)
    made = open_image(tmp_path / "g.png", channels="rgb")
    np.testing.assert_array_equal(made.values, np.stack([U16] * 3))
    assert made.largest == 65535


def test_inks_as_colours(tmp_path: Path) -> None:
    ink = np.zeros((1, 4, 4), dtype=np.uint8)
    ink[0, 1] = [255, 0, 0, 0]  # cyan lets green and blue through
    ink[0, 2] = [0, 0, 0, 255]
    ink[0, 3] = [0, 0, 51, 0]
    Image.frombytes("CMYK", (4, 1), ink.tobytes()).save(tmp_path / "x.tif")
    made = open_image(tmp_path / "x.tif", channels="rgb")
    right = [[1, 0, 0, 1], [1, 1, 0, 1], [1, 1, 0, 0.8]]
    np.testing.assert_allclose(made.values[:, 0] / made.largest, right)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_the_orientation_of_a_camera_is_applied(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    right = {
        1: U8,
        2: U8[:, ::-1],
        3: U8[::-1, ::-1],
        4: U8[::-1],
        5: U8.T,
        6: np.rot90(U8, -1),
        7: U8[::-1, ::-1].T,
        8: np.rot90(U8),
    }[orientation]
    for suffix in (".png", ".tif"):
        Image.fromarray(U8).save(tmp_path / f"x{suffix}", exif=exif)
        np.testing.assert_array_equal(open_image(tmp_path / f"x{suffix}").values[0], right)


def with_alpha(kind: str, path: Path) -> np.ndarray:
    """Write an image with transparent pixels; return colours and opacity, (channels, 2, 2)."""
    opacity = np.array([[255, 0], [51, 255]], dtype=np.uint8)
    base = RGB[:2, :2] if kind in {"RGBA", "P", "RGB"} else U8[:2, :2, None]
    both = np.concatenate([base, opacity[:, :, None]], axis=2)
    if kind in {"RGBA", "LA"}:
        Image.fromarray(both).save(path)
    elif kind == "P":
        image = Image.new("P", (2, 2))
        image.putpalette(base.reshape(-1).tolist())
        image.putdata([0, 1, 2, 3])
        image.save(path, transparency=bytes(opacity.ravel().tolist()))
    else:  # one value is named transparent
        opacity = np.where((base == base[0, 0]).all(axis=2), 0, 255).astype(np.uint8)
        named = tuple(base[0, 0].tolist()) if kind == "RGB" else int(base[0, 0, 0])
        image = Image.fromarray(base if kind == "RGB" else base[:, :, 0])
        image.save(path, transparency=named)
    return np.concatenate([base.transpose(2, 0, 1), opacity[None]])


@pytest.mark.parametrize("kind", ["RGBA", "LA", "P", "RGB", "L"])
def test_transparent_pixels_are_refused_until_chosen(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "x.png"
    stored = with_alpha(kind, file)
    colours, share = stored[:-1].astype(float), stored[-1] / 255
    with pytest.raises(ValueError, match=r"x\.png has transparent.*--alpha drop, white or black"):
        open_image(file)
    np.testing.assert_array_equal(open_image(file, "drop").values, colours)
    np.testing.assert_allclose(open_image(file, "black").values, colours * share)
    white = colours * share + 255 * (1 - share)
    np.testing.assert_allclose(open_image(file, "white").values, white)


def test_alpha_that_says_nothing_is_left_out(tmp_path: Path) -> None:
    opaque = np.concatenate([RGB, np.full((5, 7, 1), 255, np.uint8)], axis=2)
    Image.fromarray(opaque).save(tmp_path / "x.png")
    read = open_image(tmp_path / "x.png")
    assert read.was_opaque
    np.testing.assert_array_equal(read.values, colour(RGB))


def png(width: int, height: int, depth: int, colour_type: int, rows: bytes) -> bytes:
    """A PNG file, written here."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    head = struct.pack(">IIBBBBB", width, height, depth, colour_type, 0, 0, 0)
    body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("deep.png", png(2, 2, 16, 2, bytes(26)), "16 bits, of which 8 would be read"),
        ("deep_alpha.png", png(2, 2, 16, 4, bytes(18)), "16 bits, of which 8 would be read"),
        ("bomb.png", png(50_000, 20_000, 8, 2, b""), "far too many pixels"),
        (
            "large.png",
            png(12_000, 10_000, 8, 0, b""),
            "12000 x 10000 pixels, expected at most 100000000",
        ),
        ("signed.tif", tiff(U8.astype(np.int8), 8, 2), "signed values of 8 bits"),
        ("four.tif", tiff(U8, 4, 7), "cannot read the image four.tif"),
        ("text.png", b"no image", "cannot read the image text.png"),
        ("empty.gif", b"", "cannot read the image empty.gif"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_images_that_are_no_good_get_one_line(
    tmp_path: Path, name: str, content: bytes, expected: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(ValueError, match=expected) as caught:
        open_image(tmp_path / name)
    assert "\n" not in str(caught.value)
    assert name in str(caught.value)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp", ".bmp", ".gif"])
def test_files_cut_short_are_named(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"cut{suffix}"
    noise = np.random.default_rng(1).integers(0, 256, (64, 64), dtype=np.uint8)
    Image.fromarray(noise).save(file)
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(ValueError, match=f"cannot read the image cut{suffix}"):
            open_image(file)


@pytest.mark.parametrize("suffix", [".gif", ".png", ".webp", ".tif"])
def test_animations_and_pages_are_refused(tmp_path: Path, suffix: str) -> None:
    frames = [Image.fromarray(U8), Image.fromarray(255 - U8)]
    frames[0].save(tmp_path / f"x{suffix}", save_all=True, append_images=frames[1:])
    with pytest.raises(ValueError, match=r"is animated or has pages \(2 of them\)"):
        open_image(tmp_path / f"x{suffix}")


def any_values(kind: str) -> st.SearchStrategy[np.ndarray]:
    dtype = np.dtype(kind)
    sides = st.tuples(st.integers(1, 6), st.integers(1, 6))
    elements = (
        st.floats(width=32, allow_nan=False, allow_infinity=False)
        if dtype.kind == "f"
        else st.integers(0, min(np.iinfo(dtype).max, 2**31 - 1))
    )
    return sides.flatmap(lambda shape: arrays(dtype, shape, elements=elements))


@pytest.mark.parametrize(
    ("suffix", "kind"),
    [
        (".png", "u1"),
        (".png", "u2"),
        (".tif", "u1"),
        (".tif", "u2"),
        (".tif", "i4"),
        (".tif", "f4"),
        (".bmp", "u1"),
        (".gif", "u1"),
    ],
)
def test_round_trips(tmp_path_factory: pytest.TempPathFactory, suffix: str, kind: str) -> None:
    file = tmp_path_factory.mktemp("trip") / f"x{suffix}"

    @settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
    @given(any_values(kind))
    def check(values: np.ndarray) -> None:
        Image.fromarray(values).save(file)
        read = open_image(file)
        largest = 1 if kind == "f4" else np.iinfo(kind).max
        np.testing.assert_array_equal(
            read.values.mean(axis=0) / read.largest, values.astype(np.float64) / largest
        )

    check()
