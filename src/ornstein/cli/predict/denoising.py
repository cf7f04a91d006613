"""Predictions on the best linear denoiser of n points."""

from __future__ import annotations

__all__ = ["renormalized_noise", "denoising_losses", "noisy_data"]

from typing import TYPE_CHECKING

from ornstein import theory
from ornstein.cli.parsing import integers
from ornstein.cli.predict.spectra import described, population_spectrum, some_modes
from ornstein.reports.prediction import Prediction, swept

if TYPE_CHECKING:
    from ornstein.reports.charts import Array


def renormalized_noise(
    dim: int | None = None,
    spectrum: str = "isotropic",
    noise_variance: float = 0.25,
    n_train: str = "25:1000:25",
) -> Prediction:
    """Renormalised noise kappa(s^2): how noisy n points look to a linear denoiser.

    Parameters
    ----------
    dim : int
        dimension d, by default 100
    spectrum : str
        population eigenvalues: isotropic, power-law:EXPONENT, a comma list or a file
    noise_variance : float
        s^2, in squared data units
    n_train : str
        training sizes n: start:stop:step (stop included) or a comma list
    """
    values = population_spectrum(spectrum, dim)
    given = values, noise_variance
    return swept(
        f"Renormalised noise at s^2 = {noise_variance:g}, {described(values, spectrum)}",
        {"dim": values.size, "spectrum": spectrum, "noise_variance": noise_variance},
        integers(n_train, "n-train"),
        lambda n: {
            "kappa": theory.renormalized_noise(*given, n),
            "derivative": theory.renormalized_noise_derivative(*given, n),
        },
        """
        n_train     n                training size
        kappa       kappa            renormalised noise variance, squared data units
        derivative  d kappa / d s^2  its slope in the noise variance, at least 1
            infinite at s = 0 for as many points as eigenvalues that are not 0
        """,
        lambda found: {
            r"$\kappa(s^2)$": found["kappa"],
            "$s^2$, its limit at infinite n": 0.0 * found["kappa"] + noise_variance,
        },
        y_label="noise variance, squared data units",
        dim=values.size,
    )


def denoising_losses(
    dim: int | None = None,
    spectrum: str = "isotropic",
    noise_variance: float = 0.25,
    n_train: str = "25:1000:25",
) -> Prediction:
    """Losses of the best linear denoiser of n points, on those and on fresh ones.

    Parameters
    ----------
    dim : int
        dimension d, by default 100
    spectrum : str
        population eigenvalues: isotropic, power-law:EXPONENT, a comma list or a file
    noise_variance : float
        s^2, in squared data units
    n_train : str
        training sizes n: start:stop:step (stop included) or a comma list
    """
    values = population_spectrum(spectrum, dim)
    return swept(
        "Best linear denoiser of n points: loss per dimension, squared data units\n"
        f"s^2 = {noise_variance:g}, {described(values, spectrum)}",
        {"dim": values.size, "spectrum": spectrum, "noise_variance": noise_variance},
        integers(n_train, "n-train"),
        lambda n: theory.denoising_losses(values, noise_variance, n)._asdict(),
        """
        n_train  n        training size
        train    train    loss on the n training points, with fresh noise
        test     test     loss on fresh points
        optimum  optimum  loss of the denoiser that knows the population
        """,
        y_label="denoising loss / d, squared data units",
        dim=values.size,
    )


def noisy_data(
    dim: int | None = None,
    spectrum: str = "power-law:1",
    noise_variance: float = 0.4,
    data_noise_variance: float = 0.1,
    n_train: str = "50,100,200,400,800,1600",
) -> Prediction:
    """Denoiser of clean data that was trained on n noisy points: weight of each mode.

    Parameters
    ----------
    dim : int
        dimension d, by default 100
    spectrum : str
        eigenvalues of the clean population: isotropic, power-law:EXPONENT, a comma list or a file
    noise_variance : float
        s^2 at which the denoiser is asked, in squared data units
    data_noise_variance : float
        tau^2 of the noise in the training points, at most s^2
    n_train : str
        training sizes n: start:stop:step (stop included) or a comma list
    """
    import numpy as np

    values = population_spectrum(spectrum, dim)
    modes = some_modes(values, 4)
    places = [int(np.flatnonzero(values == mode)[0]) for mode in modes]
    legend = ["n_train  n  training size"]
    legend += [
        f"_{k}  mode {v:.3g}  mean weight where the clean population has {v:.6g}\n"
        "  infinite for s = tau and n <= d"
        for k, v in enumerate(modes)
    ]

    def weights(n: Array) -> Array:
        return theory.noisy_data_weight(values, noise_variance, n, data_noise_variance)

    def found(n: Array) -> dict[str, Array]:
        every = weights(np.asarray(n, dtype=float))
        return {f"_{k}": every[:, place] for k, place in enumerate(places)}

    sizes = integers(n_train, "n-train")
    clean = ", ".join(f"{mode / (mode + noise_variance):.4f}" for mode in modes)
    return swept(
        f"Denoiser trained on noisy data, tau^2 = {data_noise_variance:g}, asked at "
        f"s^2 = {noise_variance:g}, {described(values, spectrum)}\n"
        f"weights at infinite n: {clean}",
        {"dim": values.size, "spectrum": str(spectrum), "noise_variance": noise_variance}
        | {"data_noise_variance": data_noise_variance, "weight": weights(np.array(sizes))},
        sizes,
        found,
        "\n".join(legend),
        lambda law: {rf"$\lambda$ = {v:.3g}": law[f"_{k}"] for k, v in enumerate(modes)},
        y_label="mean weight of the mode",
        dim=values.size,
    )
