/** Finds what somebody who wrote an unknown word probably meant. */

import { distance } from "fastest-levenshtein";

/**
 * The nearest of the known words, or `null` when none is near enough to be meant: at most one slip in short words,
 * two from five letters, three from nine. Case and the choice between `-` and `_` cost nothing.
 */
export function nearest(word: string, known: Iterable<string>): string | null {
  const wanted = plain(word);
  if (wanted.length > 64) return null;
  const slipsMax = wanted.length < 5 ? 1 : wanted.length < 9 ? 2 : 3;
  let best: string | null = null;
  let bestSlips = slipsMax + 1;
  for (const candidate of known) {
    const slips = slipsBetween(wanted, plain(candidate));
    if (slips < bestSlips) [best, bestSlips] = [candidate, slips];
  }
  return best;
}

/** `did you mean "x"?`, else the list of what is known. */
export function suggestion(word: string, known: Iterable<string>): string {
  const words = [...known];
  const best = nearest(word, words);
  if (best !== null) return `did you mean "${best}"?`;
  return words.length === 0 ? "none is accepted here" : `accepted: ${words.join(", ")}`;
}

/** Edit distance in which two neighbours that changed places are one slip. */
function slipsBetween(word: string, candidate: string): number {
  let slips = distance(word, candidate);
  for (let at = 0; at + 1 < word.length && slips > 1; at++) {
    const swapped = word.slice(0, at) + word[at + 1] + word[at] + word.slice(at + 2);
    slips = Math.min(slips, 1 + distance(swapped, candidate));
  }
  return slips;
}

function plain(word: string): string {
  return word.toLowerCase().replaceAll(/[-_ ]/g, "");
}
