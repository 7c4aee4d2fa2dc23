/** Small pictures of the epochs so far: a line a class, its letter and last value at its end. */
import { fill } from "../shared/dom.js";
import { letter, short } from "./words.js";

const WIDTH = 150,
  HEIGHT = 104;
const BOX = { left: 24, right: WIDTH - 38, top: 6, bottom: HEIGHT - 14 };
/** More points than that a line of this width can't show. */
const MOST = 120;

function draw(tag, attributes, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

/**
 * A chart that is drawn anew with `update`.
 * @param {{name: string, log: boolean}} what
 */
export function chart({ name, log }) {
  const svg = draw("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, class: "chart", role: "img" });

  /**
   * @param {number[][]} rows by epoch, the value of each class
   * @param {[number, number]} domain of the values, the same on both sides
   * @param {{classes: string[], letters: string[]}} look the theme's colours
   */
  function update(rows, domain, look) {
    const seen = thinned(rows),
      d = rows[0]?.length ?? 0,
      last = rows.at(-1);
    svg.setAttribute("aria-label", label(name, rows));
    const place = scale(domain, log);
    const x = (i) => BOX.left + ((BOX.right - BOX.left) * i) / Math.max(seen.length - 1, 1);
    const parts = ticks(domain, log).flatMap((value) => [
      draw("line", { x1: BOX.left, x2: BOX.right, y1: place(value), y2: place(value), class: "grid" }),
      draw("text", { x: BOX.left - 4, y: place(value) + 3.5, class: "tick", "text-anchor": "end" }, String(value)),
    ]);
    const epochs =
      rows.length === 1 ? "epoch 1" : rows.length ? `epochs 1 to ${rows.length}` : "from the first epoch on";
    parts.push(
      draw("text", { x: (BOX.left + BOX.right) / 2, y: HEIGHT - 2, class: "tick", "text-anchor": "middle" }, epochs),
    );
    for (let c = 0; c < d; c++) {
      const places = seen.map((row, i) => [x(i), place(row[c])]).filter(([, y]) => Number.isFinite(y));
      if (places.length)
        parts.push(
          draw("polyline", {
            points: places.map((xy) => xy.map((v) => v.toFixed(1)).join()).join(" "),
            stroke: look.classes[c],
            class: "line",
          }),
        );
    }
    if (last) {
      const known = last.map((value, c) => ({ c, value, y: place(value) })).filter(({ y }) => Number.isFinite(y));
      for (const { c, value, y } of apart(known)) {
        parts.push(
          draw(
            "text",
            { x: BOX.right + 4, y: y + 3.5, class: "end", fill: look.letters[c] },
            `${letter(c)} ${short(value)}`,
          ),
        );
      }
    }
    fill(svg, parts);
  }

  return { element: svg, update };
}

/** Words for who cannot see the lines. */
function label(name, rows) {
  if (!rows.length) return `${name} by class over the epochs: none is finished yet.`;
  const values = rows
    .at(-1)
    .map((value, c) => (Number.isFinite(value) ? `${letter(c)} ${short(value)}` : null))
    .filter(Boolean);
  return `${name} by class over ${rows.length} epochs; in the last one: ${values.join(", ")}.`;
}

function thinned(rows) {
  if (rows.length <= MOST) return rows;
  return Array.from({ length: MOST }, (_, i) => rows[Math.round((i * (rows.length - 1)) / (MOST - 1))]);
}

function scale([least, most], log) {
  const of = log ? (value) => Math.log(Math.max(value, least)) : (value) => value;
  const from = of(least),
    width = of(most) - from || 1;
  return (value) => BOX.bottom - ((BOX.bottom - BOX.top) * (of(value) - from)) / width;
}

function ticks([least, most], log) {
  if (log) return [0.01, 0.1, 1, 10, 100].filter((value) => value >= least * 0.999 && value <= most * 1.001);
  return [0, 0.2, 0.4, 0.6, 0.8, 1].filter((value) => value <= most * 1.001);
}

/** Words at the ends of lines pushed apart, until none covers another. */
function apart(words) {
  const room = 11,
    sorted = [...words].sort((a, b) => a.y - b.y);
  sorted.forEach((word, i) => {
    if (i) word.y = Math.max(word.y, sorted[i - 1].y + room);
  });
  for (let i = sorted.length - 1; i >= 0; i--) {
    sorted[i].y = Math.min(sorted[i].y, i + 1 < sorted.length ? sorted[i + 1].y - room : BOX.bottom + 2);
  }
  return sorted;
}

/** What both sides' charts span: all values of both, for weights at least a tenth to ten. */
export function domains(pair) {
  const epochs = [...pair.left.epochs, ...pair.right.epochs];
  const all = (name) => epochs.flatMap((epoch) => epoch[name]).filter(Number.isFinite);
  const weights = all("weights");
  return {
    weights: [Math.min(0.1, Math.max(0.01, least(weights))), Math.max(10, most(weights))],
    bPrimes: [0, Math.max(0.4, most(all("bPrimes")))],
  };
}

// Not Math.min(...values): an hour's epochs are more arguments than a call may have.
const least = (values) => values.reduce((a, b) => Math.min(a, b), Infinity);
const most = (values) => values.reduce((a, b) => Math.max(a, b), -Infinity);
