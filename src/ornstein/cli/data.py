"""``ornstein data``: what files hold, what is used of them, and what looks wrong."""

from __future__ import annotations

__all__ = ["data"]

import sys
from typing import Literal

from ornstein.cli.predict.answering import writable_figure
from ornstein.data.reading_options import ReadingOptions
from ornstein.json_values import as_json


def data(
    path: list[str],
    reading: ReadingOptions,
    pixels: int | None = None,
    numbers: Literal["robust", "ranks"] | None = None,
    plot: str | None = None,
    json: bool = False,
) -> int:
    """What a file or folder holds: how it is read, what is used, what looks wrong.

    Of several sets the first is what a model learns from; scales, columns and common rows are
    compared. Several files of images are one set. Exit status 1 if data cannot be used as they are.

    Parameters
    ----------
    path : list of str
        files (.npy .npz .pt .safetensors .csv .tsv .parquet .feather .xlsx, FILE.npz:name), folders
        of images, digits or patches
    pixels : int
        pixels a side, to which images are cut and resized; by default their own
    numbers : str
        how numbers of a table of mixed kinds are scaled: robust (by median and quartiles, the
        default) or ranks
    plot : str
        draw a sheet into this file (.svg, .png, .pdf)
    json : bool
        print one JSON document and nothing else
    """
    from ornstein.data.profiles import profile_all
    from ornstein.data.reading import read_sets
    from ornstein.reports.data import data_document, data_text
    from ornstein.validation import as_count

    side = None if pixels is None else as_count(pixels, "pixels")
    file = None if plot is None else writable_figure(plot)
    sets = read_sets(path, reading, pixels=side)
    profiles, compared = profile_all(sets, numbers)
    if file is not None:
        from ornstein.reports.data_sheet import data_sheet
        from ornstein.reports.figures import save_figure

        save_figure(data_sheet(profiles), file)
        print(f"ornstein: wrote {file}", file=sys.stderr)
    if json:
        print(as_json(data_document(profiles, compared)))
    else:
        print(data_text(profiles, compared))
    every = [*compared, *(finding for profile in profiles for finding in profile.findings)]
    return 1 if any(finding.level == "refusal" for finding in every) else 0
