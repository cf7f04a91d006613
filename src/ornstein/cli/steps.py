"""``ornstein steps``: quality and memorization against the number of sampling steps."""

from __future__ import annotations

__all__ = ["steps"]

from typing import TYPE_CHECKING, Any, Literal

from ornstein.cli.conducting import Report, checked_jobs, conduct, study_folder
from ornstein.cli.parsing import UsageError, integers, reals

if TYPE_CHECKING:
    from ornstein.engine.store import Store


def steps(
    model: Literal["linear", "unet", "mlp"] = "linear",
    samplers: str | None = None,
    steps: str | None = None,
    train_sizes: str | None = None,
    dim: int = 100,
    mean: str | None = None,
    std: str | None = None,
    weights: str | None = None,
    population: Literal["isotropic", "power-law"] = "isotropic",
    exponent: float = 1.0,
    schedule: Literal["linear", "scaled_linear", "cosine", "karras"] = "linear",
    ode_schedule: Literal["linear", "scaled_linear", "cosine", "karras"] = "karras",
    diffusion_steps: int | None = None,
    start: Literal["standard", "marginal", "population"] = "standard",
    ridge: float = 0.0,
    originals: int = 10_000,
    simulations: int | None = None,
    data: str | None = None,
    pixels: int | None = None,
    width: float | None = None,
    epochs: int | None = None,
    training_steps: int | None = None,
    batch_size: int | None = None,
    learning_rate: float | None = None,
    ema_decay: float | None = None,
    gradient_clip: float | None = None,
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] | None = None,
    train_fraction: float | None = None,
    prediction: Literal["epsilon", "sample", "v"] | None = None,
    generated: int | None = None,
    accelerator: Literal["auto", "cpu", "gpu"] = "auto",
    threads: int = 1,
    out: str | None = None,
    jobs: int = -1,
    dask: str | None = None,
    retry_failed: bool = False,
    seed: int = 0,
    json: bool = False,
) -> int:
    """Quality and memorization against the number of sampling steps S.

    For the linear model every generated law is exact, and only training sets are drawn. A network
    is trained once per cell and sampled with every sampler and S. Prints tables, and leaves
    study.sqlite, config.yaml, summary.csv and figure.svg/.png in the study folder. The same command
    goes on where it was interrupted.

    Parameters
    ----------
    model : str
        linear: the best linear denoiser of n points; unet, mlp: a trained network, beside it
    samplers : str
        any of ddpm, ddpm:large, ddim, ddim:ETA (0 to 1), euler, heun; when left out these five, or
        ddpm and ddim for a network
    steps : str
        numbers of sampling steps S: start:stop:step (stop included) or a comma list; when left out
        from 5 to 1000, or to 200 for a network
    train_sizes : str
        training sizes n: start:stop:step (stop included) or a comma list; when left out
        50,150,400,1000,3000, or 150 for a network
    dim : int
        dimension d of the linear model
    mean, std : str
        of the population, per coordinate; 0 and 1 when left out, or 0.5 and 0.1 for a network,
        which may have several mixture components: 0.2,0.8
    weights : str
        network: of the mixture components; equal when left out
    population : str
        isotropic, or power-law: variances k^-exponent
    exponent : float
        of the power law
    schedule : str
        noise schedule of ddpm and ddim
    ode_schedule : str
        noise schedule of euler and heun
    diffusion_steps : int
        T of beta schedules, of which S are taken; 0: as many as S; when left out 1000, or 200 for a
        network
    start : str
        law of the first point: noised centred data of unit variance, or the noised training law;
        for a network also the noised population
    ridge : float
        added to the covariance of the denoiser, in squared data units
    originals : int
        number N of fresh points that Delta compares with
    simulations : int
        replicates of each training size; 100 when left out, or 3 for a network
    data : str
        network: digits, patches, a file or a folder of images, instead of a population
    pixels : int
        network: pixels per side; 8 when left out
    width : float
        network: factor of the U-Net's channels, or hidden units of the MLP
    epochs : int
        network: passes through the training images; 10 when left out
    training_steps : int
        network: optimiser steps, instead of epochs
    batch_size : int
        network: images per optimiser step; 128 when left out
    learning_rate : float
        network: of Adam; 2e-4 when left out
    ema_decay : float
        network: of the average of weights that generates; the last weights when left out
    gradient_clip : float
        network: largest norm of the gradient
    precision : str
        network: of the arithmetic of training; 32-true when left out
    train_fraction : float
        network: part of the n images to train on; 0.9 when left out
    prediction : str
        network: what it predicts, noise, clean image, or v; epsilon when left out
    generated : int
        network: points of each sampler and S; three times the dimension when left out
    accelerator : str
        network: where to train; auto: on a GPU if there is one
    threads : int
        network: threads of PyTorch in each worker
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
    of_networks: dict[str, Any] = {
        "weights": None if weights is None else reals(weights, "weights"),
        "data": data,
        "pixels": pixels,
        "width": width,
        "epochs": epochs,
        "training_steps": training_steps,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "ema_decay": ema_decay,
        "gradient_clip": gradient_clip,
        "precision": precision,
        "train_fraction": train_fraction,
        "prediction": prediction,
        "generated": generated,
    }
    means = None if mean is None else reals(mean, "mean")
    stds = None if std is None else reals(std, "std")
    if model != "linear":
        from ornstein.cli.learned import Running
        from ornstein.cli.unet_steps import unet_steps

        options: dict[str, Any] = {
            **of_networks,
            "mean": means,
            "std": stds,
            "diffusion_steps": diffusion_steps,
            "simulations": 3 if simulations is None else simulations,
            "start": start,
            "originals": originals,
            "seed": seed,
        }
        return unet_steps(
            model,
            _names(samplers or "ddpm,ddim"),
            integers(steps or "5,10,20,50,100,200", "steps"),
            integers(train_sizes or "150", "train-sizes"),
            Running(accelerator, None, threads, "csv", out, jobs, dask, retry_failed, json),
            **{name: value for name, value in options.items() if value is not None},
        )
    given = [name for name, value in of_networks.items() if value is not None]
    if given:
        flag = given[0].replace("_", "-")
        raise UsageError(f"--{flag}: is of trained networks: give --model unet or mlp as well")
    if start == "population":
        raise UsageError("--start: population is of trained networks: give --model unet or mlp")
    from ornstein.reports.steps import steps_figure, steps_tables
    from ornstein.studies.steps.study import StepsConfig, StepsStudy, resolved
    from ornstein.studies.steps.summary import notes, optima, summarize

    study = StepsStudy(
        StepsConfig(
            train_sizes=integers(train_sizes or "50,150,400,1000,3000", "train-sizes"),
            steps=integers(steps or "5,10,20,50,100,200,500,1000", "steps"),
            samplers=_names(samplers or "ddpm,ddpm:large,ddim,euler,heun"),
            dim=dim,
            mean=_single(means, 0.0, "mean"),
            std=_single(stds, 1.0, "std"),
            population=population,
            exponent=exponent,
            schedule=schedule,
            ode_schedule=ode_schedule,
            # 0 is how a command line says None, which StepsConfig reads as: as many as S.
            diffusion_steps=1000 if diffusion_steps is None else diffusion_steps or None,
            start=start,
            ridge=ridge,
            originals=originals,
            simulations=100 if simulations is None else simulations,
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


def _single(values: tuple[float, ...] | None, default: float, name: str) -> float:
    """The one entry of an option that a network may have several of."""
    first, *others = values or (default,)
    if others:
        raise UsageError(f"--{name}: given {1 + len(others)} entries, the linear model takes one")
    return first


def _names(text: str) -> tuple[str, ...]:
    names = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if not names:
        raise UsageError(f"--samplers: given {text!r}, expected names like ddpm,ddim,heun")
    return names
