"""The linear study: a ratio to the direct algorithm, and how cost grows with d, n and N."""

from __future__ import annotations

__all__ = ["run"]

import tempfile
import time
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.direct import direct_cell
from benchmarks.timing import best_of, exponent, once
from ornstein.engine.running import compute
from ornstein.engine.store import Store
from ornstein.engine.study import Cell
from ornstein.studies.linear.options import LinearOptions
from ornstein.studies.linear.study import LinearStudy

SEED_SIZES = (25, 50, 75, 100)


def run() -> None:
    """Print all tables of this file."""
    with threadpool_limits(1):
        _against_direct()
    _whole_job()
    with threadpool_limits(1):
        _growth()


def _study(**options) -> LinearStudy:
    return LinearStudy(LinearOptions(**{"train_sizes": SEED_SIZES, **options}))


def _against_direct() -> None:
    print("## Cells of the default job of the published script: d = 100, N = 10000\n")
    print("One replicate of n = 50 and n = 100, one process of one thread, alternately.\n")
    rng, sizes = np.random.default_rng(0), SEED_SIZES[1::2]
    warm = _study()
    warm.measure(Cell(sizes[0], 0))
    rows = []
    for mode in ("expected", "sampled"):
        ours = []
        for repeat in range(5):
            study = _study(original_mode=mode, seed=repeat)
            ours.append(once(lambda s=study: [s.measure(Cell(n, 0)) for n in sizes]))
        rows.append((mode, float(np.median(ours))))
    direct = once(lambda: [direct_cell(100, n, 10_000, rng) for n in sizes])
    print("| method | seconds | ratio |\n|---|---|---|")
    print(f"| direct algorithm | {direct:.2f} | 1 |")
    for mode, seconds in rows:
        print(f"| ornstein, {mode} originals | {seconds:.4f} | {direct / seconds:.0f} |")
    print()


def _whole_job() -> None:
    print("## The whole job: 4 sizes x 300 simulations, all cores, from cells to store\n")
    print("| originals | seconds | cells/s |\n|---|---|---|")
    for mode, simulations in (("expected", 300), ("sampled", 30)):
        study = _study(original_mode=mode, simulations=simulations)
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            with Store(Path(folder), study.identity, study.metrics) as store:
                compute(study, store, progress=False)
            seconds = time.perf_counter() - start
        note = "" if simulations == 300 else f" ({simulations} simulations)"
        print(f"| {mode}{note} | {seconds:.2f} | {4 * simulations / seconds:.0f} |")
    print()


def _growth() -> None:
    print("## Cost of one cell, one core (exponent of a power law through the last three)\n")
    tables = [
        ("d", (16, 32, 64, 128, 256, 512, 1024), lambda v: ({"dim": v}, 400)),
        ("n", (125, 250, 500, 1000, 2000, 4000), lambda v: ({"dim": 100}, v)),
        (
            "N (sampled)",
            (1250, 2500, 5000, 10_000),
            lambda v: ({"dim": 100, "originals": v, "original_mode": "sampled"}, 100),
        ),
    ]
    for name, values, options in tables:
        times = []
        for value in values:
            config, n = options(value)

            def cell(config: dict = config, n: int = n, count: list = [0]) -> None:  # noqa: B006
                count[0] += 1  # another replicate each time: nothing is reused
                study = LinearStudy(LinearOptions(train_sizes=(n,), **config))
                study.measure(Cell(n, count[0]))

            times.append(best_of(cell, 3))
        print(f"| {name} | " + " | ".join(map(str, values)) + " | exponent |")
        print("|---" * (len(values) + 2) + "|")
        cells = " | ".join(f"{1e3 * t:.2f}" for t in times)
        print(f"| ms | {cells} | {exponent(values[-3:], times[-3:]):.2f} |\n")
