/** Explores on all cores, shrinks what breaks a promise, and shows it. */

import process from "node:process";
import { availableParallelism } from "node:os";
import { resolve } from "node:path";
import { type ExploreTally, runSeed } from "../../../lib/sim/explore/explore.ts";
import { describeFinding, type Finding } from "../../../lib/sim/explore/finding.ts";
import { monotonicMs } from "../../../lib/system/clock.ts";
import { printJson } from "../../control.ts";
import { requireWritable, writeOutput } from "../../output_file.ts";
import { paintFor } from "../../render/paint.ts";
import { Progress } from "../../render/progress.ts";
import {
  explorationAsJson,
  type ExplorationSummary,
  renderExploration,
} from "../../render/simulation/exploration.ts";
import { loadCluster, requireRivals } from "./cluster.ts";
import type { ExploreJob } from "./jobs.ts";
import { runJobs } from "./pool.ts";

export interface ExplorePlayOptions {
  readonly runs: number;
  readonly seed?: number | undefined;
  readonly jobs?: number | undefined;
  readonly scenario?: string | undefined;
  readonly json?: true | undefined;
}

/** Runs of one job. More: workers wait for each other at the end. Fewer: they wait for jobs. */
const runsOfJob = 20;

const seedsMax = 1_000_000_000;

/** 0 every promise was kept, 1 one was broken, or not all was tried. */
export async function explorePlay(path: string | null, options: ExplorePlayOptions): Promise<0 | 1> {
  const config = path === null ? null : resolve(path);
  const cluster = config === null ? null : await loadCluster(config);
  if (path !== null) requireRivals(cluster!, path);
  await requireWritable(options.scenario);
  const seed = options.seed ?? Math.floor(Math.random() * (seedsMax - options.runs));
  const startedMs = monotonicMs();
  const { total, interruption } = await exploreAll(config, seed, options, startedMs);
  const elapsedMs = monotonicMs() - startedMs;
  const finding = total.brokenSeed === null
    ? null
    : describeFinding(runSeed(total.brokenSeed, cluster), config);
  const summary: ExplorationSummary = {
    ...total,
    seed,
    wanted: options.runs,
    interruption,
    config: path,
    nodes: cluster?.settings.nodes.length ?? null,
  };
  if (finding !== null && options.scenario !== undefined) {
    await writeOutput(options.scenario, finding.scenario);
  }
  await show(summary, finding, elapsedMs, options);
  return finding === null && summary.runs === options.runs ? 0 : 1;
}

async function exploreAll(
  config: string | null,
  seed: number,
  { runs, jobs }: ExplorePlayOptions,
  startedMs: number,
): Promise<{ readonly total: ExploreTally; readonly interruption: string | null }> {
  const outcomes: { readonly seed: number; readonly outcome: ExploreTally }[] = [];
  let done = 0;
  let interruption: string | null;
  const progress = new Progress(process.stderr, runs, "schedules");
  const cores = Math.min(jobs ?? availableParallelism(), Math.ceil(runs / runsOfJob));
  try {
    interruption = await runJobs(jobsOf(config, seed, runs), (outcome, job) => {
      outcomes.push({ seed: job.seed, outcome });
      done += outcome.runs;
      progress.show(done, monotonicMs() - startedMs);
      return outcome.brokenSeed === null;
    }, cores);
  } finally {
    progress.end();
  }
  outcomes.sort((a, b) => a.seed - b.seed);
  return { total: sum(outcomes.map(({ outcome }) => outcome)), interruption };
}

function* jobsOf(config: string | null, seed: number, runs: number): Generator<ExploreJob> {
  for (let done = 0; done < runs; done += runsOfJob) {
    yield { kind: "explore", config, seed: seed + done, runs: Math.min(runsOfJob, runs - done) };
  }
}

/** In the order of their seeds, up to the first that broke a promise: so it is no matter which worker was faster. */
function sum(outcomes: readonly ExploreTally[]): ExploreTally {
  const regimes: Record<string, number> = {};
  let [runs, events, virtualMs, faults] = [0, 0, 0, 0];
  for (const outcome of outcomes) {
    runs += outcome.runs;
    events += outcome.events;
    virtualMs += outcome.virtualMs;
    faults += outcome.faults;
    for (const [regime, count] of Object.entries(outcome.regimes)) {
      regimes[regime] = (regimes[regime] ?? 0) + count;
    }
    if (outcome.brokenSeed !== null) {
      return { runs, events, virtualMs, faults, regimes, brokenSeed: outcome.brokenSeed };
    }
  }
  return { runs, events, virtualMs, faults, regimes, brokenSeed: null };
}

async function show(
  summary: ExplorationSummary,
  finding: Finding | null,
  elapsedMs: number,
  { json }: ExplorePlayOptions,
): Promise<void> {
  if (json) return printJson(explorationAsJson(summary, finding));
  const paint = await paintFor(process.stdout);
  process.stdout.write(renderExploration(summary, finding, elapsedMs, paint).join("\n") + "\n");
}
