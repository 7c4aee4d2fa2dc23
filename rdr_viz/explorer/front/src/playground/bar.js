/** What stands above the pictures: train, step, reset, speed; what to look at; what its signs mean. */
import { fill, h } from "../shared/dom.js";
import { chips } from "./choices.js";

/** Steps between two pictures. */
const SPEEDS = [1, 4, 16];

/**
 * @param {{change: function(object): void, train: function(): void, step: function(): void, reset: function(): void,
 *   pace: function(number): void}} host
 */
export function bar(host) {
  const button = (name, label, onclick) => h("button", { type: "button", class: `button ${name}`, onclick }, label);
  const train = button("train", "Train", host.train),
    step = button("quiet", "Step", host.step);
  const speeds = h(
    "select",
    { "aria-label": "Speed", onchange: () => host.pace(Number(speeds.value)) },
    SPEEDS.map((steps) => h("option", { value: steps }, `${steps} ${steps === 1 ? "step" : "steps"} a picture`)),
  );
  const at = h("span", { class: "at" });
  const looks = chips({
    label: "Look at",
    options: [
      { value: "plane", shows: ["The plane"] },
      { value: "features", shows: ["Feature space"] },
    ],
    choose: (look) => host.change({ look }),
  });
  const bayes = () => host.change((state) => ({ bayes: !state.bayes }));
  const rule = h(
    "button",
    { type: "button", class: "chip", onclick: bayes },
    h("span", { class: "dash" }),
    "Bayes rule",
  );
  const element = h(
    "div",
    { class: "go" },
    train,
    step,
    button("quiet", "Reset", host.reset),
    speeds,
    at,
    h("span", { class: "space" }),
    looks.element,
    rule,
  );
  const key = h("p", { class: "key" });

  /** @param {{running: boolean, able: boolean, pace: number}} how */
  function update(state, data, { running, able, pace }) {
    const known = Boolean(data.bayes);
    train.textContent = running ? "Pause" : "Train";
    train.disabled = step.disabled = !able;
    speeds.value = String(pace);
    looks.update(state.look);
    rule.setAttribute("aria-pressed", String(state.bayes && known));
    rule.disabled = !known || state.look === "features";
    fill(key, signs(state.look, known && state.bayes));
  }

  /** Where training stands. */
  const tell = (steps, epochs) => (at.textContent = `step ${steps.toLocaleString("en")}, epoch ${epochs}`);
  return { element, key, update, tell };
}

const sign = (shape, says) => h("span", {}, h("span", { class: `sign ${shape}`, "aria-hidden": "true" }), says);

/** What the signs in the pictures mean. */
function signs(look, rule) {
  if (look === "features") {
    return [
      sign("dot", "next batch, size: density ratio"),
      sign("cross", "its class means"),
      sign("diamond", "RDR's prototypes"),
      sign("line", "what the ratios make up for"),
    ];
  }
  return [
    sign("dot", "training point, size: its weight in the last step that saw it"),
    sign("rim", "rarest class"),
    rule ? sign("line", "best border there is (Bayes rule, balanced classes)") : null,
  ];
}
