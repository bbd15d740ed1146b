/**
 * Where the daemon's reports go: standard error (with a priority for journald when that is what reads it), a log file
 * if one is set, and the memory of the last ones for `heartline history`. Must never hold up or fail the daemon.
 */

import { fstatSync, openSync } from "node:fs";
import type { ReportEffect } from "../core/effects.ts";
import type { ClusterEvent } from "../core/messaging/cluster_events.ts";
import { EnvironmentError } from "../errors.ts";
import { LineWriter } from "./line_writer.ts";
import { type ClusterLine, renderJournalReport, renderReport, type ReportLine } from "./report_line.ts";

/** Too low: the cause of an incident is gone before somebody looks; too high: memory. */
export const historyReportsMax = 500;

/** How long the end of the daemon waits for slow readers of its log. */
const flushLimitMs = 1000;

export interface ReportOptions {
  /** Appended to; created with mode 0640. */
  readonly logFile: string | null;
  /** For tests; standard error otherwise. */
  readonly descriptor?: number;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly now?: () => Date;
}

export interface ReportSink {
  write(report: ReportEffect): void;
  /** The last reports, oldest first. */
  history(): readonly ReportLine[];
  /** Adds to the cluster's history. `atMs`: Unix time of the event by its node's clock. */
  event(event: ClusterEvent, atMs: number): void;
  /** The last events of the cluster, in their order, the same on all nodes that hear each other. */
  clusterHistory(): readonly ClusterLine[];
  /** Opens the log file again, after it was rotated away. Where that fails the former file is kept, and it is said. */
  reopen(): void;
  /** Waits for what is not written yet, at most a second. */
  close(): Promise<void>;
}

/** Throws an environment error when the log file cannot be opened: somebody who asked for a log relies on it. */
export function openReports(options: ReportOptions): ReportSink {
  const now = options.now ?? (() => new Date());
  const descriptor = options.descriptor ?? 2;
  const render = isJournal(descriptor, options.environment ?? process.env)
    ? renderJournalReport
    : renderReport;
  const lost = (count: number) => ({
    at: now().toISOString(),
    level: "warning",
    code: "reports-lost",
    sentence: `${count} reports are missing here: nobody took them in time`,
    fields: { count },
  } as const);
  const screen = new LineWriter(descriptor, (count) => render(lost(count)));
  const openFile = (path: string) => new LineWriter(openLogFile(path), (count) => renderReport(lost(count)));
  let file = options.logFile === null ? null : openFile(options.logFile);
  const history: ReportLine[] = [];
  const events: ClusterLine[] = [];
  return {
    write({ level, code, sentence, fields }) {
      const line = { at: now().toISOString(), level, code, sentence, fields };
      history.push(line);
      if (history.length > historyReportsMax) history.shift();
      screen.write(render(line));
      file?.write(renderReport(line));
    },
    history: () => history,
    event({ node, clock, isLate, level, code, sentence, fields }, atMs) {
      const at = new Date(atMs).toISOString();
      events.push({ at, level, code, sentence, fields, node, clock, isLate });
      if (events.length > historyReportsMax) events.shift();
    },
    clusterHistory: () => events,
    reopen() {
      if (options.logFile === null) return;
      const former = file;
      try {
        file = openFile(options.logFile);
      } catch (error) {
        const sentence = `${error instanceof Error ? error.message : error}; the former file is written on`;
        this.write({ kind: "report", level: "warning", code: "log-not-reopened", sentence, fields: {} });
        return;
      }
      void former?.close(flushLimitMs);
    },
    async close() {
      await Promise.all([screen.flush(flushLimitMs), file?.close(flushLimitMs)]);
      file = null;
    },
  };
}

function openLogFile(path: string): number {
  try {
    return openSync(path, "a", 0o640);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const isDenied = code === "EACCES" || code === "EPERM";
    const rest = code === "ENOENT"
      ? "its directory does not exist; create it, or name another file"
      : isDenied
      ? "permission denied; run as root, or name another file"
      : `${code ?? cause}; name another file`;
    throw new EnvironmentError(`Cannot open log file "${path}": ${rest}`, isDenied ? 77 : 69, { cause });
  }
}

/** systemd.exec(5): JOURNAL_STREAM names device and inode of the journal's end; a redirected stream is another. */
function isJournal(descriptor: number, environment: Readonly<Record<string, string | undefined>>): boolean {
  const stream = environment.JOURNAL_STREAM;
  if (stream === undefined) return false;
  try {
    const { dev, ino } = fstatSync(descriptor);
    return stream === `${dev}:${ino}`;
  } catch {
    return false;
  }
}
