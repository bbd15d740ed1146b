/**
 * A random scenario from a seed: what the cluster is like, what goes wrong when, and what is promised under such
 * faults. Swarm style: each seed draws from a few kinds of faults only, so that rare combinations get their turn.
 *
 * | regime   | what may happen                                                            | promised besides convergence  |
 * |----------|----------------------------------------------------------------------------|-------------------------------|
 * | shared   | anything to heartbeat links, daemons, power, scripts; service network whole  | wire                          |
 * | arbiter  | partitions of both networks, power; one segment has the arbiter            | arbiter                       |
 * | open     | anything, service network and arbiter included                              |                               |
 * | gentle   | one of several links at a time, loss, late heartbeats below the dead time    | rest, one runner anywhere     |
 * | calm     | operators' orders, also against each other, and scripts that fail or hang; all links whole | one runner anywhere           |
 */

import { addressLossMemoryMs } from "../core/limits.ts";
import type { Failback, Settings } from "../core/settings.ts";
import { clusterSettings, type GroupOutline } from "./cluster_settings.ts";
import type { Fault } from "./faults.ts";
import { drawFaults } from "./plan_faults.ts";
import { Prng } from "./prng.ts";

export type Regime = "shared" | "arbiter" | "open" | "gentle" | "calm";

export interface PlannedFault {
  readonly atMs: number;
  readonly fault: Fault;
}

export interface Plan {
  readonly seed: number;
  readonly regime: Regime;
  readonly settings: Settings;
  readonly startAtMs: Readonly<Record<string, number>>;
  readonly faults: readonly PlannedFault[];
  /** The cluster has come to rest for the first time by then (regime `gentle`). */
  readonly restFromMs: number;
  readonly healAtMs: number;
  /** All must be well by then. */
  readonly convergedByMs: number;
}

export function drawPlan(seed: number): Plan {
  const random = new Prng(seed);
  const regime = random.pick<Regime>(["shared", "shared", "arbiter", "open", "gentle", "calm"]);
  const settings = drawSettings(random, regime);
  const { keepaliveMs, deadTimeMs, initDeadMs } = settings.timing;
  const startAtMs: Record<string, number> = {};
  const startSpreadMs = random.pick([0, 0, keepaliveMs, 3 * deadTimeMs]);
  for (const node of settings.nodes) startAtMs[node] = random.next() * startSpreadMs;
  const restFromMs = startSpreadMs + initDeadMs + 4 * deadTimeMs + 3_000;
  const beginMs = regime === "gentle" ? restFromMs : random.chance(0.3) ? 0 : restFromMs;
  const healAtMs = beginMs + Math.max(6_000, random.whole(6, 20) * deadTimeMs);
  const faults = drawFaults(random, settings, regime, beginMs, healAtMs);
  // An address that was removed again and again is remembered for a minute (`addressLossMemoryMs`).
  const isFlapping = faults.some(({ fault }) => fault.kind === "remove-address");
  const patienceMs = initDeadMs + 8 * deadTimeMs + 15_000 + (isFlapping ? addressLossMemoryMs : 0);
  return {
    seed,
    regime,
    settings,
    startAtMs,
    faults,
    restFromMs,
    healAtMs,
    convergedByMs: healAtMs + patienceMs,
  };
}

function drawSettings(random: Prng, regime: Regime): Settings {
  const nodes = ["n1", "n2", "n3", "n4", "n5"].slice(0, random.pick([2, 2, 2, 3, 3, 4, 5]));
  const links = regime === "gentle" ? random.whole(2, 3) : random.whole(1, 3);
  const deadTimeMs = random.pick([200, 300, 500, 1_000, 1_000, 1_500]);
  const keepaliveMs = Math.floor(deadTimeMs / random.pick([3, 4, 5, 5, 8]));
  const groups = Array.from(
    { length: random.whole(1, 3) },
    (_, index) => drawGroup(random, `g${index}`, nodes),
  );
  return clusterSettings({
    nodes,
    links,
    timing: {
      keepaliveMs,
      deadTimeMs,
      initDeadMs: deadTimeMs * random.whole(1, 3),
      warnTimeMs: Math.floor(deadTimeMs * random.pick([0.3, 0.5, 0.5, 0.9])),
    },
    groups,
    arbiter: regime === "arbiter"
      ? { kind: "release" }
      : regime === "open" && random.chance(0.5)
      ? random.pick([
        { kind: "release" },
        { kind: "hold" },
        { kind: "hold-for", ms: 2 * deadTimeMs },
      ])
      : null,
    takeoverDelayMs: random.pick([0, 0, 0, deadTimeMs]),
  });
}

function drawGroup(random: Prng, name: string, nodes: readonly string[]): GroupOutline {
  const leaseSeconds = random.pick([null, 1, 1, 1, 2]);
  const order = random.chance(0.5) ? [...nodes] : [...nodes].reverse();
  return {
    name,
    // Sometimes not all nodes may hold it, but always two.
    nodes: order.length > 2 && random.chance(0.2) ? order.slice(0, -1) : order,
    resources: random.pick<GroupOutline["resources"]>([
      [{ leaseSeconds }],
      [{ leaseSeconds }],
      [{ leaseSeconds }, "script"],
      ["script", { leaseSeconds }, "script"],
      ["script"],
    ]),
    failback: random.pick<Failback>([
      { kind: "off" },
      { kind: "off" },
      { kind: "on" },
      { kind: "after", ms: 2_000 },
    ]),
    duplicateCheckMs: random.pick([0, 10, 10, 50]),
    waitForLease: random.chance(0.5),
  };
}
