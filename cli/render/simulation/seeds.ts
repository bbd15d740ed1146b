/** What many seeds of one scenario came to, for a terminal. */

import type { SeedsResult, Worst } from "../../../lib/sim/scenario/seeds.ts";
import type { Paint } from "../paint.ts";
import { type Cell, renderTable } from "../table.ts";

export function renderSeeds(result: SeedsResult, width: number, paint: Paint): string[] {
  const { firstSeed, count, failed, failures, groups } = result;
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
  const verdict = failed === 0
    ? paint.good(`All ${count} seeds from ${firstSeed} on went as expected.`)
    : paint.bad(
      `${failed} of ${count} seeds from ${firstSeed} on did NOT go as expected; the first is told above.`,
    );
  return [
    paint.strong(`${count} SEEDS`),
    ...renderTable(rows, { width, indent: 2, widthsMax: [20] }),
    ...renderTable(failing, { width, indent: 2, widthsMax: [8] }),
    "",
    verdict,
  ];
}

function worst({ ms, seed }: Worst): string {
  const text = ms < 10_000 ? `${(ms / 1000).toFixed(3)} s` : `${(ms / 1000).toFixed(1)} s`;
  return ms > 0 ? `${text} (seed ${seed})` : text;
}
