"""The browser and the page for all tests here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tests.explorer.browser import Opened, browser

from ornstein.explorer import write_explorer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

__all__ = ["browser", "page_file", "opened"]


@pytest.fixture(scope="session")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page without a study."""
    path = tmp_path_factory.mktemp("explorer") / "explorer.html"
    write_explorer(path)
    return path


@pytest.fixture
def opened(browser: Any, page_file: Path) -> Iterator[Callable[..., Opened]]:  # noqa: F811
    """Open the page, or another file, and close it after the test; nothing may have gone wrong."""
    pages: list[Opened] = []

    def open_page(file: Path = page_file, **options: Any) -> Opened:
        pages.append(Opened(browser, file, **options))
        return pages[-1]

    yield open_page
    for page in pages:
        page.context.close()
        assert page.complaints == []
        # The worker's script is in the page, and has an address of the page's own making.
        others = [url for url in page.requests if not url.startswith(("file:", "blob:", "about:"))]
        assert others == []
        assert {url.split("#")[0] for url in page.requests if url.startswith("file:")} <= {
            page.file.as_uri()
        }
