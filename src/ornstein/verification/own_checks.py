r"""Checks of the user's own, from a Python file that defines ``CHECKS``.

The file is run as a module of its own, with its folder on the path of imports, so that it may
import what stands beside it. ``CHECKS`` is a list or tuple of
:class:`~ornstein.verification.checks.Check`.

**Workers.** A function of such a file cannot travel to another process by its name, as nothing
there knows the module. An experiment travels as the path and the digest of the file and its own
name instead, and a worker runs the file once: any function will do, a lambda too.
"""

from __future__ import annotations

__all__ = ["load_checks", "OwnExperiment"]

import hashlib
import importlib.machinery
import importlib.util
import sys
import traceback
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ornstein.verification.checks import Check, Experiment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType


@dataclass(frozen=True)
class OwnExperiment(Experiment):
    """An experiment that travels to a worker as a file and its name there.

    Attributes
    ----------
    path, digest : str
        Where the file is, and the SHA-256 of what it held.
    """

    path: str = ""
    digest: str = ""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str, str, str]]:
        return _experiment_of, (self.path, self.digest, self.name)


def load_checks(path: str | Path) -> tuple[Check, ...]:
    """Checks of a file.

    Parameters
    ----------
    path : str or Path
        A Python file that defines ``CHECKS``.

    Returns
    -------
    tuple of Check
        In the order of the file, with experiments that can travel to workers.

    Raises
    ------
    ValueError
        If there is no such file, it cannot be run, or ``CHECKS`` is missing, empty, or no sequence
        of `Check`, with different names and one experiment to each name of an experiment.
    """
    shown, full = str(path), Path(path).resolve()
    if not full.is_file():
        raise ValueError(
            f"--checks: given {shown!r}, expected a Python file that defines CHECKS: there is no "
            "such file"
        )
    digest = _digest(full)
    module = _run(full, shown)
    found = getattr(module, "CHECKS", None)
    if found is None:
        raise ValueError(
            f"--checks: {shown} defines no CHECKS, expected CHECKS = (Check(...), ...): "
            "see docs/extending.md"
        )
    entries = found if isinstance(found, list | tuple) else [found]
    others = {type(entry).__name__ for entry in entries if not isinstance(entry, Check)}
    if others or entries is not found:
        raise ValueError(
            f"--checks: CHECKS of {shown} is or holds {', '.join(sorted(others or {'Check'}))}, "
            "expected a list or tuple of ornstein.verification.checks.Check"
        )
    if not found:
        raise ValueError(f"--checks: CHECKS of {shown} is empty, expected at least one Check")
    experiments: dict[str, Experiment] = {}
    for check in found:
        if experiments.setdefault(check.experiment.name, check.experiment) is not check.experiment:
            raise ValueError(
                f"--checks: {shown} has two experiments of the name {check.experiment.name!r}, "
                "expected different names: the name seeds the random numbers"
            )
    for name in _repeated(check.name for check in found):
        raise ValueError(
            f"--checks: {shown} has two checks of the name {name!r}, expected different names"
        )
    own = {
        name: OwnExperiment(e.name, e.simulate, e.fast, e.full, str(full), digest)
        for name, e in experiments.items()
    }
    return tuple(replace(check, experiment=own[check.experiment.name]) for check in found)


def _run(path: Path, shown: str) -> ModuleType:
    """The file as a module, under a name that no other module has."""
    name = f"ornstein_checks_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}"
    loader = importlib.machinery.SourceFileLoader(name, str(path))
    spec = importlib.util.spec_from_loader(name, loader)
    assert spec is not None  # a loader was given
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look up the module of their class; functions may import when they are called.
    sys.modules[name] = module
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))
    try:
        # Not loader.exec_module, which may take a stale .pyc for an edited file.
        exec(loader.source_to_code(path.read_bytes(), str(path)), module.__dict__)  # noqa: S102
    except (Exception, SystemExit) as error:
        del sys.modules[name]
        raise ValueError(f"--checks: {shown} cannot be run: {_where(error, path)}") from error
    return module


def _where(error: BaseException, path: Path) -> str:
    """Kind and text of an error, and the line of the file that it came from."""
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    if isinstance(error, SyntaxError):
        return what
    lines = [
        frame.lineno
        for frame in traceback.extract_tb(error.__traceback__)
        if frame.filename == str(path)
    ]
    return f"line {lines[-1]}: {what}" if lines else what


def _repeated(names: Iterator[str]) -> Iterator[str]:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            yield name
        seen.add(name)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


@lru_cache(maxsize=8)
def _experiments(path: str, digest: str) -> dict[str, Experiment]:
    """Experiments of a file by name, as long as it holds what it held."""
    if _digest(Path(path)) != digest:
        raise ValueError(f"{path} was changed while its checks ran: run them again")
    return {check.experiment.name: check.experiment for check in load_checks(path)}


def _experiment_of(path: str, digest: str, name: str) -> Experiment:
    """The experiment of that name: what a worker makes of an `OwnExperiment`."""
    return _experiments(path, digest)[name]
