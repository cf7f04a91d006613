"""Predictions on the dynamical regimes of the empirical score."""

from __future__ import annotations

__all__ = ["speciation", "cloning", "collapse"]

from typing import TYPE_CHECKING

from ornstein import theory
from ornstein.cli.parsing import integers, reals
from ornstein.cli.predict.spectra import described, population_spectrum
from ornstein.reports.charts import Mark, sweep
from ornstein.reports.prediction import Prediction, swept

if TYPE_CHECKING:
    from ornstein.reports.charts import Array


def speciation(dim: int | None = None, spectrum: str = "101,1,1,1") -> Prediction:
    """Time at which backward trajectories choose a class.

    Parameters
    ----------
    dim : int
        dimension d, by default 100; a list has its own
    spectrum : str
        eigenvalues of the covariance of all data: isotropic, power-law:EXPONENT, list or file
    """
    import numpy as np

    values = population_spectrum(spectrum, dim)
    time = theory.speciation_time(values)
    largest = float(values.max())
    none = "No direction is wider than the noise at the end: there is no class to choose."

    def variances(t: Array) -> dict[str, Array]:
        signal = largest * np.exp(-2.0 * t)
        return {"signal in the widest direction": signal, "noise at the end": np.ones(t.shape)}

    return Prediction(
        f"Speciation, {described(values, spectrum)}\n"
        f"largest eigenvalue {largest:.6g}: speciation time t_S = {time:.6f}",
        {"largest_eigenvalue": largest, "speciation_time": time},
        "",
        {},
        lambda: sweep(
            np.linspace(0.0, 2.0 * max(time, 0.5), 100),
            variances,
            x_label="OU time t",
            y_label="variance",
            marks=[Mark("speciation time $t_S$", time)],
            logarithmic=False,
        ),
        [none] if time <= 0 else [],
    )


def cloning(time: str = "0:6:0.25", mean_norm: float = 10.0, std: float = 1.0) -> Prediction:
    """Probability that two clones of a backward trajectory end in one of two Gaussian classes.

    Parameters
    ----------
    time : str
        OU times t of the cloning: start:stop:step or a comma list
    mean_norm : float
        length |m| of the class means +m and -m
    std : float
        standard deviation of each class along m
    """
    start = theory.speciation_time([mean_norm**2 + std**2])
    return swept(
        f"Two classes at +-m, |m| = {mean_norm:g}, std {std:g}: speciation time {start:.6f}",
        {"mean_norm": mean_norm, "std": std, "speciation_time": start},
        reals(time, "time"),
        lambda t: {"probability": theory.cloning_probability(t, mean_norm, std)},
        """
        time         t           OU time, when two backward trajectories separate
        probability  same class  probability that they end in one class
        """,
        y_label="probability of the same class",
        marks=[Mark("speciation time $t_S$", start)],
        logarithmic=False,
    )


def collapse(
    n_train: str = "100,1000,10000,100000,1000000",
    dim: int | None = None,
    spectrum: str = "isotropic",
) -> Prediction:
    """Time at which the empirical score falls to a single training point.

    Parameters
    ----------
    n_train : str
        training sizes n: start:stop:step (stop included) or a comma list
    dim : int
        dimension d, by default 100
    spectrum : str
        eigenvalues of the data covariance: isotropic, power-law:EXPONENT, a comma list or a file
    """
    import numpy as np

    values = population_spectrum(spectrum, dim)

    def found(n: Array) -> dict[str, Array]:
        time = np.asarray(theory.collapse_time(n, values))
        noise = np.sqrt(np.expm1(2 * np.minimum(time, 300.0)))
        return {"collapse_time": time, "collapse_noise": np.where(time < np.inf, noise, np.inf)}

    return swept(
        f"Collapse of the empirical score, {described(values, spectrum)}",
        {"dim": values.size, "spectrum": spectrum},
        integers(n_train, "n-train"),
        found,
        """
        n_train         n              training size
        collapse_time   time t_C       OU time of the collapse
            infinite for n = 1: one point is all there is, at every time
        collapse_noise  EDM noise s_C  that time as EDM noise
            infinite for n = 1
        """,
        lambda found: {"collapse time": found["collapse_time"]},
        y_label="OU time $t_C$ of the collapse",
        dim=values.size,
    )
