/** A lesson of five tasks. Each looks at what stands on the page and says whether it is solved, or what is missing. */
import { mean, percent } from "./words.js";

/** Steps after which an answer counts. */
export const ENOUGH = 300;

const points = (share) => `${(100 * share).toFixed(1)} points`;

/**
 * What a task looks at.
 * @typedef {object} Seen
 * @property {number} steps
 * @property {number} factor largest class by rarest, of the points as they are
 * @property {number} noise
 * @property {number} least, most place of the rarest and of the largest class
 * @property {Array<{kind: string, value: ?number, accuracy: number[]}>} sides left, right
 * @property {?number[]} bayes accuracy of the Bayes rule by class
 */

/** The side with a method, and the other one. */
const around = (sides, kind) => {
  const at = sides.findIndex((side) => side.kind === kind);
  return at < 0 ? null : { own: sides[at], other: sides[1 - at] };
};

const no = (says) => ({ solved: false, says });
const yes = (says) => ({ solved: true, says });

/** @type {Array<{title: string, asks: string, check: function(Seen): {solved: boolean, says: string}}>} */
export const TASKS = [
  {
    title: "Lose a class",
    asks: "With CE on one side, choose imbalance and noise so that the rarest class is right in under 20 % of its tests, the largest in over 90 %.",
    check({ sides, least, most }) {
      const ce = around(sides, "ce")?.own;
      if (!ce) return no("CE is on neither side yet.");
      const rare = ce.accuracy[least],
        large = ce.accuracy[most];
      if (rare < 0.2 && large > 0.9)
        return yes(
          `CE has ${percent(large)} of the largest class and ${percent(rare)} of the rarest: its mean loss hardly sees the tail.`,
        );
      return no(`With CE the rarest class has ${percent(rare)}, the largest ${percent(large)}.`);
    },
  },
  {
    title: "Bring it back",
    asks: "Keep CE, and find a method for the other side that has the rarest class 30 points or more above it. Who pays, and how much?",
    check({ sides, least, most }) {
      const found = around(sides, "ce");
      if (!found) return no("CE is on neither side yet.");
      const gain = found.other.accuracy[least] - found.own.accuracy[least];
      const cost = found.own.accuracy[most] - found.other.accuracy[most];
      if (gain >= 0.3)
        return yes(
          `The rarest class gains ${points(gain)}; the largest ${cost > 0 ? `pays ${points(cost)}` : "pays nothing"}.`,
        );
      return no(`The rarest class gains ${points(gain)} so far.`);
    },
  },
  {
    title: "When 1/n hurts",
    asks: "CE against 1/n: find a setting in which 1/n is worse by a point or more of balanced accuracy. Few points, small batches and long steps (under More) help.",
    check({ sides }) {
      const found = around(sides, "ce");
      if (!found || found.other.kind !== "inverse") return no("CE and 1/n have to stand side by side.");
      const lead = mean(found.own.accuracy) - mean(found.other.accuracy);
      if (lead >= 0.01)
        return yes(`1/n is ${points(lead)} worse: a few points with large weights make its steps wild.`);
      return no(lead > 0 ? `1/n is ${points(lead)} worse so far.` : `1/n is ${points(-lead)} better here.`);
    },
  },
  {
    title: "Is it the ratio?",
    asks: "RDR against 1/n to the power γ, imbalance 20 or more: turn that γ until both agree within 2 points of balanced accuracy and 6 points on every class.",
    check({ sides, factor }) {
      const found = around(sides, "rdr");
      if (!found || found.other.kind !== "power") return no("RDR and 1/n to a power have to stand side by side.");
      if (factor < 20) return no(`The imbalance is ${Math.round(factor)}; at least 20 is asked.`);
      const apart = found.own.accuracy.map((own, c) => Math.abs(own - found.other.accuracy[c]));
      const balanced = Math.abs(mean(found.own.accuracy) - mean(found.other.accuracy)),
        most = Math.max(...apart);
      if (balanced <= 0.02 && most <= 0.06)
        return yes(
          `With γ = ${found.other.value} weights by the counts alone do what RDR did here. Compare with them before you credit the ratio.`,
        );
      return no(`They are ${points(balanced)} apart on balanced accuracy, ${points(most)} on one class.`);
    },
  },
  {
    title: "As good as it gets",
    asks: "At imbalance 50 or more and noise 0.3 or more, come within 3 points of the Bayes rule's balanced accuracy, on either side.",
    check({ sides, factor, noise, bayes }) {
      if (!bayes) return no("For points by hand nobody knows the Bayes rule; take another world.");
      if (factor < 50) return no(`The imbalance is ${Math.round(factor)}; at least 50 is asked.`);
      if (noise < 0.3) return no(`The noise is ${noise}; at least 0.3 is asked.`);
      const gap = mean(bayes) - Math.max(...sides.map((side) => mean(side.accuracy)));
      if (gap <= 0.03)
        return yes(
          `${gap > 0 ? points(gap) : "Nothing"} left to win on these tests: what remains is noise that no rule can tell apart.`,
        );
      return no(`The better side is ${points(gap)} below the Bayes rule.`);
    },
  },
];

/**
 * How a task stands.
 * @param {number} number 1 to 5
 * @param {Seen} seen
 */
export function checkTask(number, seen) {
  if (seen.steps < ENOUGH) return no(`Train for ${ENOUGH} steps or more; an answer counts from then on.`);
  return TASKS[number - 1].check(seen);
}
