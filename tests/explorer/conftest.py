"""The browser and the page for all tests here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.explorer.browser import Opened, browser

from ornstein.explorer import write_explorer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["browser", "page_file", "opened", "page", "shared", "simulating"]


@pytest.fixture(scope="session")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page without a study."""
    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    write_explorer(path)
    return path


@pytest.fixture
def opened(browser: Any, page_file: Path) -> Iterator[Callable[..., Opened]]:
    """Open the page, or another file, and close it after the test; nothing may have gone wrong."""
    pages: list[Opened] = []

    def open_page(file: Path = page_file, **options: Any) -> Opened:
        pages.append(Opened(browser, file, **options))
        return pages[-1]

    yield open_page
    for each in pages:
        each.context.close()
        each.check()


@pytest.fixture(scope="module")
def shared(browser: Any, page_file: Path) -> Opened:
    """A page that stays open: opening one anew takes a second."""
    return Opened(browser, page_file)


@pytest.fixture(scope="module")
def always_simulating(browser: Any, page_file: Path) -> Opened:
    """Another page that stays open, where replicates are simulated."""
    return Opened(browser, page_file)


@pytest.fixture
def simulating(always_simulating: Opened) -> Iterator[Opened]:
    """The page where replicates are simulated; nothing may have gone wrong in the test."""
    yield always_simulating
    always_simulating.check()


@pytest.fixture
def page(shared: Opened) -> Iterator[Opened]:
    """The page that is open; nothing may have gone wrong in the test."""
    yield shared
    shared.check()
