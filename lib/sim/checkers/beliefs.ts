/**
 * Checkers of what a node believes, against what is so. They look into the node, so that a wrong belief is found at
 * once and not only when it happens to end in two holders.
 */

import type { Statement } from "../../wire/statement.ts";
import type { Instant } from "../../core/instant.ts";
import { stallMs, wireWindowMs } from "../../core/limits.ts";
import type { Daemon } from "../daemon.ts";
import type { Machine, Observer } from "../machine.ts";
import type { Simulation } from "../simulation.ts";

/** The statement by which a node judges another is never replaced by an older one of that node. */
export function neverOlderStatement(simulation: Simulation): Observer {
  /** By daemon run, then by source. */
  const latest = new WeakMap<object, Map<string, { generation: number; sequence: number }>>();
  return {
    stepped(machine, input) {
      if (input.kind !== "message" || input.statement === null || machine.daemon === null) return;
      const { source, generation, sequence } = input.message;
      const peer = machine.daemon.node.roster.peer(source);
      if (peer?.statement !== input.statement || sequence === null) return;
      let known = latest.get(machine.daemon);
      if (known === undefined) latest.set(machine.daemon, known = new Map());
      const last = known.get(source);
      const isOlder = last !== undefined &&
        (generation < last.generation || (generation === last.generation && sequence < last.sequence));
      if (isOlder) {
        simulation.fail(
          "freshness",
          `${machine.name} takes message ${sequence} of run ${generation} of ${source} for its present word, ` +
            `although it has heard message ${last.sequence} of run ${last.generation}`,
        );
      }
      if (last === undefined) known.set(source, { generation, sequence });
      else Object.assign(last, { generation, sequence });
    },
  };
}

/** A node whose last heartbeat is so old that others may have taken over says so in its very next step. */
export function stallsAreNoticed(simulation: Simulation): Observer {
  const lastBeatAt = new WeakMap<Daemon, Instant>();
  return {
    stepped({ name, daemon, settings }, _input, effects) {
      if (daemon === null || settings.nodes.length < 2) return;
      const at = daemon.steppedAt;
      const last = lastBeatAt.get(daemon);
      if (last !== undefined && at - last >= stallMs(settings.timing)) {
        const isTold = effects.some((effect) => effect.kind === "report" && effect.code === "stalled");
        if (!isTold) {
          simulation.fail(
            "stall",
            `${name} acts ${at - last} ms after its last heartbeat as if it had not stood still`,
          );
        }
      }
      if (effects.some((effect) => effect.kind === "send" && effect.type === "status")) {
        lastBeatAt.set(daemon, at);
      }
    },
  };
}

/**
 * A group is started only when each node that was lost is excluded: its address is on no reachable machine, and where
 * the settings ask for it, the lease that it last told of is over.
 */
export function neverWithoutExclusion(simulation: Simulation): Observer {
  return {
    stepped(machine, _input, effects) {
      for (const effect of effects) {
        if (effect.kind !== "report" || effect.code !== "group-starting") continue;
        const why = unexcluded(simulation, machine, String(effect.fields.group));
        if (why !== null) {
          simulation.fail("exclusion", `${machine.name} starts ${effect.fields.group}: ${why}`);
        }
      }
    },
  };
}

function unexcluded(simulation: Simulation, machine: Machine, name: string): string | null {
  const { settings } = simulation;
  const group = settings.groups.find((each) => each.name === name)!;
  const { daemon } = machine;
  if (daemon === null) return null;
  for (const peer of daemon.node.roster.peers) {
    if (peer.isInView || peer.hasLeft || peer.isFenced || !group.nodes.includes(peer.node)) continue;
    if (machine.hasAddress(name)) continue;
    const other = simulation.machine(peer.node);
    if (
      other.hasAddress(name) && simulation.service.areConnected(machine.name, other.name) &&
      hasWhole(simulation)
    ) {
      return `${peer.node} is out of view and has the address`;
    }
    const untilMs = group.waitForLease ? leaseEnd(peer.statement, name, peer.heardAt) : null;
    if (untilMs !== null && machine.now() < untilMs) {
      return `the lease of ${peer.node}, which is out of view, runs for ${untilMs - machine.now()} ms more`;
    }
  }
  return null;
}

/** Lost frames can hide an answer, and one on a network that was cut a moment ago is still to come. */
function hasWhole({ service, settings, nowMs }: Simulation): boolean {
  const questionMs = 4 * wireWindowMs(settings.timing.deadTimeMs) + 20;
  return service.lossRate === 0 && nowMs - service.changedMs > questionMs;
}

/** By the node's own clock; `null`: it told of no lease, or of nothing that it held. */
function leaseEnd(statement: Statement | null, group: string, heardAt: number | null): number | null {
  const stated = statement?.groups[group];
  if (stated === undefined || heardAt === null || stated.state === "stopped" || stated.leaseSeconds === 0) {
    return null;
  }
  return heardAt + stated.leaseSeconds * 1_000;
}
