/** Which classes does a method serve? Test accuracy by class, with an interval over seeds. */

import { interval } from "../numbers.js";
import { gridY, line, marker, scaleBand, scaleLinear, whisker, words } from "../marks.js";
import { number, pointsFrom } from "../words.js";
import { spoken } from "./accuracy.js";
import { classWords, groupHeads } from "./counts.js";

export default {
  name: "classes",
  kind: "classes",
  label: "By class",
  of: "seeds",
  epochs: "as of",

  /** Columns: method, rank, class, name, group, count, mean, low, high, sd, seeds (percent). */
  rows: ({ chosen, ranked, names, at, t }) =>
    chosen.flatMap(({ method, runs }) =>
      ranked.map(({ at: place, group, count }, rank) => ({
        method, rank: rank + 1, class: place, name: names[place], group, count,
        ...interval(runs.map(({ run, data }) => data.accuracy.values[at(run) * ranked.length + place]), t),
      })),
    ),

  sentence({ chosen, ranked }, rows) {
    if (chosen.length < 2) {
      const worst = rows.reduce((a, b) => (b.mean < a.mean ? b : a));
      return [`${chosen[0].style.label} does worst on `, { b: worst.name }, `, which has ${worst.count.toLocaleString("en")} training images: ${number(worst.mean)} % are right.`];
    }
    const [first, second] = [chosen[0], chosen.at(-1)];
    const apart = ranked.map((_, rank) => {
      const [a, b] = [first, second].map(({ method }) => rows.find((row) => row.method === method && row.rank === rank + 1));
      return { name: a.name, by: b.mean - a.mean, clear: a.high < b.low || b.high < a.low };
    });
    const most = apart.reduce((a, b) => (Math.abs(b.by) > Math.abs(a.by) ? b : a));
    const clear = apart.filter((one) => one.clear).length;
    return [
      `${second.style.label} and ${first.style.label} differ most on `, { b: most.name }, `: ${second.style.label} is ${pointsFrom(most.by)} there. `,
      Number.isFinite(rows[0].low) ? `Their intervals are apart on ${clear} of ${ranked.length} classes.` : "One seed has no interval: choose more.",
    ];
  },

  draw(svg, { chosen }, rows, box) {
    const ranks = [...new Set(rows.map((row) => row.rank))];
    const many = ranks.length > 20;
    const bottom = box.top + box.height - (many ? 34 : 56);
    const [left, right] = [box.left + 46, box.left + box.width - 6];
    const x = scaleBand().domain(ranks).range([left, right]);
    const lows = rows.flatMap((row) => [row.mean, row.low]).filter(Number.isFinite);
    const y = scaleLinear().domain([Math.max(0, Math.min(...lows) - 3), 100]).range([bottom, box.top + 26]).nice(5);
    gridY(svg, y, [left, right], { unit: " %" });
    const first = rows.filter((row) => row.method === chosen[0].method);
    groupHeads(svg, x, first, box.top + 6);
    if (many) words(svg, (left + right) / 2, bottom + 20, "Class, by falling number of images", { anchor: "middle" });
    else for (const row of first) classWords(svg, x, row, bottom);
    const targets = [];
    chosen.forEach(({ method, style }, at) => {
      const own = rows.filter((row) => row.method === method);
      const offset = (at - (chosen.length - 1) / 2) * Math.min(15, (x.bandwidth() * 0.75) / Math.max(1, chosen.length - 1));
      const place = (row) => [x(row.rank) + x.bandwidth() / 2 + (many ? 0 : offset), y(row.mean)];
      line(svg, own.map(place), style, { opacity: many ? 0.9 : 0.3, width: many ? 1.5 : 1.2 });
      for (const row of own) {
        const [px, py] = place(row);
        if (!many) {
          whisker(svg, px, y(Math.max(row.low, y.domain()[0])), y(Math.min(100, row.high)), style.edge);
          marker(svg, style, px, py, 5);
        }
        targets.push({ x: px, y: py, text: `${style.label}, ${row.name} (${row.count.toLocaleString("en")} images): ${spoken(row)}` });
      }
    });
    return targets;
  },
};
