// Run the page's live simulation under node: a law fitted to given points, its distances and Delta,
// and replicates. Reads one JSON document, writes one.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const page = process.argv[2];
const load = (name) => import(pathToFileURL(join(page, name)).href);
const { delta_terms, distances_to_population, generated_law } = await load("one_step_draw.js");
const { draw_once, replicate } = await load("simulation_worker.js");
const { symmetric_eigenvalues } = await load("dense_matrices.js");
const { RandomNumbers } = await load("random_numbers.js");

const given = JSON.parse(readFileSync(0, "utf8"));
const found = {};

/** Hands out given noise in place of random numbers. */
function given_noise(values) {
  return { normals: () => Float64Array.from(values) };
}

found.laws = (given.laws ?? []).map(({ train, noise, n, eigenvalues, time, noise_scale }) => {
  const values = Float64Array.from(eigenvalues);
  const points = Float64Array.from(train);
  const d = values.length;
  const law = generated_law(points, n, d, time, noise_scale, given_noise(noise));
  return {
    mean: [...law.mean],
    factor: [...law.factor],
    ...distances_to_population(law, values),
    terms: delta_terms(law, points, n, values),
  };
});
found.eigenvalues = (given.matrices ?? []).map(({ matrix, d }) => [
  ...symmetric_eigenvalues(Float64Array.from(matrix), d),
]);
found.replicates = (given.replicates ?? []).map(({ n, runs, eigenvalues, time, noise_scale, seed }) => {
  const task = { eigenvalues: Float64Array.from(eigenvalues), time, noise_scale, seed };
  return Array.from({ length: runs }, (_, run) => replicate(task, n, run));
});
if (given.draw) {
  const draw = draw_once({ ...given.draw, eigenvalues: Float64Array.from(given.draw.eigenvalues) });
  found.draw = Object.fromEntries(
    ["singular_values", "train", "generated", "fresh"].map((name) => [name, [...draw[name]]]),
  );
}
if (given.random) {
  const random = new RandomNumbers(...given.random.seeds);
  found.random = {
    uniform: Array.from({ length: given.random.count }, () => random.uniform()),
    normal: [...random.normals(given.random.count)],
  };
}
process.stdout.write(JSON.stringify(found, (_, value) => (value === Infinity ? "inf" : value)));
