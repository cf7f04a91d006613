"""Calibration of the audit: how often each verdict is given where it must not be, and is missed.

Run alone, ``python -m benchmarks audit``, with ``AUDIT_RUNS`` for the number of runs of each line:
5 by default, in minutes; 40 make 400 runs under the null, in half an hour. Each line prints shares
with 95% intervals. Nothing here is a time.
"""

from __future__ import annotations

__all__ = ["run", "NULLS", "GENERATORS"]

import math
import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from ornstein import OneStepDenoiser
from ornstein.intervals import wilson_interval
from ornstein.memorization.audit import audit
from ornstein.memorization.reference import fitted_gaussian

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ornstein.memorization.audit_report import AuditReport

    Array = NDArray[np.float64]
    Draw = Callable[[int, np.random.Generator], Any]


class Null(NamedTuple):
    """Sizes of the training, held-out and generated sets, and the one law of all."""

    sizes: tuple[int, int, int]
    draw: Draw
    group: int = 1
    """Points that come from one patient."""


def normal(dim: int) -> Draw:
    """``N(0, I)``."""
    return lambda n, rng: rng.standard_normal((n, dim))


def skewed(dim: int) -> Draw:
    """Coordinates ``exp(1.5 z)``."""
    return lambda n, rng: np.exp(1.5 * rng.standard_normal((n, dim)))


def clumped(dim: int) -> Draw:
    """One of 8 narrow clumps."""

    def draw(n: int, rng: np.random.Generator) -> Array:
        centres = np.random.default_rng(0).standard_normal((8, dim))
        return centres[rng.integers(0, 8, n)] + 0.02 * rng.standard_normal((n, dim))

    return draw


def counts(dim: int) -> Draw:
    """Whole numbers, most of them 0 or 1: rows repeat."""
    return lambda n, rng: rng.poisson(0.4, (n, dim)).astype(np.float64)


def near_repeats(dim: int) -> Draw:
    """Every point a few times, with differences of 1e-4: counted as one by the audit."""

    def draw(n: int, rng: np.random.Generator) -> Array:
        points = rng.standard_normal((n // 3 + 1, dim)).repeat(3, axis=0)[:n]
        return points + 1e-4 * rng.standard_normal((n, dim))

    return draw


def people(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """A table of two numbers with gaps and two categories."""
    age = rng.gamma(9.0, 5.0, n).round(1)
    income = np.exp(9 + 0.02 * age + 0.5 * rng.standard_normal(n)).round(-2)
    income[rng.random(n) < 0.1] = np.nan
    city = rng.choice(["Rome", "Oslo", "Lima", "Cairo"], n, p=[0.4, 0.3, 0.2, 0.1])
    work = np.where(rng.random(n) < age / 100, "retired", "employed")
    return pd.DataFrame({"age": age, "income": income, "city": city, "work": work})


NULLS = {
    "d = 2": Null((150, 150, 200), normal(2)),
    "d = 8": Null((150, 150, 200), normal(8)),
    "d = 64": Null((150, 150, 200), normal(64)),
    "d = 784": Null((100, 100, 100), normal(784)),
    "d = 8, 300 train, 75 held out": Null((300, 75, 200), normal(8)),
    "d = 8, 100 train, 400 held out": Null((100, 400, 200), normal(8)),
    "skewed, d = 8": Null((150, 150, 200), skewed(8)),
    "clumped, d = 8": Null((150, 150, 200), clumped(8)),
    "counts, d = 6": Null((150, 100, 200), counts(6)),
    "mixed table": Null((150, 150, 200), people),
    "near repeats, d = 8": Null((150, 150, 200), near_repeats(8)),
    "5 of each patient": Null((150, 150, 300), normal(8), group=5),
}

GENERATORS: dict[str, Callable[[Array, int, np.random.Generator], Array]] = {
    "0.7 N(0, I)": lambda train, n, rng: 0.7 * rng.standard_normal((n, train.shape[1])),
    "1.3 N(0, I)": lambda train, n, rng: 1.3 * rng.standard_normal((n, train.shape[1])),
    "0.01 N(0, I)": lambda train, n, rng: 0.01 * rng.standard_normal((n, train.shape[1])),
    "one-step model": lambda train, n, rng: (
        OneStepDenoiser(random_state=rng).fit(train).generated_law_.sample(n, rng)
    ),
    "fitted Gaussian": lambda train, n, rng: fitted_gaussian(train).sample(n, rng),
}


def run() -> None:
    """Print all tables of this file."""
    runs = int(os.environ.get("AUDIT_RUNS", "5"))
    _null(runs)
    _immune(runs)
    _power(runs)


def null_audit(name: str, seed: int) -> AuditReport:
    """Audit three sets of one law."""
    case, rng = NULLS[name], np.random.default_rng([seed, len(name)])
    if case.group == 1:
        train, held_out, new = (case.draw(n, rng) for n in case.sizes)
        return audit(train, held_out, new, random_state=seed, metrics=False)

    def patients_of(size: int) -> Array:
        centres = case.draw(size // case.group, rng).repeat(case.group, axis=0)
        return centres + 0.3 * rng.standard_normal(centres.shape)

    train, held_out = (patients_of(size) for size in case.sizes[:2])
    new = math.hypot(1, 0.3) * case.draw(case.sizes[2], rng)
    patients = [np.arange(size) // case.group for size in case.sizes[:2]]
    groups = patients[0], patients[1] + case.sizes[0]
    return audit(train, held_out, new, groups=groups, random_state=seed, metrics=False)


def planted_audit(
    copies: int, seed: int, *, dim: int = 64, size: int = 1000, noise: float = 0.01
) -> AuditReport:
    """Audit clean draws of which the first `copies` are training points with noise."""
    rng = np.random.default_rng([seed, copies])
    train, held_out, new = (rng.standard_normal((size, dim)) for _ in range(3))
    chosen = rng.choice(size, copies, replace=False)
    new[:copies] = train[chosen] + noise * rng.standard_normal((copies, dim))
    return audit(train, held_out, new, random_state=seed, metrics=False)


def _null(runs: int, first: int = 0) -> None:
    print(f"## Nothing depends on the training set: {runs} runs each\n")
    print("| data | dependence, p <= .05 | closer than a Gaussian | list not empty |")
    print("|---|---|---|---|")
    total = np.zeros(3, dtype=int)
    for name in NULLS:
        found = np.zeros(3, dtype=int)
        for seed in range(first, first + runs):
            report = null_audit(name, seed)
            depends = report.dependence_p_value <= 0.05
            closer = depends and report.gaussian_p_value <= 0.05
            found += [depends, closer, len(report.copies) > 0]
        total += found
        print(f"| {name} | " + " | ".join(_share(int(k), runs) for k in found) + " |")
    everything = runs * len(NULLS)
    print("| all | " + " | ".join(_share(int(k), everything) for k in total) + " |\n")


def _immune(runs: int) -> None:
    print(f"## Generators that copy nothing, d = 64, n = 1000 (fitted: n = 100): {runs} runs\n")
    print("| generator | list not empty | closer than a Gaussian | depends |\n|---|---|---|---|")
    for name, generate in GENERATORS.items():
        size = 100 if name == "fitted Gaussian" else 1000
        found = np.zeros(3, dtype=int)
        for seed in range(runs):
            rng = np.random.default_rng([seed, len(name)])
            train, held_out = (rng.standard_normal((size, 64)) for _ in range(2))
            report = audit(
                train, held_out, generate(train, 1000, rng), random_state=seed, metrics=False
            )
            depends = report.dependence_p_value <= 0.05
            closer = depends and report.gaussian_p_value <= 0.05
            found += [len(report.copies) > 0, closer, depends]
        print(f"| {name} | " + " | ".join(_share(int(k), runs) for k in found) + " |")
    print()


def _power(runs: int) -> None:
    print(f"## Copies with noise of 1% of the standard deviation, d = 64, 1000 each: {runs} runs\n")
    print("| copies of 1000 | found | recall | false share | said to be found from |")
    print("|---|---|---|---|---|")
    for copies in (7, 9, 10, 12, 15, 30, 100):
        found, recall, false, least = [], [], [], []
        for seed in range(runs):
            report = planted_audit(copies, seed)
            listed = np.array([copy.generated for copy in report.copies])
            found.append(listed.size > 0)
            recall.append((listed < copies).sum() / copies)
            false.append((listed >= copies).sum() / max(listed.size, 1))
            least.append(report.minimum_detectable_fraction)
        print(
            f"| {copies} | {_share(sum(found), runs)} | {_mean(recall)} | {_mean(false)} | "
            f"{_mean(least)} |"
        )
    print()


def _share(k: int, n: int) -> str:
    low, high = wilson_interval(k, n)
    return f"{k / n:.3f} [{low:.3f}, {high:.3f}]"


def _mean(values: list[float]) -> str:
    error = np.std(values, ddof=1) / math.sqrt(len(values)) if len(values) > 1 else math.nan
    return f"{np.mean(values):.4f} ± {error:.4f}"
