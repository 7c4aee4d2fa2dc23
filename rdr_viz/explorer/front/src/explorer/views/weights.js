/** How does training move the class weights, and the raw ratios behind them? A line a class, a panel a method. */

import { GROUPS, meanOf, membersOf } from "../numbers.js";
import { columns, epochAxis, epochMark, gridY, groupColor, line, scaleLinear, scaleLog, spread, warmUp, words } from "../marks.js";
import { listed, short } from "../words.js";

const APART = "weights by group";
const RATIOS = "raw ratios";

/** The methods that have what is shown. */
const having = ({ chosen, state }) => (state.option === RATIOS ? chosen.filter(({ runs: [{ data }] }) => data.ratio) : chosen);

export default {
  name: "weights",
  kind: "weights",
  label: "Weights",
  of: "each method",
  epochs: "marked",
  options: ["weights", APART, RATIOS],

  /** Columns: method, epoch, class, name, group, count, and weight (mean 1 over classes) or raw ratio. */
  rows(context) {
    const column = context.state.option === RATIOS ? "ratio" : "weight";
    return having(context).flatMap(({ method, runs: [{ run, data }] }) =>
      Array.from({ length: run.epochs }, (_, at) => at).flatMap((at) =>
        context.ranked.map(({ at: place, group, count }) => ({ method, epoch: at + 1, class: place, name: run.names[place], group, count, [column]: data[column].values[at * context.ranked.length + place] })),
      ),
    );
  },

  sentence(context, rows) {
    const { chosen, tail, epoch } = context;
    if (context.state.option === RATIOS) return aboutRatios(context, rows);
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
  panels: (context) => having(context),

  draw(svg, context, rows, box) {
    const { state, ranked, epoch } = context;
    const [chosen, apart, ratios] = [having(context), state.option === APART, state.option === RATIOS];
    const column = ratios ? "ratio" : "weight";
    const targets = [];
    // A ratio may be below zero, and those of the warm-up weigh nothing.
    const warm = Object.fromEntries(chosen.map(({ method, runs: [{ data }] }) => [method, ratios ? data.warm_up : 0]));
    const shownOf = (row) => (row.epoch > warm[row.method] && (ratios || row.weight > 0) ? row[column] : NaN);
    const extent = (some) => some.map(shownOf).filter(Number.isFinite).reduce(([low, high], value) => [Math.min(low, value), Math.max(high, value)], [Infinity, -Infinity]);
    const shared = extent(rows);
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
        const domain = panel == null ? shared : extent(shown);
        const wide = !ratios && domain[1] / domain[0] > 5;
        const x = scaleLinear().domain([1, Math.max(2, run.epochs)]).range([left, right]);
        const y = (wide ? scaleLog().domain([domain[0] / 1.15, domain[1] * 1.15]) : scaleLinear().domain(domain).nice(3)).range([bottom, top]);
        warmUp(svg, x, data.warm_up, [top, bottom]);
        gridY(svg, y, [left, right], { ticks: apart ? 3 : 5 });
        if (number === panels.length - 1) epochAxis(svg, x, bottom);
        epochMark(svg, x, epoch, [top, bottom]);
        const ends = [];
        for (const klass of ranked.filter((one) => panel == null || one.group === panel)) {
          const points = shown.filter((row) => row.class === klass.at);
          line(svg, points.map((row) => [x(row.epoch), y(wide || ratios ? shownOf(row) : row.weight)]), { color: groupColor(klass.group), dash: [] }, { width: ranked.length > 20 ? 0.8 : 1.5, opacity: ranked.length > 20 ? 0.6 : 1 });
          const height = (row) => y(ratios ? shownOf(row) : Math.max(row.weight, y.domain()[0]));
          ends.push({ klass, name: run.names[klass.at], y: height(points.at(-1)) });
          for (const row of points) targets.push({ x: x(row.epoch), y: height(row), text: `${style.label}, ${row.name} (${row.group}), epoch ${row.epoch}: ${ratios ? "raw ratio" : "weight"} ${short(row[column])}` });
        }
        const told = ranked.length > 20 ? [ends[0], ends.at(-1)] : ends;
        spread(told.map((end) => end.y), 13, [top, bottom]).forEach((height, at) => words(svg, right + 6, height, told[at].name, { size: 11, color: groupColor(told[at].klass.group), weight: 500 }));
      });
    });
    return targets;
  },
};

/** Means of the first and the last fifth of the epochs after the warm-up, by group. */
function aboutRatios(context, rows) {
  const there = having(context);
  if (!there.length) return ["These methods measure no ratio; RDR does."];
  const { method, style, runs: [{ data }] } = there.at(-1);
  const own = rows.filter((row) => row.method === method && row.epoch > data.warm_up);
  const epochs = [...new Set(own.map((row) => row.epoch))];
  const part = Math.max(1, Math.floor(epochs.length / 5));
  const over = (group, chosen) => own.filter((row) => row.group === group && chosen.includes(row.epoch)).map((row) => row.ratio);
  const moves = GROUPS.filter((group) => own.some((row) => row.group === group)).map((group) => {
    const [first, last] = [epochs.slice(0, part), epochs.slice(-part)].map((chosen) => over(group, chosen));
    return `${short(meanOf(first, first.keys()))} to ${short(meanOf(last, last.keys()))} on ${group}`;
  });
  return [`From the first fifth of its epochs after the warm-up to the last ${style.label}'s mean raw ratio goes from `, { b: listed(moves) }, ". What its weights do beyond that, scaling and the clamp at 0 do."];
}
