/**
 * The methods one can choose, under the names of the toolkit's grammar ("inverse:gamma=0.5"): each is a loss and a way
 * to weigh samples, with at most one number to turn. Labels, colours and marks come from the page, not from here.
 */
import { crossEntropy, focal, logitAdjusted } from "./losses.js";
import { RDRWeights } from "./ratio.js";
import { effectiveNumber, inverseFrequency, meanOne } from "./weights.js";

/** Batches before RDR's weights begin: rdr_core's share of 2.5 % of a run, which here has some 1,000 steps. */
export const WARMUP = 25;

const range = (from, to, step) =>
  Array.from({ length: Math.round((to - from) / step) + 1 }, (_, i) => Number((from + i * step).toFixed(4)));

const unweighted = () => (features, labels) => ({ weights: new Float64Array(labels.length).fill(1) });

/** Each sample gets its class's weight. */
const byClass = (weights) => (features, labels) => ({
  weights: meanOne(Float64Array.from(labels, (label) => weights[label])),
});

/**
 * By kind: `part` is the part's name in the grammar; `turn` the number to turn, if any; `loss(logits, labels, counts,
 * value)`; `weighting(counts, z, value)` makes `(features, labels) -> {weights, ...}`.
 */
export const KINDS = {
  ce: { part: "ce", loss: crossEntropy, weighting: unweighted },
  focal: {
    part: "focal",
    turn: { name: "gamma", values: range(0, 5, 0.5), start: 2 },
    loss: (logits, labels, counts, gamma) => focal(logits, labels, { gamma }),
    weighting: unweighted,
  },
  cb: {
    part: "cb",
    turn: { name: "beta", values: [0, 0.9, 0.99, 0.999, 0.9999], start: 0.99 },
    loss: crossEntropy,
    weighting: (counts, z, beta) => byClass(effectiveNumber(counts, { beta })),
  },
  la: {
    part: "la",
    turn: { name: "tau", values: range(0, 2, 0.1), start: 1 },
    loss: (logits, labels, counts, tau) => logitAdjusted(logits, labels, { counts, tau }),
    weighting: unweighted,
  },
  inverse: { part: "inverse", loss: crossEntropy, weighting: (counts) => byClass(inverseFrequency(counts)) },
  power: {
    part: "inverse",
    turn: { name: "gamma", values: range(0, 1.5, 0.05), start: 0.5 },
    loss: crossEntropy,
    weighting: (counts, z, gamma) => byClass(inverseFrequency(counts, { gamma })),
  },
  rdr: {
    part: "rdr",
    turn: { name: "gamma", values: range(0, 1.5, 0.05), start: 1 },
    loss: crossEntropy,
    weighting: (counts, z, gamma) => {
      const rdr = new RDRWeights(counts, z, { gamma, warmup: WARMUP });
      const weigh = (features, labels) => rdr.weigh(features, labels);
      return Object.assign(weigh, { rdr });
    },
  },
};

/**
 * A method by its name; null where the playground does not have it.
 * @param {string} name
 * @returns {?{kind: string, value: ?number}}
 */
export function parseMethod(name) {
  const [part, option] = name.split(":");
  const kind = part === "inverse" && option ? "power" : part;
  const found = Object.hasOwn(KINDS, kind) ? KINDS[kind] : null;
  if (!found) return null;
  if (!option) return { kind, value: found.turn?.start ?? null };
  const [key, value] = option.split("=");
  return key === found.turn?.name && found.turn.values.includes(Number(value)) ? { kind, value: Number(value) } : null;
}

/** The name of a method; a number that is the start's goes without saying, but for that of n^-gamma. */
export function methodName({ kind, value }) {
  const { part, turn } = KINDS[kind];
  return turn && (value !== turn.start || kind === "power") ? `${part}:${turn.name}=${value}` : part;
}
