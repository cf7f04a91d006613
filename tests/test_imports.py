"""What is loaded when: starting up stays cheap, and each optional package is loaded where used."""

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path

import pytest

import ornstein
from ornstein import theory

HEAVY = ("torch", "lightning", "matplotlib", "dask", "distributed", "pyarrow", "pandas")
WATCHED = """
import json, sys
{code}
sys.stderr.write(json.dumps(sorted({{name.partition(".")[0] for name in sys.modules}})))
"""
RUN = """
from ornstein.cli import main
try:
    main({arguments!r})
except SystemExit:
    pass
"""


def loaded(code: str, folder: Path) -> set[str]:
    """Top-level modules in a fresh interpreter after `code`."""
    result = subprocess.run(
        [sys.executable, "-c", WATCHED.format(code=code)],
        capture_output=True,
        text=True,
        check=True,
        cwd=folder,
    )
    return set(json.loads(result.stderr))


def test_the_package_alone_loads_next_to_nothing(tmp_path: Path) -> None:
    modules = loaded("import ornstein", tmp_path)
    assert modules.isdisjoint({*HEAVY, "numpy", "scipy", "sklearn"})


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["predict", "one-step", "--n-train", "50,400", "--json"],
        ["predict", "spectrum"],
    ],
    ids=" ".join,
)
def test_help_and_theory_load_neither_torch_nor_matplotlib(
    tmp_path: Path, arguments: list[str]
) -> None:
    modules = loaded(RUN.format(arguments=arguments), tmp_path)
    assert modules.isdisjoint(HEAVY)
    assert "jsonargparse" in modules


@pytest.mark.parametrize("command", ["steps", "recursion"])
def test_help_of_trained_networks_does_without_torch(tmp_path: Path, command: str) -> None:
    modules = loaded(RUN.format(arguments=[command, "--model", "mlp", "--help"]), tmp_path)
    assert modules.isdisjoint({"torch", "lightning", "matplotlib", "dask"})


@pytest.mark.parametrize("command", ["linear", "recursion"])
def test_exact_studies_do_without_torch(tmp_path: Path, command: str) -> None:
    options = ["--dim", "3", "--train-sizes", "5", "--simulations", "1", "--jobs", "1"]
    modules = loaded(RUN.format(arguments=[command, *options]), tmp_path)
    assert "matplotlib" in modules
    assert modules.isdisjoint({"torch", "lightning", "dask", "distributed", "pyarrow"})


def test_the_python_interface_loads_neither(tmp_path: Path) -> None:
    code = "import ornstein\nfor name in ornstein.__all__: getattr(ornstein, name)\n"
    code += "for name in ornstein.theory.__all__: getattr(ornstein.theory, name)"
    assert loaded(code, tmp_path).isdisjoint({"torch", "lightning", "matplotlib"})


@pytest.mark.parametrize("package", [ornstein, theory], ids=lambda package: package.__name__)
def test_public_names_exist_and_nothing_else_does(package) -> None:
    assert len(set(package.__all__)) == len(package.__all__)
    for name in package.__all__:
        assert getattr(package, name) is not None
    assert set(package.__all__) <= set(dir(package))
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = package.nonsense


def test_a_function_is_not_hidden_by_the_module_of_its_name() -> None:
    """Importing a submodule sets it as an attribute of its package."""
    modules = {module.name for module in pkgutil.iter_modules(theory.__path__)}
    assert modules.isdisjoint(theory.__all__)
    for name in modules:
        importlib.import_module(f"ornstein.theory.{name}")
    for name in theory.__all__:
        assert callable(getattr(theory, name))


def test_every_module_opens_with_its_docstring_and_its_names() -> None:
    root = Path(ornstein.__file__).parent
    for file in root.rglob("*.py"):
        tree = ast.parse(file.read_text())
        where = str(file.relative_to(root))
        assert ast.get_docstring(tree), where
        if file.name in {"__init__.py", "__main__.py"}:
            continue
        imports = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
        plain = [n for n in imports if getattr(n, "module", "") != "__future__"]
        names = [n for n in tree.body if isinstance(n, ast.Assign) and _is_all(n)]
        assert len(names) == 1, where
        assert all(names[0].lineno < n.lineno for n in plain), where


def _is_all(node: ast.Assign) -> bool:
    return any(isinstance(target, ast.Name) and target.id == "__all__" for target in node.targets)
