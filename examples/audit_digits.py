"""Two small networks of handwritten digits: one trained long on 64 of them, one short on 1,500.

The audit finds copies of the first, and none of the second. Each trains in seconds on a free core.
Run: python examples/audit_digits.py
"""

from __future__ import annotations

import numpy as np
import torch

from ornstein import audit
from ornstein.data.files import load_data
from ornstein.networks import MLP, DiffusionProcess, TrainingConfig, seeded, train

GENERATED = 200
CASES = {"64, long": (64, 4000), "1,500, short": (1500, 500)}


def main() -> None:
    """Train, generate, audit, and print a line for each."""
    data = load_data("digits")
    for name, (count, steps) in CASES.items():
        points, rest = data.split(count, np.random.default_rng(0))
        held_out = rest[: max(count, 250)]
        trained = train(
            seeded(MLP, torch.Generator().manual_seed(0), data.dim),
            points,
            TrainingConfig(
                training_steps=steps, learning_rate=1e-3, batch_size=64, train_fraction=1.0
            ),
            process=DiffusionProcess(50, prediction="sample"),
            progress=False,
        )
        drawn = trained.model.sample(
            GENERATED, generator=torch.Generator().manual_seed(0), progress=False
        )
        report = audit(points, held_out, drawn.double().numpy(), metrics=False, progress=False)
        copied = {copy.train for copy in report.copies}
        least = 100 * report.minimum_detectable_fraction
        print(f"{name:13s} {report.verdict}")
        print(
            f"{'':13s} listed {len(report.copies)} of {GENERATED}, copies of {len(copied)} digits; "
            f"f = {report.train_share:.3f}, Gaussian {report.gaussian_share:.3f}; "
            f"found from {least:.1f}%"
        )


if __name__ == "__main__":
    main()
