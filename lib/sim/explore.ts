/**
 * Runs random scenarios, one per seed, and stops at the first that breaks a promise: first safety under faults, then
 * everything is healed and the cluster must come to rest. A found seed is a whole run; it can be run again alone.
 */

import {
  announcedByHolderOnly,
  epochsRise,
  neverTwoAnywhere,
  neverTwoHolders,
  nothingMoves,
  pace,
} from "./cautions.ts";
import { shortcomings } from "./convergence.ts";
import { drawPlan, type Plan, type Regime } from "./plan.ts";
import { Simulation } from "./simulation.ts";

export interface Exploration {
  readonly seed: number;
  readonly plan: Plan;
  readonly simulation: Simulation;
  /** `null`: every promise was kept. */
  readonly violation: string | null;
}

/** Runs the scenario of one seed. */
export function runSeed(seed: number): Exploration {
  const plan = drawPlan(seed);
  const { regime, settings, startAtMs } = plan;
  const simulation = new Simulation({ seed, settings, startAtMs });
  simulation.observe(announcedByHolderOnly(simulation));
  simulation.observe(epochsRise(simulation));
  simulation.observe(pace(simulation));
  if (regime !== "open") simulation.observe(neverTwoHolders(simulation));
  if (regime === "gentle" || regime === "calm") simulation.observe(neverTwoAnywhere(simulation));
  if (regime === "gentle") simulation.observe(nothingMoves(simulation, plan.restFromMs));
  for (const { atMs, fault } of plan.faults) simulation.at(atMs, fault);
  heal(simulation, plan);
  simulation.run(plan.convergedByMs);
  if (simulation.violation === null) {
    const found = shortcomings(simulation);
    if (found.length > 0) simulation.fail(`not as it should be after the heal: ${found.join("; ")}`);
  }
  return { seed, plan, simulation, violation: simulation.violation };
}

/** What an operator would do after the storm: repair the networks, start what is down, lift what was ordered. */
function heal(simulation: Simulation, { settings, healAtMs, convergedByMs }: Plan): void {
  simulation.at(healAtMs, { kind: "heal-links" });
  simulation.at(healAtMs, { kind: "heal-service" });
  simulation.at(healAtMs, { kind: "heal-scripts" });
  for (const node of settings.nodes) {
    simulation.at(healAtMs, { kind: "resume", node });
    simulation.at(healAtMs, { kind: "power-on", node });
    // Who was leaving at the heal is gone by then.
    for (const laterMs of [5_000, 8_000]) simulation.at(healAtMs + laterMs, { kind: "start", node });
  }
  const orderMs = Math.min(healAtMs + 2_000 + settings.timing.initDeadMs, convergedByMs);
  for (const node of settings.nodes) {
    simulation.at(orderMs, { kind: "command", node, command: { kind: "rejoin", groups: [] } });
  }
  simulation.at(orderMs, {
    kind: "command",
    node: settings.nodes[0]!,
    command: { kind: "maintenance", on: false },
  });
}

export interface ExploreOptions {
  /** Seeds whose plan is of another regime are passed over. */
  readonly regime?: Regime;
  readonly onRun?: (exploration: Exploration) => void;
}

/** Runs so many seeds from `seed` on; ends with the first violation. `null`: none. */
export function explore(seed: number, runs: number, options: ExploreOptions = {}): Exploration | null {
  for (let next = seed, run = 0; run < runs; next++) {
    if (options.regime !== undefined && drawPlan(next).regime !== options.regime) continue;
    run++;
    const exploration = runSeed(next);
    options.onRun?.(exploration);
    if (exploration.violation !== null) return exploration;
  }
  return null;
}
