/**
 * Hands accepted messages of other types than `status` to whoever asked for them, each exactly once: as they arrive, or,
 * where that is asked for, in the order in which their sender sent them. A type that nobody asked for is no error
 * (protocol reference 5): it is counted and left.
 *
 * A message that waits for an earlier one waits no longer than that can still come: not beyond its sender's death or
 * restart, and not for ever, since a sender that does not hear us answers no request. What comes after that all the same is handed over as it comes.
 */

import type { Context } from "../context.ts";
import { after, type Instant } from "../instant.ts";
import { heldBytesMax, heldMessagesMax, heldMs } from "../limits.ts";
import type { Peer } from "../membership/peer.ts";
import { type ClusterMessage, valueBytes } from "../../wire/message.ts";

export type MessageHandler = (context: Context, peer: Peer, message: ClusterMessage) => void;

/** `arrival`: at once. `fifo`: after all messages that the same sender sent before. */
export type Order = "arrival" | "fifo";

interface Held {
  readonly message: ClusterMessage;
  readonly until: Instant;
  readonly bytes: number;
}

export class Delivery {
  readonly #handlers = new Map<string, { readonly handler: MessageHandler; readonly order: Order }>();
  /** By sender, by number, lowest first. */
  readonly #held = new Map<Peer, Held[]>();
  /** Messages of a type that nobody asked for. */
  unknown = 0;

  constructor(readonly self: string) {}

  /** Asks for all messages of a type; one handler per type. */
  on(type: string, handler: MessageHandler, order: Order = "arrival"): void {
    this.#handlers.set(type, { handler, order });
  }

  /** Messages for other nodes took part in the sequence and end here (protocol reference 6.2). */
  deliver(context: Context, peer: Peer, message: ClusterMessage): void {
    if (message.destination !== null && message.destination !== this.self) return;
    const asked = this.#handlers.get(message.type);
    if (asked === undefined) this.unknown++;
    else if (asked.order === "arrival") asked.handler(context, peer, message);
    else {
      const bytes = valueBytes(message.message);
      this.#hold(peer, { message, until: after(context.now, heldMs), bytes });
    }
  }

  /** Hands over what has waited long enough. To be called in each step. */
  tick(context: Context): void {
    for (const [peer, held] of this.#held) {
      const { contiguous, generation } = peer.tracker;
      let count = 0;
      let bytes = held.reduce((sum, each) => sum + each.bytes, 0);
      for (const { message, until, bytes: size } of held) {
        const isDue = !peer.isInView || message.generation !== generation ||
          message.sequence! <= contiguous ||
          held.length - count > heldMessagesMax || bytes > heldBytesMax || context.now >= until;
        if (!isDue) break;
        bytes -= size;
        count++;
      }
      if (count === held.length) this.#held.delete(peer);
      for (const { message } of held.splice(0, count)) {
        this.#handlers.get(message.type)!.handler(context, peer, message);
      }
    }
  }

  #hold(peer: Peer, each: Held): void {
    const held = this.#held.get(peer) ?? [];
    this.#held.set(peer, held);
    let at = held.length;
    while (at > 0 && isBefore(each.message, held[at - 1]!.message)) at--;
    held.splice(at, 0, each);
  }
}

function isBefore(a: ClusterMessage, b: ClusterMessage): boolean {
  return a.generation === b.generation ? a.sequence! < b.sequence! : a.generation < b.generation;
}
