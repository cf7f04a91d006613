"""Predictions on the best linear denoiser of n points."""

from __future__ import annotations

__all__ = ["renormalized_noise", "denoising_losses"]

from ornstein.cli.parsing import as_json, integers
from ornstein.cli.predict.output import draw_curves, print_table, whole_numbers_between
from ornstein.cli.predict.spectra import population_spectrum


def renormalized_noise(
    dim: int | None = None,
    spectrum: str = "isotropic",
    noise_variance: float = 0.25,
    n_train: str = "25:1000:25",
    plot: str | None = None,
    json: bool = False,
) -> int:
    """Renormalised noise kappa(s^2): how noisy n points look to a linear denoiser.

    Parameters
    ----------
    dim : int
        dimension d; 100 when left out
    spectrum : str
        population eigenvalues: isotropic, power-law:EXPONENT or a comma list
    noise_variance : float
        s^2
    n_train : str
        training sizes n: start:stop:step (stop included) or a comma list
    plot : str
        draw kappa against n into this file (.svg, .png, .pdf)
    json : bool
        print one JSON document and nothing else
    """
    import numpy as np

    from ornstein import theory

    values = population_spectrum(spectrum, dim)
    sizes = np.array(integers(n_train, "n-train"))
    kappa = theory.renormalized_noise(values, noise_variance, sizes)
    slope = theory.renormalized_noise_derivative(values, noise_variance, sizes)
    if plot:
        grid = whole_numbers_between(sizes)
        draw_curves(
            plot,
            grid,
            {"kappa": theory.renormalized_noise(values, noise_variance, grid)},
            x_label="training size n",
            y_label=r"renormalised noise $\kappa(s^2)$",
            logarithmic=True,
        )
    if json:
        inputs = {"dim": values.size, "spectrum": spectrum, "noise_variance": noise_variance}
        print(as_json({**inputs, "n_train": sizes, "kappa": kappa, "derivative": slope}))
        return 0
    print(f"Renormalised noise at s^2 = {noise_variance:g}, d = {values.size}, {spectrum}")
    print_table({"n": sizes, "kappa": kappa, "d kappa / d s^2": slope})
    return 0


def denoising_losses(
    dim: int | None = None,
    spectrum: str = "isotropic",
    noise_variance: float = 0.25,
    n_train: str = "25:1000:25",
    plot: str | None = None,
    json: bool = False,
) -> int:
    """Losses of the best linear denoiser of n points, on those and on fresh ones.

    Parameters
    ----------
    dim : int
        dimension d; 100 when left out
    spectrum : str
        population eigenvalues: isotropic, power-law:EXPONENT or a comma list
    noise_variance : float
        s^2
    n_train : str
        training sizes n: start:stop:step (stop included) or a comma list
    plot : str
        draw the losses against n into this file (.svg, .png, .pdf)
    json : bool
        print one JSON document and nothing else
    """
    import numpy as np

    from ornstein import theory

    values = population_spectrum(spectrum, dim)
    sizes = np.array(integers(n_train, "n-train"))
    train, test, optimum = theory.denoising_losses(values, noise_variance, sizes)
    if plot:
        grid = whole_numbers_between(sizes)
        draw_curves(
            plot,
            grid,
            theory.denoising_losses(values, noise_variance, grid)._asdict(),
            x_label="training size n",
            y_label="denoising loss / d",
            logarithmic=True,
        )
    if json:
        inputs = {"dim": values.size, "spectrum": spectrum, "noise_variance": noise_variance}
        losses = {"train": train, "test": test, "optimum": optimum}
        print(as_json({**inputs, "n_train": sizes, **losses}))
        return 0
    print(f"Loss per dimension at s^2 = {noise_variance:g}, d = {values.size}, {spectrum}")
    print_table({"n": sizes, "train": train, "test": test, "optimum": optimum})
    return 0
