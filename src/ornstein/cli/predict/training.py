"""Predictions on a linear denoiser while it trains."""

from __future__ import annotations

__all__ = ["generated_variance", "emergence", "early_stopping"]

from ornstein import theory
from ornstein.cli.parsing import reals
from ornstein.cli.predict.spectra import described, population_spectrum, some_modes
from ornstein.reports.charts import Chart, Curve, Mark
from ornstein.reports.prediction import Prediction, swept

_MODES = "1,0.1,0.01"


def generated_variance(
    dim: int | None = None,
    spectrum: str = _MODES,
    train_time: str = "0,0.1,0.3,1,3,10,30,100,300,1000",
    rate: float = 1.0,
    sigma_min: float = 0.002,
    sigma_max: float = 80.0,
    init: float = 0.1,
) -> Prediction:
    """Variance that a linear denoiser generates in each mode, after training for a time.

    Parameters
    ----------
    dim : int
        dimension d, by default 100; a list has its own
    spectrum : str
        population eigenvalues: isotropic, power-law:EXPONENT, a comma list or a file
    train_time : str
        training times tau: start:stop:step or a comma list
    rate : float
        learning rate eta
    sigma_min, sigma_max : float
        noises between which the probability-flow ODE runs
    init : float
        weight Q of the denoiser at tau = 0
    """
    import numpy as np

    values = population_spectrum(spectrum, dim)
    tau = reals(train_time, "train-time")
    options = {"rate": rate, "sigma_min": sigma_min, "sigma_max": sigma_max, "init": init}
    modes = {f"_{rank}": mode for rank, mode in enumerate(some_modes(values, 5))}
    legend = ["train_time  tau  training time"]
    legend += [
        f"{key}  mode {v:.3g}  variance where the population has {v:.6g}"
        for key, v in modes.items()
    ]
    every = theory.generated_variance(values, np.array(tau)[:, None], **options)
    return swept(
        f"Variance that a linear denoiser generates, {described(values, spectrum)}\n"
        f"rate {rate:g}, start Q = {init:g}, from noise s = {sigma_max:g} to {sigma_min:g}",
        {"eigenvalues": values, **options, "generated_variance": every},
        tau,
        lambda time: {
            key: theory.generated_variance(mode, time, **options) for key, mode in modes.items()
        },
        "\n".join(legend),
        lambda found: {
            rf"$\lambda$ = {mode:.6g}": found[key] / mode for key, mode in modes.items() if mode > 0
        },
        y_label=r"generated variance / $\lambda$",
    )


def emergence(
    dim: int | None = None,
    spectrum: str = _MODES,
    noise: float = 0.5,
    rate: float = 1.0,
    init: float = 0.01,
) -> Prediction:
    """Training time at which a two-layer linear denoiser learns each mode.

    Parameters
    ----------
    dim : int
        dimension d, by default 100; a list has its own
    spectrum : str
        population eigenvalues: isotropic, power-law:EXPONENT, a comma list or a file
    noise : float
        EDM noise s
    rate : float
        learning rate eta
    init : float
        weight Q at the start
    """
    import numpy as np

    values = population_spectrum(spectrum, dim)
    time = np.asarray(theory.emergence_time(values, rate))
    # Modes of no variance never emerge, but decay: their end is 0.
    end = values / np.maximum(values + noise**2, 1e-300)
    finite = np.where(values > 0, time, 0.0)
    then = np.where(values > 0, theory.two_layer_weight(values, noise, finite, rate, init), end)
    _, first = np.unique(-values, return_index=True)

    def chart() -> Chart:
        modes = some_modes(values[values > 0], 4)
        times = np.asarray(theory.emergence_time(modes, rate))
        grid = np.geomspace(0.01 * times.min(), 100 * times.max(), 500)
        weights = theory.two_layer_weight(modes[:, None], noise, grid, rate, init)
        then = np.asarray(theory.two_layer_weight(modes, noise, times, rate, init))
        drawn = zip(modes, np.asarray(weights), times, then, strict=True)
        return Chart(
            r"training time $\tau$",
            "weight of the mode",
            [Curve(rf"$\lambda$ = {mode:.6g}", grid, w, [t], [at]) for mode, w, t, at in drawn],
            logarithmic=True,
            marked="emergence time",
        )

    return Prediction(
        f"Linear denoiser of two layers P P^T, {described(values, spectrum)}\n"
        f"start Q = {init:g}, noise s = {noise:g}, rate {rate:g}",
        {"noise": noise, "rate": rate, "init": init},
        """
        eigenvalues     lambda        population variance of the mode
        emergence_time  emergence     training time at which 1/W is half way to its end
            infinite where lambda = 0: nothing is learned there
        weight          W then        weight of the mode at that time
        final_weight    W at the end  weight of the mode after endless training
        """,
        {"eigenvalues": values, "emergence_time": time, "weight": then, "final_weight": end},
        chart,
        rows=first[np.isin(values[first], some_modes(values, 20))],
    )


def early_stopping(
    aspect_ratio: float = 2.0,
    noise_variance: float = 0.25,
    init: float = 1.0,
    train_time: str = "0,0.1,0.2,0.3,0.4,0.5,0.7,1,2,5,10,100",
) -> Prediction:
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
    """
    options = {"aspect_ratio": aspect_ratio, "noise_variance": noise_variance, "init": init}
    best, lowest = theory.early_stopping_minimum(**options)
    best = float(best)
    finite = best < float("inf")
    stop = f"best to stop at tau = {best:.6g}" if finite else "best never to stop"
    return swept(
        f"Linear denoiser in training on n isotropic points, d/n = {aspect_ratio:g}, "
        f"s^2 = {noise_variance:g}, Q = {init:g}\n{stop}: test loss {lowest:.6g}",
        {**options, "best_time": best, "best_test": lowest},
        reals(train_time, "train-time"),
        lambda tau: theory.early_stopping_losses(tau, **options)._asdict(),
        """
        train_time  tau    training time, in units of 1 / population variance
            infinite at the end of training
        train       train  loss / d on the n training points, with fresh noise
        test        test   loss / d on fresh points
        """,
        y_label="loss / d, in units of the population variance",
        marks=[Mark("best time to stop", best)] if finite else [],
    )
