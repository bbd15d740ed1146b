/** Numbers that the sub-commands of `heartline simulate` take. */

import { InvalidArgumentError } from "@commander-js/extra-typings";

/** A whole number below a thousand million. */
export function parseSeed(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError(`"${text}" is no whole number from 0 to 999999999.`);
}

/** A whole number from 1 to a hundred million. */
export function parseCount(text: string): number {
  const count = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= 100_000_000) return count;
  throw new InvalidArgumentError(`"${text}" is no whole number from 1 to 100000000.`);
}
