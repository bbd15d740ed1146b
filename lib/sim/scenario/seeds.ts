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
  const failures = new Map<string, { count: number; firstSeed: number }>();
  const groups = new Map<string, GroupSpread>();
  let failed = 0;
  let failedSeed: number | null = null;
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const { judgements, tallies } = runScenario(scenario, { seed });
    const unmet = judgements.filter(({ isMet }) => !isMet);
    if (unmet.length > 0) {
      failed++;
      failedSeed ??= seed;
    }
    for (const { expected } of unmet) {
      const known = failures.get(expected) ?? { count: 0, firstSeed: seed };
      failures.set(expected, { ...known, count: known.count + 1 });
    }
    for (const { group, longestOutageMs, twoMs, moves } of tallies) {
      const spread = groups.get(group);
      const count = (kind: string) => moves.filter((move) => move.kind === kind).length;
      groups.set(group, {
        group,
        outage: worse(spread?.outage, longestOutageMs, seed),
        overlap: worse(spread?.overlap, twoMs, seed),
        falseFailovers: (spread?.falseFailovers ?? 0) + count("false"),
        needlessMoves: (spread?.needlessMoves ?? 0) + count("needless"),
      });
    }
  }
  return {
    firstSeed,
    count,
    failed,
    failedSeed,
    failures: [...failures].map(([expected, rest]) => ({ expected, ...rest })),
    groups: [...groups.values()],
  };
}

function worse(known: Worst | undefined, ms: number, seed: number): Worst {
  return known === undefined || ms > known.ms ? { ms, seed } : known;
}
