"""A study in its folder: compute what is missing, then write and print what it found."""

from __future__ import annotations

__all__ = ["Report", "conduct", "study_folder", "checked_jobs"]

import sys
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from ornstein.cli.parsing import UsageError, as_json

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ornstein.engine.running import Study
    from ornstein.engine.store import Store


class Report(NamedTuple):
    """What a study has to say."""

    rows: Sequence[Mapping[str, Any]]
    """Of ``summary.csv``."""
    text: str
    extras: Mapping[str, Any]
    """Of the JSON document, beside the rows."""
    figures: Mapping[str, Any]
    """By file name; without an ending, as .svg and .png."""


def checked_jobs(jobs: int) -> int:
    """Return the number of workers, refusing 0."""
    if jobs == 0:
        raise UsageError("--jobs: given 0, expected 1 or more workers, or -1 for one per core")
    return jobs


def study_folder(study: Study, out: str | None) -> Path:
    """Folder of a study, given or derived, that holds no files of another."""
    from ornstein.engine.folder import default_folder, refuse_foreign

    folder = Path(out) if out is not None else default_folder(study)
    refuse_foreign(folder)
    return folder


def conduct(
    study: Study,
    folder: Path,
    config: Mapping[str, Any],
    report: Callable[[Store], Report | None],
    *,
    jobs: int,
    dask: str | None,
    retry_failed: bool,
    json: bool,
) -> int:
    """Run a study, write and print what `report` makes of its cells; return the exit status.

    Parameters
    ----------
    study : Study
        What to compute.
    folder : Path
        As :func:`study_folder` returns it.
    config : mapping
        The resolved configuration, for ``config.yaml``.
    report : callable
        From the finished cells to a `Report`; None if none is finished.
    jobs, dask, retry_failed
        As for :func:`~ornstein.engine.running.run_study`.
    json : bool
        Print one JSON document.
    """
    from ornstein.engine.folder import write_config, written
    from ornstein.engine.running import planned_cells, run_study
    from ornstein.engine.store import Store

    # joblib counts the tasks that Ctrl-C cancels; our own line says what is kept.
    warnings.filterwarnings("ignore", message=".*still being processed by the workers")
    with Store(folder, study.identity, study.metrics) as store:
        write_config(folder, study, config)
        try:
            run_study(study, store, jobs=jobs, dask=dask, retry_failed=retry_failed)
        except KeyboardInterrupt:
            ready = len(store.finished())
            raise KeyboardInterrupt(
                f"interrupted: {ready} cells are in {folder}; the same command goes on from there"
            ) from None
        made = report(store)
        failed = sorted(store.failed() & set(planned_cells(study)))
    if made is not None:
        _write(folder, made)
    if json:
        document: dict[str, Any] = {"folder": str(folder), "config": config}
        if made is not None:
            document |= {"rows": made.rows, **made.extras}
        print(as_json({**document, "failed": failed}))
    else:
        if made is not None:
            print(made.text)
        print(f"\nWritten to {folder}:\n  {', '.join(written(folder))}")
    if failed:
        print(
            f"ornstein: {len(failed)} cell(s) failed: ornstein status {folder} shows why, "
            "--retry-failed computes them again",
            file=sys.stderr,
        )
    return 1 if failed else 0


def _write(folder: Path, made: Report) -> None:
    from ornstein.engine.summary import write_csv
    from ornstein.reports.figures import save_figure

    write_csv(folder / "summary.csv", made.rows)
    for name, figure in made.figures.items():
        endings = [name] if "." in name else [f"{name}.svg", f"{name}.png"]
        save_figure(figure, *(folder / ending for ending in endings))
