r"""Section 9: speciation, cloning and collapse, seen in trajectories and posterior weights.

*Cloning.* Two equiprobable classes ``N(+-m, s^2)``, along m. A replicate draws points of the noised
law at OU time t, starts two independent backward trajectories from each,

    x <- x + (x + 2 grad ln p_t(x)) dt + sqrt(2 dt) N(0, 1),

with the exact score of the mixture (Euler-Maruyama), and counts the pairs that end on one side
of 0. The weak error of the rule is of the order of its step.

*Speciation.* Two classes with ``|m|^2 = d`` have the largest covariance eigenvalue
``Lambda = d + s^2``. Draws along m are noised; measured is the time at which their variance is 2,
noise and as much signal. The closed form takes ``1 - e^{-2t}`` of noise for 1, and is at most
``1/(2 d)`` late.

*Collapse.* A replicate draws n points and follows :data:`_PATHS` of them along ``x_1 + s z`` as s
grows; measured is the median OU time at which the own posterior weight

    e^{-|z|^2/2} / sum_j e^{-|x_1 + s z - x_j|^2 / (2 s^2)}

falls through 1/2. The closed form balances exponents, of order ``ln n``; fluctuations leave out
terms of order 1 (0.4 to 0.7 nats, measured for n = 100 to 10000 and d = 16 to 128). A shift of
``ln n`` by 1 shifts the time by at most ``1/(2 ln n)``.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

import math

import numpy as np

from ornstein import theory
from ornstein.verification.checks import Allowance, Check, Experiment, Setting

SOURCE = "Biroli et al., 2402.18491"
_PATHS = 12


# ---- cloning


def simulate_clones(
    rng: np.random.Generator, *, time: float, mean_norm: float, std: float, step: float, pairs: int
) -> dict[str, float]:
    """Fraction of pairs of clones that end in one class."""
    count = round(time / step)
    y = rng.choice([-1.0, 1.0], pairs) * mean_norm + std * rng.standard_normal(pairs)
    noise = math.sqrt(-math.expm1(-2 * time))
    x = np.tile(math.exp(-time) * y + noise * rng.standard_normal(pairs), (2, 1))
    dt = time / count
    for index in range(count):
        t = time - index * dt
        variance = 1 + (std**2 - 1) * math.exp(-2 * t)
        mean = mean_norm * math.exp(-t)
        score = (mean * np.tanh(mean * x / variance) - x) / variance
        x = x + (x + 2 * score) * dt + math.sqrt(2 * dt) * rng.standard_normal(x.shape)
    return {"same": np.mean(x[0] * x[1] > 0)}


CLONES = Experiment(
    name="clones on backward trajectories",
    simulate=simulate_clones,
    fast=Setting(
        {"time": 1.8, "mean_norm": 6.0, "std": 1.6, "step": 0.02, "pairs": 2000}, replicates=100
    ),
    full=Setting(
        {"time": 1.8, "mean_norm": 6.0, "std": 1.6, "step": 0.005, "pairs": 5000}, replicates=300
    ),
)


def predict_cloning(time: float, mean_norm: float, std: float, **_: float) -> float:
    """Probability ``phi(t)``."""
    return float(theory.cloning_probability(time, mean_norm, std))


# ---- speciation


def simulate_speciation(
    rng: np.random.Generator, *, dim: int, std: float, draws: int
) -> dict[str, float]:
    """Time at which the noised variance along m is twice that of noise."""
    data = rng.choice([-1.0, 1.0], draws) * math.sqrt(dim) + std * rng.standard_normal(draws)
    z = rng.standard_normal(draws)

    def excess(time: float) -> float:
        noised = math.exp(-time) * data + math.sqrt(-math.expm1(-2 * time)) * z
        return float(np.square(noised).mean()) - 2

    low, high = 0.0, math.log(dim)
    while high - low > 1e-6:
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return {"time": (low + high) / 2}


SPECIATION = Experiment(
    name="noised variance along the classes",
    simulate=simulate_speciation,
    fast=Setting({"dim": 64, "std": 1.0, "draws": 20_000}, replicates=50),
    full=Setting({"dim": 256, "std": 1.0, "draws": 100_000}, replicates=200),
)


def predict_speciation(dim: int, std: float, **_: float) -> float:
    """Time ``t_S`` for classes at ``|m|^2 = d``."""
    return theory.speciation_time([dim + std**2, *([std**2] * (dim - 1))])


# ---- collapse


def simulate_collapse(
    rng: np.random.Generator, *, dim: int, n_train: int, exponent: float
) -> dict[str, float]:
    """Median over paths of the time at which the posterior weight of the own point is 1/2."""
    points = np.sqrt(variances(dim, exponent)) * rng.standard_normal((n_train, dim))
    z = rng.standard_normal((_PATHS, dim))
    separation = np.square(points).sum(axis=1) - 2 * points[:_PATHS] @ points.T
    separation += np.square(points[:_PATHS]).sum(axis=1)[:, None]
    np.fill_diagonal(separation, np.inf)
    along = (points[:_PATHS] * z).sum(axis=1)[:, None] - z @ points.T
    low, high = np.full(_PATHS, -6.0), np.full(_PATHS, 6.0)
    for _ in range(24):
        middle = (low + high) / 2
        s = np.exp(middle)[:, None]
        # Logarithms of the weights of the others, in units of the own one.
        others = separation * (-0.5 / s**2)
        others -= along / s
        with np.errstate(over="ignore"):  # a sum of inf is not below 1
            own = np.exp(others, out=others).sum(axis=1) < 1
        low, high = np.where(own, middle, low), np.where(own, high, middle)
    return {"time": float(np.median(0.5 * np.log1p(np.exp(2 * low))))}


def variances(dim: int, exponent: float) -> np.ndarray:
    """Eigenvalues of the data, a power law of mean 1."""
    values = np.arange(1, dim + 1) ** -exponent
    return values / values.mean()


COLLAPSE = Experiment(
    name="own posterior weight, isotropic",
    simulate=simulate_collapse,
    fast=Setting({"dim": 64, "n_train": 1000, "exponent": 0.0}, replicates=300),
    full=Setting({"dim": 96, "n_train": 10_000, "exponent": 0.0}, replicates=500),
)
COLLAPSE_POWER_LAW = Experiment(
    name="own posterior weight, power law",
    simulate=simulate_collapse,
    fast=Setting({"dim": 64, "n_train": 1000, "exponent": 1.0}, replicates=300),
    full=Setting({"dim": 96, "n_train": 10_000, "exponent": 1.0}, replicates=500),
)


def predict_collapse(dim: int, n_train: int, exponent: float) -> float:
    """Time ``t_C``."""
    return float(theory.collapse_time(n_train, variances(dim, exponent)))


STEPS = Allowance(
    "0.05 h of the prediction",
    "weak error of the Euler-Maruyama rule with step h",
    lambda predicted, *, step, **_: 0.05 * step * predicted,
)
SIGNAL = Allowance(
    "1/(2 d)",
    "the noise it meets has variance 1 - e^(-2t), not 1",
    lambda _, *, dim, **__: 0.5 / dim,
)
ONE_NAT = Allowance(
    "1/(2 ln n)",
    "one nat of ln n: what the balance of exponents leaves out",
    lambda _, *, n_train, **__: 0.5 / math.log(n_train),
)

CHECKS = (
    Check("9", "cloning probability", SOURCE, CLONES, "same", predict_cloning, STEPS),
    Check("9", "speciation time", SOURCE, SPECIATION, "time", predict_speciation, SIGNAL),
    Check("9", "collapse time", SOURCE, COLLAPSE, "time", predict_collapse, ONE_NAT),
    Check(
        "9", "collapse, power law", SOURCE, COLLAPSE_POWER_LAW, "time", predict_collapse, ONE_NAT
    ),
)
