/** Points by hand: with mouse, pen or finger, and with the keyboard. */
import { MOST_DRAWN, onGrid } from "./state.js";
import { fit } from "./view.js";

/** A stroke puts a point every so far, a little off the line, so that it does not look ruled. */
const APART = 0.06;
const STRAY = 0.025;
const STRIDE = 0.05;

/**
 * Let a canvas be drawn on.
 * @param {HTMLCanvasElement} canvas
 * @param {{on: function(): boolean, own: function(): number, points: function(): Array, put: function(Array): void,
 *   choose: function(number): void, moved: function(?{x: number, y: number, c: number}): void}} host `own` is the class
 *   that is drawn, `moved` tells where the keyboard's cross is
 */
export function drawable(canvas, host) {
  let stroke = null,
    cross = null;

  const spot = (event) => {
    const box = canvas.getBoundingClientRect(),
      place = fit(canvas);
    return place.back((event.clientX - box.left) * place.density, (event.clientY - box.top) * place.density);
  };
  const add = (x, y) => {
    if (host.points().length < MOST_DRAWN) host.put([...host.points(), onGrid([host.own(), x, y])]);
  };
  const stray = () => STRAY * (2 * Math.random() - 1);

  canvas.addEventListener("pointerdown", (event) => {
    if (!host.on() || event.button !== 0) return;
    event.preventDefault();
    canvas.setPointerCapture(event.pointerId);
    stroke = spot(event);
    add(...stroke);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!stroke) return;
    const [x, y] = spot(event);
    if (Math.hypot(x - stroke[0], y - stroke[1]) < APART) return;
    stroke = [x, y];
    add(x + stray(), y + stray());
  });
  for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, () => (stroke = null));

  const steps = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] };
  canvas.addEventListener("keydown", (event) => {
    if (!host.on()) return;
    cross ??= { x: 0, y: 0 };
    if (steps[event.key]) {
      const [dx, dy] = steps[event.key];
      cross = { x: clip(cross.x + dx * STRIDE), y: clip(cross.y + dy * STRIDE) };
    } else if (event.key === " " || event.key === "Enter") add(cross.x, cross.y);
    else if (event.key === "Backspace" || event.key === "Delete") host.put(host.points().slice(0, -1));
    else if (/^[1-5]$/.test(event.key)) host.choose(Number(event.key) - 1);
    else return;
    event.preventDefault();
    host.moved({ ...cross, c: host.own() });
  });
  canvas.addEventListener("focus", () => {
    if (!host.on() || !canvas.matches(":focus-visible")) return;
    cross ??= { x: 0, y: 0 };
    host.moved({ ...cross, c: host.own() });
  });
  canvas.addEventListener("blur", () => host.moved(null));
}

const clip = (value) => Math.min(Math.max(value, -1.1), 1.1);
