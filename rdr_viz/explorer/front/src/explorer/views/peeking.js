/** What would peeking at the test set add? Best minus last epoch, mean over seeds with its interval. */

import { interval } from "../numbers.js";
import { gridY, marker, scaleLinear, whisker, words } from "../marks.js";
import { number } from "../words.js";

export default {
  name: "peeking",
  kind: "peeking",
  label: "Peeking",
  of: "seeds",
  epochs: "",

  /** Columns: method, seed, last, best (percent), best_epoch, gain (points). */
  rows: ({ chosen }) =>
    chosen.flatMap(({ method, runs }) =>
      runs.map(({ run, data }) => {
        const all = Array.from({ length: run.epochs }, (_, at) => data.groups.values[at * 4]);
        const best = all.reduce((a, value, at) => (value > all[a] ? at : a), 0);
        return { method, seed: run.seed, last: all.at(-1), best: all[best], best_epoch: best + 1, gain: all[best] - all.at(-1) };
      }),
    ),

  sentence({ chosen, t }, rows) {
    const found = gains({ chosen, t }, rows);
    const most = found.reduce((a, b) => (b.mean > a.mean ? b : a));
    const order = (of) => [...found].sort((a, b) => of(b) - of(a)).map((one) => one.method).join();
    const mean = (method, what) => interval(rows.filter((row) => row.method === method).map((row) => row[what]), t).mean;
    const turned = found.length > 1 && order((one) => mean(one.method, "last")) !== order((one) => mean(one.method, "best"));
    return [
      "Reporting the best epoch on the test set would add ", { b: `${number(most.mean, 2)} points to ${most.style.label}` },
      found.length > 1 ? `, ${turned ? "and would change the order of the methods" : "and leave the order of the methods as it is"}.` : ".",
    ];
  },

  draw(svg, context, rows, box) {
    const found = gains(context, rows);
    const [left, right, bottom] = [box.left + 46, box.left + box.width - 10, box.top + box.height - 34];
    const y = scaleLinear().domain([0, Math.max(0.1, ...rows.map((row) => row.gain), ...found.map((one) => one.high).filter(Number.isFinite))]).range([bottom, box.top + 14]).nice(5);
    gridY(svg, y, [left, right], { unit: " points" });
    const step = (right - left) / found.length;
    return found.map((one, at) => {
      const x = left + step * (at + 0.5);
      for (const row of rows.filter((row) => row.method === one.method)) svg.append("circle").attr("class", "seed").attr("cx", x + 12).attr("cy", y(row.gain)).attr("r", 2).attr("fill", one.style.color).attr("opacity", 0.6);
      whisker(svg, x, y(Math.max(0, one.low)), y(one.high), one.style.edge);
      marker(svg, one.style, x, y(one.mean), 6);
      words(svg, x, bottom + 18, one.style.label, { anchor: "middle", weight: 600, size: 13, color: one.style.text });
      return { x, y: y(one.mean), text: `${one.style.label}: ${number(one.mean, 2)} points${Number.isFinite(one.low) ? `, 95 % interval ${number(one.low, 2)} to ${number(one.high, 2)}` : ""}` };
    });
  },
};

const gains = ({ chosen, t }, rows) => chosen.map(({ method, style }) => ({ method, style, ...interval(rows.filter((row) => row.method === method).map((row) => row.gain), t) }));
