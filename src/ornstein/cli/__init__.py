"""Argument parsing and printing, nothing else.

===========  ===============================================================================
parsing.py   typed functions and dataclasses become subcommands; lists like ``25:1000:25``
running.py   a study in its folder: run, print
networks.py  the same of trained networks
output.py    the format of tables and the style of figures
linear.py, steps.py, unet.py, verify.py, data.py, status.py   one subcommand each
report.py    a folder as one HTML file; reopening.py finds again what made it
predict/     one function per subcommand of ``ornstein predict``
main.py      runs one, and turns an error into one clear line
===========  ===============================================================================
"""

from __future__ import annotations

__all__ = ["main"]

from ornstein.cli.main import main
