/** Colours of the classes: Paul Tol's, which stay apart under the common kinds of colour blindness; no method's. */

const CLASSES = {
  light: ["#4477aa", "#dd8a28", "#aa3377", "#228833", "#3aa6c6"],
  dark: ["#6c9fd2", "#f0a850", "#dd6aa8", "#57b868", "#7fd2ea"],
};
/** The same for letters, with a contrast of 4.5 to 1. */
const LETTERS = {
  light: ["#3a6a9b", "#985b10", "#aa3377", "#1d7a2d", "#1a7690"],
  dark: CLASSES.dark,
};
const GROUND = { light: "#ffffff", dark: "#1c1c20" };
const SOFT = { light: "#6f6b66", dark: "#98938b" };
const INK = { light: "#1c1b1a", dark: "#f0eeea" };

/** How strong a field's colour is where the network is not sure at all, and how much stronger where it is. */
const FIELD = { light: [0.1, 0.28], dark: [0.08, 0.22] };

/**
 * The colours of a theme.
 * @returns {{classes: string[], letters: string[], rgb: number[][], ground: number[], paper: string, ink: string,
 *   soft: string, inkRgb: number[], field: number[]}} by class first; `ground` and `paper` are one colour
 */
export const colors = (theme) => ({
  classes: CLASSES[theme],
  letters: LETTERS[theme],
  rgb: CLASSES[theme].map(rgb),
  ground: rgb(GROUND[theme]),
  paper: GROUND[theme],
  ink: INK[theme],
  soft: SOFT[theme],
  inkRgb: rgb(INK[theme]),
  field: FIELD[theme],
});

const rgb = (color) => [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
