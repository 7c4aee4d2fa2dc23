/** What both sides share: the world and its points, how steps are made, the lesson. */
import { fill, h } from "../shared/dom.js";
import { chips, slider } from "./choices.js";
import { WORDS } from "./glossary.js";
import { TASKS } from "./lesson.js";
import { ends, letter, short } from "./words.js";
import { WORLDS } from "./worlds.js";

const FACTORS = [1, 2, 3, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200];
const NOISES = Array.from({ length: 21 }, (_, i) => i / 20);
const POINTS = [50, 100, 200, 300, 400, 500, 600, 800, 1000];
const RATES = [0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5];
const BATCHES = [16, 32, 64, 128, 256];

/**
 * @param {{change: function(object): void, draw: function(number): void, undo: function(): void,
 *   clear: function(): void, link: function(): void, theme: function(): void}} host `draw` chooses the class that one draws
 */
export function controls(host) {
  const { change } = host;
  const one = (name, label, values, shows) =>
    slider({ name, label, values, shows, choose: (value) => change({ [name]: value }) });
  const worlds = chips({
    label: "World",
    options: Object.entries(WORLDS).map(([value, { label }]) => ({ value, shows: [label] })),
    choose: (world) => change({ world }),
  });
  const classes = chips({
    label: "Classes",
    options: [2, 3, 4, 5].map((value) => ({ value, shows: [String(value)], says: `${value} classes` })),
    choose: (value) => change({ classes: value }),
  });
  const drawn = chips({
    label: "Class to draw",
    options: [0, 1, 2, 3, 4].map((value) => ({ value, shows: [letter(value)], says: `class ${letter(value)}` })),
    choose: host.draw,
  });
  const factor = one("factor", "Imbalance", FACTORS, (value) => `${short(value).replace(/\.0$/, "")} : 1`);
  const noise = one("noise", "Noise", NOISES, (value) => value.toFixed(2));
  const points = one("points", "Points of the largest class", POINTS, String);
  const rate = one("rate", "Size of a step", RATES, String);
  const batch = one("batch", "Points in a batch", BATCHES, String);
  const undo = h("button", { type: "button", class: "link", onclick: host.undo }, "Undo");
  const clear = h("button", { type: "button", class: "link", onclick: host.clear }, "Clear");
  const byWorld = h("div", { class: "row" }, h("h3", {}, "Classes"), classes.element);
  const byHand = h(
    "div",
    {},
    h("div", { class: "row" }, h("h3", {}, "Draw in a picture"), h("p", { class: "links" }, undo, clear)),
    drawn.element,
    h("p", { class: "hint" }, "Press and move; or, in the picture, arrow keys, Space, 1 to 5 and Backspace."),
  );
  const again = h(
    "button",
    { type: "button", class: "link", onclick: () => change((state) => ({ seed: (state.seed % 9999) + 1 })) },
    "Other points",
  );
  again.title = "other points and another start: one start says little of a method";
  const more = h("details", {}, h("summary", {}, "More"), points.element, rate.element, batch.element);
  const words = h(
    "details",
    {},
    h("summary", {}, "What the words mean"),
    h(
      "dl",
      {},
      WORDS.flatMap(([word, means]) => [h("dt", {}, word), h("dd", {}, means)]),
    ),
  );
  const lesson = lessonPanel(change);
  const link = h("button", { type: "button", class: "link", onclick: host.link }, "Copy link");
  const theme = h("button", { type: "button", class: "link", onclick: host.theme }, "Theme");
  const element = h(
    "aside",
    { "aria-label": "Choices" },
    h("h1", {}, "Playground"),
    h("div", {}, h("h3", {}, "World"), worlds.element),
    byWorld,
    byHand,
    factor.element,
    noise.element,
    lesson.element,
    more,
    words,
    h("p", { class: "links" }, again, link, theme),
  );

  function update(state, data, own, colors) {
    const hand = state.world === "drawn",
      { most, least } = data.y.length ? ends(data.counts) : { most: 0, least: 0 };
    worlds.update(state.world);
    classes.update(state.classes);
    drawn.update(own);
    drawn.recolor((value) => colors[value]);
    byWorld.hidden = hand;
    byHand.hidden = !hand;
    undo.disabled = clear.disabled = !state.drawn.length;
    // Points by hand are as many as there are.
    factor.update(hand && data.y.length ? data.counts[most] / data.counts[least] : state.factor, hand);
    factor.element.hidden = hand && !data.y.length;
    noise.update(state.noise);
    points.update(state.points, hand);
    rate.update(state.rate);
    batch.update(state.batch);
  }

  return { element, update, lesson, link };
}

/** The lesson: five numbers, one task, how it stands. */
function lessonPanel(change) {
  const numbers = chips({
    label: "Task",
    options: TASKS.map(({ title }, i) => ({ value: i + 1, shows: [String(i + 1)], says: `Task ${i + 1}: ${title}` })),
    choose: (task) => change({ task }),
  });
  const title = h("b", {}),
    asks = h("span", {}),
    stands = h("p", { class: "stands" }),
    heard = h("p", { class: "unseen", role: "status" });
  const element = h(
    "section",
    { class: "lesson", "aria-label": "Lesson" },
    h("div", { class: "row" }, h("h3", {}, "Lesson"), numbers.element),
    h("p", {}, title, " ", asks),
    stands,
    heard,
  );
  let before = "";

  /**
   * @param {{solved: boolean, says: string}} found
   * @param {boolean} running while it trains only news is read out: a number that runs would never end
   */
  function update({ task, done }, found, running) {
    numbers.update(task);
    numbers.element.querySelectorAll(".chip").forEach((chip, i) => {
      const solved = done.includes(String(i + 1));
      chip.classList.toggle("solved", solved);
      chip.textContent = solved ? `${i + 1} ✓` : String(i + 1);
      chip.setAttribute("aria-label", `Task ${i + 1}: ${TASKS[i].title}${solved ? ", solved" : ""}`);
    });
    title.textContent = TASKS[task - 1].title.replace(/[^?]$/, "$&.");
    asks.textContent = TASKS[task - 1].asks;
    const news = `${task} ${found.solved}`,
      says = `${found.solved ? "✓ Solved. " : ""}${found.says}`;
    stands.textContent = says;
    // The same words again would be read out again.
    if ((!running || news !== before) && says !== heard.textContent) fill(heard, says);
    before = news;
    stands.classList.toggle("solved", found.solved);
  }

  return { element, update };
}
