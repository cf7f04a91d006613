"""Own data: how many points until Delta no longer separates training set and fresh data?

A model that has memorized nothing is as near to fresh data as to its training set: the sign of
Delta is a coin flip, if both sets have one size. Give a .npy, .npz, .csv or .parquet file, a folder
of images, or a name such as digits:

    python examples/own_data.py digits
"""

from __future__ import annotations

import sys

import numpy as np
from threadpoolctl import threadpool_limits

from ornstein import OneStepDenoiser, delta
from ornstein.data.data_sets import DataSet  # noqa: TC001
from ornstein.data.files import load_data
from ornstein.intervals import wilson_interval

DRAWS = 100


def main(source: str = "digits") -> None:
    """Double the training size, and print how often Delta is positive."""
    data = load_data(source)
    rng = np.random.default_rng(0)
    print(f"{data.name}: {len(data.points)} points, d = {data.dim}\n")
    print("   n    n/d  P(Delta > 0) [95%]")
    size, told = 16, 0
    while 2 * size <= len(data.points):
        positive = sum(sign(data, size, rng) > 0 for _ in range(DRAWS))
        low, high = wilson_interval(positive, DRAWS)
        print(f"{size:4d} {size / data.dim:6.2f}  {positive / DRAWS:.2f} [{low:.2f}, {high:.2f}]")
        if high < 0.5:
            told = size
        size *= 2
    print(f"\nUp to n = {told}, {DRAWS} draws tell the training set from fresh data.")


def sign(data: DataSet, size: int, rng: np.random.Generator) -> int:
    """Sign of Delta for one training set against as many originals."""
    train, rest = data.split(size, rng)
    law = OneStepDenoiser(random_state=rng).fit(train).generated_law_
    return delta(law, train, rest[:size], std=data.std).sign


if __name__ == "__main__":
    with threadpool_limits(1):  # small matrices: one thread is fastest
        main(*sys.argv[1:2])
