/**
 * A random scenario from a seed: what the cluster is like, what goes wrong when, and what is promised under such
 * faults. Swarm style: each seed draws from a few kinds of faults only, so that rare combinations get their turn.
 *
 * | regime   | what may happen                                                            | promised besides convergence  |
 * |----------|----------------------------------------------------------------------------|-------------------------------|
 * | shared   | anything to heartbeat links, daemons, power, scripts; service network whole  | wire                          |
 * | arbiter  | partitions of both networks, power; one segment has the arbiter; daemons   | arbiter                       |
 * |          | killed or paused where leases are awaited                                  |                               |
 * | fencing  | partitions, daemons, power, scripts, and fence devices that fail, hang or are not reached    | wire, one runner anywhere     |
 * | open     | anything, service network and arbiter included                              |                               |
 * | gentle   | one of several links at a time, loss, late heartbeats below the dead time    | rest, one runner anywhere     |
 * | calm     | operators' orders, also against each other, and scripts that fail or hang; all links whole | one runner anywhere           |
 */

import { addressLossMemoryMs } from "../../core/limits.ts";
import {
  type Failback,
  type GroupSettings,
  linkName,
  type Settings,
  type UnreachablePolicy,
} from "../../core/settings.ts";
import type { Cluster } from "../cluster.ts";
import { clusterSettings, type GroupOutline } from "../cluster_settings.ts";
import type { PlannedFault } from "../faults.ts";
import { drawFaults } from "./plan_faults.ts";
import { drawFencing, fencingWorkMs } from "./plan_fencing.ts";
import { Prng } from "../../core/prng.ts";

export type Regime = "shared" | "arbiter" | "open" | "gentle" | "calm" | "fencing";

/** Share of random clusters with fencing; drawn apart, so that the others are as they were without it. */
const fencingShare = 1 / 7;
const fencingSalt = 0x66656e63;

export interface DrawnFault extends PlannedFault {
  /** Faults of one number belong together: a cut and its repair. */
  readonly disturbance: number;
}

export interface Plan {
  readonly seed: number;
  readonly regime: Regime;
  readonly settings: Settings;
  /** `null`: all nodes have the same. */
  readonly settingsOf: Cluster["settingsOf"];
  readonly startAtMs: Readonly<Record<string, number>>;
  readonly faults: readonly DrawnFault[];
  /** The cluster has come to rest for the first time by then (regime `gentle`). */
  readonly restFromMs: number;
  readonly healAtMs: number;
  /** All must be well by then. */
  readonly convergedByMs: number;
}

/** `given`: the cluster is this one, and only faults and timing are drawn. */
export function drawPlan(seed: number, given: Cluster | null = null): Plan {
  const random = new Prng(seed);
  const fencingRandom = new Prng(seed ^ fencingSalt);
  const drawn = random.pick(given === null ? regimes : regimesOf(given.settings));
  const regime = given === null && fencingRandom.chance(fencingShare) ? "fencing" : drawn;
  const settings = given?.settings ?? drawSettings(random, regime, fencingRandom);
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
  const slowestMs = Math.max(0, ...settings.groups.map(longestWorkMs));
  const patienceMs = initDeadMs + 8 * deadTimeMs + 14_000 + slowestMs + settings.takeoverDelayMs +
    (isFlapping ? addressLossMemoryMs : 0) + fencingWorkMs(settings);
  return {
    seed,
    regime,
    settings,
    settingsOf: given?.settingsOf ?? null,
    startAtMs,
    faults,
    restFromMs,
    healAtMs,
    convergedByMs: healAtMs + patienceMs,
  };
}

const regimes: readonly Regime[] = ["shared", "shared", "arbiter", "open", "gentle", "calm"];
const regimesOfGiven: readonly Regime[] = [...regimes, "fencing", "fencing"];

/** What can be promised, and so is tried, depends on what the cluster has. */
function regimesOf({ nodes, media, arbiters, fencing }: Settings): readonly Regime[] {
  const canPartition = nodes.length > 1 && arbiters.length > 0 &&
    arbiters.every(({ onUnreachable }) => onUnreachable.kind === "release");
  const hasSpareLink = new Set(media.map(linkName)).size > 1;
  const isCovered = nodes.every((node) =>
    fencing?.devices.some(({ ports }) => Object.hasOwn(ports, node)) === true
  );
  return regimesOfGiven.filter((regime) =>
    (regime !== "arbiter" || canPartition) && (regime !== "gentle" || hasSpareLink) &&
    (regime !== "fencing" || isCovered)
  );
}

/** The longest that one move of a group may take when everything hangs, and the wait for a failback. */
function longestWorkMs({ resources, failback }: GroupSettings): number {
  const limitsMs = resources.reduce(
    (sum, { startLimitMs, stopLimitMs }) => sum + startLimitMs + stopLimitMs,
    0,
  );
  return limitsMs + (failback.kind === "after" ? failback.ms : 0);
}

function drawSettings(random: Prng, regime: Regime, fencingRandom: Prng): Settings {
  const nodes = ["n1", "n2", "n3", "n4", "n5"].slice(0, random.pick([2, 2, 2, 3, 3, 4, 5]));
  const links = regime === "gentle" ? random.whole(2, 3) : random.whole(1, 3);
  const deadTimeMs = random.pick([200, 300, 500, 1_000, 1_000, 1_500]);
  const arbiter = drawArbiter(random, regime, deadTimeMs);
  // With an arbiter a shorter dead time is refused (`config/checks`).
  const keepaliveMs = Math.floor(deadTimeMs / random.pick(arbiter === null ? [3, 4, 5, 5, 8] : [4, 5, 5, 8]));
  const waitForLease = random.chance(arbiter === null ? 0.5 : 0.8);
  const groups = Array.from(
    { length: random.whole(1, 3) },
    (_, index) => drawGroup(random, `g${index}`, nodes, waitForLease),
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
    arbiter,
    fencing: regime === "fencing" ? drawFencing(fencingRandom, nodes) : null,
    takeoverDelayMs: random.pick([0, 0, 0, deadTimeMs]),
  });
}

function drawArbiter(random: Prng, regime: Regime, deadTimeMs: number): UnreachablePolicy | null {
  if (regime === "arbiter") return { kind: "release" };
  if ((regime !== "open" && regime !== "fencing") || random.chance(0.5)) return null;
  return random.pick<UnreachablePolicy>([
    { kind: "release" },
    { kind: "hold" },
    { kind: "hold-for", ms: 2 * deadTimeMs },
  ]);
}

function drawGroup(
  random: Prng,
  name: string,
  nodes: readonly string[],
  waitForLease: boolean,
): GroupOutline {
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
    waitForLease,
  };
}
