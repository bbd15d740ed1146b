/**
 * The old family (`auto_failback legacy`, protocol reference 9.7): each node asks for its own groups when it starts, and
 * the other one lets them go and says so. Nobody states what it holds: the daemon's own groups count as held by it
 * while it is in view, unless they run here, and ours as unknown until it has answered. Planned moves do not exist.
 */

import type { Context } from "../context.ts";
import { after, type Instant } from "../instant.ts";
import type { Outbox } from "../messaging/outbox.ts";
import type { Keeper } from "../ownership/keeper.ts";
import { mayHold } from "../ownership/placement.ts";
import type { Surroundings } from "../ownership/surroundings.ts";
import { type Family, mismatch } from "./family.ts";
import * as say from "./messages.ts";
import type { Pair } from "./pair.ts";
import type { Hold } from "./partner.ts";
import { requestAgainMs } from "./times.ts";

export class Requested implements Family {
  readonly isKnown = true;
  readonly #holds = new Map<string, Hold>();
  /** Groups that the daemon waits for, and whether they ran here when it asked. */
  readonly #wanted = new Map<string, boolean>();
  #askAt: Instant | null = null;
  /** Times that it was asked since there was a reason to ask anew. */
  #asked = 0;

  constructor(readonly pair: Pair, readonly outbox: Outbox) {}

  hold(group: string): Hold {
    if (this.pair.sideOf(group) === null) return "free";
    return this.#holds.get(group) ?? "unknown";
  }

  isAble(group: string): boolean {
    return this.pair.sideOf(group) !== null;
  }

  wants(group: string): boolean {
    return this.#wanted.has(group);
  }

  objection(group: string): string | null {
    if (this.pair.sideOf(group) !== "foreign") return null;
    return `${this.pair.other} takes its own groups itself`;
  }

  /** Its daemon tells nothing of this. */
  get unfinished(): null {
    return null;
  }

  refusal(): string | null {
    return "with auto_failback legacy groups move only when a daemon starts or stops: stop the daemon of the node " +
      "that is to give them up";
  }

  deadlines(): (Instant | null)[] {
    return [this.#askAt];
  }

  forget(context: Context, wereAway: boolean): void {
    this.#holds.clear();
    this.#wanted.clear();
    this.#begin(context, wereAway);
  }

  /** What runs here it cannot have taken without asking; it takes its own, and may still have ours. */
  begin(context: Context): void {
    this.#begin(context, false);
  }

  #begin(context: Context, wereAway: boolean): void {
    this.#askSoon(context);
    for (const keeper of this.pair.keepers) {
      const isOurs = !wereAway && mayHold(keeper.machine.state) && keeper.machine.state !== "unknown";
      const isItsOwn = this.pair.sideOf(keeper.name) === "foreign";
      this.#holds.set(keeper.name, isOurs ? "free" : isItsOwn ? "held" : "unknown");
    }
  }

  end(): void {
    this.#wanted.clear();
  }

  /** Nobody gives ours back unasked: when it hears us again, it does so for a request. */
  assumeAll(context: Context): void {
    this.#askSoon(context);
    for (const { name } of this.pair.keepers) this.#holds.set(name, "held");
  }

  assumeOurs(context: Context): void {
    this.#askSoon(context);
    for (const { name } of this.pair.of(this.pair.running)) this.#holds.set(name, "held");
  }

  freedAll(): void {
    for (const { name } of this.pair.keepers) this.#holds.set(name, "free");
  }

  hear(context: Context, { directives }: Surroundings, word: say.Word): void {
    switch (word.kind) {
      case "request": {
        const keeper = this.#keeper(word.group);
        if (keeper === undefined) return;
        const runsHere = mayHold(keeper.machine.state);
        this.#wanted.set(keeper.name, runsHere);
        directives.setPin(keeper.name, this.pair.other);
        context.report("notice", "group-requested", `${this.pair.other} asks for ${keeper.name}`);
        return;
      }
      case "response":
        if (this.#keeper(word.group) !== undefined) this.#holds.set(word.group, "free");
        return;
      case "starting":
      case "resource":
        return mismatch(context, this.pair.other);
      default:
        return;
    }
  }

  act(context: Context, { directives, settings }: Surroundings): void {
    for (const [group, wasHere] of this.#wanted) {
      if (this.#keeper(group)!.machine.state !== "stopped") continue;
      this.#wanted.delete(group);
      this.#holds.set(group, "held");
      if (this.#keeper(group)!.settings.nodes[0] === this.pair.other) directives.setPin(group, null);
      this.outbox.send(context, say.response(group, wasHere, this.pair.other));
    }
    if (this.#askAt === null || context.now < this.#askAt) return;
    const awaited = this.pair.of("local").filter(({ name }) =>
      this.hold(name) !== "free" && directives.pinnedNode(name) !== this.pair.other
    );
    this.#askAt = awaited.length === 0
      ? null
      : after(context.now, requestAgainMs(settings.timing, this.#asked++));
    for (const { name, machine } of awaited) {
      if (machine.state === "stopped") this.outbox.send(context, say.request(name));
    }
  }

  leave(): void {}

  #askSoon(context: Context): void {
    this.#askAt = context.now;
    this.#asked = 0;
  }

  #keeper(group: string): Keeper | undefined {
    return this.pair.keepers.find(({ name }) => name === group);
  }
}
