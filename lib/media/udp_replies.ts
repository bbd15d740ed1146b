/**
 * Answers from a socket to whoever sent something to it, one after the other in their order, which Deno does not keep
 * for sends that are under way at the same time. Bounded: an answer is owed to nobody.
 */

import type { Socket } from "node:dgram";
import type { MediumCounters } from "./medium.ts";

/** Answers that wait behind one under way. Fewer lose those to a burst of questions; more answer when it is too late. */
const waitingMax = 256;

interface Target {
  readonly address: string;
  readonly port: number;
}

export class UdpReplies {
  readonly #waiting: { readonly packet: Uint8Array; readonly target: Target }[] = [];
  #isSending = false;

  constructor(readonly socket: Socket, readonly counters: MediumCounters) {}

  send(packet: Uint8Array, target: Target): void {
    if (this.#waiting.length < waitingMax) this.#waiting.push({ packet, target });
    else this.counters.sendErrors++;
    if (!this.#isSending) this.#next();
  }

  #next(): void {
    const next = this.#waiting.shift();
    this.#isSending = next !== undefined;
    if (next === undefined) return;
    const { packet, target } = next;
    const done = (error: Error | null) => {
      if (error === null) {
        this.counters.sentPackets++;
        this.counters.sentBytes += packet.length;
      } else this.counters.sendErrors++;
      this.#next();
    };
    try {
      this.socket.send(packet, target.port, target.address, (error) => done(error ?? null));
    } catch (error) {
      // The socket was closed meanwhile.
      done(error as Error);
    }
  }
}
