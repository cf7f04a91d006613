"""Argument parsing and printing, nothing else.

=============  ===============================================================
parsing.py     a typed function becomes a subcommand; lists like ``25:1000:25``
commands.py    ``linear`` and ``status``; other subcommands have files of their names
conducting.py  a study in its folder: run, write, print
predict/       one function per subcommand of ``ornstein predict``
main.py        runs one, and turns an error into one clear line
=============  ===============================================================
"""

from __future__ import annotations

__all__ = ["main"]

from ornstein.cli.main import main
