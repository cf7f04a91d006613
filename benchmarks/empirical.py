"""The memorizing denoiser against the matrix products that it cannot do without."""

from __future__ import annotations

__all__ = ["run"]

import time
from typing import TYPE_CHECKING

import numpy as np
from joblib import cpu_count
from threadpoolctl import threadpool_limits

from benchmarks.timing import once
from ornstein.denoisers.empirical import EmpiricalDenoiser
from ornstein.denoisers.posterior import posterior_mean
from ornstein.denoisers.training_points import TrainingPoints

if TYPE_CHECKING:
    from collections.abc import Callable

N_TRAIN, N_QUERIES, DIM = 10_000, 1_000, 784
NOISES = (0.1, 0.3, 1.0, 3.0, 4.0, 6.0, 10.0)
REPEATS = 5


def run() -> None:
    """Print all tables of this file."""
    rng = np.random.default_rng(0)
    train = 10 + rng.standard_normal((N_TRAIN, DIM))
    for threads in sorted({1, cpu_count()}):
        with threadpool_limits(threads):
            _against_products(train, threads, rng)
    with threadpool_limits(1):
        _against_direct(train, rng)
        _growth(rng)


def _against_products(train: np.ndarray, threads: int, rng: np.random.Generator) -> None:
    print(
        f"## Posterior mean, {N_TRAIN} points x {N_QUERIES} queries x d = {DIM}, "
        f"{threads} thread(s)\n\n"
        "Data of mean 10 and variance 1, in float64. One product is queries @ train.T; two are "
        "that and weights @ train. `posterior_mean` starts from the array, `predict` from a fitted "
        f"estimator. Best of {REPEATS} rounds of all four, one after the other.\n\n"
        "| noise | points that share the weight | one product, s | two, s | posterior_mean, s "
        "| predict, s | posterior_mean / one product | / two |\n|---|---|---|---|---|---|---|---|"
    )
    weights = rng.random((N_QUERIES, N_TRAIN))
    for noise in NOISES:
        queries = train[:N_QUERIES] + noise * rng.standard_normal((N_QUERIES, DIM))
        model = EmpiricalDenoiser(noise=noise).fit(train)
        sharing = model.effective_points(queries).mean()

        def second() -> object:
            return weights @ train

        one, two, ours, fitted = _in_turn(
            lambda q=queries: q @ train.T,
            second,
            lambda q=queries, s=noise: posterior_mean(q, train, s),
            lambda q=queries, m=model: m.predict(q),
        )
        two += one
        print(
            f"| {noise:g} | {sharing:.3g} | {one:.3f} | {two:.3f} | {ours:.3f} | {fitted:.3f} "
            f"| {ours / one:.2f} | {ours / two:.2f} |"
        )
    print()


def _in_turn(*functions: Callable[[], object]) -> list[float]:
    """Shortest time of each, all of them in every round: noise only ever adds."""
    for function in functions:
        function()
    rounds = [[once(function) for function in functions] for _ in range(REPEATS)]
    return [float(seconds) for seconds in np.min(rounds, axis=0)]


def _against_direct(train: np.ndarray, rng: np.random.Generator) -> None:
    print("## Against differences of all coordinates, one thread, 20 queries\n")
    queries = train[:20] + 6.0 * rng.standard_normal((20, DIM))
    prepared = TrainingPoints.of(train)
    start = time.perf_counter()
    direct = _direct(queries, train, 6.0)
    seconds = time.perf_counter() - start
    ours = min(once(lambda: posterior_mean(queries, prepared, 6.0)) for _ in range(5))
    gap = np.abs(direct - posterior_mean(queries, prepared, 6.0)).max()
    print("| method | seconds | ratio |\n|---|---|---|")
    print(f"| softmax of summed squared differences | {seconds:.3f} | 1 |")
    print(f"| posterior_mean, same values to {gap:.0e} | {ours:.4f} | {seconds / ours:.0f} |\n")


def _direct(queries: np.ndarray, train: np.ndarray, noise: float) -> np.ndarray:
    means = np.empty_like(queries)
    for mean, query in zip(means, queries, strict=True):
        exponents = -np.square(query - train).sum(axis=1) / (2 * noise**2)
        weights = np.exp(exponents - exponents.max())
        mean[:] = weights @ train / weights.sum()
    return means


def _growth(rng: np.random.Generator) -> None:
    print("## Ratio to one product as sizes grow, one thread, noise 6\n")
    print("| points | queries | d | one product, s | posterior_mean / one product |")
    print("|---|---|---|---|---|")
    for n, count, dim in (
        (1_000, 1_000, 784),
        (10_000, 1_000, 64),
        (10_000, 1_000, 3072),
        (60_000, 500, 784),
        (10_000, 10, 784),
    ):
        train = 10 + rng.standard_normal((n, dim))
        queries = train[rng.integers(n, size=count)] + 6.0 * rng.standard_normal((count, dim))
        prepared = TrainingPoints.of(train)
        one, ours = _in_turn(
            lambda q=queries, x=train: q @ x.T,
            lambda q=queries, x=prepared: posterior_mean(q, x, 6.0),
        )
        print(f"| {n} | {count} | {dim} | {one:.3f} | {ours / one:.2f} |")
    print()
