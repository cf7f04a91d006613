"""A study in parts, for job arrays where no scheduler may run.

Shard i of k computes its share of the planned cells in a folder of its own, ``shard-i-of-k`` within
the study folder. Shares are disjoint and near equal in cost: cells, the costliest first, go to the
shard that has least so far. They depend on the study and on k alone, so each shard finds its own
without the others. Cells that are measured in one call stay together.
"""

from __future__ import annotations

__all__ = ["Shard", "cells_of"]

import heapq
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ornstein.engine.study import Cell, planned_cells

if TYPE_CHECKING:
    from pathlib import Path

    from ornstein.engine.study import Study


@dataclass(frozen=True)
class Shard:
    """Part `index` of `count`, from 1 on.

    Raises
    ------
    ValueError
        If the index is not in 1 .. count.

    Examples
    --------
    >>> Shard.read("3/8")
    Shard(index=3, count=8)
    """

    index: int
    count: int

    def __post_init__(self) -> None:
        if not 1 <= self.index <= self.count:
            raise ValueError(
                f"shard is {self.index}/{self.count}, expected i/k with i from 1 to k, as in 3/8"
            )

    @classmethod
    def read(cls, text: str) -> Shard:
        """Read ``i/k``."""
        found = re.fullmatch(r"\s*(\d{1,6})/(\d{1,6})\s*", text)
        if found is None:
            raise ValueError(f"shard is {text!r}, expected i/k with i from 1 to k, as in 3/8")
        return cls(int(found[1]), int(found[2]))

    def folder(self, study_folder: Path) -> Path:
        """Where its cells are."""
        return study_folder / f"shard-{self.index}-of-{self.count}"


def cells_of(study: Study, shard: Shard | None = None) -> list[Cell]:
    """Planned cells of a study, or of one shard of it, one replicate of every size before the next.

    Parameters
    ----------
    study : Study
    shard : Shard, optional
    """
    cells = planned_cells(study)
    if shard is None or shard.count == 1:
        return cells
    batches: dict[tuple[int, int], list[Cell]] = defaultdict(list)
    for cell in cells:
        batches[cell.train_size, cell.replicate // study.batch_size].append(cell)
    cost = {key: sum(study.seconds(cell) for cell in members) for key, members in batches.items()}
    loads = [(0.0, index) for index in range(1, shard.count + 1)]
    mine: set[Cell] = set()
    for key in sorted(batches, key=lambda key: (-cost[key], key)):
        load, index = heapq.heappop(loads)
        heapq.heappush(loads, (load + cost[key], index))
        if index == shard.index:
            mine.update(batches[key])
    return [cell for cell in cells if cell in mine]
