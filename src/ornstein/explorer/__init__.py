"""The explorer: a page on which one sees the theory move, written as one file.

``page/`` holds its HTML, style and scripts, ``mathematics/`` the theory in JavaScript, named as in
Python. :mod:`.bundle` joins the scripts, :mod:`.page` writes the file, :mod:`.study_points` reads
the points of a study folder.
"""

from __future__ import annotations

__all__ = ["explorer_page", "write_explorer", "study_points"]

from ornstein.explorer.page import explorer_page, write_explorer
from ornstein.explorer.study_points import study_points
