/**
 * Lengths of time as operators write them, in whole milliseconds. Two dialects: `ha.cf`, where only seconds (no
 * unit), milliseconds and microseconds exist and no blank may stand before the unit, and `yaml`, which adds seconds,
 * minutes and hours by name. Both round to the nearest millisecond.
 */

import type { Parsed } from "./problem.ts";

export type DurationDialect = "ha.cf" | "yaml";

/** A week. Longer is a slip of the pen, and timers count their milliseconds in 31 bits. */
export const durationMsMax = 7 * 24 * 3600 * 1000;

const unitsMs: Readonly<Record<DurationDialect, ReadonlyMap<string, number>>> = {
  "ha.cf": new Map([["", 1000], ["ms", 1], ["msec", 1], ["us", 0.001], ["usec", 0.001]]),
  "yaml": new Map([
    ["", 1000],
    ["us", 0.001],
    ["usec", 0.001],
    ["ms", 1],
    ["msec", 1],
    ["s", 1000],
    ["sec", 1000],
    ["m", 60_000],
    ["min", 60_000],
    ["h", 3_600_000],
  ]),
};

const accepted: Readonly<Record<DurationDialect, string>> = {
  "ha.cf": "write seconds without a unit (2, 1.5) or milliseconds (1500ms)",
  "yaml": "write a number with a unit, such as 200ms, 1.5s, 2m or 1h; no unit means seconds",
};

export function parseDuration(text: string, dialect: DurationDialect): Parsed<number> {
  const hint = accepted[dialect];
  const match = /^(\d+(?:\.\d*)?|\.\d+)([^\d.].*)?$/.exec(text);
  if (match === null) return { ok: false, message: `"${text}" is not a length of time`, hint };
  const unit = dialect === "yaml" ? (match[2] ?? "").trim() : match[2] ?? "";
  const factor = unitsMs[dialect].get(unit);
  if (factor === undefined) {
    return { ok: false, message: `"${text}" has the unknown unit "${unit.trim()}"`, hint };
  }
  const ms = Math.round(Number(match[1]) * factor);
  if (ms > durationMsMax) {
    return {
      ok: false,
      message: `"${text}" is longer than a week`,
      hint: "the longest accepted time is 168 hours",
    };
  }
  return { ok: true, value: ms };
}

/** The shortest exact text in the yaml dialect: `200ms`, `1.5s`, `2m`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return "0s";
  if (ms % 3_600_000 === 0) return `${ms / 3_600_000}h`;
  if (ms % 60_000 === 0) return `${ms / 60_000}m`;
  if (ms >= 1000) return `${ms / 1000}s`;
  return `${ms}ms`;
}
