// Charts as SVG: lines, points with intervals, bars, marks, and a region where nothing is finite.
//
// A chart is a plain object. `chart_svg` draws it; `ChartView` keeps one in the page, draws it again
// when its width changes, shows values under the pointer, and lets a value be picked by dragging.
//
//   {x: {label, low, high, logarithmic}, y: {...}, series: [...], marks: [{x, label, role}],
//    endless: {from, to, text}}
//   series: {kind: "line" | "points" | "bars" | "ring", role, label, points: [[x, y, low, high]]}
//
// Colours come from roles (charts.css), so that one role has one colour everywhere.

import { make_scale, tick_text } from "./axes.js";

const LEFT = 46;
const RIGHT = 12;
const TOP = 20;
const BOTTOM = 38;

export function chart_svg(chart, width, height) {
  const { x, y } = chart_scales(chart, width, height);
  const clip = `clip-${chart.name}`;
  const parts = [
    `<svg width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" aria-hidden="true">`,
    `<clipPath id="${clip}"><rect x="${LEFT}" y="${TOP - 6}" width="${width - LEFT - RIGHT}" height="${height - TOP - BOTTOM + 6}"/></clipPath>`,
    axes_svg(chart, x, y, width, height),
    `<g clip-path="url(#${clip})">`,
    endless_svg(chart, x, height),
    ...chart.series.map((series) => series_svg(series, x, y, height)),
    "</g>",
    marks_svg(chart, x, width, height),
    "</svg>",
  ];
  return parts.join("");
}

export function chart_scales(chart, width, height) {
  return {
    x: make_scale({ ...chart.x, from: LEFT, to: width - RIGHT, ticks: Math.max(3, width / 62) }),
    y: make_scale({ ...chart.y, from: height - BOTTOM, to: TOP, ticks: Math.max(3, height / 42) }),
  };
}

function axes_svg(chart, x, y, width, height) {
  const bottom = height - BOTTOM;
  const parts = [];
  for (const tick of y.ticks) {
    const at = y.place(tick).toFixed(1);
    parts.push(
      `<line class="grid" x1="${LEFT}" x2="${width - RIGHT}" y1="${at}" y2="${at}"/>`,
      `<text class="tick" x="${LEFT - 7}" y="${at}" dy="0.32em" text-anchor="end">${tick_text(tick)}</text>`,
    );
  }
  for (const tick of x.ticks) {
    const at = x.place(tick).toFixed(1);
    parts.push(
      `<line class="axis" x1="${at}" x2="${at}" y1="${bottom}" y2="${bottom + 4}"/>`,
      `<text class="tick" x="${at}" y="${bottom + 16}" text-anchor="middle">${tick_text(tick)}</text>`,
    );
  }
  parts.push(
    `<line class="axis" x1="${LEFT}" x2="${width - RIGHT}" y1="${bottom}" y2="${bottom}"/>`,
    `<text class="label" x="${(LEFT + width - RIGHT) / 2}" y="${height - 5}" text-anchor="middle">${chart.x.label}</text>`,
    chart.y.label
      ? `<text class="label" x="4" y="9" dominant-baseline="middle">${chart.y.label}</text>`
      : "",
  );
  return parts.join("");
}

/** Hatched, where a curve is infinite. */
function endless_svg(chart, x, height) {
  if (!chart.endless) return "";
  const from = Math.max(x.place(chart.endless.from), x.place(x.low));
  const to = Math.min(x.place(chart.endless.to), x.place(x.high));
  if (!(to > from + 1)) return "";
  const middle = (from + to) / 2;
  const text = to - from > 52
    ? `<text class="endless" x="${middle}" y="${(TOP + height - BOTTOM) / 2}" text-anchor="middle">${chart.endless.text}</text>`
    : "";
  return `<rect class="endless" x="${from.toFixed(1)}" y="0" width="${(to - from).toFixed(1)}" height="${height - BOTTOM}"/>${text}`;
}

function series_svg(series, x, y, height) {
  return { line: line_svg, points: points_svg, bars: bars_svg, ring: ring_svg }[series.kind](
    series, x, y, height,
  );
}

function line_svg({ points, role }, x, y) {
  let path = "";
  let pen = "M";
  for (const [a, b] of points) {
    if (!Number.isFinite(b) || !Number.isFinite(a)) {
      pen = "M";
      continue;
    }
    // Far beyond the chart, numbers too large for a path.
    const at = Math.min(Math.max(y.place(b), -1e4), 1e4);
    path += `${pen}${x.place(a).toFixed(1)} ${at.toFixed(1)}`;
    pen = "L";
  }
  return path ? `<path class="line ${role}" d="${path}"/>` : "";
}

function points_svg({ points, role, shape = "circle", fade }, x, y) {
  // An error bar may reach below 0, where a logarithmic axis has no place.
  const least = y.logarithmic ? y.low / 10 : -Infinity;
  const seen = points.filter(([, b]) => Number.isFinite(b) && (!y.logarithmic || b > 0));
  const parts = seen.map(([a, b, low, high]) => {
    const [at, to] = [x.place(a).toFixed(1), y.place(b).toFixed(1)];
    const bar = Number.isFinite(low) && Number.isFinite(high)
      ? `<line class="error" x1="${at}" x2="${at}" y1="${y.place(Math.max(low, least)).toFixed(1)}" y2="${y.place(Math.max(high, least)).toFixed(1)}"/>`
      : "";
    return bar + (shape === "square"
      ? `<rect x="${(at - 3.2).toFixed(1)}" y="${(to - 3.2).toFixed(1)}" width="6.4" height="6.4"/>`
      : shape === "diamond"
        ? `<path d="M${at} ${to - 5}l5 5l-5 5l-5 -5z"/>`
        : `<circle cx="${at}" cy="${to}" r="3.3"/>`);
  });
  return `<g class="points ${role}${fade ? " fade" : ""}">${parts.join("")}</g>`;
}

function bars_svg({ points, role, fade }, x, y) {
  const bottom = y.place(y.low);
  const parts = points.map(([from, height, to]) => {
    const left = x.place(from);
    const top = y.place(height);
    return `<rect x="${left.toFixed(1)}" y="${top.toFixed(1)}" width="${Math.max(x.place(to) - left - 1, 0.5).toFixed(1)}" height="${Math.max(bottom - top, 0).toFixed(1)}"/>`;
  });
  return `<g class="bars ${role}${fade ? " fade" : ""}">${parts.join("")}</g>`;
}

function ring_svg({ points, role }, x, y) {
  return points.filter(([a, b]) => Number.isFinite(a) && Number.isFinite(b)).map(([a, b]) =>
    `<circle class="ring ${role}" cx="${x.place(a).toFixed(1)}" cy="${y.place(b).toFixed(1)}" r="6"/>`,
  ).join("");
}

/** Upright lines with names above the chart; of two that are close the second hangs lower. */
function marks_svg(chart, x, width, height) {
  const shown = chart.marks.filter((mark) => mark.x >= x.low && mark.x <= x.high);
  return shown.map((mark) => {
    const at = x.place(mark.x);
    const side = mark.side ?? "right";
    const anchor = side === "right" ? "start" : side === "left" ? "end" : "middle";
    const shift = side === "right" ? 3 : side === "left" ? -3 : 0;
    return (
      `<line class="mark ${mark.role}" x1="${at.toFixed(1)}" x2="${at.toFixed(1)}" y1="${TOP - 4}" y2="${height - BOTTOM}"/>` +
      `<text class="mark ${mark.role}" x="${(at + shift).toFixed(1)}" y="${mark.low ? TOP + 7 : TOP - 8}" text-anchor="${anchor}">${mark.label}</text>`
    );
  }).join("");
}

/** A chart in the page. `host` is an empty element; `pick`, if given, gets picked x values. */
export class ChartView {
  constructor(host, { height = 230, pick = null, read = null } = {}) {
    this.host = host;
    this.height = height;
    this.pick = pick;
    this.read = read;
    this.chart = null;
    this.drawing = document.createElement("div");
    this.drawing.className = pick ? "drawing pickable" : "drawing";
    this.drawing.setAttribute("role", "img");
    this.tip = document.createElement("div");
    this.tip.className = "tip";
    this.tip.hidden = true;
    host.append(this.drawing, this.tip);
    this.width = 0;
    new ResizeObserver(() => this.resized()).observe(host);
    this.drawing.addEventListener("pointermove", (event) => this.moved(event));
    this.drawing.addEventListener("pointerdown", (event) => this.pressed(event));
    this.drawing.addEventListener("pointerleave", () => (this.tip.hidden = true));
  }

  resized() {
    const width = Math.floor(this.host.clientWidth);
    if (width !== this.width && width > 0) {
      this.width = width;
      this.draw();
    }
  }

  show(chart) {
    this.chart = chart;
    this.drawing.setAttribute("aria-label", chart.alternative);
    this.draw();
  }

  draw() {
    if (!this.chart) return;
    this.width ||= Math.floor(this.host.clientWidth);
    if (this.width > 0) this.drawing.innerHTML = chart_svg(this.chart, this.width, this.height);
  }

  /** The x value under the pointer, within the axis. */
  value_at(event) {
    const { x } = chart_scales(this.chart, this.width, this.height);
    const place = event.clientX - this.drawing.getBoundingClientRect().left;
    return Math.min(Math.max(x.value(place), x.low), x.high);
  }

  pressed(event) {
    if (!this.pick || !this.chart) return;
    if (event.pointerType === "mouse") this.drawing.setPointerCapture(event.pointerId);
    this.pick(this.value_at(event));
    event.preventDefault();
  }

  moved(event) {
    if (!this.chart) return;
    const value = this.value_at(event);
    if (this.pick && event.buttons === 1) this.pick(value);
    const text = this.read?.(this.chart, value);
    this.tip.hidden = !text;
    if (!text) return;
    this.tip.textContent = text;
    const place = event.clientX - this.drawing.getBoundingClientRect().left;
    const left = Math.min(Math.max(place + 12, 0), this.width - this.tip.offsetWidth - 4);
    this.tip.style.transform = `translate(${left}px, ${TOP + 8}px)`;
  }
}

/** The point of a line that is nearest to x, on the axis as it is drawn. */
export function nearest_point(points, x, logarithmic) {
  const turn = logarithmic ? Math.log : (value) => value;
  let best = null;
  for (const point of points) {
    if (best === null || Math.abs(turn(point[0]) - turn(x)) < Math.abs(turn(best[0]) - turn(x))) {
      best = point;
    }
  }
  return best;
}
