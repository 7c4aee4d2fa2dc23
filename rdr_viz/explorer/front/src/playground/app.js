/** The playground put together: the one place that holds state, points and networks. */
import { fill, h, themeAround } from "../shared/dom.js";
import look from "../shared/look.css";
import { address } from "./address.js";
import { bar } from "./bar.js";
import { domains } from "./charts.js";
import { say } from "./choices.js";
import { colors } from "./colors.js";
import { controls } from "./controls.js";
import { makeData } from "./data.js";
import { drawable } from "./drawing.js";
import { checkTask } from "./lesson.js";
import { loop } from "./loop.js";
import style from "./playground.css";
import { methodLabel, side } from "./side.js";
import { LIMITS } from "./state.js";
import { Pair, accuracyOf } from "./training.js";
import { ends, letter, sentence } from "./words.js";

/** Milliseconds after a change of the points in which pictures are rough: a slider may still be moving. */
const ROUGH = 120;
/** Milliseconds between two readings of the numbers while they run: faster nobody reads. */
const READING = 100;
/** Keys of the state that need new points, and those that need new networks only. */
const OF_DATA = ["world", "classes", "factor", "noise", "points", "seed", "drawn"];
const OF_PAIR = ["left", "right", "rate", "batch"];

/**
 * Put a playground into an element.
 * @param {HTMLElement} root
 * @param {{styles: Object<string, {label: string, color: string, text: string, dark: string, marker: string}>,
 *   address?: boolean}} options styles by method; `address` (default true): whether the page's address is the state
 * @returns {{state: object, pair: object}} what stands there, to look at
 */
export function mount(root, { styles, address: ownAddress = true }) {
  const place = address(ownAddress);
  const app = { state: place.read(), data: null, pair: null, bayes: null };
  let own = 0,
    cross = null,
    theme = themeAround(),
    told = null,
    read = 0;
  let speaking = null,
    rough = null;
  const training = loop({
    able,
    steps: () => app.pair.steps,
    step: () => app.pair.step(),
    draw(now) {
      paint();
      if (now - read > READING) {
        read = now;
        words();
      }
    },
    changed() {
      app.state.steps = app.pair.steps;
      refresh();
      settle();
    },
  });

  const saying = h("p", { class: "say" }),
    live = h("p", { class: "unseen", "aria-live": "polite" });
  const top = bar({
    change,
    train: () => (training.running() ? training.stop() : training.start()),
    step: one,
    reset: begin,
    pace: (steps) => (training.pace = steps),
  });
  const sides = { left: side("left", styles, change), right: side("right", styles, change) };
  const panel = controls({
    change,
    draw(c) {
      own = c;
      if (cross) cross.c = c;
      refresh();
    },
    undo: () => change((state) => ({ drawn: state.drawn.slice(0, -1) })),
    clear: () => change({ drawn: [] }),
    link: copyLink,
    theme: turnTheme,
  });
  const main = h(
    "main",
    {},
    h("h2", {}, "Same start, same batches: who looks after the rare class?"),
    saying,
    live,
    top.element,
    top.key,
    h("div", { class: "pair" }, sides.left.element, sides.right.element),
  );
  root.classList.add("rdr", "playground");
  fill(root, h("style", {}, look, style), main, panel.element);
  for (const { canvas } of Object.values(sides)) {
    drawable(canvas, {
      on: () => app.state.world === "drawn",
      own: () => own,
      points: () => app.state.drawn,
      put: (points) => change({ drawn: points }),
      choose(c) {
        own = c;
        refresh();
      },
      moved(to) {
        cross = to && { ...to, canvas };
        if (to) live.textContent = whereDrawn(to, app.data.counts);
        paint();
      },
    });
    new ResizeObserver(() => app.pair && paint()).observe(canvas);
  }
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    theme = themeAround();
    refresh();
  });
  if (ownAddress) {
    addEventListener("hashchange", () => {
      app.state = place.read();
      theme = themeAround();
      build();
    });
  }
  build();
  return app;

  /** Points and networks of a state that was read; trained as far as it says, in view of the reader. */
  function build() {
    const { steps } = app.state;
    app.data = makeData(app.state);
    begin();
    if (steps) training.start(steps);
    else if (training.running()) training.stop();
  }

  /** Networks from their start; training goes on if it was on. */
  function begin() {
    const { data, state } = app;
    const bayes = data.bayes && accuracyOf(data.bayes(data.testX), data.testY, data.classes);
    Object.assign(app, { pair: new Pair(data, state), bayes });
    state.steps = 0;
    Object.values(sides).forEach((each) => each.forget());
    training.forget();
    if (!able()) training.stop();
    else refresh();
    if (!training.running()) settle();
  }

  /** Whether there is something to tell apart. */
  function filled() {
    return app.data.counts.filter((n) => n > 0).length > 1;
  }

  /** Whether another step can be made; the last one is the last that a link can tell. */
  function able() {
    return filled() && !app.pair.broken && app.pair.steps < LIMITS.steps[1];
  }

  /** @param {object|function(object): object} given a part of the state, or what makes it from the state */
  function change(given) {
    const part = typeof given === "function" ? given(app.state) : given,
      changed = (name) => name in part;
    Object.assign(app.state, part);
    if (OF_DATA.some(changed)) {
      app.data = makeData(app.state);
      clearTimeout(rough);
      rough = setTimeout(() => {
        rough = null;
        paint();
      }, ROUGH);
    }
    if ([...OF_DATA, ...OF_PAIR].some(changed)) begin();
    else {
      refresh();
      settle();
    }
  }

  function one() {
    if (training.running()) training.stop();
    if (!able()) return;
    app.pair.step();
    app.state.steps = app.pair.steps;
    refresh();
    settle();
  }

  /** Everything that follows from the state, and the picture at rest. */
  function refresh() {
    const palette = colors(theme),
      { state, data } = app;
    root.dataset.theme = theme;
    panel.update(state, data, own, palette.classes);
    Object.values(sides).forEach((each) => each.update(state, theme));
    top.update(state, data, { running: training.running(), able: able(), pace: training.pace });
    main.dataset.world = state.world;
    for (const { canvas } of Object.values(sides)) {
      canvas.tabIndex = state.world === "drawn" ? 0 : -1;
      canvas.setAttribute("role", state.world === "drawn" ? "application" : "img");
    }
    told = null;
    paint();
    words();
  }

  function paint() {
    const { pair, state } = app,
      palette = colors(theme),
      motion = training.running() || rough !== null ? (training.slow() ? "slow" : "moving") : "resting";
    for (const name of ["left", "right"]) {
      sides[name].paint(pair[name], pair.next, {
        motion,
        hurry: rough !== null,
        look: palette,
        bayes: state.bayes,
        features: state.look === "features" && pair.data.y.length > 0,
        cursor: cross?.canvas === sides[name].canvas ? cross : null,
      });
    }
  }

  /** Accuracies, the charts of the epochs, the sentence, the lesson. */
  function words() {
    const { pair, state, data, bayes } = app,
      palette = colors(theme);
    const accuracy = { left: pair.left.accuracy(), right: pair.right.accuracy() };
    for (const name of ["left", "right"]) sides[name].tell(state[name], accuracy[name], bayes, data.counts, palette);
    top.tell(pair.steps, pair.left.epochs.length);
    const epochs = `${pair.left.epochs.length} ${theme}`;
    if (told !== epochs) {
      const shared = domains(pair);
      for (const name of ["left", "right"]) sides[name].charts(pair[name], shared, palette);
      told = epochs;
    }
    if (!filled()) {
      say(saying, [
        "Draw points of two classes or more in one of the pictures, then press ",
        { strong: "Train" },
        ". What you draw many of is the head, what you draw few of the tail.",
      ]);
      return panel.lesson.update(state, { solved: false, says: "There is nothing to learn from yet." }, false);
    }
    const labels = { left: methodLabel(state.left, styles), right: methodLabel(state.right, styles) };
    say(saying, sentence({ steps: pair.steps, counts: data.counts, labels, ...accuracy, bayes, broken: pair.broken }));
    task(accuracy);
  }

  function task(accuracy) {
    const { pair, state, data, bayes } = app,
      { most, least } = ends(data.counts);
    const found = checkTask(state.task, {
      steps: pair.steps,
      factor: data.counts[most] / data.counts[least],
      noise: state.noise,
      least,
      most,
      bayes,
      sides: ["left", "right"].map((name) => ({ ...state[name], accuracy: accuracy[name] })),
    });
    if (found.solved && !state.done.includes(String(state.task)))
      state.done = [...state.done, state.task].sort().join("");
    panel.lesson.update(state, found, training.running());
  }

  /** Once things rest: the address says where we are, and who listens hears it. */
  function settle() {
    place.writeSoon(app.state);
    clearTimeout(speaking);
    // A sentence that still changes is not for reading aloud.
    if (!training.running()) speaking = setTimeout(() => (live.textContent = saying.textContent), 500);
  }

  async function copyLink() {
    place.write(app.state);
    try {
      await navigator.clipboard.writeText(location.href);
      panel.link.textContent = "Copied";
    } catch {
      panel.link.textContent = "It is in the address bar";
    }
    setTimeout(() => (panel.link.textContent = "Copy link"), 2000);
  }

  function turnTheme() {
    theme = theme === "dark" ? "light" : "dark";
    place.theme(app.state, theme);
    refresh();
  }
}

/** Where the keyboard draws, for who cannot see the cross. */
const whereDrawn = ({ x, y, c }, counts) =>
  `${x.toFixed(2)} right, ${y.toFixed(2)} up; ${counts[c] ?? 0} points of class ${letter(c)}.`;
