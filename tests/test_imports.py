"""What is loaded when: starting up stays cheap, and each optional package is loaded where used."""

import ast
import importlib
import json
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

import ornstein
from ornstein import theory
from ornstein.cli.predict import PREDICTIONS

HEAVY = ("torch", "lightning", "matplotlib", "dask", "distributed", "pyarrow", "pandas")
COMMAND = """
from ornstein.cli import main
try:
    main({arguments!r})
except SystemExit:
    pass
"""
INTERFACE = """
import ornstein
for package in (ornstein, ornstein.theory):
    for name in package.__all__:
        getattr(package, name)
"""
FORECAST = """
import numpy as np, ornstein.reports.forecast
from ornstein import forecast; from ornstein.forecasting import forecast as module
rng = np.random.default_rng(0); rows = rng.standard_normal((24, 2))
whole, parts = module.estimates(module.standardize(rows).points, rng)
module.points_needed('w2', 0.1, whole, parts, None)
"""
AUDIT = """
import numpy as np, ornstein, ornstein.cli.audit
rng = np.random.default_rng(0)
ornstein.audit(*(rng.standard_normal((40, 2)) for _ in range(3)))
"""
OWN_CHECKS = """
from pathlib import Path
from ornstein.cli import main
Path("own.py").write_text(
    "from ornstein.verification.checks import Check, Experiment, Setting\\n"
    "setting = Setting({}, replicates=2)\\n"
    "def simulate(rng): return {'value': rng.random()}\\n"
    "experiment = Experiment('uniform', simulate, setting, setting)\\n"
    "CHECKS = [Check('1', 'uniform', '', experiment, 'value', lambda: 0.5)]\\n"
)
main(["verify", "--checks", "own.py", "--jobs", "1"])
"""
EXACT = ("--dim", "3", "--train-sizes", "5", "--simulations", "1", "--jobs", "1")


def command(*arguments: str) -> str:
    return COMMAND.format(arguments=list(arguments))


WITHOUT_FIGURES = {
    "package": "import ornstein",
    "help": command("--help"),
    "help of predictions": command("predict", "--help"),
    "help of steps": command("steps", "--model", "mlp", "--help"),
    "help of recursion": command("recursion", "--model", "mlp", "--help"),
    "one-step": command("predict", "one-step", "--n-train", "50,400", "--json"),
    "spectrum": command("predict", "spectrum"),
    "own checks": OWN_CHECKS,
    "forecast": FORECAST,
    "audit": AUDIT,
    "interface": INTERFACE,
}
"""One after the other in one interpreter: what is not loaded after a step was not loaded by it."""
WITH_FIGURES = {
    "study of linear": command("linear", *EXACT),
    "study of recursion": command("recursion", *EXACT),
}
WATCHED = """
import contextlib, io, json, sys
found = {}
for name, code in json.loads(sys.argv[1]).items():
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(code, {})
    modules = sorted({name.partition(".")[0] for name in sys.modules})
    found[name] = modules, printed.getvalue()
print(json.dumps(found))
"""


class Step(NamedTuple):
    """What is loaded after a step, top-level names alone, and what it printed."""

    modules: set[str]
    printed: str


@pytest.fixture(scope="module")
def after(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Step]:
    """What is loaded after each step, of an interpreter that was fresh before the first."""
    found = {}
    for steps in (WITHOUT_FIGURES, WITH_FIGURES):
        result = subprocess.run(
            [sys.executable, "-c", WATCHED, json.dumps(steps)],
            capture_output=True,
            text=True,
            check=True,
            cwd=tmp_path_factory.mktemp("steps"),
        )
        found |= json.loads(result.stdout)
    return {name: Step(set(modules), printed) for name, (modules, printed) in found.items()}


def test_the_package_alone_loads_next_to_nothing(after: dict[str, Step]) -> None:
    assert after["package"].modules.isdisjoint({*HEAVY, "numpy", "scipy", "sklearn"})


def test_help_names_every_prediction_without_importing_numpy(after: dict[str, Step]) -> None:
    modules, printed = after["help of predictions"]
    assert modules.isdisjoint({*HEAVY, "numpy", "scipy"})
    assert all(f"    {name} " in printed for name in PREDICTIONS)


@pytest.mark.parametrize("name", ["help", "one-step", "spectrum"])
def test_help_and_theory_load_neither_torch_nor_matplotlib(
    after: dict[str, Step], name: str
) -> None:
    assert after[name].modules.isdisjoint(HEAVY)
    assert "jsonargparse" in after[name].modules
    assert after[name].printed


@pytest.mark.parametrize("name", ["steps", "recursion"])
def test_help_of_trained_networks_does_without_torch(after: dict[str, Step], name: str) -> None:
    modules, printed = after[f"help of {name}"]
    assert modules.isdisjoint({*HEAVY, "sklearn"})
    assert "--epochs" in printed


def test_checks_of_ones_own_do_without_those_of_the_package(after: dict[str, Step]) -> None:
    modules, printed = after["own checks"]
    assert "seed 0, 2 simulations" in printed
    assert modules.isdisjoint({*HEAVY, "sklearn"})


@pytest.mark.parametrize("name", ["linear", "recursion"])
def test_exact_studies_do_without_torch(after: dict[str, Step], name: str) -> None:
    modules, printed = after[f"study of {name}"]
    assert "figure.svg" in printed
    assert "matplotlib" in modules
    assert modules.isdisjoint({"torch", "lightning", "dask", "distributed", "pyarrow"})


def test_the_python_interface_loads_neither(after: dict[str, Step]) -> None:
    assert after["interface"].modules.isdisjoint({"torch", "lightning", "matplotlib", "dask"})


@pytest.mark.parametrize("name", ["forecast", "audit"])
def test_arrays_are_judged_without_what_is_for_tables(after: dict[str, Step], name: str) -> None:
    assert after[name].modules.isdisjoint({*HEAVY, "sklearn"})


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
