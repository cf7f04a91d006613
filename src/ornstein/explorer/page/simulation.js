// The page's side of the live simulation: what is asked of the worker, and what came back.
//
// Results are kept for one setting (population, T, noise scale, seed) and thrown away with it.
// Without a worker the same code runs in this thread.

import { wilson_interval } from "./number_texts.js";
import { simulation_server } from "./simulation_worker.js";

const RATIOS = [0.5, 0.8, 1.25, 1.6, 2.2, 3.2, 5, 8, 14];
const RUNS_HERE = 100; // of the size that is shown
const RUNS = 30; // of the others
const QUIET_MS = 250;
// n d^2 of one replicate: half a second or so.
const MOST_WORK = 4e7;

/** What is known of one training size. */
class Sample {
  constructor() {
    this.seen = new Set();
    this.positive = 0;
    this.perfect = 0;
    this.sums = { kl: 0, wasserstein_squared: 0, hellinger_squared: 0 };
    this.squares = { ...this.sums };
  }

  get runs() {
    return this.seen.size;
  }

  /** A replicate that was under way when it was asked for again comes twice, and counts once. */
  add(found) {
    if (this.seen.has(found.index)) return;
    this.seen.add(found.index);
    this.positive += found.delta ? 1 : 0;
    this.perfect += found.perfect ? 1 : 0;
    for (const name of Object.keys(this.sums)) {
      this.sums[name] += found[name];
      this.squares[name] += found[name] ** 2;
    }
  }

  /** [mean, standard error]; the error of one run is unknown. */
  mean(name) {
    const mean = this.sums[name] / this.runs;
    const spread = Math.max(this.squares[name] / this.runs - mean * mean, 0);
    return [mean, this.runs > 1 ? Math.sqrt(spread / (this.runs - 1)) : NaN];
  }

  /** [share, low, high]. */
  share(which = "positive") {
    return [this[which] / this.runs, ...wilson_interval(this[which], this.runs)];
  }
}

export class Simulation {
  /** `changed()` is called when there is something new. */
  constructor(changed) {
    this.changed = changed;
    this.key = "";
    this.samples = new Map();
    this.draw = null;
    this.drawn_for = "";
    this.wanted = null;
    this.in_flight = false;
    this.begun = "";
    this.due = "";
    this.timer = 0;
    this.post = this.connect();
  }

  connect() {
    const source = document.getElementById("worker").textContent;
    try {
      const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
      const worker = new Worker(url);
      worker.onmessage = (event) => this.receive(event.data);
      worker.onerror = () => {
        worker.terminate();
        this.post = this.connect_here();
        this.in_flight = false;
        this.begun = "";
        this.send_draw();
      };
      return (message) => worker.postMessage(message);
    } catch {
      return this.connect_here();
    }
  }

  connect_here() {
    const answer = simulation_server(
      (message) => this.receive(message),
      (f) => setTimeout(f, 30),
    );
    return (message) => setTimeout(() => answer(message), 0);
  }

  /** Follow what the page shows. */
  watch({ key, eigenvalues, time, noise_scale, seed, n }) {
    if (key !== this.key) {
      this.post({ kind: "stop" });
      this.key = key;
      this.begun = "";
      this.samples = new Map();
    }
    const setting = { key, eigenvalues, time, noise_scale, seed };
    const draw_key = `${key} n=${n}`;
    if (this.drawn_for !== draw_key && this.wanted?.key !== draw_key) {
      this.wanted = { ...setting, key: draw_key, n };
      this.send_draw();
    }
    if (this.begun === draw_key || this.due === draw_key) return;
    this.due = draw_key;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.begin(setting, n), QUIET_MS);
  }

  send_draw() {
    if (this.in_flight || !this.wanted) return;
    this.in_flight = true;
    this.post({ kind: "draw", ...this.wanted });
  }

  begin(setting, n) {
    this.begun = `${setting.key} n=${n}`;
    this.due = "";
    const d = setting.eigenvalues.length;
    const others = [...new Set(RATIOS.map((ratio) => Math.max(2, Math.round(ratio * d))))]
      .filter((size) => size !== n && size * d * d <= MOST_WORK && Math.abs(size - 1 - d) > 1);
    const queue = [];
    const missing = (size, run) => !this.samples.get(size)?.seen.has(run);
    const here = n * d * d <= 4 * MOST_WORK ? RUNS_HERE : 0;
    for (let run = 0; run < Math.max(here, RUNS); run++) {
      if (run < here && missing(n, run)) queue.push({ n, index: run });
      if (run >= RUNS) continue;
      for (const size of others) if (missing(size, run)) queue.push({ n: size, index: run });
    }
    if (queue.length) this.post({ kind: "replicates", ...setting, queue });
  }

  receive(message) {
    if (message.kind === "draw") {
      this.in_flight = false;
      this.draw = message.draw;
      this.drawn_for = message.key;
      if (this.wanted?.key === message.key) this.wanted = null;
      this.send_draw();
    } else if (message.key === this.key) {
      for (const found of message.found) {
        if (!this.samples.has(found.n)) this.samples.set(found.n, new Sample());
        this.samples.get(found.n).add(found);
      }
    }
    this.changed();
  }

  /** Whether the last draw is of what is shown. */
  is_current(n) {
    return this.drawn_for === `${this.key} n=${n}`;
  }
}
