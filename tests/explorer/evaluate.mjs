// Evaluate cases [function, [arguments]] of the page's modules, until stdin ends: a line of JSON is
// a list of cases, and a line is written for it, {"results": [...]} or {"error": "..."}.
// Numbers that JSON lacks travel as "Infinity", "-Infinity" and "NaN".

import { readdirSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const functions = {};
for (const name of readdirSync(folder).filter((name) => name.endsWith(".js"))) {
  Object.assign(functions, await import(pathToFileURL(join(folder, name)).href));
}

// What a case cannot ask for: a generator is made of functions, and a model is no number.
const { random_generator, fitted_model, fitted_kl } = functions;
Object.assign(functions, {
  uniform_numbers: (seed, stream, count) =>
    Float64Array.from({ length: count }, random_generator(seed, stream).uniform),
  normal_numbers: (seed, stream, count) => random_generator(seed, stream).normals(count),
  kl_of_points: (eigenvalues, n_train, steps, ...how) => {
    const [sampler, schedule, start] = how;
    const model = fitted_model(eigenvalues, n_train);
    return steps.map((count) => fitted_kl(model, sampler, schedule, count, start));
  },
});

const special = new Set(["Infinity", "-Infinity", "NaN"]);
const read = (_, value) => (special.has(value) ? Number(value) : value);
const write = (_, value) => {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return ArrayBuffer.isView(value) ? Array.from(value) : value;
};

const evaluated = (line) =>
  JSON.parse(line, read).map(([name, parameters]) => {
    if (!(name in functions)) throw new Error(`no function ${name}`);
    return functions[name](...parameters);
  });

for await (const line of createInterface({ input: process.stdin })) {
  let answer;
  try {
    answer = JSON.stringify({ results: evaluated(line) }, write);
  } catch (error) {
    answer = JSON.stringify({ error: error.stack });
  }
  process.stdout.write(`${answer}\n`);
}
