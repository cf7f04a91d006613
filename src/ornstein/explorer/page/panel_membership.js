// How well an attacker tells training points from fresh ones, against the noise he asks at.

import { ChartView, nearest_point } from "./chart.js";
import { COPIES } from "./commands.js";
import { marked, number_text } from "./number_texts.js";
import { Panel, key_html, table_html } from "./panels.js";
import { membership_at, membership_curve } from "./theory.js";

const BOUND = 0.55; // of the AUC, as by default in ornstein predict membership

export class MembershipPanel extends Panel {
  constructor() {
    super("membership", [
      ["Copy the command", (state) => COPIES.membership(state).command],
      ["Copy the Python", (state) => COPIES.membership(state).python],
    ]);
    this.cache = { key: "" };
    this.chart = new ChartView(this.view, {
      height: 236,
      read: (_, s2) => {
        const found = nearest_point(this.found?.points ?? [], s2, true);
        return found ? `s\u00b2 = ${number_text(found[0])}: AUC ${found[1].toFixed(4)}` : "";
      },
    });
  }

  update(model) {
    const key = `${model.population} n=${model.n}`;
    if (this.cache.key !== key) this.cache = { key, found: membership_curve(model, BOUND) };
    const { points, noise, auc, enough, at_edge } = (this.found = this.cache.found);
    this.chart.show({
      name: "membership",
      x: { label: "noise variance s\u00b2", logarithmic: true, low: points[0][0], high: points.at(-1)[0] },
      y: { label: "AUC", low: 0.48, high: 1.02, tick_values: [0.5, 0.6, 0.7, 0.8, 0.9, 1] },
      series: [
        { kind: "line", role: "half", points: points.map(([x]) => [x, 0.5]) },
        { kind: "line", role: "theory", points },
        { kind: "ring", role: "share", points: [at_edge ? points[0] : [noise, auc]] },
      ],
      marks: [],
      alternative: `Area under the curve of the attack against the noise variance; largest, ${auc.toFixed(4)}, at ${number_text(noise)}.`,
    });
    const keyed = key_html([
      ["line", "theory", "theory"], ["ring", "share", "leaks most"], ["line", "half", "guessing"],
    ]);
    if (this.key.innerHTML !== keyed) this.key.innerHTML = keyed;
    const place = at_edge ? "little noise" : `noise variance ${marked("noise", noise)}`;
    this.tell(model.state, {
      said: `Asked at ${place}, the best linear denoiser of these ${model.n} points gives them away: of a training point and a fresh one, the attack tells which is which in ${marked("auc", auc, share_percent(auc))} of pairs. From n = ${marked("enough", enough, number_text(enough, 4))} on it is at most ${Math.round(100 * BOUND)}% there.`,
      formula: `Formula: residual |x \u2212 D(x)|\u00b2 of a member is (s\u00b2/\u03ba)\u00b2 that of a stranger; <code>theory.membership</code>, <code>most_revealing_noise</code>, <code>points_for_auc</code>. No time T here: the denoiser is asked at noise s.`,
      table: () => membership_table(model, points),
    });
    return true;
  }
}

export function share_percent(value) {
  const text = (100 * value).toFixed(1);
  return text === "100.0" && value < 1 ? "more than 99.9%" : `${text}%`;
}

function membership_table(model, points) {
  const step = Math.max(1, Math.floor(points.length / 16));
  return table_html(
    "Attack on the residual: AUC, and members found at 1 % false positives",
    ["s\u00b2", "ratio of residuals", "AUC", "power at 1 %"],
    points.filter((_, k) => k % step === 0).map(([s2]) => {
      const found = membership_at(model, s2);
      return {
        cells: [number_text(s2), number_text(found.ratio), found.auc.toFixed(4), number_text(found.power)],
      };
    }),
  );
}
