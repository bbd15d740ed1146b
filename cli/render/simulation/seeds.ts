/** What many seeds of one scenario came to, for a terminal. */

import type { SeedsResult, Worst } from "../../../lib/sim/scenario/seeds.ts";
import type { Paint } from "../paint.ts";
import { type Cell, renderTable, wrap } from "../table.ts";

export interface SeedsSummary extends SeedsResult {
  /** Seeds that were to be played. Fewer were after an interruption. */
  readonly wanted: number;
  /** Why it ended before its time; `null`: it did not. */
  readonly interruption: string | null;
}

export function renderSeeds(result: SeedsSummary, width: number, paint: Paint): string[] {
  const { count, failures, groups } = result;
  const rows = groups.map(({ group, outage, overlap, falseFailovers, needlessMoves }): Cell[] => [
    { text: group, paint: paint.strong },
    [
      `longest outage ${worst(outage)}`,
      overlap.ms > 0 ? `TWO HOLDERS for up to ${worst(overlap)}` : "never two holders",
      `${falseFailovers} false failovers, ${needlessMoves} needless moves in all`,
    ].join("; "),
  ]);
  const failing = failures.map(({ expected, count: times, firstSeed: seed }): Cell[] => [
    { text: "FAILED", paint: paint.bad },
    `${times} times, first with --seed ${seed}: ${expected}`,
  ]);
  return [
    paint.strong(`${count} SEEDS`),
    ...renderTable(rows, { width, indent: 2, widthsMax: [20] }),
    ...renderTable(failing, { width, indent: 2, widthsMax: [8] }),
    "",
    ...verdictLines(result, width, paint),
  ];
}

function verdictLines(result: SeedsSummary, width: number, paint: Paint): string[] {
  const { firstSeed, count, wanted, interruption, failed } = result;
  const isInterrupted = interruption !== null;
  const verdict = failed > 0
    ? `${failed} of ${count} seeds from ${firstSeed} on did NOT go as expected; the first is told above.`
    : isInterrupted
    ? "Until then all went as expected."
    : `All ${count} seeds from ${firstSeed} on went as expected.`;
  const tint = failed > 0 ? paint.bad : isInterrupted ? paint.doubtful : paint.good;
  return [
    ...isInterrupted
      ? wrap(`interrupted after ${count} of ${wanted} (${interruption})`, width).map(paint.doubtful)
      : [],
    ...wrap(verdict, width).map(tint),
  ];
}

function worst({ ms, seed }: Worst): string {
  const text = ms < 10_000 ? `${(ms / 1000).toFixed(3)} s` : `${(ms / 1000).toFixed(1)} s`;
  return ms > 0 ? `${text} (seed ${seed})` : text;
}
