/** The two directions in which features differ most, classes counted alike: a view of feature space. */

/**
 * Principal axes, found by a few rounds of orthogonal iteration that start from the last ones: so the view turns
 * smoothly while the network learns, and never flips.
 * @param {Float64Array} features (n, Z)
 * @param {Int32Array} labels (n,)
 * @param {number[]} counts (d,)
 * @param {?Float64Array[]} before two axes (Z,) of the last frame
 * @param {number} rounds
 * @returns {{centre: Float64Array, axes: Float64Array[]}}
 */
export function principalAxes(features, labels, counts, before, rounds) {
  const n = labels.length,
    z = features.length / n,
    filled = counts.filter((count) => count > 0).length;
  const centre = new Float64Array(z),
    spread = new Float64Array(z * z);
  const share = Float64Array.from(labels, (label) => 1 / (counts[label] * filled));
  for (let i = 0; i < n; i++) for (let j = 0; j < z; j++) centre[j] += share[i] * features[i * z + j];
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < z; j++) {
      const away = share[i] * (features[i * z + j] - centre[j]);
      if (away !== 0) for (let k = 0; k <= j; k++) spread[j * z + k] += away * (features[i * z + k] - centre[k]);
    }
  }
  for (let j = 0; j < z; j++) for (let k = 0; k < j; k++) spread[k * z + j] = spread[j * z + k];
  let axes = before ?? [
    Float64Array.from({ length: z }, (_, j) => Math.cos(j)),
    Float64Array.from({ length: z }, (_, j) => Math.sin(2 * j)),
  ];
  for (let round = 0; round < (before ? rounds : 10 * rounds); round++)
    axes = orthonormal(
      axes.map((axis) => times(spread, axis)),
      axes,
    );
  return { centre, axes };
}

function times(matrix, vector) {
  const z = vector.length;
  return vector.map((_, j) => {
    let total = 0;
    for (let k = 0; k < z; k++) total += matrix[j * z + k] * vector[k];
    return total;
  });
}

const dot = (a, b) => a.reduce((total, value, j) => total + value * b[j], 0);

/** Gram and Schmidt; an axis that has vanished stays what it was. */
function orthonormal([first, second], [oldFirst, oldSecond]) {
  const unit = (axis, old) => {
    const length = Math.sqrt(dot(axis, axis));
    return length > 1e-12 ? axis.map((value) => value / length) : old;
  };
  const u = unit(first, oldFirst),
    along = dot(second, u);
  return [
    u,
    unit(
      second.map((value, j) => value - along * u[j]),
      oldSecond,
    ),
  ];
}

/** Places of features on the axes. @returns {Float64Array} (n, 2) */
export function project(features, { centre, axes }) {
  const z = centre.length,
    n = features.length / z,
    out = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    for (let a = 0; a < 2; a++) {
      for (let j = 0; j < z; j++) out[2 * i + a] += axes[a][j] * (features[i * z + j] - centre[j]);
    }
  }
  return out;
}
