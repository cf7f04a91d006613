"""What a forecast says: one frozen object, printed, plotted or written by the layer of reports."""

from __future__ import annotations

__all__ = ["ForecastReport", "Sizes"]

from dataclasses import dataclass, fields
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from ornstein.forecasting.advice import Collapse, Mode, Sampling, Stopping
from ornstein.forecasting.assumptions import Assumption
from ornstein.forecasting.curve import Comparison, Point
from ornstein.forecasting.network_check import NetworkRow
from ornstein.forecasting.predictions import OneStepProcess
from ornstein.forecasting.targets import Needed
from ornstein.json_values import from_json

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


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
        return self._reports().forecast_values(self)

    @classmethod
    def from_dict(cls, plain: Mapping[str, Any]) -> ForecastReport:
        """Return the report that `to_dict` wrote, from its JSON document.

        Parameters
        ----------
        plain : mapping
            Numbers that JSON does not have are null for NaN, ``inf`` and ``-inf``.

        Raises
        ------
        ValueError
            If an entry is missing, or is not what it should be.
        """
        values: dict[str, Any] = {}
        try:
            for name in (field.name for field in fields(cls)):
                kind, value = _KINDS.get(name), from_json(plain[name])
                if kind is None:
                    values[name] = value
                elif isinstance(value, tuple):
                    values[name] = tuple(_entry(kind, each) for each in value)
                else:
                    values[name] = _entry(kind, value)
            losses = values["best_losses"]
            values["best_losses"] = {float(noise): loss for noise, loss in losses.items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"this is no document of a forecast: {error}") from error
        return cls(**values)

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

    def figure(self, style: str | None = None) -> Any:
        """The learning curves, a ``matplotlib.figure.Figure``.

        Parameters
        ----------
        style : str, optional
            ``screen``, ``paper`` or ``talk``; by default that of the context, ``screen``.

        Raises
        ------
        ValueError
            If there is no such style.
        """
        if style is not None:
            with self._reports("figure_styles").figure_style(style):
                return self.figure()
        draw = self._reports("forecast_figure").forecast_figure
        return self._reports("figures").drawn_figures(lambda: {"figure": draw(self)})["figure"]

    @staticmethod
    def _reports(name: str = "forecast") -> Any:
        # By name: reports are a layer above, and are looked up only when one is asked for.
        return import_module(f"ornstein.reports.{name}")


_KINDS: dict[str, Any] = {
    "sizes": Sizes,
    "process": OneStepProcess,
    "curve": Point,
    "compared": Comparison,
    "targets": Needed,
    "modes": Mode,
    "sampling": Sampling,
    "stopping": Stopping,
    "collapse": Collapse,
    "assumptions": Assumption,
    "network": NetworkRow,
}
"""What entries of a document are, one or several."""


def _entry(kind: Any, plain: Mapping[str, Any]) -> Any:
    """An entry without what was derived from it."""
    return kind(**{name: plain[name] for name in kind._fields})
