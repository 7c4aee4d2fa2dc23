/** Two networks that learn side by side: from the same start, on the same batches, each by its own method. */
import { bPrime } from "./bound.js";
import { batches } from "./data.js";
import { softmax } from "./losses.js";
import { KINDS } from "./methods.js";
import { HIDDEN, backward, descend, forward, initialise } from "./network.js";
import { generator } from "./random.js";
import { densityRatio } from "./ratio.js";
import { meanOne } from "./weights.js";

/** Rows of an (n, width) array. @returns {Float64Array} (rows, width) */
export function take(values, rows, width) {
  const out = new Float64Array(rows.length * width);
  rows.forEach((row, i) => out.set(values.subarray(row * width, (row + 1) * width), i * width));
  return out;
}

/** Mean by class of values; NaN for a class without one. @returns {number[]} (d,) */
function meanByClass(values, labels, classes) {
  const total = new Float64Array(classes),
    count = new Float64Array(classes);
  values.forEach((value, i) => {
    total[labels[i]] += value;
    count[labels[i]] += 1;
  });
  return Array.from(total, (sum, c) => sum / count[c]);
}

/** One network with its method and what it has seen. */
export class Learner {
  /**
   * @param {{kind: string, value: ?number}} method
   * @param {object} data of `makeData`
   * @param {{rate: number, seed: number}} setting equal seeds, equal starts
   */
  constructor(method, data, { rate, seed }) {
    Object.assign(this, { method, data, rate });
    this.parameters = initialise(data.classes, generator(seed + 77));
    this.velocity = this.parameters.map((values) => new Float64Array(values.length));
    // A class that has no point has no weight; it plays no part in a batch either.
    this.weighting = KINDS[method.kind].weighting(
      data.counts.map((n) => Math.max(n, 1)),
      HIDDEN,
      method.value,
    );
    /** The weight that each training point last had in the loss, (N,); of focal loss its factor, scaled alike. */
    this.shown = new Float64Array(data.y.length).fill(1);
    /** By epoch: mean weight and B' of each class. @type {Array<{weights: number[], bPrimes: number[]}>} */
    this.epochs = [];
    this.broken = false;
    this.#forget();
  }

  #forget() {
    this.visits = { logits: [], probabilities: [], labels: [], weights: [] };
  }

  /**
   * One step of SGD.
   * @param {Int32Array} rows of the batch
   * @param {boolean} last whether it ends an epoch
   */
  step(rows, last) {
    const { data, parameters, method } = this,
      d = data.classes;
    const x = take(data.x, rows, 2),
      labels = Int32Array.from(rows, (row) => data.y[row]);
    const passed = forward(parameters, x);
    const { weights } = this.weighting(passed.features, labels);
    const { losses, gradient, factors } = KINDS[method.kind].loss(
      passed.logits,
      labels,
      data.counts.map((n) => Math.max(n, 1)),
      method.value,
    );
    if (!losses.every(Number.isFinite)) this.broken = true;
    this.#note(rows, labels, passed.logits, weights, factors);
    const slope = gradient.map((value, at) => (value * weights[Math.floor(at / d)]) / rows.length);
    descend(parameters, this.velocity, backward(parameters, x, passed, slope), this.rate);
    if (last) this.#close();
  }

  #note(rows, labels, logits, weights, factors) {
    const d = this.data.classes,
      probabilities = softmax(logits, d),
      { visits } = this;
    const counted = factors ? meanOne(weights.map((weight, i) => weight * factors[i])) : weights;
    rows.forEach((row, i) => {
      this.shown[row] = counted[i];
      visits.labels.push(labels[i]);
      visits.logits.push(logits[i * d + labels[i]]);
      visits.probabilities.push(probabilities[i * d + labels[i]]);
      visits.weights.push(counted[i]);
    });
  }

  #close() {
    const { logits, probabilities, labels, weights } = this.visits,
      { counts, classes } = this.data;
    this.epochs.push({
      weights: meanByClass(weights, labels, classes),
      bPrimes: bPrime(logits, probabilities, labels, counts),
    });
    this.#forget();
  }

  /** Share of a class's test points that are right, NaN of a class without one. @returns {number[]} (d,) */
  accuracy() {
    const { testX, testY, classes } = this.data;
    return accuracyOf(forward(this.parameters, testX).logits, testY, classes);
  }

  /**
   * How RDR would weigh a batch now, were its warm-up over: ratios against the prototypes as they are.
   * @param {Int32Array} rows
   * @returns {?{ratios: Float64Array, prototypes: Float64Array, started: boolean[]}} null of other methods
   */
  ratios(rows, features) {
    const { rdr } = this.weighting;
    if (!rdr) return null;
    const labels = Int32Array.from(rows, (row) => this.data.y[row]);
    const ratios = densityRatio(features, labels, rdr.prototypes);
    return {
      ratios: ratios.map((ratio, i) => (rdr.started[labels[i]] ? ratio : 1)),
      prototypes: rdr.prototypes,
      started: rdr.started,
    };
  }
}

/** The place of a row's largest entry. */
export function largest(values, at, d) {
  let best = 0;
  for (let k = 1; k < d; k++) if (values[at + k] > values[at + best]) best = k;
  return best;
}

/**
 * Share of right answers by class.
 * @param {Float64Array} scores (n, d), the largest is the answer
 * @param {Int32Array} labels (n,)
 * @returns {number[]} (d,)
 */
export const accuracyOf = (scores, labels, classes) =>
  meanByClass(
    labels.map((label, i) => Number(largest(scores, i * classes, classes) === label)),
    labels,
    classes,
  );

/** Two learners and the batches they share. */
export class Pair {
  /**
   * @param {object} data of `makeData`
   * @param {{left: object, right: object, rate: number, batch: number, seed: number}} setting methods as parsed
   */
  constructor(data, setting) {
    this.data = data;
    this.left = new Learner(setting.left, data, setting);
    this.right = new Learner(setting.right, data, setting);
    this.steps = 0;
    this.draw = batches(data.y.length, setting.batch, setting.seed + 31);
    /** The batch that the next step takes. */
    this.next = this.draw();
  }

  step() {
    for (const learner of [this.left, this.right]) learner.step(this.next.rows, this.next.last);
    this.next = this.draw();
    this.steps += 1;
  }

  get broken() {
    return this.left.broken || this.right.broken;
  }
}
