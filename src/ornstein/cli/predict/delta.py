"""Prediction of how often a model is closer to fresh data than to its training set."""

from __future__ import annotations

__all__ = ["delta"]

import math
from typing import TYPE_CHECKING, Any

from ornstein import theory
from ornstein.cli.parsing import UsageError, integers, reals
from ornstein.reports.charts import Chart, Curve
from ornstein.reports.prediction import Prediction

if TYPE_CHECKING:
    from ornstein.reports.charts import Array

_MOST, _CURVE, _ROUNDING = 5, 30, 0.01
_ERROR = "Within 0.03 of simulations; left out is O(1/d) of logarithms."
_PERFECT = (
    "A model that generates the population itself has a P(Delta > 0) of its own, which is not 1/2: "
    "ornstein linear has it in the column perfect model."
)


def delta(
    dim: str = "16,100",
    points_per_dimension: str = "1.2,1.5,2,3,4,5,7,10",
    originals: int = 10_000,
    time: float = 2.0,
    noise_scale: float = 1.0,
    std: float = 1.0,
) -> Prediction:
    """One-step linear denoiser: how often Delta > 0, closer to fresh data than to its training set.

    Of isotropic populations, over training sets, with originals in expectation.

    Parameters
    ----------
    dim : str
        one to five dimensions d from 8 to 1000, in a comma list
    points_per_dimension : str
        training sizes over dimension, n/d, from 1.15 to 100: start:stop:step or a comma list; n is
        rounded
    originals : int
        number N of originals
    time : float
        diffusion time T
    noise_scale : float
        noise scale in v_z = noise_scale e^(-2T) (1 - e^(-2T))
    std : float
        standard deviation of the population
    """
    import numpy as np

    from ornstein.theory.one_step_model.delta_probability import RATIOS
    from ornstein.validation import as_count

    as_count(originals, "originals", at_least=2)
    least, largest = RATIOS
    dims = integers(dim, "dim")
    if len(dims) > _MOST:
        raise UsageError(f"--dim: given {len(dims)} dimensions, expected at most {_MOST}")
    ratios = np.array(reals(points_per_dimension, "points-per-dimension"))
    for ratio in ratios[(ratios < least) | (ratios > largest)]:
        raise UsageError(
            f"--points-per-dimension: given {ratio:g}, expected {least:g} to {largest:g}: "
            "P(Delta > 0) is not known beyond"
        )

    def sizes_of(ratios: Array, d: int) -> Array:
        """Whole numbers near these multiples of d, of those that the theory takes."""
        ends = math.ceil(least * d - 1e-9), math.floor(largest * d)
        return np.clip(np.round(ratios * d), *ends).astype(int)

    def share(d: int, n: Array) -> Array:
        return np.asarray(
            theory.delta_positive_probability(d, n, originals, time, noise_scale, std)
        )

    sizes = np.stack([sizes_of(ratios, d) for d in dims], axis=1)
    found = np.stack([share(d, n) for d, n in zip(dims, sizes.T, strict=True)], axis=1)
    legend = ["points_per_dimension  n/d  training size over dimension"]
    legend += [f"_{d}  d = {d}  P(Delta > 0) in {d} dimensions" for d in dims]

    def chart() -> Chart:
        low, high = ratios.min(), ratios.max()
        if high < 1.5 * low:
            low, high = max(low / 2, least), min(2 * high, largest)
        curves = []
        for place, d in enumerate(dims):
            n = np.unique([*sizes_of(np.geomspace(low, high, _CURVE), d), *sizes[:, place]])
            asked = np.unique(sizes[:, place])
            curves.append(Curve(f"d = {d}", n / d, share(d, n), asked / d, share(d, asked)))
        return Chart("training size over dimension n/d", "P(Delta > 0)", curves, logarithmic=True)

    listed = ", ".join(map(str, dims))
    values: dict[str, Any] = {"points_per_dimension": ratios}
    values |= {f"_{d}": found[:, place] for place, d in enumerate(dims)}
    rounded = [
        f"n is rounded: at d = {d} it is {', '.join(map(str, n))}."
        for d, n in zip(dims, sizes.T.tolist(), strict=True)
        if np.abs(np.array(n) / d / ratios - 1).max() > _ROUNDING
    ]
    return Prediction(
        f"P(Delta > 0) of the one-step linear denoiser on N(m, {std:g}^2 I), d = {listed}\n"
        f"T = {time:g}, noise scale {noise_scale:g}, {originals} originals in expectation",
        {"dim": list(dims), "originals": originals, "time": time, "noise_scale": noise_scale}
        | {"std": std},
        "\n".join(legend),
        {**values, "n_train": sizes, "probability": found},
        chart,
        [*rounded, _ERROR, _PERFECT],
    )
