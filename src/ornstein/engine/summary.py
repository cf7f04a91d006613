"""What a study found: everything that is printed, drawn or written is a function of it."""

from __future__ import annotations

__all__ = ["Summary", "WhenRead", "mean_and_error", "averages", "share_positive", "write_csv"]

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from ornstein.files import atomic_write
from ornstein.intervals import wilson_interval

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from ornstein.engine.study import Cell

    Row = dict[str, float | int | str]


class WhenRead(Mapping[str, Any]):
    """A mapping that is computed when it is first read: curves that only a figure needs.

    Examples
    --------
    >>> theory = WhenRead(lambda: {"size": 3})
    >>> theory["size"], "curve" in theory
    (3, False)
    """

    def __init__(self, compute: Callable[[], Mapping[str, Any]]) -> None:
        self._compute = compute

    @cached_property
    def _found(self) -> Mapping[str, Any]:
        return self._compute()

    def __getitem__(self, name: str) -> Any:
        return self._found[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __reduce__(self) -> tuple[Any, ...]:
        return dict, (dict(self._found),)  # a function is not pickled, what it found is


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What a study found, computed once from its finished cells.

    Parameters
    ----------
    rows : sequence of mappings
        Of ``summary.csv``, all with the same keys; empty if no cell is finished.
    notes : sequence of str
        What a reader of the table needs to know.
    theory : mapping
        What theory says beyond the rows: curves, thresholds.
    failed : sequence of Cell
        Cells that ended with an error.
    """

    rows: Sequence[Mapping[str, Any]]
    notes: Sequence[str] = ()
    theory: Mapping[str, Any] = field(default_factory=dict)
    failed: Sequence[Cell] = ()

    report: ClassVar[str]
    """Module of :mod:`ornstein.reports` with ``tables(summary)`` and ``figures(summary)``."""
    documented: ClassVar[Mapping[str, str]] = {}
    """Fields that the JSON document has beside rows and notes, by their names there."""

    def to_pandas(self) -> Any:
        """Return the rows as a ``pandas.DataFrame``."""
        import pandas as pd

        return pd.DataFrame(list(self.rows))

    def table(self) -> str:
        """Return the tables that the command line prints, at most 80 columns wide."""
        return self._report().tables(self)

    def figure(self, style: str | None = None) -> Any:
        """Return the main figure, a ``matplotlib.figure.Figure``; `style` as for `figures`."""
        return self.figures(style)["figure"]

    def figures(self, style: str | None = None) -> dict[str, Any]:
        """Return all figures by file name; those without an ending are written as SVG and PNG.

        Parameters
        ----------
        style : str, optional
            ``screen``, ``paper`` or ``talk``; by default that of the context, ``screen``.

        Raises
        ------
        ValueError
            If there are no rows, so that there is nothing to draw, or no such style.
        """
        if not self.rows:
            raise ValueError("no cell is finished, so there is nothing to draw")
        drawing = import_module("ornstein.reports.figures")
        if style is None:
            return drawing.drawn_figures(lambda: self._report().figures(self))
        with import_module("ornstein.reports.figure_styles").figure_style(style):
            return self.figures()

    def write_figures(self, folder: Path) -> None:
        """Write all figures into a folder; those named without an ending as SVG and PNG."""
        figures = import_module("ornstein.reports.figures")
        for name, figure in self.figures().items():
            names = [name] if "." in name else [f"{name}.svg", f"{name}.png"]
            figures.save_figure(figure, *(folder / each for each in names))

    def document(self) -> dict[str, Any]:
        """Return what the JSON document of the command line has of it."""
        fields = {name: getattr(self, field) for name, field in self.documented.items()}
        return {"rows": self.rows, **fields, "notes": list(self.notes)}

    def _report(self) -> Any:
        # By name: reports are a layer above, and are looked up only when one is asked for.
        return import_module(f"ornstein.reports.{self.report}")


def mean_and_error(values: Sequence[float]) -> tuple[float, float]:
    """Mean and its standard error.

    An infinite value makes the mean infinite and leaves no error (nan); NaN anywhere gives NaN;
    one value alone has no error.

    Examples
    --------
    >>> mean_and_error([1.0, 2.0, 3.0])
    (2.0, 0.577350)
    """
    array = np.asarray(values, dtype=np.float64)
    if array.size == 0:
        return math.nan, math.nan
    if not np.isfinite(array).all():
        one_sided = np.isnan(array).sum() == 0 and len(set(array[np.isinf(array)])) == 1
        return (float(array[np.isinf(array)][0]) if one_sided else math.nan), math.nan
    error = array.std(ddof=1) / math.sqrt(array.size) if array.size > 1 else math.nan
    return float(array.mean()), float(error)


def averages(
    values: Mapping[str, Sequence[float]], names: Iterable[str], *, errors: bool = True
) -> dict[str, float]:
    """Mean, and standard error if wanted, of some of the values, as columns of a summary.

    Examples
    --------
    >>> averages({"kl": [1.0, 2.0, 3.0], "delta": [0.0]}, ["kl"])
    {'kl_mean': 2.0, 'kl_se': 0.577350}
    """
    found: dict[str, float] = {}
    for name in names:
        found[f"{name}_mean"], error = mean_and_error(values[name])
        if errors:
            found[f"{name}_se"] = error
    return found


def share_positive(name: str, signs: Sequence[float]) -> dict[str, float]:
    """Share of positive signs and its Wilson 95% interval, as columns of a summary.

    A sign that is NaN, as it is not measured, makes them NaN.

    Examples
    --------
    >>> share_positive("delta", [1.0, -1.0])
    {'delta_positive': 0.5, 'delta_positive_low': 0.094..., 'delta_positive_high': 0.905...}
    """
    positive = sum(sign > 0 for sign in signs)
    low, high = wilson_interval(positive, len(signs))
    found = positive / len(signs)
    if any(math.isnan(sign) for sign in signs):
        found = low = high = math.nan
    return {
        f"{name}_positive": found,
        f"{name}_positive_low": low,
        f"{name}_positive_high": high,
    }


def write_csv(path: Path, rows: Sequence[Mapping[str, float | int | str]]) -> None:
    """Write rows with one header, whole or not at all; NaN becomes an empty field.

    Numbers are written with all their digits.
    """
    with atomic_write(path) as draft, draft.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({key: _text(value) for key, value in row.items()})


def _text(value: float | str) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, float) and math.isnan(value):
        return ""
    return repr(value)
