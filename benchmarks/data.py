"""Looking at data: near-duplicates against all pairs, and 100,000 points in 784 dimensions."""

from __future__ import annotations

__all__ = ["run"]

import resource
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.neighbors import NearestNeighbors

from benchmarks.timing import once
from ornstein.data.contents import ArrayContents
from ornstein.data.near_duplicates import near_pairs
from ornstein.data.profiles import profile_all
from ornstein.data.reading import read

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Array = NDArray[np.float64]

_PIXELS = 784


def run() -> None:
    """Print all tables of this file."""
    _near()
    _large()


def _near() -> None:
    print(f"## Near-duplicates of 10000 points, d = {_PIXELS}\n")
    points = _like_images(10_000)
    contents = read(points)
    assert isinstance(contents, ArrayContents)
    rows, mean = np.arange(len(points)), points.mean(axis=0)
    ours = once(lambda: near_pairs(contents, rows, mean))
    direct = once(
        lambda: NearestNeighbors(n_neighbors=6, algorithm="brute").fit(points).kneighbors(points)
    )
    print("| method | s | ratio |\n|---|---|---|")
    print(f"| scikit-learn, 6 nearest of each, brute | {direct:.2f} | 1 |")
    print(f"| ornstein | {ours:.2f} | {direct / ours:.1f} |\n")


def _large() -> None:
    print(f"## `ornstein data` on 100000 points, d = {_PIXELS}\n")
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "points.npy"
        np.save(file, _like_images(100_000))
        before = resource.getrusage(resource.RUSAGE_SELF)
        seconds = once(lambda: profile_all([read(file)]))
        after = resource.getrusage(resource.RUSAGE_SELF)
    used = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    print(f"{seconds:.1f} s, {used:.1f} s of computing\n")


def _like_images(count: int) -> Array:
    """Points of a power-law spectrum, as pixels of photographs have."""
    rng = np.random.default_rng(0)
    axes = np.linalg.qr(rng.standard_normal((_PIXELS, _PIXELS)))[0]
    points = np.empty((count, _PIXELS))
    for start in range(0, count, 10_000):
        part = points[start : start + 10_000]
        part[:] = (rng.standard_normal(part.shape) * np.arange(1, _PIXELS + 1) ** -0.6) @ axes.T
    return points
