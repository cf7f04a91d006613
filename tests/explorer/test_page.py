"""The explorer in Chromium: its numbers are those of Python, whatever moves them."""

from __future__ import annotations

import json
import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.explorer.browser import Opened

from ornstein import __version__, theory
from ornstein.cli.main import _parse, main
from ornstein.data.spectra import read_spectrum
from ornstein.intervals import wilson_interval

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


SMALL = "d=9&n=2&detail=full"
DEFAULTS = {"d": 100, "n": 1.2, "T": 2, "noise": 1, "exponent": 1, "ratio": 10, "share": 0.5}
DEFAULTS |= {"S": 20, "seed": 0, "spectrum": "power-law", "sampler": "ddpm:large"}
DEFAULTS |= {"grid": "tangent", "schedule": "linear"}


def read(address: dict[str, str]) -> dict[str, Any]:
    """The state that an address stands for, with its numbers as numbers."""
    state = {**DEFAULTS, **address}
    words = {"spectrum", "sampler", "grid", "schedule", "list", "detail", "theme"}
    return {key: value if key in words else float(value) for key, value in state.items()}


def eigenvalues(state: dict[str, Any]) -> np.ndarray:
    name = {
        "isotropic": "isotropic",
        "power-law": f"power-law:{state['exponent']}",
        "two-level": f"two-level:{state['ratio']}:{state['share']}",
        "list": state.get("list"),
    }[state["spectrum"]]
    dim = None if state["spectrum"] == "list" else int(state["d"])
    values = read_spectrum(name, dim)
    return values / values.mean()


def expected(state: dict[str, Any], *, edges: bool = True) -> dict[str, float]:
    """What Python says of all numbers in sentences; the edges of a support take it a second."""
    values = eigenvalues(state)
    d = values.size
    n = max(2, math.floor(state["n"] * d + 0.5))
    noising = state["T"], state["noise"]
    support = math.nan, math.nan
    if state["spectrum"] == "isotropic":
        law = theory.one_step(d, n, *noising)
        support = theory.one_step_support(d / (n - 1), float(law.signal_fraction))
    else:
        law = theory.one_step_anisotropic(values, n, *noising)
        if edges:
            found_edges = theory.one_step_anisotropic_support(values, n, *noising)
            support = float(found_edges[0, 0]), float(found_edges[-1, 1])
    found = {name: float(getattr(law, name)) for name in ("kl", "threshold", "trace")}
    found |= {"answer_kl": found["kl"], "kl_infinite_data": float(law.kl_infinite_data)}
    found |= {"hellinger_squared": float(law.hellinger_squared)}
    found |= {"wasserstein_squared": float(law.wasserstein_squared)}
    found |= {"support_low": support[0], "support_high": support[1]}
    noise, auc = theory.most_revealing_noise(values, n)
    found |= {"noise": noise, "auc": auc, "enough": theory.points_for_auc(values, noise, 0.55)}
    return found | steps_expected(state, values, n)


def steps_expected(state: dict[str, Any], values: np.ndarray, n: int) -> dict[str, float]:
    sampler, S = state["sampler"], int(state["S"])
    schedule = state["grid"] if sampler in {"euler", "heun"} else state["schedule"]
    if schedule == "tangent":
        schedule = f"tangent:{state['variance']:g}"
    best = theory.best_steps(values, n, sampler, schedule)
    found = {"best_steps": best.steps, "steps_limit": best.kl_limit}
    for name, levels in (("steps_kl", schedule), ("karras_kl", "karras")):
        found[name] = float(theory.sampler_quality(values, S, sampler, levels, n_train=n).kl)
    return found


def rounded(value: float, digits: int = 3) -> str:
    """As sentences have it: some digits, larger numbers whole."""
    if math.isinf(value):
        return "infinite"
    if abs(value) >= 1e5 or abs(value) < 1e-3:
        head, power = f"{value:.{digits - 1}e}".split("e")
        return f"{head.rstrip('0').rstrip('.')}e{int(power)}"
    near = float(f"{value:.{digits}g}")
    return f"{value:.0f}" if near >= 10**digits else f"{value:#.{digits}g}".rstrip(".")


# An optimum on a flat top, and edges of a support, are found to fewer digits.
LOOSE = {"noise": 2e-3, "enough": 2e-3, "support_low": 2e-3, "support_high": 2e-3}


def agree(page: Opened, *, edges: bool = True, **more: Any) -> dict[str, float]:
    """Compare all numbers of the page with Python's, at the state of its address."""
    python = expected(read(page.address()) | more, edges=edges)
    found = page.numbers()
    assert len(found) >= 8
    for name, (value, text) in found.items():
        if math.isnan(python[name]):
            continue
        tolerance = LOOSE.get(name, 1e-8)
        assert value == pytest.approx(python[name], rel=tolerance, abs=1e-12), name
        if name in {"kl", "answer_kl", "wasserstein_squared", "steps_kl", "karras_kl"}:
            assert text.removesuffix(" nats") == rounded(value), name
    return {name: value for name, (value, _) in found.items()}


@pytest.fixture(scope="module")
def shared(browser: Any, page_file: Path) -> Opened:
    """A page that stays open, and simulates no replicates: they are looked at elsewhere."""
    return Opened(browser, page_file, simulates=False)


def test_opens_from_disk(page: Opened, page_file: Path) -> None:
    assert page_file.stat().st_size < 1e6
    shown = page.go()
    assert shown.title().startswith("When does a diffusion model memorize its training set?")
    assert shown.inner_text("h1").startswith("When does a diffusion model memorize")
    assert f"Version {__version__}" in shown.inner_text("main")
    law = theory.one_step_anisotropic(eigenvalues(read({})), 120)
    assert page.numbers()["kl"] == (pytest.approx(law.kl, rel=1e-9), f"{rounded(law.kl)} nats")
    # In the simple view formulas and further controls are not there.
    assert not shown.is_visible("#input-T")
    assert not shown.is_visible("#panel-distances .formula")
    for selector in ("#panel-distances", "#panel-spectrum", "#panel-steps", "#panel-membership"):
        assert shown.query_selector(f"{selector} .drawing[aria-label]") is not None


MOVES = [
    ("ratio_n", SMALL, "PageUp", {"kl", "trace", "auc", "steps_kl"}),
    ("d", SMALL, "ArrowLeft", {"kl", "threshold", "auc", "steps_limit"}),
    ("exponent", SMALL, "ArrowLeft", {"kl", "threshold", "enough", "steps_kl"}),
    ("T", SMALL, "ArrowLeft", {"kl", "threshold", "support_high"}),
    ("noise", SMALL, "ArrowRight", {"kl", "threshold", "kl_infinite_data"}),
    ("S", SMALL, "ArrowLeft", {"steps_kl", "karras_kl"}),
    ("spectrum", SMALL, "ArrowDown", {"kl", "threshold", "support_high"}),
    ("ratio", f"{SMALL}&spectrum=two-level", "ArrowRight", {"kl", "threshold"}),
    ("share", f"{SMALL}&spectrum=two-level", "End", {"kl", "threshold"}),
    ("sampler", SMALL, "ArrowDown", {"steps_kl", "karras_kl"}),
    ("schedule", SMALL, "ArrowDown", {"steps_kl"}),
    ("grid", f"{SMALL}&sampler=euler&spectrum=isotropic", "ArrowDown", {"steps_kl"}),
]


@pytest.mark.parametrize(("control", "state", "key", "moved"), MOVES, ids=[m[0] for m in MOVES])
def test_each_control_by_keyboard(
    page: Opened, control: str, state: str, key: str, moved: set[str]
) -> None:
    page.go(state)
    before = {name: value for name, (value, _) in page.numbers().items()}
    page.press(f"#input-{control}", key)
    # The tangent law for equal variances is that of their variance.
    after = agree(page, edges="support_high" in moved, variance=1.0)
    assert page.address() != dict(part.split("=") for part in state.split("&"))
    assert all(before[name] != after.get(name) for name in moved)


def test_numbers_typed_and_a_list_pasted(page: Opened) -> None:
    shown = page.go(SMALL)
    page.press("#field-T", "Control+a", "0", ".", "3", "3", "Enter")
    assert page.address()["T"] == "0.33"
    agree(page)
    shown.select_option("#input-spectrum", "list")
    shown.fill("#input-list", "5 4\n1,0.5;0.25")
    page.rest()
    agree(page)
    assert page.address()["list"] == "5,4,1,0.5,0.25"
    shown.fill("#input-list", "5, -1")
    assert 'given "-1", expected numbers above 0' in shown.inner_text("#control-list .wrong")
    agree(page)


def test_reset_link_and_what_is_read_aloud(page: Opened) -> None:
    shown = page.go("d=9&n=3&T=0.7&noise=0.6&S=7&seed=3&sampler=heun&theme=dark&detail=full")
    page.press("#input-S", "ArrowRight")
    spoken = {"ratio_n": "3 d = 27", "d": "9", "T": "0.7", "noise": "0.6", "S": "8"}
    for name, text in spoken.items():
        assert shown.get_attribute(f"#input-{name}", "aria-valuetext") == text
    # The link is of what is shown, though the address waits until the controls rest.
    shown.evaluate(
        """() => {
          const slider = document.getElementById("input-T");
          slider.value = Number(slider.value) + 1;
          slider.dispatchEvent(new Event("input", {bubbles: true}));
          document.getElementById("copy-link").click();
        }"""
    )
    shown.wait_for_function("(window.copied ?? '').includes('T=0.75&')")
    shown.wait_for_function(
        "document.getElementById('announced').textContent.startsWith('At n = 3 d') &&"
        "document.getElementById('answer').textContent"
        ".startsWith(document.getElementById('announced').textContent.slice(0, 60))"
    )
    shown.click("#reset")
    page.rest()
    assert page.address() == {"theme": "dark", "detail": "full"}
    assert shown.input_value("#field-T") == "2"


def test_infinite_is_a_word(page: Opened) -> None:
    page.go("d=16&n=0.5")
    found = page.numbers()
    assert found["kl"] == (math.inf, "infinite")
    assert found["steps_limit"] == (math.inf, "infinite")
    assert "for 9 of 16 directions are missing" in page.page.inner_text("#answer")
    assert "9 of 16 directions" in page.page.inner_text("#panel-spectrum .said")
    agree(page)


def test_the_state_survives_a_reload(page: Opened) -> None:
    chosen = "d=16&n=3&T=0.5&noise=2&exponent=0.5&S=7&seed=3&sampler=ddim&schedule=cosine"
    state = f"{chosen}&detail=full&theme=dark"
    shown = page.go(state)
    page.press("#input-T", "ArrowRight")
    before, address = page.numbers(), page.address()
    assert address == dict(part.split("=") for part in state.split("&")) | {"T": "0.55"}
    shown.reload()
    page.rest()
    assert (page.numbers(), page.address()) == (before, address)
    assert shown.input_value("#input-sampler") == "ddim"
    assert shown.get_attribute("html", "data-theme") == "dark"
    assert shown.input_value("#field-T") == "0.55"
    # What cannot be read is as by default, what is out of range at its end.
    page.go("d=16&n=x&T=-1&sampler=none&exponent=0.5")
    assert page.address() == {"d": "16", "T": "0.001", "exponent": "0.5"}


DROP = """([name, text]) => {
  const data = new DataTransfer();
  data.items.add(new File([text], name, {type: "text/csv"}));
  for (const kind of ["dragenter", "dragover", "drop"]) {
    const options = {dataTransfer: data, bubbles: true, cancelable: true};
    window.dispatchEvent(new DragEvent(kind, options));
  }
}"""
PLACES = """host => ({
  line: host.querySelector("path.line.theory").getAttribute("d"),
  study: [...host.querySelectorAll(".points.study path")].map(e => e.getAttribute("d")),
})"""


def on_curve(page: Opened, chart: int) -> list[float]:
    """How many pixels each point of a study is off the curve of theory, up or down."""
    host = page.page.query_selector_all("#panel-distances .view.grid > div")[chart]
    places = host.evaluate(PLACES)
    line = np.array(re.findall(r"[ML](\S+) (\S+?)(?=[ML]|$)", places["line"]), dtype=float)
    middles = [re.match(r"M(\S+) (\S+?)l", path) for path in places["study"]]
    points = [(float(match[1]), float(match[2]) + 5) for match in middles if match]
    return [abs(y - float(np.interp(x, *line.T))) for x, y in points]


def test_a_dropped_study_lies_on_the_curve(page: Opened) -> None:
    shown = page.go("d=16&n=2&spectrum=isotropic")
    sizes = [20, 32, 50, 80, 160]
    law = theory.one_step(16, sizes)
    head = "train_size,kl_mean,kl_se,hellinger2_mean,hellinger2_se,wasserstein2_mean,"
    head += "wasserstein2_se,delta_positive,delta_positive_low,delta_positive_high"
    columns = (sizes, law.kl, law.hellinger_squared, law.wasserstein_squared)
    rows = [f"{n},{k},0.1,{h},0.001,{w},,0.5,0.4,0.6" for n, k, h, w in zip(*columns, strict=True)]
    shown.evaluate(DROP, ["summary.csv", "\n".join([head, *rows])])
    shown.wait_for_selector("#panel-distances .points.study path", state="attached")
    for chart in range(3):
        offsets = on_curve(page, chart)
        assert len(offsets) == len(sizes)
        assert max(offsets) < 2.5
    assert "5 rows" in shown.inner_text("#study-note")
    shown.evaluate(DROP, ["other.csv", "a,b\n1,2\n"])
    shown.wait_for_function("document.querySelector('#study-note').textContent.includes('other')")
    assert "expected the summary.csv of ornstein linear" in shown.inner_text("#study-note")


def test_no_serious_fault_for_those_who_do_not_see(simulating: Opened) -> None:
    from axe_playwright_python.sync_playwright import Axe

    states = {"dark": "d=4", "light": f"{SMALL}&spectrum=list&sampler=euler"}
    for scheme, state in states.items():
        simulating.page.emulate_media(color_scheme=scheme)
        shown = simulating.go(state)
        simulating.unfold()
        found = Axe().run(shown, options={"resultTypes": ["violations"]}).response["violations"]
        assert [(v["id"], v["nodes"][0]["html"]) for v in found] == []


def test_fits_its_width(opened: Callable[..., Opened]) -> None:
    page = opened(width=375, simulates=False)
    for width in (375, 1280, 768):  # wider than it was opened, and narrower than it was
        page.page.set_viewport_size({"width": width, "height": 800})
        for detail in ("simple", "full"):
            shown = page.go(f"d=9&detail={detail}")
            assert shown.evaluate("document.scrollingElement.scrollWidth") <= width
            boxes = shown.eval_on_selector_all(
                ".drawing svg, canvas",
                "all => all.map(e => e.getBoundingClientRect()).map(b => [b.left, b.right])",
            )
            assert len(boxes) == 7 + 3
            assert np.min(boxes) >= 0
            assert np.max(boxes) <= width


def copied(page: Opened, panel: str, label: str) -> str:
    page.page.click(f"#panel-{panel} .tools button:text-is('{label}')")
    return str(page.page.evaluate("window.copied"))


def answered(command: str, capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    assert command.startswith("ornstein ")
    assert main([*command.split()[1:], "--json"]) == 0
    return json.loads(capsys.readouterr().out)


@pytest.mark.parametrize("state", ["d=9&n=3&T=0.7&spectrum=isotropic", "d=9&n=2&noise=0.6"])
def test_copied_commands_give_the_numbers(
    page: Opened, capsys: pytest.CaptureFixture[str], state: str
) -> None:
    page.go(state)
    numbers = {name: value for name, (value, _) in page.numbers().items()}
    found = answered(copied(page, "distances", "Copy the command"), capsys)
    for name in ("kl", "wasserstein_squared", "hellinger_squared", "trace"):
        assert found[name] == [pytest.approx(numbers[name], rel=1e-8)], name
    found = answered(copied(page, "spectrum", "Copy the command"), capsys)
    assert np.ravel(found["support"])[-1] == pytest.approx(numbers["support_high"], rel=2e-3)
    found = answered(copied(page, "membership", "Copy the command"), capsys)
    assert found["largest_auc"] == pytest.approx([numbers["auc"]], rel=1e-8)
    found = answered(copied(page, "steps", "Copy the command"), capsys)
    assert found["kl_limit_ddpm_large"] == [pytest.approx(numbers["steps_limit"], rel=1e-8)]
    assert found["steps_ddpm_large"] == [numbers["best_steps"]]
    simulation = copied(page, "distances", "Copy the simulation")
    _parse(simulation.split()[1:])
    assert f"--train-sizes {round(float(page.address()['n']) * 9)} " in simulation


def test_copied_python_prints_the_numbers(page: Opened, capsys: pytest.CaptureFixture[str]) -> None:
    page.go("d=9&n=3&T=0.7&spectrum=isotropic")
    numbers = {name: value for name, (value, _) in page.numbers().items()}
    printed = {}
    for panel in ("distances", "spectrum", "samples", "steps", "membership"):
        exec(copied(page, panel, "Copy the Python"), {})
        printed[panel] = capsys.readouterr().out
    decimals = [float(number) for number in re.findall(r"\d+\.\d+", printed["distances"])]
    assert any(number == pytest.approx(numbers["kl"], rel=1e-8) for number in decimals)
    assert float(printed["steps"].split()[0]) == pytest.approx(numbers["steps_kl"], rel=1e-8)
    assert printed["samples"].startswith("(9, 9)")


def test_tables_have_what_was_simulated(simulating: Opened) -> None:
    shown = simulating.go("d=4&n=3&spectrum=isotropic")
    simulating.unfold()
    shown.wait_for_function(
        "[...document.querySelectorAll('#panel-distances tr.now td:last-child')]"
        ".some(e => Number(e.textContent) >= 100)"
    )
    heads = shown.eval_on_selector_all("#panel-distances th", "all => all.map(e => e.textContent)")
    rows = shown.eval_on_selector_all(
        "#panel-distances tbody tr", "all => all.map(r => [...r.cells].map(e => e.textContent))"
    )
    assert all(len(row) == len(heads) for row in rows)
    assert heads[2] == "KL, nats"
    law = theory.one_step(4, [int(row[0]) for row in rows])
    for row, kl in zip(rows, np.atleast_1d(law.kl), strict=True):
        assert row[2] in {"", rounded(float(kl))}
        if row[-1]:
            share, low, high = map(float, re.findall(r"\d\.\d+", row[7]))
            runs = int(row[-1])
            ends = wilson_interval(round(share * runs), runs)
            assert (low, high) == pytest.approx(ends, abs=6e-4)
    (here,) = [row for row in rows if row[0] == "12"]
    mean, error = map(float, here[5].split(" ± "))
    assert abs(mean - float(theory.one_step(4, 12).kl)) < 4 * error
    assert "of 100 simulated training sets" in shown.inner_text("#answer")


def test_without_workers_the_page_simulates_itself(opened: Callable[..., Opened]) -> None:
    page = opened()
    page.context.add_init_script("window.Worker = class { constructor() { throw new Error(); } };")
    shown = page.go("d=4&n=3")
    shown.wait_for_selector("#panel-distances .drawing .points.share rect", state="attached")
    assert "simulated training sets" in shown.inner_text("#answer")


def test_a_click_in_a_chart_chooses(page: Opened) -> None:
    shown = page.go("d=9&n=2")
    drawing = "#panel-distances .drawing"
    width = shown.eval_on_selector(drawing, "e => e.clientWidth")
    shown.click(drawing, position={"x": width - 20, "y": 100})
    page.rest()
    assert 12 < float(page.address()["n"]) < 20
    agree(page)
    shown.click("#draw-again")
    page.rest()
    assert page.address()["seed"] == "1"
