/**
 * How scenarios with a real daemon become tests: two at a time within a file, because they wait most of the time. Each
 * has a laboratory of its own.
 */

import { heartbeatUnavailable } from "../../scripts/lab/heartbeat.ts";
import { assertReplays } from "../e2e/scenarios/replays.ts";
import { cannotRun, targets } from "../e2e/harness.ts";
import { type MixedOptions, MixedPair, type Node } from "./mixed_pair.ts";

export interface InteropScenario {
  readonly name: string;
  /** Node on which Heartline runs; the group belongs on node1. */
  readonly ours: Node;
  readonly options?: MixedOptions;
  /** Runs against the compiled binary too. */
  readonly isEssential?: true;
  readonly needs?: readonly string[];
  readonly play: (pair: MixedPair) => Promise<void>;
}

/** Lower: the file takes longer. Higher: daemons starve each other on two cores. */
const atOnce = 2;

export function registerInterop(title: string, scenarios: readonly InteropScenario[]): void {
  const all = targets().flatMap((target) =>
    scenarios.filter(({ isEssential }) => target === "source" || isEssential === true)
      .map((scenario) => ({ scenario, target, title: `${scenario.name} (${target})` }))
  );
  const runnable = all.filter(({ scenario, target, title }) => {
    const reason = heartbeatUnavailable() ?? cannotRun(target, [...scenario.needs ?? [], "nft"]);
    if (reason === null) return true;
    console.warn(`SKIP "${title}": ${reason}`);
    Deno.test({ name: title, ignore: true, fn: () => {} });
    return false;
  });
  if (runnable.length === 0) return;
  Deno.test(`${title}, with a real Heartbeat daemon`, async (context) => {
    const queue = [...runnable];
    const work = async () => {
      for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
        const { scenario, target, title } = next;
        await context.step({
          name: title,
          // Steps run side by side, so that none can be blamed for what is open.
          sanitizeOps: false,
          sanitizeResources: false,
          sanitizeExit: false,
          fn: () =>
            MixedPair.with(scenario.ours, { ...scenario.options, target }, async (pair) => {
              await scenario.play(pair);
              const compared = assertReplays(pair.lab);
              console.log(`${title}: ${pair.figures()}, ${compared} decisions replayed`);
            }),
        });
      }
    };
    await Promise.all(Array.from({ length: atOnce }, work));
  });
}
