/**
 * All that a reader has chosen, as a value that an address holds.
 *
 * @typedef {Object} State
 * @property {string} data
 * @property {number|null} factor
 * @property {string|null} profile
 * @property {string[]} methods
 * @property {number[]|null} seeds null is all there are.
 * @property {number|null} epoch null is the last.
 * @property {string} view
 * @property {string} option of the view; "" is its first.
 * @property {State|null} beside what is kept beside it to compare; it has none itself.
 */

const KNOWN = new Set(["data", "if", "profile", "method", "seed", "epoch", "view", "option", "pinned", "without"]);

/** Whether an address says anything of a view. */
export const isIn = (query) => [...new URLSearchParams(query).keys()].some((key) => KNOWN.has(key));

/** A state as the parameters of a link. */
export function toQuery(state) {
  const found = new URLSearchParams();
  found.set("data", state.data);
  if (state.factor != null) found.set("if", String(state.factor));
  if (state.profile != null) found.set("profile", state.profile);
  for (const method of state.methods) found.append("method", method);
  for (const seed of state.seeds ?? []) found.append("seed", String(seed));
  if (state.epoch != null) found.set("epoch", String(state.epoch));
  found.set("view", state.view);
  if (state.option) found.set("option", state.option);
  if (state.beside) found.set("pinned", toQuery({ ...state.beside, beside: null }));
  if (!state.methods.length) found.append("without", "method");
  return found.toString();
}

/**
 * Undo of toQuery. What a link leaves out is as in `base`.
 * @returns {{state: State, wrong: string}} wrong is a sentence on what could not be taken, "" where all could.
 */
export function fromQuery(query, base, source, views) {
  const given = new URLSearchParams(query);
  const without = new Set(given.getAll("without"));
  const state = { ...base, beside: null };
  const wrong = [];
  if (given.has("data")) {
    if (source.set(given.get("data"))) state.data = given.get("data");
    else wrong.push(`There are no runs of ${quoted(given.get("data"))} here.`);
  }
  const set = source.set(state.data);
  if (given.has("if")) {
    const factor = Number(given.get("if"));
    const there = set.tails.filter((tail) => tail.factor === factor);
    const profile = given.get("profile") ?? there[0]?.profile;
    if (there.some((tail) => tail.profile === profile)) Object.assign(state, { factor, profile });
    else wrong.push(`There is no imbalance factor ${quoted(given.get("if"))}${given.has("profile") ? ` of profile ${quoted(given.get("profile"))}` : ""} on ${set.title} here; it has ${set.tails.map((tail) => tail.factor ?? "its own").join(", ")}.`);
  } else if (given.has("profile") && !set.tails.some((tail) => tail.profile === given.get("profile"))) {
    wrong.push(`There is no profile named ${quoted(given.get("profile"))} on ${set.title} here.`);
  }
  if (given.has("method") || without.has("method")) {
    const named = [...new Set(given.getAll("method"))]; // a link may say a method a thousand times
    const strange = named.filter((method) => !Object.hasOwn(source.styles, method));
    if (strange.length) wrong.push(`There is no method named ${strange.slice(0, 3).map(quoted).join(", ")}${strange.length > 3 ? " ..." : ""} here.`);
    state.methods = named.filter((method) => Object.hasOwn(source.styles, method));
  }
  if (given.has("seed")) state.seeds = [...new Set(given.getAll("seed").map(Number))].filter(Number.isInteger);
  else if (given.has("data")) state.seeds = null;
  if (given.has("view")) {
    if (views.some((view) => view.name === given.get("view"))) state.view = given.get("view");
    else if (Object.hasOwn(source.head.views, given.get("view"))) wrong.push(`The view ${quoted(given.get("view"))} is drawn by a kernel, and this page has none; open the link in the explorer of a notebook or of rdr app.`);
    else wrong.push(`There is no view named ${quoted(given.get("view"))}; there are ${views.map((view) => view.name).join(", ")}.`);
  }
  const view = views.find((one) => one.name === state.view);
  const option = given.get("option") ?? "";
  if (option && !view.options?.includes(option)) wrong.push(`${view.label} has no option ${quoted(option)}.`);
  else state.option = option;
  if (given.has("epoch")) {
    const epoch = Number(given.get("epoch"));
    if (Number.isInteger(epoch) && epoch >= 1) state.epoch = epoch;
    else wrong.push(`An epoch is a number from 1, not ${quoted(given.get("epoch"))}.`);
  } else state.epoch = null;
  if (given.has("pinned")) {
    const beside = fromQuery(given.get("pinned"), base, source, views);
    state.beside = beside.state;
    if (beside.wrong) wrong.push(beside.wrong);
  }
  return { state: nearest(state, source), wrong: wrong.join(" ") };
}

const quoted = (text) => `'${String(text).slice(0, 60)}'`;

/** The state of the same choices as far as there are runs of such, else of the nearest. */
export function nearest(state, source) {
  const set = source.set(state.data) ?? source.sets[0];
  const far = (tail) => Math.abs(Math.log((tail.factor ?? 1) / (state.factor ?? 1))) + (tail.profile === state.profile ? 0 : 100);
  const tail = set.tails.reduce((best, one) => (far(one) < far(best) ? one : best));
  const there = source.methods(set);
  const methods = state.methods.filter((method) => there.includes(method));
  const seeds = source.seeds(set);
  const chosen = state.seeds?.filter((seed) => seeds.includes(seed));
  return {
    ...state,
    data: set.name,
    factor: tail.factor,
    profile: tail.profile,
    methods: methods.length || !state.methods.length ? methods : there.slice(0, 3),
    seeds: chosen?.length ? chosen : null,
  };
}

/** What is done and undone: states in order, and the one that is shown. */
export class Steps {
  constructor(state) {
    this.states = [state];
    this.at = 0;
  }

  /** A new state. Steps that follow each other in one control, as a slider's, count as one where `joined`. */
  push(state, joined = false) {
    this.states.length = this.at + 1;
    if (joined && this.at > 0) this.states[this.at] = state;
    else this.at = this.states.push(state) - 1;
  }

  undo() {
    this.at = Math.max(0, this.at - 1);
    return this.states[this.at];
  }

  redo() {
    this.at = Math.min(this.states.length - 1, this.at + 1);
    return this.states[this.at];
  }

  get first() {
    return this.at === 0;
  }

  get last() {
    return this.at === this.states.length - 1;
  }
}
