/**
 * What a scenario is, and how it becomes a test: two (or more) real daemons in namespaces, one fresh laboratory each.
 * Essential scenarios run against the sources and against the binary; the others against the sources only, to keep
 * the whole within minutes: both are made of the same code, and what differs between the runtimes is in all of them.
 */

import process from "node:process";
import type { ConfigOptions } from "../../../scripts/lab/config.ts";
import { cannotRun, type PairOptions, targets, withPair } from "../harness.ts";
import { assertReplays } from "./replays.ts";
import { Stage } from "./stage.ts";

export interface Scenario {
  readonly name: string;
  /** Runs against the binary too. */
  readonly isEssential?: true;
  /** Programs without which it cannot run. */
  readonly needs?: readonly string[];
  readonly options?: Omit<PairOptions, "config">;
  readonly config?: ConfigOptions;
  readonly play: (stage: Stage) => Promise<void>;
}

/** The longest lease that ends by itself before others act is then a second: the shortest that a kernel knows. */
const deadTimeMsDefault = 1000;

/** Registers scenarios as tests. HEARTLINE_E2E_ALL=1 runs all of them against every target. */
export function register(scenarios: readonly Scenario[]): void {
  for (const scenario of scenarios) {
    const { name, needs = [], options = {}, config = {}, isEssential = false } = scenario;
    const isForAll = isEssential || process.env.HEARTLINE_E2E_ALL === "1";
    const deadTimeMs = config.deadTimeMs ?? deadTimeMsDefault;
    for (const target of targets()) {
      if (target === "binary" && !isForAll) continue;
      const title = `${name} (${target})`;
      const reason = cannotRun(target, needs);
      if (reason !== null) console.warn(`SKIP "${title}": ${reason}`);
      Deno.test({
        name: title,
        ignore: reason !== null,
        fn: () =>
          withPair(target, { ...options, config: { ...config, deadTimeMs } }, async (pair) => {
            const stage = new Stage(pair, deadTimeMs);
            await scenario.play(stage);
            const compared = assertReplays(stage.lab);
            console.log(`${title}: ${stage.figures()}, ${compared} decisions replayed`);
          }),
      });
    }
  }
}
