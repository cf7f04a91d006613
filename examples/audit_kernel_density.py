"""A kernel-density generator from copying to blurring: at which bandwidth does the list end?

A generated point is a training point, drawn at random, plus noise of h standard deviations of the
data in every coordinate. Run: python examples/audit_kernel_density.py
"""

from __future__ import annotations

import numpy as np

from ornstein import audit

POINTS, DIM, GENERATED = 300, 16, 300
BANDWIDTHS = (0.0, 0.1, 0.3, 0.5, 0.7, 1.0, 2.0)


def main() -> None:
    """Print a line for each bandwidth."""
    rng = np.random.default_rng(0)
    train, held_out = rng.standard_normal((2, POINTS, DIM))
    rows = rng.integers(0, POINTS, GENERATED)
    noise = rng.standard_normal((GENERATED, DIM))
    print("   h  exact  listed      f  Gaussian       p  verdict")
    for h in BANDWIDTHS:
        report = audit(train, held_out, train[rows] + h * noise, metrics=False, progress=False)
        print(
            f"{h:4.1f} {len(report.exact_copies):6d} {len(report.copies):7d}  "
            f"{report.train_share:.3f}    {report.gaussian_share:.3f}  "
            f"{report.dependence_p_value:.4f}  {report.verdict}"
        )


if __name__ == "__main__":
    main()
