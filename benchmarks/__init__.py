"""Every claim about speed, measured side by side in one run: ``python -m benchmarks``."""
