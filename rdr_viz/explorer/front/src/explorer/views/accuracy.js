/** Which method serves which group? Test accuracy over all classes and by group. */

import { GROUPS, interval } from "../numbers.js";
import { gridY, line, marker, namesAtEnds, roomForNames, scaleLinear, whisker, words } from "../marks.js";
import { number, plural, pointsFrom } from "../words.js";

const COLUMNS = ["All", ...GROUPS];
// The width of a group's column that holds how many images its classes have.
const ROOMY = 130;

export default {
  name: "accuracy",
  kind: "accuracy",
  label: "By group",
  of: "seeds",
  epochs: "as of",

  /** Columns: method, seed, group, accuracy (percent). */
  rows: ({ chosen, at }) =>
    chosen.flatMap(({ method, runs }) =>
      runs.flatMap(({ run, data }) =>
        COLUMNS.map((group, column) => ({ method, seed: run.seed, group, accuracy: data.groups.values[at(run) * 4 + column] })),
      ),
    ),

  sentence: (context, rows) => whoGains(context, rows),

  draw(svg, context, rows, box) {
    const { tail, chosen } = context;
    const means = meansOf(context, rows);
    const shown = COLUMNS.filter((group) => means.some((one) => one.group === group && !Number.isNaN(one.mean)));
    const values = rows.map((row) => row.accuracy).filter(Number.isFinite);
    const [low, high] = [Math.min(...values, ...means.map((one) => one.low).filter(Number.isFinite)), 100];
    const bottom = box.top + box.height - 46;
    const left = box.left + 46;
    const right = box.left + box.width - roomForNames(chosen, 3);
    const y = scaleLinear().domain([Math.max(0, low - 3), high]).range([bottom, box.top + 12]).nice(5);
    const step = (right - left) / shown.length;
    const middle = (group) => left + step * (shown.indexOf(group) + 0.5);
    const offset = (at) => (at - (chosen.length - 1) / 2) * Math.min(24, (step * 0.66) / Math.max(1, chosen.length - 1));
    gridY(svg, y, [left, right], { ticks: 5, unit: " %" });
    if (shown.includes("All")) {
      const edge = left + step;
      svg.append("line").attr("x1", edge).attr("x2", edge).attr("y1", box.top).attr("y2", bottom + 30).attr("stroke", "var(--line)");
    }
    for (const group of shown) {
      words(svg, middle(group), bottom + 16, group, { anchor: "middle", size: step > ROOMY ? 14 : step > 60 ? 11.5 : 10, weight: 600, color: "var(--ink)" });
      if (step > ROOMY) words(svg, middle(group), bottom + 34, imagesWords(tail, group), { anchor: "middle", size: 11, color: "var(--faint)" });
    }
    const targets = [];
    chosen.forEach(({ method, style }, at) => {
      const own = means.filter((one) => one.method === method && shown.includes(one.group));
      const points = own.map((one) => [middle(one.group) + offset(at), y(one.mean)]);
      line(svg, points.filter((point, k) => own[k].group !== "All"), style, { opacity: 0.45 });
      for (const row of rows.filter((one) => one.method === method && shown.includes(one.group))) {
        if (own.find((one) => one.group === row.group).seeds > 1)
          svg.append("circle").attr("class", "seed").attr("cx", middle(row.group) + offset(at) + 7).attr("cy", y(row.accuracy)).attr("r", 2).attr("fill", style.color).attr("opacity", 0.55);
      }
      own.forEach((one, k) => {
        const [px, py] = points[k];
        whisker(svg, px, y(Math.max(one.low, y.domain()[0])), y(Math.min(one.high, 100)), style.edge);
        if (Number.isFinite(py)) marker(svg, style, px, py, 5.5);
        targets.push({ x: px, y: py, text: `${style.label}, ${one.group}: ${spoken(one)}` });
      });
    });
    const last = shown.at(-1);
    const ends = chosen.map(({ method }) => means.find((one) => one.method === method && one.group === last));
    const named = chosen.map(({ style }, at) => ({ style, y: y(ends[at].mean), value: number(ends[at].mean, 0) }));
    namesAtEnds(svg, right + 8, named, [box.top + 8, bottom]);
    return targets;
  },
};

/** Mean and interval over seeds, a row a method and group. */
export function meansOf({ chosen, t }, rows) {
  return chosen.flatMap(({ method }) =>
    COLUMNS.map((group) => ({
      method,
      group,
      ...interval(rows.filter((row) => row.method === method && row.group === group).map((row) => row.accuracy), t),
    })),
  );
}

/** A mean with its interval, as one says it. */
export const spoken = (one, unit = " %") =>
  `${number(one.mean)}${unit}${Number.isFinite(one.low) ? `, 95 % interval ${number(one.low)} to ${number(one.high)}, ${plural(one.seeds, "seed")}` : ", one seed"}`;

/** "51 to 124 images" of a group's classes. */
export function imagesWords(tail, group) {
  const counts = tail.counts.filter((count, at) => group === "All" || tail.groups[at] === group);
  const [least, most] = [Math.min(...counts), Math.max(...counts)].map((count) => count.toLocaleString("en"));
  return group === "All" ? plural(counts.length, "class", "classes") : least === most ? `${least} images` : `${least} to ${most} images`;
}

/**
 * Who is ahead on Few, and what that costs on Many, seed by seed: with the interval of the difference, "undecided" where
 * it holds 0.
 */
export function whoGains({ chosen, t }, rows) {
  if (chosen.length < 2) {
    const own = Object.fromEntries(COLUMNS.map((group) => [group, interval(rows.filter((row) => row.group === group).map((row) => row.accuracy), t).mean]));
    return [`${chosen[0].style.label} is right on `, { b: `${number(own.Few)} %` }, ` of the rare classes' images and on ${number(own.Many)} % of the common ones'.`];
  }
  const mean = (method, group) => interval(rows.filter((row) => row.method === method && row.group === group).map((row) => row.accuracy), t).mean;
  const group = rows.some((row) => row.group === "Few" && Number.isFinite(row.accuracy)) ? "Few" : "All";
  const first = chosen[0];
  const best = chosen.slice(1).reduce((a, b) => (mean(b.method, group) > mean(a.method, group) ? b : a));
  const apart = (of) => {
    const by = (method) => new Map(rows.filter((row) => row.method === method && row.group === of).map((row) => [row.seed, row.accuracy]));
    const [a, b] = [by(best.method), by(first.method)];
    return interval([...a.keys()].filter((seed) => b.has(seed)).map((seed) => a.get(seed) - b.get(seed)), t);
  };
  const [few, many] = [apart(group), apart("Many")];
  const sure = (one) => (Number.isNaN(one.low) ? " (one seed, so it may be chance)" : one.low <= 0 && one.high >= 0 ? ` (undecided: ${number(one.low)} to ${number(one.high)})` : ` (${number(one.low)} to ${number(one.high)})`);
  const said = [
    `On ${group === "Few" ? "the rare classes" : "all classes"} `, { b: `${best.style.label} is ${pointsFrom(few.mean)} ${first.style.label}` }, sure(few),
  ];
  if (group === "Few" && Number.isFinite(many.mean)) said.push(`, on the common ones ${pointsFrom(many.mean)}${sure(many)}`);
  return [...said, "."];
}
