"""Run all benchmarks, or those named: ``python -m benchmarks linear``."""

from __future__ import annotations

import platform
import sys

import numpy as np
from joblib import cpu_count

from benchmarks import (
    any_spectrum,
    audit_calibration,
    batches,
    data,
    empirical,
    engine,
    explorer,
    linear,
    networks,
    page,
    samples,
    steps,
    theory,
)

ALL = {
    "linear": linear.run,
    "theory": theory.run,
    "any_spectrum": any_spectrum.run,
    "empirical": empirical.run,
    "steps": steps.run,
    "samples": samples.run,
    "batches": batches.run,
    "data": data.run,
    "engine": engine.run,
    "networks": networks.run,
    "explorer": explorer.run,
    "page": page.run,
    "audit": audit_calibration.run,
}


def main() -> None:
    """Print a Markdown report."""
    names = sys.argv[1:] or list(ALL)
    print(
        f"# Benchmarks\n\n{platform.machine()}, {cpu_count()} cores, Python "
        f"{platform.python_version()}, NumPy {np.__version__}. Ratios are of times measured side "
        "by side in this run.\n"
    )
    for name in names:
        ALL[name]()


if __name__ == "__main__":
    main()
