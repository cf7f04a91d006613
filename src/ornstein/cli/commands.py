"""One function per subcommand: options in, a table or one JSON document out."""

from __future__ import annotations

__all__ = ["linear", "status"]

from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ornstein.cli.conducting import Report, checked_jobs, conduct, study_folder
from ornstein.cli.parsing import as_json, integers, reals

if TYPE_CHECKING:
    from ornstein.engine.store import Store


def linear(
    dim: int | None = None,
    mean: str = "10",
    std: str = "1",
    weights: str | None = None,
    train_sizes: str = "25:1000:25",
    originals: int = 10_000,
    original_mode: Literal["expected", "sampled"] = "expected",
    time: float = 2.0,
    noise_scale: float = 1.0,
    simulations: int = 300,
    data: str | None = None,
    out: str | None = None,
    jobs: int = -1,
    dask: str | None = None,
    retry_failed: bool = False,
    seed: int = 0,
    json: bool = False,
) -> int:
    """Monte Carlo study of the one-step linear denoiser against theory.

    Prints a table, and leaves study.sqlite, config.yaml, summary.csv and figure.svg/.png in the
    study folder. The same command goes on where it was interrupted.

    Parameters
    ----------
    dim : int
        dimension d; 100 when left out
    mean, std : str
        of the population, one entry per mixture component: 10 or 0,10
    weights : str
        of the mixture components; equal when left out
    train_sizes : str
        training sizes n: start:stop:step (stop included) or a comma list
    originals : int
        number N of fresh points that Delta compares with
    original_mode : str
        average over the originals exactly, or draw them
    time : float
        diffusion time T
    noise_scale : float
        noise scale in v_z = noise_scale e^(-2T) (1 - e^(-2T))
    simulations : int
        replicates of each training size
    data : str
        digits, patches, a .npy .npz .csv .parquet file or a folder of images, instead of a
        population
    out : str
        study folder; runs/linear-<configuration> when left out
    jobs : int
        worker processes; -1 for one per core
    dask : str
        address of a dask scheduler to work on, tcp://host:port
    retry_failed : bool
        compute failed cells again
    seed : int
        seed of the study
    json : bool
        print one JSON document and nothing else
    """
    from ornstein.reports.figures import linear_figure
    from ornstein.reports.tables import linear_tables
    from ornstein.studies.linear.study import LinearConfig, LinearStudy, resolved, summarize

    study = LinearStudy(
        LinearConfig(
            train_sizes=integers(train_sizes, "train-sizes"),
            dim=dim,
            mean=reals(mean, "mean"),
            std=reals(std, "std"),
            weights=None if weights is None else reals(weights, "weights"),
            originals=originals,
            original_mode=original_mode,
            time=time,
            noise_scale=noise_scale,
            simulations=simulations,
            data=data,
            seed=seed,
        )
    )

    def report(store: Store) -> Report | None:
        rows = summarize(study, store)
        if not rows:
            return None
        figures = {"figure": linear_figure(study, rows)}
        return Report(rows, linear_tables(study, rows), {"notes": study.notes}, figures)

    return conduct(
        study,
        study_folder(study, out),
        resolved(study),
        report,
        jobs=checked_jobs(jobs),
        dask=dask,
        retry_failed=retry_failed,
        json=json,
    )


def status(folder: str, json: bool = False) -> int:
    """What of a study is planned, done and failed.

    Parameters
    ----------
    folder : str
        study folder, as --out made it
    json : bool
        print one JSON document and nothing else
    """
    from ornstein.engine.store import read_status
    from ornstein.reports.tables import Column, format_table

    found = read_status(Path(folder))
    sizes = sorted({*found.planned, *found.done, *found.failed})
    rows = [
        {
            "train_size": size,
            "planned": found.planned.get(size, 0),
            "done": found.done.get(size, 0),
            "failed": found.failed.get(size, 0),
        }
        for size in sizes
    ]
    errors = [{**cell._asdict(), "error": error} for cell, error in found.errors]
    if json:
        document = {"study": dict(found.identity), "sizes": rows, "errors": errors}
        print(as_json(document))
        return 1 if errors else 0
    columns = [
        Column(heading, [str(row[key]) for row in rows])
        for key, heading in (
            ("train_size", "n"),
            ("planned", "planned"),
            ("done", "done"),
            ("failed", "failed"),
        )
    ]
    print(f"{found.identity.get('study', 'study')} study in {folder}\n")
    print(format_table(columns))
    done, planned = sum(found.done.values()), sum(found.planned.values())
    print(f"\n{done} cells done of {planned} planned in the latest run.")
    for error in errors[:5]:
        reason = " ".join(error["error"].split())
        print(f"failed: n = {error['train_size']}, run {error['replicate']}: {reason}")
    if len(errors) > 5:
        print(f"... and {len(errors) - 5} more failures (--json lists them)")
    return 1 if errors else 0
