/**
 * What is shown while a measurement runs: a line of progress on standard error or, with `--watch`, a table that is
 * redrawn in place. Only on a terminal; elsewhere nothing, but for the tables of `--watch`. Must leave the terminal
 * as it was, however it ends.
 */

import process from "node:process";
import type { ProbeResult } from "../../commands/probe/result.ts";
import type { Measurement } from "../../../lib/probe/measurement.ts";
import { renderTable } from "../table.ts";
import { percent, renderSpan, two } from "./spans.ts";

export interface Display {
  close(): Promise<void>;
}

/** A longer measurement than this wants to be seen to go on. */
const progressIntervalMs = 500;
const tableIntervalMs = 1_000;
/** The share of time for the table is at most one of so many. */
const restFactor = 10;

export function openDisplay(
  measurement: Measurement,
  isTable: boolean,
  result: () => Promise<ProbeResult>,
): Display {
  return isTable ? openTable(measurement, result) : openProgress(measurement);
}

function openProgress(measurement: Measurement): Display {
  if (!process.stderr.isTTY) return { close: () => Promise.resolve() };
  const timer = setInterval(() => {
    process.stderr.write(`\r${progressLine(measurement)}\x1b[K`);
  }, progressIntervalMs);
  return {
    close: () => {
      clearInterval(timer);
      process.stderr.write("\r\x1b[K");
      return Promise.resolve();
    },
  };
}

function progressLine(measurement: Measurement): string {
  const { count, intervalMs } = measurement.settings;
  const answered = measurement.answeredCounts().join(", ");
  const left = renderSpan((count - measurement.askedCount) * intervalMs);
  return `${measurement.askedCount} of ${count} asked, ${answered} answered; ${left} to go, Ctrl-C ends early`;
}

/** On a terminal in place; elsewhere one table after the other. */
function openTable(measurement: Measurement, result: () => Promise<ProbeResult>): Display {
  const isTerminal = process.stdout.isTTY === true;
  let drawn = 0;
  let drawing: Promise<void> = Promise.resolve();
  const draw = async () => {
    const lines = tableLines(await result(), measurement);
    const up = isTerminal && drawn > 0 ? `\x1b[${drawn}A` : "";
    const end = isTerminal ? "\x1b[K\n" : "\n";
    process.stdout.write(up + lines.map((line) => line + end).join("") + (isTerminal ? "\x1b[J" : ""));
    drawn = lines.length;
  };
  // What takes long to compute is computed rarely: it must not make the questions late.
  const drawAndWait = async () => {
    const startMs = performance.now();
    await draw();
    const tookMs = performance.now() - startMs;
    timer = setTimeout(() => drawing = drawAndWait(), Math.max(tableIntervalMs, restFactor * tookMs));
  };
  let timer = setTimeout(() => drawing = drawAndWait(), tableIntervalMs);
  return {
    close: async () => {
      clearTimeout(timer);
      await drawing;
      clearTimeout(timer);
      if (drawn > 0) process.stdout.write("\n");
    },
  };
}

export function tableLines(result: ProbeResult, measurement: Measurement): string[] {
  const { count } = measurement.settings;
  const rows = result.paths.map(({ description, report }) => [
    description,
    `${report.answered}/${report.asked}`,
    percent(report.roundTrip.loss.value),
    report.outward === null ? "-" : percent(report.outward.loss.value),
    report.homeward === null ? "-" : percent(report.homeward.loss.value),
    String(report.roundTrip.longestBurst),
    report.delay === null ? "-" : two(report.delay.medianMs.value),
    report.delay === null ? "-" : two(report.delay.p99Ms.value),
    report.delay === null ? "-" : two(report.delay.jitterMs),
  ]);
  const price = result.prices[0]?.advice.recommended ?? null;
  return [
    ...renderTable([
      ["path", "answered", "lost", "there", "back", "row", "median", "p99 ms", "jitter"],
      ...rows,
    ], { width: Math.min(process.stdout.columns || 80, 110), indent: 0, widthsMax: [26] }),
    `${measurement.askedCount} of ${count} asked` +
    (price === null ? "" : `; so far deadtime ${renderSpan(price.deadTimeMs)} would do`),
  ];
}
