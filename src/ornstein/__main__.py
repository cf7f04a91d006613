"""``python -m ornstein`` is ``ornstein``."""

from __future__ import annotations

import sys

from ornstein.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
