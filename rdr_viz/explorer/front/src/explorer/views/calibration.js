/** Does the network know how sure it may be? Accuracy against confidence, a panel a group. */

import { GROUPS } from "../numbers.js";
import { axisX, columns, gridY, line, scaleLinear, words } from "../marks.js";
import { number } from "../words.js";

const PANELS = ["All", ...GROUPS];
const FEWEST = 5; // images in a bin that is drawn: fewer say nothing

export default {
  name: "calibration",
  kind: "calibration",
  label: "Calibration",
  of: "methods",
  epochs: "",
  needs: "groups",
  result: "predictions",
  array: "reliability",

  /** Columns: method, seed, group, bin, images, confidence, accuracy, ece, overconfidence (shares, 0 to 1). */
  rows: ({ chosen }) =>
    chosen.flatMap(({ method, runs: [{ run, data }] }) => {
      const [panels, bins] = data.reliability.shape;
      return Array.from({ length: panels }, (_, panel) => panel).flatMap((panel) =>
        Array.from({ length: bins }, (_, bin) => {
          const [images, confidence, accuracy] = data.reliability.values.subarray((panel * bins + bin) * 3, (panel * bins + bin) * 3 + 3);
          const [ece, overconfidence] = data.ece.values.subarray(panel * 2, panel * 2 + 2);
          return { method, seed: run.seed, group: data.panels[panel], bin, images, confidence, accuracy, ece, overconfidence };
        }),
      );
    }),

  sentence({ chosen }, rows) {
    const of = (method, group) => rows.find((row) => row.method === method && row.group === group);
    const group = of(chosen[0].method, "Few") ? "Few" : "All";
    const said = chosen.map(({ method, style }) => ({ label: style.label, by: 100 * of(method, group).overconfidence }));
    const worst = said.reduce((a, b) => (Math.abs(b.by) > Math.abs(a.by) ? b : a));
    return [
      `On ${group === "Few" ? "images of rare classes" : "all images"} `,
      { b: `${worst.label} is ${number(Math.abs(worst.by), 0)} points ${worst.by > 0 ? "surer than it may be" : "less sure than it could be"}` },
      said.length > 1 ? `; ${said.filter((one) => one !== worst).map((one) => `${one.label} ${one.by > 0 ? "+" : "−"}${number(Math.abs(one.by), 0)}`).join(", ")}.` : ".",
    ];
  },

  panels: (context, rows) => PANELS.filter((group) => rows.some((row) => row.group === group)),

  draw(svg, { chosen }, rows, box) {
    const targets = [];
    const panels = this.panels(null, rows);
    columns(box, panels.length, 20).forEach((place, which) => {
      const group = panels[which];
      const [left, right, top, bottom] = [place.left + 40, place.left + place.width, place.top + 24, place.top + Math.min(place.height - 40, place.width * 1.5)];
      const x = scaleLinear().domain([0, 1]).range([left, right]);
      const y = scaleLinear().domain([0, 1]).range([bottom, top]);
      words(svg, (left + right) / 2, place.top + 8, group, { anchor: "middle", weight: 600, size: 13, color: "var(--ink)" });
      gridY(svg, y, [left, right], { format: (value) => `${Math.round(100 * value)}`, unit: " %" });
      axisX(svg, x, bottom, { ticks: 3, format: (value) => `${Math.round(100 * value)}`, label: place.first ? "Confidence, % (height: accuracy)" : "Confidence, %" });
      svg.append("line").attr("x1", x(0)).attr("y1", y(0)).attr("x2", x(1)).attr("y2", y(1)).attr("stroke", "var(--faint)").attr("stroke-dasharray", "4 3");
      for (const { method, style } of chosen) {
        const own = rows.filter((row) => row.method === method && row.group === group && row.images >= FEWEST);
        const most = Math.max(...own.map((row) => row.images), 1);
        line(svg, own.map((row) => [x(row.confidence), y(row.accuracy)]), style, { opacity: 0.6 });
        for (const row of own) {
          svg.append("circle").attr("class", "mark").attr("cx", x(row.confidence)).attr("cy", y(row.accuracy)).attr("r", 2 + 4 * Math.sqrt(row.images / most)).attr("fill", style.color).attr("stroke", "var(--ground)");
          targets.push({ x: x(row.confidence), y: y(row.accuracy), text: `${style.label}, ${group}: of ${row.images} images that it is ${number(100 * row.confidence, 0)} % sure of, ${number(100 * row.accuracy, 0)} % are right` });
        }
      }
    });
    return targets;
  },
};
