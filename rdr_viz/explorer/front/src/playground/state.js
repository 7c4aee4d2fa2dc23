/** What the reader has chosen, and the address that says it: a link shows another reader the same. */
import { methodName, parseMethod } from "./methods.js";
import { WORLDS } from "./worlds.js";

/** Bounds of what can be chosen; the address may hold anything. */
export const LIMITS = {
  classes: [2, 5],
  factor: [1, 200],
  noise: [0, 1],
  points: [50, 1000],
  rate: [0.005, 0.5],
  batch: [16, 256],
  seed: [1, 9999],
  steps: [0, 5000],
  task: [1, 5],
};
const WHOLE = new Set(["classes", "points", "batch", "seed", "steps", "task", "factor"]);

/** Training and test points by hand, at most so many. */
export const MOST_DRAWN = 500;

/** Half the width and height of the plane that can be drawn on. */
const REACH = 1.6;
const LEVELS = 36 * 36;

export const START = Object.freeze({
  world: "blobs",
  classes: 3,
  factor: 50,
  noise: 0.6,
  points: 600,
  seed: 1,
  left: Object.freeze({ kind: "ce", value: null }),
  right: Object.freeze({ kind: "rdr", value: 1 }),
  rate: 0.05,
  batch: 64,
  look: "plane",
  bayes: true,
  steps: 0,
  task: 1,
  done: "",
  drawn: Object.freeze([]),
});

/**
 * State from an address's part after `#`; what it lacks or gets wrong is as at the start.
 * @param {string} hash
 */
export function readState(hash) {
  const given = new URLSearchParams(hash.replace(/^#/, "")),
    state = { ...START };
  if (Object.hasOwn(WORLDS, given.get("world") ?? "")) state.world = given.get("world");
  for (const [name, [least, most]] of Object.entries(LIMITS)) {
    const value = Number(given.get(name) ?? NaN);
    if (value >= least && value <= most) state[name] = WHOLE.has(name) ? Math.round(value) : value;
  }
  for (const side of ["left", "right"]) state[side] = parseMethod(given.get(side) ?? "") ?? START[side];
  if (given.get("look") === "features") state.look = "features";
  if (given.get("bayes") === "0") state.bayes = false;
  state.done = [...new Set((given.get("done") ?? "").match(/[1-5]/g) ?? [])].sort().join("");
  state.drawn = readPoints(given.get("drawn") ?? "");
  return state;
}

/**
 * The part of an address after `#`: what differs from the start, and other keys that were there (a theme).
 * @param {object} state
 * @param {string} hash as it is
 */
export function writeState(state, hash) {
  const said = new URLSearchParams(hash.replace(/^#/, ""));
  const put = (name, value, start) => (value === start ? said.delete(name) : said.set(name, value));
  for (const name of ["world", "look", "done", ...Object.keys(LIMITS)])
    put(name, String(state[name]), String(START[name]));
  for (const side of ["left", "right"]) put(side, methodName(state[side]), methodName(START[side]));
  put("bayes", state.bayes ? "1" : "0", "1");
  put("drawn", state.world === "drawn" ? writePoints(state.drawn) : "", "");
  // Colons and equals signs of methods are harmless here, and kinder to read.
  return said.toString().replaceAll("%3A", ":").replaceAll("%3D", "=");
}

/** Points as letters: a class's capital, then two digits of base 36 each for x and y. */
export function writePoints(points) {
  const level = (value) =>
    Math.round(((value + REACH) / (2 * REACH)) * (LEVELS - 1))
      .toString(36)
      .padStart(2, "0");
  let before = -1;
  return points
    .map(([c, x, y]) => {
      const letter = c === before ? "" : String.fromCharCode(65 + c);
      before = c;
      return letter + level(x) + level(y);
    })
    .join("");
}

/** @returns {Array<[number, number, number]>} class, x and y. */
export function readPoints(text) {
  const points = [],
    value = (digits) => (parseInt(digits, 36) / (LEVELS - 1)) * 2 * REACH - REACH;
  for (const [, letter, digits] of text.matchAll(/([A-E])((?:[0-9a-z]{4})*)/g)) {
    for (const place of digits.match(/.{4}/g) ?? [])
      points.push([letter.charCodeAt(0) - 65, value(place.slice(0, 2)), value(place.slice(2))]);
  }
  return points.slice(0, MOST_DRAWN);
}

/** A place as an address can hold it, so that a link's points are the very ones. */
export const onGrid = ([c, x, y]) => readPoints(writePoints([[c, clip(x), clip(y)]]))[0];

const clip = (value) => Math.min(Math.max(value, -REACH), REACH);
