/** Which test images does one method get right and another wrong? The images themselves, by class. */

import { GROUPS } from "../numbers.js";
import { groupColor, words } from "../marks.js";
import { listed, plural } from "../words.js";

const CLASSES = 10;

export default {
  name: "answers",
  kind: "answers",
  label: "Test images",
  of: "methods",
  epochs: "",
  needs: "groups",
  result: "predictions",
  array: "predicted",

  /**
   * Columns: rank, class, name, group, count, method (of whose answer is right; of one method its own), right (1 where
   * the last method is right and the first is not, 0 the other way round; of one method 0 where it is right), images.
   */
  rows({ chosen, ranked, state }) {
    const [first, last] = [chosen[0].runs[0], chosen.length > 1 ? chosen.at(-1).runs[0] : null];
    const shown = ranked.length > CLASSES ? [...ranked.slice(0, CLASSES / 2), ...ranked.slice(-CLASSES / 2)] : ranked;
    return shown.flatMap((klass) =>
      (last ? [1, 0] : [0, 1]).map((right) => {
        const found = apart(first.data, last?.data, klass.at, right);
        return {
          rank: ranked.indexOf(klass) + 1, class: klass.at, name: first.run.names[klass.at], group: klass.group, count: klass.count, right,
          method: last ? chosen[right ? chosen.length - 1 : 0].method : chosen[0].method, images: found.length,
        };
      }),
    );
  },

  sentence({ chosen }, rows) {
    const groups = GROUPS.filter((group) => rows.some((row) => row.group === group));
    const sum = (group, right) => rows.filter((row) => row.group === group && row.right === right).reduce((total, row) => total + row.images, 0);
    const [first, last] = [chosen[0].style.label, chosen.at(-1).style.label];
    if (chosen.length < 2) return [`${first} gets `, { b: listed(groups.map((group) => `${plural(sum(group, 1), "test image")} of ${group}`)) }, " wrong."];
    return [`Only ${last} gets `, { b: listed(groups.map((group) => `${sum(group, 1)} of ${group}`)) }, ` right, only ${first} ${listed(groups.map((group) => `${sum(group, 0)} of ${group}`))}.`];
  },

  draw(svg, { chosen, source, set, ranked }, rows, box) {
    const sheet = source.head.sheets[set.sheet];
    const [first, last] = [chosen[0].runs[0], chosen.length > 1 ? chosen.at(-1).runs[0] : null];
    const ranks = [...new Set(rows.map((row) => row.rank))];
    const high = Math.min(60, (box.height - 48) / ranks.length);
    const names = Math.min(150, box.width * 0.22);
    const half = (box.width - names) / 2;
    const side = high - (high > 34 ? 15 : 3);
    const many = Math.max(1, Math.floor((half - 50) / (side + 6)));
    const targets = [];
    const heads = last ? [`Only ${chosen.at(-1).style.label} gets right`, `Only ${chosen[0].style.label} gets right`] : [`${chosen[0].style.label} gets right`, `${chosen[0].style.label} gets wrong`];
    const size = half > 250 ? 13 : 10.5;
    const lines = heads.map((head) => (half > 250 ? [head] : head.split(/ (?=\(|gets)/)));
    const below = 13 * (Math.max(...lines.map((own) => own.length)) - 1);
    lines.forEach((own, at) => own.forEach((text, line) => words(svg, box.left + names + at * half + (half > 250 ? 44 : 14), box.top + 8 + 13 * line, text, { weight: 600, size, color: "var(--ink)" })));
    ranks.forEach((rank, line) => {
      const top = box.top + 22 + below + line * high;
      const [row] = rows.filter((one) => one.rank === rank);
      svg.append("rect").attr("x", box.left).attr("y", top).attr("width", 3).attr("height", high - 5).attr("fill", groupColor(row.group));
      words(svg, box.left + 10, top + Math.min(10, high / 2 - 2), row.name, { size: 12, weight: 600, color: "var(--ink)" });
      if (high > 34) words(svg, box.left + 10, top + 26, plural(row.count, "training image"), { size: 11, color: "var(--faint)" });
      rows.filter((one) => one.rank === rank).forEach((one, at) => {
        const left = box.left + names + at * half;
        words(svg, left + 36, top + side / 2, one.images.toLocaleString("en"), { anchor: "end", size: 13, weight: 600, color: "var(--ink)" });
        targets.push({ x: left + 24, y: top + side / 2, text: `${one.name}, ${plural(one.images, "test image")}: ${heads[at]}` });
        if (!sheet) return;
        const found = apart(first.data, last?.data, one.class, one.right).filter((image) => image.nth < sheet.images);
        found.slice(0, many).forEach((image, place) => {
          const x = left + 44 + place * (side + 6);
          const kept = sheet.classes.indexOf(one.name);
          const view = svg.append("svg").attr("class", "photo").attr("x", x).attr("y", top).attr("width", side).attr("height", side).attr("viewBox", `${image.nth * sheet.size} ${kept * sheet.size} ${sheet.size} ${sheet.size}`);
          view.append("image").attr("href", sheet.url).attr("width", sheet.images * sheet.size).attr("height", sheet.classes.length * sheet.size).attr("style", "image-rendering:pixelated");
          const taken = first.run.names[image.takenFor];
          if (taken !== one.name && high > 34) words(svg, x + side / 2, top + side + 6, taken.length * 5 > side + 6 ? `${taken.slice(0, Math.floor((side + 4) / 5) - 1)}…` : taken, { anchor: "middle", size: 9 });
          targets.push({ x: x + side / 2, y: top + side / 2, text: `A test image of ${one.name}${taken === one.name ? ", taken for what it is" : `: the wrong answer is ${taken}`}` });
        });
      });
    });
    if (!sheet) words(svg, box.left + names, box.top + box.height - 6, "Of these data no images are kept here; the counts are of all test images.", { size: 11 });
    return targets;
  },
};

/**
 * Test images of a class on which two runs part; of one run all that it has right (0) or wrong (1).
 * @returns {{nth: number, takenFor: number}[]} nth of its class in the test set, and the class of the wrong answer.
 */
function apart(first, last, klass, right) {
  const found = [];
  let nth = -1;
  first.labels.values.forEach((label, at) => {
    if (label !== klass) return;
    nth += 1;
    const ours = first.predicted.values[at];
    if (!last) {
      if ((ours === klass) === (right === 0)) found.push({ nth, takenFor: ours });
      return;
    }
    const theirs = last.predicted.values[at];
    if ((ours === klass) !== (theirs === klass) && (theirs === klass) === (right === 1)) found.push({ nth, takenFor: right ? ours : theirs });
  });
  return found;
}
