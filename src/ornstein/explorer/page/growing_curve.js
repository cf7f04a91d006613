// Curves that are found a few points at a time, so that a frame is never late.

/** Values of a function along an axis, found a few at a time, coarse ones first. */
export class GrowingCurve {
  constructor(places, f) {
    this.f = f;
    this.waiting = bisection_order(places);
    this.points = [];
  }

  get done() {
    return this.waiting.length === 0;
  }

  /** Find values until the time is over, at least the first `least` of all. */
  grow(end, least = 7) {
    const before = this.points.length;
    while (!this.done && (this.points.length < least || performance.now() < end)) {
      const x = this.waiting.shift();
      this.points.push([x, this.f(x)]);
    }
    if (this.points.length > before) this.points.sort((a, b) => a[0] - b[0]);
    return this.done;
  }
}

/** Ends first, then the middle, then the quarters: any beginning of the list is spread evenly. */
function bisection_order(places) {
  const count = places.length;
  const order = [];
  const seen = new Set();
  const add = (k) => {
    if (!seen.has(k)) {
      seen.add(k);
      order.push(places[k]);
    }
  };
  add(0);
  add(count - 1);
  for (let parts = 2; order.length < count; parts *= 2) {
    for (let k = 1; k < parts; k += 2) add(Math.round((k * (count - 1)) / parts));
    if (parts > 4 * count) for (let k = 0; k < count; k++) add(k);
  }
  return order;
}
