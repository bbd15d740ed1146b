/**
 * Cluster events to and from the text of the field `event` of a `heartline-event` message: compact JSON, ASCII only.
 * Reading believes nothing: what a peer says ends in an operator's history, so lengths are bounded and control
 * characters are refused.
 */

import { counterMax } from "./limits.ts";
import { hasControl, toAscii } from "./statement_codec.ts";

export const eventType = "heartline-event";
export const eventField = "event";

/** What one node saw or decided, told to all. */
export interface EventStatement {
  /** Lamport clock of the sender (Lamport 1978): greater than that of every event it had heard of. */
  readonly clock: number;
  readonly level: EventLevel;
  readonly code: string;
  readonly sentence: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

export type EventLevel = "notice" | "warning" | "alarm" | "clear";

const levels: readonly string[] = ["notice", "warning", "alarm", "clear"] satisfies readonly EventLevel[];

/** Too low: a sentence with many node and link names is refused. Too high: memory of the history, by a peer's will. */
const sentenceLengthMax = 2_000;
const codeLengthMax = 64;
const fieldsMax = 24;
const valueLengthMax = 500;

export function writeEvent(event: EventStatement): string {
  const { clock, level, code, sentence, fields } = event;
  return toAscii(JSON.stringify({ clock, level, code, sentence, fields }));
}

/** `null`: no event that we can take. Never throws. */
export function readEvent(text: string): EventStatement | null {
  const from = parsed(text);
  if (from === null) return null;
  const { clock, level, code, sentence } = from;
  if (typeof clock !== "number" || !Number.isInteger(clock) || clock < 1 || clock > counterMax) return null;
  if (typeof level !== "string" || !levels.includes(level)) return null;
  if (!isPlain(code, codeLengthMax) || !isPlain(sentence, sentenceLengthMax)) return null;
  const fields = readFields(from.fields);
  return fields === null ? null : { clock, level: level as EventLevel, code, sentence, fields };
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? value as Readonly<Record<string, unknown>> : null;
  } catch {
    return null;
  }
}

function readFields(value: unknown): EventStatement["fields"] | null {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return null;
  const entries = Object.entries(value);
  if (entries.length > fieldsMax) return null;
  const fields: Record<string, string | number | boolean> = Object.create(null);
  for (const [name, each] of entries) {
    const isValue = typeof each === "boolean" || typeof each === "number" || isPlain(each, valueLengthMax, 0);
    if (!isValue || !isPlain(name, codeLengthMax)) return null;
    fields[name] = each;
  }
  return fields;
}

/** Printable and in one line. */
function isPlain(value: unknown, lengthMax: number, lengthMin = 1): value is string {
  return typeof value === "string" && value.length >= lengthMin && value.length <= lengthMax &&
    !hasControl(value);
}
