/** What is being trained and analysed, and the offer to make what is missing. The kernel does it; this shows and asks. */

import { fill, h } from "../shared/dom.js";
import { shell } from "./literals.js";

/** A time as one says it. */
export function timeWords(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(seconds < 36000 ? 1 : 0)} h`;
}

/** A size on disk as one says it. */
export function sizeWords(bytes) {
  const [unit, by] = bytes < 1e6 ? ["kB", 1e3] : bytes < 1e9 ? ["MB", 1e6] : ["GB", 1e9];
  return `${(bytes / by).toPrecision(bytes / by < 10 ? 2 : 3)} ${unit}`;
}

export class Jobs {
  /** @param {((message: Object) => void)|null} send to the kernel; null where there is none. */
  constructor(send) {
    this.send = send;
    this.offers = h("div", { class: "offers" });
    this.list = h("div", { class: "jobs" });
    this.element = h("div", { class: "rdr-jobs" }, this.offers, this.list);
    this.rows = new Map();
  }

  /** Offer to train and to analyse; without a kernel, say by which commands. */
  offer({ missing, unanalysed }, state, tail) {
    const key = JSON.stringify([missing, unanalysed.map((run) => run.name), state.view, state.factor, state.profile, state.data]);
    if (key === this.key) return;
    this.key = key;
    if (!missing.length && !unanalysed.length) return void fill(this.offers);
    if (!this.send) {
      const commands = [
        ...missing.slice(0, 4).map(({ method, seed }) => tail.command.replace("METHOD", () => shell(method)).replaceAll("SEED", seed)).filter(Boolean),
        ...unanalysed.slice(0, 4).map((run) => `rdr analyse ${shell(`runs/${run.name}`)} --what ${state.needs}`),
      ].filter((line) => !/[\p{Cc}\p{Cf}]/u.test(line)); // a terminal would do them
      fill(this.offers, h("p", {}, "This page only shows what was made before. To make the missing:"), h("pre", { tabindex: 0 }, commands.join("\n")));
      return;
    }
    const busy = (button) => { button.disabled = true; };
    const train = missing.length ? h("button", { class: "button rdr-train", type: "button", onclick: (event) => { busy(event.target); this.send({ ask: "train", missing, data: state.data, factor: state.factor, profile: state.profile }); } }, `Train ${missing.length > 1 ? `${missing.length} runs` : ""}`.trim()) : null;
    const analyse = unanalysed.length ? h("button", { class: "button quiet rdr-analyse", type: "button", onclick: (event) => { busy(event.target); this.send({ ask: "analyse", runs: unanalysed.map((run) => run.id), what: state.needs }); } }, `Analyse ${unanalysed.length > 1 ? `${unanalysed.length} runs` : ""}`.trim()) : null;
    this.trainButton = train;
    this.analyseButton = analyse;
    fill(this.offers, train, analyse);
    this.send({ ask: "estimate", missing, data: state.data, factor: state.factor, profile: state.profile, runs: unanalysed.map((run) => run.id), what: state.needs, key });
  }

  /** The kernel has told how long an offer would take, and how much disk. */
  estimated({ key, train, disk, analyse }) {
    if (key !== this.key) return;
    for (const [button, seconds, bytes] of [[this.trainButton, train, disk], [this.analyseButton, analyse, null]]) {
      const words = [typeof seconds === "number" ? `about ${timeWords(seconds)}` : seconds, bytes && `${sizeWords(bytes)} of disk`].filter(Boolean);
      if (button && words.length) button.textContent = `${button.textContent.split(" (")[0]} (${words.join(", ")})`;
    }
  }

  /** The jobs as the kernel sees them: title, state, share, left, error, elsewhere (a command's), loss and accuracy by epoch. */
  show(jobs) {
    const there = new Set(jobs.map((job) => job.id));
    for (const [id, row] of this.rows) if (!there.has(id)) row.element.remove(), this.rows.delete(id);
    for (const job of jobs) {
      if (!this.rows.has(job.id)) {
        const row = this._row(job.id);
        this.rows.set(job.id, row);
        this.list.append(row.element);
      }
      const row = this.rows.get(job.id);
      row.title.textContent = `${job.title}: ${job.state}.${job.error ? ` ${job.error}` : ""}`;
      row.bar.value = job.share;
      row.left.textContent = job.state === "running" && job.left != null ? `${timeWords(job.left)} left` : "";
      row.stop.hidden = job.state !== "running" || job.elsewhere; // a command's is stopped where it was started
      row.resume.hidden = row.hide.hidden = !["stopped", "failed"].includes(job.state);
      fill(row.curves, curve(job.loss, "loss"), curve(job.accuracy, "test accuracy"));
    }
  }

  _row(id) {
    const button = (words, css, ask) => h("button", { class: `link ${css}`, type: "button", onclick: () => this.send({ ask, job: id }) }, words);
    const row = {
      title: h("span", { class: "title" }), bar: h("progress", { max: 1, value: 0, "aria-label": "How far it is" }), left: h("span", { class: "left" }),
      stop: button("Stop", "rdr-stop", "stop"), resume: button("Resume", "rdr-resume", "resume"), hide: button("Hide", "rdr-hide", "hide"), curves: h("span", { class: "rdr-curves" }),
    };
    row.element = h("div", { class: "job" }, row.title, row.bar, row.left, row.stop, row.resume, row.hide, row.curves);
    return row;
  }
}

/** A series as a small line, with its last value. */
function curve(values, words) {
  if (!values || values.length < 2) return null;
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const points = values.map((value, at) => `${((120 * at) / (values.length - 1)).toFixed(1)},${(30 - 26 * (high > low ? (value - low) / (high - low) : 0.5)).toFixed(1)}`).join(" ");
  const box = h("span", {});
  box.innerHTML = '<svg width="122" height="34" role="img"><polyline fill="none" stroke="currentColor" stroke-width="1.5"/></svg>';
  box.firstChild.setAttribute("aria-label", `${words} from ${values[0].toPrecision(3)} to ${values.at(-1).toPrecision(3)}, epochs 1 to ${values.length}`);
  box.firstChild.firstChild.setAttribute("points", points);
  box.append(` ${words} ${values.at(-1).toPrecision(3)}`);
  return box;
}
