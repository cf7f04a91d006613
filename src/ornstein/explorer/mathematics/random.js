// Random numbers from a seed: the same on every machine.
//
// sfc32 (Doty-Humphrey, PractRand), its state filled by the finaliser of MurmurHash3 from seed and
// stream; doubles of 53 bits; normal numbers by the polar method of Marsaglia.

/** A generator: { uniform(), normal(), normals(count) }. Streams of one seed are independent. */
export function random_generator(seed, stream = 0) {
  let a = mixed_bits(seed ^ 0x9e3779b9);
  let b = mixed_bits(Math.imul(stream + 1, 0x85ebca6b) ^ a);
  let c = mixed_bits(b ^ 0xc2b2ae35);
  let counter = 1;
  const word = () => {
    const result = (a + b + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = ((c << 21) | (c >>> 11)) + result | 0;
    return result >>> 0;
  };
  for (let k = 0; k < 15; k++) word();
  const uniform = () => {
    const high = word() >>> 5;
    return (high * 67108864 + (word() >>> 6)) / 9007199254740992;
  };
  let spare = NaN;
  const normal = () => {
    if (spare === spare) {
      const value = spare;
      spare = NaN;
      return value;
    }
    for (;;) {
      const x = 2 * uniform() - 1;
      const y = 2 * uniform() - 1;
      const size = x * x + y * y;
      if (size > 0 && size < 1) {
        const scale = Math.sqrt((-2 * Math.log(size)) / size);
        spare = y * scale;
        return x * scale;
      }
    }
  };
  const normals = (count) => {
    const values = new Float64Array(count);
    for (let k = 0; k < count; k++) values[k] = normal();
    return values;
  };
  return { uniform, normal, normals };
}

function mixed_bits(value) {
  let bits = value | 0;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return bits ^ (bits >>> 16);
}
