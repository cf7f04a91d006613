"""Points from a file larger than memory would like: a fit in blocks against its bare products."""

from __future__ import annotations

__all__ = ["run"]

import resource
import tempfile
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.timing import once
from ornstein.denoisers.linear import LinearDiffusion

DIM, COUNT, BLOCK = 2048, 200_000, 4096


def run() -> None:
    """Print all tables of this file."""
    with tempfile.TemporaryDirectory() as folder, threadpool_limits(2):
        path = Path(folder) / "points.npy"
        rng = np.random.default_rng(0)
        points = np.lib.format.open_memmap(path, "w+", np.float16, (COUNT, DIM))
        for start in range(0, COUNT, BLOCK):
            block = rng.standard_normal((min(BLOCK, COUNT - start), DIM), np.float32)
            points[start : start + BLOCK] = block
        del points
        mapped = np.load(path, mmap_mode="r")
        model = LinearDiffusion()

        def fit() -> None:
            for start in range(0, COUNT, BLOCK):
                model.partial_fit(mapped[start : start + BLOCK])

        def products() -> None:
            total = np.zeros((DIM, DIM))
            for start in range(0, COUNT, BLOCK):
                block = mapped[start : start + BLOCK].astype(np.float64)
                total += block.T @ block

        bare, ours = once(products), once(fit)
        law = once(lambda: model.data_law_)
        trace = model.data_law_.covariance.trace
        assert abs(trace / DIM - 1) < 1e-3
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    print(f"## {COUNT} points of float16 in {DIM} dimensions, from a mapped file\n")
    print("| step | s |\n|---|---|")
    print(f"| products of the blocks alone | {bare:.1f} |")
    print(f"| `LinearDiffusion.partial_fit` | {ours:.1f} ({ours / bare:.2f} times) |")
    print(f"| its law, once | {law:.1f} |\n\nLargest memory of the process: {peak:.2f} GiB\n")
