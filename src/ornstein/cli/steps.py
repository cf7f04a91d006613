"""``ornstein steps``: quality and memorization against the number of sampling steps."""

from __future__ import annotations

__all__ = ["steps"]

from typing import TYPE_CHECKING, Literal

from ornstein.cli.conducting import Report, checked_jobs, conduct, study_folder
from ornstein.cli.parsing import UsageError, integers

if TYPE_CHECKING:
    from ornstein.studies.store import Store


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
    from ornstein.reports.steps import steps_figure, steps_tables
    from ornstein.studies.steps import StepsConfig, StepsStudy, resolved
    from ornstein.studies.steps_summary import notes, optima, summarize

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

    def report(store: Store) -> Report | None:
        rows = summarize(study, store)
        if not rows:
            return None
        best = {name: optima(rows, name) for name in ("kl", "hellinger2", "wasserstein2")}
        extras = {"orders": study.orders(), "optima": best, "notes": notes(study)}
        return Report(
            rows, steps_tables(study, rows), extras, {"figure": steps_figure(study, rows)}
        )

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
