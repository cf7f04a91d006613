"""Predictions on sampling in few steps: how many are best, and on which noise levels."""

from __future__ import annotations

__all__ = ["best_steps", "grid"]

from functools import cache
from typing import TYPE_CHECKING, Any

from ornstein import theory
from ornstein.cli.parsing import UsageError, integers, names, reals
from ornstein.cli.predict.spectra import described, population_spectrum, scaled_to
from ornstein.reports.charts import Chart, Curve
from ornstein.reports.prediction import Prediction

if TYPE_CHECKING:
    from ornstein.reports.charts import Array

_CURVE = 10


def best_steps(
    dim: int | None = None,
    spectrum: str = "isotropic",
    points_per_dimension: str = "1.5,2,4,10,40",
    samplers: str = "ddpm:large,heun",
    schedule: str = "linear",
    ode_schedule: str = "karras",
    ridge: float = 0.0,
    std: float | None = None,
) -> Prediction:
    """Number of sampling steps of least expected KL, for a model of n points.

    Few steps add variance with some samplers, which helps where points are few; from the best
    number on, more steps make what is generated worse.

    Parameters
    ----------
    dim : int
        dimension d, by default 100
    spectrum : str
        population eigenvalues: isotropic, power-law:EXPONENT, a comma list or a file
    points_per_dimension : str
        training sizes over dimension, n/d: start:stop:step or a comma list
    samplers : str
        one or two of ddpm, ddpm:large, ddim, ddim:ETA, euler, heun, in a comma list
    schedule : str
        noise schedule of ddpm and ddim: linear, scaled_linear, cosine, karras
    ode_schedule : str
        noise schedule of euler and heun
    ridge : float
        added to the covariance of the denoisers, in squared data units
    std : float
        scales the population to the mean variance std^2; by default eigenvalues are as given
    """
    import numpy as np

    from ornstein.studies.steps.options import unused_schedule

    chosen = names(samplers, "samplers")
    if len(chosen) > 2:
        raise UsageError(f"--samplers: given {len(chosen)}, expected at most 2")
    if said := unused_schedule(chosen, schedule, ode_schedule):
        raise ValueError(said)
    values = population_spectrum(spectrum, dim, std)
    d = values.size
    given = np.array(reals(points_per_dimension, "points-per-dimension"))
    if given.min() * d < 2:
        raise UsageError(
            f"--points-per-dimension: given {given.min():g}, which is less than 2 points of d = {d}"
        )

    @cache  # the curve passes through the sizes of the table
    def best(sampler: str, n: int) -> theory.BestSteps:
        way = ode_schedule if sampler in {"euler", "heun"} else schedule
        return theory.best_steps(values, n, sampler, way, ridge=ridge)

    def found(sampler: str, ratios: Array) -> Array:
        """Steps, KL and its limit, a row each."""
        sizes = np.maximum(np.round(ratios * d), 2).astype(int).tolist()
        return np.array([best(sampler, n) for n in sizes]).T

    columns: dict[str, Any] = {"points_per_dimension": given, "n_train": np.round(given * d)}
    legend = ["points_per_dimension  n/d  training size over dimension"]
    for sampler in chosen:
        steps, kl, limit = found(sampler, given)
        key = _key(sampler)
        with np.errstate(invalid="ignore"):
            gain = np.where(np.isfinite(limit), 100 * (1 - kl / limit), 0.0)
        columns |= {f"steps_{key}": steps, f"kl_{key}": kl, f"kl_limit_{key}": limit}
        columns |= {f"gain_{key}": gain}
        legend += [
            f"steps_{key}  S* {sampler}  number of steps of least expected KL",
            "  infinite where more steps always help, and for n <= d, where KL is infinite",
            f"gain_{key}  gain {sampler}  by how much that KL is below its limit, in %",
        ]

    def chart() -> Chart:
        low, high = given.min(), given.max()
        grid = np.geomspace(low, high, _CURVE) if high > low else np.geomspace(low / 2, 2 * low, 9)
        grid = np.unique(np.concatenate([grid, given]))
        curves = [
            Curve(name, grid, found(name, grid)[0], given, columns[f"steps_{_key(name)}"])
            for name in chosen
        ]
        return Chart(
            "training size over dimension n/d",
            "best number of steps S*",
            curves,
            logarithmic=True,
            logarithmic_y=True,
        )

    return Prediction(
        f"Best number of sampling steps at finite n, {described(values, spectrum, std)}\n"
        f"schedule {schedule}, of ODE samplers {ode_schedule}, ridge {ridge:g}",
        {"dim": d, "spectrum": str(spectrum), "samplers": ",".join(chosen)}
        | {"schedule": schedule, "ode_schedule": ode_schedule, "ridge": ridge}
        | scaled_to(std),
        "\n".join(legend),
        columns,
        chart,
    )


def grid(
    dim: int | None = None,
    spectrum: str = "isotropic",
    steps: str = "5,10,20,50",
    noise_min: float = 0.002,
    noise_max: float = 80.0,
    n_train: int | None = None,
    std: float | None = None,
) -> Prediction:
    """Grid of noise levels made for a spectrum, against Karras' and a geometric one.

    KL of Euler's method (DDIM) with the population's own denoisers, to the population noised by the
    last level; with --n-train, expected KL of the model of n points to the population.

    Parameters
    ----------
    dim : int
        dimension d, by default 100
    spectrum : str
        population eigenvalues: isotropic, power-law:EXPONENT, a comma list or a file
    steps : str
        numbers of steps S: start:stop:step (stop included) or a comma list
    noise_min : float
        last noise level, in data units
    noise_max : float
        first noise level
    n_train : int
        grid for the denoisers of n points; by default for those of the population
    std : float
        scales the population to the mean variance std^2; by default eigenvalues are as given
    """
    import numpy as np

    from ornstein.diffusion.grids import Modes, NoiseGrid, grid_loss
    from ornstein.diffusion.schedules import karras_noises

    values = population_spectrum(spectrum, dim, std)
    counts = integers(steps, "steps")
    if min(counts) < 1:
        raise UsageError(f"--steps: given {min(counts)}, expected at least 1")
    modes, d = Modes.of(values), values.size

    def levels(count: int) -> dict[str, Array]:
        return {
            "tangent": theory.tangent_grid(values, count, noise_min, noise_max, n_train=n_train),
            "karras": karras_noises(count + 1, noise_min, noise_max),
            "log": np.geomspace(noise_max, noise_min, count + 1),
        }

    def kl(noises: Array) -> float:
        if n_train is None:
            return grid_loss(noises, modes)
        # Below the last level there is one more step, to noise 0.
        count = len(noises) - (noises[-1] == 0)
        schedule = NoiseGrid(tuple(noises))
        quality = theory.sampler_quality(
            values, int(count), "euler", schedule, start="marginal", n_train=n_train
        )
        return float(quality.kl)

    def losses(numbers: Array) -> dict[str, Array]:
        each = [
            {name: kl(noises) / d for name, noises in levels(int(count)).items()}
            for count in numbers
        ]
        return {
            name: np.array([row[name] for row in each]) for name in ("tangent", "karras", "log")
        }

    table = losses(np.array(counts))
    drawn = {"tangent": "made for the spectrum", "karras": "Karras", "log": "geometric"}

    def chart() -> Chart:
        low, high = min(counts), max(counts)
        ends = (low, high) if high > low else (max(low // 2, 1), 2 * low)
        numbers = np.unique(np.append(np.geomspace(*ends, _CURVE).round(), counts))
        found = losses(numbers)
        curves = [
            Curve(label, numbers, found[name], counts, table[name]) for name, label in drawn.items()
        ]
        return Chart(
            "number of steps S",
            "KL / d, nats",
            curves,
            logarithmic=True,
            logarithmic_y=True,
            whole=True,
        )

    kind = (
        "the population's own denoisers; KL to the population noised by the last level"
        if n_train is None
        else f"the denoisers of n = {n_train} points; expected KL to the population"
    )
    last = levels(counts[-1])["tangent"]
    shown = ", ".join(f"{noise:.4g}" for noise in last)
    return Prediction(
        f"Grids of noise levels from {noise_max:g} to {noise_min:g}, "
        f"{described(values, spectrum, std)}\n"
        f"for {kind}",
        {"dim": d, "spectrum": str(spectrum), "noise_min": noise_min, "noise_max": noise_max}
        | {"levels": last}
        | ({} if n_train is None else {"n_train": n_train})
        | scaled_to(std),
        """
        steps    S          number of steps
        tangent  tangent    KL / d, nats, on the grid made for the spectrum
        karras   Karras     KL / d on Karras' grid, rho = 7
        log      geometric  KL / d on a geometric grid
        """,
        {"steps": counts, **table},
        chart,
        [f"Levels for S = {counts[-1]}: {shown}"] if len(last) <= 21 else [],
    )


def _key(sampler: str) -> str:
    """Name of a sampler in a document: ``ddim_0_5``."""
    return sampler.replace(":", "_").replace(".", "_")
