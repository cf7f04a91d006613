// Evaluate cases [function, [arguments]] of the page's modules: JSON on stdin, JSON on stdout.
// Numbers that JSON lacks travel as "Infinity", "-Infinity" and "NaN".

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const folder = process.argv[2];
const functions = {};
for (const name of readdirSync(folder).filter((name) => name.endsWith(".js"))) {
  Object.assign(functions, await import(pathToFileURL(join(folder, name)).href));
}

const special = new Set(["Infinity", "-Infinity", "NaN"]);
const read = (_, value) => (special.has(value) ? Number(value) : value);
const write = (_, value) => {
  if (typeof value === "number" && !Number.isFinite(value)) return String(value);
  return ArrayBuffer.isView(value) ? Array.from(value) : value;
};

const cases = JSON.parse(readFileSync(0, "utf8"), read);
const results = cases.map(([name, parameters]) => {
  if (!(name in functions)) throw new Error(`no function ${name}`);
  return functions[name](...parameters);
});
process.stdout.write(JSON.stringify(results, write));
