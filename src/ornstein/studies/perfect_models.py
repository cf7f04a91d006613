"""P(Delta > 0) of a model that generates the population itself, beside that of a study.

With originals in expectation a draw costs some 17 ns for each of n d coordinates, and 20 to 50 ns
for each of n^2 pairs where the points alone do not decide the sign: seldom for many originals,
often for n, always for fewer. Drawn originals have N^2 pairs of their own. As many draws are made
as take about 5 s for all sizes, from :data:`FEWEST` to :data:`MOST` (40 sizes up to 1000 in
d = 100: about 80); where the fewest would take more than 12 s, none.
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
_AIM, _LIMIT = 5.0, 12.0  # seconds
_COORDINATE, _PAIR, _PRODUCT = 17e-9, 20e-9, 0.15e-9


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
            f"perfect model: the share in {draws} draws; summary.csv has Wilson 95% intervals. "
            "It is what P(Delta > 0) is to be compared with, not 1/2: fewer "
            "points have wider kernels, and a mean of heavy-tailed terms is mostly below its "
            "expectation."
        )
    if not draws:
        return PerfectModel(
            {},
            f"perfect model: left out, since {FEWEST} draws of it would take more than "
            f"{_LIMIT:g} s; with --originals n and --original-mode sampled it is exactly 1/2.",
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
    fresh = n if count is None else np.full(n.shape, float(count))
    pair = _PAIR + dim * _PRODUCT
    share = np.where(fresh < n, 1.0, np.where(fresh < 2 * n, 0.4, 0.05))
    seconds = float((dim * n * _COORDINATE + share * n**2 * pair).sum())
    if original_mode == "sampled":
        seconds += float(fresh.max()) ** 2 * pair + float((n**2).sum()) * pair
    return 0 if FEWEST * seconds > _LIMIT else int(np.clip(_AIM / seconds, FEWEST, MOST))
