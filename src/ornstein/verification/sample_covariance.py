r"""Section 6: the eigenvalues of a sample covariance, against their limit density.

Population ``N(0, Sigma)``, the eigenvalues of ``Sigma`` on three levels, 0.2 (half of them), 1 and
3 (a quarter each), so that the spectrum is neither that of Sigma nor a Marchenko-Pastur law of the
same mean. A replicate draws n points and counts the eigenvalues of
``C = (1/n) sum_i x_i x_i^T`` below two values. The closed form adds the atom at 0 and the integral
of the density from the lower edge.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

from functools import partial

import numpy as np

from ornstein import theory
from ornstein.verification.checks import Allowance, Check, Experiment, Setting

SOURCE = "Silverstein, Choi 1995"
LEVELS, SHARES = (0.2, 1.0, 3.0), (0.5, 0.25, 0.25)
BELOW = (0.5, 2.0)
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(400)


def population(dim: int) -> np.ndarray:
    """Eigenvalues of the population; `dim` a multiple of 4."""
    return np.repeat(LEVELS, [round(share * dim) for share in SHARES])


def simulate_eigenvalues(rng: np.random.Generator, *, dim: int, n_train: int) -> dict[str, float]:
    """Shares of the eigenvalues of one sample covariance below the values."""
    points = np.sqrt(population(dim)) * rng.standard_normal((n_train, dim))
    x = np.linalg.eigvalsh(points.T @ points / n_train)
    return {f"x < {value:g}": float((x < value).mean()) for value in BELOW}


def _experiment(name: str, points_per_dimension: float) -> Experiment:
    def setting(dim: int, replicates: int) -> Setting:
        n_train = round(points_per_dimension * dim)
        return Setting({"dim": dim, "n_train": n_train}, replicates)

    return Experiment(name, simulate_eigenvalues, setting(60, 800), setting(240, 800))


MANY = _experiment("sample covariance of many points", 1.5)
FEW = _experiment("sample covariance of few points", 0.5)


def predict_share(value: float, *, dim: int, n_train: int) -> float:
    """Share of eigenvalues below `value`, the atom at 0 included."""
    eigenvalues = population(dim)
    low, high = theory.sample_covariance_range(eigenvalues, n_train)
    # x = low + (value - low) sin^2: the root at the lower edge becomes smooth.
    angle = np.pi / 4 * (_NODES + 1)
    reach = min(value, high) - low
    x = low + reach * np.sin(angle) ** 2
    density = theory.sample_covariance_spectrum(x, eigenvalues, n_train)
    mass = float(_WEIGHTS @ (np.pi / 4 * reach * np.sin(2 * angle) * density))
    return mass + float(theory.sample_covariance_atom(eigenvalues, n_train))


LIMIT = Allowance.per_dimension(0.5, "next order of the limit of large d")

CHECKS = tuple(
    Check(
        "6",
        f"P(x < {value:g}), {side}",
        SOURCE,
        experiment,
        f"x < {value:g}",
        partial(predict_share, value),
        LIMIT,
    )
    for side, experiment in (("n > d", MANY), ("n < d", FEW))
    for value in BELOW
)
