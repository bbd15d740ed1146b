/** The small values of a scenario: shares, speeds, lengths of time that may be negative. */

import { parseDuration } from "../../config/durations.ts";
import type { Parsed } from "../../config/problem.ts";

/** `5%` or `0.05`; the largest is given, in percent. */
export function parseShare(percentMax: number): (text: string) => Parsed<number> {
  return (text) => {
    const match = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(text);
    const share = match === null ? NaN : Number(match[1]) / (match[2] === "%" ? 100 : 1);
    if (share >= 0 && share <= percentMax / 100) return { ok: true, value: share };
    const hint = `write 0% to ${percentMax}%, or 0 to ${percentMax / 100}`;
    return { ok: false, message: `"${text}" is not a share of packets`, hint };
  };
}

const speedUnits: ReadonlyMap<string, number> = new Map([["bit", 1], ["kbit", 1e3], ["mbit", 1e6], [
  "gbit",
  1e9,
]]);

/** `9600bit`, `64kbit`, `10mbit`, as tc(8) writes rates. */
export function parseSpeed(text: string): Parsed<number> {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/i.exec(text);
  const factor = speedUnits.get(match?.[2]?.toLowerCase() ?? "");
  const bits = match === null || factor === undefined ? 0 : Number(match[1]) * factor;
  if (bits > 0) return { ok: true, value: bits };
  return { ok: false, message: `"${text}" is not a speed`, hint: "write it as 9600bit, 64kbit or 10mbit" };
}

/** A length of time, `-1h` and `+1h` included, in ms. */
export function parseShift(text: string): Parsed<number> {
  const isBack = text.startsWith("-");
  const parsed = parseDuration(text.replace(/^[+-]/, ""), "yaml");
  return parsed.ok && isBack ? { ok: true, value: -parsed.value } : parsed;
}
