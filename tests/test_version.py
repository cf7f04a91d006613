"""One version, that of ``ornstein/__init__.py``, everywhere."""

import re
from importlib.metadata import version
from pathlib import Path

import ornstein

ROOT = Path(__file__).parents[1]


def test_the_package_and_its_citation_have_one_version() -> None:
    cited = re.search(r"^version: (\S+)$", (ROOT / "CITATION.cff").read_text(), re.MULTILINE)
    assert cited is not None
    assert ornstein.__version__ == version("ornstein") == cited[1]
