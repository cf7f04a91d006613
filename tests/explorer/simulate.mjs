// Run the page's live simulation under node: JSON on stdin, JSON on stdout.

import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const { draw_once, replicate } = await import(pathToFileURL(process.argv[2]).href);
const { task, sizes, runs } = JSON.parse(readFileSync(0, "utf8"));
task.eigenvalues = Float64Array.from(task.eigenvalues);
const replicates = sizes.map((n) => Array.from({ length: runs }, (_, run) => replicate(task, n, run)));
const draw = draw_once({ ...task, n: sizes[0] });
const write = (_, value) => (ArrayBuffer.isView(value) ? Array.from(value) : value);
process.stdout.write(JSON.stringify({ replicates, draw }, write));
