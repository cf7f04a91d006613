"""ES modules joined into one script, for a page that is one file.

A browser does not load modules from disk, so a page without a server must hold them. Each module
becomes a function that is called once, and returns what the module exports:

    const module_2 = (() => { const { a, b } = module_1; ...; return { c }; })();

in an order in which every module comes after those it imports from. Of the language of modules
that takes named imports from relative paths, and named exports; others are refused.
"""

from __future__ import annotations

__all__ = ["joined_modules"]

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"([^"]+)";[ \t]*\n?', re.MULTILINE)
_EXPORT = re.compile(
    r"^export\s+((?:async\s+)?function\*?|class|const|let)\s+(\w+)(?=[\s(=;])", re.MULTILINE
)
_LIST = re.compile(r"^export\s*\{([^}]*)\};[ \t]*\n?", re.MULTILINE)
_LEFT = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


def joined_modules(entry: Path, changed: Mapping[Path, str] | None = None) -> str:
    """One script of a module and all that it imports from.

    Parameters
    ----------
    entry : Path
        The module that starts the page, whose exports nobody needs.
    changed : mapping of Path to str, optional
        Texts of modules, by resolved path, in place of their files.

    Returns
    -------
    str
        A classic script.

    Raises
    ------
    ValueError
        If modules import from each other in a circle, or use imports and exports of other kinds.
    """
    texts = dict(changed or {})
    names: dict[Path, str] = {}
    parts: list[str] = []
    _add(entry.resolve(), texts, names, parts, ())
    return '"use strict";\n' + "\n".join(parts)


def _add(
    path: Path,
    texts: Mapping[Path, str],
    names: dict[Path, str],
    parts: list[str],
    above: tuple[Path, ...],
) -> str:
    """Append a module after those it needs; return the name that it has in the script."""
    if path in names:
        return names[path]
    if path in above:
        circle = " -> ".join(each.name for each in (*above[above.index(path) :], path))
        raise ValueError(f"modules import from each other in a circle: {circle}")
    text = texts[path] if path in texts else path.read_text(encoding="utf-8")

    def imported(match: re.Match[str]) -> str:
        found = _add((path.parent / match[2]).resolve(), texts, names, parts, (*above, path))
        return f"const {{ {_pairs(match[1], ' as ', ': ')} }} = {found};\n"

    body = _IMPORT.sub(imported, text)
    exports = [match[2] for match in _EXPORT.finditer(body)]
    exports += [_pairs(match[1], " as ", ": ", swap=True) for match in _LIST.finditer(body)]
    body = _LIST.sub("", _EXPORT.sub(r"\1 \2", body))
    left = _LEFT.search(body)
    if left is not None:
        raise ValueError(
            f"{path.name}: given {left[0]!r}, expected named imports from a relative path, and "
            "named exports"
        )
    names[path] = f"module_{len(names) + 1}"
    head = f"// {path.parent.name}/{path.name}\nconst {names[path]} = (() => {{\n"
    parts.append(f"{head}{body}return {{ {', '.join(exports)} }};\n}})();")
    return names[path]


def _pairs(text: str, separator: str, joint: str, *, swap: bool = False) -> str:
    """``a, b as c`` as the destructuring ``a, b: c``, or as the literal ``a, c: b``."""
    found = []
    for entry in filter(None, (each.strip() for each in text.split(","))):
        inner, _, outer = entry.partition(separator)
        pair = (outer, inner) if swap else (inner, outer)
        found.append(joint.join(pair) if outer else inner)
    return ", ".join(found)
