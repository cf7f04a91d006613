"""What the explorer page computes while a control is dragged, in node: a frame has 50 ms."""

from __future__ import annotations

__all__ = ["run"]

import json
import shutil
import subprocess
from pathlib import Path

import ornstein

_FRAME = 50.0


def run() -> None:
    """Print the table of this file."""
    node = shutil.which("node")
    if node is None:
        print("## Explorer\n\nnode is not on the path: nothing is timed.\n")
        return
    modules = Path(ornstein.__file__).parent / "explorer" / "mathematics"
    script = Path(__file__).with_suffix(".mjs")
    done = subprocess.run([node, script, modules], capture_output=True, text=True, check=True)
    print("## Explorer: mathematics of the page, d = 100, one call in node, processor time\n")
    print(f"| call | ms | frames of {_FRAME:g} ms |\n|---|---|---|")
    for name, milliseconds in json.loads(done.stdout).items():
        print(f"| {name} | {milliseconds:.2f} | {milliseconds / _FRAME:.2f} |")
    print()
