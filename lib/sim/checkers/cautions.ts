/**
 * Checkers of what must never happen. Each watches one promise and fails the simulation at the very event that breaks
 * it. What is promised, precisely:
 *
 * | promise        | holds when                                                                                      |
 * |----------------|-------------------------------------------------------------------------------------------------|
 * | wire           | a group with an address has at most one holder (kernel that has the address) at every instant,    |
 * |                | while all machines share one lossless service network whose delay is well below a question's      |
 * |                | window; whatever happens to heartbeat links, daemons and power                                    |
 * | arbiter        | the same, machines on different segments of the service network included, where a ping arbiter    |
 * |                | with the policy `release` is reached from one segment only and no daemon is killed or paused,     |
 * |                | or every address has a lease and all wait for it                                                  |
 * | one runner     | no two nodes run any part of a group, scripts included, while no daemon, no power and no node's    |
 * |                | last link is disturbed                                                                            |
 * | announcement   | only a machine that has an address announces it                                                   |
 * | epoch          | each start of a group on a node has an epoch above all that this node has seen, restarts included |
 * | pace           | a daemon takes a bounded number of steps per second                                               |
 * | rest           | after a given time no group starts or stops                                                      |
 *
 * Beside these: `alarms.ts` (every alarm that is due is raised), `beliefs.ts` (freshness, own stalls, exclusion) and
 * `convergence.ts` (all is well after the heal).
 */

import type { Machine, Observer } from "../machine.ts";
import { addressGroups } from "../machine.ts";
import type { Simulation } from "../simulation.ts";

/** The promises `wire` and `arbiter`: never two holders of a group with an address. */
export function neverTwoHolders(simulation: Simulation): Observer {
  const groups = addressGroups(simulation.settings);
  return {
    holdingChanged(_machine, group) {
      if (!groups.has(group)) return;
      const holders = simulation.holders(group);
      if (holders.length > 1) {
        simulation.fail("one-holder", `two holders of ${group}: ${holders.join(" and ")}`);
      }
    },
  };
}

/** No two nodes run any part of a group, scripts included, where no process and no node's last link was disturbed. */
export function neverTwoAnywhere(simulation: Simulation): Observer {
  return {
    holdingChanged(_machine, group) {
      const runners = simulation.machines.filter(({ kernel }) =>
        kernel.hasAddress(group) || kernel.hasService(group)
      );
      if (runners.length < 2) return;
      simulation.fail(
        "one-runner",
        `two nodes run parts of ${group}: ${runners.map(({ name }) => name).join(" and ")}`,
      );
    },
  };
}

export function announcedByHolderOnly(simulation: Simulation): Observer {
  const groups = addressGroups(simulation.settings);
  return {
    announced(machine, group) {
      if (!groups.has(group) || machine.hasAddress(group)) return;
      simulation.fail(
        "announcement",
        `${machine.name} announces the address of ${group}, which it does not have`,
      );
    },
  };
}

export function epochsRise(simulation: Simulation): Observer {
  /** By machine, then by group. */
  const seen = new Map(simulation.machines.map((machine) => [machine, new Map<string, number>()]));
  const note = (machine: Machine, group: string, epoch: number) => {
    const known = seen.get(machine)!;
    if (epoch > (known.get(group) ?? 0)) known.set(group, epoch);
  };
  return {
    stepped(machine, input, effects) {
      for (const effect of effects) {
        if (effect.kind !== "report" || effect.code !== "group-starting") continue;
        const group = String(effect.fields.group);
        const epoch = Number(effect.fields.epoch);
        const before = seen.get(machine)!.get(group) ?? 0;
        if (epoch <= before) {
          simulation.fail(
            "epoch",
            `${machine.name} starts ${group} with epoch ${epoch} although it knew of ${before}`,
          );
        }
        note(machine, group, epoch);
      }
      if (input.kind !== "message" || input.statement === null) return;
      const isKnown = machine.daemon?.node.roster.peer(input.message.source)?.statement === input.statement;
      if (!isKnown) return;
      for (const { name } of simulation.settings.groups) {
        note(machine, name, input.statement.groups[name]?.epoch ?? 0);
      }
    },
  };
}

/** Steps of one daemon per virtual second beyond which it must be in a loop. Messages in bursts stay far below. */
const stepsPerSecondMax = 4_000;

export function pace(simulation: Simulation): Observer {
  const counts = new Map<Machine, { second: number; steps: number }>();
  return {
    stepped(machine) {
      const second = Math.floor(simulation.nowMs / 1000);
      const count = counts.get(machine);
      if (count === undefined || count.second !== second) counts.set(machine, { second, steps: 1 });
      else if (++count.steps > stepsPerSecondMax) {
        simulation.fail("pace", `${machine.name} took ${count.steps} steps within one second`);
      }
    },
  };
}

/** Nothing moves: after `fromMs` no group starts or stops anywhere. */
export function nothingMoves(simulation: Simulation, fromMs: number): Observer {
  return {
    stepped(machine, _input, effects) {
      if (simulation.nowMs < fromMs) return;
      for (const effect of effects) {
        if (
          effect.kind === "report" && (effect.code === "group-starting" || effect.code === "group-stopping")
        ) {
          simulation.fail("rest", `needless move: ${machine.name}: ${effect.sentence}`);
        }
      }
    },
  };
}
