/**
 * Packets that wait for a connection, bounded in number, bytes and age. The newest heartbeat is the one that counts:
 * the oldest goes first. What is lost is counted; whoever misses it asks for it again.
 */

/** Fewer loses bursts of retransmissions; more keeps what nobody wants any more. */
const packetsMax = 128;
const bytesMax = 1_048_576;

/** Longer hands over heartbeats as news that are none; shorter loses packets in a short hitch. */
export const freshMsMax = 1_000;

interface Waiting {
  readonly packet: Uint8Array;
  readonly sinceMs: number;
}

export class FreshQueue {
  readonly #waiting: Waiting[] = [];
  #bytes = 0;

  constructor(readonly lost: () => void) {}

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  push(packet: Uint8Array): void {
    this.#waiting.push({ packet, sinceMs: performance.now() });
    this.#bytes += packet.length;
    while (this.#waiting.length > packetsMax || (this.#bytes > bytesMax && this.#waiting.length > 1)) {
      this.#takeOldest();
      this.lost();
    }
  }

  /** The oldest that is still fresh. */
  shift(): Uint8Array | undefined {
    this.dropStale();
    return this.#takeOldest()?.packet;
  }

  dropStale(): void {
    const staleMs = performance.now() - freshMsMax;
    while (this.#waiting.length > 0 && this.#waiting[0]!.sinceMs <= staleMs) {
      this.#takeOldest();
      this.lost();
    }
  }

  clear(): void {
    while (this.#takeOldest() !== undefined) this.lost();
  }

  #takeOldest(): Waiting | undefined {
    const oldest = this.#waiting.shift();
    if (oldest !== undefined) this.#bytes -= oldest.packet.length;
    return oldest;
  }
}
