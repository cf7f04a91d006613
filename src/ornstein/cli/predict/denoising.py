"""Predictions on the best linear denoiser of n points."""

from __future__ import annotations

__all__ = ["renormalized_noise", "denoising_losses"]

from ornstein import theory
from ornstein.cli.parsing import integers
from ornstein.cli.predict.spectra import described, population_spectrum
from ornstein.reports.prediction import Prediction, swept


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
