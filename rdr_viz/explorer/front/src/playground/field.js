/** The plane: whose region each place is, the training points sized by weight, the Bayes rule's line, the letters. */
import { disc, imageOf, rim } from "./discs.js";
import { enlarge } from "./enlarge.js";
import { softmax } from "./losses.js";
import { forward } from "./network.js";
import { largest } from "./training.js";
import { boundaries } from "./contour.js";
import { cells, fit } from "./view.js";
import { ends, letter } from "./words.js";

/** Pixels of a cell of the field: fine when it rests, coarse while it moves, coarser where pictures come slowly. */
const CELL = { resting: 5, moving: 10, slow: 15 };
const BAYES_CELL = 4;

/** What lies over the points, by data, then by size, theme and rule: both sides have the same. */
const OVERLAYS = new WeakMap();

/** A painter of one canvas; keeps what does not change from frame to frame. */
export class Field {
  constructor(canvas) {
    this.canvas = canvas;
    this.image = null;
    this.grids = new Map();
  }

  /**
   * @param {object} learner
   * @param {{motion: "resting"|"moving"|"slow", hurry: boolean, look: object, bayes: boolean,
   *   cursor: ?{x: number, y: number, c: number}}} how in a `hurry` a line that is not known yet is left out; `look`
   *   are the theme's colours, `cursor` the place where the keyboard draws.
   */
  paint(learner, { motion, hurry, look, bayes, cursor }) {
    const place = fit(this.canvas);
    if (!place) return;
    const context = this.canvas.getContext("2d");
    if (!learner.data.y.length) return empty(context, place, cursor, look);
    this.image = imageOf(this.image, place);
    this.#regions(place, learner, look, motion);
    points(this.image, place, learner, look);
    context.putImageData(this.image, 0, 0);
    context.drawImage(this.#overlay(place, learner.data, look, bayes && learner.data.bayes !== null, hurry), 0, 0);
    if (cursor) cross(context, place, cursor, look);
  }

  #grid(place, size) {
    const key = `${place.width} ${place.height} ${size}`;
    if (!this.grids.has(key)) {
      if (this.grids.size > 6) this.grids.clear();
      this.grids.set(key, cells(place, size));
    }
    return this.grids.get(key);
  }

  #regions(place, learner, look, motion) {
    const { columns, rows, points } = this.#grid(place, CELL[motion] * place.density),
      d = learner.data.classes;
    const probabilities = softmax(forward(learner.parameters, points).logits, d);
    const grid = new Float32Array(3 * columns * rows);
    for (let i = 0; i < columns * rows; i++) tint(grid, 3 * i, probabilities, i * d, d, look);
    enlarge(grid, columns, this.image);
  }

  /** The line where balanced classes are equally likely, and the letters: drawn once, since they cost more than all else. */
  #overlay(place, data, look, bayes, hurry) {
    const known = OVERLAYS.get(data) ?? OVERLAYS.set(data, new Map()).get(data);
    const ruled = [place.width, place.height, look.ink, bayes].join(),
      bare = [place.width, place.height, look.ink, false].join();
    const key = hurry && !known.has(ruled) ? bare : ruled;
    if (!known.has(key)) {
      const canvas = Object.assign(document.createElement("canvas"), { width: place.width, height: place.height });
      const context = canvas.getContext("2d");
      if (key === ruled && bayes)
        stroke(context, place, border(data, place, this.#grid(place, BAYES_CELL * place.density)), look);
      letters(context, place, data, look);
      known.set(key, canvas);
    }
    return known.get(key);
  }
}

function stroke(context, place, line, look) {
  context.lineCap = "round";
  for (const [color, width] of [
    [look.paper, 3.5],
    [look.ink, 1.4],
  ]) {
    context.strokeStyle = color;
    context.lineWidth = width * place.density;
    context.stroke(line);
  }
}

/** A plane without points asks for some. */
function empty(context, place, cursor, look) {
  context.fillStyle = look.paper;
  context.fillRect(0, 0, place.width, place.height);
  text(context, place, "Draw here", place.width / 2, place.height / 2, look, look.soft);
  if (cursor) cross(context, place, cursor, look);
}

/** The answers' colours, mixed where two are nearly alike; paler the less sure. A broken network has none. */
function tint(pixels, to, probabilities, at, d, look) {
  const best = probabilities[at + largest(probabilities, at, d)],
    sure = (best - 1 / d) / (1 - 1 / d) || 0;
  const share = look.field[0] + look.field[1] * sure;
  let total = 0,
    red = 0,
    green = 0,
    blue = 0;
  for (let k = 0; k < d; k++) {
    // To a high power the mixture is narrow: a border is soft over a cell or two, as it should be.
    const own = (probabilities[at + k] / best) ** 5 || 0,
      color = look.rgb[k];
    total += own;
    red += own * color[0];
    green += own * color[1];
    blue += own * color[2];
  }
  const mixed = total ? share / total : 0,
    rest = total ? 1 - share : 1;
  pixels[to] = look.ground[0] * rest + red * mixed;
  pixels[to + 1] = look.ground[1] * rest + green * mixed;
  pixels[to + 2] = look.ground[2] * rest + blue * mixed;
}

function border(data, place, { columns, rows, points }) {
  const line = new Path2D();
  for (const [x1, y1, x2, y2] of boundaries(data.bayes(points), columns, data.classes)) {
    line.moveTo(((x1 + 0.5) / columns) * place.width, ((y1 + 0.5) / rows) * place.height);
    line.lineTo(((x2 + 0.5) / columns) * place.width, ((y2 + 0.5) / rows) * place.height);
  }
  return line;
}

/** Area in proportion to weight; large classes first, so that the rare one lies on top, with a rim. */
function points(image, place, { data, shown }, look) {
  const { least, balanced } = ends(data.counts),
    unit = place.density * Math.min(1, 0.55 + place.scale / place.density / 400);
  const order = data.counts.map((n, c) => c).sort((a, b) => data.counts[b] - data.counts[a]);
  for (const c of order) {
    const rimmed = c === least && !balanced;
    for (let i = 0; i < data.y.length; i++) {
      if (data.y[i] !== c) continue;
      const x = place.x(data.x[2 * i]),
        y = place.y(data.x[2 * i + 1]),
        radius = unit * size(shown[i]);
      disc(image, x, y, radius, look.rgb[c], 0.8);
      if (rimmed) rim(image, x, y, radius, look.inkRgb, place.density);
    }
  }
}

/** Radius of a point of some weight, in CSS pixels of a large canvas. */
export const size = (weight) => Math.min(Math.max(2.1 * Math.sqrt(Math.max(weight, 0)), 0.7), 11);

function letters(context, place, { anchors, counts }, look) {
  anchors.forEach(([x, y], c) => {
    if (counts[c]) text(context, place, letter(c), place.x(x), place.y(y), look, look.letters[c]);
  });
}

export function text(context, place, what, x, y, look, color) {
  context.font = `700 ${15 * place.density}px system-ui, "DejaVu Sans", sans-serif`;
  context.textAlign = "center";
  context.textBaseline = "middle";
  context.lineJoin = "round";
  context.lineWidth = 4.5 * place.density;
  context.strokeStyle = look.paper;
  context.strokeText(what, x, y);
  context.fillStyle = color;
  context.fillText(what, x, y);
}

function cross(context, place, { x, y, c }, look) {
  const px = place.x(x),
    py = place.y(y),
    arm = 9 * place.density;
  context.strokeStyle = look.classes[c];
  context.lineWidth = 2 * place.density;
  context.beginPath();
  for (const [dx, dy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ]) {
    context.moveTo(px + (dx * arm) / 3, py + (dy * arm) / 3);
    context.lineTo(px + dx * arm, py + dy * arm);
  }
  context.stroke();
}
