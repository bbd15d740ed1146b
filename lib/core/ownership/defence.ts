/**
 * Somebody else claims an address that is held here. A stranger is answered by a new announcement, at most so often; a
 * Heartbeat daemon that may have taken over, since it asks no wire first, is yielded to: it never would.
 */

import type { Context } from "../context.ts";
import { after, type Instant } from "../instant.ts";
import { defenceIntervalMs } from "../limits.ts";
import type { Surroundings } from "./surroundings.ts";

export class Defence {
  #announcedAt: Instant | null = null;

  constructor(readonly group: string) {}

  /** Why the group must be given up; `null`: it is defended. */
  meet(context: Context, surroundings: Surroundings, address: string, hardware: string): string | null {
    const { settings: { timing }, peers } = surroundings;
    const taker = peers.find((peer) => peer.isUnheardForeign(context.now, 2 * timing.keepaliveMs));
    if (taker !== undefined) {
      return `${hardware} claims ${address}: the Heartbeat daemon of ${taker.node} takes over when it does not hear us`;
    }
    if (this.#announcedAt !== null && context.now < after(this.#announcedAt, defenceIntervalMs)) return null;
    this.#announcedAt = context.now;
    const fields = { group: this.group, hardware };
    const sentence = `${hardware} claims ${address}, which is held here; announcing it again`;
    context.report("warning", "rival-claim", sentence, fields);
    context.emit({ kind: "announce", group: this.group });
    return null;
  }
}
