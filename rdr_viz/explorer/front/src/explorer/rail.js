/** The choices: starting points, data, tail, methods, seeds, the question and its option. */

import { fill, h } from "../shared/dom.js";
import { groupColor, markerElement, select } from "./marks.js";
import { factorWords } from "./words.js";

/** The control that a state is shown in; `choose` is told of parts that the reader changed. */
export class Rail {
  /**
   * @param {Object} source
   * @param {Object[]} views with label and question.
   * @param {(part: Object, joined?: boolean) => void} choose
   * @param {(stop: number) => void} begin a stop of the tour.
   */
  constructor(source, views, choose, tour) {
    this.source = source;
    this.views = views;
    this.choose = choose;
    this.tour = tour;
    this.start = h("button", { class: "chip tour", type: "button", title: `${tour.stops.length} stops that set the choices and say what to see`, onclick: () => tour.go(Math.max(0, tour.at)) }, "Tour");
    this.data = h("select", { class: "rdr-data", "aria-label": "Data", onchange: () => choose({ data: this.data.value }) });
    this.dataBox = h("div", {}, h("h3", {}, "Data"), this.data);
    this.ratio = h("output", {});
    this.bars = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.slider = h("input", { type: "range", class: "rdr-if", min: 0, step: 1, "aria-label": "Imbalance factor", oninput: () => this._tail(Number(this.slider.value)) });
    this.tailBox = h("div", {}, h("h3", {}, "Imbalance", this.ratio), this.bars, this.slider);
    this.methods = h("div", { class: "chips rdr-methods", role: "group", "aria-label": "Methods" });
    this.more = h("button", { class: "link", type: "button", onclick: () => this._all() }, "");
    this.seeds = h("div", { class: "chips rdr-seeds", role: "group", "aria-label": "Seeds" });
    this.seedsBox = h("div", {}, h("h3", {}, "Seeds"), this.seeds);
    this.questions = h("div", { class: "questions", role: "group", "aria-label": "Question" });
    // On a phone the choices are folded, so that the picture comes first.
    const choices = h("details", { class: "choices", open: !matchMedia("(max-width: 820px)").matches }, h("summary", {}, "Choose data, imbalance, methods, seeds"), this.dataBox, this.tailBox, h("div", {}, h("h3", {}, "Methods"), this.methods, this.more), this.seedsBox);
    this.element = h("aside", { class: "rail", "aria-label": "Choices" }, h("div", { class: "head" }, h("h1", {}, source.head.title ?? "What a long tail does"), this.start), choices, h("div", { class: "asks" }, h("h3", {}, "Ask"), this.questions));
    this.showAll = false;
    for (const view of views) this.questions.append(h("button", { class: "item rdr-view", type: "button", "data-view": view.name, title: view.question, onclick: () => choose({ view: view.name, option: "" }) }, view.label));
  }

  /** Show a state and what else could be chosen there, in the colours of a theme. */
  show(state, theme = this.theme) {
    const { source } = this;
    if (theme !== this.theme) this.methods.replaceChildren(); // chips are kept, with their colours
    this.theme = theme;
    const set = source.set(state.data);
    this.state = state;
    sync(this.data, source.sets.map((one) => [one.name, one.title]), state.data);
    this.dataBox.hidden = source.sets.length < 2;
    this.tails = set.tails;
    const at = set.tails.findIndex((tail) => tail.factor === state.factor && tail.profile === state.profile);
    const tail = set.tails[at];
    this.slider.max = set.tails.length - 1;
    this.slider.value = at;
    this.slider.disabled = set.tails.length < 2;
    this.slider.setAttribute("aria-valuetext", factorWords(tail));
    this.ratio.textContent = `${Math.max(...tail.counts).toLocaleString("en")} : ${Math.min(...tail.counts).toLocaleString("en")}, ${factorWords(tail)}`;
    this._bars(source.ranked(tail));
    this._methods(set, tail, state);
    this._seeds(set, state);
    for (const button of this.questions.children) button.setAttribute("aria-current", String(button.dataset.view === state.view));
    this.start.setAttribute("aria-pressed", String(this.tour.at >= 0));
  }

  _tail(at) {
    const { factor, profile } = this.tails[at];
    this.choose({ factor, profile }, true);
  }

  _bars(ranked) {
    const svg = select(this.bars).attr("viewBox", "0 0 236 50").attr("class", "bars").attr("aria-hidden", "true");
    this.bars.replaceChildren();
    const width = 236 / ranked.length;
    const most = Math.max(...ranked.map((one) => one.count));
    ranked.forEach((one, at) => {
      const high = Math.max(1, (44 * one.count) / most);
      svg.append("rect").attr("x", at * width).attr("y", 49 - high).attr("width", Math.max(0.5, width - (ranked.length > 30 ? 0 : 3))).attr("height", high).attr("fill", groupColor(one.group));
    });
  }

  _methods(set, tail, state) {
    const there = this.source.methods(set);
    const here = new Set(tail.runs.map((run) => run.method));
    const plain = there.filter((method) => here.has(method) || state.methods.includes(method));
    const shown = this.showAll ? there : plain.filter((method, at) => at < 14 || state.methods.includes(method));
    reuse(this.methods, shown, (method) => {
      const style = this.source.style(method, this.theme);
      const chip = h("button", { class: "chip", type: "button", "data-key": method, title: method, style: `--c:${style.color}`, onclick: () => this._toggle(method) }, markerElement(style), style.label);
      return chip;
    });
    for (const chip of this.methods.children) {
      chip.setAttribute("aria-pressed", String(state.methods.includes(chip.dataset.key)));
      chip.classList.toggle("absent", !here.has(chip.dataset.key));
    }
    const left = there.length - shown.length;
    this.more.hidden = !left && !this.showAll;
    this.more.textContent = this.showAll ? "Fewer methods" : `${left} more`;
  }

  _all() {
    this.showAll = !this.showAll;
    this.show(this.state);
  }

  _toggle(method) {
    const { methods } = this.state;
    this.choose({ methods: methods.includes(method) ? methods.filter((one) => one !== method) : [...methods, method] });
  }

  _seeds(set, state) {
    const seeds = this.source.seeds(set);
    const offered = [...seeds, ...(this.source.head.kernel ? [seeds.at(-1) + 1] : []), ...(state.seeds ?? [])];
    reuse(this.seeds, ["all", ...new Set(offered)], (seed) =>
      h("button", { class: "chip", type: "button", "data-key": seed, onclick: () => this._seed(seed) }, String(seed)),
    );
    for (const chip of this.seeds.children) chip.setAttribute("aria-pressed", String(chip.dataset.key === "all" ? !state.seeds : Boolean(state.seeds?.includes(Number(chip.dataset.key)))));
    this.seedsBox.hidden = seeds.length < 2 && !this.source.head.kernel;
  }

  _seed(seed) {
    if (seed === "all") return this.choose({ seeds: null });
    const chosen = this.state.seeds ?? [];
    const seeds = chosen.includes(seed) ? chosen.filter((one) => one !== seed) : [...chosen, seed].sort((a, b) => a - b);
    return this.choose({ seeds: seeds.length ? seeds : null });
  }
}

/** Set a menu's options only where they are others, which would take its focus. */
export function sync(menu, options, value) {
  const key = JSON.stringify(options);
  if (menu.dataset.options !== key) {
    fill(menu, options.map(([name, label]) => h("option", { value: name }, label)));
    menu.dataset.options = key;
  }
  menu.value = value;
}

/** Children for keys, those that are there already kept, so that the focus stays. */
function reuse(parent, keys, make) {
  const there = new Map([...parent.children].map((child) => [child.dataset.key, child]));
  const wanted = keys.map((key) => there.get(String(key)) ?? make(key));
  if (wanted.length !== parent.children.length || wanted.some((child, at) => parent.children[at] !== child)) {
    const focus = document.activeElement;
    parent.replaceChildren(...wanted);
    if (wanted.includes(focus)) focus.focus();
  }
}
