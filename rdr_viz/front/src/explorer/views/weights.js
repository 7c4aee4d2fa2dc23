/** How does training move the class weights? A line a class, a panel a method. */

import { GROUPS, meanOf, membersOf } from "../numbers.js";
import { columns, epochAxis, epochMark, gridY, groupColor, line, scaleLinear, scaleLog, spread, warmUp, words } from "../marks.js";
import { listed, short } from "../words.js";

const APART = "each group on its own scale";

export default {
  name: "weights",
  kind: "weights",
  label: "Weights",
  of: "each method",
  epochs: "marked",
  options: ["one scale", APART],
  asks: "Scale",

  /** Columns: method, epoch, class, name, group, count, weight (mean 1 over classes). */
  rows: ({ chosen, ranked }) =>
    chosen.flatMap(({ method, runs: [{ run, data }] }) =>
      Array.from({ length: run.epochs }, (_, at) => at).flatMap((at) =>
        ranked.map(({ at: place, group, count }) => ({ method, epoch: at + 1, class: place, name: run.names[place], group, count, weight: data.weight.values[at * ranked.length + place] })),
      ),
    ),

  sentence({ chosen, tail, epoch }, rows) {
    const { method, style } = chosen.at(-1);
    const own = rows.filter((row) => row.method === method);
    const at = epoch ?? own.at(-1).epoch;
    const members = membersOf(tail.groups);
    const weights = new Map(own.filter((row) => row.epoch === at).map((row) => [row.class, row.weight]));
    const means = GROUPS.filter((group) => members[group].length).map((group) => `${short(meanOf(tail.groups.map((_, place) => weights.get(place) ?? NaN), members[group]))} on ${group}`);
    const values = [...weights.values()].filter(Number.isFinite);
    return [
      `${epoch == null ? "At the end" : `At epoch ${at}`} ${style.label}'s mean weight is ${listed(means)}: the heaviest class counts `,
      { b: `${short(Math.max(...values) / Math.max(1e-12, Math.min(...values)))} times` }, " as much as the lightest.",
    ];
  },

  least: 240,
  panels: ({ chosen }) => chosen,

  draw(svg, { chosen, state, ranked, epoch }, rows, box) {
    const apart = state.option === APART;
    const targets = [];
    const positive = rows.map((row) => row.weight).filter((value) => value > 0);
    const shared = [Math.min(...positive), Math.max(...positive)];
    columns({ ...box, width: box.width - 70 }, chosen.length, 90).forEach((place, which) => {
      const { method, style, runs: [{ run, data }] } = chosen[which];
      const own = rows.filter((row) => row.method === method);
      words(svg, place.left + 46, place.top + 8, style.label, { weight: 600, color: style.text, size: 14 });
      const panels = apart ? GROUPS.filter((group) => ranked.some((one) => one.group === group)) : [null];
      const high = (place.height - 62) / panels.length;
      panels.forEach((panel, number) => {
        const [top, bottom] = [place.top + 24 + number * high, place.top + 24 + (number + 1) * high - (apart ? 14 : 0)];
        const [left, right] = [place.left + 46, place.left + place.width];
        const shown = own.filter((row) => panel == null || row.group === panel);
        const values = shown.map((row) => row.weight).filter((value) => value > 0);
        const domain = panel == null ? shared : [Math.min(...values), Math.max(...values)];
        const wide = domain[1] / domain[0] > 5;
        const x = scaleLinear().domain([1, Math.max(2, run.epochs)]).range([left, right]);
        const y = (wide ? scaleLog().domain([domain[0] / 1.15, domain[1] * 1.15]) : scaleLinear().domain(domain).nice(3)).range([bottom, top]);
        warmUp(svg, x, data.warm_up, [top, bottom]);
        gridY(svg, y, [left, right], { ticks: apart ? 3 : 5 });
        if (number === panels.length - 1) epochAxis(svg, x, bottom);
        epochMark(svg, x, epoch, [top, bottom]);
        const ends = [];
        for (const klass of ranked.filter((one) => panel == null || one.group === panel)) {
          const points = shown.filter((row) => row.class === klass.at);
          line(svg, points.map((row) => [x(row.epoch), row.weight > 0 || !wide ? y(row.weight) : NaN]), { color: groupColor(klass.group), dash: [] }, { width: ranked.length > 20 ? 0.8 : 1.5, opacity: ranked.length > 20 ? 0.6 : 1 });
          ends.push({ klass, name: run.names[klass.at], y: y(Math.max(points.at(-1).weight, y.domain()[0])) });
          for (const row of points) targets.push({ x: x(row.epoch), y: y(Math.max(row.weight, y.domain()[0])), text: `${style.label}, ${row.name} (${row.group}), epoch ${row.epoch}: weight ${short(row.weight)}` });
        }
        const told = ranked.length > 20 ? [ends[0], ends.at(-1)] : ends;
        spread(told.map((end) => end.y), 13, [top, bottom]).forEach((height, at) => words(svg, right + 6, height, told[at].name, { size: 11, color: groupColor(told[at].klass.group), weight: 500 }));
      });
    });
    return targets;
  },
};
