/** The page's address says what stands on the page, once it rests; browsers refuse to have it changed all the time. */
import { readState, writeState } from "./state.js";

const REST = 150;

/**
 * @param {boolean} used whether the page's address is the playground's to write; else it starts at the start
 * @returns {{read: function(): object, write: function(object): void, writeSoon: function(object): void,
 *   theme: function(object, string): void}}
 */
export function address(used) {
  let waiting = null;

  function put(hash) {
    if (!used || hash === location.hash.slice(1)) return;
    history.replaceState(null, "", hash ? `#${hash}` : location.pathname + location.search);
  }

  const write = (state) => put(writeState(state, location.hash));

  function writeSoon(state) {
    clearTimeout(waiting);
    waiting = setTimeout(() => write(state), REST);
  }

  /** With a theme that the reader chose. */
  function theme(state, name) {
    const said = new URLSearchParams(location.hash.slice(1));
    said.set("theme", name);
    put(writeState(state, said.toString()));
  }

  return { read: () => readState(used ? location.hash : ""), write, writeSoon, theme };
}
