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
    large_spectrum,
    linear,
    neighbours,
    network_grids,
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
    "large_spectrum": large_spectrum.run,
    "empirical": empirical.run,
    "steps": steps.run,
    "samples": samples.run,
    "neighbours": neighbours.run,
    "neighbours_large": neighbours.run_large,
    "batches": batches.run,
    "data": data.run,
    "engine": engine.run,
    "networks": networks.run,
    "network_grids": network_grids.run,
    "explorer": explorer.run,
    "page": page.run,
    "audit": audit_calibration.run,
}

LONG = ("large_spectrum", "network_grids")
"""Those that take minutes, by name only."""


def main() -> None:
    """Print a Markdown report."""
    names = sys.argv[1:] or [name for name in ALL if name not in LONG]
    print(
        f"# Benchmarks\n\n{platform.machine()}, {cpu_count()} cores, Python "
        f"{platform.python_version()}, NumPy {np.__version__}. Ratios are of times measured side "
        "by side in this run.\n"
    )
    for name in names:
        ALL[name]()


if __name__ == "__main__":
    main()
