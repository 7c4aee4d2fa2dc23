/** Random numbers with a seed, so that a link shows everyone the same points, the same start and the same batches. */

/**
 * A generator after mulberry32: small, and good enough for points and batches.
 * @param {number} seed
 */
export function generator(seed) {
  let state = seed | 0;

  /** @returns {number} uniform in [0, 1). */
  function uniform() {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }

  /** @returns {number} standard normal (Box and Muller; 1 - u is never 0). */
  const normal = () => Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());

  /** The numbers 0 to n - 1 in random order. @returns {Int32Array} (n,) */
  function permutation(n) {
    const order = Int32Array.from({ length: n }, (_, i) => i);
    for (let i = n - 1; i > 0; i--) {
      const j = Math.floor(uniform() * (i + 1));
      [order[i], order[j]] = [order[j], order[i]];
    }
    return order;
  }

  return { uniform, normal, permutation };
}
