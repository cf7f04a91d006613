// Numbers as people read them: a few digits, "infinite" for an infinite expectation.

const MINUS = "\u2212";

/** Round to some significant digits; large and small numbers as powers of ten. */
export function number_text(value, digits = 3) {
  if (Number.isNaN(value)) return "unknown";
  if (!Number.isFinite(value)) return value > 0 ? "infinite" : `${MINUS}infinite`;
  if (value === 0) return "0";
  const size = Math.abs(value);
  let text;
  if (size >= 1e5 || size < 1e-3) {
    const [digitsPart, power] = size.toExponential(digits - 1).split("e");
    text = `${digitsPart.replace(/\.?0+$/, "")}e${Number(power)}`;
  } else if (size >= 10 ** digits) {
    text = String(Math.round(size));
  } else {
    text = size.toPrecision(digits);
    // 999.7 has three digits as 1.00e+3.
    if (text.includes("e")) text = String(Number(text));
  }
  return value < 0 ? MINUS + text : text;
}

/** Without zeros at its end: for parameters. */
export function short_text(value) {
  return Number.isFinite(value) ? String(Number(value.toPrecision(12))) : number_text(value);
}

/** A share as in the tables of the package: three decimals. */
export function share_text(value) {
  return value.toFixed(3);
}

/** Hellinger distances near 1 keep the digits by which they differ from it. */
export function hellinger_text(value) {
  if (value === 1) return "1";
  const gap = 1 - value;
  if (gap <= 0 || gap >= 1e-3) return value.toFixed(3);
  return gap < 1e-12 ? `1 ${MINUS} less than 1e-12` : `1 ${MINUS} ${number_text(gap, 2)}`;
}

/** A number in a sentence, with all its digits beside the few that are read. */
export function marked(name, value, text = number_text(value)) {
  return `<b data-name="${name}" data-value="${value}">${text}</b>`;
}

/** Wilson's 95% interval of a share, as in ornstein.intervals. */
export function wilson_interval(positive, total) {
  if (total === 0) return [0, 1];
  const z = 1.959963984540054;
  const share = positive / total;
  const middle = (share + (z * z) / (2 * total)) / (1 + (z * z) / total);
  const half =
    (z / (1 + (z * z) / total)) *
    Math.sqrt((share * (1 - share)) / total + (z * z) / (4 * total * total));
  return [positive === 0 ? 0 : middle - half, positive === total ? 1 : middle + half];
}
