/** The few lines of Python that make the same picture in print. */

import { comment, python } from "./literals.js";

const PLAIN = {
  weights: (option) => (option ? ', groups=("Many", "Medium", "Few")' : ""),
  eigenvalues: (option) => `, by="class"${option.includes("/") ? ", relative=True" : ""}`,
  surface: () => ", span=1.0",
};
const READINGS = ["b_prime", "b_prime_probability", "b_prime_batch", "b_prime_quantile"];

/** @returns {string} "" where print has no such picture. */
export function codeOf(context) {
  const { view, state, set, tail, chosen, epoch } = context;
  if (!view.kind) return "";
  const runs = view.of === "data" ? tail.runs.slice(0, 1) : chosen.flatMap((one) => one.runs.map(({ run }) => run));
  const lines = ["from rdr_core import Run", "from rdr_core.runs.archive import shipped", "from rdr_viz import make_display", "from rdr_viz.notebook import picture", ""];
  const place = (run) => (run.shipped ? `shipped() / ${python(run.name)}` : python(run.path));
  if (!runs.some((run) => run.shipped)) lines.splice(1, 1);
  const reading = (view.name === "b-prime" || view.name === "bound") && state.option ? `, reading=${python(READINGS[view.options.indexOf(state.option)])}` : "";
  const more = `${reading}${PLAIN[view.name]?.(state.option) ?? ""}${view.epochs === "as of" && epoch != null ? `, epoch=${epoch}` : ""}`;
  if (view.of === "each method" && runs.length > 1) {
    lines.push("for path in [", ...runs.map((run) => `    ${place(run)},`), "]:", `    shown = make_display(${python(view.kind)}, [Run.open(path)]${more})`, "    display(picture(shown.figure(), shown.alt, shown.finding))");
    lines.splice(0, 0, "from IPython.display import display");
  } else {
    lines.push("runs = [", ...runs.map((run) => `    Run.open(${place(run)}),`), "]", `shown = make_display(${python(view.kind)}, runs${more})`, "picture(shown.figure(), shown.alt, shown.finding)");
  }
  return `${comment(set.title)}\n${lines.join("\n")}\n`;
}
