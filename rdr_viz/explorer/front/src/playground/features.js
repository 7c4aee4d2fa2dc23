/** Feature space: all training points as the last hidden layer sees them, the next batch, prototypes and ratios. */
import { disc, flood, imageOf, rim } from "./discs.js";
import { size, text } from "./field.js";
import { forward, HIDDEN } from "./network.js";
import { principalAxes, project } from "./projection.js";
import { meanOf, rowsByClass } from "./ratio.js";
import { take } from "./training.js";
import { fit } from "./view.js";
import { letter } from "./words.js";

/** Rounds in which the axes are found: while it moves they follow, at rest they are exact, as in another's view of it. */
const TURNING = 12;
const SETTLED = 300;
/** Points of a class that are shown while it moves; at rest all are. */
const MOST = 150;

/** A painter of one canvas in feature space. */
export class Features {
  constructor(canvas) {
    this.canvas = canvas;
    this.axes = null;
    this.image = null;
  }

  /** After a reset the view begins anew. */
  forget() {
    this.axes = null;
  }

  /**
   * @param {object} learner
   * @param {{rows: Int32Array}} next the batch that the next step takes
   * @param {{motion: string, look: object}} how `look` are the theme's colours
   * @returns {?{least: number, most: number}} range of the ratios, null of a method without
   */
  paint(learner, next, { motion, look }) {
    const place = fit(this.canvas);
    if (!place) return null;
    const { data, parameters } = learner,
      resting = motion === "resting";
    const shown = resting ? data : some(data),
      { features } = forward(parameters, shown.x);
    const seen = principalAxes(features, shown.y, shown.counts, this.axes, resting ? SETTLED : TURNING);
    this.axes = seen.axes;
    const flat = project(features, seen),
      scaled = fitted(flat, place);
    this.image = imageOf(this.image, place);
    flood(this.image, look.ground);
    faint(this.image, place, scaled, flat, shown, look);
    const batch = forward(parameters, take(data.x, next.rows, 2)).features,
      told = learner.ratios(next.rows, batch);
    solid(this.image, place, scaled, project(batch, seen), next.rows, data, told, look);
    const context = this.canvas.getContext("2d");
    context.putImageData(this.image, 0, 0);
    marks(context, place, scaled, seen, batch, next.rows, data, told, look);
    return told && { least: Math.min(...told.ratios), most: Math.max(...told.ratios) };
  }
}

/** Some points of each class, evenly from all of its, by data: x (n, 2), y (n,) and counts (d,). */
const SOME = new WeakMap();

function some(data) {
  if (!SOME.has(data)) {
    const seen = data.counts.map(() => 0);
    const rows = Int32Array.from(data.y.keys()).filter((row) => {
      const c = data.y[row],
        stride = Math.ceil(data.counts[c] / MOST);
      return seen[c]++ % stride === 0;
    });
    const y = Int32Array.from(rows, (row) => data.y[row]);
    const counts = data.counts.map((_, c) => y.reduce((count, label) => count + Number(label === c), 0));
    SOME.set(data, { x: take(data.x, rows, 2), y, counts });
  }
  return SOME.get(data);
}

/** A view in which nearly all points have a place: features grow as the network learns. */
function fitted(flat, place) {
  const [left, right] = span(flat, 0),
    [bottom, top] = span(flat, 1);
  const scale = 0.86 * Math.min(place.width / (right - left || 1), place.height / (top - bottom || 1));
  return {
    x: (value) => place.width / 2 + scale * (value - (left + right) / 2),
    y: (value) => place.height / 2 - scale * (value - (bottom + top) / 2),
  };
}

/** Where all but a few of the values of a column lie. */
function span(flat, column) {
  const values = Float64Array.from({ length: flat.length / 2 }, (_, i) => flat[2 * i + column]).sort();
  const at = (share) => values[Math.round(share * (values.length - 1))];
  return [at(0.005), at(0.995)];
}

function faint(image, place, scaled, flat, { y }, look) {
  for (let i = 0; i < y.length; i++) {
    disc(image, scaled.x(flat[2 * i]), scaled.y(flat[2 * i + 1]), 1.2 * place.density, look.rgb[y[i]], 0.4);
  }
}

/** The next batch: a point's area is its ratio; one of zero or below is hollow. */
function solid(image, place, scaled, flat, rows, { y }, told, look) {
  rows.forEach((row, i) => {
    const ratio = told ? told.ratios[i] : 1,
      color = look.rgb[y[row]];
    const px = scaled.x(flat[2 * i]),
      py = scaled.y(flat[2 * i + 1]),
      radius = 1.5 * place.density * size(ratio);
    if (ratio > 0) disc(image, px, py, radius, color, 0.8);
    rim(image, px, py, Math.max(radius, 2 * place.density), ratio > 0 ? look.ground : color, place.density);
  });
}

/** A cross at the batch's mean of a class; of RDR a diamond at its prototype, and the line that ratios make up for. */
function marks(context, place, scaled, seen, batch, rows, data, told, look) {
  const labels = Int32Array.from(rows, (row) => data.y[row]),
    unit = place.density;
  const spot = (features) => {
    const [x, y] = project(features, seen);
    return [scaled.x(x), scaled.y(y)];
  };
  const stroke = (color, width) => {
    context.strokeStyle = color;
    context.lineWidth = width * unit;
    context.stroke();
  };
  for (const [c, own] of rowsByClass(labels)) {
    const [x, y] = spot(meanOf(batch, own, HIDDEN));
    if (told?.started[c]) {
      context.beginPath();
      context.moveTo(x, y);
      context.lineTo(...spot(told.prototypes.subarray(c * HIDDEN, (c + 1) * HIDDEN)));
      stroke(look.ink, 1.5);
    }
    context.beginPath();
    for (const side of [-1, 1]) {
      context.moveTo(x - 4 * unit, y - 4 * side * unit);
      context.lineTo(x + 4 * unit, y + 4 * side * unit);
    }
    stroke(look.paper, 4);
    stroke(look.ink, 1.8);
  }
  data.counts.forEach((n, c) => {
    if (!told?.started[c]) return;
    const [x, y] = spot(told.prototypes.subarray(c * HIDDEN, (c + 1) * HIDDEN)),
      arm = 8 * unit;
    context.beginPath();
    context.moveTo(x, y - arm);
    context.lineTo(x + arm, y);
    context.lineTo(x, y + arm);
    context.lineTo(x - arm, y);
    context.closePath();
    context.fillStyle = look.classes[c];
    context.fill();
    stroke(look.ink, 1.6);
    text(context, place, letter(c), x + 2.1 * arm, y, look, look.letters[c]);
  });
}
