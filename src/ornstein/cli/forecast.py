"""``ornstein forecast``: how much data is enough?"""

from __future__ import annotations

__all__ = ["forecast", "ForecastOptions"]

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ornstein.cli.forecast_folder import write_forecast
from ornstein.cli.output import FigureStyle, Format, in_format, made_folder, one_output
from ornstein.cli.parsing import UsageError
from ornstein.cli.reopening import this_run
from ornstein.cli.streams import print_result
from ornstein.data.reading_options import ReadingOptions
from ornstein.json_values import as_json
from ornstein.validation import as_count

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ornstein.forecasting.report import ForecastReport

_TARGETS = ("w2=0.1", "auc=0.55")


@dataclass(frozen=True)
class ForecastOptions:
    """What is forecast.

    Parameters
    ----------
    data : str
        digits, patches, a file of an array or a table, or a folder of images
    target : tuple of str
        NAME=BOUND, several with commas or given again: w2 or one-step-w2 (squared Wasserstein
        distance over the total variance), auc (of membership), consistency (of two models),
        excess-loss (of denoising); by default w2=0.1,auc=0.55
    train_sizes : tuple of int
        sizes of the subsets that are measured: start:stop:step (stop included) or a comma list;
        by default N/16, N/8, N/4 and N/2 of the N points
    replicates : int
        subsets of each size
    time : float
        diffusion time T of the one-step model
    noise_scale : float
        noise scale of the one-step model, in units of the mean coordinate variance
    check : str
        mlp: train a small network at three sizes too, and say how far off it is
    out : str
        folder for report.html, forecast.txt, forecast.json, curve.csv and the figure
    seed : int
        of subsets, noise and the data sets that yours are compared with
    json : bool
        print one JSON document and nothing else
    format : str
        of the tables that are printed: text, latex (booktabs), csv or markdown
    style : str
        of the figure: screen; paper (the width of a text, small type); talk (a slide)
    """

    data: str | None = None
    target: tuple[str, ...] = _TARGETS
    train_sizes: tuple[int, ...] | None = None
    replicates: int = 24
    time: float = 2.0
    noise_scale: float = 1.0
    check: Literal["mlp"] | None = None
    out: str | None = None
    seed: int = 0
    json: bool = False
    format: Format = "text"
    style: FigureStyle = "screen"

    def __post_init__(self) -> None:
        one_output(self.format, json=self.json)
        if self.style != "screen" and self.out is None:
            raise UsageError("--style has no effect without --out, the folder of the figure")
        if self.data is None:
            raise UsageError("--data is missing: expected a file, a folder of images, or digits")
        if self.seed < 0:
            raise UsageError(f"--seed: given {self.seed}, expected a whole number >= 0")


def forecast(
    options: ForecastOptions,
    reading: ReadingOptions,
    pixels: int | None = None,
    numbers: Literal["robust", "ranks"] | None = None,
) -> int:
    """How good will a diffusion model of these data be with n points, and how many are enough?

    Theory of linear diffusion models for the population of the data, beside the same models fitted
    on subsets: distances, losses, likeness of two models, membership, and for each target the
    number of points it needs. First the data are checked as `ornstein data` does.

    Parameters
    ----------
    pixels : int
        pixels a side, to which images are cut and resized; by default their own
    numbers : str
        how numbers of tables of mixed kinds are scaled: robust (by median and quartiles, the
        default) or ranks
    """
    from ornstein.forecasting.forecast import forecast_points
    from ornstein.forecasting.targets import read_target

    for each in options.target:
        read_target(each)
    folder = None if options.out is None else made_folder(options.out)
    side = None if pixels is None else as_count(pixels, "pixels")
    name, points, notes = _checked(str(options.data), reading, side, numbers)
    report = forecast_points(
        points,
        name=name,
        notes=notes,
        targets=options.target,
        train_sizes=options.train_sizes,
        replicates=options.replicates,
        time=options.time,
        noise_scale=options.noise_scale,
        check=options.check,
        random_state=options.seed,
        progress=False if options.json else None,
    )
    if folder is not None:
        given = {"options": options, "reading": reading, "pixels": pixels, "numbers": numbers}
        names = write_forecast(report, folder, this_run("forecast", forecast, given), options.style)
        print(f"ornstein: wrote {', '.join(names)} to {folder}", file=sys.stderr)
    print_result(_printed(report, options))
    return 0


def _printed(report: ForecastReport, options: ForecastOptions) -> str:
    if options.json:
        return as_json(report.to_dict())
    if options.format == "text":
        return str(report)
    from ornstein.reports.forecast_document import forecast_document

    return in_format(forecast_document(report), options.format)


def _checked(
    source: str,
    reading: ReadingOptions,
    pixels: int | None,
    numbers: Literal["robust", "ranks"] | None,
) -> tuple[str, NDArray[np.float64], list[str]]:
    """Name and points of the data, and what was found that matters."""
    from ornstein.data.findings import refuse
    from ornstein.data.profiles import profile_all
    from ornstein.data.reading import read_all

    (profile,), _ = profile_all(read_all([source], reading, pixels=pixels), numbers, rows=False)
    refuse(profile.findings, profile.name)
    found = [f"{finding}." for finding in profile.findings]
    return profile.name, profile.points.points(), found
