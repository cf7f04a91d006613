"""Predictions on models that are trained on their own samples."""

from __future__ import annotations

__all__ = ["recursion"]

from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING, Any

from ornstein import theory
from ornstein.cli.parsing import integers
from ornstein.reports.prediction import Prediction, swept

if TYPE_CHECKING:
    from ornstein.reports.charts import Array

_ENDLESS = """
    generations   k              generation, the population is 0
    kl            KL             expected KL(generation || population), total nats, mean fitted
        infinite for n - 1 < d: rank n - 1
    kl_known      KL known mean  the same with a known mean
        infinite for n < d: rank n
    """
_MOMENTS = """
    square        tr S^2/d       expected, S the covariance of a generation, mean known
    trace_square  (tr S)^2/d^2   expected; both are 1 for the population
    """


def recursion(
    dim: int = 8,
    n_train: int = 40,
    generations: str = "0:10:1",
    fresh_fraction: float = 0.0,
) -> Prediction:
    """A Gaussian model refitted on its own samples, generation after generation.

    KL has a closed form without fresh points only; second moments with and without.

    Parameters
    ----------
    dim : int
        dimension d
    n_train : int
        number n of points that each generation is fitted on
    generations : str
        generations k: start:stop:step (stop included) or a comma list
    fresh_fraction : float
        share of the n points that are fresh ones of the population
    """
    closed = fresh_fraction == 0

    def found(k: Array) -> dict[str, Any]:
        square, trace_square = theory.recursive_variance(dim, n_train, k, fresh_fraction)
        moments = {"square": square, "trace_square": trace_square}
        if not closed:
            return moments
        kl, known = (
            theory.recursive_kl(dim, n_train, k, fitted_mean=fitted) for fitted in (True, False)
        )
        return {"kl": kl, "kl_known": known, **moments}

    limit = theory.recursive_variance(dim, n_train, float("inf"), fresh_fraction)
    whole = fresh_fraction * n_train
    lines = [f"Gaussian model refitted on n = {n_train} of its own samples, d = {dim}"]
    if closed:
        each = theory.recursive_kl(dim, n_train, 1)
        grows = f"grows by {each:.6g} nats a generation" if isfinite(each) else "is infinite"
        lines += [f"KL {grows}; tr S^2 grows without limit"]
    else:
        moments = f"tr S^2/d tends to {limit.square:.6g}, (tr S)^2/d^2 to {limit.trace_square:.6g}"
        lines += [f"a share {fresh_fraction:g} of them fresh ({whole:g} points): {moments}"]
    first = _ENDLESS if closed else "generations   k  generation, the population is 0\n"
    notes = ["Exact where the number of fresh points is whole."] if whole != int(whole) else []
    prediction = swept(
        "\n".join(lines),
        {"dim": dim, "n_train": n_train, "fresh_fraction": fresh_fraction}
        | {"limit_square": limit.square, "limit_trace_square": limit.trace_square},
        integers(generations, "generations"),
        found,
        f"{first.strip()}\n{_MOMENTS.strip()}",
        lambda found: (
            {"KL, mean fitted": found["kl"], "KL, mean known": found["kl_known"]}
            if closed
            else {"tr S^2 / d": found["square"], "(tr S)^2 / d^2": found["trace_square"]}
        ),
        y_label="KL(generation || population), nats" if closed else "second moments",
        least=0,
        logarithmic=False,
    )
    return replace(prediction, notes=notes)
