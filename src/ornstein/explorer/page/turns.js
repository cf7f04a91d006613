// Which panels a frame updates, so that none of a drag is late.

/** Panels take turns: what a frame has no time for comes first in the next one. */
export class Turns {
  constructor(now = () => performance.now()) {
    this.now = now;
    this.waiting = [];
  }

  /** Update panels until the time is over, at least one; whether all of them are done. */
  update(panels, model, end) {
    const first = this.waiting.filter((panel) => panels.includes(panel));
    const order = [...new Set([...first, ...panels])];
    let done = true;
    let k = 0;
    while (k < order.length && (k === 0 || this.now() < end)) done = order[k++].update(model, end) && done;
    this.waiting = order.slice(k);
    return done && this.waiting.length === 0;
  }
}
