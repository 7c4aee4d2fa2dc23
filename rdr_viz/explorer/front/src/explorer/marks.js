/** What all pictures are made of: axes, markers, lines with their names at their ends. SVG, by d3. */

import { scaleBand, scaleLinear, scaleLog } from "d3-scale";
import { select } from "d3-selection";
import { line as path } from "d3-shape";
import { tick } from "./words.js";

export { scaleBand, scaleLinear, scaleLog, select, path };

const polygon = (corners, turn = -Math.PI / 2, size = 1) =>
  `M${Array.from({ length: corners }, (_, at) => {
    const angle = turn + (2 * Math.PI * at) / corners;
    return `${(size * Math.cos(angle)).toFixed(3)},${(size * Math.sin(angle)).toFixed(3)}`;
  }).join("L")}Z`;

const star = (points, inner) =>
  `M${Array.from({ length: 2 * points }, (_, at) => {
    const angle = -Math.PI / 2 + (Math.PI * at) / points;
    const size = at % 2 ? inner : 1.15;
    return `${(size * Math.cos(angle)).toFixed(3)},${(size * Math.sin(angle)).toFixed(3)}`;
  }).join("L")}Z`;

// Of matplotlib's names, about radius 1, so that a method has its mark here as in print.
const MARKERS = {
  o: "M1,0A1,1,0,1,1,-1,0A1,1,0,1,1,1,0Z",
  s: "M-.9,-.9H.9V.9H-.9Z",
  D: "M0,-1.2L1.2,0L0,1.2L-1.2,0Z",
  d: "M0,-1.2L.75,0L0,1.2L-.75,0Z",
  "^": polygon(3, -Math.PI / 2, 1.25),
  v: polygon(3, Math.PI / 2, 1.25),
  "<": polygon(3, Math.PI, 1.25),
  ">": polygon(3, 0, 1.25),
  p: polygon(5, -Math.PI / 2, 1.15),
  h: polygon(6, -Math.PI / 2, 1.15),
  H: polygon(6, 0, 1.15),
  8: polygon(8, Math.PI / 8, 1.1),
  P: "M-.4,-1.15H.4V-.4H1.15V.4H.4V1.15H-.4V.4H-1.15V-.4H-.4Z",
  X: "M-1.1,-.55L-.55,-1.1L0,-.55L.55,-1.1L1.1,-.55L.55,0L1.1,.55L.55,1.1L0,.55L-.55,1.1L-1.1,.55L-.55,0Z",
  "*": star(5, 0.5),
};

/** A method's mark. @param {Object} style of rdr_viz.displays.palette. */
export function marker(parent, style, x, y, radius = 5) {
  return parent
    .append("path")
    .attr("class", "mark")
    .attr("d", MARKERS[style.marker] ?? MARKERS.o)
    .attr("transform", `translate(${x},${y}) scale(${radius})`)
    .attr("fill", style.filled ? style.color : "var(--ground)")
    .attr("stroke", style.filled ? "var(--ground)" : style.edge)
    .attr("stroke-width", (style.filled ? 0.8 : 1.4) / radius);
}

/** The same as an element of its own, for chips and tables. */
export function markerElement(style, size = 12) {
  const svg = select(document.createElementNS("http://www.w3.org/2000/svg", "svg"));
  svg.attr("width", size).attr("height", size).attr("viewBox", "-1.3 -1.3 2.6 2.6").attr("aria-hidden", "true");
  const mark = marker(svg, style, 0, 0, 1).attr("stroke-width", style.filled ? 0 : 0.35);
  if (!style.filled) mark.attr("fill", "none");
  return svg.node();
}

/** A line through points, with gaps where one is missing. */
export function line(parent, points, style, { width = 1.6, opacity = 1, dash = style.dash } = {}) {
  const known = path().defined(([x, y]) => Number.isFinite(x) && Number.isFinite(y));
  return parent
    .append("path")
    .attr("class", "line")
    .attr("d", known(points))
    .attr("fill", "none")
    .attr("stroke", style.color)
    .attr("stroke-width", width)
    .attr("stroke-linejoin", "round")
    .attr("opacity", opacity)
    .attr("stroke-dasharray", dash?.length ? dash.map((part) => part * width).join(" ") : null);
}

/** The ground between two series, as of the least and the largest seed. */
export function band(parent, points, color) {
  const there = points.filter((point) => point.every(Number.isFinite));
  if (!there.length) return;
  const above = there.map(([x, , high]) => `${x},${high}`);
  const below = there.map(([x, low]) => `${x},${low}`).reverse();
  parent.append("path").attr("d", `M${[...above, ...below].join("L")}Z`).attr("fill", color).attr("opacity", 0.16);
}

/** An upright interval with a small bar at each end. */
export function whisker(parent, x, low, high, color) {
  if (!Number.isFinite(low) || !Number.isFinite(high)) return;
  parent
    .append("path")
    .attr("d", `M${x},${low}V${high}M${x - 3},${low}h6M${x - 3},${high}h6`)
    .attr("stroke", color)
    .attr("stroke-width", 1.3)
    .attr("fill", "none");
}

/**
 * Words on a picture.
 * @param {Object} [how] anchor ("start", "middle", "end"), size, weight, color, turn (degrees), halo.
 */
export function words(parent, x, y, text, how = {}) {
  return parent
    .append("text")
    .attr("x", x)
    .attr("y", y)
    .attr("text-anchor", how.anchor ?? "start")
    .attr("dominant-baseline", how.baseline ?? "middle")
    .attr("font-size", how.size ?? 12)
    .attr("font-weight", how.weight ?? 400)
    .attr("fill", how.color ?? "var(--soft)")
    .attr("transform", how.turn ? `rotate(${how.turn},${x},${y})` : null)
    .attr("paint-order", how.halo ? "stroke" : null)
    .attr("stroke", how.halo ? "var(--ground)" : null)
    .attr("stroke-width", how.halo ? 3 : null)
    .text(text);
}

/** Lines across, with their numbers on the left. */
export function gridY(parent, y, [left, right], { ticks = 5, format = tick, unit = "" } = {}) {
  const shown = y.ticks(ticks).filter((value) => y.base === undefined || /^[125]e/.test(value.toExponential()) );
  const values = shown.length > 8 ? shown.filter((value) => /^1e/.test(value.toExponential())) : shown;
  values.forEach((value, at) => {
    parent.append("line").attr("x1", left).attr("x2", right).attr("y1", y(value)).attr("y2", y(value)).attr("stroke", "var(--grid)");
    words(parent, left - 8, y(value), `${format(value)}${at === values.length - 1 ? unit : ""}`, { anchor: "end", size: 11, color: "var(--faint)" });
  });
}

/** Numbers below, with short lines up to the axis. */
export function axisX(parent, x, bottom, { ticks = 6, format = tick, label = "" } = {}) {
  const [left, right] = x.range();
  parent.append("line").attr("x1", left).attr("x2", right).attr("y1", bottom).attr("y2", bottom).attr("stroke", "var(--line)");
  const shown = x.ticks(Math.min(ticks, Math.max(2, Math.round((right - left) / 36)))).filter((value) => x.base === undefined || /^1e/.test(value.toExponential()));
  for (const value of shown) words(parent, x(value), bottom + 14, format(value), { anchor: "middle", size: 11, color: "var(--faint)" });
  if (label) words(parent, (left + right) / 2, bottom + 32, label, { anchor: "middle", size: 12 });
}

/** Epochs from 1 on, in whole numbers. */
export function epochAxis(parent, x, bottom, label = "Epoch") {
  axisX(parent, x, bottom, { ticks: Math.min(6, x.domain()[1]), format: (value) => (Number.isInteger(value) ? String(value) : ""), label });
}

/**
 * Where names at the ends of lines stand, so that none lies on another.
 * @param {number[]} wanted heights.
 * @param {number|number[]} gap least distance, or how high each name is.
 * @param {[number, number]} within
 */
export function spread(wanted, gap, [top, bottom]) {
  const between = (a, b) => (Array.isArray(gap) ? (gap[a] + gap[b]) / 2 : gap);
  const order = wanted.map((y, at) => at).sort((a, b) => wanted[a] - wanted[b]);
  const found = [...wanted];
  for (let round = 0; round < 50; round++) {
    let moved = false;
    for (let k = 1; k < order.length; k++) {
      const [upper, lower] = [order[k - 1], order[k]];
      const overlap = between(upper, lower) - (found[lower] - found[upper]);
      if (overlap > 0.01) {
        found[upper] -= overlap / 2;
        found[lower] += overlap / 2;
        moved = true;
      }
    }
    for (const at of order) found[at] = Math.min(Math.max(found[at], top), bottom);
    if (!moved) break;
  }
  return found;
}

// Of a name's bold letters and of its options' smaller ones, about, in pixels.
const [NAME, OPTION] = [7.4, 6.2];

/** "RDR (released, ratio=class)" as lines: the name, then what stands in brackets, an option a line. */
export const linesOf = (label) => label.split(/ (?=\()|(?<=,) /);

/** The room that names at the ends of lines take on the right, with a number behind each where there is one. */
export function roomForNames(chosen, digits = 0) {
  const widths = chosen.flatMap(({ style }) => linesOf(style.label).map((text, at) => (at ? OPTION * text.length : NAME * (text.length + digits))));
  return 14 + Math.min(200, Math.max(0, ...widths));
}

/**
 * Names of methods at the ends of their lines, options below them.
 * @param {number} x where they begin.
 * @param {{style: Object, y: number, value?: string}[]} ends
 * @param {[number, number]} within
 */
export function namesAtEnds(parent, x, ends, [top, bottom]) {
  const lines = ends.map(({ style }) => linesOf(style.label));
  const high = lines.map((own) => 17 + 13 * (own.length - 1));
  spread(ends.map((end) => end.y), high, [top, bottom]).forEach((height, at) => {
    const { style, value } = ends[at];
    lines[at].forEach((text, line_) => {
      const y = height + 13 * (line_ - (lines[at].length - 1) / 2);
      words(parent, x, y, line_ || !value ? text : `${text} ${value}`, { size: line_ ? 11 : 13, weight: line_ ? 500 : 600, color: style.text });
    });
  });
}

/** The mark of an epoch in a picture over epochs. */
export function epochMark(parent, x, epoch, [top, bottom]) {
  if (epoch == null) return;
  parent.append("line").attr("class", "epoch").attr("x1", x(epoch)).attr("x2", x(epoch)).attr("y1", top).attr("y2", bottom)
    .attr("stroke", "var(--ink)").attr("stroke-width", 1).attr("stroke-dasharray", "3 3");
}

/** Epochs in which weights are still 1, shaded. */
export function warmUp(parent, x, epochs, [top, bottom]) {
  if (!epochs) return;
  const [left] = x.range();
  parent.append("rect").attr("x", left).attr("y", top).attr("width", Math.max(0, x(epochs) - left)).attr("height", bottom - top)
    .attr("fill", "var(--line)").attr("opacity", 0.5);
}

// The height of a panel where they stand in rows.
const ROW = 230;

/** How many panels of a least width stand side by side. */
const perRow = (width, count, least) => Math.max(1, Math.min(count, Math.floor(width / least)));

/** How high a picture of some panels is: one row of them may have `height`. */
export function heightOf(panels, width, height, least) {
  const rows = Math.ceil(panels / perRow(width, panels, least));
  return rows > 1 ? Math.max(height, rows * ROW) : height;
}

/**
 * Panels of equal size in a box, with room between: side by side, in rows where that would make them narrower than the
 * box's `least` (its `full` width has the room for names too).
 * @returns {Object[]} boxes, with `first` and `last` of those that begin and end a row.
 */
export function columns(box, count, gap = 26) {
  const across = perRow(box.full, count, box.least);
  const rows = Math.ceil(count / across);
  const [width, height] = [(box.width - gap * (across - 1)) / across, (box.height - 10 * (rows - 1)) / rows];
  return Array.from({ length: count }, (_, at) => {
    const [column, row] = [at % across, Math.floor(at / across)];
    return { ...box, left: box.left + column * (width + gap), width, top: box.top + row * (height + 10), height, first: !column, last: column === across - 1 || at === count - 1 };
  });
}

/** Colours of the groups; in the dark the ramp is turned over, so that Few stands out there too. */
export const groupColor = (group) => `var(--${group.toLowerCase()})`;
