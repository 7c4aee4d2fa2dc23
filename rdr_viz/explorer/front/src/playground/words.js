/** Numbers and sentences for people. */

/** A class's letter. */
export const letter = (c) => "ABCDE"[c];

/** A share as whole per cent. */
export const percent = (share) => (Number.isNaN(share) ? "–" : `${Math.round(100 * share)}\u00a0%`);

/** A number as short as its size allows. */
export function short(value) {
  if (!Number.isFinite(value)) return "–";
  const size = Math.abs(value);
  return size >= 10 ? value.toFixed(0) : size >= 1 ? value.toFixed(1) : value.toFixed(2);
}

export const mean = (values) => {
  const known = values.filter((value) => !Number.isNaN(value));
  return known.reduce((a, b) => a + b, 0) / known.length;
};

const points = (difference) => {
  const size = Math.abs(Math.round(100 * difference));
  return `${size} ${size === 1 ? "point" : "points"}`;
};

/** Places of the largest and the rarest class among those that have points. */
export function ends(counts) {
  const filled = counts.map((n, c) => [n, c]).filter(([n]) => n > 0);
  if (!filled.length) return { most: 0, least: 0, balanced: true };
  const most = filled.reduce((a, b) => (b[0] > a[0] ? b : a)),
    least = filled.reduce((a, b) => (b[0] <= a[0] ? b : a));
  return { most: most[1], least: least[1], balanced: most[0] === least[0] };
}

/**
 * Who gains and who pays: the right side held against the left, in parts of which those with `strong` are stressed.
 * @param {{steps: number, counts: number[], labels: {left: string, right: string}, left: number[], right: number[],
 *   bayes: ?number[], broken: boolean}} seen accuracies by class
 * @returns {Array<string|{strong: string}>}
 */
export function sentence({ steps, counts, labels, left, right, bayes, broken }) {
  if (broken)
    return [
      { strong: "Training broke" },
      ": the loss is no longer a number. Take smaller steps under More, then Reset.",
    ];
  const total = counts.reduce((a, b) => a + b, 0);
  const { most, least, balanced } = ends(counts);
  if (steps === 0) {
    const tail = balanced
      ? `${total} points, ${counts[most]} of each class`
      : `${counts[most]} points of class ${letter(most)}, but only ${counts[least]} of ${letter(least)}`;
    return [`To learn from: ${tail}. The test set has the same number of each. Press `, { strong: "Train" }, "."];
  }
  const begin = `After ${steps.toLocaleString("en")} ${steps === 1 ? "step" : "steps"} `;
  const balance = mean(right) - mean(left),
    best = bayes ? `; the Bayes rule has ${percent(mean(bayes))}` : "";
  const verdict = `${labels.right} ${percent(mean(right))}, ${labels.left} ${percent(mean(left))}${best}.`;
  if (labels.left === labels.right)
    return [
      `${begin}both sides are the same, as they must be: same method, same start, same batches. Balanced accuracy: ${percent(mean(left))}${best}.`,
    ];
  const gain = right[least] - left[least],
    cost = right[most] - left[most];
  const level = (value) => Math.round(Math.abs(100 * value)) < 1;
  if (balanced) {
    const says = level(balance) ? "are level" : `differ by ${points(balance)}`;
    return [`${begin}with as many points of each class the two `, { strong: says }, `. Balanced accuracy: ${verdict}`];
  }
  return [begin, ...whoPays(labels, letter(least), letter(most), gain, cost, level), ` Balanced accuracy: ${verdict}`];
}

function whoPays({ left, right }, rare, large, gain, cost, level) {
  if (level(gain) && level(cost))
    return [
      `${right} and ${left} are `,
      { strong: "level" },
      ` on the rarest class, ${rare}, and the largest, ${large}.`,
    ];
  if (level(gain))
    return [
      `the rarest class, ${rare}, is level; ${right} has the largest, ${large}, `,
      { strong: `${points(cost)} ${cost > 0 ? "above" : "below"}` },
      ` ${left}.`,
    ];
  const winner = gain > 0 ? right : left,
    loser = gain > 0 ? left : right,
    paid = gain > 0 ? -cost : cost;
  const start = [`${winner} has the rarest class, ${rare}, `, { strong: `${points(gain)} above` }, ` ${loser}`];
  if (level(cost)) return [...start, ", and the largest, ", large, ", pays nothing."];
  if (paid > 0) return [...start, ` and pays with `, { strong: points(paid) }, ` on the largest, ${large}.`];
  return [...start, ` and the largest, ${large}, ${points(paid)} above as well.`];
}
