// Random numbers from a seed: the same seed gives the same training set on every machine.
//
// Uniform numbers by the small fast counter generator (sfc32, Doty-Humphrey, PractRand), normal
// ones by Marsaglia's polar method.

export class RandomNumbers {
  /** Seeds are whole numbers; each list of them is a stream of its own. */
  constructor(...seeds) {
    this.state = [0x9e3779b9, 0x243f6a88, 0xb7e15162, 1];
    this.spare = null;
    for (const seed of seeds) {
      this.state[0] = (this.state[0] ^ seed) | 0;
      this.state[1] = (this.state[1] ^ Math.floor(seed / 0x100000000)) | 0;
      for (let k = 0; k < 15; k++) this.bits();
    }
  }

  bits() {
    const s = this.state;
    const t = (((s[0] + s[1]) | 0) + s[3]) | 0;
    s[3] = (s[3] + 1) | 0;
    s[0] = s[1] ^ (s[1] >>> 9);
    s[1] = (s[2] + (s[2] << 3)) | 0;
    s[2] = (s[2] << 21) | (s[2] >>> 11);
    s[2] = (s[2] + t) | 0;
    return t >>> 0;
  }

  /** In [0, 1), with 53 bits. */
  uniform() {
    return ((this.bits() >>> 5) * 67108864 + (this.bits() >>> 6)) / 9007199254740992;
  }

  normal() {
    if (this.spare !== null) {
      const kept = this.spare;
      this.spare = null;
      return kept;
    }
    let u, v, square;
    do {
      u = 2 * this.uniform() - 1;
      v = 2 * this.uniform() - 1;
      square = u * u + v * v;
    } while (square >= 1 || square === 0);
    const factor = Math.sqrt((-2 * Math.log(square)) / square);
    this.spare = v * factor;
    return u * factor;
  }

  normals(count) {
    const found = new Float64Array(count);
    for (let k = 0; k < count; k++) found[k] = this.normal();
    return found;
  }
}
