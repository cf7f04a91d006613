// Distances to the population, and P(Delta > 0), against the number of training points.

import { range_of } from "./axes.js";
import { ChartView, nearest_point } from "./chart.js";
import { COPIES } from "./commands.js";
import { GrowingCurve } from "./growing_curve.js";
import { hellinger_text, marked, number_text, share_text } from "./number_texts.js";
import { Panel, key_html, table_html } from "./panels.js";
import { distance_points, share_points } from "./study.js";
import { distances_at } from "./theory.js";

const KINDS = [
  { name: "kl", title: "KL divergence, nats", study: "kl", logarithmic: true },
  { name: "wasserstein_squared", title: "Wasserstein, W\u2082\u00b2", study: "wasserstein2", logarithmic: true },
  {
    name: "hellinger_squared", title: "Overlap, 1 \u2212 H\u00b2", study: "hellinger2", logarithmic: true,
    shown: (value) => 1 - value,
  },
  { name: "delta", title: "P(\u0394 > 0), simulated" },
];
// Of a Hellinger distance that rounds to 1 there is nothing to see.
const LEAST_OVERLAP = 1e-12;
const LOW = 0.25;
const HIGH = 20;

export class DistancesPanel extends Panel {
  constructor(change) {
    super("distances", [
      ["Copy the command", (state) => COPIES.distances(state).command],
      ["Copy the simulation", (state) => COPIES.simulation(state).command],
      ["Copy the Python", (state) => COPIES.distances(state).python],
    ]);
    this.cache = { key: "" };
    this.view.classList.add("grid");
    this.charts = KINDS.map((kind) => {
      const box = document.createElement("div");
      box.innerHTML = `<h3>${kind.title}</h3><div class="view"></div>`;
      this.view.append(box);
      return new ChartView(box.lastChild, {
        height: 210,
        pick: (ratio) => change({ ratio_n: Number(ratio.toPrecision(3)) }),
        read: (chart, x) => this.read(kind, x),
      });
    });
  }

  /** Theory against n; found anew when the population or the noise has changed. */
  curve(model, end) {
    if (this.cache.key !== model.key) {
      const { d, threshold } = model;
      this.cache = {
        key: model.key,
        curve: new GrowingCurve(sizes(d, threshold), (n) => distances_at(model, n)),
      };
    }
    return this.cache.curve.grow(end);
  }

  update(model, end) {
    const done = this.curve(model, end);
    const points = this.cache.curve.points;
    const { d, n, simulation, study, state } = model;
    const samples = [...simulation.samples].sort((a, b) => a[0] - b[0]);
    const x = {
      label: "n / d", logarithmic: true,
      low: Math.min(LOW, n / d / 1.05), high: Math.max(HIGH, (n / d) * 1.05),
    };
    const marks = [
      { x: 1, label: "n = d", role: "", side: "left" },
      { x: model.threshold / d, label: "n*", role: "threshold", side: "right" },
      { x: n / d, label: "", role: "now" },
    ];
    KINDS.forEach((kind, index) => {
      const chart = kind.name === "delta"
        ? delta_chart(samples, study, d, model)
        : distance_chart(kind, points, samples, study, model);
      this.charts[index].show({ name: `distances-${kind.name}`, x, marks, ...chart });
    });
    this.points = points;
    this.samples = simulation.samples;
    this.d = d;
    const entries = [
      ["line", "theory", "theory"], ["points", "simulation", "simulation, mean \u00b1 s.e."],
      ["points", "share", "share of simulated training sets, 95% interval"],
      ["line", "perfect", "a perfect model"], ["endless", "", "KL infinite, no overlap"],
    ];
    if (study?.kind === "linear") entries.push(["study", "", `your study${study.name ? `, ${study.name}` : ""}`]);
    const keyed = key_html(entries);
    if (this.key.innerHTML !== keyed) this.key.innerHTML = keyed;
    this.tell(state, {
      said: said(model),
      formula: `Formula: E KL(generated \u2016 population), E W\u2082\u00b2, 1 \u2212 E affinity, <code>theory.${state.spectrum === "isotropic" ? "one_step" : "one_step_anisotropic"}</code>. n = d: below, directions are missing; n* = \u03a3<sub>k</sub> 1/\u03c1\u00b2<sub>k</sub> = ${number_text(model.threshold, 4)}: below, singular values of the denoiser reach 0. \u0394 compares the generated law with kernel densities of its training set and of 10000 fresh points.`,
      table: () => distances_table(model, samples, points),
    });
    return done;
  }

  read(kind, x) {
    const n = Math.max(2, Math.round(x * this.d));
    if (kind.name === "delta") {
      const found = nearest_point([...(this.samples ?? [])].filter(([, s]) => s.runs), n, true);
      if (!found) return "";
      const [share, low, high] = found[1].share();
      return `n = ${found[0]}: ${share_text(share)} [${share_text(low)}, ${share_text(high)}] of ${found[1].runs}`;
    }
    const found = nearest_point(this.points ?? [], n, true);
    return found ? `n = ${found[0]}: ${distance_text(kind.name, found[1][kind.name])}` : "";
  }
}

export function distance_text(name, value) {
  return name === "hellinger_squared" ? hellinger_text(value) : number_text(value);
}

/** Training sizes of the curves: even in ratio, dense where the law changes. */
function sizes(d, threshold) {
  const found = new Set();
  const add = (n) => found.add(Math.max(2, Math.round(n)));
  for (let k = 0; k <= 48; k++) add(d * LOW * (HIGH / LOW) ** (k / 48));
  for (const place of [d + 1, threshold]) {
    if (place > HIGH * d) continue;
    for (const step of [0.012, 0.025, 0.05, 0.09, 0.14, 0.2, 0.27]) {
      add(place * (1 + step));
      add(place * (1 - step));
    }
  }
  add(d - 2);
  add(d + 3);
  return [...found].filter((n) => n <= HIGH * d * 1.001).sort((a, b) => a - b);
}

function distance_chart(kind, points, samples, study, model) {
  const { d, n, here } = model;
  const shown_as = kind.shown ?? ((value) => value);
  const line = points.map(([size, found]) => [size / d, shown_as(found[kind.name])]);
  // Next to n = d the curve leaves any chart.
  const near = (ratio) => Math.abs(ratio * d - 1 - d) < 0.04 * d + 2;
  const seen = line.filter(([ratio]) => !near(ratio)).map(([, value]) => value);
  const dots = samples.map(([size, sample]) => {
    const [mean, error] = sample.mean(kind.name);
    return [size / d, shown_as(mean), shown_as(mean - error), shown_as(mean + error)];
  }).filter(([ratio, value]) => !near(ratio) && value > LEAST_OVERLAP);
  const own = distance_points(study, kind.study, d).map(([ratio, ...values]) =>
    [ratio, ...values.map(shown_as)]);
  const shown = [...seen, ...own.filter(([ratio]) => !near(ratio)).map((p) => p[1])];
  const [low, high] = range_of(shown.filter((value) => value > LEAST_OVERLAP), { logarithmic: true });
  const missing = kind.name !== "wasserstein_squared";
  return {
    y: { low, high, logarithmic: true },
    series: [
      { kind: "line", role: "theory", points: line },
      { kind: "points", role: "simulation", points: dots },
      { kind: "points", role: "study", shape: "diamond", points: own },
      { kind: "points", role: "now", points: [[n / d, shown_as(here[kind.name])]] },
    ],
    endless: missing ? { from: 1e-9, to: (d + (kind.shown ? 0 : 2)) / d, text: kind.shown ? "none" : "infinite" } : null,
    alternative: `${kind.title} against n over d, logarithmic. At n = ${n} theory says ${distance_text(kind.name, here[kind.name])}. The table below has the values.`,
  };
}

function delta_chart(samples, study, d, model) {
  const share = (which) => samples.map(([size, sample]) => [size / d, ...sample.share(which)]);
  const here = model.simulation.samples.get(model.n);
  return {
    y: { low: -0.04, high: 1.04, tick_values: [0, 0.25, 0.5, 0.75, 1] },
    series: [
      { kind: "line", role: "half", points: [[1e-3, 0.5], [1e3, 0.5]] },
      { kind: "line", role: "perfect", points: share("perfect").map(([x, y]) => [x, y]) },
      { kind: "points", role: "share", shape: "square", points: share("positive") },
      { kind: "points", role: "study", shape: "diamond", points: share_points(study, d) },
    ],
    endless: null,
    alternative: `Share of simulated training sets with Delta above 0 against n over d. ${
      here ? `At n = ${model.n} it is ${share_text(here.share()[0])} of ${here.runs}.` : "The simulation is starting."
    } The table below has the values.`,
  };
}

function said(model) {
  const { n, d, here, threshold } = model;
  const { kl, kl_infinite_data: limit } = here;
  if (!Number.isFinite(kl)) {
    return n - 1 < d
      ? `With <b>n \u2264 d</b> the model knows only the span of its training set: KL is ${marked("kl", kl)}. It is finite from n = d + 3 on, falls steeply, and changes its law at n* = ${marked("threshold", threshold, number_text(threshold, 4))}.`
      : `Close to n = d the fit rests on a nearly singular matrix: the expected KL is ${marked("kl", kl)}.`;
  }
  const least = limit > 0
    ? `${number_text(kl / limit, 2)} times the ${marked("kl_infinite_data", limit)} that stay with infinite data, for one denoising step is never perfect`
    : "which goes to 0 with infinite data";
  return `At n = ${n} KL is ${marked("kl", kl, `${number_text(kl)} nats`)}, ${least}; W\u2082\u00b2 is ${marked("wasserstein_squared", here.wasserstein_squared)}, H\u00b2 is ${marked("hellinger_squared", here.hellinger_squared, hellinger_text(here.hellinger_squared))}. Below n* = ${marked("threshold", threshold, number_text(threshold, 4))} the denoiser squeezes some directions to nothing. Drag in a chart to change n.`;
}

function distances_table(model, samples, points) {
  const { d, n, here } = model;
  const known = new Map(samples);
  const rows = new Map(points.map(([size, found]) => [size, found]));
  rows.set(n, here);
  const wanted = [...rows.keys()].sort((a, b) => a - b);
  const some = wanted.filter((size, k) => size === n || known.has(size) || k % 5 === 0);
  return table_html(
    "Expected distances to the population; simulation: mean \u00b1 standard error",
    ["n", "n / d", "KL, nats", "W\u2082\u00b2", "H\u00b2", "KL simulated", "W\u2082\u00b2 simulated", "P(\u0394 > 0) [95%]", "perfect", "runs"],
    [...new Set([...some, ...known.keys()])].sort((a, b) => a - b).map((size) => {
      const found = rows.get(size);
      const sample = known.get(size);
      const with_error = (name) => {
        if (!sample) return "";
        const [mean, error] = sample.mean(name);
        return Number.isFinite(mean) ? `${number_text(mean)} \u00b1 ${number_text(error, 2)}` : "infinite";
      };
      const share = sample?.share();
      const theory = KINDS.slice(0, 3).map(({ name }) => (found ? distance_text(name, found[name]) : ""));
      return {
        now: size === n,
        cells: [
          size, number_text(size / d), ...theory, with_error("kl"), with_error("wasserstein_squared"),
          share ? `${share_text(share[0])} [${share_text(share[1])}, ${share_text(share[2])}]` : "",
          sample ? share_text(sample.share("perfect")[0]) : "", sample?.runs ?? "",
        ],
      };
    }),
  );
}
