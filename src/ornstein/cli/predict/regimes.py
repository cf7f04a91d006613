"""Predictions on the dynamical regimes of the empirical score."""

from __future__ import annotations

__all__ = ["speciation", "cloning", "collapse"]

from ornstein.cli.parsing import as_json, integers, reals
from ornstein.cli.predict.output import draw_curves, print_table, whole_numbers_between
from ornstein.cli.predict.spectra import population_spectrum


def speciation(dim: int | None = None, spectrum: str = "101,1,1,1", json: bool = False) -> int:
    """Time at which backward trajectories choose a class.

    Parameters
    ----------
    dim : int
        dimension d; 100 when left out
    spectrum : str
        eigenvalues of the covariance of all data: isotropic, power-law:EXPONENT or a comma list
    json : bool
        print one JSON document and nothing else
    """
    from ornstein import theory

    values = population_spectrum(spectrum, dim)
    time = theory.speciation_time(values)
    largest = float(values.max())
    if json:
        print(as_json({"largest_eigenvalue": largest, "speciation_time": time}))
        return 0
    print(f"largest eigenvalue {largest:.6g}: speciation time t_S = {time:.6f}")
    if time <= 0:
        print("No direction is wider than the noise at the end: there is no class to choose.")
    return 0


def cloning(
    time: str = "0:6:0.25",
    mean_norm: float = 10.0,
    std: float = 1.0,
    plot: str | None = None,
    json: bool = False,
) -> int:
    """Probability that two clones of a backward trajectory end in one of two Gaussian classes.

    Parameters
    ----------
    time : str
        OU times t of the cloning: start:stop:step or a comma list
    mean_norm : float
        length |m| of the class means +m and -m
    std : float
        standard deviation of each class along m
    plot : str
        draw the probability against t into this file (.svg, .png, .pdf)
    json : bool
        print one JSON document and nothing else
    """
    import numpy as np

    from ornstein import theory

    times = np.array(reals(time, "time"))
    probability = theory.cloning_probability(times, mean_norm, std)
    start = theory.speciation_time([mean_norm**2 + std**2])
    if plot:
        grid = np.linspace(times.min(), times.max(), 300)
        draw_curves(
            plot,
            grid,
            {"same class": theory.cloning_probability(grid, mean_norm, std)},
            x_label="OU time of the cloning  t",
            y_label="probability of the same class",
        )
    if json:
        inputs = {"mean_norm": mean_norm, "std": std, "speciation_time": start}
        print(as_json({**inputs, "time": times, "probability": probability}))
        return 0
    print(f"Two classes at +-m, |m| = {mean_norm:g}, std {std:g}: speciation time {start:.6f}")
    print_table({"t": times, "same class": probability})
    return 0


def collapse(
    n_train: str = "100,1000,10000,100000,1000000",
    dim: int | None = None,
    spectrum: str = "isotropic",
    plot: str | None = None,
    json: bool = False,
) -> int:
    """Time at which the empirical score falls to a single training point.

    Parameters
    ----------
    n_train : str
        training sizes n: start:stop:step (stop included) or a comma list
    dim : int
        dimension d; 100 when left out
    spectrum : str
        eigenvalues of the data covariance: isotropic, power-law:EXPONENT or a comma list
    plot : str
        draw the collapse time against n into this file (.svg, .png, .pdf)
    json : bool
        print one JSON document and nothing else
    """
    import numpy as np

    from ornstein import theory

    values = population_spectrum(spectrum, dim)
    sizes = np.array(integers(n_train, "n-train"))
    time = np.asarray(theory.collapse_time(sizes, values))
    noise = np.where(np.isinf(time), np.inf, np.sqrt(np.expm1(2 * np.minimum(time, 300.0))))
    if plot:
        grid = whole_numbers_between(sizes)
        draw_curves(
            plot,
            grid,
            {"collapse": theory.collapse_time(grid, values)},
            x_label="training size n",
            y_label=r"collapse time  $t_C$",
            logarithmic=True,
        )
    if json:
        inputs = {"dim": values.size, "spectrum": spectrum, "n_train": sizes}
        print(as_json({**inputs, "collapse_time": time, "collapse_noise": noise}))
        return 0
    print(f"Collapse of the empirical score, d = {values.size}, {spectrum}")
    print_table({"n": sizes, "time t_C": time, "EDM noise s_C": noise})
    return 0
