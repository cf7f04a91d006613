"""Every code block of README and docs runs, and prints what stands there.

A block after a comment ``<!-- not run: reason -->`` is only read: its commands must parse.
The Python of a comment ``<!-- before: ... -->`` runs first: it defines what a block takes as given.
A block after ``<!-- goes on -->`` runs after the block above it, with its names, in one test.
"""

import doctest
import re
import shlex
import sys
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

import pytest

from ornstein.cli.main import _parse, main

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(
    r"(?:<!-- not run: (?P<why>.*?) -->\s*)?(?:<!-- before:(?P<before>.*?)-->\s*)?"
    r"(?P<goes_on><!-- goes on -->\s*)?"
    r"^```(?P<kind>[^\n]*)\n(?P<text>.*?)^```",
    re.MULTILINE | re.DOTALL,
)
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


class Block(NamedTuple):
    """A fenced block of a page."""

    page: str
    line: int
    kind: str
    text: str
    why_not: str | None
    before: str


def blocks() -> list[Block]:
    found = []
    for page in PAGES:
        if "_build" in page.parts:
            continue
        content = page.read_text()
        for match in FENCE.finditer(content):
            line = content[: match.start()].count("\n") + 1
            name = str(page.relative_to(ROOT))
            before = match["before"] or ""
            if match["goes_on"]:
                above = found.pop()  # runs with this one
                assert (above.page, above.kind) == (name, "python"), f"{name}:{line} goes on alone"
                before = above.before + above.text
            found.append(Block(name, line, match["kind"], match["text"], match["why"], before))
    return found


def of_kind(*kinds: str) -> list:
    return [
        pytest.param(block, id=f"{block.page}:{block.line}")
        for block in blocks()
        if block.kind in kinds
    ]


def commands(text: str) -> list[tuple[list[str], str]]:
    """Commands of a console block, each with the output that stands under it."""
    found: list[tuple[list[str], list[str]]] = []
    lines = iter(text.splitlines())
    for line in lines:
        if line.startswith("$ "):
            whole = line[2:]
            while whole.endswith("\\"):
                whole = whole[:-1] + next(lines)
            found.append((shlex.split(whole, comments=True), []))
        elif found:
            found[-1][1].append(line)
    return [(words, "\n".join(output).strip()) for words, output in found]


def test_each_block_says_what_it_is() -> None:
    known = {"console", "python", "pycon", "text", "bibtex", "yaml", "bash"}
    kinds = {block.kind for block in blocks()}
    assert {kind for kind in kinds if not kind.startswith("{")} <= known  # not directives


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder of its own, where a study writes no figures and starts no workers.

    They change nothing that is printed, and are tested where they are made.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("joblib.effective_n_jobs", lambda *_: 1)
    monkeypatch.setattr("ornstein.engine.summary.Summary.write_figures", lambda *_: None)


@pytest.mark.slow
@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("block", of_kind("console"))
def test_commands(block: Block, capsys: pytest.CaptureFixture) -> None:
    exec(compile(block.before, block.page, "exec"), {})
    for words, expected in commands(block.text):
        if words[0] != "ornstein":
            assert words[0] in {"python", "make", "pip", "dask", "sbatch", "tensorboard"}, words
            continue
        if block.why_not is not None:
            _parse(words[1:])
            continue
        assert main(words[1:]) == 0, words
        printed = capsys.readouterr().out
        if expected:
            assert matches(expected, printed), printed


def matches(expected: str, printed: str) -> bool:
    """Whether each part between ``...`` of the expected text stands in what was printed."""
    return doctest.OutputChecker().check_output(f"...{expected}...\n", printed, FLAGS)


# Of diffusers, under NumPy 2.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.usefixtures("place")
@pytest.mark.parametrize("block", of_kind("python", "pycon"))
def test_python(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    if block.why_not is not None:
        compile(block.text, block.page, "exec") if block.kind == "python" else None
        return
    if block.kind == "python":
        module = ModuleType("documentation")
        monkeypatch.setitem(sys.modules, module.__name__, module)  # so that its classes are pickled
        exec(compile(block.before, block.page, "exec"), vars(module))
        exec(compile(block.text, block.page, "exec"), vars(module))
        return
    flags = FLAGS | doctest.register_optionflag("NUMBER")
    test = doctest.DocTestParser().get_doctest(block.text, {}, block.page, block.page, block.line)
    runner = doctest.DocTestRunner(checker=_checker(), optionflags=flags)
    out: list[str] = []
    runner.run(test, out=out.append)
    assert runner.failures == 0, "".join(out)


def _checker() -> doctest.OutputChecker:
    """pytest's, which compares numbers to the digits that are written."""
    from _pytest.doctest import _get_checker

    return _get_checker()


def test_a_wrong_output_is_seen() -> None:
    assert matches("KL  18.1", "head\nn   KL   18.1\n")
    assert not matches("KL  18.2", "head\nn   KL   18.1\n")


def test_commands_are_read_with_their_output() -> None:
    text = "$ ornstein linear \\\n    --dim 3  # few\nn  KL\n1  2\n$ ornstein verify\n"
    assert commands(text) == [
        (["ornstein", "linear", "--dim", "3"], "n  KL\n1  2"),
        (["ornstein", "verify"], ""),
    ]
