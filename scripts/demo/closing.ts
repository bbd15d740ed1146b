/**
 * What was measured: one line after each scenario, the closing table, the verdict and the JSON object.
 *
 * PURE. The figures are wall-clock figures of one run on one machine, and are called so.
 */

import { version } from "../../lib/version.ts";
import type { Result } from "./play.ts";
import { askIntervalMs, deadTimeMs, keepaliveMs, type Mode } from "./stages/stage.ts";
import { hang, type Paint } from "./text.ts";

export interface Skipped {
  readonly name: string;
  readonly title: string;
  readonly reason: string;
}

export interface Run {
  readonly mode: Mode;
  readonly results: readonly Result[];
  readonly skipped: readonly Skipped[];
}

/** The longest title and no more: the row has to fit. */
const TITLE = 34;

/** The measured figures of one scenario, and what was not as expected. */
export function renderResult(result: Result, paint: Paint): string[] {
  const { outageMs, uncertaintyMs, ratio, holder } = result;
  const outage = ratio === null
    ? `first answer after ${ms(outageMs)} ms`
    : `outage ${ms(outageMs)} ms ± ${ms(uncertaintyMs)} = ${ratio.toFixed(2)} deadtimes`;
  const measured = `   measured  ${outage}; overlap ${ms(result.overlapMs)} ms; ${holder ?? "nobody"} holds`;
  const verdict = result.findings.length === 0
    ? [paint("good", "   as expected")]
    : result.findings.flatMap((finding) =>
      hang(`   NOT AS EXPECTED: ${finding}`, 3).map((line) => paint("bad", line))
    );
  return ["", ...hang(measured, 13), ...verdict];
}

export function renderTable({ mode, results, skipped }: Run, paint: Paint): string[] {
  const widths = [TITLE, 8, 9, 4, 5, 7];
  const row = (cells: readonly string[], last: string) =>
    "  " + cells.map((cell, index) =>
      index === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[index] ?? 0)
    )
      .join(" ") +
    `  ${last}`;
  const subject = mode === "namespaces" ? "the ping client" : "the client";
  return [
    "",
    paint("strong", row(["scenario", "deadtime", "outage", "±", "ratio", "overlap"], "")),
    ...results.map((result) => {
      const { scenario, outageMs, uncertaintyMs, ratio } = result;
      const cells = [
        scenario.title,
        `${deadTimeMs} ms`,
        `${ms(outageMs)} ms`,
        ms(uncertaintyMs),
        ratio === null ? "-" : ratio.toFixed(2),
        `${ms(result.overlapMs)} ms`,
      ];
      return row(cells, result.findings.length === 0 ? paint("good", "ok") : paint("bad", "NO"));
    }),
    ...skipped.flatMap(({ title, reason }) =>
      hang(`  ${title.padEnd(TITLE)} not played: ${reason}`, TITLE + 3)
    ),
    "",
    ...hang(
      `  outage: the longest time without an answer, as ${subject} saw it (asks every ${askIntervalMs} ms, so a ` +
        "healthy service shows a few ms); of the start: until the first answer. ±: the longest that the client " +
        "itself did not look. ratio: outage / deadtime. overlap: both nodes held the service. Wall-clock figures " +
        "of this run on this machine.",
      2,
    ).map((line) => paint("faint", line)),
  ];
}

/** Whether each scenario went as expected. */
export function renderVerdict({ results, skipped }: Run, paint: Paint): string[] {
  const wrong = results.filter(({ findings }) => findings.length > 0);
  if (wrong.length === 0) {
    const rest = skipped.length === 0 ? "" : ` (${skipped.length} not played)`;
    return ["", paint("good", `  All ${results.length} scenarios went as expected${rest}.`)];
  }
  return [
    "",
    paint("bad", `  ${wrong.length} of ${results.length} scenarios did NOT go as expected:`),
    ...wrong.flatMap(({ scenario, findings }) =>
      findings.flatMap((finding) => hang(`  - ${scenario.title}: ${finding}`, 4))
    ),
  ];
}

export function isAsExpected(run: Run): boolean {
  return run.results.every(({ findings }) => findings.length === 0);
}

/** The last line of the demo. */
export function renderJson(run: Run): string {
  return JSON.stringify({
    schema: 1,
    version,
    mode: run.mode,
    keepaliveMs,
    deadTimeMs,
    ok: isAsExpected(run),
    scenarios: run.results.map((result) => ({
      name: result.scenario.name,
      deadTimeMs,
      outageMs: round(result.outageMs),
      uncertaintyMs: round(result.uncertaintyMs),
      ratio: result.ratio === null ? null : Number(result.ratio.toFixed(3)),
      overlapMs: round(result.overlapMs),
      samplingGapMs: round(result.samplingGapMs),
      repeatedAfterStallMs: result.repeatedAfterStallMs === null ? null : round(result.repeatedAfterStallMs),
      holder: result.holder,
      ok: result.findings.length === 0,
      findings: result.findings,
    })),
    skipped: run.skipped.map(({ name, reason }) => ({ name, reason })),
  });
}

function ms(value: number): string {
  return value.toFixed(0);
}

function round(value: number): number {
  return Number(value.toFixed(1));
}
