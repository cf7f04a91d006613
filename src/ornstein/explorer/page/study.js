// The points of a study: inlined by `ornstein explore DIR`, or from a summary.csv that was dropped.

/** Rows of a CSV file with a head line; numbers as numbers, empty cells as NaN. */
export function read_csv(text) {
  const lines = text.replace(/\r/g, "").split("\n").filter((line) => line.trim() !== "");
  const names = (lines.shift() ?? "").split(",");
  return lines.map((line) => {
    const cells = line.split(",");
    return Object.fromEntries(names.map((name, k) => [name, cell_value(cells[k] ?? "")]));
  });
}

function cell_value(text) {
  const cell = text.trim();
  if (cell === "") return NaN;
  if (/^\+?inf(inity|inite)?$/i.test(cell)) return Infinity;
  const value = Number(cell);
  return Number.isNaN(value) && cell.toLowerCase() !== "nan" ? cell : value;
}

const LINEAR = ["train_size", "kl_mean", "hellinger2_mean", "wasserstein2_mean", "delta_positive"];
const STEPS = ["sampler", "steps", "train_size", "kl_mean"];

/** {kind, rows}; throws an Error that says what was expected. */
export function study_of_rows(rows) {
  const has = (names) => rows.length > 0 && names.every((name) => name in rows[0]);
  if (has(STEPS)) return { kind: "steps", rows };
  if (has(LINEAR)) return { kind: "linear", rows };
  throw new Error(
    "expected the summary.csv of ornstein linear or ornstein steps, with the columns " +
      "train_size and kl_mean",
  );
}

/** As it was inlined: infinite numbers are text there, unknown ones null. */
export function inlined_study(element) {
  const found = JSON.parse(element.textContent || "{}");
  if (!found.rows) return null;
  const number = (value) => (value === "infinite" ? Infinity : value === null ? NaN : value);
  return {
    ...found,
    rows: found.rows.map((row) =>
      Object.fromEntries(Object.entries(row).map(([name, value]) => [name, number(value)]))),
  };
}

/** Points [n/d, value, low, high] of a distance: means with standard errors. */
export function distance_points(study, name, d) {
  if (study?.kind !== "linear") return [];
  return study.rows.map((row) => {
    const [mean, error] = [row[`${name}_mean`], row[`${name}_se`] || 0];
    return [row.train_size / d, mean, mean - error, mean + error];
  });
}

/** Points [n/d, share, low, high] of P(Delta > 0), with Wilson's interval. */
export function share_points(study, d) {
  if (study?.kind !== "linear") return [];
  return study.rows.map((row) => [
    row.train_size / d, row.delta_positive, row.delta_positive_low, row.delta_positive_high,
  ]);
}

/** Points [S, KL, low, high] of a sampler at a training size. */
export function steps_points(study, sampler, n) {
  if (study?.kind !== "steps") return [];
  return study.rows
    .filter((row) => row.sampler === sampler && row.train_size === n && Number.isFinite(row.steps))
    .map((row) => [row.steps, row.kl_mean, row.kl_mean - (row.kl_se || 0), row.kl_mean + (row.kl_se || 0)]);
}
