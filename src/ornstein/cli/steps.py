"""``ornstein steps``: quality and memorization against the number of sampling steps."""

from __future__ import annotations

__all__ = ["steps"]

import sys
import warnings
from pathlib import Path
from typing import Literal

from ornstein.cli.parsing import UsageError, as_json, integers


def steps(
    model: Literal["linear"] = "linear",
    samplers: str = "ddpm,ddpm:large,ddim,euler,heun",
    steps: str = "5,10,20,50,100,200,500,1000",
    train_sizes: str = "50,150,400,1000,3000",
    dim: int = 100,
    mean: float = 0.0,
    std: float = 1.0,
    population: Literal["isotropic", "power-law"] = "isotropic",
    exponent: float = 1.0,
    schedule: Literal["linear", "scaled_linear", "cosine", "karras"] = "linear",
    ode_schedule: Literal["linear", "scaled_linear", "cosine", "karras"] = "karras",
    diffusion_steps: int | None = 1000,
    start: Literal["standard", "marginal"] = "standard",
    ridge: float = 0.0,
    originals: int = 10_000,
    simulations: int = 100,
    out: str | None = None,
    jobs: int = -1,
    dask: str | None = None,
    retry_failed: bool = False,
    seed: int = 0,
    json: bool = False,
) -> int:
    """Quality and memorization against the number of sampling steps S.

    Every generated law is exact; only training sets are drawn. Prints tables, and leaves
    study.sqlite, config.yaml, summary.csv and figure.svg/.png in the study folder. The same command
    goes on where it was interrupted.

    Parameters
    ----------
    model : str
        linear: the best linear denoiser of n points
    samplers : str
        any of ddpm, ddpm:large, ddim, ddim:ETA (0 to 1), euler, heun
    steps : str
        numbers of sampling steps S: start:stop:step (stop included) or a comma list
    train_sizes : str
        training sizes n: start:stop:step (stop included) or a comma list
    dim : int
        dimension d
    mean, std : float
        of the population, per coordinate
    population : str
        isotropic, or power-law: variances k^-exponent
    exponent : float
        of the power law
    schedule : str
        noise schedule of ddpm and ddim
    ode_schedule : str
        noise schedule of euler and heun
    diffusion_steps : int
        T of beta schedules, of which S are taken; null: as many as S
    start : str
        law of the first point: noised centred data of unit variance, or the noised training law
    ridge : float
        added to the covariance of the denoiser, in squared data units
    originals : int
        number N of fresh points that Delta compares with
    simulations : int
        replicates of each training size
    out : str
        study folder; runs/steps-<configuration> when left out
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
    from ornstein.reports.figures import save_figure
    from ornstein.reports.steps import steps_figure, steps_tables
    from ornstein.studies.engine import planned_cells, run_study
    from ornstein.studies.folder import default_folder, refuse_foreign, write_config, written
    from ornstein.studies.steps import StepsConfig, StepsStudy, resolved
    from ornstein.studies.steps_summary import notes, optima, summarize
    from ornstein.studies.store import Store
    from ornstein.studies.summaries import write_csv

    names = tuple(dict.fromkeys(part.strip() for part in samplers.split(",") if part.strip()))
    if not names:
        raise UsageError(f"--samplers: given {samplers!r}, expected names like ddpm,ddim,heun")
    # Another model is another study of the same protocol.
    studies = {"linear": StepsStudy}
    study = studies[model](
        StepsConfig(
            train_sizes=integers(train_sizes, "train-sizes"),
            steps=integers(steps, "steps"),
            samplers=names,
            dim=dim,
            mean=mean,
            std=std,
            population=population,
            exponent=exponent,
            schedule=schedule,
            ode_schedule=ode_schedule,
            diffusion_steps=diffusion_steps,
            start=start,
            ridge=ridge,
            originals=originals,
            simulations=simulations,
            seed=seed,
        )
    )
    if jobs == 0:
        raise UsageError("--jobs: given 0, expected 1 or more workers, or -1 for one per core")
    folder = Path(out) if out is not None else default_folder(study)
    refuse_foreign(folder)
    # joblib counts the tasks that Ctrl-C cancels; our own line says what is kept.
    warnings.filterwarnings("ignore", message=".*still being processed by the workers")
    with Store(folder, study.identity, study.metrics) as store:
        write_config(folder, study, resolved(study))
        try:
            run_study(study, store, jobs=jobs, dask=dask, retry_failed=retry_failed)
        except KeyboardInterrupt:
            ready = len(store.finished())
            raise KeyboardInterrupt(
                f"interrupted: {ready} cells are in {folder}; the same command goes on from there"
            ) from None
        rows = summarize(study, store)
        failed = sorted(store.failed() & set(planned_cells(study)))
    write_csv(folder / "summary.csv", rows)
    save_figure(steps_figure(study, rows), folder / "figure.svg", folder / "figure.png")
    if json:
        best = {name: optima(rows, name) for name in ("kl", "hellinger2", "wasserstein2")}
        document = {"folder": str(folder), "config": resolved(study), "rows": rows}
        document |= {"orders": study.orders(), "optima": best}
        print(as_json({**document, "notes": notes(study), "failed": failed}))
    else:
        print(steps_tables(study, rows))
        print(f"\nWritten to {folder}: {', '.join(written(folder))}")
    if failed:
        print(
            f"ornstein: {len(failed)} cell(s) failed: ornstein status {folder} shows why, "
            "--retry-failed computes them again",
            file=sys.stderr,
        )
    return 1 if failed else 0
