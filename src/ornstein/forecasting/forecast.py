"""How much data is enough: theory of the linear models on the user's own data, and its check."""

from __future__ import annotations

__all__ = ["forecast", "forecast_points"]

import math
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ornstein.data.checks import quick_findings
from ornstein.data.files import data_set
from ornstein.data.profiles import has_mixed, usable_points
from ornstein.data.reading import read
from ornstein.forecasting.advice import VARIANCE_SHARE, collapse, modes, sampling, stopping
from ornstein.forecasting.assumptions import check_assumptions
from ornstein.forecasting.curve import compare, curve_sizes, default_sizes, forecast_curve
from ornstein.forecasting.estimate import estimates, standardize
from ornstein.forecasting.measuring import measure
from ornstein.forecasting.predictions import NOISES, OneStepProcess, best_loss, most_revealing
from ornstein.forecasting.quantities import quantities
from ornstein.forecasting.report import ForecastReport, Sizes
from ornstein.forecasting.targets import points_needed, read_target
from ornstein.intervals import few_values_note
from ornstein.validation import as_count, as_generator, as_points, as_positive_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

    Array = NDArray[np.float64]

_FEWEST, _MOST_DIM = 8, 4096
_TARGETS = ("w2=0.1", "auc=0.55")


def forecast(
    data: ArrayLike | str | Any,
    *,
    targets: Sequence[str] = _TARGETS,
    train_sizes: Sequence[int] | None = None,
    replicates: int = 24,
    time: float = 2.0,
    noise_scale: float = 1.0,
    check: Literal["mlp"] | None = None,
    numbers: Literal["robust", "ranks"] | None = None,
    random_state: Any = 0,
    progress: bool | None = None,
) -> ForecastReport:
    """How good will a diffusion model of these data be with n points, and how many are enough?

    What theory says of the linear models for the population of these points, whose spectrum is
    estimated, with the error that this adds; beside it the same models fitted on subsets of the
    data.

    Parameters
    ----------
    data : array-like of shape (n_points, dim) or (n_points, ...), path, or data frame
        What :func:`ornstein.data.reading.read` reads; at least 8 points. Tables with categories,
        dates or missing values are put into the geometry of
        :class:`~ornstein.data.geometry.TableGeometry`.
    targets : sequence of str
        ``NAME=BOUND``, with ``w2``, ``one-step-w2``, ``auc``, ``consistency``, ``excess-loss``.
    train_sizes : sequence of int, optional
        Sizes of the measured subsets, from 3 to N - 2; by default N/16, N/8, N/4, N/2.
    replicates : int
        Subsets of each size, at least 2.
    time, noise_scale : float
        Of the one-step model: diffusion time T, and the noise scale in units of the mean
        coordinate variance.
    check : "mlp", optional
        Train a small network at three sizes too.
    numbers : {"robust", "ranks"}, optional
        How numbers of such tables are scaled: by median and quartiles (robust), or ranks.
    random_state : int, Generator or None
        Of subsets, the jackknife's parts, noise, and Gaussian data to compare with.
    progress : bool, optional
        Show bars on stderr; None: if that is a terminal.

    Returns
    -------
    ForecastReport

    Raises
    ------
    ValueError, TypeError
        If the data cannot be used, or an argument is out of its range.
    ImportError
        If a network is asked for and PyTorch is missing.

    References
    ----------
    This project; sections 5 to 8 and 11 to 14 of ``docs/theory.md``.

    Examples
    --------
    >>> from ornstein import Gaussian, forecast
    >>> points = Gaussian.isotropic(10).sample(400, rng=0)
    >>> report = forecast(points, targets=["w2=0.01"], replicates=2)
    >>> 360 < report.targets[0].n < 390  # (d + 5) / 4 / 0.01 = 375 for a known population
    True
    """
    points, name, notes = _usable(data, numbers)
    return forecast_points(
        points,
        name=name,
        notes=notes,
        targets=targets,
        train_sizes=train_sizes,
        replicates=replicates,
        time=time,
        noise_scale=noise_scale,
        check=check,
        random_state=random_state,
        progress=progress,
    )


def _usable(
    data: Any, numbers: Literal["robust", "ranks"] | None
) -> tuple[Array, str, tuple[str, ...]]:
    """Points of the data, their name, and how they were read."""
    listed = isinstance(data, list | tuple) and data and not isinstance(data[0], str)
    if numbers is None and (isinstance(data, np.ndarray) or listed):
        return as_points(data, "data"), "data", ()
    contents = read(data)
    if numbers is None and not has_mixed([contents]):
        source = data_set(contents)
        return source.points, source.name, source.notes
    contents.require_usable()
    (made,), _, findings = usable_points([contents], numbers)
    points = as_points(made.points(), contents.name)
    findings = (*contents.findings, *findings, *quick_findings(points))
    return points, contents.name, tuple(f"{contents.name}: {finding}." for finding in findings)


def forecast_points(
    points: Array,
    *,
    name: str = "data",
    notes: Sequence[str] = (),
    targets: Sequence[str] = _TARGETS,
    train_sizes: Sequence[int] | None = None,
    replicates: int = 24,
    time: float = 2.0,
    noise_scale: float = 1.0,
    check: Literal["mlp"] | None = None,
    random_state: Any = 0,
    progress: bool | None = None,
) -> ForecastReport:
    """The forecast of points that were read already; parameters as of :func:`forecast`."""
    n = len(points)
    if n < _FEWEST:
        raise ValueError(
            f"{name} has {n} point(s), expected at least {_FEWEST}: a learning curve needs subsets "
            "of them, give more rows"
        )
    asked = [read_target(each) for each in ([targets] if isinstance(targets, str) else targets)]
    sizes = _checked_sizes(train_sizes, n)
    replicates = as_count(replicates, "replicates", at_least=2)
    process = OneStepProcess(
        as_positive_number(time, "time"),
        as_positive_number(noise_scale, "noise_scale", zero=True),
    )
    if check not in {None, "mlp"}:
        raise ValueError(f"check is {check!r}, expected mlp, or nothing")
    if check is not None:
        import ornstein.networks  # noqa: F401 - says now what is missing
    data = standardize(points)
    dim = data.points.shape[1]
    if dim > _MOST_DIM:
        raise ValueError(
            f"{name} has {dim} coordinates that vary, expected at most {_MOST_DIM}: a forecast "
            "decomposes covariances of them; give smaller images (pixels), or features"
        )
    rng = as_generator(random_state, "forecast")
    whole, parts = estimates(data.points, rng)
    shown = curve_sizes(n, sizes)
    attacked = {each: most_revealing(whole, each)[0] for each in shown}
    values = quantities(process, attacked)
    measured = measure(data.points, sizes, process, attacked, replicates, rng, progress)
    curve = forecast_curve(whole, parts, shown, attacked, values)
    compared = compare(whole, parts, measured, values, curve)
    leading = _leading(whole.population)
    network = ()
    if check is not None:
        from ornstein.forecasting.network_check import check_network

        seed = int(rng.integers(2**31))
        network = check_network(data.points, whole, sizes[-3:], seed, progress)
    return ForecastReport(
        name=name,
        sizes=Sizes(n, dim, data.constant, data.unit),
        process=process,
        threshold=_threshold(whole.population, process),
        leading_threshold=_threshold(whole.population[:leading], process),
        leading=leading,
        spectrum=tuple((data.unit**2 * whole.population).tolist()),
        sample_spectrum=tuple((data.unit**2 * whole.sample).tolist()),
        curve=curve,
        compared=compared,
        replicates=replicates,
        best_losses={noise: best_loss(whole, noise) for noise in NOISES},
        targets=tuple(points_needed(*each, whole, parts, process) for each in asked),
        modes=modes(whole, n),
        sampling=sampling(whole, n, data.unit),
        stopping=stopping(whole, n),
        collapse=collapse(whole, n, data.unit),
        assumptions=check_assumptions(data, whole, compared),
        network=network,
        notes=(*notes, *few_values_note([replicates], "subset")),
    )


def _checked_sizes(train_sizes: Sequence[int] | None, count: int) -> tuple[int, ...]:
    if train_sizes is None:
        return default_sizes(count)
    sizes = tuple(sorted({as_count(each, "train_sizes", at_least=3) for each in train_sizes}))
    if not sizes:
        raise ValueError("train_sizes is empty, expected sizes of subsets")
    if sizes[-1] > count - 2:
        raise ValueError(
            f"train_sizes holds {sizes[-1]}, expected at most {count - 2}, so that 2 of the "
            f"{count} points are left to test on"
        )
    return sizes


def _leading(spectrum: Array) -> int:
    reached = np.searchsorted(np.cumsum(spectrum), VARIANCE_SHARE * spectrum.sum())
    return min(int(reached) + 1, int((spectrum > 0).sum()))


def _threshold(spectrum: Array, process: OneStepProcess) -> float:
    """``n* = sum_k 1 / rho2_k``."""
    noise = process.noise_scale * -math.expm1(-2.0 * process.time)
    if noise == 0.0:
        return float((spectrum > 0).sum())
    if (spectrum <= 0).any():
        return math.inf
    return float((1.0 + noise / spectrum).sum())
