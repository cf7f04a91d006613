// Singular values of what is generated, relative to the population: theory over one live draw.

import { ChartView, nearest_point } from "./chart.js";
import { COPIES } from "./commands.js";
import { marked, number_text } from "./number_texts.js";
import { Panel, key_html, table_html } from "./panels.js";
import { COARSE, FINE, spectrum_curve } from "./theory.js";

export class SpectrumPanel extends Panel {
  constructor(again) {
    super("spectrum", [
      ["Copy the command", (state) => COPIES.spectrum(state).command],
      ["Copy the Python", (state) => COPIES.spectrum(state).python],
    ]);
    const button = document.createElement("button");
    button.type = "button";
    button.id = "draw-again";
    button.textContent = "Draw again";
    button.addEventListener("click", again);
    this.section.querySelector(".tools").prepend(button);
    this.cache = { key: "" };
    this.chart = new ChartView(this.view, {
      height: 236,
      read: (_, s) => {
        const found = nearest_point(this.curve?.points ?? [], s, false);
        return found ? `s = ${number_text(s)}: density ${number_text(found[1])}` : "";
      },
    });
  }

  update(model) {
    const key = `${model.key} n=${model.n}`;
    const count = model.moving ? COARSE : FINE;
    if (this.cache.key !== key || this.cache.count < count) {
      const curve = spectrum_curve(model, count, this.cache.curve?.support[1]);
      this.cache = { key, count, curve };
    }
    const curve = (this.curve = this.cache.curve);
    const { simulation, n, d } = model;
    const draw = simulation.draw;
    const stale = !simulation.is_current(n);
    const bars = draw ? histogram(draw.singular_values, curve, draw.singular_values.length) : [];
    const peak = Math.max(typical_peak(curve), ...bars.map((bar) => bar[1]));
    this.chart.show({
      name: "spectrum",
      x: {
        label: "generated spread / spread of the population", low: curve.low,
        high: curve.high,
      },
      y: { label: "density", low: 0, high: 1.08 * peak },
      series: [
        { kind: "bars", role: "simulation", points: bars, fade: stale },
        { kind: "line", role: "theory", points: curve.points },
      ],
      marks: 1 > curve.low && 1 < curve.high ? [{ x: 1, label: "population", role: "" }] : [],
      alternative: `Density of the singular values, from ${number_text(curve.support[0])} to ${number_text(curve.support[1])} in theory, over a histogram of one training set. 1 is the population.`,
    });
    const keyed = key_html([
      ["line", "theory", "theory"], ["bars", "simulation", "one training set, drawn now"],
    ]);
    if (this.key.innerHTML !== keyed) this.key.innerHTML = keyed;
    this.tell(model.state, {
      said: said(model, curve, d),
      formula: `Formula: singular values of \u03a3<sup>\u22121/2</sup> \u03a3<sub>G</sub><sup>1/2</sup>, those that are not 0: the ${model.isotropic ? (n > d ? "cubic of free probability, <code>theory.one_step_spectrum</code>" : "quadratic of free probability, <code>theory.one_step_spectrum</code>") : "stationary principle of <code>theory.one_step_anisotropic_spectrum</code>"}.`,
      table: () => spectrum_table(curve, bars),
    });
    return true;
  }
}

/** The peak of a density, without the spike that an edge may have. */
function typical_peak({ points }) {
  const heights = points.map((p) => p[1]).filter(Number.isFinite).sort((a, b) => a - b);
  return heights.length ? heights[Math.floor(0.985 * (heights.length - 1))] : 1;
}

/** Bars [from, height, to] of unit mass; values beyond the axis count, but are not seen. */
function histogram(values, { low, high }, count) {
  const bins = Math.min(Math.max(Math.round(2.6 * Math.cbrt(count)), 6), 36);
  const width = (high - low) / bins;
  const found = Array.from({ length: bins }, (_, k) => [low + k * width, 0, low + (k + 1) * width]);
  for (const value of values) {
    const place = Math.floor((value - low) / width);
    if (place >= 0 && place < bins) found[place][1] += 1 / (count * width);
  }
  return found;
}

function said({ n, d, threshold }, curve) {
  const [low, high] = curve.support;
  if (n - 1 < d) {
    const missing = d - n + 1;
    return `<b>${missing} of ${d} directions</b> are not generated at all. Along the ${n - 1} others the spread is ${marked("support_low", low, number_text(low, 2))} to ${marked("support_high", high, number_text(high, 2))} times the population's.`;
  }
  if (n < threshold) {
    const stretched = Number.isFinite(high)
      ? `to ${marked("support_high", high, number_text(high, 2))} times the population's spread`
      : `${marked("support_high", high, "without end")}`;
    return `All directions are generated, and distorted: some are squeezed to <b>almost nothing</b>, as always below n* = ${number_text(threshold, 4)}, others are stretched ${stretched}.`;
  }
  return `All directions are generated, with a spread of ${marked("support_low", low, number_text(low, 2))} to ${marked("support_high", high, number_text(high, 2))} times the population's.`;
}

function spectrum_table({ points, support }, bars) {
  const step = Math.max(1, Math.floor(points.length / 14));
  const theory = table_html(
    `Density in theory; support ${number_text(support[0])} to ${number_text(support[1])}`,
    ["s", "density"],
    points.filter((_, k) => k % step === 0).map(([s, f]) => ({ cells: [number_text(s), number_text(f)] })),
  );
  const drawn = table_html(
    "Histogram of one training set",
    ["from", "to", "density"],
    bars.map(([a, h, b]) => ({ cells: [number_text(a), number_text(b), number_text(h)] })),
  );
  return theory + drawn;
}
