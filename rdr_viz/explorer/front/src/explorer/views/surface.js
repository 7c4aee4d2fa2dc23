/** How sharp is the minimum, and for whom? The loss around the trained weights, a panel a group, a line a method. */

import { GROUPS } from "../numbers.js";
import { axisX, columns, gridY, line, namesAtEnds, roomForNames, scaleLinear, scaleLog, words } from "../marks.js";
import { short } from "../words.js";

export default {
  name: "surface",
  kind: "surface",
  label: "Loss surface",
  of: "methods",
  epochs: "",
  needs: "surface",
  result: "loss-surface",
  array: "surface_a",

  /** Columns: method, seed, group, a (steps from the trained weights), loss. */
  rows: ({ chosen }) =>
    chosen.flatMap(({ method, runs: [{ run, data }] }) =>
      data.surface.groups.flatMap((group, which) => Array.from(data.surface_a.values, (a, at) => ({ method, seed: run.seed, group, a, loss: data.surface_loss.values[which * data.surface_a.values.length + at] }))),
    ),

  sentence({ chosen }, rows) {
    const steps = [...new Set(rows.map((row) => Math.abs(row.a)))].sort((a, b) => a - b);
    const near = steps.reduce((a, b) => (Math.abs(b - 0.3) < Math.abs(a - 0.3) ? b : a));
    const of = (method, group) => {
      const own = rows.filter((row) => row.method === method && row.group === group && Math.abs(row.a) === near);
      return own.reduce((sum, row) => sum + row.loss, 0) / own.length;
    };
    const group = rows.some((row) => row.group === "Few") ? "Few" : "All";
    const found = chosen.map(({ method, style }) => ({ label: style.label, loss: of(method, group) }));
    const [steep, flat] = [found.reduce((a, b) => (b.loss > a.loss ? b : a)), found.reduce((a, b) => (b.loss < a.loss ? b : a))];
    return [`A step of ${short(near)} away the loss on ${group} is `, { b: `${short(steep.loss)} for ${steep.label}` }, found.length > 1 ? ` and ${short(flat.loss)} for ${flat.label}. The same random direction for all; another gives another picture.` : ". Another direction gives another picture."];
  },

  panels: (context, rows) => GROUPS.filter((group) => rows.some((row) => row.group === group)),

  draw(svg, { chosen }, rows, box) {
    const targets = [];
    const panels = this.panels(null, rows);
    const floor = Math.max(1e-5, Math.min(...rows.map((row) => row.loss)));
    columns({ ...box, width: box.width - roomForNames(chosen) }, panels.length, 24).forEach((place, which) => {
      const group = panels[which];
      const [left, right, bottom] = [place.left + (place.first ? 46 : 0), place.left + place.width, place.top + place.height - 40];
      const x = scaleLinear().domain([Math.min(...rows.map((row) => row.a)), Math.max(...rows.map((row) => row.a))]).range([left, right]);
      const y = scaleLog().domain([floor, 1.1 * Math.max(...rows.map((row) => row.loss))]).range([bottom, place.top + 24]);
      gridY(svg, y, [left, right], place.first ? {} : { format: () => "" });
      axisX(svg, x, bottom, { ticks: 5, label: place.first ? (place.width > 240 ? "Steps from the trained weights (height: loss)" : "Steps (height: loss)") : "" });
      words(svg, (left + right) / 2, place.top + 8, group, { anchor: "middle", weight: 600, size: 13, color: "var(--ink)" });
      const ends = chosen.map(({ method, style }) => {
        const own = rows.filter((row) => row.method === method && row.group === group);
        line(svg, own.map((row) => [x(row.a), y(Math.max(row.loss, floor))]), style);
        for (const row of own) targets.push({ x: x(row.a), y: y(Math.max(row.loss, floor)), text: `${style.label}, ${group}, ${short(row.a)} away: loss ${short(row.loss)}` });
        return { style, y: y(Math.max(own.at(-1).loss, floor)) };
      });
      if (place.last) namesAtEnds(svg, right + 8, ends, [place.top + 22, bottom]);
    });
    return targets;
  },
};
