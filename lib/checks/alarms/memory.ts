/**
 * Whether an alarm is told now: from what was told before and what is so now. Pure. A condition is told when it
 * begins, when it changes for better or worse, again after a while, and when it is over; a channel that did not take
 * it is tried again at the next run.
 *
 *     quiet ──not ok──▶ alarm ──other severity of an address──▶ alarm (changed)
 *       ▲                 │ ╰──── told long enough ago ───────▶ alarm (repeated)
 *       ╰────── ok ───────╯
 */

import type { Severity } from "../verdict_table.ts";

/** What is so, for each address. */
export type Condition = Readonly<Record<string, Severity>>;

export interface Memory {
  readonly schema: 1;
  /** Empty: all is well. */
  readonly condition: Condition;
  /** Unix time in milliseconds of its begin, and of when it was last told. */
  readonly sinceMs: number;
  readonly toldAtMs: number;
  /** Channels that have not taken the last telling. */
  readonly owed: readonly string[];
}

export type Occasion = "new" | "changed" | "repeated" | "over" | "standing" | "none";

export interface Step {
  readonly occasion: Occasion;
  /** Who is to be told now; of `standing` and `none` only those to whom the last telling is still owed. */
  readonly tell: readonly string[];
  readonly sinceMs: number;
}

export const quiet: Memory = { schema: 1, condition: {}, sinceMs: 0, toldAtMs: 0, owed: [] };

export function step(
  before: Memory,
  now: Condition,
  nowMs: number,
  repeatMs: number | null,
  channels: readonly string[],
): Step {
  const bad = badOf(now);
  const wasBad = Object.keys(before.condition).length > 0;
  const isBad = Object.keys(bad).length > 0;
  // A clock that was set back must not silence an alarm.
  const toldAgoMs = nowMs >= before.toldAtMs ? nowMs - before.toldAtMs : Infinity;
  const owed = before.owed.filter((channel) => channels.includes(channel));
  if (!wasBad && !isBad) return { occasion: "none", tell: owed, sinceMs: before.sinceMs };
  if (!wasBad) return { occasion: "new", tell: channels, sinceMs: nowMs };
  if (!isBad) return { occasion: "over", tell: channels, sinceMs: before.sinceMs };
  if (!isSame(before.condition, bad)) return { occasion: "changed", tell: channels, sinceMs: before.sinceMs };
  if (repeatMs !== null && toldAgoMs >= repeatMs) {
    return { occasion: "repeated", tell: channels, sinceMs: before.sinceMs };
  }
  return { occasion: "standing", tell: owed, sinceMs: before.sinceMs };
}

/** What to keep once the channels were tried. `failed`: those that did not take it. */
export function remember(
  before: Memory,
  { occasion, sinceMs }: Step,
  now: Condition,
  nowMs: number,
  failed: readonly string[],
): Memory {
  const isTold = occasion !== "standing" && occasion !== "none";
  return {
    schema: 1,
    condition: badOf(now),
    sinceMs: occasion === "over" ? nowMs : sinceMs,
    toldAtMs: isTold ? nowMs : before.toldAtMs,
    owed: failed,
  };
}

/** `null`: the text is no memory of ours. */
export function parseMemory(text: string): Memory | null {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (!isRecord(value) || value.schema !== 1 || !isRecord(value.condition)) return null;
  const { condition, sinceMs, toldAtMs, owed } = value;
  const areSeverities = Object.values(condition).every((severity) =>
    severity === "warning" || severity === "critical" || severity === "unknown"
  );
  if (!areSeverities || !Number.isFinite(sinceMs) || !Number.isFinite(toldAtMs)) return null;
  if (!Array.isArray(owed) || !owed.every((channel) => typeof channel === "string")) return null;
  return value as unknown as Memory;
}

function badOf(condition: Condition): Condition {
  return Object.fromEntries(Object.entries(condition).filter(([, severity]) => severity !== "ok"));
}

function isSame(a: Condition, b: Condition): boolean {
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => a[key] === b[key]);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
