"""What a forecast takes for granted, and the check of each that was made on the data."""

from __future__ import annotations

__all__ = ["Assumption", "check_assumptions"]

import math
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from ornstein.data.duplicates import digest_pairs, equal_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ornstein.forecasting.curve import Comparison
    from ornstein.forecasting.estimate import Estimate, Standardized

    Array = NDArray[np.float64]

_KURTOSIS, _DUPLICATES, _FEW, _OFF = 1.5, 0.01, 4.0, 10.0
_SURE = 3.0  # standard deviations, or errors, that are taken for chance
_LEADING = 0.9


class Assumption(NamedTuple):
    """One assumption."""

    name: str
    holds: Literal["yes", "in part", "no"]
    check: str
    """What was looked at, and found."""
    consequence: str
    """What follows; empty where it holds."""


def check_assumptions(
    data: Standardized, whole: Estimate, compared: Sequence[Comparison]
) -> tuple[Assumption, ...]:
    """Check all assumptions on the data."""
    return (
        _gaussian(whole),
        _sizes(whole),
        _independent(data.points),
        _distinct(data.points),
        _enough(data, whole),
        _spectrum(whole),
        _reproduced(compared),
    )


def _gaussian(whole: Estimate) -> Assumption:
    values = whole.fluctuations.eigenvalues
    leading = int(np.searchsorted(np.cumsum(values), _LEADING * values.sum())) + 1
    excess = np.diagonal(whole.fluctuations.moments)[:leading] - 3.0
    heavy = int((np.abs(excess) > _KURTOSIS).sum())
    check = (
        f"{heavy} of the {excess.size} principal components with 90% of the variance have an "
        f"excess kurtosis beyond {_KURTOSIS:g} (largest {excess[np.argmax(np.abs(excess))]:.2f})"
    )
    if heavy == 0:
        return Assumption("Gaussian components", "yes", check, "")
    return Assumption(
        "Gaussian components",
        "in part",
        check,
        "no Gaussian model can generate their shape; what is forecast is mean and covariance",
    )


def _sizes(whole: Estimate) -> Assumption:
    factor, deviations = whole.fluctuations.tail_factor("distance")
    check = (
        f"sample covariances vary {factor:.2f} times as much as Gaussian ones "
        f"({_away(deviations, 'from 1')})"
    )
    if abs(deviations) <= _SURE:
        return Assumption("rows of one size", "yes", check, "")
    consequence = (
        "counted for: rows of random size, of which more are needed"
        if whole.factor("distance") > 1.0
        else "not counted for: fewer rows than forecast may be enough"
    )
    return Assumption("rows of one size", "in part", check, consequence)


def _independent(points: Array) -> Assumption:
    n = len(points)
    together = np.einsum("ij,ij->", points[:-1], points[1:]) / np.square(points).sum()
    gram = points.T @ points / n if n > points.shape[1] else points @ points.T / n
    share = math.sqrt(float(np.square(gram).sum())) / float(np.trace(gram))
    deviations = together * math.sqrt(n) / share
    check = (
        f"neighbouring rows have a correlation of {together:.3f} ({_away(deviations, 'from 0')})"
    )
    if abs(deviations) <= _SURE:
        return Assumption("independent rows", "yes", check, "")
    return Assumption(
        "independent rows",
        "in part",
        check,
        "if rows are only sorted, nothing follows; if they come in groups (frames of a video, "
        "visits of a patient), count groups, not rows",
    )


def _away(deviations: float, origin: str) -> str:
    return f"{deviations:.1f} standard deviations {origin}; up to {_SURE:g} is taken for chance"


def _distinct(points: Array) -> Assumption:
    repeats = equal_rows(digest_pairs(points)).repeats
    check = f"{repeats} of {len(points)} rows repeat an earlier one"
    if repeats <= _DUPLICATES * len(points):
        return Assumption("no repeated rows", "yes", check, "")
    return Assumption(
        "no repeated rows",
        "in part",
        check,
        "a repeated row adds nothing: there are fewer points than rows",
    )


def _enough(data: Standardized, whole: Estimate) -> Assumption:
    dim = data.points.shape[1]
    left = f", {data.constant} constant coordinate(s) left out" if data.constant else ""
    check = f"{whole.count} points in {dim} dimensions, {whole.count / dim:.2g} d{left}"
    if whole.count - 1 < dim:
        return Assumption(
            "more points than dimensions",
            "no",
            check,
            "of the smallest eigenvalues only number and sum are known: forecasts beyond the data "
            "rest on a smooth continuation",
        )
    if whole.count < _FEW * dim:
        return Assumption(
            "more points than dimensions",
            "in part",
            check,
            "the estimated spectrum is uncertain; the standard errors say by how much",
        )
    return Assumption("more points than dimensions", "yes", check, "")


def _spectrum(whole: Estimate) -> Assumption:
    residual = whole.residual
    check = (
        "theory of the estimated population gives the spectrum of these points back within "
        f"{residual:.2f} eigenvalues of {int((whole.sample > 0).sum())}"
    )
    if residual < 1.0:
        return Assumption("a population with this spectrum", "yes", check, "")
    return Assumption(
        "a population with this spectrum",
        "in part",
        check,
        "rows of other kinds than the model's: trust the comparison more than the forecast",
    )


def _reproduced(compared: Sequence[Comparison]) -> Assumption:
    """Of differences beyond 3 standard errors the largest; without any the largest of all."""
    finite = [each for each in compared if math.isfinite(each.percent)]
    certain = [each for each in finite if abs(each.deviations) > _SURE]
    off = any(abs(each.percent) > _OFF for each in certain)
    worst = max(certain if off else finite, key=lambda each: abs(each.percent))
    name = worst.quantity.replace("_", "-")
    beyond = " beyond 3 standard errors" if off else ""
    check = (
        f"largest difference between prediction and measurement on subsets{beyond}: "
        f"{worst.percent:+.1f}% "
        f"({name} at n = {worst.n}, {worst.deviations:+.1f} standard errors)"
    )
    if not off:
        return Assumption("theory holds on these data", "yes", check, "")
    return Assumption(
        "theory holds on these data",
        "in part",
        check,
        "where the table of comparisons shows it, take the forecast as that far off",
    )
