/** How long is the tail? Training images by class. */

import { GROUPS, membersOf } from "../numbers.js";
import { gridY, groupColor, scaleBand, scaleLinear, scaleLog, words } from "../marks.js";
import { listed, number, plural } from "../words.js";

export default {
  name: "counts",
  kind: "counts",
  label: "Class counts",
  of: "data",
  epochs: "",
  options: ["images", "images, log scale"],

  /** Columns: rank, class, name, count, group. */
  rows: ({ ranked, names }) => ranked.map(({ at, count, group }, rank) => ({ rank: rank + 1, class: at, name: names[at], count, group })),

  sentence({ tail }, rows) {
    const total = rows.reduce((sum, row) => sum + row.count, 0);
    const members = membersOf(tail.groups);
    const shares = GROUPS.filter((group) => members[group].length).map((group) => {
      const images = members[group].reduce((sum, at) => sum + tail.counts[at], 0);
      return `${group} ${number((100 * images) / total, 0)} %`;
    });
    const [most, least] = [rows[0].count, rows.at(-1).count];
    return [
      "The largest class has ", { b: plural(most, "image") }, `, ${number(most / least, 0)} times the smallest's ${least.toLocaleString("en")}. `,
      `Of all images: ${listed(shares)}.`,
    ];
  },

  draw(svg, { state }, rows, box) {
    const log = state.option === "images, log scale";
    const bottom = box.top + box.height - (rows.length > 20 ? 34 : 56);
    const left = box.left + 46;
    const x = scaleBand().domain(rows.map((row) => row.rank)).range([left, box.left + box.width]).padding(rows.length > 20 ? 0 : 0.16);
    const most = rows[0].count;
    const y = (log ? scaleLog().domain([0.8, most * 1.2]) : scaleLinear().domain([0, most * 1.06])).range([bottom, box.top + 26]);
    gridY(svg, y, [left, box.left + box.width], { format: (value) => value.toLocaleString("en") });
    const targets = rows.map((row) => {
      const top = y(row.count);
      svg.append("rect").attr("x", x(row.rank)).attr("y", top).attr("width", x.bandwidth()).attr("height", Math.max(0, bottom - top)).attr("fill", groupColor(row.group));
      if (rows.length <= 20) {
        words(svg, x(row.rank) + x.bandwidth() / 2, top - 9, row.count.toLocaleString("en"), { anchor: "middle", size: 11 });
        classWords(svg, x, row, bottom);
      }
      return { x: x(row.rank) + x.bandwidth() / 2, y: top, text: `${row.name}: ${plural(row.count, "training image")}, ${row.group}` };
    });
    groupHeads(svg, x, rows, box.top + 8);
    if (rows.length > 20) words(svg, (left + box.left + box.width) / 2, bottom + 20, "Class, by falling number of images", { anchor: "middle" });
    return targets;
  },
};

/** A class's name under its place, turned where names are long. */
export function classWords(svg, x, row, bottom) {
  const middle = x(row.rank) + x.bandwidth() / 2;
  const room = Math.floor(x.step() / 6.6);
  if (row.name.length <= room) words(svg, middle, bottom + 16, row.name, { anchor: "middle", size: 12 });
  else words(svg, middle + 4, bottom + 12, row.name, { anchor: "end", size: 11, turn: -32 });
}

/** The groups' names above their classes. */
export function groupHeads(svg, x, rows, y) {
  for (const group of GROUPS) {
    const own = rows.filter((row) => row.group === group);
    if (!own.length) continue;
    const [from, to] = [x(own[0].rank), x(own.at(-1).rank) + x.bandwidth()];
    svg.append("line").attr("x1", from).attr("x2", to).attr("y1", y + 8).attr("y2", y + 8).attr("stroke", groupColor(group)).attr("stroke-width", 2);
    words(svg, (from + to) / 2, y, group, { anchor: "middle", weight: 600, color: "var(--ink)" });
  }
}
