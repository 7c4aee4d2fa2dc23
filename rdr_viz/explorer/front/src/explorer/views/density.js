/** How are the Hessian's eigenvalues spread? Spectral density on the class with the fewest images, a line a method. */

import { axisX, gridY, line, namesAtEnds, roomForNames, scaleLinear, scaleLog, words } from "../marks.js";
import { short } from "../words.js";

const FLOOR = 1e-7;

export default {
  name: "density",
  kind: "density",
  label: "Density",
  of: "methods",
  epochs: "",
  needs: "curvature",
  result: "density",
  array: "density_grid",

  /** Columns: method, seed, class, grid (eigenvalue), density, lambda_min, lambda_max. */
  rows: ({ chosen }) =>
    chosen.flatMap(({ method, runs: [{ run, data }] }) =>
      Array.from(data.density_grid.values, (grid, at) => ({ method, seed: run.seed, class: data.density.class, grid, density: data.density_height.values[at], lambda_min: data.density.lambda_min, lambda_max: data.density.lambda_max })),
    ),

  sentence({ chosen }) {
    const ends = chosen.map(({ style, runs: [{ run, data }] }) => ({ label: style.label, name: run.names[data.density.class], ...data.density }));
    const [sharp, flat] = [ends.reduce((a, b) => (b.lambda_max > a.lambda_max ? b : a)), ends.reduce((a, b) => (b.lambda_max < a.lambda_max ? b : a))];
    return [
      `On ${sharp.name}, the class with the fewest images, the sharpest direction has curvature `, { b: `${short(sharp.lambda_max)} for ${sharp.label}` },
      ends.length > 1 ? `, ${short(flat.lambda_max)} for ${flat.label}. One seed each.` : `, the most downward one ${short(sharp.lambda_min)}.`,
    ];
  },

  draw(svg, { chosen }, rows, box) {
    const [left, right, bottom] = [box.left + 60, box.left + box.width - roomForNames(chosen, 6), box.top + box.height - 40];
    const shown = rows.filter((row) => row.density > FLOOR);
    const x = scaleLinear().domain([Math.min(...shown.map((row) => row.grid)), Math.max(...shown.map((row) => row.grid))]).range([left, right]);
    const y = scaleLog().domain([FLOOR, Math.max(...shown.map((row) => row.density))]).range([bottom, box.top + 12]).nice();
    gridY(svg, y, [left, right]);
    axisX(svg, x, bottom, { label: "Eigenvalue" });
    svg.append("line").attr("x1", x(0)).attr("x2", x(0)).attr("y1", box.top).attr("y2", bottom).attr("stroke", "var(--line)");
    const targets = [];
    const ends = chosen.map(({ method, style, runs: [{ data }] }) => {
      const own = rows.filter((row) => row.method === method);
      line(svg, own.map((row) => [x(row.grid), row.density > FLOOR ? y(row.density) : NaN]), style, { width: 1.5 });
      for (const row of own.filter((one) => one.density > FLOOR)) targets.push({ x: x(row.grid), y: y(row.density), text: `${style.label}: density ${short(row.density)} at ${short(row.grid)}` });
      return { style, value: short(data.density.lambda_max), y: Math.min(bottom - 10, y(Math.max(FLOOR, ...own.filter((row) => Math.abs(row.grid - data.density.lambda_max) < (x.domain()[1] - x.domain()[0]) / 60).map((row) => row.density)))) };
    });
    namesAtEnds(svg, right + 8, ends, [box.top + 10, bottom - 6]);
    return targets;
  },
};
