/** How does the sharpest curvature move through training? Extreme eigenvalues of each class, a panel a method. */

import { columns, epochAxis, gridY, groupColor, line, scaleLinear, scaleLog, spread, words } from "../marks.js";
import { short, tick } from "../words.js";

const SMALLEST = "smallest";

export default {
  name: "eigenvalues",
  kind: "eigenvalues",
  label: "Eigenvalues",
  of: "each method",
  epochs: "",
  needs: "curvature",
  result: "curvature",
  array: "lambda_max",
  options: ["largest", SMALLEST],
  asks: "Eigenvalue",

  /** Columns: method, epoch, class, name, group, lambda_max, lambda_min. */
  rows: ({ chosen, tail }) =>
    chosen.flatMap(({ method, runs: [{ run, data }] }) =>
      data.curvature.epochs.flatMap((epoch, at) =>
        data.curvature.classes.map((klass, place) => ({
          method, epoch, class: klass, name: run.names[klass], group: tail.groups[klass],
          lambda_max: data.lambda_max.values[at * data.curvature.classes.length + place],
          lambda_min: data.lambda_min.values[at * data.curvature.classes.length + place],
        })),
      ),
    ),

  sentence({ chosen }, rows) {
    const { method, style } = chosen.at(-1);
    const own = rows.filter((row) => row.method === method);
    const final = own.filter((row) => row.epoch === own.at(-1).epoch);
    const [sharp, flat] = [final.reduce((a, b) => (b.lambda_max > a.lambda_max ? b : a)), final.reduce((a, b) => (b.lambda_max < a.lambda_max ? b : a))];
    return [`At the end of ${style.label} the loss is sharpest on `, { b: `${sharp.name} (${sharp.group}), ${short(sharp.lambda_max)}` }, `, and flattest on ${flat.name} (${flat.group}), ${short(flat.lambda_max)}.`];
  },

  least: 240,
  panels: ({ chosen }) => chosen,

  draw(svg, { chosen, state }, rows, box) {
    const column = state.option === SMALLEST ? "lambda_min" : "lambda_max";
    const size = (row) => (column === "lambda_max" ? row[column] : -row[column]);
    const values = rows.map(size).filter((value) => value > 0);
    const targets = [];
    columns({ ...box, width: box.width - 60 }, chosen.length, 84).forEach((place, which) => {
      const { method, style, runs: [{ run }] } = chosen[which];
      const own = rows.filter((row) => row.method === method);
      const [left, right, bottom] = [place.left + 46, place.left + place.width, place.top + place.height - 40];
      const x = scaleLinear().domain([1, run.epochs]).range([left, right]);
      const y = scaleLog().domain([Math.min(...values) / 1.2, Math.max(...values) * 1.2]).range(column === "lambda_max" ? [bottom, place.top + 26] : [place.top + 26, bottom]);
      words(svg, left, place.top + 8, style.label, { weight: 600, size: 14, color: style.text });
      gridY(svg, y, [left, right], { format: (value) => (column === "lambda_max" ? tick(value) : `−${tick(value)}`) });
      epochAxis(svg, x, bottom);
      const classes = [...new Set(own.map((row) => row.class))];
      const ends = classes.map((klass) => {
        const points = own.filter((row) => row.class === klass);
        line(svg, points.map((row) => [x(row.epoch), size(row) > 0 ? y(size(row)) : NaN]), { color: groupColor(points[0].group), dash: [] }, { width: 1.4 });
        for (const row of points) {
          if (size(row) <= 0) continue;
          svg.append("circle").attr("cx", x(row.epoch)).attr("cy", y(size(row))).attr("r", 2.4).attr("fill", groupColor(row.group));
          targets.push({ x: x(row.epoch), y: y(size(row)), text: `${style.label}, ${row.name} (${row.group}), epoch ${row.epoch}: ${short(row[column])}` });
        }
        return { point: points.at(-1), y: y(Math.max(size(points.at(-1)), y.domain()[0])) };
      });
      spread(ends.map((end) => end.y), 13, [place.top + 26, bottom]).forEach((height, at) => words(svg, right + 6, height, ends[at].point.name, { size: 11, weight: 500, color: groupColor(ends[at].point.group) }));
    });
    return targets;
  },
};
