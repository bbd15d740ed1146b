/**
 * What an operator does after the storm: repairs the networks, starts what is down, lifts what was ordered; and waits
 * until all is well. The run ends as soon as it has been well for a while, or fails when its patience is over.
 */

import { apply, type Fault, faultInWords, type PlannedFault } from "../faults.ts";
import type { Simulation } from "../simulation.ts";
import { shortcomings } from "../checkers/convergence.ts";
import type { Plan } from "./plan.ts";

/** How often the operator looks whether a daemon is down. */
const roundMs = 500;

/** Runs the simulation to its end. Returns what was done for the repair, in order. */
export function healAndJudge(simulation: Simulation, plan: Plan): readonly PlannedFault[] {
  const { settings, healAtMs, convergedByMs } = plan;
  const repairs: PlannedFault[] = [];
  const repair = (fault: Fault) => {
    repairs.push({ atMs: simulation.nowMs, fault });
    simulation.note("fault", "", faultInWords(fault));
    apply(simulation, fault);
  };
  simulation.queue.at(healAtMs, () => {
    for (const kind of ["heal-links", "heal-service", "heal-scripts"] as const) repair({ kind });
    if (settings.fencing !== null) repair({ kind: "heal-fencing" });
    for (const node of settings.nodes) repair({ kind: "resume", node });
    for (const node of settings.nodes) repair({ kind: "power-on", node });
  });
  const orderMs = Math.min(healAtMs + 2_000 + settings.timing.initDeadMs, convergedByMs);
  const makeRound = () => {
    startAbsent(simulation, repair);
    if (simulation.nowMs > orderMs) unblock(simulation, repair);
    simulation.queue.in(roundMs, makeRound);
  };
  simulation.queue.at(healAtMs + roundMs, makeRound);
  simulation.queue.at(orderMs, () => liftOrders(simulation, repair));
  simulation.run(orderMs);
  awaitRest(simulation, convergedByMs);
  return repairs;
}

/** Who was leaving at the heal ends by itself only later, and is started then. */
function startAbsent(simulation: Simulation, repair: (fault: Fault) => void): void {
  for (const { name, daemon, isPowered } of simulation.machines) {
    if (daemon === null && isPowered) repair({ kind: "start", node: name });
    // An attempt that was under way at the heal may have switched it off since.
    if (!isPowered) repair({ kind: "power-on", node: name });
  }
}

/** A stop that hung when the orders were lifted is blocked only when its time limit is over. */
function unblock(simulation: Simulation, repair: (fault: Fault) => void): void {
  for (const { name, daemon } of simulation.machines) {
    const isBlocked = daemon?.node.keepers.some(({ machine }) => machine.state === "blocked") === true;
    if (isBlocked) repair({ kind: "command", node: name, command: { kind: "rejoin", groups: [] } });
  }
}

function liftOrders(simulation: Simulation, repair: (fault: Fault) => void): void {
  const present = simulation.machines.filter(({ daemon }) => daemon !== null).map(({ name }) => name);
  for (const node of present) repair({ kind: "command", node, command: { kind: "rejoin", groups: [] } });
  for (const node of present.slice(0, 1)) {
    repair({ kind: "command", node, command: { kind: "maintenance", on: false } });
  }
}

/** Well twice, with nothing moved in between, is well. */
function awaitRest(simulation: Simulation, convergedByMs: number): void {
  const restMs = 2 * simulation.settings.timing.deadTimeMs;
  let goodSince: number | null = null;
  let entries = 0;
  while (simulation.violation === null && simulation.nowMs < convergedByMs) {
    simulation.run(Math.min(simulation.nowMs + restMs / 4, convergedByMs));
    const isQuiet = simulation.trace.entries.length === entries;
    entries = simulation.trace.entries.length;
    if (!isQuiet || shortcomings(simulation).length > 0) goodSince = null;
    else goodSince ??= simulation.nowMs;
    if (goodSince !== null && simulation.nowMs >= goodSince + restMs) return;
  }
  if (simulation.violation !== null) return;
  const found = shortcomings(simulation);
  if (found.length === 0) return;
  simulation.fail("convergence", `not as it should be after the heal: ${found.join("; ")}`);
}
