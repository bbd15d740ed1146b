/** What a simulation can be cut into: each job is plain data, takes a moment on one core, and gives plain data. */

import type { Cluster } from "../../../lib/sim/cluster.ts";
import { type ExploreTally, runSeed } from "../../../lib/sim/explore/explore.ts";
import type { Settings } from "../../../lib/core/settings.ts";
import type { Scenario } from "../../../lib/sim/scenario/scenario.ts";
import { runSeeds, type SeedsResult } from "../../../lib/sim/scenario/seeds.ts";
import { type Danger, type ProofOptions, Prover } from "../../../lib/sim/prove/prove.ts";
import { type Schedule, schedulesOf } from "../../../lib/sim/prove/schedules.ts";
import type { Cell } from "../../../lib/sim/sweep/parameters.ts";
import { type CellFigures, measureCell } from "../../../lib/sim/sweep/sweep.ts";
import { loadCluster } from "./cluster.ts";

/** `config`: absolute path; `null`: clusters from the seed. */
export interface ExploreJob {
  readonly kind: "explore";
  readonly config: string | null;
  readonly seed: number;
  readonly runs: number;
}

/** `count` schedules of so many faults, from the one numbered `from` on. */
export interface ProveJob {
  readonly kind: "prove";
  readonly config: string;
  readonly options: ProofOptions;
  readonly faults: number;
  readonly from: number;
  readonly count: number;
}

export interface ProveOutcome {
  readonly config: string;
  readonly played: number;
  /** By danger: how many schedules led there, and the first. */
  readonly found: readonly {
    readonly danger: Danger;
    readonly count: number;
    readonly index: number;
    readonly schedule: Schedule;
  }[];
}

export interface SweepJob {
  readonly kind: "sweep";
  readonly config: string;
  readonly cell: Cell;
  readonly seed: number;
  readonly heartbeats: number;
}

/** So many seeds of a scenario, from `seed` on. */
export interface SeedsJob {
  readonly kind: "seeds";
  /** The scenario has its own. */
  readonly config: null;
  readonly scenario: PlainScenario;
  readonly seed: number;
  readonly count: number;
}

/** As it was read: a worker that read its files again might find others. */
export type PlainScenario = Omit<Scenario, "settings"> & {
  readonly settings: readonly (readonly [node: string, settings: Settings])[];
};

export function asPlain(scenario: Scenario): PlainScenario {
  return { ...scenario, settings: [...scenario.settings] };
}

export function fromPlain(scenario: PlainScenario): Scenario {
  return { ...scenario, settings: new Map(scenario.settings) };
}

export type Job = ExploreJob | ProveJob | SweepJob | SeedsJob;
export type OutcomeOf<J extends Job> = J extends ExploreJob ? ExploreTally
  : J extends ProveJob ? ProveOutcome
  : J extends SeedsJob ? SeedsResult
  : CellFigures;

const clusters = new Map<string, Cluster>();

export async function runJob<J extends Job>(job: J): Promise<OutcomeOf<J>> {
  const cluster = job.config === null ? null : await clusterAt(job.config);
  return outcomeOf(job, cluster) as OutcomeOf<J>;
}

function outcomeOf(job: Job, cluster: Cluster | null): OutcomeOf<Job> {
  switch (job.kind) {
    case "explore":
      return explore(job, cluster);
    case "prove":
      return prove(job, cluster!);
    case "sweep":
      return measureCell(cluster!.settings, job.cell, job.seed, job.heartbeats);
    case "seeds":
      return runSeeds(fromPlain(job.scenario), job.seed, job.count);
  }
}

async function clusterAt(path: string): Promise<Cluster> {
  const cluster = clusters.get(path) ?? await loadCluster(path);
  clusters.set(path, cluster);
  return cluster;
}

function explore(job: ExploreJob, cluster: Cluster | null): ExploreTally {
  const regimes: Record<string, number> = {};
  let [runs, events, virtualMs, faults] = [0, 0, 0, 0];
  let brokenSeed: number | null = null;
  while (runs < job.runs && brokenSeed === null) {
    const { plan, simulation, violation } = runSeed(job.seed + runs, cluster);
    if (violation !== null) brokenSeed = job.seed + runs;
    runs++;
    events += simulation.queue.count;
    virtualMs += simulation.nowMs;
    faults += plan.faults.length;
    regimes[plan.regime] = (regimes[plan.regime] ?? 0) + 1;
  }
  return { runs, events, virtualMs, faults, regimes, brokenSeed };
}

/** Where the enumeration stands: the next job mostly goes on from there. */
let enumeration: { key: string; index: number; schedules: Generator<Schedule>; prover: Prover } | null = null;

function prove({ config, options, faults, from, count }: ProveJob, cluster: Cluster): ProveOutcome {
  const key = JSON.stringify([config, options, faults]);
  if (enumeration?.key !== key || enumeration.index > from) {
    const prover = new Prover(cluster, options);
    enumeration = { key, index: 0, schedules: schedulesOf(prover.space, faults), prover };
  }
  const found = new Map<Danger, { danger: Danger; count: number; index: number; schedule: Schedule }>();
  const { prover, schedules } = enumeration;
  for (; enumeration.index < from; enumeration.index++) schedules.next();
  let played = 0;
  for (; played < count; played++) {
    const next = schedules.next();
    if (next.done === true) break;
    const index = enumeration.index++;
    for (const { danger } of prover.play(next.value).verdicts) {
      const first = found.get(danger) ?? { danger, count: 0, index, schedule: next.value };
      found.set(danger, { ...first, count: first.count + 1 });
    }
  }
  return { config, played, found: [...found.values()] };
}
