"""P(Delta > 0) of a model that generates the population itself, beside that of a study.

With originals in expectation a draw costs the squares of the distances of n points to the mean, and
pairs where these do not decide the sign; with N drawn originals their pairs too. A study of 40
sizes up to 1000 in d = 100 has some 100 draws, in some seconds. As many draws are made as cost no
more than that, from :data:`FEWEST` to :data:`MOST`; where the fewest would take minutes, none.
"""

from __future__ import annotations

__all__ = ["PerfectModel", "perfect_model_of", "original_count", "MOST", "FEWEST"]

from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

from ornstein.memorization.null import perfect_model_deltas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ornstein.memorization.null import PerfectModelDelta
    from ornstein.mixtures import Population

FEWEST, MOST = 50, 200
_AIM, _LIMIT = 2e10, 2e11  # operations


class PerfectModel(NamedTuple):
    """What `perfect_model_of` returns: ``P(Delta > 0)`` by training size, and a note on it."""

    shares: Mapping[int, PerfectModelDelta]
    """Empty where it was not computed."""
    note: str

    def columns(self, train_size: int) -> dict[str, float]:
        """Columns of a row of a summary; none where it was not computed."""
        if train_size not in self.shares:
            return {}
        found = self.shares[train_size]
        ends = {"delta_perfect_low": found.low, "delta_perfect_high": found.high}
        return {"delta_perfect": found.fraction, **ends}

    def curve(self) -> dict[str, Any]:
        """The entry ``perfect_delta`` of the theory of a summary; empty if not computed."""
        if not self.shares:
            return {}
        sizes = sorted(self.shares)
        found = [self.shares[n] for n in sizes]
        return {
            "perfect_delta": {
                "train_size": np.array(sizes, dtype=float),
                "share": np.array([each.fraction for each in found]),
                "low": np.array([each.low for each in found]),
                "high": np.array([each.high for each in found]),
            }
        }


def perfect_model_of(
    population: Population,
    train_sizes: Sequence[int],
    originals: int | str,
    original_mode: Literal["expected", "sampled"],
    seed: int,
) -> PerfectModel:
    """P(Delta > 0) of a model that generates `population`, at the training sizes of a study.

    Parameters
    ----------
    population : Gaussian or Mixture
    train_sizes : sequence of int
    originals : int or "n"
        Number of originals; "n": as many as training points.
    original_mode : {"expected", "sampled"}
    seed : int
        Seed of the study.
    """
    sizes = tuple(train_sizes)
    if not sizes:
        return PerfectModel({}, "")
    count = None if originals == "n" else int(originals)
    if original_mode == "sampled" and count is None:
        draws = 1
        note = (
            "perfect model: originals that are drawn, as many as training points, could be "
            "exchanged with them, so that P(Delta > 0) is exactly 1/2 for a model that does not "
            "depend on its training set."
        )
    else:
        draws = _affordable(population.dim, sizes, count, original_mode)
        note = (
            f"perfect model: the share in {draws} draws; Wilson 95% intervals are in summary.csv "
            "and in the figure. It is what P(Delta > 0) is to be compared with, not 1/2: fewer "
            "points have wider kernels, and a mean of heavy-tailed terms is mostly below its "
            "expectation."
        )
    if not draws:
        return PerfectModel(
            {},
            "perfect model: left out, since drawing it would take minutes; --originals n has it "
            "at exactly 1/2 for drawn originals, and --original-mode expected costs less.",
        )
    found = _computed(population, sizes, count, draws, seed, original_mode)
    return PerfectModel(dict(zip(sizes, found, strict=True)), note)


def original_count(originals: int | str, train_size: int) -> int:
    """Number of originals at a training size: `originals`, or as many as training points for "n".

    Examples
    --------
    >>> original_count(10_000, 25), original_count("n", 25)
    (10000, 25)
    """
    return train_size if originals == "n" else int(originals)


@lru_cache(maxsize=8)
def _computed(
    population: Population,
    sizes: tuple[int, ...],
    count: int | None,
    draws: int,
    seed: int,
    original_mode: Literal["expected", "sampled"],
) -> list[PerfectModelDelta]:
    return perfect_model_deltas(population, sizes, count, draws, seed, original_mode=original_mode)


def _affordable(dim: int, sizes: Sequence[int], count: int | None, original_mode: str) -> int:
    """Number of draws; 0 if the fewest cost too much."""
    n = np.asarray(sizes, dtype=float)
    # How often pairs decide: seldom where the originals are many.
    pairs = 0.35 if count is None else 0.05
    cost = dim * float((50 * n + pairs * n**2).sum())
    if original_mode == "sampled":
        cost += dim * float(count or 0) ** 2
    return 0 if FEWEST * cost > _LIMIT else int(np.clip(_AIM / cost, FEWEST, MOST))
