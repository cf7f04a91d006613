"""Predictions on what n points tell of a covariance."""

from __future__ import annotations

__all__ = ["wishart_kl", "sample_covariance", "split_consistency"]

from ornstein.cli.parsing import as_json, integers, reals
from ornstein.cli.predict.output import draw_curves, print_table, whole_numbers_between
from ornstein.cli.predict.spectra import population_spectrum


def wishart_kl(
    dim: int = 100, n_train: str = "100:1000:50", plot: str | None = None, json: bool = False
) -> int:
    """Divergence of a Gaussian with an empirical covariance and its population.

    Exact at every size and for every population covariance; the mean is known.

    Parameters
    ----------
    dim : int
        dimension d
    n_train : str
        training sizes n: start:stop:step (stop included) or a comma list
    plot : str
        draw both divergences against n / d into this file (.svg, .png, .pdf)
    json : bool
        print one JSON document and nothing else
    """
    import numpy as np

    from ornstein import theory

    sizes = np.array(integers(n_train, "n-train"))
    forward, backward = theory.wishart_kl(dim, sizes)
    if plot:
        grid = whole_numbers_between(sizes)
        drawn = theory.wishart_kl(dim, grid)
        names = ("KL(generated || population)", "KL(population || generated)")
        draw_curves(
            plot,
            grid / dim,
            {name: np.asarray(kl) / dim for name, kl in zip(names, drawn, strict=True)},
            x_label="training size / dimension,  n / d",
            y_label="KL / d,  nats",
            logarithmic=True,
        )
    fields = {"generated_population": forward, "population_generated": backward}
    if json:
        print(as_json({"dim": dim, "n_train": sizes, **fields}))
        return 0
    print(f"Gaussian generator with the covariance of n points, d = {dim}, total nats")
    print_table({"n": sizes, "KL(gen||pop)": forward, "KL(pop||gen)": backward})
    return 0


def sample_covariance(
    dim: int | None = None,
    spectrum: str = "isotropic",
    n_train: float = 200.0,
    x: str | None = None,
    plot: str | None = None,
    json: bool = False,
) -> int:
    """Spectrum of a sample covariance, for any population spectrum.

    Density of the non-zero eigenvalues, for many dimensions; the mean is known.

    Parameters
    ----------
    dim : int
        dimension d; 100 when left out
    spectrum : str
        population eigenvalues: isotropic, power-law:EXPONENT or a comma list
    n_train : float
        training size n
    x : str
        where to evaluate it: start:stop:step or a comma list; over the support when left out
    plot : str
        draw the density into this file (.svg, .png, .pdf)
    json : bool
        print one JSON document and nothing else
    """
    import numpy as np

    from ornstein.theory.random_matrices.sample_covariance import (
        sample_covariance_atom,
        sample_covariance_range,
        sample_covariance_spectrum,
    )

    values = population_spectrum(spectrum, dim)
    low, high = sample_covariance_range(values, n_train)
    atom = sample_covariance_atom(values, n_train)
    floor = max(low, 1e-3 * high)
    points = np.linspace(floor, high, 21) if x is None else np.array(reals(x, "x"))
    density = sample_covariance_spectrum(points, values, n_train)
    if plot:
        grid = np.geomspace(floor, 1.02 * high, 600)
        draw_curves(
            plot,
            grid,
            {"density": sample_covariance_spectrum(grid, values, n_train)},
            x_label="eigenvalue of the sample covariance",
            y_label="density",
        )
    if json:
        inputs = {"dim": values.size, "spectrum": spectrum, "n_train": n_train}
        limits = {"support": [low, high], "mass_at_zero": atom}
        print(as_json({**inputs, **limits, "x": points, "density": density}))
        return 0
    print(f"Sample covariance of n = {n_train:g} points, d = {values.size}, {spectrum}")
    print(f"support within [{low:.6g}, {high:.6g}], mass at zero {atom:.6g}")
    print_table({"x": points, "density": density})
    return 0


def split_consistency(
    aspect_ratio: str = "0.1,0.25,0.5,1,2,4,10", plot: str | None = None, json: bool = False
) -> int:
    """Likeness of what two models of disjoint halves generate from one seed.

    Parameters
    ----------
    aspect_ratio : str
        d / n, n the number of points of each model: start:stop:step or a comma list
    plot : str
        draw the overlap against d / n into this file (.svg, .png, .pdf)
    json : bool
        print one JSON document and nothing else
    """
    import numpy as np

    from ornstein import theory

    ratios = np.array(reals(aspect_ratio, "aspect-ratio"))
    overlap = theory.split_consistency(ratios)
    if plot:
        grid = np.geomspace(ratios.min(), ratios.max(), 300)
        draw_curves(
            plot,
            grid,
            {"q": theory.split_consistency(grid)},
            x_label="aspect ratio  d / n",
            y_label="overlap q",
            logarithmic=True,
        )
    if json:
        print(as_json({"aspect_ratio": ratios, "overlap": overlap}))
        return 0
    print("Two models of n points each, none shared: overlap of their samples from one seed")
    print_table({"d/n": ratios, "overlap q": overlap})
    return 0
