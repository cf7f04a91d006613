// Symmetric matrices, as Float64Array row by row.

import { symmetric_tridiagonal } from "./numerics.js";

/** Lower triangle L of a = L L^T (n by n), or null if a is not positive definite. */
export function cholesky(a, n) {
  const L = new Float64Array(n * n);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = a[i * n + j];
      for (let k = 0; k < j; k++) sum -= L[i * n + k] * L[j * n + k];
      if (i !== j) L[i * n + j] = sum / L[j * n + j];
      else if (sum > 0) L[i * n + i] = Math.sqrt(sum);
      else return null;
    }
  }
  return L;
}

/** ln det L L^T. */
export function triangular_log_det(L, n) {
  let sum = 0;
  for (let i = 0; i < n; i++) sum += 2 * Math.log(L[i * n + i]);
  return sum;
}

/** Solve L x = b in place, b of length n from `offset`. */
export function solve_lower(L, n, b, offset = 0) {
  for (let i = 0; i < n; i++) {
    let sum = b[offset + i];
    for (let k = 0; k < i; k++) sum -= L[i * n + k] * b[offset + k];
    b[offset + i] = sum / L[i * n + i];
  }
}

/** Solve L^T x = b in place. */
export function solve_upper(L, n, b, offset = 0) {
  for (let i = n - 1; i >= 0; i--) {
    const value = b[offset + i] / L[i * n + i];
    b[offset + i] = value;
    for (let k = 0; k < i; k++) b[offset + k] -= L[i * n + k] * value;
  }
}

/** a b^T of matrices with rows of one length: rows_a by rows_b. Four rows of b at once. */
export function row_products(a, b, rows_a, rows_b, length) {
  const result = new Float64Array(rows_a * rows_b);
  const same = a === b;
  for (let i = 0; i < rows_a; i++) {
    const end = same ? i + 1 : rows_b;
    const left = i * length;
    const place = i * rows_b;
    let j = 0;
    for (; j + 3 < end; j += 4) {
      const first = j * length;
      const second = first + length;
      const third = second + length;
      const fourth = third + length;
      let p = 0;
      let q = 0;
      let r = 0;
      let s = 0;
      for (let k = 0; k < length; k++) {
        const value = a[left + k];
        p += value * b[first + k];
        q += value * b[second + k];
        r += value * b[third + k];
        s += value * b[fourth + k];
      }
      result[place + j] = p;
      result[place + j + 1] = q;
      result[place + j + 2] = r;
      result[place + j + 3] = s;
    }
    for (; j < end; j++) {
      let p = 0;
      for (let k = 0; k < length; k++) p += a[left + k] * b[j * length + k];
      result[place + j] = p;
    }
  }
  if (same) {
    for (let i = 0; i < rows_a; i++) {
      for (let j = 0; j < i; j++) result[j * rows_b + i] = result[i * rows_b + j];
    }
  }
  return result;
}

export function transposed(a, rows, columns) {
  const result = new Float64Array(rows * columns);
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < columns; j++) result[j * rows + i] = a[i * columns + j];
  }
  return result;
}

/** Eigenvalues of a symmetric matrix, ascending: Householder's reduction, then QL steps. */
export function symmetric_eigenvalues(matrix, n) {
  const a = Float64Array.from(matrix);
  const diagonal = new Float64Array(n);
  const beside = new Float64Array(Math.max(n - 1, 0));
  const v = new Float64Array(n);
  const w = new Float64Array(n);
  for (let k = 0; k < n - 1; k++) {
    diagonal[k] = a[k * n + k];
    let norm = 0;
    for (let i = k + 1; i < n; i++) norm += a[i * n + k] * a[i * n + k];
    norm = Math.sqrt(norm);
    const first = a[(k + 1) * n + k];
    const alpha = first > 0 ? -norm : norm;
    beside[k] = alpha;
    let square = 0;
    for (let i = k + 1; i < n; i++) {
      v[i] = a[i * n + k] - (i === k + 1 ? alpha : 0);
      square += v[i] * v[i];
    }
    if (!(square > 0)) continue;
    // a <- H a H with H = 1 - 2 v v^T / |v|^2: a - v q^T - q v^T.
    let overlap = 0;
    for (let i = k + 1; i < n; i++) {
      let sum = 0;
      const row = i * n;
      for (let j = k + 1; j < n; j++) sum += a[row + j] * v[j];
      w[i] = (2 * sum) / square;
      overlap += w[i] * v[i];
    }
    for (let i = k + 1; i < n; i++) w[i] -= (overlap / square) * v[i];
    for (let i = k + 1; i < n; i++) {
      const row = i * n;
      const [vi, wi] = [v[i], w[i]];
      for (let j = k + 1; j < n; j++) a[row + j] -= vi * w[j] + wi * v[j];
    }
  }
  if (n) diagonal[n - 1] = a[n * n - 1];
  return symmetric_tridiagonal(diagonal, beside).values;
}
