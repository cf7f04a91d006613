"""The explorer's page in Chromium: how soon it answers from disk, what a drag frame takes."""

from __future__ import annotations

__all__ = ["run"]

import itertools
import shutil
import tempfile
from pathlib import Path

import numpy as np

from ornstein.explorer import write_explorer

_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_REPEATS = 5
_PANELS = ("distances", "steps")  # the first of those in sight
_CONTROLS = ("ratio_n", "d", "exponent", "T", "noise", "S")
# One stop of a slider, until the browser has painted the page's frame.
_DRAG = """async ([name, stop]) => {
  const slider = document.getElementById(`input-${name}`);
  const channel = new MessageChannel();
  const painted = new Promise((done) => {
    requestAnimationFrame(() => {
      channel.port1.onmessage = () => done();
      channel.port2.postMessage(0);
    });
  });
  slider.value = stop;
  slider.dispatchEvent(new Event("input", { bubbles: true }));
  await painted;
}"""
# More than the page remembers, so that every frame is of a new population or size.
_STOPS = 26
_ROUNDS = 3
_SHOWN = 'performance.getEntriesByName("shown")[0].startTime'


def run() -> None:
    """Print all tables of this file."""
    from playwright.sync_api import sync_playwright

    print("## The explorer's page\n")
    found = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if found is None:
        print("No Chromium on the path: apt-get install chromium\n")
        return
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        file = Path(folder) / "explorer.html"
        write_explorer(file)
        print(f"{file.stat().st_size / 1e3:.0f} kB\n")
        options = ["--no-sandbox", "--disable-dev-shm-usage"]
        browser = playwright.chromium.launch(executable_path=found, args=options)
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        # The processor time of the page's thread: other programs of the machine do not count.
        counters = page.context.new_cdp_session(page)
        counters.send("Performance.enable", {"timeDomain": "threadTicks"})

        def busy() -> dict[str, float]:
            metrics = counters.send("Performance.getMetrics")["metrics"]
            return {each["name"]: 1e3 * each["value"] for each in metrics}

        print("| first numbers from disk, ms | processor time, ms |\n|---|---|")
        for _ in range(_REPEATS):
            page.goto("about:blank")
            before = busy()
            page.goto(f"{file.as_uri()}#detail=full")
            page.wait_for_function('performance.getEntriesByName("shown").length > 0')
            used = busy()["TaskDuration"] - before["TaskDuration"]
            print(f"| {page.evaluate(_SHOWN):.0f} | {used:.0f} |")
        print()
        print("Drag frames, ms of processor time, the least of a few rounds at each stop\n")
        print("| spectrum | in sight | control | median | worst | scripts, worst |")
        print("|---|---|---|---|---|---|")
        for spectrum, panel in itertools.product(("isotropic", "power-law"), _PANELS):
            page.evaluate("s => { location.hash = `detail=full&spectrum=${s}`; }", spectrum)
            page.evaluate("id => document.getElementById(id).scrollIntoView()", f"panel-{panel}")
            page.wait_for_timeout(1000)
            for name in _CONTROLS:
                if name == "exponent" and spectrum == "isotropic":
                    continue
                last = int(page.get_attribute(f"#input-{name}", "max") or 0)
                middle = int(page.input_value(f"#input-{name}"))
                first = max(0, min(middle, last - _STOPS // 2) - _STOPS // 2)
                stops = range(first, min(first + _STOPS, last + 1))
                times = np.empty((_ROUNDS, len(stops), 2))
                for index in np.ndindex(times.shape[:2]):
                    before = busy()
                    page.evaluate(_DRAG, [name, stops[index[1]]])
                    after = busy()
                    times[index] = [
                        after[key] - before[key] for key in ("TaskDuration", "ScriptDuration")
                    ]
                whole, scripts = times.min(axis=0).T
                row = f"{np.median(whole):.0f} | {whole.max():.0f} | {scripts.max():.0f}"
                print(f"| {spectrum} | {panel} | {name} | {row} |")
                page.wait_for_timeout(500)
        print()
        browser.close()
