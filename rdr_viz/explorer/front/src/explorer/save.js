/** What a reader takes along: the picture as SVG or PNG, its numbers as CSV. */

import { download } from "../shared/dom.js";

/** A file's name for a state: what it shows, of what. */
export const nameOf = (state) => [state.view, state.data, state.factor == null ? "" : `if${state.factor}`, ...state.methods].join("-").replace(/[^A-Za-z0-9.+=_-]+/g, "-").slice(0, 120);

/** The rows of a picture as CSV, to the seven digits that a number here has; whatever a spreadsheet might take for a formula stays text. */
export function csv(rows) {
  const names = Object.keys(rows[0] ?? {});
  const cell = (value) => {
    const text = typeof value === "number" ? (Number.isNaN(value) ? "" : String(Number(value.toPrecision(7)))) : String(value);
    const safe = typeof value === "string" && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
    return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return `${[names.join(","), ...rows.map((row) => names.map((name) => cell(row[name])).join(","))].join("\n")}\n`;
}

/** A picture as a file of its own: colours of the page instead of names, a ground, a title. */
export function svgText(svg, title) {
  const copy = svg.cloneNode(true);
  copy.querySelector(".ring")?.remove();
  const styles = getComputedStyle(svg);
  const plain = (text) => text.replace(/var\((--[\w-]+)\)/g, (_, name) => styles.getPropertyValue(name).trim() || "#888888");
  for (const element of [copy, ...copy.querySelectorAll("*")]) {
    for (const { name, value } of [...element.attributes]) if (value.includes("var(")) element.setAttribute(name, plain(value));
  }
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("font-family", "DejaVu Sans, Segoe UI, Roboto, sans-serif");
  const ground = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  ground.setAttribute("width", "100%");
  ground.setAttribute("height", "100%");
  ground.setAttribute("fill", plain("var(--ground)"));
  const name = document.createElementNS("http://www.w3.org/2000/svg", "title");
  name.textContent = title;
  copy.prepend(name, ground);
  return new XMLSerializer().serializeToString(copy);
}

/** @param {"svg"|"png"|"csv"} kind */
export async function save(kind, panel, state) {
  const name = `${nameOf(state)}.${kind}`;
  if (kind === "csv") return download(name, "text/csv", csv(panel.rows));
  const drawn = panel.context.picture?.svg;
  if (kind === "svg" && drawn) return download(name, "image/svg+xml", drawn);
  const text = svgText(panel.svg, `${panel.question.textContent} ${panel.sentence.textContent}`);
  if (kind === "svg") return download(name, "image/svg+xml", text);
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const canvas = document.createElement("canvas");
  const scale = 2;
  canvas.width = scale * panel.svg.clientWidth;
  canvas.height = scale * panel.svg.clientHeight;
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  const blob = await new Promise((done) => canvas.toBlob(done, "image/png"));
  return download(name, "image/png", blob);
}
