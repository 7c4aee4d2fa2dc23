/** The loop that trains: some steps, a picture, and again; it yields to the page after every picture. */
import { still } from "../shared/dom.js";

/** Milliseconds of a frame that steps may take, and those between two pictures for who wants less motion. */
const BUDGET = 14;
const CALM = 600;
/** Milliseconds a frame, on average over some, above which pictures come slowly. */
const SLOW = 30;

/**
 * @param {{able: function(): boolean, steps: function(): number, step: function(): void,
 *   draw: function(number): void, changed: function(): void}} host `able`: whether another step can be made; `draw`
 *   gets the frame's time; `changed` hears of starts and ends
 */
export function loop({ able, steps, step, draw, changed }) {
  let running = false,
    goal = null,
    coming = 0,
    drawn = -Infinity,
    before = null,
    lag = 0;
  const self = { pace: 4, start, stop, forget: () => (goal = null), running: () => running, slow: () => lag > SLOW };
  return self;

  /** @param {?number} until a number of steps to catch up with, as fast as it goes */
  function start(until = null) {
    if (!able()) return;
    running = true;
    goal = until;
    cancelAnimationFrame(coming);
    changed();
    before = null;
    coming = requestAnimationFrame(frame);
  }

  function stop() {
    running = false;
    goal = null;
    cancelAnimationFrame(coming);
    changed();
  }

  function frame(now) {
    if (before !== null) lag += 0.1 * (now - before - lag);
    before = now;
    const begun = performance.now(),
      until = goal ?? steps() + self.pace,
      budget = goal === null ? BUDGET : 3 * BUDGET;
    while (steps() < until && able() && performance.now() - begun < budget) step();
    if (!able() || steps() === goal) return stop();
    if (!still() || now - drawn > CALM) {
      drawn = now;
      draw(now);
    }
    coming = requestAnimationFrame(frame);
  }
}
