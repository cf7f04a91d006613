"""Phase diagrams: one result over a plane of two parameters."""

from __future__ import annotations

__all__ = ["phase"]

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from ornstein.cli.parsing import UsageError, as_json
from ornstein.cli.predict.output import print_table
from ornstein.cli.predict.spectra import population_spectrum

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from ornstein.theory.phase import PhaseMap

_HOW = "Delta: its expectation over training sets, by Laplace's method."
_Y = {
    "time": ("0.05:4", "diffusion time T"),
    "noise_scale": ("0.01:30", "noise scale"),
    "noise": ("0.01:10", "EDM noise s"),
    "train_time": ("0.01:100", r"training time $\tau$"),
}
_QUANTITIES = {
    "kl": ("KL(generated || population) / d,  nats", ("time", "noise_scale")),
    "delta": (r"$\Delta$ relative to its terms", ("time", "noise_scale")),
    "test_loss": ("test loss / d", ("noise", "train_time")),
    "excess_loss": ("test loss / optimum - 1", ("noise", "train_time")),
}


def phase(
    x: Literal["train_size"] = "train_size",
    y: Literal["time", "noise_scale", "noise", "train_time"] = "time",
    quantity: Literal["kl", "delta", "test_loss", "excess_loss"] = "kl",
    x_range: str = "25:1000",
    y_range: str | None = None,
    points: int = 200,
    dim: int | None = None,
    spectrum: str = "isotropic",
    time: float = 2.0,
    noise_scale: float = 1.0,
    std: float = 1.0,
    originals: int = 10_000,
    noise: float = 0.5,
    init: float = 1.0,
    plot: str | None = None,
    json: bool = False,
) -> int:
    """Phase diagram of one result over training size and a second parameter.

    KL and Delta belong to the one-step model (y: time or noise_scale). Delta is its expectation
    over training sets, by Laplace's method, relative to the sizes of its terms; above 0 the model
    is closer to fresh data than to its training set. Test losses belong to the best linear denoiser
    of n points (y: noise), or to one in training on isotropic points (y: train_time).

    Parameters
    ----------
    x : str
        the training size n
    y : str
        the second parameter
    quantity : str
        what to map
    x_range : str
        training sizes, low:high
    y_range : str
        second parameter, low:high
    points : int
        points of each axis, in geometric progression
    dim : int
        dimension d; 100 when left out
    spectrum : str
        population eigenvalues, for losses over noise: isotropic, power-law:EXPONENT or a list
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
    plot : str
        draw the map into this file (.svg, .png, .pdf)
    json : bool
        print one JSON document and nothing else
    """
    import numpy as np

    from ornstein.theory import phase as maps
    from ornstein.validation import as_count

    label, axes = _QUANTITIES[quantity]
    if y not in axes:
        raise UsageError(f"--y: given {y!r}, expected {' or '.join(axes)} for {quantity}")
    default, y_label = _Y[y]
    eigenvalues = population_spectrum(spectrum, dim)
    if y != "noise" and not (eigenvalues == 1).all():
        raise UsageError(f"--spectrum: given {spectrum!r}, expected isotropic unless --y is noise")
    d = eigenvalues.size
    count = as_count(points, "points", at_least=2)
    sizes = np.unique(_axis(x_range, "x-range", count).round())
    rows = _axis(y_range or default, "y-range", count)
    one_step: Any = {"dim": d, "time": time, "noise_scale": noise_scale, "std": std, "axis": y}
    relative = quantity == "excess_loss"
    if quantity == "kl":
        found = maps.kl_map(sizes, rows, **one_step)
    elif quantity == "delta":
        found = maps.delta_map(sizes, rows, n_original=originals, **one_step)
    elif y == "noise":
        found = maps.denoising_map(sizes, rows, eigenvalues, relative=relative)
    else:
        training: Any = {"noise": noise, "init": init, "relative": relative}
        found = maps.early_stopping_map(sizes, rows, dim=d, **training)
    if plot:
        _draw(plot, found, quantity, y_label, label)
    if json:
        lines = {name: {"x": xs, "y": ys} for name, (xs, ys) in found.lines.items()}
        axes = {"x": x, "y": y, "x_values": found.x, "y_values": found.y}
        values = {"values": found.values, "log_abs": found.log_abs, "lines": lines}
        print(as_json({"quantity": quantity, "dim": d, **axes, **values}))
        return 0
    print(f"{label.replace('$', '').replace(chr(92), '')}, d = {d}, over n and {y}")
    _print(found, y)
    return 0


def _print(found: PhaseMap, y: str) -> None:
    """A coarse table of the map."""
    import numpy as np

    if found.log_abs is not None:
        print(_HOW)
    columns, rows = (
        np.unique(np.linspace(0, size - 1, most).round().astype(int))
        for size, most in ((found.x.size, 6), (found.y.size, 10))
    )
    cells = {f"n={found.x[j]:g}": found.values[rows, j] for j in columns}
    print_table({y: [float(f"{value:.3g}") for value in found.y[rows]], **cells}, digits=4)
    if found.lines:
        print(f"\nWithin the map: {', '.join(found.lines)} (--json has their points).")


def _axis(text: str, name: str, count: int) -> NDArray[np.float64]:
    """``low:high`` as a geometric progression."""
    import numpy as np

    try:
        low, high = (float(part) for part in text.split(":"))
    except ValueError:
        low = high = 0.0
    if not 0 < low < high < float("inf"):
        raise UsageError(f"--{name}: given {text!r}, expected low:high with 0 < low < high")
    return np.geomspace(low, high, count)


def _draw(plot: str, found: PhaseMap, quantity: str, y_label: str, label: str) -> None:
    from ornstein.reports.figures import save_figure
    from ornstein.reports.maps import map_figure

    signed = quantity == "delta"
    figure = map_figure(
        found,
        x_label="training size  n",
        y_label=y_label,
        label=label,
        note=f"{_HOW} Contours: its size." if signed else "",
        signed=signed,
    )
    save_figure(figure, Path(plot))
