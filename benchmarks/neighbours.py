"""Exact first and second neighbours: beside bare products in float32, scikit-learn and faiss.

Each method runs in a process of its own, so that its peak memory is its own too: data included,
which are held in float64 (float32 for faiss, and for the products). The bare products are run
before and after, as they are what the others are compared with. Beside the time by the clock stands
that of all threads together, which other work on the machine changes less.
"""

from __future__ import annotations

__all__ = ["run", "run_large"]

import importlib.util
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from joblib import cpu_count

if TYPE_CHECKING:
    from numpy.typing import NDArray

_DIM, _BLOCK = 784, 500


class _Run(NamedTuple):
    seconds: float
    cpu_seconds: float
    """Of all threads."""
    gibibytes: float
    """Peak of the process; NaN where the system does not tell."""
    indices: NDArray[np.intp] | None


def run() -> None:
    """10,000 points and queries."""
    _compare(10_000)


def run_large() -> None:
    """50,000 points and queries: some minutes."""
    _compare(50_000)


def _compare(count: int) -> None:
    print(
        f"## The two nearest of {count} points to each of {count}, d = {_DIM}, {cpu_count()} "
        "threads, each method in its own process\n"
    )
    methods = {
        "products in float32 alone": _products,
        "ornstein (exact)": _ornstein,
        "products in float32 alone, again": _products,
        "faiss, flat index (float32)": _faiss,
        "scikit-learn, brute (float64)": _scikit_learn,
    }
    if importlib.util.find_spec("faiss") is None:
        del methods["faiss, flat index (float32)"]
        print("faiss is not installed, and is left out: pip install -c constraints.txt faiss-cpu\n")
    print("| method | s | ratio | CPU s | ratio | peak, GiB | rows with other neighbours |")
    print("|---|---|---|---|---|---|---|", flush=True)
    bare, ours = None, None
    for name, method in methods.items():
        with ProcessPoolExecutor(1, get_context("spawn")) as alone:
            found = alone.submit(method, count).result()
        bare = bare or found
        differ = ""
        if found.indices is not None:
            ours = found.indices if ours is None else ours
            differ = str(int((found.indices != ours).any(axis=1).sum()))
        print(
            f"| {name} | {found.seconds:.1f} | {found.seconds / bare.seconds:.2f} | "
            f"{found.cpu_seconds:.1f} | {found.cpu_seconds / bare.cpu_seconds:.2f} | "
            f"{found.gibibytes:.2f} | {differ} |",
            flush=True,
        )
    print()


def _data(count: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    rng = np.random.default_rng(0)
    return rng.standard_normal((count, _DIM)), rng.standard_normal((count, _DIM))


def _products(count: int) -> _Run:
    points, queries = (each.astype(np.float32) for each in _data(count))
    _ = queries[:_BLOCK] @ points[:_BLOCK].T  # threads are started
    clock = _Clock()
    for first in range(0, count, _BLOCK):
        _ = queries[first : first + _BLOCK] @ points.T
    return _Run(*clock.read(), _peak(), None)


def _ornstein(count: int) -> _Run:
    from ornstein.memorization.neighbours import nearest_neighbours

    points, queries = _data(count)
    clock = _Clock()
    found = nearest_neighbours(queries, points, k=2, n_jobs=-1)
    return _Run(*clock.read(), _peak(), found.indices)


def _scikit_learn(count: int) -> _Run:
    from sklearn.neighbors import NearestNeighbors

    points, queries = _data(count)
    clock = _Clock()
    fitted = NearestNeighbors(n_neighbors=2, algorithm="brute", n_jobs=-1).fit(points)
    indices = fitted.kneighbors(queries, return_distance=False)
    return _Run(*clock.read(), _peak(), indices)


def _faiss(count: int) -> _Run:
    import faiss  # pyright: ignore[reportMissingImports] - an extra

    points, queries = (each.astype(np.float32) for each in _data(count))
    clock = _Clock()
    index = faiss.IndexFlatL2(_DIM)
    index.add(points)
    _, indices = index.search(queries, 2)
    return _Run(*clock.read(), _peak(), indices.astype(np.intp))


class _Clock:
    """Seconds since it was made, by the clock and of all threads."""

    def __init__(self) -> None:
        self.start = time.perf_counter(), time.process_time()

    def read(self) -> tuple[float, float]:
        """Both."""
        return time.perf_counter() - self.start[0], time.process_time() - self.start[1]


def _peak() -> float:
    """Largest memory of this process so far, in GiB."""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    lines = status.read_text(encoding="ascii").splitlines()
    kibibytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    return kibibytes / 2**20
