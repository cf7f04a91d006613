r"""Section 8: a linear denoiser while it trains, by gradient descent in steps.

*One layer.* A 3 x 3 weight matrix W is trained on the loss ``|W y - x|^2`` of fresh pairs
``y = x + s z``, in mini-batches, in steps of training time h. Its mean over runs follows descent on
the population loss exactly, and that is off the flow by at most

    h a max_tau (a tau / 2) e^{-a tau} |Q - W*| <= h a / (2 e),         a = 2 eta (s^2 + lambda).

*Generated variance.* At every noise s of a grid in ln s a denoiser is trained on the population
loss, by descent; draws of ``N(0, s_T^2)`` then follow ``dx / d ln s = (1 - W(s)) x`` (the classic
fourth-order rule), and the mean square of what arrives is measured. The error of descent, summed
over the path, changes ``ln variance`` by at most
``(2 h/e) [(s_T^2 - s_0^2)/2 + lambda ln(s_T/s_0)]``.

*Two layers.* ``W = P P^T`` is trained on n points with all noise draws: the sample covariance
stands for the population's, an error of order ``1/n``, and steps slow the growth, of rate
``8 lambda`` at most, by the fraction ``2 lambda h``.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

import math
from functools import cache

import numpy as np

from ornstein import theory
from ornstein.verification.checks import Allowance, Check, Experiment, Setting

SOURCE = "Wang, Pehlevan, 2503.03206"


# ---- one layer


def simulate_one_layer(
    rng: np.random.Generator,
    *,
    train_time: float,
    eigenvalue: float,
    noise: float,
    init: float,
    rate: float,
    step: float,
    batch: int,
) -> dict[str, float]:
    """Weight of the first of three modes after training on fresh pairs."""
    scales = np.sqrt(eigenvalue * np.array([1.0, 0.5, 0.1]))
    W = init * np.eye(3)
    for _ in range(round(train_time / step)):
        x = scales * rng.standard_normal((batch, 3))
        y = x + noise * rng.standard_normal((batch, 3))
        W -= 2 * rate * step / batch * (y @ W.T - x).T @ y
    return {"weight": W[0, 0]}


FRESH = {
    "train_time": 0.5,
    "eigenvalue": 1.2,
    "noise": 0.8,
    "init": 0.2,
    "rate": 0.7,
    "batch": 100,
}
ONE_LAYER = Experiment(
    name="a linear denoiser trained on fresh pairs",
    simulate=simulate_one_layer,
    fast=Setting({**FRESH, "step": 0.005}, replicates=500),
    full=Setting({**FRESH, "step": 0.001}, replicates=2000),
)


def predict_one_layer(
    train_time: float, eigenvalue: float, noise: float, init: float, rate: float, **_: float
) -> float:
    """``W_k(tau)``."""
    return float(theory.denoiser_weight(eigenvalue, noise, train_time, rate, init))


# ---- generated variance


@cache
def trained_weights(
    logs: tuple[float, ...], steps: int, step: float, eigenvalue: float, init: float
) -> np.ndarray:
    """Weights at noises of these logarithms after gradient descent; no draws, so found once."""
    noises = np.exp(2 * np.array(logs))
    W = np.full(noises.size, init)
    for _ in range(steps):
        W -= 2 * step * ((eigenvalue + noises) * W - eigenvalue)
    return W


def simulate_generated_variance(
    rng: np.random.Generator,
    *,
    train_time: float,
    eigenvalue: float,
    init: float,
    sigma_min: float,
    sigma_max: float,
    step: float,
    draws: int,
) -> dict[str, float]:
    """Mean square of what the ODE generates with trained denoisers."""
    # Odd entries are the midpoints of the fourth-order rule.
    logs = np.linspace(math.log(sigma_max), math.log(sigma_min), 401)
    W = trained_weights(tuple(logs.tolist()), round(train_time / step), step, eigenvalue, init)
    x = sigma_max * rng.standard_normal(draws)
    stride = logs[2] - logs[0]
    for left in range(0, logs.size - 1, 2):
        start, middle, end = 1 - W[left : left + 3]
        k1 = start * x
        k2 = middle * (x + stride / 2 * k1)
        k3 = middle * (x + stride / 2 * k2)
        k4 = end * (x + stride * k3)
        x = x + stride / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return {"variance": np.square(x).mean()}


GENERATED = Experiment(
    name="samples of a trained linear denoiser",
    simulate=simulate_generated_variance,
    fast=Setting(
        {
            "train_time": 1.0,
            "eigenvalue": 0.6,
            "init": 0.1,
            "sigma_min": 0.05,
            "sigma_max": 3.0,
            "step": 0.001,
            "draws": 4000,
        },
        replicates=200,
    ),
    full=Setting(
        {
            "train_time": 1.0,
            "eigenvalue": 0.6,
            "init": 0.1,
            "sigma_min": 0.02,
            "sigma_max": 6.0,
            "step": 0.0002,
            "draws": 20_000,
        },
        replicates=400,
    ),
)


def predict_generated_variance(
    train_time: float,
    eigenvalue: float,
    init: float,
    sigma_min: float,
    sigma_max: float,
    **_: float,
) -> float:
    """Variance of the mode."""
    return float(theory.generated_variance(eigenvalue, train_time, 1.0, sigma_min, sigma_max, init))


# ---- two layers


def simulate_two_layers(
    rng: np.random.Generator,
    *,
    train_time: float,
    eigenvalue: float,
    noise: float,
    init: float,
    step: float,
    n_train: int,
) -> dict[str, float]:
    """Weight at a time, and when ``1/W`` is half way, of the first of three modes."""
    variances = eigenvalue * np.array([1.0, 0.4, 0.1])
    points = np.sqrt(variances) * rng.standard_normal((n_train, 3))
    C = points.T @ points / n_train
    goal, drive = 2 * step * C, 2 * step * (C + noise**2 * np.eye(3))
    P = math.sqrt(init) * np.eye(3)
    rows = [P[0]]
    for _ in range(round(train_time / step)):
        G = P @ P.T @ drive - goal
        P = P - (G + G.T) @ P
        rows.append(P[0])
    curve = 1 / np.square(rows).sum(axis=1)
    half = (1 / init + 1 + noise**2 / eigenvalue) / 2
    # 1/W falls: the first step below half, and where between two steps.
    after = int(np.argmax(curve < half))
    between = (curve[after - 1] - half) / (curve[after - 1] - curve[after])
    return {"weight": 1 / curve[-1], "emergence": step * (after - 1 + between)}


POINTS = {"train_time": 0.4, "eigenvalue": 0.8, "noise": 0.5, "init": 0.02}
TWO_LAYERS = Experiment(
    name="a two-layer linear denoiser trained on n points",
    simulate=simulate_two_layers,
    fast=Setting({**POINTS, "step": 0.002, "n_train": 2000}, replicates=500),
    full=Setting({**POINTS, "step": 0.0005, "n_train": 10_000}, replicates=2000),
)


def predict_two_layers(
    train_time: float, eigenvalue: float, noise: float, init: float, **_: float
) -> float:
    """``W_k(tau)``."""
    return float(theory.two_layer_weight(eigenvalue, noise, train_time, 1.0, init))


def predict_emergence(eigenvalue: float, **_: float) -> float:
    """When ``1/W`` is half way."""
    return float(theory.emergence_time(eigenvalue))


# ---- checks

DESCENT = Allowance(
    "h eta (s^2 + lambda)/e",
    "descent in steps h, against the flow",
    lambda _, *, step, rate, noise, eigenvalue, **__: (
        step * rate * (noise**2 + eigenvalue) / math.e
    ),
)
DESCENT_ALONG_PATH = Allowance(
    "2h/e [(s_T^2-s_0^2)/2 + lambda ln(s_T/s_0)] of the prediction",
    "descent in steps h at every noise",
    lambda predicted, *, step, eigenvalue, sigma_min, sigma_max, **_: (
        predicted
        * (2 * step / math.e)
        * ((sigma_max**2 - sigma_min**2) / 2 + eigenvalue * math.log(sigma_max / sigma_min))
    ),
)
GROWTH = Allowance(
    "16 lambda^2 tau h + 5/n of the prediction",
    "descent in steps h; sample covariance of n points",
    lambda predicted, *, eigenvalue, train_time, step, n_train, **_: (
        predicted * (16 * eigenvalue**2 * train_time * step + 5 / n_train)
    ),
)
HALF_WAY = Allowance(
    "2 lambda h + 5/n of the prediction",
    "descent in steps h; sample covariance of n points",
    lambda predicted, *, eigenvalue, step, n_train, **_: (
        predicted * (2 * eigenvalue * step + 5 / n_train)
    ),
)

CHECKS = (
    Check("8", "weight, one layer", SOURCE, ONE_LAYER, "weight", predict_one_layer, DESCENT),
    Check("8", "weight, two layers", SOURCE, TWO_LAYERS, "weight", predict_two_layers, GROWTH),
    Check("8", "emergence time", SOURCE, TWO_LAYERS, "emergence", predict_emergence, HALF_WAY),
    Check(
        "8",
        "generated variance",
        SOURCE,
        GENERATED,
        "variance",
        predict_generated_variance,
        DESCENT_ALONG_PATH,
    ),
)
