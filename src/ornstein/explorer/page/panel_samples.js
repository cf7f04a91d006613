// Training, generated and fresh points as small images.
//
// A point has d coordinates, one a principal direction. Each direction is a smooth pattern, a
// product of two cosines, those of large variance the coarsest; a point is their sum. So a
// power-law spectrum looks like clouds, and equal variances like noise.

import { COPIES } from "./commands.js";
import { marked, number_text } from "./number_texts.js";
import { Panel, table_html } from "./panels.js";

const KINDS = [["train", "Training"], ["generated", "Generated"], ["fresh", "Fresh"]];
// Cividis (Nunez, Anderton, Renslow, 2018): even in lightness, for all kinds of colour vision.
const COLOURS = [
  [0, 34, 78], [18, 53, 112], [59, 73, 108], [87, 93, 109], [112, 113, 115], [138, 134, 120],
  [165, 156, 116], [195, 179, 105], [225, 204, 85], [254, 232, 56],
];
const GAP = 1;

export class SamplesPanel extends Panel {
  constructor() {
    super("samples", [["Copy the Python", (state) => COPIES.samples(state).python]]);
    this.view.className = "view images";
    this.canvases = KINDS.map(([, title]) => {
      const box = document.createElement("div");
      box.innerHTML = `<h3>${title}</h3><canvas role="img"></canvas>`;
      this.view.append(box);
      return box.lastChild;
    });
    this.shown = null;
    this.patterns = null;
  }

  update(model) {
    const { simulation, d, n, here } = model;
    const draw = simulation.draw;
    if (draw && draw !== this.shown && draw.fresh.length % d === 0) {
      this.shown = draw;
      if (this.patterns?.d !== d) this.patterns = cosine_patterns(d);
      const spread = typical_size(draw.fresh, this.patterns);
      KINDS.forEach(([name, title], index) => {
        paint(this.canvases[index], draw[name], this.patterns, spread);
        this.canvases[index].setAttribute(
          "aria-label", `${title} points as images; mean square ${number_text(mean_square(draw[name]))}`,
        );
      });
    }
    const ratio = here.trace;
    const missing = n - 1 < d ? ` It lacks <b>${d - n + 1} of the ${d} patterns</b> that make up the data.` : "";
    this.tell(model.state, {
      said: `What is generated has ${marked("trace", ratio, Number.isFinite(ratio) ? `${number_text(ratio)} times` : "infinitely many times")} the variance of fresh data, expected over training sets.${missing}`,
      formula: `Formula: E tr \u03a3<sub>G</sub> / tr \u03a3, field <code>trace</code>. ${d} numbers, drawn as a sum of ${d} smooth patterns; all images have one scale of colours.`,
      table: () => samples_table(this.shown, ratio),
    });
    return true;
  }
}

function samples_table(draw, ratio) {
  if (!draw) return "";
  return table_html("Mean square of a coordinate (population: 1)", ["points", "mean square"], [
    ...KINDS.map(([name, title]) => ({ cells: [title, number_text(mean_square(draw[name]))] })),
    { cells: ["generated, in theory", number_text(ratio)] },
  ]);
}

function mean_square(points) {
  return points.reduce((sum, x) => sum + x * x, 0) / points.length;
}

/** d patterns on a near-square grid, coarse ones first: values of shape (d, pixels). */
function cosine_patterns(d) {
  const width = Math.ceil(Math.sqrt(d));
  const height = Math.ceil(d / width);
  const waves = [];
  for (let i = 0; i < height; i++) for (let j = 0; j < width; j++) waves.push([i, j]);
  waves.sort((a, b) => a[0] ** 2 + a[1] ** 2 - (b[0] ** 2 + b[1] ** 2) || a[0] - b[0]);
  const wave = (k, size, place) =>
    Math.sqrt((k ? 2 : 1) / size) * Math.cos((Math.PI * k * (place + 0.5)) / size);
  const values = new Float64Array(d * width * height);
  waves.slice(0, d).forEach(([i, j], k) => {
    for (let y = 0; y < height; y++) {
      const vertical = wave(i, height, y);
      for (let x = 0; x < width; x++) {
        values[(k * height + y) * width + x] = vertical * wave(j, width, x);
      }
    }
  });
  return { d, width, height, values };
}

function image_of(points, index, { d, width, height, values }) {
  const pixels = new Float64Array(width * height);
  for (let k = 0; k < d; k++) {
    const x = points[index * d + k];
    const row = k * width * height;
    for (let p = 0; p < pixels.length; p++) pixels[p] += x * values[row + p];
  }
  return pixels;
}

/** Root mean square of the pixels of fresh points. */
function typical_size(points, patterns) {
  return Math.sqrt((mean_square(points) * patterns.d) / (patterns.width * patterns.height)) || 1;
}

/** Images side by side, three a row. */
function paint(canvas, points, patterns, spread) {
  const { d, width, height } = patterns;
  const across = 3;
  const down = 5;
  canvas.width = across * width + (across - 1) * GAP;
  canvas.height = down * height + (down - 1) * GAP;
  const context = canvas.getContext("2d");
  for (let k = 0; k < Math.min(across * down, points.length / d); k++) {
    const pixels = image_of(points, k, patterns);
    const image = context.createImageData(width, height);
    pixels.forEach((value, p) => {
      image.data.set([...colour_of(0.5 + value / (5 * spread)), 255], 4 * p);
    });
    const [row, column] = [Math.floor(k / across), k % across];
    context.putImageData(image, column * (width + GAP), row * (height + GAP));
  }
}

function colour_of(share) {
  const place = Math.min(Math.max(share, 0), 1) * (COLOURS.length - 1);
  const k = Math.min(Math.floor(place), COLOURS.length - 2);
  return COLOURS[k].map((c, i) => Math.round(c + (COLOURS[k + 1][i] - c) * (place - k)));
}
