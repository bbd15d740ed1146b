/** One scenario with many seeds: how often it goes as expected, and how bad it gets. A single run is one throw of dice. */

import { runScenario } from "./run.ts";
import type { Scenario } from "./scenario.ts";

export interface SeedsResult {
  readonly firstSeed: number;
  readonly count: number;
  /** Runs in which some expectation was not met. */
  readonly failed: number;
  /** The first of them; `null`: none. */
  readonly failedSeed: number | null;
  /** By expectation that was not always met. */
  readonly failures: readonly {
    readonly expected: string;
    readonly count: number;
    readonly firstSeed: number;
  }[];
  readonly groups: readonly GroupSpread[];
}

export interface GroupSpread {
  readonly group: string;
  readonly outage: Worst;
  /** Time with two holders. */
  readonly overlap: Worst;
  /** In all runs together. */
  readonly falseFailovers: number;
  readonly needlessMoves: number;
}

export interface Worst {
  readonly ms: number;
  readonly seed: number;
}

/** Runs the seeds from `firstSeed` on. */
export function runSeeds(scenario: Scenario, firstSeed: number, count: number): SeedsResult {
  return together(
    firstSeed,
    Array.from({ length: count }, (_, index) => runSeed(scenario, firstSeed + index)),
  );
}

function runSeed(scenario: Scenario, seed: number): SeedsResult {
  const { judgements, tallies } = runScenario(scenario, { seed });
  const unmet = judgements.filter(({ isMet }) => !isMet);
  return {
    firstSeed: seed,
    count: 1,
    failed: unmet.length > 0 ? 1 : 0,
    failedSeed: unmet.length > 0 ? seed : null,
    failures: unmet.map(({ expected }) => ({ expected, count: 1, firstSeed: seed })),
    groups: tallies.map(({ group, longestOutageMs, twoMs, moves }) => ({
      group,
      outage: { ms: longestOutageMs, seed },
      overlap: { ms: twoMs, seed },
      falseFailovers: moves.filter(({ kind }) => kind === "false").length,
      needlessMoves: moves.filter(({ kind }) => kind === "needless").length,
    })),
  };
}

/** What several parts come to, in the order of their seeds; `firstSeed`: of all, for when there is no part. */
export function together(firstSeed: number, parts: readonly SeedsResult[]): SeedsResult {
  const failures = new Map<string, SeedsResult["failures"][number]>();
  const groups = new Map<string, GroupSpread>();
  let [count, failed] = [0, 0];
  let failedSeed: number | null = null;
  for (const part of parts) {
    count += part.count;
    failed += part.failed;
    failedSeed ??= part.failedSeed;
    for (const failure of part.failures) {
      const known = failures.get(failure.expected);
      failures.set(failure.expected, { ...failure, ...known, count: failure.count + (known?.count ?? 0) });
    }
    for (const spread of part.groups) {
      const known = groups.get(spread.group);
      groups.set(spread.group, known === undefined ? spread : worseOf(known, spread));
    }
  }
  return {
    firstSeed,
    count,
    failed,
    failedSeed,
    failures: [...failures.values()],
    groups: [...groups.values()],
  };
}

function worseOf(known: GroupSpread, next: GroupSpread): GroupSpread {
  return {
    group: known.group,
    outage: next.outage.ms > known.outage.ms ? next.outage : known.outage,
    overlap: next.overlap.ms > known.overlap.ms ? next.overlap : known.overlap,
    falseFailovers: known.falseFailovers + next.falseFailovers,
    needlessMoves: known.needlessMoves + next.needlessMoves,
  };
}
