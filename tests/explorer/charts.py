"""Charts of the page, read back from what is drawn: values by the numbers on the axes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from tests.explorer.browser import Opened

_READ = """() => [...document.querySelectorAll(".panel .drawing svg")].map(svg => {
  const all = (selector) => [...svg.querySelectorAll(selector)];
  const numbers = (e, ...names) => names.map((name) => Number(e.getAttribute(name)));
  const middle = (e) => e.tagName === "circle" ? numbers(e, "cx", "cy")
    : e.tagName === "rect" ? [e.x.baseVal.value + e.width.baseVal.value / 2,
        e.y.baseVal.value + e.height.baseVal.value / 2]
    : e.getAttribute("d").match(/^M(\\S+) (\\S+?)l/).slice(1).map((v, k) => Number(v) + 5 * k);
  return {
    name: svg.querySelector("clipPath").id.slice(5),
    title: svg.closest(".view").previousElementSibling?.textContent ?? "",
    ticks: all("text.tick").map((t) =>
      [t.textContent, ...numbers(t, "x", "y"), t.getAttribute("text-anchor")]),
    labels: all("text.label").map((t) => t.textContent),
    lines: all("path.line").map((e) =>
      [e.classList[1], e.getAttribute("d"), getComputedStyle(e).stroke]),
    points: all("g.points").map((g) => [g.classList[1], [...g.querySelectorAll(":not(.error)")]
      .map(middle), [...g.querySelectorAll(".error")].map((e) => numbers(e, "x1", "y1", "y2")),
      getComputedStyle(g).fill]),
    bars: all("g.bars rect").map((e) => numbers(e, "x", "y", "width", "height")),
    rings: all("circle.ring").map((e) => numbers(e, "cx", "cy")),
    marks: all("line.mark").map((e) => [e.nextElementSibling.textContent, ...numbers(e, "x1")]),
    hatched: all("rect.endless").map((e) => numbers(e, "x", "width")),
    hatched_text: all("text.endless").map((e) => e.textContent),
  };
})"""
_RAISED = str.maketrans(
    "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079", "-0123456789"
)


def tick_value(text: str) -> float:
    """The number that an axis shows."""
    text = text.replace("\u2212", "-")
    match = re.fullmatch(r"(?:(\S+)\u00b7)?10([\u207b\u2070-\u2079\u00b9\u00b2\u00b3]+)", text)
    if match is None:
        return float(text)
    return float(match[1] or 1) * 10 ** int(match[2].translate(_RAISED))


@dataclass
class Axis:
    """From places to values."""

    slope: float
    base: float
    logarithmic: bool

    @classmethod
    def of(cls, ticks: list[tuple[float, float]], *, logarithmic: bool) -> Axis:
        """Through the numbers on it, which must agree with each other to a tenth of a pixel."""
        places, values = np.array(ticks).T
        values = np.log(values) if logarithmic else values
        slope, base = np.polyfit(places, values, 1)
        assert np.abs((values - base) / slope - places).max() < 0.12
        return cls(float(slope), float(base), logarithmic)

    def value(self, place: Any) -> Any:
        """The value at a place, or values at places."""
        values = self.base + self.slope * np.asarray(place, dtype=float)
        return np.exp(values) if self.logarithmic else values


class Chart:
    """What one chart shows, in values."""

    def __init__(self, raw: dict[str, Any], *, x_log: bool, y_log: bool) -> None:
        self.raw = raw
        self.labels: list[str] = raw["labels"]
        self.title: str = raw["title"]
        across = [(x, tick_value(text)) for text, x, _, anchor in raw["ticks"] if anchor != "end"]
        up = [(y, tick_value(text)) for text, _, y, anchor in raw["ticks"] if anchor == "end"]
        self.x = Axis.of(across, logarithmic=x_log)
        self.y = Axis.of(up, logarithmic=y_log)
        assert self.x.slope > 0 > self.y.slope  # to the right and up; pixels count down

    def line(self, role: str) -> np.ndarray:
        """Points of the one line of a role, shape (n, 2)."""
        (path,) = [path for name, path, _ in self.raw["lines"] if name == role]
        places = np.array(re.findall(r"[ML](\S+) (\S+?)(?=[ML]|$)", path), dtype=float)
        return np.column_stack([self.x.value(places[:, 0]), self.y.value(places[:, 1])])

    def points(self, role: str) -> np.ndarray:
        """Points of a role with the ends of their bars, or NaN: shape (n, 4)."""
        (found,) = [each for each in self.raw["points"] if each[0] == role]
        rows = []
        for x, y in found[1]:
            bars = [bar for bar in found[2] if abs(bar[0] - x) < 0.2]
            ends = self.y.value(bars[0][1:]).tolist() if bars else [math.nan, math.nan]
            rows.append([float(self.x.value(x)), float(self.y.value(y)), *ends])
        return np.array(rows).reshape(-1, 4)

    def ring(self) -> tuple[float, float]:
        """The one ring."""
        ((x, y),) = self.raw["rings"]
        return float(self.x.value(x)), float(self.y.value(y))

    def marks(self) -> dict[str, float]:
        """Upright lines by their names."""
        return {name: float(self.x.value(place)) for name, place in self.raw["marks"]}

    def bars(self) -> np.ndarray:
        """Bars as [from, to, height]."""
        x, _, width, height = np.array(self.raw["bars"]).T
        left, right = self.x.value(x), self.x.value(x + width + 1)
        return np.column_stack([left, right, -self.y.slope * height])


def charts(page: Opened) -> dict[str, dict[str, Any]]:
    """All charts of the page by name, as they are drawn."""
    return {each["name"]: each for each in page.page.evaluate(_READ)}


def table(page: Opened, panel: str, place: int = 0) -> tuple[list[str], list[list[str]]]:
    """Headings and rows of a panel's table, which is opened first."""
    page.page.evaluate(
        "id => { document.querySelector(`#panel-${id} details`).open = true; }", panel
    )
    page.page.wait_for_function(
        "id => document.querySelector(`#panel-${id} details table`) !== null", arg=panel
    )
    found = page.page.eval_on_selector_all(
        f"#panel-{panel} details table",
        "all => all.map(t => [...t.rows].map(r => [...r.cells].map(c => c.textContent)))",
    )[place]
    return found[0], found[1:]


def key(page: Opened, panel: str) -> dict[str, str]:
    """Roles of a panel's key by what it says of them."""
    found = page.page.eval_on_selector_all(
        f"#panel-{panel} .key span",
        """all => all.map(e => [e.textContent,
          (e.querySelector("[class]").getAttribute("class"))])""",
    )
    return dict(found)


def near(found: Any, expected: Any, tolerance: float = 0.02) -> None:
    """Values that were read from pixels are those that are expected."""
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=1e-3)


INK = """() => Object.fromEntries(["theory", "simulation", "share", "study-ink", "mark", "card"]
  .map((name) => { const e = document.createElement("i"); e.style.color = `var(--${name})`;
    document.body.append(e); const found = getComputedStyle(e).color; e.remove();
    return [name, found]; }))"""


def luminance(colour: str) -> float:
    """Of a colour as the browser says it; WCAG's."""
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
