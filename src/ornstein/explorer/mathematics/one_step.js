// Expected distances of the one-step model to its isotropic population:
// theory/one_step_model/distances.py.

import { one_step_log_det } from "./log_determinant.js";
import { affinity_cumulants, mean_nuclear_norm, one_step_setting } from "./potential.js";

/**
 * Fields of theory.OneStepTheory for one dim, n_train, time, noise_scale and std.
 *
 * kl, trace and wasserstein_squared are Infinity where their expectations are.
 */
export function one_step(dim, n_train, time = 2, noise_scale = 1, std = 1) {
  const d = dim;
  const n = n_train;
  const root = (Math.sqrt(-Math.expm1(-2 * time)) * Math.sqrt(noise_scale)) / std;
  const ratio = root * root;
  // Of the ratio both fractions have all their digits.
  const rho2 = 1 / (1 + ratio);
  const noise = ratio / (1 + ratio);
  const nu = n - 1;

  const trace = isotropic_trace(d, nu, rho2, noise);
  const drift = (d / n) * (1 + (noise > 0 ? noise * trace : 0));
  const log_det = one_step_log_det(d, n, rho2, noise);
  const full = nu >= d;
  const finite = Number.isFinite(trace);
  const affinity = full ? affinity_cumulants(d, n, rho2, noise, log_det)[0] : -Infinity;
  let kl = Infinity;
  if (full && finite) kl = (trace_excess(d, nu, noise) - log_det + drift) / 2;
  let wasserstein = Infinity;
  if (finite) {
    const nuclear = mean_nuclear_norm(one_step_setting(d, n, rho2, noise));
    wasserstein = Math.max(d * (trace + 1) - 2 * nuclear + drift, 0);
  }
  return {
    signal_fraction: rho2,
    threshold: d * (1 + ratio),
    kl,
    trace,
    log_det,
    hellinger_squared: -Math.expm1(affinity),
    wasserstein_squared: std * std * wasserstein,
    kl_infinite_data: 0.5 * d * isotropic_limit(ratio, noise),
  };
}

function isotropic_trace(d, nu, rho2, noise) {
  // Without noise the model reproduces the span of its data, also where 0 meets infinity.
  let added = 0;
  if (noise > 0) {
    const room = nu >= d ? nu - d - 1 : d - nu - 1;
    added = room > 0 ? (noise * Math.min(nu, d)) / room : Infinity;
    if (nu >= d && room > 0) added = (noise * d) / room;
  }
  return rho2 * Math.min(nu / d, 1) + added;
}

/** E tr Sigma_G / sigma^2 - d for nu >= d, without cancellation. */
function trace_excess(d, nu, noise) {
  return noise > 0 ? (d * noise * (2 * d + 1 - nu)) / (nu - d - 1) : 0;
}

/** rho2 - 1 - ln rho2. */
function isotropic_limit(ratio, noise) {
  if (noise >= 0.1) return Math.log1p(ratio) - noise;
  let sum = 0;
  for (let k = 18; k >= 2; k--) sum = sum * noise + 1 / k;
  return sum * noise * noise;
}
