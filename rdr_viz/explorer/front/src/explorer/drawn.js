/** Views of kinds that the page has no script for: the kernel draws them, the page shows picture, words and numbers. */

/** Pixels on the page for each of a picture's points: with fewer its letters are too small to read, with more too large. */
const [SMALLEST, LARGEST] = [1.1, 2.4];
/** Pictures kept, so that going back to one costs nothing. */
const KEPT = 60;
const OF = { runs: "seeds", seeds: "one method", run: "one run" };

/** The view of a kind, by a name that is free. @param {{takes: "runs"|"seeds"|"run"}} about of rdr_viz/explorer/head.py. */
export const drawnView = (kind, name, about) => ({
  ...about,
  name,
  kind,
  label: name[0].toUpperCase() + name.slice(1).replaceAll("-", " "),
  of: OF[about.takes],
  epochs: "",
  drawn: true,
  /** Columns: those of the display's data. */
  rows: ({ picture }) => picture.rows,

  sentence: ({ picture }) => [picture.finding],

  alt: ({ picture }) => picture.alt,

  /** Where there is less room it is moved sideways. */
  narrowest: ({ picture }) => Math.ceil(SMALLEST * sizeOf(picture)[0]),

  /** As large as fits, and can be read. */
  height({ picture }, width, most) {
    const [wide, high] = sizeOf(picture);
    return Math.floor(high * Math.min(width / wide, LARGEST, Math.max(most / high, SMALLEST)));
  },

  draw(svg, { picture }) {
    const [wide, high] = sizeOf(picture);
    const height = Number(svg.attr("height"));
    svg.append("image").attr("width", height * (wide / high)).attr("height", height)
      .attr("href", `data:image/svg+xml;charset=utf-8,${encodeURIComponent(picture.svg)}`);
    return [];
  },
});

/** Width and height of a picture in points. */
const sizeOf = ({ svg }) => svg.match(/viewBox="0 0 ([\d.]+) ([\d.]+)"/).slice(1).map(Number);

/** The kernel's pictures, asked for when they are first to be shown. */
export class Pictures {
  /** @param {((message: Object) => void)|null} send to the kernel. */
  constructor(send) {
    this.send = send;
    this.answers = new Map();
    this.asked = new Set();
    this.wanted = [];
  }

  /** What plan.js found, with its picture; where that is not there the context is null, and `said` stands in its place. */
  into(found, theme) {
    const { context, notes } = found;
    if (!context?.view.drawn) return found;
    const wanted = { kind: context.view.kind, runs: context.chosen.flatMap(({ runs }) => runs.map(({ run }) => run.id)), theme };
    const key = JSON.stringify(wanted);
    const answer = this.answers.get(key);
    if (answer?.svg) return { ...found, context: { ...context, picture: answer } };
    if (answer) return { ...found, context: null, notes: [answer.sentence, ...notes], said: "There is no picture of these runs." };
    this.wanted.push({ ...wanted, key });
    return { ...found, context: null, said: "Drawing …" };
  }

  /** Ask for what was wanted since the last time, unless the kernel is at it. */
  ask() {
    const wanted = this.wanted;
    this.wanted = [];
    if (wanted.every(({ key }) => this.asked.has(key))) return;
    this.asked = new Set(wanted.map(({ key }) => key)); // the kernel leaves the others
    this.send({ ask: "draw", pictures: wanted });
  }

  /** The kernel has drawn one, or says why not. */
  arrived({ key, svg, alt, finding, rows, sentence }) {
    const known = (row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value ?? NaN]));
    this.answers.set(key, svg ? { svg, alt, finding, rows: rows.map(known) } : { sentence });
    this.asked.delete(key);
    if (this.answers.size > KEPT) this.answers.delete(this.answers.keys().next().value);
  }

  /** Runs have changed. */
  forget() {
    this.answers.clear();
    this.asked.clear();
  }
}
