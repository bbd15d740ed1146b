/** What an exploration did and found, for a terminal and for programs. */

import type { ExploreTally } from "../../../lib/sim/explore/explore.ts";
import type { Finding } from "../../../lib/sim/explore/finding.ts";
import type { Regime } from "../../../lib/sim/explore/plan.ts";
import type { Paint } from "../paint.ts";
import { renderTable, wrap } from "../table.ts";

/** Of the JSON output. */
const schema = 1;

export interface ExplorationSummary extends ExploreTally {
  readonly config: string | null;
  /** `null`: each seed draws its own cluster. */
  readonly nodes: number | null;
  readonly seed: number;
  /** Schedules that were to be tried. Fewer were when a promise was broken, or after an interruption. */
  readonly wanted: number;
  /** Why it ended before its time; `null`: it did not. */
  readonly interruption: string | null;
}

const regimesInWords: Readonly<Record<Regime, string>> = {
  shared: "links, daemons, power, scripts; one service network: never two holders of an address",
  arbiter: "partitions of both networks, an arbiter in one part: never two holders of an address",
  fencing: "partitions, and fence devices that fail: never two holders, no two nodes run parts of a group",
  open: "everything, service network and arbiter included: all is well after the repair",
  gentle: "one of several links at a time, loss, delay: nothing moves",
  calm: "orders and failing scripts, all links whole: parts of a group run on one node only",
};

export function renderExploration(
  summary: ExplorationSummary,
  finding: Finding | null,
  elapsedMs: number,
  paint: Paint,
): string[] {
  const { config, nodes, seed, runs, wanted, interruption, events, virtualMs, faults, regimes } = summary;
  const what = config === null ? "random clusters" : `${config} (${nodes} nodes)`;
  const perSecond = Math.round(runs / Math.max(elapsedMs, 1) * 1000);
  const rows = Object.entries(regimesInWords).filter(([regime]) => regimes[regime] !== undefined)
    .map(([regime, words]) => [regime, String(regimes[regime]).padStart(8), words]);
  return [
    ...wrap(`${what}: ${runs} schedules from seed ${seed}`, 80).map(paint.strong),
    ...wrap(
      `${faults} faults, ${events} events, ${(virtualMs / 3_600_000).toFixed(1)} hours of virtual time ` +
        `in ${(elapsedMs / 1000).toFixed(1)} s (${perSecond} schedules per second)`,
      80,
    ),
    "",
    ...renderTable(rows, { width: 80, indent: 2, widthsMax: [] }),
    "",
    ...finding === null
      ? interruption === null ? [paint.good("no promise was broken")] : wrap(
        `interrupted after ${runs} of ${wanted} (${interruption}): no promise was broken until then`,
        80,
      ).map(paint.doubtful)
      : findingLines(finding, config, paint),
  ];
}

function findingLines(finding: Finding, config: string | null, paint: Paint): string[] {
  const { seed, regime, promise, sentence, faultsBefore, faults, scenario, transcript } = finding;
  const again = `heartline simulate explore ${config === null ? "" : `${config} `}--seed ${seed} --runs 1`;
  return [
    paint.bad(`BROKEN: ${promise} (seed ${seed}, ${regime})`),
    ...wrap(sentence, 78).map((line) => `  ${line}`),
    `again: ${again}`,
    "",
    paint.strong(`${faults.length} of ${faultsBefore} faults suffice`),
    ...renderTable(faults.map(({ atMs, what }) => [`${(atMs / 1000).toFixed(3)} s`.padStart(12), what]), {
      width: 80,
      indent: 0,
      widthsMax: [],
    }),
    "",
    paint.strong("the last decisions"),
    transcript,
    "",
    paint.strong("as a scenario, for heartline simulate run"),
    scenario.trimEnd(),
  ];
}

export function explorationAsJson(summary: ExplorationSummary, finding: Finding | null) {
  return { schema, ...summary, finding };
}
