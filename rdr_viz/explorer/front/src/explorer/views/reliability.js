/** Is an image's density ratio its own, or noise of its batches? Reliability, or the mean, of r by class and group. */

import { GROUPS, interval } from "../numbers.js";
import { gridY, line, marker, scaleBand, scaleLinear, whisker, words } from "../marks.js";
import { listed, number, plural } from "../words.js";
import { classWords, groupHeads } from "./counts.js";

const GROUPED = ["All", ...GROUPS];
const MEAN = "mean of r";
// Of a row of the run's arrays.
const [RATIO, RELIABILITY, LOW, HIGH] = [0, 1, 2, 3];

export default {
  name: "reliability",
  kind: "reliability",
  label: "Reliability of r",
  of: "seeds",
  epochs: "",
  needs: "ratios",
  result: "ratio-reliability",
  array: "ratio_classes",
  ofRatios: true,
  options: ["reliability", MEAN],
  asks: "Of the ratio r",

  /** Columns: method, level, rank (0 for groups), class (-1), name, group, count, ratio, reliability, low, high, seeds. */
  rows: ({ chosen, ranked, names, tail, t }) =>
    chosen.flatMap(({ method, runs }) => {
      const of = (array, at) => numbersOf(runs.map(({ data }) => data[array].values.subarray(at * 4, at * 4 + 4)), t);
      return [
        ...GROUPED.map((group, at) => ({ method, level: at ? "group" : "all", rank: 0, class: -1, name: group, group, count: imagesOf(tail, group), ...of("ratio_groups", at) })),
        ...ranked.map(({ at, group, count }, rank) => ({ method, level: "class", rank: rank + 1, class: at, name: names[at], group, count, ...of("ratio_classes", at) })),
      ];
    }),

  sentence({ chosen }, rows) {
    const { method, style } = chosen.at(-1);
    const own = rows.filter((row) => row.method === method && row.level !== "class" && Number.isFinite(row.reliability));
    if (!own.length) return [`No class of ${style.label} has two images whose ratios differ, so there is nothing to share out.`];
    const [all, ...groups] = own;
    const percent = (value) => number(100 * value, 0);
    const sure = Number.isFinite(all.low) ? ` (${percent(all.low)} to ${percent(all.high)})` : "";
    return [
      `With ${style.label} `, { b: `${percent(all.reliability)} %` }, `${sure} of r's variance within a class belongs to the image, the rest to whatever shares its batches`,
      groups.length > 1 ? `: ${listed(groups.map((row) => `${percent(row.reliability)} % on ${row.group}`))} are the image's.` : ".",
      all.seeds > 1 ? "" : " One run: its interval says nothing of another seed.",
    ];
  },

  draw(svg, { chosen, state }, rows, box) {
    const column = state.option === MEAN ? "ratio" : "reliability";
    const classes = rows.filter((row) => row.level === "class");
    const ranks = [...new Set(classes.map((row) => row.rank))];
    const many = ranks.length > 20;
    const bottom = box.top + box.height - (many ? 34 : 56);
    const [left, right] = [box.left + 46, box.left + box.width - 6];
    const x = scaleBand().domain(ranks).range([left, right]);
    const values = rows.flatMap((row) => (column === "ratio" || many ? [row[column]] : [row[column], row.low, row.high])).filter(Number.isFinite);
    const domain = column === "ratio" ? [Math.min(1, ...values) - 0.02, Math.max(1, ...values) + 0.02] : [Math.min(0, ...values) - 0.04, 1];
    const y = scaleLinear().domain(domain).range([bottom, box.top + 26]);
    gridY(svg, y, [left, right]);
    const base = y(column === "ratio" ? 1 : 0);
    svg.append("line").attr("x1", left).attr("x2", right).attr("y1", base).attr("y2", base).attr("stroke", "var(--line)").attr("stroke-width", 1.4);
    const first = classes.filter((row) => row.method === chosen[0].method);
    groupHeads(svg, x, first, box.top + 6);
    if (many) words(svg, (left + right) / 2, bottom + 20, "Class, by falling number of images", { anchor: "middle" });
    else for (const row of first) classWords(svg, x, row, bottom);
    const targets = [];
    chosen.forEach(({ method, style }, at) => {
      const own = classes.filter((row) => row.method === method);
      const offset = (at - (chosen.length - 1) / 2) * Math.min(15, (x.bandwidth() * 0.6) / Math.max(1, chosen.length - 1));
      const place = (row) => [x(row.rank) + x.bandwidth() / 2 + (many ? 0 : offset), y(row[column])];
      for (const group of rows.filter((row) => row.method === method && row.level === "group" && Number.isFinite(row[column]))) {
        const inside = own.filter((row) => row.group === group.group);
        const [from, to] = [x(inside[0].rank) + 4, x(inside.at(-1).rank) + x.bandwidth() - 4];
        line(svg, [[from, y(group[column])], [to, y(group[column])]], style, { opacity: 0.7 });
        targets.push({ x: to, y: y(group[column]), text: `${style.label}, ${group.group}: ${spoken(group)}` });
      }
      if (many) line(svg, own.map(place), style, { opacity: 0.9, width: 1.5 });
      for (const row of own) {
        const [px, py] = place(row);
        if (!many) {
          if (column === "reliability") whisker(svg, px, y(row.low), y(row.high), style.edge);
          if (Number.isFinite(py)) marker(svg, style, px, py, 4.6);
        }
        targets.push({ x: px, y: py, text: `${style.label}, ${row.name} (${plural(row.count, "image")}): ${spoken(row)}` });
      }
    });
    return targets;
  },
};

/** Means over seeds, with Student's interval of the reliability; of one seed the run's own interval. */
function numbersOf(found, t) {
  const { mean, low, high } = interval(found.map((one) => one[RELIABILITY]), t);
  const { mean: ratio } = interval(found.map((one) => one[RATIO]), t);
  const alone = found.length === 1;
  return { ratio, reliability: mean, low: alone ? found[0][LOW] : low, high: alone ? found[0][HIGH] : high, seeds: found.length };
}

const imagesOf = (tail, group) => tail.counts.reduce((sum, count, at) => sum + (group === "All" || tail.groups[at] === group ? count : 0), 0);

const ends = (row) => (Number.isFinite(row.low) ? ` (${number(row.low, 2)} to ${number(row.high, 2)})` : "");

const spoken = (row) => `reliability ${number(row.reliability, 2)}${ends(row)}, mean of r ${number(row.ratio, 2)}`;
