"""The explorer's page in Chromium: how soon it answers from disk, how long a drag frame takes."""

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
# From before the page's frame until the browser has painted it, for each stop of a slider.
_DRAG = """async (name) => {
  const slider = document.getElementById(`input-${name}`);
  const channel = new MessageChannel();
  const times = Array.from({ length: STOPS }, () => []);
  const middle = Number(slider.value);
  for (let k = 0; k < STOPS * REPEATS; k++) {
    const painted = new Promise((done) => {
      requestAnimationFrame(() => {
        const start = performance.now();
        channel.port1.onmessage = () => done(performance.now() - start);
        channel.port2.postMessage(0);
      });
    });
    slider.value = middle + (k % STOPS) - STOPS / 2;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    times[k % STOPS].push(await painted);
  }
  return times;
}""".replace("STOPS", "6").replace("REPEATS", "8")
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
        print("Drag frames, ms: processor time, mean (of it scripts); by the clock\n")
        print("| spectrum | in sight | control | busy | scripts | median | worst |")
        print("|---|---|---|---|---|---|---|")
        for spectrum, panel in itertools.product(("isotropic", "power-law"), _PANELS):
            page.evaluate("s => { location.hash = `detail=full&spectrum=${s}`; }", spectrum)
            page.evaluate("id => document.getElementById(id).scrollIntoView()", f"panel-{panel}")
            page.wait_for_timeout(1000)
            for name in _CONTROLS:
                if name == "exponent" and spectrum == "isotropic":
                    continue
                before = busy()
                times = np.array(page.evaluate(_DRAG, name))
                after = busy()
                busy_for, scripts = (
                    (after[key] - before[key]) / times.size
                    for key in ("TaskDuration", "ScriptDuration")
                )
                row = f"{busy_for:.1f} | {scripts:.1f} | {np.median(times):.0f} | {times.max():.0f}"
                print(f"| {spectrum} | {panel} | {name} | {row} |")
                page.wait_for_timeout(500)
        print()
        browser.close()
