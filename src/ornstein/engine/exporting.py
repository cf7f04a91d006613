"""The cells of a study as one table, for other tools.

A row is a cell: training size, replicate, status, seconds, error, type of CPU, and its measured
values. As ``.npz`` the values are grids over (train_size, replicate) with their coordinates beside
them, as xarray wants them; a cell that is not finished is NaN there.
"""

from __future__ import annotations

__all__ = ["ENDINGS", "cells_table", "write_cells"]

from typing import TYPE_CHECKING

import numpy as np

from ornstein.engine.database import read_only, said, study_file
from ornstein.files import atomic_write

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

ENDINGS = (".csv", ".parquet", ".npz")
_ABOUT = ("train_size", "replicate", "status", "seconds", "error", "cpu")


def cells_table(folder: Path) -> pd.DataFrame:
    """Return all cells of a study folder, one row each, in the order of size and replicate.

    Raises
    ------
    StudyError
        If there is no readable study.
    """
    import pandas as pd

    path = study_file(folder)
    with said("read", path), read_only(path) as connection:
        columns = [row[1] for row in connection.execute("PRAGMA table_info(cells)")]
        query = "SELECT * FROM cells ORDER BY train_size, replicate"
        table = pd.DataFrame(connection.execute(query).fetchall(), columns=columns)
        cpus: dict[int, str] = {}
        if "cpu" in columns:
            cpus = dict(connection.execute("SELECT id, name FROM cpus"))
    table["cpu"] = table["cpu"].map(cpus) if "cpu" in columns else None
    metrics = [name for name in columns if name not in _ABOUT]
    table[metrics] = table[metrics].astype(np.float64)
    return table[[*_ABOUT, *metrics]]


def write_cells(table: pd.DataFrame, path: Path) -> None:
    """Write the cells to a file, whole or not at all; its ending decides the format.

    Raises
    ------
    ValueError
        If the ending is not one of `ENDINGS`, or nothing can write Parquet here.
    OSError
        If the file cannot be written.
    """
    if path.suffix not in ENDINGS:
        raise ValueError(
            f"given {str(path)!r}, expected a file name that ends in .csv .parquet .npz"
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_write(path) as draft:
        if path.suffix == ".csv":
            table.to_csv(draft, index=False)
        elif path.suffix == ".npz":
            np.savez_compressed(draft, **_grids(table))  # type: ignore[arg-type]
        else:
            try:
                table.to_parquet(draft, index=False)
            except ImportError:
                raise ValueError("Parquet needs pyarrow: pip install 'ornstein[parquet]'") from None


def _grids(table: pd.DataFrame) -> dict[str, np.ndarray]:
    """Each value as an array over (train_size, replicate), and the two coordinates."""
    sizes, row = np.unique(table["train_size"], return_inverse=True)
    replicates, column = np.unique(table["replicate"], return_inverse=True)
    found: dict[str, np.ndarray] = {"train_size": sizes, "replicate": replicates}
    done = (table["status"] == "done").to_numpy()
    for name in ("seconds", *table.columns[len(_ABOUT) :]):
        grid = np.full((len(sizes), len(replicates)), np.nan)
        grid[row[done], column[done]] = table[name].to_numpy(np.float64)[done]
        found[name] = grid
    return found
