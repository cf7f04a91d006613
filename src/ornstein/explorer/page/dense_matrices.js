// Dense matrices in rows, as Float64Array: what a simulated regression needs.

/** A^T B, shape (p, q), of A, shape (n, p), and B, shape (n, q). */
export function transposed_product(A, B, n, p, q) {
  const product = new Float64Array(p * q);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < p; j++) {
      const a = A[i * p + j];
      for (let k = 0, row = j * q, other = i * q; k < q; k++) product[row + k] += a * B[other + k];
    }
  }
  return product;
}

/** A^T A, shape (p, p), of A, shape (n, p). */
export function gram_matrix(A, n, p) {
  const product = new Float64Array(p * p);
  for (let i = 0; i < n; i++) {
    const row = i * p;
    for (let j = 0; j < p; j++) {
      const a = A[row + j];
      for (let k = 0, line = j * p; k <= j; k++) product[line + k] += a * A[row + k];
    }
  }
  for (let j = 0; j < p; j++) for (let k = 0; k < j; k++) product[k * p + j] = product[j * p + k];
  return product;
}

/** A A^T, shape (n, n), of A, shape (n, p). */
export function outer_product(A, n, p) {
  const product = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = 0;
      for (let k = 0, a = i * p, b = j * p; k < p; k++) sum += A[a + k] * A[b + k];
      product[i * n + j] = product[j * n + i] = sum;
    }
  }
  return product;
}

/** Lower Cholesky factor of a positive definite matrix, shape (d, d). */
export function cholesky(S, d) {
  const L = new Float64Array(d * d);
  for (let i = 0; i < d; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = S[i * d + j];
      for (let k = 0, a = i * d, b = j * d; k < j; k++) sum -= L[a + k] * L[b + k];
      if (i > j) L[i * d + j] = sum / L[j * d + j];
      else if (sum > 0) L[i * d + i] = Math.sqrt(sum);
      else throw new RangeError("a matrix is not positive definite to rounding");
    }
  }
  return L;
}

/** ln det of L L^T. */
export function log_determinant(L, d) {
  let sum = 0;
  for (let i = 0; i < d; i++) sum += 2 * Math.log(L[i * d + i]);
  return sum;
}

/** L^{-1} x, in place, for the vector that begins at `start`. */
export function solve_lower(L, d, x, start = 0) {
  for (let i = 0; i < d; i++) {
    let sum = x[start + i];
    for (let k = 0, row = i * d; k < i; k++) sum -= L[row + k] * x[start + k];
    x[start + i] = sum / L[i * d + i];
  }
}

/** (L L^T)^{-1} x, in place, for the vector that begins at `start`. */
export function solve_cholesky(L, d, x, start = 0) {
  solve_lower(L, d, x, start);
  for (let i = d - 1; i >= 0; i--) {
    const value = x[start + i] / L[i * d + i];
    x[start + i] = value;
    for (let k = 0, row = i * d; k < i; k++) x[start + k] -= L[row + k] * value;
  }
}

/** |L^{-1} x|^2 of the vector that begins at `start`, which stays as it is. */
export function squared_length(L, d, x, start = 0) {
  const solved = x.slice(start, start + d);
  solve_lower(L, d, solved);
  let sum = 0;
  for (let i = 0; i < d; i++) sum += solved[i] * solved[i];
  return sum;
}

/** Eigenvalues of a symmetric matrix, shape (d, d), ascending. */
export function symmetric_eigenvalues(S, d) {
  const [diagonal, beside] = tridiagonal_form(Float64Array.from(S), d);
  return tridiagonal_eigenvalues(diagonal, beside);
}

/** Householder reflections, from the last row up; A is overwritten. */
function tridiagonal_form(A, d) {
  const diagonal = new Float64Array(d);
  const beside = new Float64Array(d);
  const p = new Float64Array(d);
  for (let i = d - 1; i > 0; i--) {
    const row = i * d;
    let norm = 0;
    for (let k = 0; k < i; k++) norm += A[row + k] * A[row + k];
    norm = Math.sqrt(norm);
    const last = A[row + i - 1];
    beside[i] = last > 0 ? -norm : norm;
    if (norm > 0) {
      // The reflection 1 - u u^T / h takes the row to a multiple of its last unit vector.
      A[row + i - 1] = last - beside[i];
      const h = norm * norm - last * beside[i];
      if (h > 0) reflect(A, d, i, h, p);
    }
    diagonal[i] = A[row + i];
  }
  diagonal[0] = A[0];
  return [diagonal, beside];
}

function reflect(A, d, i, h, p) {
  const row = i * d;
  p.fill(0, 0, i);
  for (let j = 0; j < i; j++) {
    const u = A[row + j];
    let sum = A[j * d + j] * u;
    for (let k = 0, line = j * d; k < j; k++) {
      sum += A[line + k] * A[row + k];
      p[k] += A[line + k] * u;
    }
    p[j] += sum;
  }
  let along = 0;
  for (let j = 0; j < i; j++) {
    p[j] /= h;
    along += p[j] * A[row + j];
  }
  along /= 2 * h;
  for (let j = 0; j < i; j++) p[j] -= along * A[row + j];
  for (let j = 0; j < i; j++) {
    const u = A[row + j];
    const q = p[j];
    for (let k = 0, line = j * d; k <= j; k++) A[line + k] -= u * p[k] + q * A[row + k];
  }
}

/** Implicit QL steps with Wilkinson's shift; both arrays are overwritten. */
function tridiagonal_eigenvalues(a, b) {
  const d = a.length;
  b.copyWithin(0, 1);
  b[d - 1] = 0;
  for (let l = 0; l < d; l++) {
    for (let step = 0; step < 60; step++) {
      let m = l;
      while (m < d - 1 && Math.abs(b[m]) > 1e-16 * (Math.abs(a[m]) + Math.abs(a[m + 1]))) m++;
      if (m === l) break;
      ql_step(a, b, l, m);
    }
  }
  return a.sort();
}

function ql_step(a, b, l, m) {
  const half = (a[l + 1] - a[l]) / (2 * b[l]);
  const root = Math.hypot(half, 1);
  let g = a[m] - a[l] + b[l] / (half + (half >= 0 ? root : -root));
  let s = 1;
  let c = 1;
  let p = 0;
  for (let i = m - 1; i >= l; i--) {
    const f = s * b[i];
    const own = c * b[i];
    const r = Math.hypot(f, g);
    b[i + 1] = r;
    if (r === 0) {
      a[i + 1] -= p;
      b[m] = 0;
      return;
    }
    s = f / r;
    c = g / r;
    g = a[i + 1] - p;
    const turn = (a[i] - g) * s + 2 * c * own;
    p = s * turn;
    a[i + 1] = g + p;
    g = c * turn - own;
  }
  a[l] -= p;
  b[l] = g;
  b[m] = 0;
}
