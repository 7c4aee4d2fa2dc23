/** All views, in the order of the page. A new one is a file here and a line below. */

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

export const VIEWS = [counts, accuracy, classes, answers, learning, weights, bPrime, bound, reliability, confusion, calibration, density, eigenvalues, surface, peeking];
