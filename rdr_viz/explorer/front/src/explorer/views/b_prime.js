/** Does the weight move inversely to B'? A column a group, a row a method: weight and B' over the epochs, and rho. */

import { GROUPS, isConstant, meanOf, membersOf, row as rowOf, spearman, withoutDrift } from "../numbers.js";
import { columns, epochAxis, epochMark, line, scaleLinear, warmUp, words } from "../marks.js";
import { listed, number, short } from "../words.js";

export const READINGS = ["smallest true-class logit", "smallest true-class probability", "smallest in each batch, averaged", "low quantile"];
const BROWN = { color: "var(--brown)", dash: [] };

export default {
  name: "b-prime",
  kind: "b-prime",
  label: "Weights, B′",
  of: "each method",
  epochs: "marked",
  options: READINGS,
  asks: "B′ by",

  /** Columns: method, epoch, group, weight, b_prime (means over the group's classes), warm_up. */
  rows({ chosen, tail, state }) {
    const reading = Math.max(0, READINGS.indexOf(state.option));
    const members = membersOf(tail.groups);
    return chosen.flatMap(({ method, runs: [{ run, data }] }) =>
      GROUPS.filter((group) => members[group].length).flatMap((group) =>
        Array.from({ length: run.epochs }, (_, at) => ({
          method, epoch: at + 1, group,
          weight: meanOf(rowOf(data.weight, at), members[group]),
          b_prime: meanOf(rowOf(data.b_prime, reading * run.epochs + at), members[group]),
          warm_up: at + 1 <= data.warm_up,
        })),
      ),
    );
  },

  sentence({ chosen }, rows) {
    const { method, style } = chosen.at(-1);
    const found = correlationsOf(rows, method, { drift: false });
    const levels = correlationsOf(rows, method, { drift: true });
    const known = Object.entries(found).filter(([, rho]) => Number.isFinite(rho));
    if (!known.length) return [`${style.label}'s weights do not move, so there is no correlation with B′.`];
    const inverse = known.filter(([, rho]) => rho <= -0.5).length;
    return [
      `${style.label}: from epoch to epoch, Spearman's ρ of weight and B′ without their drift is `, { b: listed(known.map(([group, rho]) => `${number(rho, 2)} on ${group}`)) },
      `. The paper says that they move inversely, which would be near −1: it is −0.5 or less on ${inverse || "none"} of ${known.length}. With their drift, which alone makes two series correlate, ρ is ${listed(known.map(([group]) => number(levels[group], 2)))}.`,
    ];
  },

  least: 240,
  panels: (context, rows) => GROUPS.filter((group) => rows.some((row) => row.group === group)),

  draw(svg, { chosen, epoch }, rows, box) {
    const targets = [];
    const groups = this.panels(null, rows);
    columns({ ...box, left: box.left + 8, width: box.width - 16 }, groups.length, 40).forEach((place, which) => {
      const group = groups[which];
      const high = (place.height - 46) / chosen.length;
      words(svg, place.left + place.width / 2, place.top + 6, group, { anchor: "middle", weight: 600, color: "var(--ink)", size: 13 });
      chosen.forEach(({ method, style, runs: [{ run, data }] }, line_) => {
        const own = rows.filter((row) => row.method === method && row.group === group);
        const [top, bottom] = [place.top + 18 + line_ * high + 22, place.top + 18 + (line_ + 1) * high - 10];
        const x = scaleLinear().domain([1, Math.max(2, run.epochs)]).range([place.left + 34, place.left + place.width - 34]);
        warmUp(svg, x, data.warm_up, [top, bottom]);
        const [rho, levels] = [false, true].map((drift) => correlationsOf(own, method, { drift })[group]);
        const both = `ρ without drift ${number(rho, 2)}, with ${number(levels, 2)}`;
        words(svg, place.left + place.width / 2, top - 9, `${chosen.length > 1 || which === 0 ? `${style.label}  ` : ""}${Number.isFinite(rho) ? both : "no ρ: it does not move"}`, { anchor: "middle", size: 12, weight: 600, color: style.text });
        for (const [name, look, side] of [["weight", { ...style, dash: [] }, "start"], ["b_prime", BROWN, "end"]]) {
          const values = own.map((row) => row[name]).filter(Number.isFinite);
          const [low, most] = [Math.min(...values), Math.max(...values)];
          const room = most - low || Math.abs(most) || 1;
          const y = scaleLinear().domain([low - 0.04 * room, most + 0.04 * room]).range([bottom, top]);
          line(svg, own.map((row) => [x(row.epoch), y(row[name])]), look, { width: 1.7, dash: name === "weight" ? [] : [3, 2] });
          const edge = side === "start" ? place.left + 30 : place.left + place.width - 30;
          for (const value of most > low ? [low, most] : [low]) words(svg, edge, y(value), short(value), { anchor: side === "start" ? "end" : "start", size: 11, color: name === "weight" ? style.text : "var(--brown)" });
          for (const row of own) targets.push({ x: x(row.epoch), y: y(row[name]), text: `${style.label}, ${group}, epoch ${row.epoch}: weight ${short(row.weight)}, B′ ${short(row.b_prime)}` });
        }
        epochMark(svg, x, epoch, [top, bottom]);
        if (line_ === chosen.length - 1) epochAxis(svg, x, bottom + 4, which === 0 ? "Epoch   (solid: weight, left; dashed: B′, right)" : "Epoch");
      });
    });
    return targets;
  },
};

/** Spearman's rho of weight and B' by group, the warm-up left out, of the series with their drift or without. */
export function correlationsOf(rows, method, { drift }) {
  const groups = [...new Set(rows.filter((row) => row.method === method).map((row) => row.group))];
  return Object.fromEntries(groups.map((group) => {
    const own = rows.filter((row) => row.method === method && row.group === group && !row.warm_up);
    const series = [own.map((row) => row.weight), own.map((row) => row.b_prime)];
    if (own.length < 3 || series.some(isConstant)) return [group, NaN];
    return [group, spearman(...(drift ? series : series.map(withoutDrift)))];
  }));
}
