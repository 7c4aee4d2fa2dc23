/** A method's mark as matplotlib names it, drawn as SVG: the same mark in every picture of the toolkit. */

const SHAPES = {
  o: "M5 1a4 4 0 1 1 0 8a4 4 0 1 1 0-8z",
  v: "M1 1.5h8L5 9z",
  "^": "M1 8.5h8L5 1z",
  s: "M1.4 1.4h7.2v7.2H1.4z",
  D: "M5 .4L9.6 5L5 9.6L.4 5z",
  P: "M3.5 1h3v2.5H9v3H6.5V9h-3V6.5H1v-3h2.5z",
  X: "M3 1l2 2l2-2l2 2l-2 2l2 2l-2 2l-2-2l-2 2l-2-2l2-2l-2-2z",
};

/** @returns {SVGElement} of 10 pixels, in the colour of the text around it; a circle for a mark nobody has drawn. */
export function mark(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 10 10");
  svg.setAttribute("class", "mark");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", SHAPES[name] ?? SHAPES.o);
  svg.append(path);
  return svg;
}
