"""What every study is told: training sizes n, replicates of each, originals N, and a seed."""

from __future__ import annotations

__all__ = ["check_plan", "Configured"]

from typing import Any

from ornstein.validation import as_count


def check_plan(config: Any) -> None:
    """Validate ``train_sizes``, ``simulations``, ``originals`` and ``seed`` of a configuration.

    Raises
    ------
    ValueError, TypeError
        If there is no training size, or one of these is out of range.
    """
    if not config.train_sizes:
        raise ValueError("train_sizes is empty: expected at least one size, as in 25:1000:25")
    for size in config.train_sizes:
        as_count(size, "a training size", at_least=2)
    as_count(config.simulations, "simulations")
    as_count(config.originals, "originals", at_least=2)
    as_count(config.seed, "seed", at_least=0)


class Configured:
    """What a study answers from its configuration, the attribute ``config``."""

    config: Any

    @property
    def seed(self) -> int:
        """Seed of the study."""
        return self.config.seed

    @property
    def train_sizes(self) -> tuple[int, ...]:
        """Training sizes asked for."""
        return self.config.train_sizes

    @property
    def simulations(self) -> int:
        """Replicates of each size."""
        return self.config.simulations
