/** What a state asks for: the runs of each method, and what is missing of them. */

import { factorWords, listed, plural } from "./words.js";

/** Pictures of one method each that fit side by side. */
export const SIDE_BY_SIDE = 3;

/**
 * @returns {{context: Object|null, notes: string[], missing: {method: string, seed: number}[], unanalysed: Object[],
 *   waiting: Object[], samples: [string, string]|null}} context is what a view draws from, null where there is nothing to
 *   draw; waiting are runs whose numbers are not there yet; samples as DataSet has them.
 */
export function plan(state, source, views, theme = "light") {
  const view = views.find((one) => one.name === state.view);
  const set = source.set(state.data);
  const tail = source.tail(set, state.factor, state.profile);
  const ranked = source.ranked(tail);
  const base = { view, source, state, set, tail, ranked, t: source.head.t95 };
  const nothing = { context: null, notes: [], missing: [], unanalysed: [], waiting: [], samples: set?.samples ?? null };
  if (view.of === "data") return { ...nothing, context: { ...base, chosen: [], names: namesOf(tail.runs, state, tail) } };
  if (!state.methods.length) return { ...nothing, notes: ["Choose a method."] };

  const order = Object.keys(source.styles);
  const methods = [...state.methods].sort((a, b) => order.indexOf(a) - order.indexOf(b));
  const wanted = state.seeds;
  const runsOf = (method) => tail.runs.filter((run) => run.method === method && (!wanted || wanted.includes(run.seed)));
  const notes = [];
  const missing = methods.flatMap((method) => {
    const there = runsOf(method).map((run) => run.seed);
    return (wanted ?? (there.length ? [] : [0])).filter((seed) => !there.includes(seed)).map((seed) => ({ method, seed }));
  });
  let chosen = methods.map((method) => ({ method, style: source.style(method, theme), runs: runsOf(method) })).filter((one) => one.runs.length);
  const absent = methods.filter((method) => !chosen.some((one) => one.method === method));
  if (absent.length) notes.push(`There is no finished run of ${listed(absent.map((method) => source.style(method).label))} at ${factorWords(tail)}.`);

  // Where a seed draws its own data, methods are compared on the same data alone.
  if (set.drawn && chosen.length > 1) {
    const shared = chosen.map((one) => new Set(one.runs.map((run) => run.seed))).reduce((a, b) => new Set([...a].filter((seed) => b.has(seed))));
    const left = [...new Set(chosen.flatMap((one) => one.runs.map((run) => run.seed)))].filter((seed) => !shared.has(seed));
    if (left.length) notes.push(`Each seed has its own data here, so ${plural(left.length, "seed")} that not every method has ${left.length === 1 ? "is" : "are"} left out.`);
    chosen = chosen.map((one) => ({ ...one, runs: one.runs.filter((run) => shared.has(run.seed)) })).filter((one) => one.runs.length);
  }

  if (view.ofRatios) {
    const without = chosen.filter((one) => !one.runs[0].ratios);
    if (without.length) notes.push(`${listed(without.map((one) => one.style.label))} ${without.length === 1 ? "has" : "have"} no density ratios.`);
    chosen = chosen.filter((one) => one.runs[0].ratios);
  }

  let unanalysed = [];
  if (view.result) {
    // An analysis of fewer classes or other points than the view shows is none of its own.
    const of = (one) => one.runs.filter((run) => run.results.includes(view.result) && (source.of(run)?.[view.array] ?? !source.of(run)));
    unanalysed = chosen.filter((one) => !of(one).length).map((one) => one.runs[0]);
    chosen = chosen.map((one) => ({ ...one, runs: of(one) })).filter((one) => one.runs.length);
    if (unanalysed.length) notes.push(`${listed(unanalysed.map((run) => source.style(run.method).label))}: not analysed for this view yet.`);
    if (chosen.length > 1 && set.drawn) {
      const shared = chosen[0].runs.map((run) => run.seed).filter((seed) => chosen.every((one) => one.runs.some((run) => run.seed === seed)));
      if (shared.length) chosen = chosen.map((one) => ({ ...one, runs: one.runs.filter((run) => shared.includes(run.seed)) }));
    }
  }
  if (view.of !== "seeds" && view.of !== "one method") chosen = chosen.map((one) => ({ ...one, runs: one.runs.slice(0, 1) }));
  if (view.of.startsWith("one ") && chosen.length > 1) {
    notes.push(`This picture is of ${view.of}; of those chosen it shows ${chosen[0].style.label}.`);
    chosen = chosen.slice(0, 1);
  }
  if (view.of === "each method" && chosen.length > SIDE_BY_SIDE) {
    notes.push(`${SIDE_BY_SIDE} methods fit side by side; ${listed(chosen.slice(SIDE_BY_SIDE).map((one) => one.style.label))} ${chosen.length === SIDE_BY_SIDE + 1 ? "is" : "are"} not shown.`);
    chosen = chosen.slice(0, SIDE_BY_SIDE);
  }
  const runs = chosen.flatMap((one) => one.runs);
  const waiting = runs.filter((run) => !source.of(run));
  if (!chosen.length || waiting.length) return { ...nothing, notes, missing, unanalysed, waiting };
  const withNumbers = chosen.map((one) => ({ ...one, runs: one.runs.map((run) => ({ run, data: source.of(run) })) }));
  const epochs = Math.min(...runs.map((run) => run.epochs));
  const epoch = view.epochs && state.epoch != null && state.epoch < epochs ? state.epoch : null;
  const context = {
    ...base, chosen: withNumbers, epochs, epoch, names: namesOf(runs, state, tail),
    /** The place of the epoch shown in a run's arrays. */
    at: (run) => (epoch ?? run.epochs) - 1,
  };
  return { ...nothing, context, notes, missing, unanalysed, waiting };
}

/** Names of the classes; places where runs drew which class is rare, and several of them are shown. */
function namesOf(runs, state, tail) {
  const names = runs.find((run) => !state.seeds || state.seeds.includes(run.seed))?.names ?? runs[0]?.names ?? tail.counts.map((_, at) => String(at));
  return names.map((name, at) => (runs.every((run) => run.names[at] === name) ? name : `place ${at + 1}`));
}
