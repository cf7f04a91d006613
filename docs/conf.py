"""Sphinx configuration; `make docs` builds docs/_build.

Formulas become MathML when the pages are built, by docutils' own converter: browsers show it
without any script, and nothing is loaded from a network when the pages are read.
"""

from importlib.metadata import version as _version
from pathlib import Path

from docutils.nodes import SkipNode
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.errors import ExtensionError

project = "ornstein"
author = "The ornstein developers"
release = version = _version("ornstein")

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "numpydoc",
]
myst_enable_extensions = ["dollarmath", "amsmath", "colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # tests/test_notebook.py runs it, and compares the outputs
exclude_patterns = ["_build", "jupyter_execute"]
templates_path = ["_templates"]
highlight_language = "text"  # of formulas; blocks of code name theirs
html_math_renderer = "mathml"
html_theme = "furo"
html_title = "ornstein"

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


def _mathml(node, *, as_block):
    """MathML of a formula; a page with one that cannot be read is not built."""
    text = node.astext()
    if as_block and r"\\" in text and r"\begin{" not in text:
        text = rf"\begin{{aligned}} {text} \end{{aligned}}"
    try:
        return tex2mathml(text, as_block=as_block)
    except MathError as error:
        raise ExtensionError(f"{node.source}: no MathML for {text!r}: {error}") from error


def _inline_math(self, node):
    self.body.append(f'<span class="math notranslate">{_mathml(node, as_block=False)}</span>')
    raise SkipNode


def _display_math(self, node):
    # A long formula moves by itself, not the page; none scrolls up and down.
    style = "overflow-x: auto; overflow-y: hidden; padding-block: 0.3em"
    formula = _mathml(node, as_block=True)
    self.body.append(f'<div class="math notranslate" style="{style}">{formula}</div>')
    raise SkipNode


def _explorer(app, error):
    """Put the explorer beside the pages."""
    if error is None and app.builder.name == "html":
        from ornstein.explorer import write_explorer

        folder = Path(app.outdir) / "explorer"
        folder.mkdir(exist_ok=True)
        write_explorer(folder / "index.html")


def setup(app):
    """Register all of them."""
    app.connect("build-finished", _explorer)
    app.add_html_math_renderer("mathml", (_inline_math, None), (_display_math, None))
    app.connect("autodoc-process-docstring", _formulas_are_literal)
    app.connect("autodoc-skip-member", _skip)
