"""The forecast at each n, and its comparison with what subsets of the data measure."""

from __future__ import annotations

__all__ = ["Point", "Comparison", "forecast_curve", "compare", "default_sizes", "curve_sizes"]

import math
from typing import TYPE_CHECKING, NamedTuple

from ornstein.forecasting.estimate import jackknife

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ornstein.forecasting.estimate import Estimate
    from ornstein.forecasting.measuring import Measured
    from ornstein.forecasting.quantities import Quantity

_SHARES, _MULTIPLES = (16, 8, 4, 2), (1, 2, 5, 10)
_FEWEST = 8


class Point(NamedTuple):
    """What is expected of a model of n points of the population."""

    n: int
    noise: float
    """Level at which the attack is made, in units of the data's standard deviation."""
    values: Mapping[str, float]
    errors: Mapping[str, float]
    """Standard errors of the estimated population."""


class Comparison(NamedTuple):
    """A value measured on subsets of n points, and what theory says of the same subsets."""

    n: int
    quantity: str
    measured: float
    measured_error: float
    predicted: float
    predicted_error: float

    @property
    def percent(self) -> float:
        """Predicted above measured, in percent of the measured value."""
        return 100.0 * (self.predicted / self.measured - 1.0)

    @property
    def deviations(self) -> float:
        """The difference in standard errors of both."""
        error = math.hypot(self.measured_error, self.predicted_error)
        return (self.predicted - self.measured) / error if error > 0 else math.nan


def default_sizes(count: int) -> tuple[int, ...]:
    """Training sizes N/16, N/8, N/4, N/2, of at least 8 points; N/2 for very few."""
    sizes = [count // share for share in _SHARES if count // share >= _FEWEST]
    return tuple(dict.fromkeys(sizes)) or (max(count // 2, 2),)


def forecast_curve(
    whole: Estimate,
    parts: Sequence[Estimate],
    sizes: Sequence[int],
    attacked: Mapping[int, float],
    asked: Sequence[Quantity],
) -> tuple[Point, ...]:
    """Predictions at all sizes, with the error that the estimated population adds."""
    points = []
    for n in sizes:
        values = {each.name: each.fresh(whole, n) for each in asked}
        errors = {
            each.name: jackknife(values[each.name], [each.fresh(part, n) for part in parts])
            for each in asked
        }
        points.append(Point(n, attacked[n], values, errors))
    return tuple(points)


def compare(
    whole: Estimate,
    parts: Sequence[Estimate],
    measured: Sequence[Measured],
    asked: Sequence[Quantity],
    curve: Sequence[Point],
) -> tuple[Comparison, ...]:
    """Theory of subsets beside what they measured, quantity by quantity.

    What is the same for subsets and new points is taken from the curve.
    """
    found, known = [], {point.n: point for point in curve}
    for quantity in asked:
        for row in measured:
            n, name = row.n, quantity.name
            if quantity.subset is quantity.fresh:
                value, error = known[n].values[name], known[n].errors[name]
                if quantity.of_rows and whole.takes_rows(n):
                    error = 0.0  # theory knows the points of which the subsets are
            else:
                value = quantity.subset(whole, n)
                error = jackknife(value, [quantity.subset(part, n) for part in parts])
            found.append(Comparison(n, name, row.mean(name), row.error(name), value, error))
    return tuple(found)


def curve_sizes(count: int, sizes: Sequence[int]) -> tuple[int, ...]:
    """Sizes of the curve: those that are measured, and 1, 2, 5 and 10 times the data."""
    return tuple(sorted({*sizes, *(count * multiple for multiple in _MULTIPLES)}))
