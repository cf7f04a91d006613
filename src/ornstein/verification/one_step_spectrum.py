r"""Sections 1.3 and 1.4: the spectrum of the one-step generated covariance.

A replicate fits the one-step denoiser, and averages functions of the non-zero singular values s of
``Sigma_G^{1/2} / sigma``; the closed form integrates them over the limit density f of ``s``.
Moments fix its scale, ``ln s^2`` the weight near 0, and the fraction of ``s < 3/4`` its shape.

The logarithmic potential ``L(1) = sum_k ln(1 + s_k^2)`` is predicted with its O(1) term, and so is
its variance over training sets, of order 1 whatever d. That variance is a conditional one, for a
generator of the population's input variance v; that of the training points fluctuates by
``sqrt(2/(n d))`` and would add a term of order d/n. So each replicate fits the map B of
:data:`_BATCH` training sets by least squares, takes ``v B B^T`` with the population's v for the
generated covariance, and the variance over the batch.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

import math
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from ornstein import theory
from ornstein.denoisers.one_step import OneStepDenoiser
from ornstein.diffusion.one_step_noising import OneStepNoising
from ornstein.gaussians import Gaussian
from ornstein.verification.checks import Allowance, Check, Experiment, Setting
from ornstein.verification.one_step import NOISING

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

SOURCE = "this project"
_BATCH = 10
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(400)
FUNCTIONS: dict[str, Callable[[NDArray[np.float64]], NDArray[np.float64]]] = {
    "s^2": np.square,
    "s": lambda s: s,
    "ln s^2": lambda s: 2 * np.log(s),
}


def simulate_spectrum(
    rng: np.random.Generator,
    *,
    dim: int,
    n_train: int,
    time: float,
    noise_scale: float,
    std: float,
) -> dict[str, float]:
    """Averages over the non-zero singular values of one generated law."""
    population = Gaussian.isotropic(dim, mean=3.0, std=std)
    model = OneStepDenoiser(time, noise_scale, random_state=rng)
    law = model.fit(population.sample(n_train, rng)).generated_law_
    s = np.sqrt(law.covariance.eigenvalues) / std
    averages = {name: float(function(s).mean()) for name, function in FUNCTIONS.items()}
    potential = float(np.log1p(s**2).sum())
    return {**averages, "s < 3/4": float((s < 0.75).mean()), "potential": potential}


def simulate_potential(
    rng: np.random.Generator, *, dim: int, n_train: int, time: float, noise_scale: float, std: float
) -> dict[str, float]:
    """Variance of ``L(1)`` over a batch of generated laws of one input variance."""
    signal2 = math.exp(-2 * time)
    noise = noise_scale * signal2 * (1 - signal2)
    drawn = rng.standard_normal((_BATCH, 2, n_train, dim))
    x = std * drawn[:, 0]
    y = math.exp(-time) * x + math.sqrt(noise) * drawn[:, 1]
    x, y = x - x.mean(axis=1, keepdims=True), y - y.mean(axis=1, keepdims=True)
    transposed = np.swapaxes(y, 1, 2)
    B = np.linalg.solve(transposed @ y, transposed @ x)
    scale = (signal2 * std**2 + noise) / std**2
    potentials = np.linalg.slogdet(np.eye(dim) + scale * np.swapaxes(B, 1, 2) @ B)[1]
    return {"variance": float(np.var(potentials, ddof=1))}


def _experiment(name: str, points_per_dimension: float) -> Experiment:
    def setting(dim: int, replicates: int) -> Setting:
        n_train = round(points_per_dimension * dim) + 1
        return Setting({"dim": dim, "n_train": n_train, **NOISING}, replicates)

    return Experiment(name, simulate_spectrum, setting(60, 600), setting(240, 600))


MANY = _experiment("one-step spectrum, more points than dimensions", 1.6)
FEW = _experiment("one-step spectrum, fewer points than dimensions", 0.5)
POTENTIAL = Experiment(
    "one-step potential over training sets",
    simulate_potential,
    fast=Setting({"dim": 40, "n_train": 65, **NOISING}, replicates=600),
    full=Setting({"dim": 100, "n_train": 161, **NOISING}, replicates=1000),
)


def predict_average(
    function: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    *,
    dim: int,
    n_train: int,
    time: float,
    noise_scale: float,
    std: float,
    below: float = np.inf,
) -> float:
    """Integral of a function of s over the density, up to `below`."""
    rho2 = OneStepNoising(time, noise_scale).signal_fraction(std)
    ratio = dim / (n_train - 1)
    low, high = theory.one_step_support(ratio, rho2)
    high = min(high, below)
    # s = low + (high - low) sin^2: the roots at the edges become smooth.
    angle = np.pi / 4 * (_NODES + 1)
    s = low + (high - low) * np.sin(angle) ** 2
    jacobian = np.pi / 4 * (high - low) * np.sin(2 * angle)
    density = theory.one_step_spectrum(s, ratio, rho2)
    return float(_WEIGHTS @ (jacobian * density * function(s)))


def predict_potential(
    *, dim: int, n_train: int, time: float, noise_scale: float, std: float
) -> float:
    """``E L(1)``, total, in nats."""
    rho2 = OneStepNoising(time, noise_scale).signal_fraction(std)
    return float(theory.one_step_log_potential(1.0, dim, n_train, rho2))


def predict_potential_variance(
    *, dim: int, n_train: int, time: float, noise_scale: float, std: float
) -> float:
    """``Var L(1)``, in squared nats."""
    rho2 = OneStepNoising(time, noise_scale).signal_fraction(std)
    return float(theory.one_step_potential_covariance(1.0, 1.0, dim, n_train, rho2))


NEXT_ORDER = "next order of the limit of large d"
COEFFICIENTS = {
    "n > d": {"s^2": 2.0, "s": 0.4, "s < 3/4": 0.4},
    "n < d": {"s^2": 3.0, "s": 1.0, "s < 3/4": 1.0},
}
LOGARITHMS = {
    "n > d": Allowance(
        "ln(d)/(2 d)",
        "ln det of a real matrix whose singular values reach 0 (n < n*)",
        lambda _, *, dim, **__: math.log(dim) / (2 * dim),
    ),
    "n < d": Allowance("0.3/d", NEXT_ORDER, lambda _, *, dim, **__: 0.3 / dim),
}


def _checks(section: str, side: str, experiment: Experiment) -> tuple[Check, ...]:
    allowances = {
        **{name: Allowance.per_dimension(c, NEXT_ORDER) for name, c in COEFFICIENTS[side].items()},
        "ln s^2": LOGARITHMS[side],
    }
    averages = [
        Check(
            section,
            f"int {name} f, {side}",
            SOURCE,
            experiment,
            name,
            partial(predict_average, function),
            allowances[name],
        )
        for name, function in FUNCTIONS.items()
    ]
    fraction = Check(
        section,
        f"P(s < 3/4), {side}",
        SOURCE,
        experiment,
        "s < 3/4",
        partial(predict_average, np.ones_like, below=0.75),
        allowances["s < 3/4"],
    )
    potential = Check(
        section,
        f"L(1), {side}",
        SOURCE,
        experiment,
        "potential",
        predict_potential,
        Allowance(
            "0.3/d", "order left out of the expansion in 1/d", lambda _, *, dim, **__: 0.3 / dim
        ),
    )
    return (*averages, fraction, potential)


CHECKS = (
    *_checks("1.3", "n > d", MANY),
    Check(
        "1.3",
        "Var L(1), n > d",
        SOURCE,
        POTENTIAL,
        "variance",
        predict_potential_variance,
        Allowance.per_dimension(2.0, "order left out of the leading order in 1/d"),
    ),
    *_checks("1.4", "n < d", FEW),
)
