/** Plays one scenario with many seeds, on all cores. */

import process from "node:process";
import { availableParallelism } from "node:os";
import type { Scenario } from "../../../lib/sim/scenario/scenario.ts";
import { type SeedsResult, together } from "../../../lib/sim/scenario/seeds.ts";
import { monotonicMs } from "../../../lib/system/clock.ts";
import { Progress } from "../../render/progress.ts";
import type { SeedsSummary } from "../../render/simulation/seeds.ts";
import { asPlain, type SeedsJob } from "./jobs.ts";
import { runJobs } from "./pool.ts";

/** Seeds of one job. More: Ctrl-C in a scenario of many hours is answered late. Fewer: workers wait for jobs. */
const seedsOfJob = 4;

export async function playSeeds(
  scenario: Scenario,
  firstSeed: number,
  wanted: number,
  cores = availableParallelism(),
): Promise<SeedsSummary> {
  const parts: SeedsResult[] = [];
  let done = 0;
  let interruption: string | null;
  const progress = new Progress(process.stderr, wanted, "seeds");
  const startedMs = monotonicMs();
  try {
    interruption = await runJobs(jobsOf(scenario, firstSeed, wanted), (part) => {
      parts.push(part);
      done += part.count;
      progress.show(done, monotonicMs() - startedMs);
      return true;
    }, Math.min(cores, Math.ceil(wanted / seedsOfJob)));
  } finally {
    progress.end();
  }
  // So it is no matter which worker was faster.
  parts.sort((a, b) => a.firstSeed - b.firstSeed);
  return { ...together(firstSeed, parts), wanted, interruption };
}

function* jobsOf(scenario: Scenario, firstSeed: number, wanted: number): Generator<SeedsJob> {
  const plain = asPlain(scenario);
  for (let done = 0; done < wanted; done += seedsOfJob) {
    const count = Math.min(seedsOfJob, wanted - done);
    yield { kind: "seeds", config: null, scenario: plain, seed: firstSeed + done, count };
  }
}
