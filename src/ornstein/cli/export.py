"""``ornstein export``: the cells of a study as one table."""

from __future__ import annotations

__all__ = ["export"]

from pathlib import Path


def export(folder: str, out: str | None = None) -> int:
    """Write the cells of a study as one table, one row a cell.

    Parameters
    ----------
    folder : str
        study folder, as --out of a study made it
    out : str
        file to write, ending in .csv, .parquet, or .npz (arrays over training size and replicate);
        by default cells.csv in the study folder
    """
    from ornstein.engine.exporting import cells_table, write_cells

    path = Path(folder) / "cells.csv" if out is None else Path(out)
    table = cells_table(Path(folder))
    write_cells(table, path)
    done = int((table["status"] == "done").sum())
    print(f"{len(table)} cells ({done} done) written to {path}")
    return 0
