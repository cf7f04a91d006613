"""Memorization statistics of samples: sorted kernel sums against all pairs, and how cost grows."""

from __future__ import annotations

__all__ = ["run"]

import math
import tracemalloc
from typing import TYPE_CHECKING

import numpy as np
from joblib import cpu_count
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from benchmarks.timing import best_of, exponent, once
from ornstein.gaussians import Gaussian
from ornstein.kernels.by_coordinate import coordinate_pairs, coordinate_units
from ornstein.memorization.neighbours import memorized_fraction, nearest_neighbours
from ornstein.memorization.sample_delta import coordinate_delta, sample_delta

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_CHUNK = 500
_DIRECT = 4  # coordinates for which all pairs are summed: that takes long


def run() -> None:
    """Print all tables of this file."""
    with threadpool_limits(1):
        _one_cell()
        _neighbours()
        _growth()
    _large_neighbours()


def direct_delta(generated: Array, train: Array, originals: Array) -> tuple[float, float]:
    """Delta per coordinate from all pairs, chunk by chunk, self-terms left out of each sum.

    Returns Delta and its largest term.
    """
    units = originals.std(axis=0, ddof=1)
    pairs_t, pairs_o = _direct_pairs(train / units), _direct_pairs(originals / units)
    cross_t = _direct_cross(train / units, generated / units)
    cross_o = _direct_cross(originals / units, generated / units)
    terms = np.array([pairs_t, -pairs_o, -2 * cross_t, 2 * cross_o])
    return float(terms.sum()), float(np.abs(terms).max())


def _direct_pairs(u: Array) -> float:
    n = len(u)
    kernels = _kernel_total(u, u, math.sqrt(2) / n) - n * u.shape[1]
    return kernels / u.size / math.sqrt(4 * math.pi)


def _direct_cross(u: Array, v: Array) -> float:
    width = math.hypot(1 / len(u), 1 / len(v))
    return _kernel_total(u, v, width) / u.size / len(v) / math.sqrt(2 * math.pi) / width


def _kernel_total(u: Array, v: Array, width: float) -> float:
    total = 0.0
    for start in range(0, len(u), _CHUNK):
        for x, y in zip(u[start : start + _CHUNK].T, v.T, strict=True):
            gaps = np.subtract.outer(x, y) / width
            total += float(np.exp(-0.5 * gaps * gaps).sum())
    return total


def _one_cell() -> None:
    print("## One cell: 10 generated, 150 train, 10000 originals, d = 64, one core\n")
    rng = np.random.default_rng(0)
    population = Gaussian.isotropic(64)
    new, old, fresh = (population.sample(n, rng) for n in (10, 150, 10_000))
    few = [points[:, :_DIRECT] for points in (new, old, fresh)]
    result: list[tuple[float, float]] = []
    direct = once(lambda: result.append(direct_delta(*few)))
    value, largest = result[0]
    ours = coordinate_delta(*few).delta
    rows: list[tuple[str, Callable[[], object]]] = [
        (f"{_DIRECT} coordinates, sorted", lambda: coordinate_delta(*few)),
        ("64 coordinates, sorted", lambda: coordinate_delta(new, old, fresh)),
        (
            "64 coordinates, expected originals",
            lambda: coordinate_delta(new, old, population, n_original=10_000),
        ),
        ("full dimension", lambda: sample_delta(new, old, fresh)),
        (
            "full dimension, expected originals",
            lambda: sample_delta(new, old, population, n_original=10_000),
        ),
        ("memorized fraction and baseline", lambda: memorized_fraction(new, old, fresh)),
    ]
    print("| statistic | ms | ratio |\n|---|---|---|")
    print(f"| {_DIRECT} coordinates, all pairs | {1e3 * direct:.0f} | 1 |")
    for name, call in rows:
        seconds = float(np.mean([once(call) for _ in range(10)]))  # as for all pairs: no best of
        ratio = f"{direct / seconds:.0f}" if name.startswith(f"{_DIRECT} ") else ""
        print(f"| {name} | {1e3 * seconds:.2f} | {ratio} |")
    print(
        f"\nDelta: {ours:.15e} sorted, {value:.15e} from all pairs, a difference of "
        f"{abs(ours - value) / largest:.1e} of the largest term.\n"
    )


def _neighbours() -> None:
    print("## The two nearest of 10000 points to each of 2000, d = 64, one core\n")
    rng = np.random.default_rng(0)
    points, queries = rng.standard_normal((10_000, 64)), rng.standard_normal((2000, 64))
    brute = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(points)
    tree = NearestNeighbors(n_neighbors=2, algorithm="kd_tree").fit(points)
    print("| method | ms |\n|---|---|")
    ours = best_of(lambda: nearest_neighbours(queries, points), 3)
    print(f"| ornstein (exact) | {1e3 * ours:.0f} |")
    print(f"| scikit-learn, brute | {1e3 * best_of(lambda: brute.kneighbors(queries), 3):.0f} |")
    print(f"| scikit-learn, k-d tree | {1e3 * once(lambda: tree.kneighbors(queries)):.0f} |\n")


def _large_neighbours() -> None:
    """2000 of the 50,000 queries: time grows in proportion, memory does not grow."""
    threads, count = cpu_count(), 2000
    print(f"## The two nearest of 50000 points to each of {count}, d = 784, {threads} threads\n")
    rng = np.random.default_rng(0)
    points, queries = rng.standard_normal((50_000, 784)), rng.standard_normal((count, 784))

    def products() -> None:
        single, left = points.astype(np.float32).T, queries.astype(np.float32)
        for start in range(0, count, 500):
            _ = left[start : start + 500] @ single

    tracemalloc.start()
    nearest_neighbours(queries[:300], points, n_jobs=threads)
    memory = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    brute = NearestNeighbors(n_neighbors=2, algorithm="brute").fit(points)
    with threadpool_limits(threads):
        bare = best_of(products, 2)
        ours = best_of(lambda: nearest_neighbours(queries, points, n_jobs=threads), 2)
        theirs = once(lambda: brute.kneighbors(queries))
    print("| method | s | ratio |\n|---|---|---|")
    print(f"| products in single precision alone | {bare:.2f} | 1 |")
    print(f"| ornstein (exact), {memory / 1e9:.2f} GB beside the data | {ours:.2f} | ", end="")
    print(f"{ours / bare:.2f} |")
    print(f"| scikit-learn, brute | {theirs:.2f} | {theirs / bare:.2f} |\n")


def _growth() -> None:
    print("## Pairs of N points, 8 coordinates, one core (exponent through the last three)\n")
    sizes = (1000, 3000, 10_000, 30_000, 100_000)
    print("| data | " + " | ".join(map(str, sizes)) + " | exponent |")
    print("|---" * (len(sizes) + 2) + "|")
    for name, draw in _DATA.items():
        times = []
        for n in sizes:
            points = draw(np.random.default_rng(0), n)
            units = coordinate_units(points)
            times.append(best_of(lambda p=points, u=units: coordinate_pairs(p, u), 2))
        cells = " | ".join(f"{1e3 * seconds:.1f}" for seconds in times)
        print(f"| {name}, ms | {cells} | {exponent(sizes[-3:], times[-3:]):.2f} |")
    print()


def _crowd(rng: np.random.Generator, n: int) -> Array:
    """Most values within 1e-4 of each other, no two equal: N^2 pairs are within reach."""
    z = rng.standard_normal((n, 8))
    return np.where(rng.random((n, 8)) < 0.9, 1e-4 * z, z)


_DATA: dict[str, Callable[[np.random.Generator, int], Array]] = {
    "Gaussian": lambda rng, n: rng.standard_normal((n, 8)),
    "pixels, 17 values": lambda rng, n: np.round(16 * rng.random((n, 8))),
    "a crowd and a spread": _crowd,
}
