/** Cuts a text into words that remember where they stood. */

import type { Placed } from "../problem.ts";

/** Words separated by blanks, tabs and whatever else `separators` (the inside of a character class) names. */
export function words(text: string, base = 0, separators = " \\t"): Placed<string>[] {
  const found: Placed<string>[] = [];
  for (const match of text.matchAll(new RegExp(`[^${separators}\\r\\n]+`, "g"))) {
    found.push({ value: match[0], span: { offset: base + match.index, length: match[0].length } });
  }
  return found;
}

/** As `words`, but `'…'` and `"…"` keep blanks together; the quotes go, their inside is taken as it stands. */
export function quotedWords(text: string): Placed<string>[] {
  const found: Placed<string>[] = [];
  for (const match of text.matchAll(/(?:"[^"]*"|'[^']*'|[^\s])+/g)) {
    const value = match[0].replaceAll(/"([^"]*)"|'([^']*)'/g, (_, double, single) => double ?? single ?? "");
    found.push({ value, span: { offset: match.index, length: match[0].length } });
  }
  return found;
}

/** Every line with the offset of its first character, without its line end. */
export function lines(text: string): Placed<string>[] {
  const found: Placed<string>[] = [];
  let offset = 0;
  for (const raw of text.split("\n")) {
    const value = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    found.push({ value, span: { offset, length: value.length } });
    offset += raw.length + 1;
  }
  return found;
}
