/** Elements of a page in one call; text is only ever text, whatever a run is called. */

/**
 * An element with attributes, listeners (`onclick`) and children (elements or text; null is none).
 * @param {string} tag
 * @param {Object<string, unknown>} [attributes] false and null leave one out, true sets it empty.
 * @param {...(Node|string|number|null)} children
 * @returns {HTMLElement}
 */
export function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, "");
    else if (value !== false && value != null) element.setAttribute(name, value);
  }
  element.append(...children.flat().filter((child) => child != null).map((child) => (child instanceof Node ? child : String(child))));
  return element;
}

/** Replace an element's children. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child != null).map((child) => (child instanceof Node ? child : String(child))));
  return element;
}

/**
 * Which theme the page has: what its address wishes (`theme=dark`), JupyterLab's or Voila's own, else the reader's.
 * @returns {"light"|"dark"}
 */
export function themeAround() {
  const asked = new URLSearchParams(location.hash.slice(1)).get("theme") ?? new URLSearchParams(location.search).get("theme");
  if (asked === "dark" || asked === "light") return asked;
  const body = document.body;
  if (body.dataset.jpThemeLight != null) return body.dataset.jpThemeLight === "false" ? "dark" : "light";
  if (body.classList.contains("theme-dark")) return "dark"; // Voila's
  if (body.classList.contains("theme-light")) return "light";
  return matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
}

/** Whether the reader asked for less motion. */
export const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

/** A file for the reader to keep. */
export function download(name, type, content) {
  const link = h("a", { href: URL.createObjectURL(new Blob([content], { type })), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
