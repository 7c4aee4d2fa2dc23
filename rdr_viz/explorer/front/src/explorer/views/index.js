/** The page's own views, in its order; a new one is a file here and a line below. The kernel draws all other kinds. */

import accuracy from "./accuracy.js";
import answers from "./answers.js";
import bPrime from "./b_prime.js";
import bound from "./bound.js";
import calibration from "./calibration.js";
import classes from "./classes.js";
import confusion from "./confusion.js";
import counts from "./counts.js";
import density from "./density.js";
import eigenvalues from "./eigenvalues.js";
import learning from "./learning.js";
import peeking from "./peeking.js";
import reliability from "./reliability.js";
import surface from "./surface.js";
import weights from "./weights.js";
import { drawnView } from "../drawn.js";

const OWN = [counts, accuracy, classes, answers, learning, weights, bPrime, bound, reliability, confusion, calibration, density, eigenvalues, surface, peeking];

/** All views that a page can show. @param {Object} head of rdr_viz/explorer/head.py, which tells of every kind. */
export function viewsOf(head) {
  const own = OWN.map((view) => ({ ...view, ...(view.kind ? head.views[view.kind] : {}) }));
  if (!head.kernel) return own;
  const has = (what, name) => OWN.some((view) => view[what] === name);
  const others = Object.keys(head.views).filter((kind) => !has("kind", kind));
  return [...own, ...others.map((kind) => drawnView(kind, has("name", kind) ? `${kind}-drawn` : kind, head.views[kind]))];
}
