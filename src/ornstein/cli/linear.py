"""``ornstein linear``: the one-step linear denoiser by Monte Carlo."""

from __future__ import annotations

__all__ = ["linear"]

from ornstein.cli.running import RunOptions, run_study
from ornstein.studies.linear.options import LinearOptions


def linear(options: LinearOptions, running: RunOptions) -> int:
    """Monte Carlo study of the one-step linear denoiser against theory.

    Prints a table, and leaves study.sqlite, config.yaml, summary.csv and figure.svg/.png in the
    study folder. The same command goes on where it was interrupted.
    """
    from ornstein.studies.linear.study import LinearStudy

    return run_study(LinearStudy(options), running)
