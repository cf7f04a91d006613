"""Predictions on a linear denoiser while it trains."""

from __future__ import annotations

__all__ = ["generated_variance", "emergence", "early_stopping"]

from ornstein.cli.parsing import as_json, reals
from ornstein.cli.predict.output import draw_curves, print_table
from ornstein.cli.predict.spectra import population_spectrum, some_modes

_MODES = "1,0.1,0.01"


def generated_variance(
    dim: int | None = None,
    spectrum: str = _MODES,
    train_time: str = "0,0.1,0.3,1,3,10,30,100,300,1000",
    rate: float = 1.0,
    sigma_min: float = 0.002,
    sigma_max: float = 80.0,
    init: float = 0.1,
    plot: str | None = None,
    json: bool = False,
) -> int:
    """Variance that a linear denoiser generates in each mode, after training for a time.

    Parameters
    ----------
    dim : int
        dimension d; 100 when left out
    spectrum : str
        population eigenvalues: isotropic, power-law:EXPONENT or a comma list
    train_time : str
        training times tau: start:stop:step or a comma list
    rate : float
        learning rate eta
    sigma_min, sigma_max : float
        noises between which the probability-flow ODE runs
    init : float
        weight Q of the denoiser at tau = 0
    plot : str
        draw variances, in units of the population's, against eta tau into this file
    json : bool
        print one JSON document and nothing else
    """
    import numpy as np

    from ornstein import theory

    values = population_spectrum(spectrum, dim)
    tau = np.array(reals(train_time, "train-time"))
    options = {"rate": rate, "sigma_min": sigma_min, "sigma_max": sigma_max, "init": init}
    if plot:
        grid = np.geomspace(1e-3, 1e4, 400)
        curves = {
            f"$\\lambda$ = {v:.3g}": theory.generated_variance(v, grid / rate, **options) / v
            for v in some_modes(values[values > 0], 4)
        }
        draw_curves(
            plot,
            grid,
            curves,
            x_label=r"training time  $\eta\tau$",
            y_label=r"generated variance / $\lambda$",
            logarithmic=True,
        )
    if json:
        variance = theory.generated_variance(values, tau[:, None], **options)
        inputs = {"eigenvalues": values, **options, "train_time": tau}
        print(as_json({**inputs, "generated_variance": variance}))
        return 0
    modes = some_modes(values, 5)
    columns = {f"lambda={v:.3g}": theory.generated_variance(v, tau, **options) for v in modes}
    print(f"Generated variance of modes lambda, from s = {sigma_max:g} to {sigma_min:g}")
    print_table({"tau": tau, **columns})
    return 0


def emergence(
    dim: int | None = None,
    spectrum: str = _MODES,
    noise: float = 0.5,
    rate: float = 1.0,
    init: float = 0.01,
    plot: str | None = None,
    json: bool = False,
) -> int:
    """Training time at which a two-layer linear denoiser learns each mode.

    Parameters
    ----------
    dim : int
        dimension d; 100 when left out
    spectrum : str
        population eigenvalues: isotropic, power-law:EXPONENT or a comma list
    noise : float
        EDM noise s
    rate : float
        learning rate eta
    init : float
        weight Q at the start
    plot : str
        draw the weights against training time into this file (.svg, .png, .pdf)
    json : bool
        print one JSON document and nothing else
    """
    import numpy as np

    from ornstein import theory

    values = population_spectrum(spectrum, dim)
    time = np.asarray(theory.emergence_time(values, rate))
    # Modes of no variance never emerge, but decay: their end is 0.
    end = values / np.maximum(values + noise**2, 1e-300)
    half = theory.two_layer_weight(values, noise, np.minimum(time, 1e300), rate, init)
    if plot:
        modes = some_modes(values[values > 0], 4)
        times = np.asarray(theory.emergence_time(modes, rate))
        grid = np.geomspace(0.01 * times.min(), 1e3 * times.max(), 500)
        draw_curves(
            plot,
            grid,
            {
                f"$\\lambda$ = {v:.3g}": theory.two_layer_weight(v, noise, grid, rate, init)
                for v in modes
            },
            x_label=r"training time  $\tau$",
            y_label="weight of the mode",
            logarithmic=True,
        )
    if json:
        inputs = {"eigenvalues": values, "noise": noise, "rate": rate, "init": init}
        print(as_json({**inputs, "emergence_time": time, "weight": half, "final_weight": end}))
        return 0
    print(f"Two layers P P^T from Q = {init:g}, noise s = {noise:g}, rate {rate:g}")
    shown = np.isin(values, some_modes(values, 20))
    _, first = np.unique(-values[shown], return_index=True)
    columns = {"lambda": values, "emergence": time, "W then": half, "W at the end": end}
    print_table({name: np.asarray(column)[shown][first] for name, column in columns.items()})
    return 0


def early_stopping(
    aspect_ratio: float = 2.0,
    noise_variance: float = 0.25,
    init: float = 1.0,
    train_time: str = "0,0.1,0.2,0.3,0.4,0.5,0.7,1,2,5,10,100",
    plot: str | None = None,
    json: bool = False,
) -> int:
    """Losses of a linear denoiser while it trains on n isotropic points, and when to stop.

    Parameters
    ----------
    aspect_ratio : float
        d / n
    noise_variance : float
        s^2, in units of the population variance
    init : float
        start W = Q I: 1 for a network that predicts noise, 0 for one that predicts data
    train_time : str
        training times tau: start:stop:step or a comma list
    plot : str
        draw the losses against training time into this file (.svg, .png, .pdf)
    json : bool
        print one JSON document and nothing else
    """
    import numpy as np

    from ornstein import theory

    tau = np.array(reals(train_time, "train-time"))
    train, test = theory.early_stopping_losses(tau, aspect_ratio, noise_variance, init)
    best, lowest = theory.early_stopping_minimum(aspect_ratio, noise_variance, init)
    if plot:
        grid = np.geomspace(1e-2, 1e2, 400)
        losses = theory.early_stopping_losses(grid, aspect_ratio, noise_variance, init)
        draw_curves(
            plot,
            grid,
            losses._asdict(),
            x_label=r"training time  $\tau$",
            y_label="loss / d",
            logarithmic=True,
        )
    if json:
        inputs = {"aspect_ratio": aspect_ratio, "noise_variance": noise_variance, "init": init}
        found = {"best_time": best, "best_test": lowest}
        print(as_json({**inputs, **found, "train_time": tau, "train": train, "test": test}))
        return 0
    print(f"d/n = {aspect_ratio:g}, s^2 = {noise_variance:g}, start {init:g}, per dimension")
    print(f"best time to stop {best:.6g}, test loss there {lowest:.6g}")
    print_table({"tau": tau, "train": train, "test": test})
    return 0
