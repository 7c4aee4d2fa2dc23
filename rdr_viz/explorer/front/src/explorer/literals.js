/** Text as code holds it: one literal, whatever it says. Names of runs and methods may be anybody's. */

/**
 * As a literal of Python's: JSON's escapes are Python's too, and what no reader would see is escaped as well.
 * @param {string} text
 */
export function python(text) {
  return JSON.stringify(String(text)).replace(/(?! )[\p{C}\p{Z}]/gu, (sign) => {
    const code = sign.codePointAt(0);
    return code > 0xffff ? `\\U${code.toString(16).padStart(8, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
  });
}

/** As a comment of one line. */
export const comment = (text) => `# ${python(text).slice(1, -1)}`;

/** As one word of a shell's command; as it is where nothing in it means anything there. */
export const shell = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${String(text).replaceAll("'", "'\"'\"'")}'`);
