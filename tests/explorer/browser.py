"""Chromium for the tests of the page: one a module, the page opened from disk."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# The page hears of a new state before this promise is kept.
_GO = """state => new Promise((done) => {
  if (location.hash === `#${state}`) done();
  addEventListener("hashchange", () => done(), {once: true});
  location.hash = state;
})"""
_TWO_FRAMES = """() => new Promise((done) =>
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 10))))"""
_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def chromium() -> str:
    """The browser on the path; without one the test is skipped, or fails where CI is set."""
    found = next(filter(None, map(shutil.which, _NAMES)), None)
    if found is None:
        reason = "no Chromium on the path: apt-get install chromium"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return found


# The page waits 0.35 s after the last move, and longer before it speaks; tests move once.
_SHORT_WAITS = """
const usual = window.setTimeout;
window.setTimeout = (f, ms, ...more) => usual(f, Math.min(ms ?? 0, 30), ...more);
"""
# Single draws are made as usual; replicates are what takes a processor's time after each change.
_WITHOUT_REPLICATES = """
const Usual = window.Worker;
window.Worker = class extends Usual {
  postMessage(message) { if (message.kind !== "replicates") super.postMessage(message); }
};
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A Chromium that all tests of a module share.

    Not of a session: while it is open an event loop is, in which other tests' own cannot run.
    """
    path = chromium()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        # Containers have neither the rights of Chromium's sandbox nor room in /dev/shm.
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        launched = playwright.chromium.launch(executable_path=path, args=options)
        yield launched
        launched.close()


class Opened:
    """A page, and what it complained about or asked for."""

    def __init__(
        self,
        browser: Any,
        file: Path,
        *,
        width: int = 1280,
        dark: bool = False,
        simulates: bool = True,
    ) -> None:
        self.file = file
        scheme = "dark" if dark else "light"
        self.context = browser.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme
        )
        self.context.add_init_script(
            "if (navigator.clipboard)"
            " navigator.clipboard.writeText = async (text) => { window.copied = text; };"
        )
        self.context.add_init_script(_SHORT_WAITS)
        if not simulates:
            self.context.add_init_script(_WITHOUT_REPLICATES)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.complaints.append(message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))

    def go(self, state: str = "") -> Any:
        """Open the page at a state of its address, and wait until it rests."""
        if self.page.url.startswith("file:"):
            self.page.evaluate(_GO, state)
        else:
            self.page.goto(f"{self.file.as_uri()}#{state}")
        self.rest()
        return self.page

    def rest(self) -> None:
        """Wait until nothing moves any more; what was pressed is heard within two frames."""
        self.page.evaluate(_TWO_FRAMES)
        self.page.wait_for_selector('main[aria-busy="false"]', state="attached")

    def press(self, selector: str, *keys: str) -> None:
        """Focus a control, press keys, and wait until the page rests again."""
        self.page.focus(selector)
        for key in keys:
            self.page.keyboard.press(key)
        self.rest()

    def unfold(self) -> None:
        """Show the tables of all panels."""
        for summary in self.page.query_selector_all("details.numbers:not([open]) > summary"):
            summary.click()

    def check(self) -> None:
        """Nothing was complained about, and nothing loaded but the file."""
        assert self.complaints == []
        # The worker's script is in the page, and has an address of the page's own making.
        own = self.file.as_uri()
        assert [url for url in self.requests if not url.startswith((own, "blob:"))] == []

    def numbers(self) -> dict[str, tuple[float, str]]:
        """Numbers of the sentences, with all digits and as they are read."""
        found = self.page.eval_on_selector_all(
            "[data-name]", "all => all.map(e => [e.dataset.name, e.dataset.value, e.textContent])"
        )
        return {name: (float(value), text) for name, value, text in found}

    def address(self) -> dict[str, str]:
        """What the address holds after its #."""
        from urllib.parse import parse_qsl, urlsplit

        return dict(parse_qsl(urlsplit(self.page.url).fragment))
