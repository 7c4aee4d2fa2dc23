/** One of the two sides: its method, its picture, who is right of each class, weights and B' over the epochs. */
import { fill, h } from "../shared/dom.js";
import { chart } from "./charts.js";
import { chips, slider } from "./choices.js";
import { Features } from "./features.js";
import { Field } from "./field.js";
import { mark } from "./marks.js";
import { KINDS } from "./methods.js";
import { letter, mean, percent } from "./words.js";

const GREEK = { gamma: "γ", beta: "β", tau: "τ" };

/** What a method is called here; `styles` are the page's, by the toolkit's name of the method. */
export function methodLabel({ kind, value }, styles) {
  const { part, turn } = KINDS[kind],
    { label } = styles[part];
  return turn && (kind === "power" || value !== turn.start) ? `${label} (${GREEK[turn.name]}=${value})` : label;
}

/**
 * @param {"left"|"right"} name
 * @param {Object<string, {label: string, color: string, text: string, dark: string, marker: string}>} styles
 * @param {function(object): void} change takes a part of the state
 */
export function side(name, styles, change) {
  const canvas = h("canvas", { role: "img", tabindex: -1 });
  const field = new Field(canvas),
    features = new Features(canvas);
  const title = h("figcaption", {}),
    ratio = h("p", { class: "ratio" });
  const choose = (kind) => change({ [name]: { kind, value: KINDS[kind].turn?.start ?? null } });
  const kinds = chips({
    label: `Method on the ${name}`,
    options: Object.entries(KINDS).map(([kind, { part }]) => ({
      value: kind,
      shows:
        kind === "power"
          ? [mark(styles[part].marker), h("span", {}, styles[part].label, h("sup", {}, "γ"))]
          : [mark(styles[part].marker), styles[part].label],
      says: kind === "power" ? `${styles[part].label} to the power of gamma` : null,
    })),
    choose,
  });
  const turns = Object.fromEntries(
    Object.entries(KINDS)
      .filter(([, { turn }]) => turn)
      .map(([kind, { turn }]) => [
        kind,
        slider({
          name: `${name}-${turn.name}`,
          label: GREEK[turn.name],
          says: `${turn.name} on the ${name}`,
          values: turn.values,
          shows: String,
          choose: (value) => change({ [name]: { kind, value } }),
        }),
      ]),
  );
  const turn = h("div", { class: "turn" });
  const table = h("tbody", {});
  const bars = h("table", { class: "bars" }, h("caption", {}, "Right in the tests"), table);
  const weights = chart({ name: "Mean weight", log: true }),
    bPrimes = chart({ name: "B′", log: false });
  const below = h(
    "div",
    { class: "below" },
    bars,
    h("figure", {}, h("h3", {}, "Mean weight"), weights.element),
    h("figure", {}, h("h3", {}, "B′, the worst point"), bPrimes.element),
  );
  const element = h(
    "figure",
    { class: "side", "data-side": name },
    title,
    turn,
    h("div", { class: "kinds" }, kinds.element),
    h("div", { class: "picture" }, canvas, ratio),
    below,
  );
  let turned = null;

  /** What was chosen, and the theme. */
  function update(state, theme) {
    const { kind, value } = state[name],
      { part } = KINDS[kind];
    const color = styles[part][theme === "dark" ? "dark" : "text"];
    kinds.update(kind);
    kinds.recolor((other) => styles[KINDS[other].part][theme === "dark" ? "dark" : "color"]);
    element.style.setProperty("--method", color);
    if (turned !== kind) {
      fill(turn, turns[kind]?.element);
      turned = kind;
    }
    turns[kind]?.update(value);
  }

  /** The picture. */
  function paint(learner, next, how) {
    const range = how.features ? features.paint(learner, next, how) : (field.paint(learner, how), null);
    ratio.textContent = range ? `ratios ${range.least.toFixed(2).replace("-", "−")} to ${range.most.toFixed(2)}` : "";
    ratio.hidden = !range;
  }

  /** Accuracies in words and bars; the Bayes rule's as a tick. */
  function tell(method, accuracy, bayes, counts, look) {
    const balanced = mean(accuracy),
      label = methodLabel(method, styles);
    fill(
      title,
      mark(styles[KINDS[method.kind].part].marker),
      h("b", {}, label),
      h("span", {}, `balanced accuracy ${percent(balanced)}`),
    );
    canvas.setAttribute(
      "aria-label",
      `${label}: the plane in the colours of the answers. Balanced accuracy ${percent(balanced)}; ` +
        accuracy.map((value, c) => `class ${letter(c)}, ${counts[c]} points: ${percent(value)}`).join("; ") +
        ".",
    );
    while (table.rows.length > accuracy.length) table.lastChild.remove();
    accuracy.forEach((value, c) => {
      const row = table.rows[c] ?? table.appendChild(bar());
      row.style.setProperty("--c", look.classes[c]);
      row.style.setProperty("--letter", look.letters[c]);
      row.style.setProperty("--share", `${100 * (value || 0)}%`);
      row.querySelector(".name").textContent = letter(c);
      row.querySelector(".count").textContent = String(counts[c]);
      row.querySelector(".value").textContent = percent(value);
      const tick = row.querySelector(".best");
      tick.hidden = !bayes;
      if (bayes) {
        tick.style.left = `${100 * bayes[c]}%`;
        tick.title = `the Bayes rule: ${percent(bayes[c])}`;
      }
    });
  }

  function chartsOf(learner, domains, look) {
    weights.update(
      learner.epochs.map((epoch) => epoch.weights),
      domains.weights,
      look,
    );
    bPrimes.update(
      learner.epochs.map((epoch) => epoch.bPrimes),
      domains.bPrimes,
      look,
    );
  }

  return { element, canvas, update, paint, tell, charts: chartsOf, forget: () => features.forget() };
}

/** A row of the table: letter and count, the bar, the number. */
const bar = () =>
  h(
    "tr",
    {},
    h(
      "th",
      { scope: "row" },
      h("span", { class: "name" }),
      " ",
      h("span", { class: "count" }),
      h("span", { class: "unseen" }, " points"),
    ),
    h(
      "td",
      { class: "bar" },
      h("span", { class: "track" }, h("span", { class: "share" }), h("span", { class: "best" })),
    ),
    h("td", { class: "value" }),
  );
