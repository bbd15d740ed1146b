/**
 * Sends packets from one socket to one peer, one after the other. Deno hands sends that are under way at the same
 * time to the kernel in reverse order; a peer that hears number 3 before 1 and 2 takes these for lost or ancient.
 * So the next one waits for the previous one's callback, which comes within the same turn of the event loop.
 */

import type { Socket } from "node:dgram";
import type { MediumCounters } from "./medium.ts";

/**
 * Packets that wait behind one under way. Fewer loses bursts of retransmissions; more keeps stale heartbeats
 * and up to that many times 64 KiB while the network takes nothing.
 */
const waitingMax = 128;

export class UdpPeer {
  /** Failed sends in a row. */
  failures = 0;
  #isSending = false;
  #isClosed = false;
  readonly #waiting: Uint8Array[] = [];

  constructor(
    readonly socket: Socket,
    readonly address: string,
    readonly port: number,
    readonly counters: MediumCounters,
    /** Called after every send, `null`: it went out. */
    readonly sent: (peer: UdpPeer, error: Error | null) => void,
  ) {}

  send(packet: Uint8Array): void {
    if (!this.#isSending) this.#start(packet);
    else if (this.#waiting.length < waitingMax) this.#waiting.push(packet);
    else this.counters.sendErrors++;
  }

  /** What still waits is lost. */
  close(): void {
    this.#isClosed = true;
    this.counters.sendErrors += this.#waiting.length;
    this.#waiting.length = 0;
  }

  #start(packet: Uint8Array): void {
    this.#isSending = true;
    try {
      this.socket.send(packet, this.port, this.address, (error) => this.#done(packet, error ?? null));
    } catch (error) {
      this.#done(packet, error as Error);
    }
  }

  #done(packet: Uint8Array, error: Error | null): void {
    this.#isSending = false;
    if (error === null) {
      this.counters.sentPackets++;
      this.counters.sentBytes += packet.length;
      this.failures = 0;
    } else {
      this.counters.sendErrors++;
      // "Nobody listens there" comes from the peer's machine: the path carries, only its daemon does not run.
      const isAnswered = (error as { code?: string }).code === "ECONNREFUSED";
      this.failures = isAnswered ? 0 : this.failures + 1;
    }
    if (this.#isClosed) return;
    const next = this.#waiting.shift();
    if (next !== undefined) this.#start(next);
    this.sent(this, error);
  }
}
