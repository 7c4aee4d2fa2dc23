/** Class weights that need only the counts, as `rdr_core.methods.weights` has them. */

const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/**
 * Weights ~ n_c^-gamma with mean 1 over classes: 1/n for gamma 1.
 * @param {number[]} counts (d,)
 * @returns {number[]} (d,)
 */
export const inverseFrequency = (counts, { gamma = 1 } = {}) => scaled(counts.map((n) => n ** -gamma));

/** Class-balanced weights ~ 1 / (1 - beta^n_c) with mean 1 over classes (Cui et al. 2019). */
export const effectiveNumber = (counts, { beta = 0.9999 } = {}) =>
  // expm1, since for beta near 1 and few samples 1 - beta^n would lose its digits.
  beta === 0 ? counts.map(() => 1) : scaled(counts.map((n) => -1 / Math.expm1(n * Math.log(beta))));

function scaled(weights) {
  const middle = mean(weights);
  return weights.map((w) => w / middle);
}

/**
 * Weights scaled to mean 1 over the batch, in place; all 1 where they are all 0.
 * @param {Float64Array} weights (B,)
 */
export function meanOne(weights) {
  const middle = mean(weights);
  for (let i = 0; i < weights.length; i++) weights[i] = middle > 0 ? weights[i] / middle : 1;
  return weights;
}
