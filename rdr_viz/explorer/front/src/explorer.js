/**
 * The explorer, mounted two ways: as an anywidget in notebooks and Voila, which gets its runs from a kernel, and in a page
 * of its own, which has them inside.
 */

import { mount } from "./explorer/component.js";
import { Source, unshuffled } from "./explorer/source.js";

/** In a notebook: the kernel sends the list of runs as a value, and their numbers as messages when they are asked for. */
function render({ model, el }) {
  const source = new Source(JSON.parse(model.get("head")));
  const explorer = mount(el, source, {
    query: model.get("query"),
    send: (message) => model.send(message),
    changed: (query) => {
      if (model.get("query") === query) return;
      model.set("query", query);
      model.save_changes();
    },
  });
  const numbers = (message, buffers) => {
    if (message.tell === "numbers") {
      message.runs.forEach(({ id, layout }, at) => {
        const view = buffers[at];
        source_().put(id, layout, () => view.buffer.slice(view.byteOffset, view.byteOffset + view.byteLength));
      });
      explorer.arrived(message.runs.map((run) => run.id));
    } else if (message.tell === "estimate") explorer.jobs.estimated(message);
    else if (message.tell === "picture") explorer.pictured(message);
    else if (message.tell === "sentence") explorer.say(message.sentence);
  };
  const source_ = () => explorer.source;
  const renewed = () => {
    const next = new Source(JSON.parse(model.get("head")));
    for (const [id, arrays] of source_().arrays) next.arrays.set(id, arrays);
    for (const id of JSON.parse(model.get("head")).changed ?? []) next.arrays.delete(id);
    explorer.renewed(next);
  };
  const jobs = () => explorer.jobs.show(JSON.parse(model.get("jobs")));
  model.on("msg:custom", numbers);
  model.on("change:head", renewed);
  model.on("change:jobs", jobs);
  jobs();
  return () => {
    model.off("msg:custom", numbers);
    model.off("change:head", renewed);
    model.off("change:jobs", jobs);
    explorer.remove();
  };
}

/** In a page of its own: the list of runs and their numbers lie in the page. */
export async function open(parent = document.body) {
  const text = (id) => document.getElementById(id).textContent;
  const source = new Source(JSON.parse(text("rdr-head")));
  const packed = bytesOf(text("rdr-numbers"));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const numbers = new Uint8Array(await new Response(stream).arrayBuffer());
  for (const { id, layout, offset, size } of source.head.numbers) source.put(id, layout, () => unshuffled(numbers.subarray(offset, offset + size), 4));
  return mount(parent, source, { query: location.hash.slice(1), whole: true });
}

/** Base64 as bytes, by the browser's own where it has one: a page holds millions. */
function bytesOf(base64) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(base64);
  const letters = atob(base64);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at++) bytes[at] = letters.charCodeAt(at);
  return bytes;
}

if (globalThis.document?.getElementById("rdr-head")) open();

export default { render };
