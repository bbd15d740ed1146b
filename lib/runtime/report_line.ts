/**
 * One report as people and programs read it: when, how grave, which kind, one sentence. Pure text work.
 */

import type { ReportEffect, ReportLevel } from "../core/effects.ts";

/** A report with the wall-clock time at which the daemon made it. */
export interface ReportLine {
  /** ISO 8601, UTC, with milliseconds. For people only: nothing is decided from it. */
  readonly at: string;
  readonly level: ReportLevel;
  readonly code: string;
  readonly sentence: string;
  readonly fields: ReportEffect["fields"];
}

/** An event of the cluster's history: what that node reported, at that time by its clock. */
export interface ClusterLine extends ReportLine {
  readonly node: string;
  /** Lamport clock: the history is in its order, then in that of the nodes' names. */
  readonly clock: number;
  /** It comes from the other side of a partition; later ones are before it. */
  readonly isLate: boolean;
}

/** Severity numbers of syslog(3), which journald reads from a `<N>` prefix. */
export const syslogPriorities: Readonly<Record<ReportLevel, number>> = {
  alarm: 2,
  warning: 4,
  notice: 5,
  clear: 5,
  info: 6,
};

/** `2026-01-31T12:00:00.000Z alarm link-lost: sentence`, always one line. */
export function renderReport(line: ReportLine): string {
  return `${line.at} ${renderReportBody(line)}`;
}

/** `2026-01-31T12:00:00Z #17 node1 alarm link-lost: sentence`, always one line. */
export function renderClusterLine(line: ClusterLine): string {
  const { at, clock, node, isLate } = line;
  return `${at} #${clock} ${printable(node)} ${isLate ? "(late) " : ""}${renderReportBody(line)}`;
}

/** The same for journald, which keeps the time itself: `<2>alarm link-lost: sentence`. */
export function renderJournalReport(line: ReportLine): string {
  return `<${syslogPriorities[line.level]}>${renderReportBody(line)}`;
}

function renderReportBody(line: ReportLine): string {
  return `${line.level} ${line.code}: ${printable(line.sentence)}`;
}

/** Escape sequences of terminals, CSI and OSC: colours and window titles that scripts print. */
// deno-lint-ignore no-control-regex
const escapeSequences = /\u001b(?:\[[0-?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\))/g;

/** Everything else that could move the cursor, or forge another line. */
// deno-lint-ignore no-control-regex
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;

/** Text that a terminal or a log shows as it is, on one line. */
export function printable(text: string): string {
  return text.replace(escapeSequences, "").replace(controls, " ");
}
