/**
 * What monitoring plugins read and print: threshold ranges, one line, performance data, exit codes (the developer
 * guidelines of the Monitoring Plugins). Pure.
 */

import type { Severity } from "../../lib/checks/verdict_table.ts";

export const nagiosCodes: Readonly<Record<Severity, number>> = { ok: 0, warning: 1, critical: 2, unknown: 3 };

/** `[@]start:end`: alert outside of it or, with `@`, inside; both ends belong to it. */
export interface Range {
  /** As written, for the performance data. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  readonly isInside: boolean;
}

/** `null`: no range. */
export function parseRange(text: string): Range | null {
  const match = /^(@?)(?:(~|-?\d+(?:\.\d+)?)?(:))?(-?\d+(?:\.\d+)?)?$/.exec(text);
  if (match === null) return null;
  const [, at, from, colon, to] = match;
  if (to === undefined && (colon === undefined || from === undefined)) return null;
  const start = from === undefined ? 0 : from === "~" ? -Infinity : Number(from);
  const end = to === undefined ? Infinity : Number(to);
  return start > end ? null : { text, start, end, isInside: at === "@" };
}

export function isAlert(range: Range, value: number): boolean {
  const isIn = value >= range.start && value <= range.end;
  return range.isInside ? isIn : !isIn;
}

export interface Measure {
  /** Its first 19 characters must be unique. */
  readonly label: string;
  /** `null`: could not be determined. */
  readonly value: number | null;
  readonly unit: "" | "s" | "ms" | "%" | "c";
  readonly warning?: Range | null;
  readonly critical?: Range | null;
  readonly min?: number;
  readonly max?: number;
}

/** `DETECT OK: text | 'label'=value…`, without its end. */
export function pluginLine(
  service: string,
  severity: Severity,
  text: string,
  measures: readonly Measure[],
): string {
  const data = measures.map(measureText).join(" ");
  return `${service} ${severity.toUpperCase()}: ${plain(text)}${data === "" ? "" : ` | ${data}`}`;
}

/** A bar would begin the performance data, a line end another line. */
export function plain(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replaceAll("|", "/").replaceAll(/[\x00-\x1f\x7f]+/g, " ").trim();
}

function measureText({ label, value, unit, warning, critical, min, max }: Measure): string {
  const number = value === null ? "U" : `${Math.round(value * 1e6) / 1e6}${unit}`;
  const fields = [number, warning?.text ?? "", critical?.text ?? "", min ?? "", max ?? ""];
  return `'${label.replaceAll("'", "''").replaceAll("=", "_")}'=${fields.join(";").replace(/;+$/, "")}`;
}
