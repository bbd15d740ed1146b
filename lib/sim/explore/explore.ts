/**
 * Runs random scenarios, one per seed, and stops at the first that breaks a promise: first safety under faults, then
 * everything is healed and the cluster must come to rest. A found seed is a whole run; it can be run again alone.
 */

import { alarmsAreRaised } from "../checkers/alarms.ts";
import { neverOlderStatement, neverWithoutExclusion, stallsAreNoticed } from "../checkers/beliefs.ts";
import {
  announcedByHolderOnly,
  epochsRise,
  neverTwoAnywhere,
  neverTwoHolders,
  nothingMoves,
  pace,
} from "../checkers/cautions.ts";
import { fencingIsKept } from "../checkers/fencing.ts";
import type { PlannedFault } from "../faults.ts";
import type { Simulation } from "../simulation.ts";
import { type Cluster, simulate } from "../cluster.ts";
import { healAndJudge } from "./heal.ts";
import { drawPlan, type Plan, type Regime } from "./plan.ts";

export interface Exploration {
  readonly seed: number;
  readonly plan: Plan;
  readonly simulation: Simulation;
  /** What was done after the storm. */
  readonly repairs: readonly PlannedFault[];
  /** `null`: every promise was kept. */
  readonly violation: string | null;
}

/** What many runs came to. */
export interface ExploreTally {
  readonly runs: number;
  readonly events: number;
  readonly virtualMs: number;
  readonly faults: number;
  readonly regimes: Readonly<Record<string, number>>;
  /** The first seed that broke a promise; later ones were not run. */
  readonly brokenSeed: number | null;
}

/** Runs a plan under the checkers of its regime, then heals and demands that all be well. */
export function runPlan(plan: Plan): Exploration {
  const { seed, regime } = plan;
  const simulation = simulate(plan, seed, plan.startAtMs);
  simulation.observe(announcedByHolderOnly(simulation));
  simulation.observe(epochsRise(simulation));
  simulation.observe(neverOlderStatement(simulation));
  simulation.observe(neverWithoutExclusion(simulation));
  simulation.observe(stallsAreNoticed(simulation));
  simulation.observe(pace(simulation));
  const fencing = fencingIsKept(simulation);
  if (fencing !== null) simulation.observe(fencing);
  if (regime !== "open") simulation.observe(neverTwoHolders(simulation));
  if (regime === "gentle" || regime === "calm" || regime === "fencing") {
    simulation.observe(neverTwoAnywhere(simulation));
  }
  if (regime === "gentle") simulation.observe(nothingMoves(simulation, plan.restFromMs));
  alarmsAreRaised(simulation, plan.healAtMs);
  for (const { atMs, fault } of plan.faults) simulation.at(atMs, fault);
  const repairs = healAndJudge(simulation, plan);
  return { seed, plan, simulation, repairs, violation: simulation.violation };
}

/** Runs the scenario of one seed; of this cluster, or of a random one. */
export function runSeed(seed: number, cluster: Cluster | null = null): Exploration {
  return runPlan(drawPlan(seed, cluster));
}

export interface ExploreOptions {
  /** `null`: a random one for each seed. */
  readonly cluster?: Cluster | null;
  /** Seeds whose plan is of another regime are passed over. */
  readonly regime?: Regime;
  readonly onRun?: (exploration: Exploration) => void;
}

/** Runs so many seeds from `seed` on; ends with the first violation. `null`: none. */
export function explore(seed: number, runs: number, options: ExploreOptions = {}): Exploration | null {
  const { cluster = null, regime } = options;
  for (let next = seed, run = 0; run < runs; next++) {
    const plan = drawPlan(next, cluster);
    if (regime !== undefined && plan.regime !== regime) continue;
    run++;
    const exploration = runPlan(plan);
    options.onRun?.(exploration);
    if (exploration.violation !== null) return exploration;
  }
  return null;
}
