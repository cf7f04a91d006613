"""docs/theory*.md: every section that `verify` names, every check in it, every function linked."""

import importlib
import json
import re
from pathlib import Path

import pytest

from ornstein import theory
from ornstein.cli.main import main
from ornstein.verification.registry import CHECKS, SECTIONS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {path: path.read_text() for path in [DOCS / "theory.md", *sorted(DOCS.glob("theory/*.md"))]}
ALL = "\n".join(PAGES.values())
# Headings of numbered sections: number, title, and what stands below up to the next heading.
NUMBERED = re.compile(r"^##+ (\d+(?:\.\d+)?) (.+)\n([\s\S]*?)(?=^#+ |\Z)", re.MULTILINE)
SECTION = {m[1]: (m[2], m[3]) for text in PAGES.values() for m in NUMBERED.finditer(text)}
LINK = re.compile(r"\]\(#(ornstein[\w.]+)\)")


def entry(section: str, name: str) -> str:
    """The item `name` of the list that ends a section, in one line."""
    found = re.search(
        rf"^- \*\*{name}\*\*:([\s\S]*?)(?=^- |\Z|\n\n)", SECTION[section][1], re.MULTILINE
    )
    assert found is not None, (section, name)
    return " ".join(found[1].split())


def names_in(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


@pytest.mark.parametrize("section", SECTIONS)
def test_each_section_is_a_heading_of_the_same_title(section: str) -> None:
    assert SECTION[section][0] == SECTIONS[section]
    for name in ("Functions", "Checks", "Left out", "Source"):
        assert entry(section, name)
    assert "$$" in SECTION[section][1]


def test_every_check_names_a_section_and_stands_in_it() -> None:
    assert {check.section for check in CHECKS} <= set(SECTIONS) <= set(SECTION)
    for section in SECTIONS:
        documented = names_in(entry(section, "Checks"))
        assert sorted(documented) == sorted(c.name for c in CHECKS if c.section == section)


def test_numbers_of_sections_are_used_once() -> None:
    numbers = [m[1] for text in PAGES.values() for m in NUMBERED.finditer(text)]
    assert len(numbers) == len(set(numbers))


def test_every_public_function_is_linked() -> None:
    linked = {LINK_TARGET.rpartition(".")[2] for LINK_TARGET in LINK.findall(ALL)}
    assert set(theory.__all__) <= linked


def test_every_link_leads_to_what_it_names() -> None:
    for text, target in re.findall(r"\[`(\w+)`\]\(#(ornstein[\w.]+)\)", ALL):
        home, _, name = target.rpartition(".")
        assert text == name
        assert getattr(importlib.import_module(home), name).__module__ == home
        if name in theory.__all__:
            assert getattr(theory, name).__module__ == home


def test_every_link_leads_to_a_module_of_the_reference() -> None:
    reference = (DOCS / "api.rst").read_text()
    modules = set(re.findall(r"^   (ornstein[\w.]+)$", reference, re.MULTILINE))
    homes = {
        target if target in modules else target.rpartition(".")[0] for target in LINK.findall(ALL)
    }
    assert homes <= modules


def test_every_page_is_in_the_table_of_contents() -> None:
    listed = set(re.findall(r"^theory/\w+$", PAGES[DOCS / "theory.md"], re.MULTILINE))
    assert {f"theory/{path.stem}" for path in PAGES if path.parent != DOCS} == listed


def test_what_is_this_projects_own_is_supported_by_checks_of_its_sections() -> None:
    text = PAGES[DOCS / "theory.md"]
    table = text[text.index("## What is this project's own") :]
    rows = re.findall(r"^\| (.+) \| ([\d., ]+) \| (.+) \|$", table, re.MULTILINE)
    assert len(rows) >= 10
    sections_of = {check.name: check.section for check in CHECKS}
    for _, sections, checks in rows:
        given = set(sections.replace(" ", "").split(","))
        assert given <= set(SECTIONS)
        assert names_in(checks)
        assert {sections_of[name] for name in names_in(checks)} <= given
    # What the registry credits to this project is in the table.
    own = {check.section for check in CHECKS if "this project" in check.source}
    assert own <= {s for _, sections, _ in rows for s in sections.replace(" ", "").split(",")}


# ---- docs/extending.md


@pytest.fixture
def example(tmp_path: Path) -> Path:
    """The worked example, as a reader would save it."""
    text = (DOCS / "extending.md").read_text()
    section = text[text.index("## A theory result with its check") :]
    (code,) = re.findall(r"```python\n([\s\S]*?)```", section)
    assert len(code.splitlines()) < 60
    path = tmp_path / "log_variance.py"
    path.write_text(code)
    return path


def test_the_worked_example_of_own_checks_does_what_the_page_says(
    example: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["verify", "--checks", str(example), "--fast", "--jobs", "2"]
    assert main(options) == 1
    out, err = capsys.readouterr()
    assert err == ""
    marks = [line.split()[-1] for line in out.splitlines() if "n=12" in line]
    assert marks == ["ok", "ok", "FAIL"]
    assert "log-variance: Muirhead 1982; a Taylor series; a slip" in out
    assert "1 of 3 checks FAILED, named above." in out
    # The allowance of the second is not what makes it pass for the third.
    alone = [*options[:-1], "1"]  # without starting workers again
    assert main([*alone, "--only", "exact,expanded", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert [row["check"] for row in rows] == ["exact", "expanded"]
    assert [row["allowance"] for row in rows] == [0, pytest.approx(1 / 144)]
