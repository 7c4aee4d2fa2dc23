/** Where do the mistakes go? Of the test images of each group or class (rows), the share given to each (columns). */

import { GROUPS, membersOf } from "../numbers.js";
import { columns, scaleBand, words } from "../marks.js";
import { number } from "../words.js";

const BY_CLASS = "by class";

export default {
  name: "confusion",
  kind: "confusion",
  label: "Confusion",
  of: "methods",
  epochs: "",
  needs: "groups",
  result: "predictions",
  array: "predicted",
  options: ["by group", BY_CLASS],
  asks: "Count",

  /** Columns: method, seed, true, predicted, images, percent (of the true one's images). */
  rows({ chosen, tail, ranked, state }) {
    const byClass = state.option === BY_CLASS;
    const members = membersOf(tail.groups);
    const groups = GROUPS.filter((group) => members[group].length);
    const place = byClass ? (klass) => ranked.findIndex((one) => one.at === klass) : (klass) => groups.indexOf(tail.groups[klass]);
    const places = tail.counts.map((_, klass) => place(klass));
    const size = byClass ? ranked.length : groups.length;
    return chosen.flatMap(({ method, runs: [{ run, data }] }) => {
      const counts = new Float64Array(size * size);
      data.labels.values.forEach((label, at) => (counts[places[label] * size + places[data.predicted.values[at]]] += 1));
      const names = byClass ? ranked.map((one) => run.names[one.at]) : groups;
      return names.flatMap((name, from) => {
        const total = counts.subarray(from * size, (from + 1) * size).reduce((a, b) => a + b, 0);
        return names.map((other, to) => ({ method, seed: run.seed, true: name, predicted: other, images: counts[from * size + to], percent: (100 * counts[from * size + to]) / total }));
      });
    });
  },

  sentence({ chosen, state }, rows) {
    const { method, style } = chosen[0];
    const own = rows.filter((row) => row.method === method && row.true !== row.predicted);
    const worst = own.reduce((a, b) => (b.percent > a.percent ? b : a));
    const said = [`${style.label} takes `, { b: `${number(worst.percent)} % of ${worst.true}` }, ` for ${worst.predicted}`];
    if (state.option !== BY_CLASS && chosen.length > 1) {
      const of = (one, from, to) => rows.find((row) => row.method === one.method && row.true === from && row.predicted === to)?.percent ?? NaN;
      const last = chosen.at(-1);
      return [...said, `; ${last.style.label} ${number(of(last, worst.true, worst.predicted))} %, and ${number(of(last, worst.predicted, worst.true))} % the other way, where ${style.label} has ${number(of(chosen[0], worst.predicted, worst.true))} %.`];
    }
    return [...said, "."];
  },

  panels: ({ chosen }) => chosen.slice(0, 4),

  draw(svg, { chosen }, rows, box) {
    const targets = [];
    columns(box, this.panels({ chosen }).length, 22).forEach((place, which) => {
      const { method, style } = chosen[which];
      const own = rows.filter((row) => row.method === method);
      const names = [...new Set(own.map((row) => row.true))];
      const long = Math.min(90, 14 + 6.2 * Math.max(...names.map((name) => name.length)));
      const wide = place.width - long;
      const side = Math.min(wide * 1.35, place.height - 46 - (names.length > 4 ? long * 0.75 : 20));
      const [left, top] = [place.left + long, place.top + 26];
      const x = scaleBand().domain(names).range([left, left + wide]).padding(0.03);
      const y = scaleBand().domain(names).range([top, top + side]).padding(0.03);
      words(svg, left + wide / 2, place.top + 8, style.label, { anchor: "middle", weight: 600, size: 14, color: style.text });
      for (const row of own) {
        const share = Math.sqrt(row.percent / 100); // lifts small shares out of the ground
        svg.append("rect").attr("class", "cell").attr("x", x(row.predicted)).attr("y", y(row.true)).attr("width", x.bandwidth()).attr("height", y.bandwidth())
          .attr("fill", row.true === row.predicted ? "var(--right)" : "var(--wrong)").attr("opacity", 0.06 + 0.94 * share);
        if (x.bandwidth() > 26 && row.percent >= 0.5)
          words(svg, x(row.predicted) + x.bandwidth() / 2, y(row.true) + y.bandwidth() / 2, number(row.percent, names.length > 4 ? 0 : 1), { anchor: "middle", size: names.length > 4 ? 11 : 14, color: share > 0.62 ? "var(--on)" : "var(--ink)" });
        targets.push({ x: x(row.predicted) + x.bandwidth() / 2, y: y(row.true) + y.bandwidth() / 2, text: `${style.label}: ${number(row.percent)} % of ${row.true} taken for ${row.predicted} (${row.images.toLocaleString("en")} images)` });
      }
      for (const name of names) {
        words(svg, left - 6, y(name) + y.bandwidth() / 2, name, { anchor: "end", size: 11 });
        if (names.length > 4) words(svg, x(name) + x.bandwidth() / 2 + 3, top + side + 8, name, { anchor: "end", size: 11, turn: -55 });
        else words(svg, x(name) + x.bandwidth() / 2, top + side + 13, name, { anchor: "middle", size: x.bandwidth() < 50 ? 9.5 : 12 });
      }
    });
    return targets;
  },
};
