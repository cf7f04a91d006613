"""What a study costs: seconds of a cell against d, n and N, and where a cluster saturates.

``python examples/scaling.py FIGURE.png`` measures cells of the linear study on one core, prints
them, and draws how long a million cells take on more and more cores: their own work, and what the
one driver does for them, with the overheads that ``python -m benchmarks engine`` measured.
"""

import sys
import time

import matplotlib.pyplot as plt
import numpy as np
from threadpoolctl import threadpool_limits

from ornstein.engine.study import Cell
from ornstein.studies.linear.options import LinearOptions
from ornstein.studies.linear.study import LinearStudy

CELLS = 1_000_000
DRIVER = {"local processes": 19e-6, "dask": 31e-6}  # seconds of the driver for a cell


def seconds(**options) -> float:
    """Shortest of three cells, after one that is not counted."""
    n = options.pop("n")
    study = LinearStudy(LinearOptions(train_sizes=(n,), **options))
    taken = []
    for replicate in range(4):
        start = time.perf_counter()
        study.measure(Cell(n, replicate))
        taken.append(time.perf_counter() - start)
    return min(taken[1:])


def main(path: str) -> None:
    """Measure, print and draw."""
    figure, (left, right) = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    sizes = np.array([50, 100, 200, 400, 800])
    cost = {}
    with threadpool_limits(1):
        for ratio in (2, 10):
            measured = [seconds(dim=int(d), n=int(ratio * d)) for d in sizes]
            cost[ratio] = dict(zip(sizes.tolist(), measured, strict=True))
            slope = np.polyfit(np.log(sizes[-3:]), np.log(measured[-3:]), 1)[0]
            print(f"n = {ratio} d:", *(f"{d}: {1e3 * s:.1f} ms" for d, s in cost[ratio].items()))
            label = f"n = {ratio} d, exponent {slope:.1f} at the end"
            left.loglog(sizes, measured, "o-", label=label)
        sampled = {
            N: seconds(dim=100, n=200, originals=N, original_mode="sampled")
            for N in (100, 1000, 10_000)
        }
    print("N originals, sampled:", *(f"{N}: {1e3 * s:.1f} ms" for N, s in sampled.items()))
    left.set(xlabel="dimension d", ylabel="seconds of a cell, one core")
    left.set_xticks(sizes, map(str, sizes))
    left.minorticks_off()
    left.legend(frameon=False, fontsize=8)
    cores = np.geomspace(1, 1e5, 200)
    for dim in (100, 400):
        right.loglog(
            cores, CELLS * cost[10][dim] / cores, label=f"cells, d = {dim}, n = {10 * dim}"
        )
    for (name, overhead), style in zip(DRIVER.items(), ("--", ":"), strict=True):
        right.axhline(CELLS * overhead, ls=style, color="black", label=f"the driver, {name}")
    right.set(xlabel="cores", ylabel="seconds of a million cells")
    right.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "scaling.png")
