"""``ornstein recursion``: models trained on their own samples, generation after generation."""

from __future__ import annotations

__all__ = ["recursion"]

from ornstein.cli.running import RunOptions, run_study
from ornstein.studies.recursion.options import RecursionOptions


def recursion(options: RecursionOptions, running: RunOptions) -> int:
    """Models trained on samples of the last model, generation after generation, against theory.

    Prints a table for each training size, and leaves study.sqlite, config.yaml, summary.csv and
    figure.svg/.png in the study folder. The same command goes on where it was interrupted.
    """
    from ornstein.studies.recursion.study import RecursionStudy

    return run_study(RecursionStudy(options), running)
