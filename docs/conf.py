"""Sphinx configuration; `make docs` builds docs/_build."""

from importlib.metadata import version as _version

project = "ornstein"
author = "The ornstein developers"
release = version = _version("ornstein")

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.mathjax",
    "numpydoc",
]
myst_enable_extensions = ["dollarmath", "amsmath"]
myst_heading_anchors = 3
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "ornstein"

autodoc_mock_imports = ["torch", "lightning", "safetensors"]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False


def _formulas_are_literal(_app, what, _name, _obj, _options, lines):
    """Indented lines of a module's docstring are formulas: show them as they are."""
    if what != "module":
        return
    shown, before = [], "text"
    for index, line in enumerate(lines):
        starts = line.startswith("    ") and index > 0 and not lines[index - 1].strip()
        if starts and not before.startswith(" ") and not before.endswith("::"):
            shown += ["::", ""]
        shown.append(line)
        before = line if line.strip() else before
    lines[:] = shown


def _skip(_app, _what, name, _obj, skip, _options):
    """Leave out what scikit-learn adds to every estimator."""
    return skip or (name.startswith("set_") and name.endswith("_request")) or None


def setup(app):
    """Register the two."""
    app.connect("autodoc-process-docstring", _formulas_are_literal)
    app.connect("autodoc-skip-member", _skip)
