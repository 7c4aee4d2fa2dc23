/**
 * RDR's density ratios and weights, as `rdr_core.methods.ratio` and `rdr_core.methods.rdr` have them: the same problem,
 * solved class by class, since here a batch is small and a class's block smaller.
 */
import { meanOne } from "./weights.js";

/** Strength of the ridge, relative to a class's mean squared feature norm: rdr_core's default. */
export const RIDGE = 3e-3;
/** Rounds of the iterated ridge, which leave well-conditioned classes as they are. */
const ORDER = 3;
const TINY = 2.2250738585072014e-308;

/** By class of the batch, the rows of its samples. @returns {Map<number, number[]>} */
export function rowsByClass(labels) {
  const rows = new Map();
  labels.forEach((label, i) => (rows.get(label) ?? rows.set(label, []).get(label)).push(i));
  return rows;
}

/**
 * Mean feature of some rows.
 * @param {Float64Array} features (B, Z)
 * @param {number[]} rows
 * @param {number} z Z
 * @returns {Float64Array} (Z,)
 */
export function meanOf(features, rows, z) {
  const mean = new Float64Array(z);
  for (const row of rows) for (let j = 0; j < z; j++) mean[j] += features[row * z + j];
  return mean.map((total) => total / rows.length);
}

/**
 * Ratios of one class: those next to 1 with `Phi r / b = F`, where `shift` is F minus the batch's mean.
 * @param {Float64Array} features (B, Z)
 * @param {number[]} rows of the class, b
 * @param {Float64Array} shift (Z,)
 * @returns {Float64Array} (b,)
 */
function ratiosOfClass(features, rows, shift, ridge) {
  const b = rows.length,
    z = shift.length,
    gram = new Float64Array(b * b),
    rhs = new Float64Array(b);
  let squares = 0;
  for (let i = 0; i < b; i++) {
    const at = rows[i] * z;
    for (let j = 0; j < z; j++) rhs[i] += b * features[at + j] * shift[j];
    for (let k = 0; k <= i; k++) {
      const other = rows[k] * z;
      let product = 0;
      for (let j = 0; j < z; j++) product += features[at + j] * features[other + j];
      gram[i * b + k] = product;
    }
    squares += gram[i * b + i];
  }
  // A class whose features are all zero has gram = rhs = 0: the tiny floor makes that 0 / tiny.
  const penalty = (squares * ridge) / b + TINY;
  for (let i = 0; i < b; i++) gram[i * b + i] += penalty;
  factorise(gram, b);
  let delta = solve(gram, b, rhs);
  for (let round = 1; round < ORDER; round++)
    delta = solve(
      gram,
      b,
      rhs.map((value, i) => value + penalty * delta[i]),
    );
  return delta.map((value) => value + 1);
}

/** Cholesky's factor in place, in the lower triangle of a (b, b) matrix. */
function factorise(matrix, b) {
  for (let i = 0; i < b; i++) {
    for (let k = 0; k <= i; k++) {
      let value = matrix[i * b + k];
      for (let j = 0; j < k; j++) value -= matrix[i * b + j] * matrix[k * b + j];
      matrix[i * b + k] = i === k ? Math.sqrt(Math.max(value, TINY)) : value / matrix[k * b + k];
    }
  }
}

/** Forward and backward through Cholesky's factor. */
function solve(factor, b, rhs) {
  const x = Float64Array.from(rhs);
  for (let i = 0; i < b; i++) {
    for (let j = 0; j < i; j++) x[i] -= factor[i * b + j] * x[j];
    x[i] /= factor[i * b + i];
  }
  for (let i = b - 1; i >= 0; i--) {
    for (let j = i + 1; j < b; j++) x[i] -= factor[j * b + i] * x[j];
    x[i] /= factor[i * b + i];
  }
  return x;
}

/**
 * Ratio of the balanced to the training density at each sample, within its class.
 * @param {Float64Array} features (B, Z)
 * @param {Int32Array} labels (B,)
 * @param {Float64Array} prototypes (d, Z)
 * @returns {Float64Array} (B,), can be below zero; 1 where a class's prototype is its batch mean.
 */
export function densityRatio(features, labels, prototypes, { ridge = RIDGE } = {}) {
  const z = features.length / labels.length,
    ratios = new Float64Array(labels.length);
  for (const [label, rows] of rowsByClass(labels)) {
    const shift = meanOf(features, rows, z).map((mean, j) => prototypes[label * z + j] - mean);
    ratiosOfClass(features, rows, shift, ridge).forEach((ratio, i) => (ratios[rows[i]] = ratio));
  }
  return ratios;
}

/** What RDR remembers from batch to batch: `rdr_core.RDRWeights` with its default preset. */
export class RDRWeights {
  /**
   * @param {number[]} counts (d,) training points of each class
   * @param {number} z features
   * @param {{gamma?: number, momentum?: number, ridge?: number, floor?: number, warmup?: number}} options `warmup`
   *   counts the batches whose weights are 1 while the prototypes already follow.
   */
  constructor(counts, z, { gamma = 1, momentum = 0.5, ridge = RIDGE, floor = 0, warmup = 0 } = {}) {
    const total = counts.reduce((a, b) => a + b);
    Object.assign(this, { z, gamma, momentum, ridge, floor, warmup, steps: 0 });
    this.inversePrior = counts.map((n) => total / n);
    this.prototypes = new Float64Array(counts.length * z);
    this.started = counts.map(() => false);
  }

  /**
   * Weigh a batch; the prototypes follow it afterwards.
   * @param {Float64Array} features (B, Z)
   * @param {Int32Array} labels (B,)
   * @returns {{weights: Float64Array, ratios: Float64Array}} weights (B,) of mean 1, raw ratios (B,)
   */
  weigh(features, labels) {
    const { z, prototypes } = this;
    const ratios = new Float64Array(labels.length);
    for (const [label, rows] of rowsByClass(labels)) {
      const mean = meanOf(features, rows, z);
      // A class that is seen for the first time has its mean for a prototype: no shift.
      const shift = mean.map((value, j) => (this.started[label] ? prototypes[label * z + j] - value : 0));
      ratiosOfClass(features, rows, shift, this.ridge).forEach((ratio, i) => (ratios[rows[i]] = ratio));
      const moved = mean.map((value, j) => value + this.momentum * shift[j]);
      // One infinite feature must not spoil a prototype for good.
      if (moved.every(Number.isFinite)) {
        prototypes.set(moved, label * z);
        this.started[label] = true;
      }
    }
    const weights = meanOne(
      ratios.map((ratio, i) => (Math.max(ratio, this.floor) * this.inversePrior[labels[i]]) ** this.gamma),
    );
    if (this.steps < this.warmup) weights.fill(1);
    this.steps += 1;
    return { weights, ratios };
  }
}
