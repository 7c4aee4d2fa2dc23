/** When is the tail learnt? The training loss beside the accuracy of each group, epoch by epoch. */

import { interval } from "../numbers.js";
import { band, columns, epochAxis, epochMark, gridY, line, namesAtEnds, roomForNames, scaleLinear, scaleLog, words } from "../marks.js";
import { number, short } from "../words.js";

const PANELS = ["Training loss", "Many", "Few"];

export default {
  name: "learning",
  label: "Learning",
  question: "When is the tail learnt, and does the loss tell?",
  look: "Left, the loss that everybody watches: a mean over training images, nearly all of them of common classes.",
  of: "seeds",
  epochs: "marked",

  /** Columns: method, panel, epoch, mean, low, high (least and largest seed), seeds. */
  rows: ({ chosen, t }) =>
    chosen.flatMap(({ method, runs }) => {
      const epochs = Math.min(...runs.map(({ run }) => run.epochs));
      return PANELS.flatMap((panel, which) =>
        Array.from({ length: epochs }, (_, at) => {
          const values = runs.map(({ data }) => (which === 0 ? data.loss.values[at] : data.groups.values[at * 4 + (which === 1 ? 1 : 3)]));
          return { method, panel, epoch: at + 1, mean: interval(values, t).mean, low: Math.min(...values), high: Math.max(...values), seeds: values.length };
        }),
      );
    }),

  sentence({ chosen, epoch, epochs }, rows) {
    const at = epoch ?? epochs;
    const of = (panel) => rows.find((row) => row.method === chosen[0].method && row.panel === panel && row.epoch === at);
    return [
      `${epoch == null ? "At the end" : `After epoch ${at}`} ${chosen[0].style.label}'s training loss is `, { b: short(of("Training loss").mean) },
      `; of the common classes' test images ${number(of("Many").mean)} % are right, of the rare ones' `, { b: `${number(of("Few").mean)} %` }, ".",
    ];
  },

  panels: () => PANELS,

  draw(svg, { chosen, epoch, epochs }, rows, box) {
    const targets = [];
    columns({ ...box, width: box.width - roomForNames(chosen) }, PANELS.length, 62).forEach((place, which) => {
      const panel = PANELS[which];
      const own = rows.filter((row) => row.panel === panel);
      const [left, right, bottom] = [place.left + (place.first ? 46 : 0), place.left + place.width, place.top + place.height - 40];
      const x = scaleLinear().domain([1, Math.max(2, epochs)]).range([left, right]);
      const values = own.flatMap((row) => [row.low, row.high]).filter(Number.isFinite);
      const y = which === 0
        ? scaleLog().domain([Math.max(1e-5, Math.min(...values)), 1.05 * Math.max(...values)]).range([bottom, place.top + 26])
        : scaleLinear().domain([Math.max(0, Math.min(...rows.filter((row) => row.panel !== PANELS[0]).map((row) => row.low).filter(Number.isFinite))), 100]).range([bottom, place.top + 26]);
      gridY(svg, y, [left, right], { unit: which ? " %" : "" });
      words(svg, (left + right) / 2, place.top + 8, which ? `Test accuracy, ${panel}` : panel, { anchor: "middle", weight: 600, color: "var(--ink)", size: 13 });
      epochAxis(svg, x, bottom);
      epochMark(svg, x, epoch, [place.top + 20, bottom]);
      const ends = chosen.map(({ method, style }) => {
        const points = own.filter((row) => row.method === method);
        band(svg, points.map((row) => [x(row.epoch), y(row.low), y(row.high)]), style.color);
        line(svg, points.map((row) => [x(row.epoch), y(row.mean)]), style);
        for (const row of points) targets.push({ x: x(row.epoch), y: y(row.mean), text: `${style.label}, ${panel}, epoch ${row.epoch}: ${which ? `${number(row.mean)} %` : short(row.mean)}` });
        return { style, y: y(points.at(-1).mean) };
      });
      if (place.last)
        namesAtEnds(svg, right + 8, ends, [place.top + 26, bottom]);
    });
    return targets;
  },
};
