/**
 * How does the sharpest curvature move through training? Extreme eigenvalues of each class, a panel a method; also over
 * each other and over the training loss, since a network with a smaller loss has smaller eigenvalues altogether.
 */

import { columns, epochAxis, gridY, groupColor, line, scaleLinear, scaleLog, spread, words } from "../marks.js";
import { short, tick } from "../words.js";

const SMALLEST = "smallest";
const RATIO = "smallest / largest";
const PER_LOSS = "largest / training loss";
/** What is drawn: its column, and whether it lies above 0 or below. */
const DRAWN = {
  largest: { column: "lambda_max", sign: 1 },
  [SMALLEST]: { column: "lambda_min", sign: -1 },
  [RATIO]: { column: "lambda_ratio", sign: -1 },
  [PER_LOSS]: { column: "lambda_max_per_loss", sign: 1 },
};
const drawn = (state) => DRAWN[state.option] ?? DRAWN.largest;
const over = (above, below) => (below > 0 ? above / below : NaN);

export default {
  name: "eigenvalues",
  kind: "eigenvalues",
  label: "Eigenvalues",
  of: "each method",
  epochs: "",
  needs: "curvature",
  result: "curvature",
  array: "lambda_max",
  options: Object.keys(DRAWN),
  asks: "Eigenvalue",

  /** Columns: method, epoch, class, name, group, lambda_max, lambda_min, mean_loss, lambda_ratio, lambda_max_per_loss. */
  rows: ({ chosen, tail }) =>
    chosen.flatMap(({ method, runs: [{ run, data }] }) =>
      data.curvature.epochs.flatMap((epoch, at) =>
        data.curvature.classes.map((klass, place) => {
          const [max, min, loss] = ["lambda_max", "lambda_min", "mean_loss"].map((name) => data[name].values[at * data.curvature.classes.length + place]);
          return { method, epoch, class: klass, name: run.names[klass], group: tail.groups[klass], lambda_max: max, lambda_min: min, mean_loss: loss, lambda_ratio: over(min, max), lambda_max_per_loss: over(max, loss) };
        }),
      ),
    ),

  sentence({ chosen, state }, rows) {
    const { method, style } = chosen.at(-1);
    const { column, sign } = drawn(state);
    const own = rows.filter((row) => row.method === method);
    const final = own.filter((row) => row.epoch === own.at(-1).epoch && !Number.isNaN(row[column]));
    if (!final.length) return ["The training loss at these weights is not stored with ", { b: style.label }, ", so its eigenvalues cannot be divided by it."];
    const [most, least] = [final.reduce((a, b) => (sign * b[column] > sign * a[column] ? b : a)), final.reduce((a, b) => (sign * b[column] < sign * a[column] ? b : a))];
    const [first, last] = [most, least].map((row) => [`${row.name} (${row.group})`, short(row[column])]);
    if (state.option === SMALLEST) return [`At the end of ${style.label} the loss bends down most on `, { b: `${first[0]}, ${first[1]}` }, `, and least on ${last[0]}, ${last[1]}. A smaller loss bends less altogether.`];
    if (state.option === RATIO) return [`At the end of ${style.label} the smallest eigenvalue over the largest, whatever the loss's scale, is lowest on `, { b: `${first[0]}, ${first[1]}` }, `, and highest on ${last[0]}, ${last[1]}.`];
    if (state.option === PER_LOSS) return [`At equal training loss, at the end of ${style.label} the loss is sharpest on `, { b: `${first[0]}, ${first[1]}` }, `, and flattest on ${last[0]}, ${last[1]}.`];
    return [`At the end of ${style.label} the loss is sharpest on `, { b: `${first[0]}, ${first[1]}` }, `, and flattest on ${last[0]}, ${last[1]}.`];
  },

  least: 240,
  panels: ({ chosen }) => chosen,

  draw(svg, { chosen, state }, rows, box) {
    const { column, sign } = drawn(state);
    const size = (row) => sign * row[column];
    const values = rows.map(size).filter((value) => value > 0);
    const targets = [];
    if (!values.length) {
      words(svg, box.left + box.width / 2, box.top + box.height / 2, "Not stored with these runs", { anchor: "middle", color: "var(--ink)" });
      return targets;
    }
    columns({ ...box, width: box.width - 60 }, chosen.length, 84).forEach((place, which) => {
      const { method, style, runs: [{ run }] } = chosen[which];
      const own = rows.filter((row) => row.method === method);
      const [left, right, bottom] = [place.left + 46, place.left + place.width, place.top + place.height - 40];
      const x = scaleLinear().domain([1, run.epochs]).range([left, right]);
      const y = scaleLog().domain([Math.min(...values) / 1.2, Math.max(...values) * 1.2]).range(sign > 0 ? [bottom, place.top + 26] : [place.top + 26, bottom]);
      words(svg, left, place.top + 8, style.label, { weight: 600, size: 14, color: style.text });
      gridY(svg, y, [left, right], { format: (value) => (sign > 0 ? tick(value) : `−${tick(value)}`) });
      epochAxis(svg, x, bottom);
      const classes = [...new Set(own.map((row) => row.class))];
      const ends = classes.map((klass) => {
        const points = own.filter((row) => row.class === klass);
        line(svg, points.map((row) => [x(row.epoch), size(row) > 0 ? y(size(row)) : NaN]), { color: groupColor(points[0].group), dash: [] }, { width: 1.4 });
        for (const row of points) {
          if (!(size(row) > 0)) continue;
          svg.append("circle").attr("cx", x(row.epoch)).attr("cy", y(size(row))).attr("r", 2.4).attr("fill", groupColor(row.group));
          targets.push({ x: x(row.epoch), y: y(size(row)), text: `${style.label}, ${row.name} (${row.group}), epoch ${row.epoch}: ${short(row[column])}` });
        }
        const end = size(points.at(-1));
        return { point: points.at(-1), y: y(end > 0 ? end : y.domain()[0]) };
      });
      spread(ends.map((end) => end.y), 13, [place.top + 26, bottom]).forEach((height, at) => words(svg, right + 6, height, ends[at].point.name, { size: 11, weight: 500, color: groupColor(ends[at].point.group) }));
    });
    return targets;
  },
};
