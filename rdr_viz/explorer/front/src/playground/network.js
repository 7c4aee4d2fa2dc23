/** A network of the plane: 2 coordinates, two hidden layers of rectified units, one logit a class; row-major. */

/** Units of both hidden layers; those of the second are the features. */
export const HIDDEN = 24;

/**
 * Weights as He et al. 2015 draw them, biases 0.
 * @param {number} classes d
 * @param {{normal: function(): number}} random
 * @returns {Float64Array[]} W1 (2, H), b1 (H,), W2 (H, H), b2 (H,), W3 (H, d), b3 (d,)
 */
export function initialise(classes, random) {
  return [
    [2, HIDDEN],
    [HIDDEN, HIDDEN],
    [HIDDEN, classes],
  ].flatMap(([into, out]) => [
    Float64Array.from({ length: into * out }, () => random.normal() * Math.sqrt(2 / into)),
    new Float64Array(out),
  ]);
}

/**
 * `x W + b`, rectified or not, into an array that is given.
 * @param {Float64Array} x (n, from)
 * @param {Float64Array} weights (from, to)
 */
function layer(x, weights, bias, rectified, out) {
  const to = bias.length,
    from = weights.length / to,
    n = x.length / from,
    on = new Int32Array(from);
  for (let i = 0; i < n; i++) {
    const at = i * to,
      row = i * from;
    // Behind rectified units half of the inputs are zero; the others go two at a time, which saves half of the time.
    let count = 0,
      next = 0;
    for (let k = 0; k < from; k++) if (x[row + k] !== 0) on[count++] = k;
    for (let j = 0; j < to; j++) out[at + j] = bias[j];
    for (; next + 1 < count; next += 2) {
      const one = x[row + on[next]],
        two = x[row + on[next + 1]],
        a = on[next] * to,
        b = on[next + 1] * to;
      for (let j = 0; j < to; j++) out[at + j] += one * weights[a + j] + two * weights[b + j];
    }
    if (next < count) {
      const one = x[row + on[next]],
        a = on[next] * to;
      for (let j = 0; j < to; j++) out[at + j] += one * weights[a + j];
    }
    if (rectified) for (let j = 0; j < to; j++) if (out[at + j] < 0) out[at + j] = 0;
  }
  return out;
}

/**
 * Through the network.
 * @param {Float64Array[]} parameters of `initialise`
 * @param {Float64Array} x (n, 2)
 * @returns {{first: Float64Array, features: Float64Array, logits: Float64Array}} (n, H), (n, H), (n, d)
 */
export function forward([w1, b1, w2, b2, w3, b3], x) {
  const n = x.length / 2;
  const first = layer(x, w1, b1, true, new Float64Array(n * b1.length));
  const features = layer(first, w2, b2, true, new Float64Array(n * b2.length));
  return { first, features, logits: layer(features, w3, b3, false, new Float64Array(n * b3.length)) };
}

/**
 * Gradients of a loss by the parameters, from its gradient by the logits.
 * @param {Float64Array} x (n, 2)
 * @param {{first: Float64Array, features: Float64Array}} passed of `forward`
 * @param {Float64Array} slope (n, d)
 * @returns {Float64Array[]} shaped as the parameters
 */
export function backward([, , w2, , w3], x, { first, features }, slope) {
  const [w3Slope, b3Slope, featureSlope] = layerBack(features, w3, slope, slope.length / (x.length / 2));
  gate(featureSlope, features);
  const [w2Slope, b2Slope, firstSlope] = layerBack(first, w2, featureSlope, features.length / (x.length / 2));
  gate(firstSlope, first);
  const [w1Slope, b1Slope] = layerBack(x, null, firstSlope, first.length / (x.length / 2));
  return [w1Slope, b1Slope, w2Slope, b2Slope, w3Slope, b3Slope];
}

/** Gradients by a layer's weights, its bias and, where weights are given, its input. */
function layerBack(input, weights, slope, to) {
  const n = slope.length / to,
    from = input.length / n;
  const byWeights = new Float64Array(from * to),
    byBias = new Float64Array(to);
  const byInput = weights && new Float64Array(n * from);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < to; j++) byBias[j] += slope[i * to + j];
    for (let k = 0; k < from; k++) {
      const value = input[i * from + k];
      let total = 0;
      if (value !== 0) for (let j = 0; j < to; j++) byWeights[k * to + j] += value * slope[i * to + j];
      if (weights) {
        for (let j = 0; j < to; j++) total += weights[k * to + j] * slope[i * to + j];
        byInput[i * from + k] = total;
      }
    }
  }
  return [byWeights, byBias, byInput];
}

/** No slope where a unit is off. */
function gate(slope, value) {
  for (let i = 0; i < slope.length; i++) if (value[i] <= 0) slope[i] = 0;
}

/**
 * A step of SGD with momentum 0.9, as torch has it, in place.
 * @param {Float64Array[]} parameters
 * @param {Float64Array[]} velocity shaped as the parameters
 */
export function descend(parameters, velocity, gradients, rate, momentum = 0.9) {
  parameters.forEach((values, p) => {
    for (let i = 0; i < values.length; i++) {
      velocity[p][i] = momentum * velocity[p][i] + gradients[p][i];
      values[i] -= rate * velocity[p][i];
    }
  });
}
