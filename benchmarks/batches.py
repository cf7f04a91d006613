"""Points from a file larger than memory would like: a fit in blocks against its bare products.

Pages of the mapped file count as memory of the process as long as nobody else wants the room. So
the memory that only the process holds is sampled apart while the fit runs.
"""

from __future__ import annotations

__all__ = ["run"]

import tempfile
from pathlib import Path
from threading import Event, Thread
from typing import Self

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

        bare = once(products)
        with _Memory() as memory:
            ours = once(fit)
            law = once(lambda: model.data_law_)
        again = once(products)
        trace = model.data_law_.covariance.trace
        assert abs(trace / DIM - 1) < 1e-3
    print(f"## {COUNT} points of float16 in {DIM} dimensions, from a mapped file\n")
    print("| step | s |\n|---|---|")
    print(f"| products of the blocks alone, before and after | {bare:.1f}, {again:.1f} |")
    print(f"| `LinearDiffusion.partial_fit` | {ours:.1f} ({2 * ours / (bare + again):.2f} times) |")
    print(f"| its law, once | {law:.1f} |\n")
    print(
        f"Largest memory of the process: {memory.own:.2f} GiB of its own, "
        f"{memory.resident:.2f} GiB with the pages of the file\n"
    )


class _Memory:
    """Largest memory of this process while a block of code runs, in GiB; NaN where unknown."""

    def __init__(self) -> None:
        self.own = self.resident = float("nan")
        self._done = Event()
        self._thread = Thread(target=self._sample, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        status = Path("/proc/self/status")
        while status.exists() and not self._done.wait(0.02):
            lines = status.read_text(encoding="ascii").splitlines()
            sizes = dict(line.split(":", 1) for line in lines)
            own, resident = (int(sizes[name].split()[0]) / 2**20 for name in ("RssAnon", "VmRSS"))
            self.own = float(np.fmax(self.own, own))
            self.resident = float(np.fmax(self.resident, resident))
