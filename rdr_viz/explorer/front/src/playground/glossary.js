/** What the words on the page mean, for whoever opens them. */
import { TESTS } from "./data.js";
import { WARMUP } from "./methods.js";
import { HIDDEN } from "./network.js";

/** @type {Array<[string, string]>} */
export const WORDS = [
  [
    "Balanced accuracy",
    `The share of test points that are right, averaged over the classes; ${TESTS} points of each are tested.`,
  ],
  [
    "Weight",
    "How much a point's loss counts in its batch. A batch's weights have mean 1. Of focal loss its factor (1 − p)^γ is shown, scaled alike.",
  ],
  [
    "Density ratio",
    "Weights for the points of a class in a batch under which their mean feature is the class's prototype. Where batch and prototype agree they are 1, and RDR is 1/n.",
  ],
  ["Prototype", "A running mean of the class's features: after each batch half the old one, half the batch's mean."],
  [
    "B′",
    "√π · (1 − p): π is the class's share of the training points, p the probability of the true class at the point whose true-class logit was the smallest in the epoch.",
  ],
  [
    "Bayes rule",
    "The answer of someone who knows how each class is spread and takes all classes for equally frequent. Nobody does better on average.",
  ],
  [
    "Networks",
    `2 inputs, twice ${HIDDEN} rectified units, one logit a class; SGD with momentum 0.9. RDR's weights begin after ${WARMUP} steps.`,
  ],
];
