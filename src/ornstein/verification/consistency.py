r"""Section 7: the overlap of what two models of disjoint halves draw from one seed.

A replicate draws two sets of n points of ``N(0, I_d)``, takes the roots of their covariances, and
averages ``<C_1^{1/2} z, C_2^{1/2} z> / d`` over all seeds z: ``tr(C_1^{1/2} C_2^{1/2}) / d``.
"""

from __future__ import annotations

__all__ = ["CHECKS"]

import numpy as np

from ornstein import theory
from ornstein.verification.checks import Allowance, Check, Experiment, Setting

SOURCE = "Maillard, Goldt, 2605.21402"


def simulate_overlap(rng: np.random.Generator, *, dim: int, n_train: int) -> dict[str, float]:
    """Overlap of the two models of one pair of halves."""
    roots = []
    for _ in range(2):
        points = rng.standard_normal((n_train, dim))
        # C^{1/2} = V S V^T / sqrt n of the singular value decomposition of the points.
        _, singular, V = np.linalg.svd(points, full_matrices=False)
        roots.append((V.T * singular) @ V / np.sqrt(n_train))
    return {"overlap": (roots[0] * roots[1]).sum() / dim}


def _experiment(name: str, points_per_dimension: float) -> Experiment:
    def setting(dim: int, replicates: int) -> Setting:
        return Setting({"dim": dim, "n_train": int(points_per_dimension * dim)}, replicates)

    return Experiment(name, simulate_overlap, fast=setting(60, 300), full=setting(240, 400))


FEW = _experiment("two halves of few points", 0.5)
MANY = _experiment("two halves of many points", 3)


def predict_overlap(dim: int, n_train: int) -> float:
    """Overlap ``q`` in the limit of large d."""
    return float(theory.split_consistency(dim / n_train))


CHECKS = tuple(
    Check(
        "7",
        f"overlap, {side}",
        SOURCE,
        experiment,
        "overlap",
        predict_overlap,
        Allowance.per_dimension(0.8, "next order of the limit of large d"),
    )
    for side, experiment in (("n > d", MANY), ("n < d", FEW))
)
