/** Means and intervals over seeds, and the sums that views share. Pure functions of arrays. */

export const GROUPS = ["Many", "Medium", "Few"];

export const mean = (values) => values.reduce((a, b) => a + b, 0) / values.length;

/** Sample standard deviation, n - 1. */
export function deviation(values) {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
}

/**
 * Mean and Student's 95 % interval over seeds.
 * @param {number[]} values
 * @param {number[]} t Student's quantile by degrees of freedom, from 1.
 * @returns {{mean: number, low: number, high: number, sd: number, seeds: number}} low and high NaN for one value.
 */
export function interval(values, t) {
  const known = values.filter((value) => !Number.isNaN(value));
  const middle = known.length ? mean(known) : NaN;
  if (known.length < 2) return { mean: middle, low: NaN, high: NaN, sd: NaN, seeds: known.length };
  const sd = deviation(known);
  const half = ((t[known.length - 2] ?? 1.96) * sd) / Math.sqrt(known.length);
  return { mean: middle, low: middle - half, high: middle + half, sd, seeds: known.length };
}

/** Row `at` of an array of shape (rows, width). */
export const row = (array, at) => array.values.subarray(at * array.shape.at(-1), (at + 1) * array.shape.at(-1));

/** Mean over the members that have a number. */
export function meanOf(values, members) {
  let sum = 0;
  let count = 0;
  for (const at of members) {
    if (!Number.isNaN(values[at])) {
      sum += values[at];
      count += 1;
    }
  }
  return count ? sum / count : NaN;
}

/** Places of each group's classes. */
export function membersOf(groups) {
  return Object.fromEntries(GROUPS.map((group) => [group, groups.flatMap((own, at) => (own === group ? [at] : []))]));
}

/** What each value is above the mean of its two neighbours: a series without its drift; two values fewer. */
export const withoutDrift = (values) => values.slice(1, -1).map((value, at) => value - (values[at] + values[at + 2]) / 2);

/** Whether the values differ by no more than a millionth of the largest. */
export function isConstant(values) {
  return Math.max(...values) - Math.min(...values) <= 1e-6 * Math.max(...values.map(Math.abs));
}

/** Spearman's rank correlation; NaN where a series does not move, or has fewer than three pairs. */
export function spearman(x, y) {
  const pairs = x.map((value, at) => [value, y[at]]).filter(([a, b]) => !Number.isNaN(a) && !Number.isNaN(b));
  if (pairs.length < 3) return NaN;
  const [a, b] = [0, 1].map((side) => ranks(pairs.map((pair) => pair[side])));
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  a.forEach((value, at) => {
    ab += (value - ma) * (b[at] - mb);
    aa += (value - ma) ** 2;
    bb += (b[at] - mb) ** 2;
  });
  return aa && bb ? ab / Math.sqrt(aa * bb) : NaN;
}

function ranks(values) {
  const order = values.map((value, at) => at).sort((a, b) => values[a] - values[b]);
  const found = new Array(values.length);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to + 1 < order.length && values[order[to + 1]] === values[order[from]]) to += 1;
    for (let at = from; at <= to; at++) found[order[at]] = (from + to) / 2;
    from = to + 1;
  }
  return found;
}
