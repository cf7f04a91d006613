"""``ornstein unet``: a learned diffusion model, what it has learned and what it has copied."""

from __future__ import annotations

__all__ = ["unet"]

from dataclasses import replace

from ornstein.cli.networks import NeuralRunOptions, require_networks, run_networks
from ornstein.cli.parsing import UsageError
from ornstein.studies.neural.options import NeuralOptions

_STEPS_WITH_SNAPSHOTS = {"mlp": 5000, "unet": 500}


def unet(
    options: NeuralOptions,
    running: NeuralRunOptions,
    snapshots: bool = False,
    canaries: int | None = None,
) -> int:
    """Study of a learned diffusion model: train, generate, compare with training set and truth.

    Prints tables, and leaves study.sqlite, config.yaml, summary.csv, figure.svg/.png, samples.png
    and logs/ in the study folder. The same command goes on where it was interrupted.

    Parameters
    ----------
    snapshots : bool
        instead, follow memorized fraction, Delta and losses through training, at equal numbers of
        optimiser steps for all n: training-steps, by default 5000 (mlp) or 500 (unet)
    canaries : int
        train each network a second time with so many planted records in its training set, and say
        whether it gives them away
    """
    require_networks()
    if canaries is not None and snapshots:
        raise UsageError("--canaries and --snapshots are two studies: give one of the two")
    from ornstein.studies.neural.snapshots import SnapshotStudy
    from ornstein.studies.neural.unet import UNetStudy

    if canaries is not None:
        from ornstein.studies.neural.canaries import CanaryStudy

        return run_networks(CanaryStudy(options, canaries=canaries), running)
    if not snapshots:
        return run_networks(UNetStudy(options), running)
    if options.training_steps is None:
        options = replace(options, training_steps=_STEPS_WITH_SNAPSHOTS[options.model])
    return run_networks(SnapshotStudy(options), running)
