// The page: state from the address, one frame for any number of changes, panels that can be seen.

import { make_controls } from "./controls.js";
import { marked, number_text, short_text } from "./number_texts.js";
import { copied } from "./panels.js";
import { DistancesPanel } from "./panel_distances.js";
import { MembershipPanel } from "./panel_membership.js";
import { SamplesPanel } from "./panel_samples.js";
import { SpectrumPanel } from "./panel_spectrum.js";
import { StepsPanel } from "./panel_steps.js";
import { Simulation } from "./simulation.js";
import { population_eigenvalues, spectrum_name } from "./spectra.js";
import {
  changed_state, default_state, read_address, training_size, written_address,
} from "./state.js";
import { inlined_study, read_csv, study_of_rows } from "./study.js";
import { distances_at } from "./theory.js";
import { Turns } from "./turns.js";

const FRAME_MS = 12; // for theory, in one frame: a panel that begins later waits for the next
const SETTLED_MS = 350;
const ANNOUNCED_MS = 1500;
const ENOUGH_RUNS = 40;

const main = document.querySelector("main");
const study_element = document.getElementById("study");
let study = inlined_study(study_element);
const defaults = default_state(study?.state ?? {});
let state = read_address(location.hash, defaults);
let scheduled = false;
let settle_timer = 0;
let announce_timer = 0;
let moving = false;

const simulation = new Simulation(schedule);
const show_controls = make_controls(document.getElementById("controls"), change);
const panels = [
  new DistancesPanel(change), new SpectrumPanel(() => change({ seed: state.seed + 1 })),
  new SamplesPanel(), new StepsPanel(change), new MembershipPanel(),
];
const turns = new Turns();

function change(changes) {
  state = changed_state(state, changes);
  moving = true;
  main.setAttribute("aria-busy", "true");
  clearTimeout(settle_timer);
  settle_timer = setTimeout(settled, SETTLED_MS);
  schedule();
}

/** When the controls rest: the address, and what a screen reader says. */
function settled() {
  moving = false;
  schedule();
  const address = written_address(state, defaults);
  if (address !== (location.hash || "#")) history.replaceState(null, "", address);
  clearTimeout(announce_timer);
  announce_timer = setTimeout(() => {
    document.getElementById("announced").textContent = document.getElementById("answer").textContent;
  }, ANNOUNCED_MS);
}

function schedule() {
  if (!scheduled) {
    scheduled = true;
    requestAnimationFrame(frame);
  }
}

function frame() {
  scheduled = false;
  const model = make_model();
  show_page(model);
  simulation.watch({
    key: model.key + ` seed=${state.seed}`, eigenvalues: model.eigenvalues, time: state.T,
    noise_scale: state.noise, seed: state.seed, n: model.n,
  });
  // When the page opens, nothing is dragged: all at once is sooner.
  const opened = performance.getEntriesByName("shown").length > 0;
  const end = opened ? performance.now() + FRAME_MS : Infinity;
  // What is out of sight waits until the controls rest.
  const done = turns.update(panels.filter((panel) => panel.visible || !moving), model, end);
  // What is read aloud, or measured, waits until nothing moves.
  if (!opened && !turns.waiting.length) performance.mark("shown");
  main.setAttribute("aria-busy", String(moving || !done));
  if (!done) schedule();
}

function make_model() {
  const eigenvalues = population_eigenvalues(state);
  const model = {
    state, study, simulation, eigenvalues, moving,
    d: eigenvalues.length,
    isotropic: eigenvalues.every((value) => value === eigenvalues[0]),
    population: `${spectrum_name(state)} d=${eigenvalues.length}`,
    n: training_size(state),
    key: `${spectrum_name(state)} d=${eigenvalues.length} T=${state.T} noise=${state.noise}`,
  };
  model.here = distances_at(model, model.n);
  model.threshold = model.here.threshold;
  return model;
}

function show_page(model) {
  const root = document.documentElement;
  if (state.theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = state.theme;
  document.body.dataset.detail = state.detail;
  for (const name of ["detail", "theme"]) {
    document.querySelector(`input[name="${name}"][value="${state[name]}"]`).checked = true;
  }
  show_controls(state);
  const text = answer(model);
  const element = document.getElementById("answer");
  if (element.innerHTML !== text) element.innerHTML = text;
}

function answer(model) {
  const { n, d, here } = model;
  const size = `At <b>n = ${short_ratio(n / d)} d</b>`;
  const kl = Number.isFinite(here.kl)
    ? `the KL divergence from the truth is ${marked("answer_kl", here.kl, `${number_text(here.kl)} nats`)} (${number_text(here.kl_infinite_data)} with infinite data)`
    : `the KL divergence from the truth is ${marked("answer_kl", here.kl)}${n - 1 < d ? `, for ${d - n + 1} of ${d} directions are missing` : ""}`;
  const sample = simulation.samples.get(n);
  if (!sample) {
    return `${size} ${kl}; is what it generates closer to its training set than to fresh data? <span class="wait">Simulating.</span>`;
  }
  const [, low, high] = sample.share();
  const closer = sample.runs - sample.positive;
  let verdict = sample.runs < ENOUGH_RUNS ? ", so far" : ", which leaves it open";
  if (high < 0.5) verdict = ': the model <b class="bad">memorizes</b>';
  if (low > 0.5) verdict = ': the model <b class="good">generalizes</b>';
  return `${size} ${kl}, and what it generates is closer to its training set than to fresh data in <b>${closer} of ${sample.runs}</b> simulated training sets${verdict}.`;
}

function short_ratio(value) {
  return short_text(Number(value.toPrecision(3)));
}

function set_up() {
  for (const name of ["detail", "theme"]) {
    for (const input of document.querySelectorAll(`input[name="${name}"]`)) {
      input.addEventListener("change", () => change({ [name]: input.value }));
    }
  }
  document.getElementById("reset").addEventListener("click", () => change({ ...defaults, theme: state.theme, detail: state.detail }));
  const link = document.getElementById("copy-link");
  link.addEventListener("click", async () => {
    settled();
    link.textContent = (await copied(location.href)) ? "Copied" : "Press Ctrl+C";
    setTimeout(() => (link.textContent = "Copy link"), 1600);
  });
  addEventListener("hashchange", () => {
    change(read_address(location.hash, defaults));
  });
  const seen = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      const panel = panels.find((each) => each.section === entry.target);
      panel.visible = entry.isIntersecting;
    }
    schedule();
  }, { rootMargin: "120px" });
  for (const panel of panels) seen.observe(panel.section);
  set_up_drop();
}

/** A summary.csv that is dropped on the page. */
function set_up_drop() {
  const sign = document.getElementById("drop");
  const note = document.getElementById("study-note");
  let over = 0;
  addEventListener("dragenter", () => {
    over += 1;
    sign.hidden = false;
  });
  addEventListener("dragleave", () => {
    over -= 1;
    sign.hidden = over > 0 ? false : true;
  });
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", async (event) => {
    event.preventDefault();
    over = 0;
    sign.hidden = true;
    const file = event.dataTransfer?.files[0];
    if (!file) return;
    note.hidden = false;
    try {
      study = { ...study_of_rows(read_csv(await file.text())), name: file.name };
      note.textContent = `${file.name}: ${study.rows.length} rows. The file does not say d, T, noise scale and spectrum: set the controls as in the study.`;
    } catch (error) {
      note.textContent = `${file.name}: ${error.message}.`;
    }
    schedule();
  });
}

set_up();
// The first frame is as quick as one of a drag; all details follow when it has been seen.
change({});
