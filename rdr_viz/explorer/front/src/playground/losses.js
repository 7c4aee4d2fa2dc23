/** Losses of logits with their gradients, one sample a row, as `rdr_core.methods.losses` has them; float64. */

/** The smallest normal number: keeps fractional powers and their gradients finite. */
const TINY = 2.2250738585072014e-308;

/**
 * Log of the softmax's normaliser of one row, shifted by its largest entry.
 * @param {Float64Array} z (B, d)
 * @param {number} at where the row begins
 * @param {number} d
 */
function logSumExp(z, at, d) {
  let most = -Infinity,
    total = 0;
  for (let k = 0; k < d; k++) most = Math.max(most, z[at + k]);
  for (let k = 0; k < d; k++) total += Math.exp(z[at + k] - most);
  return most + Math.log(total);
}

/**
 * Cross-entropy -log softmax(z)_y.
 * @param {Float64Array} logits (B, d)
 * @param {Int32Array} labels (B,)
 * @returns {{losses: Float64Array, gradient: Float64Array}} (B,), and (B, d): of each loss by its own logits.
 */
export function crossEntropy(logits, labels) {
  const n = labels.length,
    d = logits.length / n,
    losses = new Float64Array(n),
    gradient = new Float64Array(n * d);
  for (let i = 0; i < n; i++) {
    const norm = logSumExp(logits, i * d, d);
    losses[i] = norm - logits[i * d + labels[i]];
    for (let k = 0; k < d; k++) gradient[i * d + k] = Math.exp(logits[i * d + k] - norm);
    gradient[i * d + labels[i]] -= 1;
  }
  return { losses, gradient };
}

/**
 * Focal loss (1 - p_y)^gamma * -log p_y (Lin et al. 2017).
 * @returns {{losses: Float64Array, gradient: Float64Array, factors: Float64Array}} `factors` (B,) are (1 - p_y)^gamma.
 */
export function focal(logits, labels, { gamma = 2 } = {}) {
  const { losses, gradient } = crossEntropy(logits, labels);
  const n = labels.length,
    d = logits.length / n,
    factors = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    // 1 - p by expm1, since close to p = 1 the difference would lose every digit.
    const loss = losses[i],
      wrong = Math.max(-Math.expm1(-loss), TINY);
    factors[i] = wrong ** gamma;
    const slope = factors[i] + gamma * wrong ** (gamma - 1) * Math.exp(-loss) * loss;
    losses[i] = factors[i] * loss;
    for (let k = 0; k < d; k++) gradient[i * d + k] *= slope;
  }
  return { losses, gradient, factors };
}

/**
 * Logit adjustment -log softmax(z + tau log pi)_y (Menon et al. 2021); tests use the raw logits.
 * @param {number[]} counts (d,) training points of each class
 */
export function logitAdjusted(logits, labels, { counts, tau = 1 }) {
  const d = counts.length,
    total = counts.reduce((a, b) => a + b);
  return crossEntropy(
    logits.map((z, at) => z + tau * Math.log(counts[at % d] / total)),
    labels,
  );
}

/**
 * Probabilities of logits.
 * @param {Float64Array} logits (n, d)
 * @param {number} d
 * @returns {Float64Array} (n, d)
 */
export function softmax(logits, d) {
  const out = new Float64Array(logits.length);
  for (let at = 0; at < logits.length; at += d) {
    const norm = logSumExp(logits, at, d);
    for (let k = 0; k < d; k++) out[at + k] = Math.exp(logits[at + k] - norm);
  }
  return out;
}
