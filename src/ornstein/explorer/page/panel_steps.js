// KL against the number of sampling steps at finite n, the best number, and Karras' grid beside it.

import { range_of } from "./axes.js";
import { ChartView, nearest_point } from "./chart.js";
import { COPIES, sampler_schedule } from "./commands.js";
import { marked, number_text } from "./number_texts.js";
import { Panel, key_html, table_html } from "./panels.js";
import { steps_curves } from "./sampling_steps.js";
import { steps_points } from "./study.js";

const MOST = 1000;

export class StepsPanel extends Panel {
  constructor(change) {
    super("steps", [
      ["Copy the command", (state) => COPIES.steps(state).command],
      ["Copy the Python", (state) => COPIES.steps(state).python],
    ]);
    this.cache = { key: "" };
    this.chart = new ChartView(this.view, {
      height: 236,
      pick: (S) => change({ S: Math.max(1, Math.round(S)) }),
      read: (_, S) => {
        const found = nearest_point(this.found?.own.points ?? [], S, true);
        return found ? `S = ${found[0]}: KL ${number_text(found[1])} nats` : "";
      },
    });
  }

  update(model, end) {
    const { state, n, d } = model;
    const schedule = sampler_schedule(state);
    const key = `${model.population} n=${n} ${state.sampler} ${schedule}`;
    if (this.cache.key !== key) this.cache = { key, found: steps_curves(model, schedule) };
    const found = (this.found = this.cache.found);
    const done = found.grow(end, model.moving);
    const { own, karras, best, limit } = found;
    const here = found.at(state.S);
    const study = steps_points(model.study, state.sampler, n);
    const values = [...own.points, ...(karras?.points ?? []), ...study].map((p) => p[1]);
    const [low, high] = range_of([...values, limit], { logarithmic: true });
    const finite = Number.isFinite(limit);
    this.chart.show({
      name: "steps",
      x: { label: "sampling steps S", logarithmic: true, low: 1, high: MOST },
      y: finite
        ? { label: "KL, nats", logarithmic: true, low, high: Math.min(high, 40 * limit) }
        : { label: "KL, nats", low: 0, high: 1, tick_values: [] },
      series: [
        { kind: "line", role: "floor", points: [[1, limit], [MOST, limit]] },
        { kind: "line", role: "karras", points: karras?.points ?? [] },
        { kind: "line", role: "other", points: own.points },
        { kind: "points", role: "study", shape: "diamond", points: study },
        { kind: "ring", role: "share", points: best && Number.isFinite(best.steps) ? [[best.steps, best.kl]] : [] },
        { kind: "points", role: "now", points: [[state.S, here]] },
      ],
      marks: [{ x: state.S, label: `S = ${state.S}`, role: "now", side: state.S > 200 ? "left" : "right" }],
      endless: finite ? null : { from: 1, to: MOST, text: "infinite at every S: n \u2264 d" },
      alternative: `Expected KL against the number of sampling steps. At S = ${state.S} it is ${number_text(here)} nats, with infinitely many ${number_text(limit)}.`,
    });
    const entries = [["line", "other", `${state.sampler}, ${schedule}`]];
    if (karras) entries.push(["line", "karras", `${state.sampler}, karras`]);
    entries.push(["line", "floor", "infinitely many steps"]);
    if (best && Number.isFinite(best.steps)) entries.push(["ring", "share", "best S"]);
    if (study.length) entries.push(["study", "", "your study"]);
    const keyed = key_html(entries);
    if (this.key.innerHTML !== keyed) this.key.innerHTML = keyed;
    this.tell(state, {
      said: said(model, here, found),
      formula: `Formula: E KL of N(\u03bc, f<sub>S</sub>(C)), C the covariance of n points: <code>theory.sampler_quality</code>, <code>theory.best_steps</code>${schedule.startsWith("tangent") ? "; levels by the tangent law, \u221aV tan \u03b8 with V = " + schedule.split(":")[1] : ""}. Started from N(0, 1), noised.`,
      table: () => steps_table(state, found, here),
    });
    return done;
  }
}

function said({ state, n, d }, here, { best, limit, karras, karras_at }) {
  if (!Number.isFinite(limit)) {
    return `With n \u2264 d the fitted covariance is singular, and KL is ${marked("steps_limit", limit)} for every number of steps. More steps cannot mend what the ${n} points do not tell.`;
  }
  const against = karras ? `, ${marked("karras_kl", karras_at(state.S))} on Karras' grid` : "";
  const first = `In S = ${state.S} steps KL is ${marked("steps_kl", here, `${number_text(here)} nats`)}${against}; infinitely many leave ${marked("steps_limit", limit)}, which is what n = ${number_text(n / d, 2)} d costs.`;
  if (!best) return first;
  return Number.isFinite(best.steps)
    ? `${first} Best are ${marked("best_steps", best.steps, `S* = ${best.steps}`)} steps: the variance that they add makes up for what few points miss.`
    : `${first} More steps ${marked("best_steps", Infinity, "always help")} here.`;
}

function steps_table(state, { own, karras, best, limit }, here) {
  const other = new Map(karras?.points ?? []);
  const rows = [...own.points.filter(([S]) => S !== state.S), [state.S, here]].sort((a, b) => a[0] - b[0]);
  const table = rows.map(([S, kl]) => ({
    now: S === state.S,
    cells: [S, number_text(kl), ...(karras ? [other.has(S) ? number_text(other.get(S)) : ""] : [])],
  }));
  table.push({ cells: ["infinite", number_text(limit), ...(karras ? [""] : [])] });
  return table_html(
    `Expected KL, total nats${best ? `; best S: ${number_text(best.steps, 4)}` : ""}`,
    ["S", `${state.sampler}, ${sampler_schedule(state)}`, ...(karras ? ["karras"] : [])],
    table,
  );
}
