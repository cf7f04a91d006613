"""Phase diagrams: one result over a plane of two parameters."""

from __future__ import annotations

__all__ = ["phase"]

import inspect
from typing import TYPE_CHECKING, Any, Literal

from ornstein.cli.parsing import UsageError
from ornstein.cli.predict.spectra import described, population_spectrum
from ornstein.reports.charts import MapChart
from ornstein.reports.prediction import Prediction

if TYPE_CHECKING:
    from ornstein.reports.charts import Array
    from ornstein.theory.phase import PhaseMap

_HOW = "Delta: its expectation over training sets, by Laplace's method."
_Y = {
    "time": ("0.05:4", "diffusion time T"),
    "noise_scale": ("0.01:30", "noise scale"),
    "noise": ("0.01:10", "EDM noise s"),
    "train_time": ("0.01:100", r"training time $\tau$"),
}
_QUANTITIES = {
    "kl": ("KL(generated || population) / d, nats", ("time", "noise_scale")),
    "hellinger": ("squared Hellinger distance", ("time", "noise_scale")),
    "delta": (r"$\Delta$ relative to its terms", ("time", "noise_scale")),
    "test_loss": ("test loss / d", ("noise", "train_time")),
    "excess_loss": ("test loss / optimum - 1", ("noise", "train_time")),
    "auc": ("AUC of the membership attack", ("noise",)),
}


def phase(
    x: Literal["train_size"] = "train_size",
    y: Literal["time", "noise_scale", "noise", "train_time"] | None = None,
    quantity: Literal["kl", "hellinger", "delta", "test_loss", "excess_loss", "auc"] = "kl",
    x_range: str = "25:1000",
    y_range: str | None = None,
    points: int | None = None,
    dim: int | None = None,
    spectrum: str = "isotropic",
    time: float = 2.0,
    noise_scale: float = 1.0,
    std: float = 1.0,
    originals: int = 10_000,
    noise: float = 0.5,
    init: float = 1.0,
) -> Prediction:
    """Phase diagram of one result over training size and a second parameter.

    KL, Hellinger and Delta belong to the one-step model (y: time or noise_scale). Delta is its
    expectation over training sets, by Laplace's method, relative to the sizes of its terms; above 0
    the model is closer to fresh data than to its training set. Test losses belong to the best
    linear denoiser of n points (y: noise), or to one in training on isotropic points (y:
    train_time); the AUC is that of the attack on the former, by which training points are told
    from others.

    Parameters
    ----------
    x : str
        the training size n
    y : str
        the second parameter, by default time for kl and delta and noise for the others
    quantity : str
        what to map
    x_range : str
        training sizes, low:high
    y_range : str
        second parameter, low:high
    points : int
        points of each axis, in geometric progression: by default 200, or 40 where each takes long
    dim : int
        dimension d, by default 100
    spectrum : str
        population eigenvalues, for kl, hellinger and over noise: isotropic, power-law:EXPONENT,
        list or file
    time : float
        diffusion time T where it is not mapped
    noise_scale : float
        noise scale where it is not mapped
    std : float
        standard deviation of the population of the one-step model
    originals : int
        number N of fresh points that Delta compares with
    noise : float
        EDM noise s of the denoiser in training
    init : float
        start of the denoiser in training: 1 if it predicts noise, 0 if it predicts data
    """
    import numpy as np

    from ornstein.validation import as_count

    label, axes = _QUANTITIES[quantity]
    axis = axes[0] if y is None else y
    if axis not in axes:
        raise UsageError(f"--y: given {y!r}, expected {' or '.join(axes)} for {quantity}")
    default, y_label = _Y[axis]
    given = {"time": time, "noise_scale": noise_scale, "std": std, "originals": originals}
    options = _counting({**given, "noise": noise, "init": init}, quantity, axis)
    population = population_spectrum(spectrum, dim)
    isotropic = bool((population == 1).all())
    distance = quantity in {"kl", "hellinger"}
    if not isotropic and axis != "noise" and not distance:
        raise UsageError(
            f"--spectrum: given {spectrum!r}, expected isotropic unless --y is noise or --quantity "
            "is kl or hellinger"
        )
    if not isotropic and distance and std != 1.0:
        raise UsageError(
            f"--std: given {std:g}, which counts for isotropic only: leave it out, or scale the "
            "eigenvalues"
        )
    if not isotropic:
        options.pop("std", None)
    slow = quantity == "hellinger" or (quantity == "kl" and not isotropic)
    count = as_count((40 if slow else 200) if points is None else points, "points", at_least=2)
    sizes = np.unique(_range(x_range, "x-range", count).round())
    rows = _range(y_range or default, "y-range", count)
    found = _map(quantity, axis, sizes, rows, population, dict(options))
    words = _plain(label)
    parameters = ", ".join(f"{name.replace('_', ' ')} {options[name]:.10g}" for name in options)
    lines = [f"{words}, over n and {axis.replace('_', ' ')}, {described(population, spectrum)}"]
    lines += [parameters] if options else []
    lines += [_HOW] if quantity == "delta" else []
    notes = [f"n=...: {words}, at that training size"]
    if np.isinf(found.values).any():
        where = "n <= d + 2" if isotropic else "n - 1 below the rank or within 1 of d"
        notes.append(f"It is infinite for {where}: rank below d, or no expectation.")
    if found.lines:
        notes.append(f"Within the map: {', '.join(found.lines)} (--json has their points).")
    i, j = _spread(found.y.size, 10), _spread(found.x.size, 6)
    columns = {f"_{found.x[k]:.0f}": found.values[i, k] for k in j}
    return Prediction(
        "\n".join(lines),
        {"quantity": quantity, "dim": population.size, "x": x, "y": axis}
        | {"x_values": found.x, "y_values": found.y}
        | {"values": found.values, "log_abs": found.log_abs}
        | {"lines": {name: {"x": xs, "y": ys} for name, (xs, ys) in found.lines.items()}},
        "\n".join([f"_  {axis}  {_plain(y_label)}", *(f"{n}  n={n[1:]}" for n in columns)]),
        {"_": [float(f"{value:.3g}") for value in found.y[i]], **columns},
        lambda: MapChart(found, "training size n", y_label, label, quantity == "delta"),
        notes,
    )


def _counting(given: dict[str, float], quantity: str, axis: str) -> dict[str, float]:
    """Options that the map depends on; the others must not have been given."""
    names = {"noise": (), "train_time": ("noise", "init")}.get(axis, ("time", "noise_scale", "std"))
    names += ("originals",) if quantity == "delta" else ()
    for name, value in given.items():
        default = inspect.signature(phase).parameters[name].default
        if (name == axis or name not in names) and value != default:
            raise UsageError(
                f"--{name.replace('_', '-')}: given {value:g}, which does not count for {quantity} "
                f"over {axis}: leave it out"
            )
    return {name: given[name] for name in names if name != axis}


def _map(
    quantity: str, axis: Any, sizes: Array, rows: Array, population: Array, options: dict[str, Any]
) -> PhaseMap:
    from ornstein.theory import phase as maps
    from ornstein.theory.phase_spectra import (
        any_spectrum_hellinger_map,
        any_spectrum_kl_map,
        membership_map,
    )

    relative = quantity == "excess_loss"
    if quantity == "auc":
        return membership_map(sizes, rows, population)
    if quantity == "kl" and not (population == 1).all():
        return any_spectrum_kl_map(sizes, rows, population, axis, **options)
    if quantity == "hellinger":
        unit = options.pop("std", 1.0) ** 2
        return any_spectrum_hellinger_map(sizes, rows, unit * population, axis, **options)
    if axis == "noise":
        return maps.denoising_map(sizes, rows, population, relative=relative)
    if axis == "train_time":
        return maps.early_stopping_map(
            sizes, rows, dim=population.size, relative=relative, **options
        )
    if quantity == "kl":
        return maps.kl_map(sizes, rows, axis, dim=population.size, **options)
    one_step = {**options, "n_original": options["originals"]}
    del one_step["originals"]
    return maps.delta_map(sizes, rows, axis, dim=population.size, **one_step)


def _range(text: str, name: str, count: int) -> Array:
    """``low:high`` as a geometric progression."""
    import numpy as np

    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        low = high = 0.0
    if not 0 < low < high < float("inf"):
        raise UsageError(f"--{name}: given {text!r}, expected low:high with 0 < low < high")
    return np.geomspace(low, high, count)


def _plain(label: str) -> str:
    """A label of a figure as text for a terminal."""
    return label.replace("$", "").replace("\\", "")


def _spread(size: int, most: int) -> Any:
    """At most so many indices, evenly spread over so many."""
    import numpy as np

    return np.unique(np.linspace(0, size - 1, most).round().astype(int))
