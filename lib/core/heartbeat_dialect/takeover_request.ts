/**
 * What an operator has called here and the Heartbeat daemon holds: asks it to give that up (`hb_takeover`, protocol
 * reference 9.5), again while it is in flux and does not listen, and not for ever. It takes nothing itself.
 */

import type { Context } from "../context.ts";
import { after, type Instant } from "../instant.ts";
import type { Outbox } from "../messaging/outbox.ts";
import type { Surroundings } from "../ownership/surroundings.ts";
import type { Side } from "./holding.ts";
import * as say from "./messages.ts";
import type { Pair } from "./pair.ts";
import { takeoverAskedMax, takeoverAskMs } from "./times.ts";

export class TakeoverRequest {
  nextAt: Instant | null = null;
  #asked = 0;

  constructor(readonly pair: Pair, readonly outbox: Outbox) {}

  /** Nothing is wanted, or the daemon has begun to give. */
  end(): void {
    this.nextAt = null;
    this.#asked = 0;
  }

  ask(context: Context, { directives, self }: Surroundings, isHeldThere: (side: Side) => boolean): void {
    const set = this.pair.where((keeper, side) =>
      directives.pinnedNode(keeper.name) === self && keeper.machine.state === "stopped" && isHeldThere(side)
    );
    if (set === "none") return this.end();
    if (this.nextAt !== null && context.now < this.nextAt) return;
    const { other } = this.pair;
    const names = this.pair.of(set).map(({ name }) => name).join(", ");
    if (this.#asked >= takeoverAskedMax) {
      for (const keeper of this.pair.of(set)) directives.setPin(keeper.name, null);
      const sentence =
        `${other} was asked ${takeoverAskedMax} times for ${names} and did not give it: giving up`;
      context.report("warning", "takeover-unanswered", sentence);
      return this.end();
    }
    this.#asked++;
    this.nextAt = after(context.now, takeoverAskMs);
    this.outbox.send(context, say.take(set));
    context.report("notice", "takeover-asks", `asking the Heartbeat daemon of ${other} to give up ${names}`);
  }
}
