/**
 * What there is to look at: runs by data set, tail, method and seed, and their numbers, which may come later than they.
 *
 * @typedef {Object} Tail one imbalance of a data set.
 * @property {number|null} factor largest over smallest class; null for data taken as they are.
 * @property {string|null} profile
 * @property {number[]} counts (d,) training images of each class.
 * @property {string[]} groups (d,) "Many", "Medium" or "Few".
 *
 * @typedef {Object} RunHead
 * @property {number} id
 * @property {string} name of its folder.
 * @property {string} method canonical.
 * @property {number} seed
 * @property {string[]} names (d,) of the classes.
 * @property {number} epochs
 * @property {string[]} results analyses that are stored of it.
 * @property {boolean} ratios whether its method weighs by density ratios.
 *
 * @typedef {Object} DataSet
 * @property {string} name as links say it.
 * @property {string} title as readers are told it.
 * @property {boolean} drawn whether a seed stands for its own subset, so that methods are compared at equal seeds alone.
 * @property {[string, string]|null} samples what one sample is called, and several; null where they are images.
 * @property {Tail[]} tails rising.
 */

const KINDS = { f4: Float32Array, u1: Uint8Array, u2: Uint16Array };

export class Source {
  /** @param {Object} head see rdr_viz/explorer/head.py. */
  constructor(head) {
    this.head = head;
    this.styles = head.styles;
    this.sets = head.sets.map((set) => ({
      ...set,
      tails: set.tails.map((tail) => ({ ...tail, runs: tail.runs.map((run) => ({ ...run, names: head.names[run.names] })) })),
    }));
    this.arrays = new Map();
  }

  /**
   * The numbers of a run: its arrays lie in one buffer, each where `layout` says.
   * @param {() => ArrayBuffer} bufferOf asked once, when the run is first shown: a page may hold hundreds.
   */
  put(id, layout, bufferOf) {
    this.arrays.set(id, () => {
      const [buffer, found] = [bufferOf(), {}];
      for (const [name, [kind, shape, offset]] of Object.entries(layout.arrays)) {
        const size = shape.reduce((a, b) => a * b, 1);
        found[name] = { shape, values: new KINDS[kind](buffer, offset, size) };
      }
      return { ...layout, ...found };
    });
  }

  /** @returns the numbers of a run, undefined while they are not there. */
  of(run) {
    const known = this.arrays.get(run.id);
    if (typeof known === "function") this.arrays.set(run.id, known());
    return this.arrays.get(run.id);
  }

  set(name) {
    return this.sets.find((set) => set.name === name);
  }

  tail(set, factor, profile) {
    return set?.tails.find((tail) => tail.factor === factor && tail.profile === profile);
  }

  /** Methods that a data set has runs of, in the order of all pictures. */
  methods(set) {
    const there = new Set(set.tails.flatMap((tail) => tail.runs.map((run) => run.method)));
    return Object.keys(this.styles).filter((method) => there.has(method));
  }

  seeds(set) {
    return [...new Set(set.tails.flatMap((tail) => tail.runs.map((run) => run.seed)))].sort((a, b) => a - b);
  }

  /** How a method looks on the page's ground. @param {"light"|"dark"} theme */
  style(method, theme = "light") {
    const style = this.styles[method];
    return { ...style, ...style[theme] };
  }

  /** Ranks: the places of a tail's classes from the one with the most images to the one with the fewest, by group. */
  ranked(tail) {
    const place = { Many: 0, Medium: 1, Few: 2 };
    return tail.counts
      .map((count, at) => ({ at, count, group: tail.groups[at] }))
      .sort((a, b) => place[a.group] - place[b.group] || b.count - a.count || a.at - b.at);
  }
}

/** Bytes in which first all lowest bytes stand, then all second ones and so on, put back together: packing likes them so. */
export function unshuffled(bytes, width) {
  const count = bytes.length / width;
  const found = new Uint8Array(bytes.length);
  for (let place = 0; place < width; place++) {
    for (let at = 0; at < count; at++) found[at * width + place] = bytes[place * count + at];
  }
  return found.buffer;
}
