/**
 * Operators' commands: what each does, and when it is refused. A refusal says what is so and what would help. A
 * command never starts anything by itself: it changes where groups belong, and the keepers act on that.
 */

import type { Context } from "./context.ts";
import type { Command } from "./inputs.ts";
import type { Keeper } from "./ownership/keeper.ts";
import { mayHold, place } from "./ownership/placement.ts";
import type { Surroundings } from "./ownership/surroundings.ts";

export function obey(
  context: Context,
  command: Command,
  keepers: readonly Keeper[],
  surroundings: Surroundings,
): void {
  const answer = decide(context, command, keepers, surroundings);
  context.report(answer.accepted ? "notice" : "info", `command-${command.kind}`, answer.message, {
    accepted: answer.accepted,
  });
  context.emit({ kind: "answer", ...answer });
  context.isStatementDirty = true;
}

interface Answer {
  readonly accepted: boolean;
  readonly message: string;
}

const frozen = "maintenance is on: switch it off first (heartline maintenance off)";

function decide(
  context: Context,
  command: Command,
  keepers: readonly Keeper[],
  surroundings: Surroundings,
): Answer {
  if (command.kind === "shutdown") return accept("shutting down: handing over what is held here");
  if (command.kind === "maintenance") {
    surroundings.directives.setMaintenance(command.on);
    return accept(
      command.on
        ? "maintenance is on in the whole cluster: nothing is taken, given up, monitored or moved"
        : "maintenance is off: the cluster acts by itself again",
    );
  }
  const unknown = command.groups.filter((name) => !keepers.some((keeper) => keeper.name === name));
  if (unknown.length > 0) {
    const known = keepers.map((keeper) => keeper.name).join(", ");
    return refuse(`unknown group ${unknown.map((name) => `"${name}"`).join(", ")}: the groups are ${known}`);
  }
  const chosen = command.groups.length === 0
    ? keepers
    : keepers.filter((keeper) => command.groups.includes(keeper.name));
  switch (command.kind) {
    case "takeover": {
      const own = chosen.filter((keeper) => keeper.isMember);
      const stranger = chosen.find((keeper) => !keeper.isMember);
      if (stranger !== undefined && (command.groups.length > 0 || own.length === 0)) {
        const { name, nodes } = stranger.settings;
        return refuse(`this node is not in the node list of ${name}: ask ${nodes.join(" or ")}`);
      }
      return takeOver(context, own, surroundings);
    }
    case "standby":
      return standBy(chosen, surroundings);
    case "release":
      return release(chosen, surroundings);
    case "rejoin":
      return rejoin(context, chosen);
    case "confirm":
      return confirm(chosen, surroundings);
  }
}

function takeOver(context: Context, keepers: readonly Keeper[], surroundings: Surroundings): Answer {
  const own = keepers.filter((keeper) => keeper.machine.state !== "running");
  if (own.length === 0) {
    return accept(`nothing to take: ${names(keepers)} ${keepers.length === 1 ? "runs" : "run"} here`);
  }
  if (surroundings.isMaintenance) return refuse(frozen);
  if (surroundings.phase !== "settled") {
    return refuse("this node is still waiting to hear from the other nodes");
  }
  if (surroundings.isIsolated) return refuse("this node is isolated: neither a peer nor an arbiter answers");
  for (const keeper of own) {
    const hindrance = keeper.health.lostCarrier;
    if (hindrance !== null) return refuse(`cannot take ${keeper.name}: ${hindrance}`);
  }
  const refusal = blockRefusal(own, surroundings) ?? foreignRefusal(own, surroundings);
  if (refusal !== null) return refuse(`cannot take ${names(own)}: ${refusal}`);
  for (const keeper of own) {
    keeper.isReleased = false;
    keeper.health.forgive(context);
    surroundings.directives.setPin(keeper.name, surroundings.self);
  }
  return accept(`taking ${names(own)}`);
}

function standBy(keepers: readonly Keeper[], surroundings: Surroundings): Answer {
  const held = keepers.filter((keeper) => mayHold(keeper.machine.state));
  if (held.length === 0) return accept("nothing is held here");
  if (surroundings.isMaintenance) return refuse(frozen);
  const refusal = blockRefusal(held, surroundings) ?? foreignRefusal(held, surroundings);
  if (refusal !== null) return refuse(`cannot hand over ${names(held)}: ${refusal}`);
  const targets = new Map<Keeper, string>();
  for (const keeper of held) {
    const others = keeper.candidates(surroundings).filter(({ node }) => node !== surroundings.self);
    const target = place(keeper.settings, others, null);
    if (target === null) {
      return refuse(
        `no other node can take ${keeper.name} now; to stop it all the same: heartline release ${keeper.name}`,
      );
    }
    targets.set(keeper, target);
  }
  for (const [keeper, target] of targets) surroundings.directives.setPin(keeper.name, target);
  const moves = [...targets].map(([keeper, target]) => `${keeper.name} to ${target}`);
  return accept(`handing over ${moves.join(", ")}`);
}

/** A group whose stop failed can neither be taken nor handed over before a person has looked; `null`: there is none. */
function blockRefusal(keepers: readonly Keeper[], { peers }: Surroundings): string | null {
  for (const { name, machine, reason } of keepers) {
    if (machine.state === "blocked") return `${name} is blocked here: ${reason}`;
    const other = peers.find((peer) => peer.isInView && peer.group(name).state === "blocked");
    if (other === undefined) continue;
    return `${name} is blocked on ${other.node}: stop it by hand there, then run there: heartline rejoin ${name}`;
  }
  return null;
}

/** What the other node, of another dialect, cannot do; `null`: nothing against it, or there is no such node in view. */
function foreignRefusal(keepers: readonly Keeper[], { peers }: Surroundings): string | null {
  const other = peers.find((peer) => peer.isInView && peer.statement === null && peer.foreign !== null);
  return other?.foreign?.refusal(keepers.map(({ name }) => name)) ?? null;
}

/**
 * A pin to this node ends too: what comes back after a release comes back by the rules, not by an old order. In
 * maintenance it would wait, and stop the groups when somebody on another node ends that.
 */
function release(keepers: readonly Keeper[], { directives, self, isMaintenance }: Surroundings): Answer {
  if (isMaintenance) return refuse(frozen);
  for (const keeper of keepers) {
    keeper.isReleased = true;
    if (directives.pinnedNode(keeper.name) === self) directives.setPin(keeper.name, null);
  }
  return accept(`releasing ${names(keepers)}; this node stays out until heartline takeover or rejoin`);
}

function rejoin(context: Context, keepers: readonly Keeper[]): Answer {
  for (const keeper of keepers) {
    keeper.isReleased = false;
    keeper.health.forgive(context);
    if (keeper.machine.state !== "blocked") continue;
    keeper.reason = "stopping it once more, as an operator asked it to rejoin";
    keeper.machine.stop(context);
  }
  return accept(`this node may hold ${names(keepers)} again`);
}

/** Where nodes are to be fenced already, it says that they are off; not before the devices have had their try. */
function confirm(keepers: readonly Keeper[], { fencing, peers }: Surroundings): Answer {
  const waiting = keepers.filter((keeper) => keeper.pending.length > 0);
  if (waiting.length === 0) return refuse("no takeover is waiting for a confirmation");
  const ready = waiting.filter(({ claim }) => fencing.hasFailed(claim.toFence));
  if (ready.length === 0) {
    const nodes = [...new Set(waiting.flatMap(({ claim }) => claim.toFence))].join(", ");
    return refuse(`${nodes} is being fenced: confirm that it is off only if that fails`);
  }
  const vouched = [...new Set(ready.flatMap(({ claim }) => claim.toFence))].join(", ");
  for (const { claim } of ready) {
    if (claim.toFence.length > 0) claim.vouch(peers);
    else claim.isConfirmed = true;
  }
  return accept(`confirmed: ${names(ready)}${vouched === "" ? "" : `, and that ${vouched} is off`}`);
}

function names(keepers: readonly Keeper[]): string {
  return keepers.map((keeper) => keeper.name).join(", ");
}

function accept(message: string): Answer {
  return { accepted: true, message };
}

function refuse(message: string): Answer {
  return { accepted: false, message };
}
