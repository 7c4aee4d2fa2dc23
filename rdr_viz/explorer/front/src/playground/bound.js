/** B' of the classes, as `rdr_core.measures.bound.b_prime` has it in its reading "logit". */

/**
 * B'_y = sqrt(pi_y) * (1 - p), p the true class's probability at the visit with the smallest true-class logit.
 * @param {ArrayLike<number>} logits true-class logit at each visit of an epoch, (V,)
 * @param {ArrayLike<number>} probabilities true-class probability at each visit, (V,)
 * @param {ArrayLike<number>} labels (V,)
 * @param {number[]} counts (d,) training points of each class
 * @returns {number[]} (d,), NaN for a class without a visit
 */
export function bPrime(logits, probabilities, labels, counts) {
  const total = counts.reduce((a, b) => a + b),
    least = counts.map(() => Infinity),
    worst = counts.map(() => NaN);
  for (let v = 0; v < labels.length; v++) {
    if (logits[v] < least[labels[v]]) {
      least[labels[v]] = logits[v];
      worst[labels[v]] = probabilities[v];
    }
  }
  return worst.map((p, c) => Math.sqrt(counts[c] / total) * (1 - p));
}
