"""One HTML file of a document: nothing is fetched, nothing runs, it opens from a disk.

==============  ==========================================================================
page.py         the whole page: question, answer, figures, tables, how numbers were made
drawings.py     a matplotlib figure as inline SVG, or as an image where it has many points
images.py       generated images at their own size, beside their difference and controls
stylesheet.py   one stylesheet for all: light, dark, printed
==============  ==========================================================================

Whatever has a :class:`~ornstein.reports.documents.Document` has a page: a new kind of result needs
a function that makes its document, and a line in ``ornstein.cli.report``.
"""

from __future__ import annotations

__all__ = ["page", "write_page", "fragment"]

from ornstein.reports.pages.page import fragment, page, write_page
