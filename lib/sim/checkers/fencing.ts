/**
 * The promises of fencing, from what the devices said and the world is: a group is started only when each lost node
 * that a device covers was fenced, or a person has vouched for it; nobody is fenced who answers for an address that is
 * to be taken from him; and no target before its delay is over.
 */

import type { Instant } from "../../core/instant.ts";
import { fencedGoodMs, wireWindowMs } from "../../core/limits.ts";
import type { Peer } from "../../core/membership/peer.ts";
import type { FencingSettings } from "../../core/settings.ts";
import type { Daemon } from "../daemon.ts";
import type { Machine, Observer } from "../machine.ts";
import type { Simulation } from "../simulation.ts";

/** What one run of a daemon was told. */
interface Told {
  readonly fencedAt: Map<string, Instant>;
  readonly asked: Map<number, string>;
  confirmedAt: Instant | null;
}

/** `null`: these settings have no fencing. */
export function fencingIsKept(simulation: Simulation): Observer | null {
  const { fencing } = simulation.settings;
  if (fencing === null) return null;
  const told = new WeakMap<Daemon, Told>();
  return {
    stepped(machine, input, effects) {
      const { daemon } = machine;
      if (daemon === null) return;
      let known = told.get(daemon);
      if (known === undefined) {
        told.set(daemon, known = { fencedAt: new Map(), asked: new Map(), confirmedAt: null });
      }
      if (input.kind === "outcome" && input.outcome.kind === "fence" && input.outcome.result === "fenced") {
        known.fencedAt.set(known.asked.get(input.id) ?? "", daemon.steppedAt);
      }
      if (input.kind === "command" && input.command.kind === "confirm") known.confirmedAt = daemon.steppedAt;
      for (const effect of effects) {
        if (effect.kind === "report" && effect.code === "stalled") known.fencedAt.clear();
        if (effect.kind === "report" && effect.code === "group-starting") {
          judgeStart(simulation, fencing, machine, daemon, known, String(effect.fields.group));
        }
        if (effect.kind !== "fence") continue;
        known.asked.set(effect.id, effect.node);
        judgeFence(simulation, fencing, machine, daemon, effect.node);
      }
    },
  };
}

function judgeStart(
  simulation: Simulation,
  fencing: FencingSettings,
  machine: Machine,
  { node, steppedAt }: Daemon,
  { fencedAt, confirmedAt }: Told,
  group: string,
): void {
  const { nodes } = simulation.settings.groups.find(({ name }) => name === group)!;
  for (const peer of node.roster.peers) {
    if (peer.isInView || peer.hasLeft || !nodes.includes(peer.node) || !covers(fencing, peer.node)) continue;
    const at = fencedAt.get(peer.node);
    const isFenced = at !== undefined && at >= (peer.heardAt ?? 0) && steppedAt <= at + fencedGoodMs;
    if (isFenced || (confirmedAt !== null && confirmedAt >= (peer.heardAt ?? 0))) continue;
    simulation.fail("fencing", `${machine.name} starts ${group} although ${peer.node} was not fenced`);
  }
}

function judgeFence(
  simulation: Simulation,
  fencing: FencingSettings,
  machine: Machine,
  { node, steppedAt }: Daemon,
  target: string,
): void {
  const peer = node.roster.peer(target)!;
  const dueAt = lostAt(simulation, node.settings.timing.initDeadMs, peer) + (fencing.delayMs[target] ?? 0);
  if (steppedAt < dueAt) {
    return simulation.fail("fencing", `${machine.name} fences ${target} ${dueAt - steppedAt} ms too soon`);
  }
  const answering = node.keepers.find(({ name, claim, settings: { nodes } }) =>
    claim.isMade && nodes.includes(target) && answers(simulation, machine, target, name)
  );
  if (answering === undefined) return;
  simulation.fail(
    "fencing",
    `${machine.name} fences ${target}, which answers for the address of ${answering.name}`,
  );
}

/** By the clock of who lost it; one that was never heard is lost once the wait for it is over. */
function lostAt({ settings }: Simulation, initDeadMs: number, peer: Peer): number {
  return peer.heardAt === null
    ? initDeadMs
    : peer.heardAt + Math.min(settings.timing.deadTimeMs, peer.deadTimeMs);
}

/** It has had the address for so long that every question was answered. */
function answers(simulation: Simulation, asker: Machine, holder: string, group: string): boolean {
  const { service, settings, nowMs } = simulation;
  const other = simulation.machine(holder);
  if (!other.isAwake || !other.hasAddress(group) || service.lossRate > 0) return false;
  if (!service.areConnected(asker.name, holder) || service.blind.has(asker.name)) return false;
  const held = simulation.trace.holders(group).at(-1);
  if (held === undefined || !held.holders.includes(holder)) return false;
  return nowMs - Math.max(held.fromMs, service.changedMs) > 6 * wireWindowMs(settings.timing.deadTimeMs);
}

function covers({ devices }: FencingSettings, node: string): boolean {
  return devices.some(({ ports }) => Object.hasOwn(ports, node));
}
