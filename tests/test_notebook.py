"""The notebook of the documentation runs, and prints what it shows."""

import ast
import json
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "docs" / "tour.ipynb"


def shown(cell: dict) -> str:
    """What a cell gives in the notebook, as HTML or else as text."""
    given = [output["data"] for output in cell["outputs"] if "data" in output]
    return "".join("".join(data.get("text/html", data["text/plain"])) for data in given)


def run(source: str, names: dict) -> str:
    """Run a cell; the text of its last expression."""
    code = ast.parse("\n".join(line for line in source.splitlines() if line[:1] != "%"))
    last = code.body.pop() if isinstance(code.body[-1], ast.Expr) else None
    exec(compile(code, "tour.ipynb", "exec"), names)
    if last is None:
        return ""
    value = eval(compile(ast.Expression(last.value), "tour.ipynb", "eval"), names)
    return getattr(value, "_repr_html_", value.__repr__)()


def test_the_notebook_shows_what_it_computes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    cells = [c for c in json.loads(NOTEBOOK.read_text())["cells"] if c["cell_type"] == "code"]
    for cell in cells:
        assert "error" not in {output["output_type"] for output in cell["outputs"]}
        found, known = run("".join(cell["source"]), names), shown(cell)
        if "<Figure" not in known:
            assert found.split() == known.split()
    assert len(cells) >= 7
