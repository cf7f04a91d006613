"""What a forecast says: one frozen object, printed, plotted or written by the layer of reports."""

from __future__ import annotations

__all__ = ["ForecastReport", "Sizes"]

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path

    from ornstein.forecasting.advice import Collapse, Mode, Sampling, Stopping
    from ornstein.forecasting.assumptions import Assumption
    from ornstein.forecasting.curve import Comparison, Point
    from ornstein.forecasting.network_check import NetworkRow
    from ornstein.forecasting.predictions import OneStepProcess
    from ornstein.forecasting.targets import Needed


class Sizes(NamedTuple):
    """Of the data."""

    points: int
    dim: int
    """Coordinates that vary."""
    constant: int
    """Coordinates that do not, left out."""
    unit: float
    """Root of the mean coordinate variance, in data units: noise levels are multiples of it."""


@dataclass(frozen=True, repr=False)
class ForecastReport:
    """What :func:`ornstein.forecast` returns.

    Printed, it is the text of ``ornstein forecast``; in a notebook it is a table.
    """

    name: str
    """Of the data."""
    sizes: Sizes
    process: OneStepProcess
    threshold: float
    """n* of the one-step model for the estimated spectrum; infinite if a direction never varies."""
    leading_threshold: float
    """The same for the leading components with 99% of the variance alone."""
    leading: int
    """How many components these are."""
    spectrum: tuple[float, ...]
    """Estimated eigenvalues of the population covariance, in squared data units, descending."""
    sample_spectrum: tuple[float, ...]
    """Those of the sample covariance."""
    curve: tuple[Point, ...]
    """What is expected at each n, with the error of the estimated population."""
    compared: tuple[Comparison, ...]
    """Subsets of the data beside theory of the same subsets."""
    replicates: int
    """Subsets of each size."""
    best_losses: dict[float, float]
    """Loss of the linear denoiser that knows the population, by noise level, over the total
    variance."""
    targets: tuple[Needed, ...]
    modes: tuple[Mode, ...]
    """At all points of the data."""
    sampling: Sampling
    stopping: Stopping
    collapse: Collapse
    assumptions: tuple[Assumption, ...]
    network: tuple[NetworkRow, ...]
    """Of an MLP, if that was asked for."""
    notes: tuple[str, ...]
    """How the data were read, and what may mislead."""

    def __str__(self) -> str:
        return self._reports().forecast_text(self)

    def __repr__(self) -> str:
        at = next(point for point in self.curve if point.n == self.sizes.points)
        return (
            f"ForecastReport({self.name!r}: {self.sizes.points} points of {self.sizes.dim} "
            f"coordinates, W2^2/variance {at.values['w2']:.3g}, {len(self.targets)} target(s))"
        )

    def _repr_html_(self) -> str:
        return self._reports("forecast_html").forecast_fragment(self)

    def to_dict(self) -> dict[str, Any]:
        """All numbers and texts, as lists and mappings."""
        return self._reports().forecast_document(self)

    def to_pandas(self) -> Any:
        """A ``pandas.DataFrame`` of the curve, a row for each n."""
        import pandas as pd

        return pd.DataFrame(self._reports().forecast_rows(self))

    def to_html(self, path: str | Path) -> None:
        """Write one HTML file that needs no other: answers, tables, figure, assumptions.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        self._reports("forecast_html").write_forecast_html(self, path)

    def figure(self) -> Any:
        """The learning curves, a ``matplotlib.figure.Figure``."""
        return self._reports("forecast_figure").forecast_figure(self)

    @staticmethod
    def _reports(name: str = "forecast") -> Any:
        # By name: reports are a layer above, and are looked up only when one is asked for.
        return import_module(f"ornstein.reports.{name}")
