/** Lines between regions, by marching squares: where the largest of several scores changes hands. */

/** Edges of a square that a line joins, by which of its corners (1, 2, 4, 8, clockwise from top left) are above zero. */
const JOINS = [
  [],
  ["l", "t"],
  ["t", "r"],
  ["l", "r"],
  ["r", "b"],
  ["l", "t", "r", "b"],
  ["t", "b"],
  ["l", "b"],
  ["b", "l"],
  ["b", "t"],
  ["t", "r", "b", "l"],
  ["b", "r"],
  ["r", "l"],
  ["r", "t"],
  ["t", "l"],
  [],
];

/**
 * Line segments of the boundaries.
 * @param {Float64Array} scores (rows * columns, d)
 * @param {number} columns
 * @param {number} d
 * @returns {number[][]} [x1, y1, x2, y2] in columns and rows of the grid
 */
export function boundaries(scores, columns, d) {
  const rows = scores.length / d / columns,
    segments = [];
  for (let c = 0; c < d - 1; c++) {
    const lead = leads(scores, c, d),
      at = (i, j) => lead[j * columns + i];
    for (let j = 0; j + 1 < rows; j++) {
      for (let i = 0; i + 1 < columns; i++) {
        const [a, b, e, f] = [at(i, j), at(i + 1, j), at(i + 1, j + 1), at(i, j + 1)];
        const join = JOINS[(a > 0 ? 1 : 0) + (b > 0 ? 2 : 0) + (e > 0 ? 4 : 0) + (f > 0 ? 8 : 0)];
        const edge = {
          t: () => [i + a / (a - b), j],
          r: () => [i + 1, j + b / (b - e)],
          b: () => [i + f / (f - e), j + 1],
          l: () => [i, j + a / (a - f)],
        };
        for (let k = 0; k < join.length; k += 2) segments.push([...edge[join[k]](), ...edge[join[k + 1]]()]);
      }
    }
  }
  return segments;
}

/** By how much class c leads the best of the others; below 0 where another does. */
function leads(scores, c, d) {
  return Float64Array.from({ length: scores.length / d }, (_, i) => {
    let other = -Infinity;
    for (let k = 0; k < d; k++) if (k !== c) other = Math.max(other, scores[i * d + k]);
    return scores[i * d + c] - other;
  });
}
