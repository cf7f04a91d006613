"""Images of a folder, or of a list of files, in the order that a reader expects.

Order is natural, the same on every machine: numbers in names count as numbers (2.png before
10.png), letters by their code without regard to case. Hidden files, those that begin with ``._``
and files of other kinds are left out, and counted.
"""

from __future__ import annotations

__all__ = ["read_images", "natural_key", "image_files"]

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ornstein.data.contents import ArrayContents
from ornstein.data.findings import Finding, note
from ornstein.data.image_modes import SUFFIXES, Pixels, open_image
from ornstein.data.image_sizes import central_square, resized
from ornstein.progress import progress_bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ornstein.data.reading_options import ReadingOptions

_MANY = 200  # files from which on a bar is shown


def natural_key(name: str) -> tuple[Any, ...]:
    """Key by which names are sorted.

    Examples
    --------
    >>> sorted(["b10.png", "B9.png", "a.png", "b9.png"], key=natural_key)
    ['a.png', 'B9.png', 'b9.png', 'b10.png']
    """
    parts = re.split(r"([0-9]+)", name.casefold())
    return tuple((int(part), "") if part.isdecimal() else (-1, part) for part in parts), name


class _Found(NamedTuple):
    files: list[Path]
    findings: list[Finding]


def image_files(folder: Path, recursive: bool = False) -> tuple[list[Path], list[Finding]]:
    """Image files of a folder in natural order, and what was left out.

    Raises
    ------
    ValueError
        If there are none.
    """
    files, hidden, others, folders = [], 0, [], []
    for entry in folder.rglob("*") if recursive else folder.iterdir():
        inside = entry.relative_to(folder)
        if any(part.startswith(".") for part in inside.parts):
            hidden += not entry.is_dir()
        elif entry.is_dir():
            folders.append(entry)
        elif entry.suffix.lower() in SUFFIXES:
            files.append(entry)
        else:
            others.append(entry)
    files.sort(key=lambda file: natural_key(file.relative_to(folder).as_posix()))
    findings = []
    if hidden:
        findings.append(note(f"{_counted(hidden, 'hidden file')} left out"))
    if others:
        first = min(others, key=lambda file: natural_key(file.name)).name
        findings.append(note(f"{_counted(len(others), 'file')} left out as no image ({first})"))
    if not files:
        inside = sorted((entry.name for entry in folders), key=natural_key)
        hint = (
            f"; it has {_counted(len(inside), 'subfolder')} ({inside[0]}), which --recursive reads"
            if inside and not recursive
            else ""
        )
        raise ValueError(
            f"no images in the folder {str(folder)!r}: expected files ending in "
            f"{', '.join(sorted(SUFFIXES))}{hint}"
        )
    if folders and not recursive:
        findings.append(
            note(f"{_counted(len(folders), 'subfolder')} not read", "--recursive reads them too")
        )
    return files, findings


def read_images(
    source: Path | Sequence[Path], options: ReadingOptions, pixels: int | None = None
) -> ArrayContents:
    """Read images, of one size and number of channels.

    Parameters
    ----------
    source : Path or sequence of Path
        A folder, or files.
    options : ReadingOptions
    pixels : int, optional
        Cut each image to its central square, and resize it to so many pixels a side.

    Raises
    ------
    ValueError
        If there are none, one cannot be read, or two differ in size or channels.
    """
    if isinstance(source, Path):
        files, findings = image_files(source, options.recursive)
        names = [file.relative_to(source).as_posix() for file in files]
        name = source.resolve().name
    else:
        files, findings = list(source), []
        names = [file.name for file in files]
        name = f"{files[0].name} ... {files[-1].name}" if len(files) > 1 else files[0].name
    read = []
    with progress_bar(len(files), "images", None if len(files) >= _MANY else False) as bar:
        for file in files:
            image = open_image(file, options.alpha, options.channels)
            if pixels is not None:
                scaled = resized(central_square(image.values), pixels, image.largest)
                image = image._replace(values=scaled)
            if read:
                _require_alike(read[0], image, names[0], names[len(read)])
            read.append(image)
            bar.update()
    values, largest = _stacked(read, findings)
    findings += _said(read, options, pixels)
    inside = [Path(each).parent.parts for each in names]
    labels = tuple(parts[0] if parts else "" for parts in inside) if any(inside) else None
    if labels is not None:
        findings.append(note(f"{_counted(len(set(labels)), 'class')} named by subfolders"))
    return ArrayContents(
        name=name,
        kind="images",
        values=values,
        scale=largest,
        stored=_stored(read),
        findings=tuple(findings),
        row_names=tuple(names),
        labels=labels,
        origin=source if isinstance(source, Path) else None,
    )


def _require_alike(first: Pixels, other: Pixels, first_name: str, name: str) -> None:
    if first.kind != other.kind:
        floats = "floats" in f"{first.kind}{other.kind}"
        advice = (
            "give them apart, or save all in one type"
            if floats
            else "make them alike with --channels grey or --channels rgb"
        )
        raise ValueError(f"{first_name} is {first.kind} and {name} is {other.kind}: {advice}")
    if first.values.shape != other.values.shape:
        sizes = [
            f"{image.values.shape[2]} x {image.values.shape[1]} pixels" for image in (first, other)
        ]
        raise ValueError(
            f"{first_name} has {sizes[0]} and {name} {sizes[1]}, expected images of one size: "
            "make them alike with --pixels"
        )


def _stacked(read: list[Pixels], findings: list[Finding]) -> tuple[NDArray[Any], float]:
    """All values as they are stored; where types differ, divided by the largest of their own."""
    kinds = {(image.largest, image.values.dtype.newbyteorder("=")) for image in read}
    if len(kinds) == 1:
        kind = next(iter(kinds))[1]
        return np.stack([image.values.astype(kind, copy=False) for image in read]), read[0].largest
    depths = sorted({image.largest for image in read})
    if len(depths) == 1:
        return np.stack([image.values.astype(np.float64) for image in read]), depths[0]
    shown = ", ".join(f"{depth:.0f}" for depth in depths)
    findings.append(note(f"the files have different depths (largest values {shown}), each divided"))
    return np.stack([image.values / image.largest for image in read]), 1.0


def _said(read: list[Pixels], options: ReadingOptions, pixels: int | None) -> list[Finding]:
    findings = []
    largest = {image.largest for image in read}
    if len(largest) == 1 and largest != {1.0}:
        findings.append(note(f"values divided by {read[0].largest:.0f}, the largest of their type"))
    elif "F" in {image.mode for image in read}:
        findings.append(note("floats taken as they are"))
    opaque = sum(image.was_opaque for image in read)
    if opaque:
        findings.append(note(f"alpha left out of {_counted(opaque, 'image')}: all pixels opaque"))
    elif options.alpha is not None and {image.mode for image in read} & {"LA", "RGBA", "PA", "P"}:
        where = {"drop": "left out", "white": "laid on white", "black": "laid on black"}
        findings.append(note(f"transparent pixels {where[options.alpha]}"))
    if read[0].kind == "ink (CMYK)":
        findings.append(
            note("CMYK read as four channels of ink", "--channels rgb turns them into colours")
        )
    if pixels is not None:
        findings.append(
            note(f"images cut to their central square and resized to {pixels} x {pixels}")
        )
    if options.channels is not None:
        findings.append(note(f"all images read as {options.channels}"))
    return findings


def _stored(read: list[Pixels]) -> str:
    modes = sorted({image.mode for image in read})
    return f"mode {', '.join(modes)}"


def _counted(count: int, noun: str) -> str:
    plural = {"class": "classes"}.get(noun, f"{noun}s")
    return f"{count} {noun if count == 1 else plural}"
