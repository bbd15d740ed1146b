/**
 * Where the daemon's reports go: standard error (with syslog priorities where systemd's journal reads it), a log file
 * if one is set, and a bounded history for `heartline history`. Writing never throws and never waits.
 */

import { appendFile } from "node:fs";
import type { ReportEffect } from "../core/effects.ts";
import { renderJournalReport, renderReport, type ReportLine } from "./report_line.ts";

/** Reports kept for `history`. Higher: more memory; lower: the night's beginning is gone by the morning. */
export const historyMax = 500;

export interface ReportSink {
  write(report: ReportEffect): void;
  /** Oldest first. */
  history(): readonly ReportLine[];
  close(): Promise<void>;
}

export function openReports(options: { readonly logFile: string | null }): ReportSink {
  const isJournal = process.env["JOURNAL_STREAM"] !== undefined;
  const lines: ReportLine[] = [];
  let writing = Promise.resolve();
  const append = (text: string, path: string) =>
    new Promise<void>((resolve) => appendFile(path, text, { mode: 0o640 }, () => resolve()));
  return {
    write({ level, code, sentence, fields }) {
      const line: ReportLine = { at: new Date().toISOString(), level, code, sentence, fields };
      lines.push(line);
      if (lines.length > historyMax) lines.shift();
      process.stderr.write(`${isJournal ? renderJournalReport(line) : renderReport(line)}\n`);
      const { logFile } = options;
      if (logFile !== null) writing = writing.then(() => append(`${renderReport(line)}\n`, logFile));
    },
    history: () => lines,
    close: () => writing,
  };
}
