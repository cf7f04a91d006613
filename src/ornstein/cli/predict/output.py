"""What all predictions print and draw: a table of columns, a figure of curves."""

from __future__ import annotations

__all__ = ["print_table", "draw_curves", "whole_numbers_between"]

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    from numpy.typing import NDArray


def print_table(columns: Mapping[str, Any], digits: int = 6) -> None:
    """Print columns of numbers under their headings, after an empty line.

    The first column holds the parameter, which is printed as short as it was given.
    """
    from ornstein.reports.tables import Column, format_table, number

    parameter = next(iter(columns))
    cells = {
        name: [f"{v:g}" if name == parameter else number(float(v), digits) for v in values]
        for name, values in columns.items()
    }
    print()
    print(format_table([Column(name, column) for name, column in cells.items()]))


def draw_curves(file: str, x: Any, curves: Mapping[str, Any], **labels: Any) -> None:
    """Draw curves over one axis into a file; gaps where a value is infinite."""
    import numpy as np

    from ornstein.reports.figures import curve_figure, save_figure

    finite = {name: np.where(np.isfinite(y), y, np.nan) for name, y in curves.items()}
    save_figure(curve_figure(x, finite, **labels), Path(file))


def whole_numbers_between(values: NDArray[np.int64], count: int = 300) -> NDArray[np.float64]:
    """Whole numbers from the smallest to the largest of `values`, in geometric progression."""
    import numpy as np

    return np.unique(np.geomspace(values.min(), values.max(), count).round())
