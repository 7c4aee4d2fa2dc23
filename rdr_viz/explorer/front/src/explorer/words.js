/** Numbers and lists in English, as rdr_viz/analysis/words.py has them. */

/** A number with so many decimals and a true minus sign; NaN is a dash. */
export function number(value, decimals = 1) {
  if (value == null || Number.isNaN(value)) return "–";
  const text = Math.abs(value).toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
  return value < 0 && Number(text.replaceAll(",", "")) !== 0 ? `−${text}` : text;
}

/** A number with its sign. */
export const signed = (value, decimals = 1) => (value > 0 ? "+" : "") + number(value, decimals);

/** Three significant digits, and no more zeros than it takes. */
export function short(value) {
  if (value == null || Number.isNaN(value)) return "–";
  if (Number.isInteger(value) && Math.abs(value) < 1e6) return number(value, 0);
  if (value === 0) return "0";
  const size = Math.floor(Math.log10(Math.abs(value)));
  if (size >= 6 || size < -4) return value.toExponential(1).replace("e+", "e").replace("-", "−");
  return number(Number(value.toPrecision(3)), Math.max(0, 2 - size));
}

/** A number at an axis: no more digits than it takes. */
export function tick(value) {
  if (value !== 0 && (Math.abs(value) < 1e-3 || Math.abs(value) >= 1e6)) {
    const power = Math.round(Math.log10(Math.abs(value)));
    const raised = String(power).replace(/./g, (sign) => ({ "-": "⁻" })[sign] ?? "⁰¹²³⁴⁵⁶⁷⁸⁹"[sign]);
    return `${value < 0 ? "−" : ""}10${raised}`;
  }
  return value.toLocaleString("en", { maximumSignificantDigits: 3 }).replace("-", "−");
}

/** "a", "a and b", "a, b and c". */
export function listed(parts) {
  return parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}

export const plural = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/**
 * A sentence about images, of samples that are called otherwise: as rdr_viz/displays/spoken.py has it.
 * @param {[string, string]|null} samples what one is called, and several; null where they are images.
 */
export function called(text, samples) {
  if (!samples) return text;
  return text.replace(/\b(?:(an) )?(image)(s?)\b/gi, (_, article, noun, several) => {
    const name = samples[several ? 1 : 0];
    const put = noun[0] === "I" ? name[0].toUpperCase() + name.slice(1) : name;
    return article ? `${article[0]} ${put}` : put;
  });
}

/** An imbalance in words. */
export const factorWords = (tail) => (tail.factor == null ? "as it is" : `IF ${tail.factor}${tail.profile && tail.profile !== "exponential" ? `, ${tail.profile}` : ""}`);

/** Points of accuracy between two means: "4.2 points above", "level with". */
export function pointsFrom(difference) {
  if (Math.abs(difference) < 0.05) return "level with";
  return `${number(Math.abs(difference))} points ${difference > 0 ? "above" : "below"}`;
}
