/** Controls: chips of which one is chosen, and sliders over listed values. Arrow keys move both. */
import { fill, h } from "../shared/dom.js";

/**
 * Chips as one group of radio buttons.
 * @param {{label: string, options: Array<{value: string|number, shows: Array<Node|string>, says?: string}>,
 *   choose: function(*): void}} what `says` is read out where what is shown can't be
 * @returns {{element: HTMLElement, update: function(*): void, recolor: function(function(*): string): void}}
 */
export function chips({ label, options, choose }) {
  const buttons = options.map(({ value, shows, says }) =>
    h(
      "button",
      {
        type: "button",
        class: "chip",
        role: "radio",
        "aria-label": says,
        "data-value": value,
        onclick: () => choose(value),
      },
      ...shows,
    ),
  );
  const keys = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 };
  const element = h(
    "div",
    {
      class: "chips",
      role: "radiogroup",
      "aria-label": label,
      onkeydown(event) {
        const move = keys[event.key],
          at = buttons.indexOf(document.activeElement);
        if (!move || at < 0) return;
        event.preventDefault();
        const next = buttons[(at + move + buttons.length) % buttons.length];
        next.focus();
        next.click();
      },
    },
    buttons,
  );

  function update(value) {
    const found = options.some((option) => option.value === value);
    buttons.forEach((button, i) => {
      const chosen = options[i].value === value;
      button.setAttribute("aria-checked", String(chosen));
      button.tabIndex = chosen || (!found && i === 0) ? 0 : -1;
    });
  }

  const recolor = (color) => buttons.forEach((button, i) => button.style.setProperty("--c", color(options[i].value)));
  return { element, update, recolor };
}

/**
 * A slider over a list of values.
 * @param {{name: string, label: string, says?: string, values: number[], shows: function(number): string,
 *   choose: function(number): void}} what `says` is its name for who cannot see where it stands
 * @returns {{element: HTMLElement, update: function(number, boolean=): void}} the second argument switches it off
 */
export function slider({ name, label, says = label, values, shows, choose }) {
  // The slider itself tells its value; an output that is live would say it twice.
  const output = h("output", { "aria-live": "off" });
  const input = h("input", {
    type: "range",
    min: 0,
    max: values.length - 1,
    step: 1,
    name,
    "aria-label": says,
    oninput: () => choose(values[Number(input.value)]),
  });

  function update(value, off = false) {
    const distance = values.map((other) => Math.abs(other - value));
    input.value = String(distance.indexOf(Math.min(...distance)));
    input.disabled = off;
    input.setAttribute("aria-valuetext", shows(value));
    output.textContent = shows(value);
  }

  return { element: h("div", { class: "slider" }, h("h3", {}, label, output), input), update };
}

/** A sentence with stressed parts. @param {Array<string|{strong: string}>} parts */
export const say = (element, parts) =>
  fill(
    element,
    parts.map((part) => (typeof part === "string" ? part : h("b", {}, part.strong))),
  );
