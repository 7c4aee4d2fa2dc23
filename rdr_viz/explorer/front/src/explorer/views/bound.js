/** Do the class terms of Theorem 1 shrink? The sum of w B' over all classes and each group's, a line a method. */

import { GROUPS, interval, membersOf, row as rowOf } from "../numbers.js";
import { band, columns, epochAxis, epochMark, gridY, line, namesAtEnds, roomForNames, scaleLinear, words } from "../marks.js";
import { short } from "../words.js";
import { READINGS } from "./b_prime.js";

const PANELS = ["All", ...GROUPS];

export default {
  name: "bound",
  kind: "bound",
  label: "Bound",
  of: "seeds",
  epochs: "marked",
  options: READINGS,
  asks: "B′ by",

  /** Columns: method, group, epoch, terms (mean over seeds of the sum), low, high (least and largest seed), seeds. */
  rows({ chosen, tail, state, t }) {
    const reading = Math.max(0, READINGS.indexOf(state.option));
    const members = { All: tail.counts.map((_, at) => at), ...membersOf(tail.groups) };
    return chosen.flatMap(({ method, runs }) => {
      const epochs = Math.min(...runs.map(({ run }) => run.epochs));
      return PANELS.filter((group) => members[group].length).flatMap((group) =>
        Array.from({ length: epochs }, (_, at) => {
          const values = runs.map(({ run, data }) => {
            const [weights, terms] = [rowOf(data.weight, at), rowOf(data.b_prime, reading * run.epochs + at)];
            return members[group].reduce((sum, place) => sum + (Number.isNaN(weights[place] * terms[place]) ? 0 : weights[place] * terms[place]), 0);
          });
          return { method, group, epoch: at + 1, terms: interval(values, t).mean, low: Math.min(...values), high: Math.max(...values), seeds: values.length };
        }),
      );
    });
  },

  sentence({ chosen, epoch, epochs }, rows) {
    const at = epoch ?? epochs;
    const of = (method, group) => rows.find((row) => row.method === method && row.epoch === at && row.group === group)?.terms;
    const sums = chosen.map(({ method, style }) => ({ label: style.label, all: of(method, "All"), few: of(method, "Few") })).filter((one) => one.all != null);
    const least = sums.reduce((a, b) => (b.all < a.all ? b : a));
    return [
      `${epoch == null ? "At the end" : `At epoch ${at}`} the sum is smallest for `, { b: `${least.label}, ${short(least.all)}` },
      least.few == null ? "." : `; Few makes up ${short(least.few)} of it. The bound grows with this sum, so lower is better.`,
    ];
  },

  panels: (context, rows) => PANELS.filter((group) => rows.some((row) => row.group === group)),

  draw(svg, { chosen, epoch, epochs }, rows, box) {
    const targets = [];
    const panels = this.panels(null, rows);
    columns({ ...box, width: box.width - roomForNames(chosen) }, panels.length, 52).forEach((place, which) => {
      const group = panels[which];
      const own = rows.filter((row) => row.group === group);
      const [left, right, bottom] = [place.left + 42, place.left + place.width, place.top + place.height - 40];
      const x = scaleLinear().domain([1, Math.max(2, epochs)]).range([left, right]);
      const y = scaleLinear().domain([0, Math.max(...own.map((row) => row.high))]).range([bottom, place.top + 24]).nice(4);
      gridY(svg, y, [left, right], { ticks: 4 });
      words(svg, (left + right) / 2, place.top + 8, group, { anchor: "middle", weight: 600, size: 13, color: "var(--ink)" });
      epochAxis(svg, x, bottom);
      epochMark(svg, x, epoch, [place.top + 20, bottom]);
      const ends = chosen.map(({ method, style }) => {
        const points = own.filter((row) => row.method === method);
        band(svg, points.map((row) => [x(row.epoch), y(row.low), y(row.high)]), style.color);
        line(svg, points.map((row) => [x(row.epoch), y(row.terms)]), style);
        for (const row of points) targets.push({ x: x(row.epoch), y: y(row.terms), text: `${style.label}, ${group}, epoch ${row.epoch}: ${short(row.terms)}` });
        return { style, y: y(points.at(-1).terms) };
      });
      if (place.last)
        namesAtEnds(svg, right + 8, ends, [place.top + 22, bottom]);
    });
    return targets;
  },
};
