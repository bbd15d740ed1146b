/** The two times of messaging that have a range of their own. */

import { maxRexmitDelayMsMax } from "../defaults.ts";
import { formatDuration, parseDuration } from "../durations.ts";
import type { Parsed } from "../problem.ts";

/** Milliseconds; never 0. */
export function parseMaxRexmitDelay(text: string): Parsed<number> {
  return within(text, 1, maxRexmitDelayMsMax);
}

/** Milliseconds; 0: never. */
export function parseAlarmRepeat(text: string): Parsed<number> {
  return text === "off" ? { ok: true, value: 0 } : within(text, 1_000, Infinity);
}

function within(text: string, minMs: number, maxMs: number): Parsed<number> {
  const parsed = parseDuration(text, "yaml");
  if (!parsed.ok || (parsed.value >= minMs && parsed.value <= maxMs)) return parsed;
  const isShort = parsed.value < minMs;
  const limit = `the ${isShort ? "least" : "most"} is ${formatDuration(isShort ? minMs : maxMs)}`;
  return {
    ok: false,
    message: `${formatDuration(parsed.value)} is too ${isShort ? "short" : "long"}`,
    hint: limit,
  };
}
