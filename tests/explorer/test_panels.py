"""What the panels draw, name and list, read back from the page and compared with Python.

Lines are compared by the numbers on their axes, simulations with the same seeds run under node.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from tests.explorer.charts import INK, Chart, charts, key, luminance, near, table
from tests.explorer.test_live_simulation import simulated
from tests.explorer.test_page import DROP, rounded

from ornstein import theory
from ornstein.intervals import wilson_interval

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.explorer.browser import Opened

D, N, T, NOISE, S = 9, 27, 0.7, 0.6, 7
STATE = f"d={D}&n=3&T={T}&noise={NOISE}&S={S}&detail=full"
VALUES = 1 / np.arange(1.0, D + 1) / np.mean(1 / np.arange(1.0, D + 1))
TASK = {"eigenvalues": VALUES.tolist(), "time": T, "noise_scale": NOISE, "seed": 0}


@pytest.fixture
def rested(shared: Opened) -> Opened:
    """The page at rest, all its simulations done: 100 runs of the size that is shown."""
    if shared.page.url.endswith(f"#{STATE}"):
        return shared
    shown = shared.go(STATE)
    for name in ("distances", "spectrum", "samples", "steps", "membership"):
        table(shared, name)
    shown.wait_for_function(
        "[...document.querySelectorAll('#panel-distances tbody tr td:last-child')]"
        ".filter(e => Number(e.textContent) >= 30).length >= 9 &&"
        "Number(document.querySelector('#panel-distances tr.now td:last-child').textContent) >= 100"
    )
    return shared


@pytest.fixture
def drawn(rested: Opened) -> Iterator[dict[str, dict[str, Any]]]:
    """All charts; nothing may have gone wrong."""
    yield charts(rested)
    rested.check()


@pytest.fixture(scope="module")
def runs() -> dict[str, Any]:
    """The runs of the page's seed at N, and its one draw."""
    found = simulated(TASK, [N], 100)
    return {"runs": found["replicates"][0], "draw": found["draw"]}


NAMES = {
    "kl": ("KL divergence, nats", "kl", lambda value: value),
    "wasserstein_squared": (
        "Wasserstein, W\u2082\u00b2",
        "wasserstein_squared",
        lambda value: value,
    ),
    "hellinger_squared": (
        "Overlap, 1 \u2212 H\u00b2",
        "hellinger_squared",
        lambda value: 1 - np.asarray(value),
    ),
}


@pytest.mark.parametrize("name", NAMES)
def test_distances(drawn: dict[str, Any], runs: dict[str, Any], name: str) -> None:
    title, field, shown = NAMES[name]
    chart = Chart(drawn[f"distances-{name}"], x_log=True, y_log=True)
    assert (chart.title, chart.labels) == (title, ["n / d"])
    line = chart.line("theory")
    sizes = np.rint(line[:, 0] * D)
    seen = np.isfinite(line[:, 1]) & (np.abs(sizes - 1 - D) > 3)
    law = theory.one_step_anisotropic(VALUES, sizes[seen].astype(int), T, NOISE)
    expected = shown(getattr(law, field))
    inside = expected > 1e-3 * expected.max()
    near(line[seen, 1][inside], expected[inside])
    near(
        chart.points("now")[0, :2],
        [3, shown(getattr(theory.one_step_anisotropic(VALUES, N, T, NOISE), field))],
    )
    dots = chart.points("simulation")
    (here,) = dots[np.abs(dots[:, 0] - N / D) < 0.02]
    values = np.array([run[name] for run in runs["runs"]])
    mean, error = values.mean(), values.std(ddof=1) / math.sqrt(len(values))
    near(here[1], shown(mean), 0.005)
    near(sorted(here[2:]), sorted([shown(mean - error), shown(mean + error)]), 0.005)
    threshold = float(law.threshold)
    marks = chart.marks()
    near([marks["n = d"], marks["n*"], marks[""]], [1, threshold / D, N / D], 0.005)
    hatched = drawn[f"distances-{name}"]["hatched"]
    if name == "wasserstein_squared":
        assert hatched == []
    else:
        ((x, width),) = hatched
        near(chart.x.value(x + width), (D + 2) / D if name == "kl" else 1.0, 0.01)


def test_shares_and_their_table(
    rested: Opened, drawn: dict[str, Any], runs: dict[str, Any]
) -> None:
    heads, rows = table(rested, "distances")
    assert heads == [
        *(
            "n",
            "n / d",
            "KL, nats",
            "W\u2082\u00b2",
            "H\u00b2",
            "KL simulated",
            "W\u2082\u00b2 simulated",
        ),
        *("P(\u0394 > 0) [95%]", "perfect", "runs"),
    ]
    sizes = [int(row[0]) for row in rows]
    law = theory.one_step_anisotropic(VALUES, sizes, T, NOISE)
    for place, row in enumerate(rows):
        assert row[1] == rounded(sizes[place] / D)
        if row[2]:
            assert row[2:4] == [
                rounded(float(law.kl[place])),
                rounded(float(law.wasserstein_squared[place])),
            ]
            assert row[4] == "1" or float(row[4]) == pytest.approx(
                law.hellinger_squared[place], abs=6e-4
            )
    ours = runs["runs"]
    (here,) = [row for row in rows if row[0] == str(N)]
    for cell, name in ((here[5], "kl"), (here[6], "wasserstein_squared")):
        values = np.array([run[name] for run in ours])
        error = values.std(ddof=1) / 10
        assert cell == f"{rounded(values.mean())} \u00b1 {rounded(error, 2)}"
    positive, perfect = (sum(run[name] for run in ours) for name in ("delta", "perfect"))
    low, high = wilson_interval(positive, 100)
    assert here[7] == f"{positive / 100:.3f} [{low:.3f}, {high:.3f}]"
    assert here[8:] == [f"{perfect / 100:.3f}", "100"]
    chart = Chart(drawn["distances-delta"], x_log=True, y_log=False)
    assert chart.title == "P(\u0394 > 0), simulated"
    listed = {
        float(row[0]) / D: [float(x) for x in re.findall(r"\d\.\d+", f"{row[7]} {row[8]}")]
        for row in rows
        if row[-1]
    }
    squares = chart.points("share")
    assert len(squares) == len(listed) >= 9
    for (ratio, share, *ends), (x, (known, least, most, null)) in zip(
        squares, sorted(listed.items()), strict=True
    ):
        near([ratio, share, *sorted(ends)], [x, known, least, most], 0.01)
        (at,) = [y for place, y in chart.line("perfect") if abs(place / x - 1) < 0.005]
        near(at, null, 0.01)
    assert squares[0, 1] + 0.2 < chart.line("perfect")[0, 1]
    near(chart.line("half")[:, 1], 0.5)


def test_the_answer_counts_and_judges(rested: Opened) -> None:
    _, rows = table(rested, "distances")
    row = next(row for row in rows if row[0] == str(N))
    answer = rested.page.inner_text("#answer")
    share, low, high = map(float, re.findall(r"\d\.\d+", row[7]))
    assert f"in {round(100 * (1 - share))} of 100 simulated" in answer
    words = {"the model memorizes": high < 0.5, "the model generalizes": low > 0.5}
    words["which leaves it open"] = low <= 0.5 <= high
    assert [word for word in words if word in answer] == [w for w, true in words.items() if true]


def test_the_spectrum(rested: Opened, drawn: dict[str, Any], runs: dict[str, Any]) -> None:
    chart = Chart(drawn["spectrum"], x_log=False, y_log=False)
    assert chart.labels == ["generated spread / spread of the population", "density"]
    line = chart.line("theory")
    density = theory.one_step_anisotropic_spectrum(line[:, 0], VALUES, N, T, NOISE)
    # An edge is steep.
    inside = (density > 0.1) & (density < 1.5)
    np.testing.assert_allclose(line[inside, 1], density[inside], rtol=0.1, atol=0.03)
    assert chart.marks() == {"population": pytest.approx(1.0, abs=0.01)}
    bars = chart.bars()
    values = np.array(runs["draw"]["singular_values"])
    edges = np.append(bars[:, 0], bars[-1, 1])
    near(bars[:, 2] * (bars[:, 1] - bars[:, 0]), np.histogram(values, edges)[0] / values.size, 0.03)
    heads, rows = table(rested, "spectrum")
    assert heads == ["s", "density"]
    s, f = np.array(rows, dtype=float).T
    near(np.interp(s, *line.T)[1:-1], f[1:-1], 0.1)
    heads, rows = table(rested, "spectrum", 1)
    assert heads == ["from", "to", "density"]
    near(np.array(rows, dtype=float), bars, 0.02)


def test_images(rested: Opened, runs: dict[str, Any]) -> None:
    draw = runs["draw"]
    means = {name: np.mean(np.square(draw[name])) for name in ("train", "generated", "fresh")}
    names = {"train": "Training", "generated": "Generated", "fresh": "Fresh"}
    _, rows = table(rested, "samples")
    law = theory.one_step_anisotropic(VALUES, N, T, NOISE)
    assert rows == [
        *([names[name], rounded(value)] for name, value in means.items()),
        ["generated, in theory", rounded(float(law.trace))],
    ]
    found = rested.page.evaluate(
        """() => [...document.querySelectorAll("#panel-samples canvas")].map(c => [
          c.previousElementSibling.textContent, c.getAttribute("aria-label"),
          [...c.getContext("2d").getImageData(0, 0, 3, 3).data]])"""
    )
    side, waves = 3, [(i, j) for i in range(3) for j in range(3)]
    waves.sort(key=lambda wave: (wave[0] ** 2 + wave[1] ** 2, wave[0]))
    grid = (np.arange(side) + 0.5) * np.pi / side
    for (title, said, pixels), name in zip(found, means, strict=True):
        assert title == names[name]
        assert said == f"{title} points as images; mean square {rounded(means[name])}"
        image = sum(
            x * np.outer(*(np.sqrt((2 if k else 1) / side) * np.cos(k * grid) for k in wave))
            for x, wave in zip(draw[name][:D], waves, strict=True)
        )
        # Cividis grows lighter with the value.
        light = np.reshape(pixels, (side, side, 4))[..., :3] @ [0.21, 0.72, 0.07]
        order = np.argsort(np.ravel(image))
        assert (np.diff(np.ravel(light)[order]) >= -1e-9).all()
        assert light.max() > light.min() + 20


def test_steps(rested: Opened, drawn: dict[str, Any]) -> None:
    chart = Chart(drawn["steps"], x_log=True, y_log=True)
    assert chart.labels == ["sampling steps S", "KL, nats"]
    how = ("ddpm:large", "linear")
    for role, schedule in (("other", "linear"), ("karras", "karras")):
        line = chart.line(role)
        S_drawn = np.rint(line[:, 0])
        kl = theory.sampler_quality(VALUES, S_drawn[::4], "ddpm:large", schedule, n_train=N).kl
        shown = kl < 30 * np.min(kl)
        near(line[::4, 1][shown], kl[shown])
    best = theory.best_steps(VALUES, N, *how)
    near(chart.line("floor")[:, 1], best.kl_limit)
    near(chart.ring(), (best.steps, best.kl))
    here = float(theory.sampler_quality(VALUES, S, *how, n_train=N).kl)
    near(chart.points("now")[0, :2], [S, here])
    assert chart.marks() == {f"S = {S}": pytest.approx(S, rel=0.01)}
    assert key(rested, "steps") == {
        "ddpm:large, linear": "line other",
        "ddpm:large, karras": "line karras",
        "infinitely many steps": "line floor",
        "best S": "ring share",
    }
    heads, rows = table(rested, "steps")
    assert heads == ["S", "ddpm:large, linear", "karras"]
    assert rows[-1] == ["infinite", rounded(best.kl_limit), ""]
    (row,) = [row for row in rows if row[0] == str(S)]
    karras = float(theory.sampler_quality(VALUES, S, "ddpm:large", "karras", n_train=N).kl)
    assert row[1:] == [rounded(here), rounded(karras)]


def test_membership(rested: Opened, drawn: dict[str, Any]) -> None:
    chart = Chart(drawn["membership"], x_log=True, y_log=False)
    assert chart.labels == ["noise variance s\u00b2", "AUC"]
    line = chart.line("theory")[::8]
    known = [theory.membership(VALUES, float(s2), N) for s2, _ in line]
    near(line[:, 1], [each.auc for each in known], 0.005)
    near(chart.ring(), theory.most_revealing_noise(VALUES, N), 0.03)
    near(chart.line("half")[:, 1], 0.5, 0.005)
    heads, rows = table(rested, "membership")
    assert heads == ["s\u00b2", "ratio of residuals", "AUC", "power at 1 %"]
    for s2, *cells in rows[::5]:
        law = theory.membership(VALUES, float(s2), N)
        near([float(cell) for cell in cells], [law.ratio, law.auc, law.power(0.01)], 0.02)


def test_keys(rested: Opened) -> None:
    assert key(rested, "distances") == {
        "theory": "line theory",
        "simulation, mean \u00b1 s.e.": "points simulation",
        "share of simulated training sets, 95% interval": "points share",
        "a perfect model": "line perfect",
        "KL infinite, no overlap": "endless",
    }
    assert key(rested, "spectrum") == {
        "theory": "line theory",
        "one training set, drawn now": "bars simulation",
    }
    assert key(rested, "membership") == {
        "theory": "line theory",
        "leaks most": "ring share",
        "guessing": "line half",
    }


TIPS = {
    "distances-kl": lambda: ("n = 27: ", theory.one_step_anisotropic(VALUES, 27, T, NOISE).kl),
    "distances-wasserstein_squared": lambda: (
        "n = 27: ",
        theory.one_step_anisotropic(VALUES, 27, T, NOISE).wasserstein_squared,
    ),
    "steps": lambda: (
        "S = 7: KL ",
        theory.sampler_quality(VALUES, 7, "ddpm:large", "linear", n_train=N).kl,
    ),
}


@pytest.mark.parametrize("name", TIPS)
def test_what_is_said_under_the_pointer(rested: Opened, drawn: dict[str, Any], name: str) -> None:
    head, value = TIPS[name]()
    chart = Chart(drawn[name], x_log=True, y_log=True)
    place = (math.log(7.0 if name == "steps" else 3.0) - chart.x.base) / chart.x.slope
    said = rested.page.evaluate(
        """([name, place]) => {
          const drawing = document.getElementById(`clip-${name}`).closest(".drawing");
          const box = drawing.getBoundingClientRect();
          const where = {clientX: box.left + place, clientY: box.top + 60};
          drawing.dispatchEvent(new PointerEvent("pointermove", where));
          const said = drawing.nextElementSibling.textContent;
          drawing.dispatchEvent(new PointerEvent("pointerleave"));
          return said;
        }""",
        [name, place],
    )
    n_or_s = re.match(r"\D+(\d+): ", said)
    assert n_or_s is not None
    if name.startswith("distances"):  # the nearest size of the curve
        law = theory.one_step_anisotropic(VALUES, int(n_or_s[1]), T, NOISE)
        value = getattr(law, name.removeprefix("distances-"))
        assert abs(int(n_or_s[1]) - 27) < 3
        head = n_or_s[0]
    assert said.removesuffix(" nats") == f"{head}{rounded(float(value))}"


@pytest.mark.parametrize(
    ("ratio", "word", "kind"), [(0.5, "memorizes", "bad"), (30, "generalizes", "good")]
)
def test_both_verdicts(page: Opened, ratio: float, word: str, kind: str) -> None:
    shown = page.go(f"d=4&n={ratio}&spectrum=isotropic")
    shown.wait_for_selector(f"#answer .{kind}")
    assert shown.inner_text(f"#answer .{kind}") == word


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_one_role_has_one_colour_that_is_seen(page: Opened, theme: str) -> None:
    page.go(f"d=4&n=3&theme={theme}")
    page.page.wait_for_selector("#panel-distances .drawing .points.share rect", state="attached")
    ink = page.page.evaluate(INK)
    assert len(set(ink.values())) == len(ink)
    card = luminance(ink.pop("card"))
    for name, colour in ink.items():
        low, high = sorted([luminance(colour), card])
        assert (high + 0.05) / (low + 0.05) > 3, name
    drawn = charts(page)
    roles = {"theory": "theory", "perfect": "theory", "half": "mark", "other": "simulation"}
    roles |= {"karras": "share", "floor": "mark"}
    for chart in drawn.values():
        for role, _, colour in chart["lines"]:
            assert colour == ink[roles[role]], (chart["name"], role)
        for role, places, _, colour in chart["points"]:
            if places and role in {"simulation", "share"}:
                assert colour == ink[role], (chart["name"], role)


LINEAR = "train_size,simulations,kl_mean,kl_se,hellinger2_mean,hellinger2_se,wasserstein2_mean,"
LINEAR += "wasserstein2_se,delta_positive,delta_positive_low,delta_positive_high"
STEPS = "sampler,steps,train_size,kl_mean,kl_se,wasserstein2_mean"


def test_points_of_a_dropped_study(page: Opened) -> None:
    """After the tests of other panels: the page keeps the study."""
    shown = page.go("d=16&n=2&spectrum=isotropic")
    rows = "32,50,9.5,0.5,0.55,0.05,3.5,0.25,0.4,0.3,0.6\n"
    rows += "80,50,4.5,0.25,0.35,0.02,1.5,0.125,0.7,0.6,0.8"
    shown.evaluate(DROP, ["summary.csv", f"{LINEAR}\n{rows}"])
    shown.wait_for_selector("#panel-distances .points.study path", state="attached")
    expected = {
        "kl": [[2, 9.5, 9, 10], [5, 4.5, 4.25, 4.75]],
        "wasserstein_squared": [[2, 3.5, 3.25, 3.75], [5, 1.5, 1.375, 1.625]],
        "hellinger_squared": [[2, 0.45, 0.4, 0.5], [5, 0.65, 0.63, 0.67]],
        "delta": [[2, 0.4, 0.3, 0.6], [5, 0.7, 0.6, 0.8]],
    }
    drawn = charts(page)
    for name, points in expected.items():
        chart = Chart(drawn[f"distances-{name}"], x_log=True, y_log=name != "delta")
        found = chart.points("study")
        near([[*row[:2], *sorted(row[2:])] for row in found], points, 0.01)
    assert key(page, "distances")["your study, summary.csv"] == "points study"
    rows = "ddpm:large,5,32,20.5,1,7\nddpm:large,50,32,9.5,0.5,6\nddpm:large,50,80,3,0.5,6\n"
    shown.evaluate(
        DROP, ["steps.csv", f"{STEPS}\n{rows}ddim,50,32,2,0.5,6\nddpm:large,inf,32,8,1,6"]
    )
    shown.wait_for_selector("#panel-steps .points.study path", state="attached")
    chart = Chart(charts(page)["steps"], x_log=True, y_log=True)
    near(
        [[*row[:2], *sorted(row[2:])] for row in chart.points("study")],
        [[5, 20.5, 19.5, 21.5], [50, 9.5, 9, 10]],
        0.02,
    )
