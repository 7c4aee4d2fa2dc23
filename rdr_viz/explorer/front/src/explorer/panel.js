/** One picture: its question, a sentence, the drawing, exact values by mouse and keyboard, and the same as a table. */

import { fill, h } from "../shared/dom.js";
import { heightOf as heightOfPanels, select } from "./marks.js";
import { called, short } from "./words.js";

/** Columns of a table that are no numbers to round. */
const WHOLE = new Set(["seed", "epoch", "rank", "class", "count", "images", "seeds", "best_epoch", "bin", "right"]);
// Width of a panel beside others, in pixels; a view with names or numbers beside its panels asks for more.
const LEAST = 170;
const MOST_ROWS = 1000;

export class Panel {
  /** @param {Object} [how] title: words above, for the one that is kept to compare; beside: an element by the question. */
  constructor({ title = "", beside = null } = {}) {
    this.question = h("h2", { id: `rdr-q-${Math.random().toString(36).slice(2)}` });
    this.sentence = h("p", { class: "say", role: "status", "aria-live": "polite" });
    this.svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    this.tip = h("div", { class: "tip", hidden: true });
    this.spoken = h("div", { class: "unseen", "aria-live": "polite" });
    this.empty = h("div", { class: "empty", hidden: true });
    this.box = h("div", { class: "picture" }, this.svg, this.tip, this.empty);
    this.swipe = h("p", { class: "look", "aria-hidden": "true", hidden: true }, "Swipe the picture sideways to see all of it.");
    this.table = h("div", { class: "table", hidden: true, tabindex: 0, role: "region", "aria-label": "What the picture shows, as a table" });
    this.look = h("p", { class: "look" });
    this.element = h("section", { class: "panel", "aria-labelledby": this.question.id }, title ? h("p", { class: "kept" }, title) : null, h("div", { class: "ask" }, this.question, beside), this.sentence, this.box, this.spoken, this.swipe, this.look, this.table);
    this.targets = [];
    this.current = -1;
    this.rows = [];
    this.svg.setAttribute("role", "img");
    this.svg.setAttribute("tabindex", "0");
    this.svg.addEventListener("pointermove", (event) => this._point(event));
    this.svg.addEventListener("pointerleave", () => this._tell(-1));
    this.svg.addEventListener("keydown", (event) => this._key(event));
    this.svg.addEventListener("blur", () => this._tell(-1));
  }

  /**
   * Show what a plan found.
   * @param {Object} found of plan.js
   * @param {{question: string, look: string}} about the view.
   * @param {(panel: Panel) => number} heightOf how high its picture may be, asked for when its words stand.
   */
  show(found, about, heightOf) {
    const { context, notes, samples } = found;
    const told = (text) => called(text, samples);
    this.question.textContent = told(about.question);
    this.look.textContent = told(about.look);
    this._tell(-1);
    this.svg.replaceChildren();
    this.context = context;
    this.empty.hidden = Boolean(context);
    this._swiped(false);
    this.svg.style.display = context ? "" : "none";
    if (!context) {
      this.rows = [];
      this.targets = [];
      fill(this.sentence, notes.join(" "));
      return;
    }
    const { view } = context;
    this.rows = view.rows(context);
    const said = view.sentence(context, this.rows);
    fill(this.sentence, ...said.map((part) => (typeof part === "string" ? told(part) : h("b", {}, told(part.b)))), notes.length ? ` ${notes.join(" ")}` : null);
    const room = this.box.clientWidth || 800;
    const narrowest = view.narrowest?.(context);
    const width = Math.max(narrowest ?? 280, room);
    this._swiped(narrowest > room);
    const least = view.least ?? LEAST;
    const height = view.height?.(context, width, heightOf(this)) ?? heightOfPanels(view.panels?.(context, this.rows).length ?? 1, width, heightOf(this), least);
    const svg = select(this.svg).attr("viewBox", `0 0 ${width} ${height}`).attr("width", width).attr("height", height);
    this.svg.setAttribute("aria-label", told(view.alt?.(context) ?? `${about.question} ${this.sentence.textContent} Arrow keys go from value to value.`));
    this.targets = view.draw(svg, context, this.rows, { left: 4, top: 4, width: width - 8, height: height - 8, full: width, least }).filter((target) => Number.isFinite(target.x) && Number.isFinite(target.y));
    if (samples) {
      for (const text of this.svg.querySelectorAll("text, tspan")) if (!text.children.length) text.textContent = told(text.textContent);
      for (const target of this.targets) target.text = told(target.text);
    }
    this.samples = samples;
    if (!this.table.hidden) this._fillTable();
  }

  /** Whether the picture is wider than its place. */
  _swiped(wider) {
    this.box.classList.toggle("swiped", wider);
    this.swipe.hidden = !wider;
  }

  /** Show the numbers as a table, or no more. @returns whether they are shown. */
  toggleTable() {
    this.table.hidden = !this.table.hidden;
    if (!this.table.hidden) this._fillTable();
    return !this.table.hidden;
  }

  _fillTable() {
    const names = Object.keys(this.rows[0] ?? {});
    const cell = (row, name) => (typeof row[name] !== "number" ? String(row[name]) : WHOLE.has(name) ? String(row[name]) : short(row[name]));
    fill(
      this.table,
      h("table", {}, h("caption", {}, this.rows.length > MOST_ROWS ? `The first ${MOST_ROWS} of ${this.rows.length} rows; Save as CSV has all.` : "What the picture shows."),
        h("thead", {}, h("tr", {}, names.map((name) => h("th", { scope: "col" }, called(name.replaceAll("_", " "), this.samples))))),
        h("tbody", {}, this.rows.slice(0, MOST_ROWS).map((row) => h("tr", {}, names.map((name) => h("td", {}, cell(row, name)))))),
      ),
    );
  }

  _point(event) {
    const at = this.svg.getBoundingClientRect();
    const [x, y] = [event.clientX - at.left, event.clientY - at.top];
    let best = -1;
    let least = 26 ** 2;
    this.targets.forEach((target, index) => {
      const far = (target.x - x) ** 2 + (target.y - y) ** 2;
      if (far < least) [best, least] = [index, far];
    });
    this._tell(best);
  }

  _key(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") this._tell(-1);
    if (!step || !this.targets.length) return;
    event.preventDefault();
    this._tell((this.current + step + this.targets.length) % this.targets.length);
    this.spoken.textContent = this.targets[this.current].text;
  }

  _tell(index) {
    this.current = index;
    this.svg.querySelector(".ring")?.remove();
    this.tip.hidden = index < 0;
    if (index < 0) return;
    const { x, y, text } = this.targets[index];
    select(this.svg).append("circle").attr("class", "ring").attr("cx", x).attr("cy", y).attr("r", 9).attr("fill", "none").attr("stroke", "var(--ink)").attr("stroke-width", 1.4);
    this.tip.textContent = text;
    const width = this.box.clientWidth;
    this.tip.style.left = `${Math.min(Math.max(x, 110), Math.max(110, width - 110))}px`;
    this.tip.style.top = `${y < 70 ? y + 16 : y - 16}px`;
    this.tip.dataset.below = y < 70;
  }
}
