"""Data sets for studies, by name or from files, one point per row."""

from __future__ import annotations

__all__ = ["load_data", "open_data", "data_set", "DATA_NAMES"]

from typing import TYPE_CHECKING, Any

from ornstein.data.checks import quick_findings
from ornstein.data.contents import ArrayContents, TableContents
from ornstein.data.data_sets import DataSet
from ornstein.data.mapped import MappedDataSet, is_large
from ornstein.data.reading import DATA_NAMES, read
from ornstein.data.tables import numeric_points
from ornstein.validation import as_points

if TYPE_CHECKING:
    from ornstein.data.contents import Contents
    from ornstein.data.reading_options import ReadingOptions


def load_data(
    source: Any, options: ReadingOptions | None = None, *, pixels: int | None = None
) -> DataSet:
    """Read a data set, one flat point per row.

    Parameters
    ----------
    source : str, Path, sequence of paths, array or data frame
        What :func:`ornstein.data.reading.read` reads; of tables those of numbers alone.
    options : ReadingOptions, optional
        What a file does not tell.
    pixels : int, optional
        Pixels a side, to which images are cut and resized.

    Raises
    ------
    ValueError
        If nothing is there, the file cannot be read, or the points cannot be used.
    TypeError
        If a column holds text or dates.
    """
    return data_set(read(source, options, pixels=pixels))


def open_data(
    source: Any, options: ReadingOptions | None = None, *, pixels: int | None = None
) -> DataSet | MappedDataSet:
    """The same, but a .npy file whose points would take more than 1 GiB is read in blocks.

    Parameters and exceptions are those of :func:`load_data`.
    """
    contents = read(source, options, pixels=pixels)
    if not is_large(contents):
        return data_set(contents)
    assert isinstance(contents, ArrayContents)  # tables are in memory
    contents.require_usable()
    return MappedDataSet.read(contents)


def data_set(contents: Contents, shape: tuple[int, ...] = ()) -> DataSet:
    """Make a data set of what was read; `shape` of a point, by default (dim,).

    Raises
    ------
    ValueError, TypeError
        If the points cannot be used, or a table is not of numbers alone.
    """
    contents.require_usable()
    if isinstance(contents, TableContents):
        points = numeric_points(contents)
    else:
        assert isinstance(contents, ArrayContents)
        points = contents.points()
    points = as_points(points, contents.name, at_least=3)
    findings = [*contents.findings, *quick_findings(points)]
    notes = tuple(f"{contents.name}: {finding}." for finding in findings)
    return DataSet(points, contents.name, shape, notes)
