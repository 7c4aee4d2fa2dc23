/** The playground: `rdrPlayground.mount(element, {styles})` in a page; its mathematics lies beside, for tests. */
import { mount } from "./playground/app.js";
import { bPrime } from "./playground/bound.js";
import { batches, makeData } from "./playground/data.js";
import { checkTask } from "./playground/lesson.js";
import { crossEntropy, focal, logitAdjusted } from "./playground/losses.js";
import { parseMethod } from "./playground/methods.js";
import { backward, descend, forward } from "./playground/network.js";
import { RDRWeights, densityRatio } from "./playground/ratio.js";
import { readState, writeState } from "./playground/state.js";
import { Pair } from "./playground/training.js";
import { effectiveNumber, inverseFrequency, meanOne } from "./playground/weights.js";

globalThis.rdrPlayground = {
  mount,
  Pair,
  RDRWeights,
  bPrime,
  backward,
  batches,
  checkTask,
  crossEntropy,
  densityRatio,
  descend,
  effectiveNumber,
  focal,
  forward,
  inverseFrequency,
  logitAdjusted,
  makeData,
  meanOne,
  parseMethod,
  readState,
  writeState,
};

export { mount };
