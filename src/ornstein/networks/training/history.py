"""What is noted on the way: mean losses of every epoch, observations, by optimiser step."""

from __future__ import annotations

__all__ = ["History", "EpochLosses"]

import csv
import time
from typing import TYPE_CHECKING, Any

import torch

from ornstein.files import atomic_write

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

_SECONDS_BETWEEN_WRITES = 5.0


class History:
    """Rows of one training, by optimiser step; kept as CSV if a path is given.

    Parameters
    ----------
    path : Path, optional
        Of the CSV file.

    Attributes
    ----------
    rows : list of dict
        Each with ``step`` and what was noted there.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.rows: list[dict[str, float]] = []
        self._written = time.monotonic()

    def note(self, step: int, values: Mapping[str, float]) -> None:
        """Note values at an optimiser step, beside those already noted there."""
        if not self.rows or self.rows[-1]["step"] != step:
            self.rows.append({"step": step})
        self.rows[-1].update({name: float(value) for name, value in values.items()})
        if time.monotonic() - self._written > _SECONDS_BETWEEN_WRITES:
            self.write()

    def write(self) -> None:
        """Write the CSV file, whole or not at all."""
        if self.path is None or not self.rows:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(self.path) as draft, draft.open("w", newline="") as stream:
            names = dict.fromkeys(name for row in self.rows for name in row)
            writer = csv.DictWriter(stream, list(names), lineterminator="\n")
            writer.writeheader()
            writer.writerows(self.rows)
        self._written = time.monotonic()


class EpochLosses:
    """Mean losses over the images of an epoch under way: of one training, or of K at once."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, name: str, losses: Tensor, n_images: int) -> None:
        """Add the mean loss of a batch of `n_images`: a scalar, or one for each of K trainings."""
        # Still a tensor: reading it here would make the device wait at every step.
        part = n_images * losses.detach().double()
        self._sums[name] = self._sums[name] + part if name in self._sums else part
        self._counts[name] = self._counts.get(name, 0) + n_images

    def close(self) -> dict[str, Any]:
        """Means of what was added, by name: a float, or a list of K; the sums start again at 0."""
        means = {name: (total / self._counts[name]).tolist() for name, total in self._sums.items()}
        self._sums, self._counts = {}, {}
        return means

    def state_dict(self) -> dict[str, float]:
        """Sums and counts of one training, as numbers."""
        sums = {name: float(total) for name, total in self._sums.items()}
        return sums | {f"{name}_count": count for name, count in self._counts.items()}

    def load_state_dict(self, state: Mapping[str, float]) -> None:
        """Go on from there."""
        self._counts = {name: int(state[f"{name}_count"]) for name in _names(state)}
        self._sums = {name: torch.tensor(state[name], dtype=torch.float64) for name in self._counts}


def _names(state: Mapping[str, float]) -> list[str]:
    return [name for name in state if f"{name}_count" in state]
