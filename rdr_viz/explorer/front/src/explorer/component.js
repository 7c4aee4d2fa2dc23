/** The explorer as a whole: choices on the left, the picture first, the epochs below it, and what one does with it. */

import { fill, h, still, themeAround } from "../shared/dom.js";
import look from "../shared/look.css";
import style from "./explorer.css";
import { codeOf } from "./code.js";
import { Pictures } from "./drawn.js";
import { Jobs } from "./jobs.js";
import { Panel } from "./panel.js";
import { plan } from "./plan.js";
import { Rail, sync } from "./rail.js";
import { save } from "./save.js";
import { fromQuery, isIn, nearest, Steps, toQuery } from "./state.js";
import { STOPS } from "./tour.js";
import { viewsOf } from "./views/index.js";
import { called } from "./words.js";

/** Milliseconds from epoch to epoch while it plays. */
const PACE = 120;

/**
 * Put the explorer into an element.
 * @param {HTMLElement} parent
 * @param {Object} source of source.js
 * @param {Object} [how]
 * @param {string} [how.query] what to show first, as an address says it.
 * @param {(message: Object) => void} [how.send] to a kernel, where there is one.
 * @param {(query: string) => void} [how.changed] told of every state, as an address says it.
 * @param {boolean} [how.whole] whether it is all of the page, and the address its state.
 */
export function mount(parent, source, how = {}) {
  return new Explorer(parent, source, how);
}

class Explorer {
  constructor(parent, source, { query = "", send = null, changed = () => {}, whole = false }) {
    Object.assign(this, { source, send, changed, whole });
    this.views = viewsOf(source.head);
    this.tour = { stops: STOPS, at: -1, go: (at) => this._stop(at) };
    this.base = nearest({ ...source.head.first, beside: null }, source);
    const first = isIn(query) ? fromQuery(query, this.base, source, this.views) : { state: this.base, wrong: "" };
    this.steps = new Steps(first.state);
    this.jobs = new Jobs(send);
    this.pictures = new Pictures(send);
    this._build(parent, first.wrong);
    this._listen();
    this._show();
  }

  get state() {
    return this.steps.states[this.steps.at];
  }

  /** A run's numbers have come. */
  arrived(ids) {
    const wanted = new Set(this.waiting);
    if (ids.some((id) => wanted.has(id))) this._show();
  }

  /** A picture that the kernel was asked for has come. */
  pictured(answer) {
    this.pictures.arrived(answer);
    this._draw();
  }

  /** The runs are others: some were trained or analysed. */
  renewed(source) {
    this.source = this.rail.source = source;
    this.jobs.key = "";
    this.pictures.forget();
    this.steps.states = this.steps.states.map((state) => nearest(state, source));
    this._show();
  }

  say(sentence) {
    this.notice.textContent = sentence;
    this.notice.hidden = !sentence;
  }

  _build(parent, wrong) {
    this.rail = new Rail(this.source, this.views, (part, joined) => this._choose(part, joined), this.tour);
    this.notice = h("p", { class: "notice", role: "status", "aria-live": "polite", hidden: true });
    this.guide = h("div", { class: "guide", hidden: true });
    this.option = h("select", { class: "rdr-option", onchange: () => this._choose({ option: this.option.selectedIndex ? this.option.value : "" }) });
    this.panel = new Panel({ beside: this.option });
    this.kept = new Panel({ title: "Kept to compare" });
    this.kept.element.hidden = true;
    this.panels = h("div", { class: "panels" }, this.kept.element, this.panel.element);
    this.play = h("button", { class: "play", type: "button", "aria-label": "Play the epochs", onclick: () => this._play() }, "▶");
    this.epoch = h("input", { type: "range", class: "rdr-epoch", min: 1, step: 1, "aria-label": "Epoch", oninput: () => this._choose({ epoch: Number(this.epoch.value) }, true) });
    this.epochWords = h("output", { class: "epoch-words" });
    this.scrubber = h("div", { class: "scrubber" }, this.play, this.epoch, this.epochWords);
    const link = (words, css, tip, call) => h("button", { class: `link ${css}`, type: "button", title: tip, onclick: call }, words);
    this.buttons = {
      compare: link("Compare", "rdr-compare", "Keep this picture beside the next ones; again to take it away.", () => this._choose({ beside: this.state.beside ? null : { ...this.state, beside: null } })),
      numbers: link("Numbers", "rdr-numbers", "The picture's values as a table.", () => this.buttons.numbers.setAttribute("aria-expanded", String(this.panel.toggleTable()))),
      link: link("Copy link", "rdr-link", "An address that brings this view back.", () => this._copy()),
      code: link("Show code", "rdr-code", "The lines of Python that make this picture in print.", () => this._detail("code")),
      save: link("Save", "rdr-save", "The picture as SVG or PNG, its numbers as CSV.", () => this._detail("save")),
      words: link("Words", "rdr-words", "What the words and methods here mean.", () => this._detail("words")),
      undo: link("Undo", "rdr-undo", "One step back (Ctrl+Z).", () => this._step("undo")),
      redo: link("Redo", "rdr-redo", "One step forward (Ctrl+Y).", () => this._step("redo")),
      reset: link("Reset", "rdr-reset", "Back to the first view.", () => this._choose({ ...this.base, beside: null })),
    };
    this.details = h("div", { class: "details", hidden: true });
    this.made = h("p", { class: "made" }, this.source.head.made ?? "");
    const main = h("main", {}, this.notice, this.guide, this.panels, this.scrubber, h("div", { class: "actions" }, Object.values(this.buttons)), this.details, this.jobs.element, this.made);
    this.element = h("div", { class: `rdr rdr-explorer${this.whole ? " whole" : ""}`, "data-theme": themeAround() }, h("style", {}, look + style), this.rail.element, main);
    this.element.rdr = this; // for whoever looks into a page from outside, as tests do
    parent.append(this.element);
    this.say(wrong);
  }

  _listen() {
    this.element.addEventListener("keydown", (event) => {
      if (!(event.ctrlKey || event.metaKey) || event.target.matches("input[type=text], textarea")) return;
      const key = event.key.toLowerCase();
      if (key === "z" && !event.shiftKey) this._step("undo");
      else if (key === "y" || (key === "z" && event.shiftKey)) this._step("redo");
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    // A notebook has its own keys; those pressed in here are for here.
    this.element.addEventListener("focusin", (event) => (event.target.dataset.lmSuppressShortcuts = "true"));
    const theme = () => {
      const now = themeAround();
      if (now !== this.element.dataset.theme) {
        this.element.dataset.theme = now;
        this._show();
      }
    };
    this.watch = new MutationObserver(theme);
    this.watch.observe(document.body, { attributes: true, attributeFilter: ["data-jp-theme-light", "class"] });
    this.media = matchMedia("(prefers-color-scheme: dark)");
    this.media.addEventListener("change", theme);
    this.sizes = new ResizeObserver(() => {
      if (this.panel.box.clientWidth !== this.width) this._draw();
    });
    this.sizes.observe(this.panel.box);
    if (this.whole) addEventListener("hashchange", (this.hash = () => isIn(location.hash.slice(1)) && this._open(location.hash.slice(1))));
  }

  /** Take it away: the listeners on the page around it go too. */
  remove() {
    this.watch.disconnect();
    this.sizes.disconnect();
    if (this.hash) removeEventListener("hashchange", this.hash);
    clearInterval(this.playing);
    this.element.remove();
  }

  /** A state that an address says; what can't be taken is told, and the rest shown. */
  _open(query) {
    if (query === toQuery(this.state)) return;
    const { state, wrong } = fromQuery(query, this.base, this.source, this.views);
    this.steps.push(state);
    this.details.hidden = true;
    this.say(wrong);
    this._show();
  }

  /** A link that the reader pasted. */
  _paste(query) {
    this.details.hidden = true;
    if (isIn(query)) this._open(query);
    else this.say("This link says nothing of a view; paste one that Copy link gave.");
  }

  _choose(part, joined = false) {
    const next = { ...this.state, ...part };
    const moved = part.data && part.data !== this.state.data;
    this.details.hidden = true;
    this.say("");
    if (!("epoch" in part) && this.playing) this._play();
    const name = Object.keys(part).join();
    this.steps.push(moved || "factor" in part ? nearest(next, this.source) : next, joined && this.last === name);
    this.last = joined ? name : "";
    if (!("epoch" in part) && this.tour.at >= 0 && !part.tour) this._leave();
    this._show();
  }

  _step(which) {
    this.last = "";
    this.steps[which]();
    this.details.hidden = true;
    this.say("");
    this._show();
  }

  _show() {
    const { state } = this;
    this.rail.show(state, this.element.dataset.theme);
    this._draw();
    for (const [name, at] of [["undo", this.steps.first], ["redo", this.steps.last]]) this.buttons[name].disabled = at;
    this.buttons.compare.textContent = state.beside ? "Stop comparing" : "Compare";
    const query = toQuery(state);
    if (this.whole && location.hash.slice(1) !== query) history.replaceState(null, "", `#${query}`);
    this.changed(query);
  }

  _draw() {
    const { state, source, views } = this;
    const compared = Boolean(state.beside);
    this.element.classList.toggle("compared", compared);
    this.kept.element.hidden = !compared;
    this.width = this.panel.box.clientWidth;
    const height = (panel) => this._heightOf(panel);
    const about = (of) => views.find((view) => view.name === of.view);
    const view = about(state);
    // First, since it may take a line from the picture's height.
    this.option.hidden = !view.options;
    if (view.options) {
      const told = (option) => called(view.asks ? `${view.asks}: ${option}` : option, source.set(state.data)?.samples);
      sync(this.option, view.options.map((option) => [option, told(option)]), state.option || view.options[0]);
      this.option.setAttribute("aria-label", view.asks ?? "Show");
    }
    const { theme } = this.element.dataset;
    const found = this.pictures.into(plan(state, source, views, theme), theme);
    this.panel.show(found, view, height);
    const kept = compared ? this.pictures.into(plan(state.beside, source, views, theme), theme) : null;
    if (kept) this.kept.show(kept, about(state.beside), height);
    this.pictures.ask();
    this.waiting = [...found.waiting, ...(kept?.waiting ?? [])].map((run) => run.id);
    if (this.waiting.length) {
      fill(this.panel.empty, "Reading the runs …");
      this.send?.({ ask: "need", runs: this.waiting });
    } else if (!found.context) fill(this.panel.empty, found.said ?? (found.missing.length || found.unanalysed.length ? "Nothing of this is there yet." : "Nothing to show: choose others."));
    const epochs = view.epochs && found.context ? found.context.epochs : 0;
    this.scrubber.classList.toggle("off", epochs < 2);
    this.epoch.disabled = this.play.disabled = epochs < 2;
    this.epoch.max = Math.max(2, epochs);
    this.epoch.value = found.context?.epoch ?? Math.max(2, epochs);
    this.epochWords.textContent = epochs > 1 ? `epoch ${found.context.epoch ?? epochs} of ${epochs}` : "not over epochs";
    this.buttons.code.disabled = !found.context || !codeOf(found.context);
    this.buttons.save.disabled = this.buttons.numbers.disabled = !found.context;
    this.jobs.offer(this.waiting.length ? { missing: [], unanalysed: [] } : found, { ...state, needs: view.needs ?? "" }, source.tail(source.set(state.data), state.factor, state.profile));
    this.drawn = (this.drawn ?? 0) + 1;
    this.element.dataset.drawn = this.drawn;
  }

  /** So high that question, sentence, picture and epochs stand whole on the screen. */
  _heightOf(panel) {
    const screen = this.whole ? innerHeight : Math.min(innerHeight, 760);
    const width = panel.box.clientWidth;
    const above = width < 500 ? 300 : panel.box.getBoundingClientRect().top - this.element.getBoundingClientRect().top;
    const below = panel.look.offsetHeight + 100;
    return Math.round(Math.max(width < 500 ? 300 : 320, Math.min(screen - above - below, width * 0.95, 760)));
  }

  _play() {
    if (this.playing) {
      clearInterval(this.playing);
      this.playing = null;
    } else {
      const end = Number(this.epoch.max);
      let at = Number(this.epoch.value) >= end ? 1 : Number(this.epoch.value);
      this._choose({ epoch: at }, true);
      const step = still() ? Math.max(1, Math.round(end / 6)) : 1; // a few stops for who asked for less motion
      this.playing = setInterval(() => {
        at = Math.min(end, at + step);
        this._choose({ epoch: at >= end ? null : at }, true);
        if (at >= end) this._play();
      }, still() ? 900 : PACE);
    }
    this.play.textContent = this.playing ? "❚❚" : "▶";
    this.play.setAttribute("aria-label", this.playing ? "Pause" : "Play the epochs");
  }

  _stop(at) {
    const { state, say, title, data } = STOPS[at];
    this.tour.at = at;
    const set = data ? this.source.sets.find((one) => data.test(one.name)) : this._setFor(state.methods);
    const next = nearest({ ...this.base, ...state, data: set?.name ?? this.state.data, factor: set && set.name !== this.state.data ? 100 : this.state.factor, seeds: null, epoch: null, option: "", beside: null }, this.source);
    fill(this.guide, h("b", {}, `${at + 1} of ${STOPS.length}: ${title}. `), `${say} `,
      h("span", { class: "steps" },
        h("button", { class: "link", type: "button", disabled: at === 0, onclick: () => this._stop(at - 1) }, "Back"),
        h("button", { class: "link rdr-next", type: "button", disabled: at === STOPS.length - 1, onclick: () => this._stop(at + 1) }, "Next"),
        h("button", { class: "link", type: "button", onclick: () => { this._leave(); this._show(); } }, "Leave the tour")));
    this.guide.hidden = false;
    this._choose({ ...next, tour: true });
  }

  /** The data set at hand that has these methods: the one shown, else another. */
  _setFor(methods) {
    const has = (set) => methods.every((method) => this.source.methods(set).includes(method));
    const now = this.source.set(this.state.data);
    return has(now) ? now : this.source.sets.find(has);
  }

  _leave() {
    this.tour.at = -1;
    this.guide.hidden = true;
  }

  _copy() {
    const query = toQuery(this.state);
    const address = this.whole ? location.href : `?${query}`;
    const field = h("input", { type: "text", class: "rdr-share-link", value: address, "aria-label": "Link", readonly: true, onfocus: () => field.select() });
    const open = h("input", { type: "text", class: "rdr-share-open", placeholder: "paste a link and press Enter", "aria-label": "Open a link", onkeydown: (event) => {
      if (event.key === "Enter") this._paste(open.value.split(/[?#]/).at(-1));
    } });
    navigator.clipboard?.writeText(address).then(() => (this.buttons.link.textContent = "Copied"), () => {});
    setTimeout(() => (this.buttons.link.textContent = "Copy link"), 1500);
    this._detail("link", h("div", { class: "fields" }, field, open));
  }

  _detail(name, content = null) {
    if (this.details.dataset.name === name && !this.details.hidden) {
      this.details.hidden = true;
      return;
    }
    const kinds = { code: () => h("pre", { tabindex: 0, class: "rdr-lines" }, codeOf(this.panel.context)), save: () => this._kinds(), words: () => h("dl", { class: "words" }, this.source.head.words.flatMap(([word, meaning]) => [h("dt", {}, word), h("dd", {}, meaning)])) };
    fill(this.details, content ?? kinds[name]());
    this.details.dataset.name = name;
    this.details.hidden = false;
  }

  _kinds() {
    const kinds = ["svg", "png", "csv"].map((kind) => h("button", { class: "button quiet", type: "button", "data-kind": kind, onclick: () => save(kind, this.panel, this.state) }, kind.toUpperCase()));
    return h("div", { class: "fields" }, ...kinds);
  }
}
