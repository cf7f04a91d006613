"""Predictions on what n points say of a covariance."""

from __future__ import annotations

__all__ = ["wishart_kl", "sample_covariance", "split_consistency"]

from typing import TYPE_CHECKING

from ornstein import theory
from ornstein.cli.parsing import integers, reals
from ornstein.cli.predict.spectra import described, outside, population_spectrum
from ornstein.reports.charts import Mark, density
from ornstein.reports.prediction import Prediction, swept

if TYPE_CHECKING:
    from ornstein.reports.charts import Array


def wishart_kl(dim: int = 100, n_train: str = "100:1000:50") -> Prediction:
    """Divergence of a Gaussian with an empirical covariance and its population.

    Exact at every size and for every population covariance; the mean is known.

    Parameters
    ----------
    dim : int
        dimension d
    n_train : str
        training sizes n: start:stop:step (stop included) or a comma list
    """
    return swept(
        f"Gaussian generator with the covariance of n points, d = {dim}",
        {"dim": dim},
        integers(n_train, "n-train"),
        lambda n: theory.wishart_kl(dim, n)._asdict(),
        """
        n_train               n             training size
        generated_population  KL(gen||pop)  expected KL(generated || population), total nats
            infinite for n < d: rank n
        population_generated  KL(pop||gen)  expected KL(population || generated), total nats
            infinite for n <= d + 1: rank below d, or no expectation
        """,
        lambda kl: {
            "KL(gen||pop)": kl["generated_population"] / dim,
            "KL(pop||gen)": kl["population_generated"] / dim,
        },
        y_label="KL / d, nats",
        dim=dim,
    )


def sample_covariance(
    dim: int | None = None,
    spectrum: str = "isotropic",
    n_train: float = 200.0,
    x: str | None = None,
) -> Prediction:
    """Spectrum of a sample covariance, for any population spectrum.

    Density of the non-zero eigenvalues, for many dimensions; the mean is known.

    Parameters
    ----------
    dim : int
        dimension d, by default 100
    spectrum : str
        population eigenvalues: isotropic, power-law:EXPONENT, a comma list or a file
    n_train : float
        training size n
    x : str
        where to evaluate it: start:stop:step or a comma list; by default over the support
    """
    import numpy as np

    values = population_spectrum(spectrum, dim)
    low, high = theory.sample_covariance_range(values, n_train)
    atom = theory.sample_covariance_atom(values, n_train)
    floor = max(low, 1e-3 * high)
    points = np.linspace(floor, high, 21) if x is None else np.array(reals(x, "x"))
    late = [f"Given from {floor:.3g} on: the support begins at {low:.3g} (see --x)."]

    def found(x: Array) -> Array:
        return np.asarray(theory.sample_covariance_spectrum(x, values, n_train))

    return Prediction(
        f"Sample covariance of n = {n_train:.10g} points, {described(values, spectrum)}\n"
        f"support within [{low:.6g}, {high:.6g}], mass at zero {atom:.6g}",
        {"dim": values.size, "spectrum": spectrum, "n_train": n_train}
        | {"support": [low, high], "mass_at_zero": atom},
        """
        x        x        eigenvalue of the sample covariance, squared data units
        density  density  of the eigenvalues that are not 0
        """,
        {"x": points, "density": found(points)},
        lambda: density(
            low, high, points, found, "eigenvalue of the sample covariance, squared data units"
        ),
        late if x is None and floor > low else outside(points, low, high),
    )


def split_consistency(aspect_ratio: str = "0.1,0.25,0.5,1,2,4,10") -> Prediction:
    """Likeness of what two models of disjoint halves generate from one seed.

    Parameters
    ----------
    aspect_ratio : str
        d / n, n the number of points of each model: start:stop:step or a comma list
    """
    return swept(
        "Two models of n points each, none shared: overlap of their samples from one seed",
        {},
        reals(aspect_ratio, "aspect-ratio"),
        lambda ratio: {"overlap": theory.split_consistency(ratio)},
        """
        aspect_ratio  d/n        aspect ratio, dimension over points of each model
        overlap       overlap q  cosine of two samples from one seed: 1 for equal ones
        """,
        y_label="overlap q",
        marks=[Mark("n = d", 1.0)],
    )
