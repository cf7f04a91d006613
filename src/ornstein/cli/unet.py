"""``ornstein unet``: a learned diffusion model, what it has learned and what it has copied."""

from __future__ import annotations

__all__ = ["unet"]

from typing import TYPE_CHECKING, Literal

from ornstein.cli.conducting import Report
from ornstein.cli.learned import Running, need_networks, run_learned
from ornstein.cli.parsing import integers, reals

if TYPE_CHECKING:
    from pathlib import Path

    from ornstein.engine.store import Store
    from ornstein.studies.neural.snapshots import SnapshotStudy
    from ornstein.studies.neural.unet import UNetStudy

_STEPS_WITH_SNAPSHOTS = {"mlp": 5000, "unet": 500}


def unet(
    pixels: int | None = None,
    mean: str = "0.5",
    std: str = "0.1",
    weights: str | None = None,
    data: str | None = None,
    train_sizes: str = "50:1050:100",
    train_fraction: float = 0.9,
    model: Literal["unet", "mlp"] = "unet",
    width: float | None = None,
    epochs: int = 10,
    training_steps: int | None = None,
    batch_size: int = 128,
    learning_rate: float = 2e-4,
    ema_decay: float = 0.0,
    gradient_clip: float | None = None,
    precision: Literal["32-true", "bf16-mixed", "16-mixed"] = "32-true",
    diffusion_steps: int = 200,
    prediction: Literal["epsilon", "sample", "v"] = "epsilon",
    sampler: str = "ddpm",
    sampling_steps: int | None = None,
    start: Literal["standard", "marginal", "population"] = "standard",
    generated: int = 10,
    originals: int = 10_000,
    simulations: int = 10,
    snapshots: bool = False,
    replicate_batch: int | None = None,
    accelerator: Literal["auto", "cpu", "gpu"] = "auto",
    threads: int = 1,
    log: Literal["csv", "tensorboard"] = "csv",
    out: str | None = None,
    jobs: int = -1,
    dask: str | None = None,
    retry_failed: bool = False,
    seed: int = 0,
    json: bool = False,
) -> int:
    """Study of a learned diffusion model: train, generate, compare with training set and truth.

    Prints tables, and leaves study.sqlite, config.yaml, summary.csv, figure.svg/.png, samples.png
    and logs/ in the study folder. The same command goes on where it was interrupted.

    Parameters
    ----------
    pixels : int
        pixels per side, a multiple of 8 for the U-Net; 8 when left out, with data their own; images
        are resized to it
    mean, std : str
        of the pixels, one entry per mixture component: 0.5 or 0.2,0.8
    weights : str
        of the mixture components, as 1 or 0.3,0.7; equal when left out
    data : str
        digits, patches, a folder of images, a .npy file of shape (n, C, H, W), (n, H, W) or (n, d),
        or a .npz .csv .parquet file of vectors, instead of a population
    train_sizes : str
        training sizes n: start:stop:step (stop included) or a comma list
    train_fraction : float
        part of the n images to train on; the rest is for validation
    model : str
        unet, or mlp: a small residual network, for vectors too
    width : float
        U-Net: factor of its channels, 1 when left out; MLP: hidden units, 128 when left out
    epochs : int
        passes through the training images
    training_steps : int
        optimiser steps, instead of epochs; with --snapshots 5000 (mlp) or 500 (unet) when left out
    batch_size : int
        images per optimiser step
    learning_rate : float
        of Adam
    ema_decay : float
        of the average of weights that generates; 0 for the last weights
    gradient_clip : float
        largest norm of the gradient; any when left out
    precision : str
        of the arithmetic of training; weights are float32
    diffusion_steps : int
        steps T of the diffusion, with betas from 1e-4 to 0.02
    prediction : str
        what the network predicts: noise, clean image, or v
    sampler : str
        ddpm, ddpm:large, ddim, ddim:ETA (0 to 1), euler, heun
    sampling_steps : int
        of the T; all when left out
    start : str
        where sampling starts: N(0, I), a Gaussian where noised training images are, or noised
        fresh points of the population
    generated : int
        points to generate; with more than 2 d of them KL and Wasserstein distance are measured
    originals : int
        number N of fresh points that Delta compares with; with data as many as the network is
        trained on, at most N
    simulations : int
        replicates of each training size
    snapshots : bool
        instead, follow memorized fraction, Delta and losses through training, at equal numbers of
        optimiser steps for all n
    replicate_batch : int
        replicates trained at once; when left out what is faster: 16 networks below a million
        parameters or 1 larger one on a CPU, as many as fit on a GPU
    accelerator : str
        where to train; auto: on a GPU if there is one
    threads : int
        threads of PyTorch in each worker; results are bit-identical for any --jobs, not for any
        --threads
    log : str
        losses go to logs/ as CSV; tensorboard: with samples and memorization to lightning_logs/ too
    out : str
        study folder; runs/unet-<configuration> when left out
    jobs : int
        worker processes; -1 for one per core, on a GPU for one
    dask : str
        address of a dask scheduler to work on, tcp://host:port
    retry_failed : bool
        compute failed cells again
    seed : int
        seed of the study
    json : bool
        print one JSON document and nothing else
    """
    need_networks()
    from ornstein.studies.neural.config import LearnedConfig
    from ornstein.studies.neural.snapshots import SnapshotStudy
    from ornstein.studies.neural.unet import UNetStudy

    running = Running(
        accelerator, replicate_batch, threads, log, out, jobs, dask, retry_failed, json
    )
    if snapshots and training_steps is None:
        training_steps = _STEPS_WITH_SNAPSHOTS[model]
    config = LearnedConfig(
        train_sizes=integers(train_sizes, "train-sizes"),
        pixels=pixels,
        mean=reals(mean, "mean"),
        std=reals(std, "std"),
        weights=None if weights is None else reals(weights, "weights"),
        data=data,
        model=model,
        width=width,
        epochs=epochs,
        training_steps=training_steps,
        batch_size=batch_size,
        learning_rate=learning_rate,
        ema_decay=ema_decay,
        gradient_clip=gradient_clip,
        precision=precision,
        train_fraction=train_fraction,
        diffusion_steps=diffusion_steps,
        prediction=prediction,
        sampler=sampler,
        sampling_steps=sampling_steps,
        start=start,
        generated=generated,
        originals=originals,
        simulations=simulations,
        seed=seed,
    )
    if snapshots:
        return run_learned(SnapshotStudy(config), running, _snapshot_report, unet)
    return run_learned(UNetStudy(config), running, _unet_report, unet)


def _unet_report(study: UNetStudy, store: Store, folder: Path) -> Report | None:
    from ornstein.reports.unet import samples_figure, unet_figure, unet_tables
    from ornstein.studies.neural.unet import net, read_samples, summarize

    rows = summarize(study, store)
    if not rows:
        return None
    whole = net(study, store)
    extras = {"net": whole, "notes": study.notes}
    figures = {"figure": unet_figure(study, rows)}
    samples = read_samples(folder, [int(row["train_size"]) for row in rows])
    if samples:
        figures["samples.png"] = samples_figure(samples)
    return Report(rows, unet_tables(study, rows, whole), extras, figures)


def _snapshot_report(study: SnapshotStudy, store: Store, folder: Path) -> Report | None:  # noqa: ARG001
    from ornstein.reports.snapshots import snapshot_figure, snapshot_tables
    from ornstein.studies.neural.snapshots import exponent, summarize, windows

    rows, found = summarize(study, store), windows(study, store)
    if not rows:
        return None
    figures = {"figure": snapshot_figure(study, rows, found)}
    extras = {"windows": found, "exponent": exponent(found)._asdict(), "notes": study.notes}
    return Report(rows, snapshot_tables(study, rows, found), extras, figures)
