r"""Section 11: the one-step denoiser of a population with any spectrum.

Populations: *power law*, eigenvalues ``1/k`` of mean 1; *two levels*, half of the eigenvalues 3,
half 0.3; *subspace*, a power law in half of the directions and no variance in the others. A
replicate draws n points, fits :class:`~ornstein.denoisers.one_step.OneStepDenoiser`, and measures
its generated law ``N(mu_G, Sigma_G)``, in the regimes of sections 1.1, 1.2 and 1.4. The nuclear
norm is measured through the others,

    tr (Sigma^{1/2} Sigma_G Sigma^{1/2})^{1/2} = (tr Sigma_G + tr Sigma + |mu_G - m|^2 - W2^2) / 2,

and so is its closed form, ``E |mu_G - m|^2 = tr Sigma / n + (v_z/v) E tr Sigma_G / n``. Of the
singular values s of ``Sigma^{-1/2} Sigma_G^{1/2}`` those below 1 are counted.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ornstein import theory
from ornstein.denoisers.one_step import OneStepDenoiser
from ornstein.gaussians import Gaussian, hellinger_squared, kl_divergence, wasserstein_squared
from ornstein.verification.checks import Allowance, Check, Experiment, Setting

if TYPE_CHECKING:
    from collections.abc import Callable

    Spectrum = Callable[[int], np.ndarray]

SOURCE = "this project"
NOISING = {"time": 0.7, "noise_scale": 1.0}
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(40)


def power_law(dim: int) -> np.ndarray:
    """Eigenvalues ``1/k`` of mean 1."""
    values = 1.0 / np.arange(1, dim + 1)
    return values / values.mean()


def two_levels(dim: int) -> np.ndarray:
    """Half of them 3, half 0.3."""
    return np.repeat([3.0, 0.3], dim // 2)


def subspace(dim: int) -> np.ndarray:
    """A power law in half of the directions."""
    return np.append(power_law(dim // 2), np.zeros(dim - dim // 2))


def simulate_generated_law(
    rng: np.random.Generator,
    spectrum: Spectrum,
    measured: tuple[str, ...],
    *,
    dim: int,
    n_train: int,
    time: float,
    noise_scale: float,
) -> dict[str, float]:
    """Distances of one generated law to its population, or their parts: those in `measured`."""
    eigenvalues = spectrum(dim)
    population = Gaussian(np.full(dim, 2.0), eigenvalues)
    model = OneStepDenoiser(time, noise_scale, random_state=rng)
    law = model.fit(population.sample(n_train, rng)).generated_law_
    found = {"trace": law.covariance.trace / eigenvalues.sum()}
    if "kl" in measured:
        found["kl"] = kl_divergence(law, population)
    if "hellinger" in measured:
        found["hellinger"] = hellinger_squared(law, population)
    if "wasserstein" in measured:
        found["wasserstein"] = wasserstein_squared(law, population)
        total = law.covariance.trace + eigenvalues.sum() + np.square(law.mean - 2.0).sum()
        found["nuclear"] = (total - found["wasserstein"]) / 2
    if "squares" in measured:
        spread = np.sqrt(eigenvalues)
        squares = np.linalg.eigvalsh(law.covariance.dense() / spread / spread[:, None])
        squares = squares[-(n_train - 1) :]  # the others are zeros
        found["log_det"] = float(np.log(np.maximum(squares, 1e-300)).sum())
        found["below"] = float((squares < 1).mean())
    return found


def _experiment(
    name: str,
    spectrum: Spectrum,
    points_per_dimension: float,
    sizes: tuple[int, int],
    fast: int,
    measured: tuple[str, ...],
) -> Experiment:
    def setting(dim: int, replicates: int) -> Setting:
        n_train = round(points_per_dimension * dim)
        return Setting({"dim": dim, "n_train": n_train, **NOISING}, replicates)

    return Experiment(
        name,
        partial(simulate_generated_law, spectrum=spectrum, measured=measured),
        setting(sizes[0], fast),
        setting(sizes[1], max(400, fast)),
    )


REGULAR = ("kl", "wasserstein", "squares")
ABOVE = _experiment("one-step model of a power law", power_law, 4, (32, 64), 300, REGULAR)
BELOW = _experiment("one-step model of two levels", two_levels, 1.5, (32, 64), 400, REGULAR)
FEW = _experiment(
    "one-step model of few points of a power law",
    power_law,
    0.5,
    (32, 64),
    300,
    ("wasserstein", "squares"),
)
SINGULAR = _experiment(
    "one-step model of a subspace", subspace, 0.75, (32, 64), 300, ("kl", "wasserstein")
)
FEW_DIMENSIONS = _experiment(
    "one-step model of two levels of two", two_levels, 4, (8, 16), 900, ("hellinger",)
)


def predict(which: str, spectrum: Spectrum, **parameters: Any) -> float:
    """A field of the closed form."""
    return float(getattr(_law(spectrum, **parameters), which))


def _law(
    spectrum: Spectrum, *, dim: int, n_train: int, time: float, noise_scale: float
) -> theory.OneStepTheory:
    return theory.one_step_anisotropic(
        spectrum(dim), n_train, time, noise_scale, fitted_variance=True
    )


def predict_nuclear(
    spectrum: Spectrum, *, dim: int, n_train: int, time: float, noise_scale: float
) -> float:
    """``E tr (Sigma^{1/2} Sigma_G Sigma^{1/2})^{1/2}``."""
    law = _law(spectrum, dim=dim, n_train=n_train, time=time, noise_scale=noise_scale)
    total = spectrum(dim).sum()
    noise = noise_scale * -np.expm1(-2 * time)
    share = noise / (total / dim + noise)
    mean = (total / n_train) * (1 + share * law.trace)
    return float((total * (1 + law.trace) + mean - law.wasserstein_squared) / 2)


def predict_below(
    spectrum: Spectrum, *, dim: int, n_train: int, time: float, noise_scale: float
) -> float:
    """Share of the singular values below 1, by the density between the edges of its support."""
    given = spectrum(dim), n_train, time, noise_scale
    share = 0.0
    for low, high in theory.one_step_anisotropic_support(*given):
        # s = low + (end - low) sin^2: the root at the lower edge becomes smooth.
        end = min(high, 1.0)
        if end > low:
            angle = np.pi / 4 * (_NODES + 1)
            s = low + (end - low) * np.sin(angle) ** 2
            density = theory.one_step_anisotropic_spectrum(s, *given)
            share += float(_WEIGHTS @ (np.pi / 4 * (end - low) * np.sin(2 * angle) * density))
    return share


PLUG_IN = Allowance.per_point(0.5, "the start has the variance of the training points")
EXPANSION = Allowance.per_dimension(0.4, "order left out of the expansion in 1/d")
LIMIT = Allowance.per_dimension(0.5, "next order of the limit of large d")
AFFINITY = Allowance(
    "0.3/d of 1 - prediction",
    "order left out of the expansion of ln(1 - Hellinger^2) in 1/d",
    lambda predicted, *, dim, **_: 0.3 * abs(1 - predicted) / dim,
)


def _checks(
    side: str,
    experiment: Experiment,
    spectrum: Spectrum,
    observables: dict[str, tuple[str, str, Allowance]],
) -> tuple[Check, ...]:
    closed = {
        "nuclear": partial(predict_nuclear, spectrum=spectrum),
        "below": partial(predict_below, spectrum=spectrum),
    }
    return tuple(
        Check(
            "11",
            f"{name}, {side}",
            SOURCE,
            experiment,
            key,
            closed.get(key, partial(predict, field, spectrum=spectrum)),
            allowance,
        )
        for key, (name, field, allowance) in observables.items()
    )


_KL = ("KL", "kl", EXPANSION)
_TRACE = ("trace", "trace", PLUG_IN)
_LOG_DET = ("ln det", "log_det", EXPANSION)
_W2 = ("W2^2", "wasserstein_squared", EXPANSION)
_HELLINGER = ("Hellinger^2", "hellinger_squared", AFFINITY)
_NUCLEAR = ("nuclear", "", EXPANSION)
_BELOW = ("P(s<1)", "", LIMIT)

CHECKS = (
    *_checks(
        "1/k",
        ABOVE,
        power_law,
        {
            "kl": _KL,
            "trace": _TRACE,
            "log_det": _LOG_DET,
            "wasserstein": _W2,
            "nuclear": _NUCLEAR,
            "below": _BELOW,
        },
    ),
    *_checks(
        "levels",
        BELOW,
        two_levels,
        {"kl": _KL, "trace": _TRACE, "log_det": _LOG_DET, "wasserstein": _W2, "below": _BELOW},
    ),
    *_checks(
        "1/k, n < d",
        FEW,
        power_law,
        {"trace": _TRACE, "wasserstein": _W2, "nuclear": _NUCLEAR, "below": _BELOW},
    ),
    *_checks("subspace", SINGULAR, subspace, {"kl": _KL, "wasserstein": _W2}),
    *_checks("levels", FEW_DIMENSIONS, two_levels, {"hellinger": _HELLINGER}),
)
