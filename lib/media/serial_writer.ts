/**
 * Writes packets to a serial line at its own pace: pieces of 512 bytes with a pause between them, so that a slow
 * reader is not overrun. What the line does not take for half a second is abandoned. Never more waits than the line
 * carries in a few seconds: the oldest goes first, since the newest heartbeat is the one that counts.
 */

import type { MediumCounters } from "./medium.ts";

/** Bytes of one write, as the real daemon's: fewer cost wakes, more overrun the buffers of old hardware. */
const chunkBytes = 512;

/** Without progress for so long, nobody takes what we send. Less abandons packets in a short pause of the peer. */
const blockedMsMax = 500;

/** How soon a full line is tried again. */
const retryMs = 20;

/** What may wait, measured in time on the line. Less loses bursts; more keeps heartbeats that are long out of date. */
const waitingMsMax = 3_000;

export interface SerialOutput {
  /** Bytes taken, 0: none now. Throws when the line is gone. */
  write(bytes: Uint8Array): number;
  flushOutput(): void;
}

export class SerialWriter {
  readonly #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #current: Uint8Array | null = null;
  /** Bytes of the current packet that the line has taken. */
  #taken = 0;
  #progressAtMs = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  /** The peer may be in the middle of a line that ended here: the next packet begins with a new one. */
  #isLineBroken = true;
  readonly #bytesPerMs: number;

  constructor(
    readonly output: SerialOutput,
    baud: number,
    readonly counters: MediumCounters,
    /** The line is gone. */
    readonly failed: (error: unknown) => void,
  ) {
    this.#bytesPerMs = baud / 8 / 1000;
  }

  get isIdle(): boolean {
    return this.#current === null && this.#waiting.length === 0;
  }

  send(packet: Uint8Array): void {
    this.#waiting.push(packet);
    this.#waitingBytes += packet.length;
    while (this.#waiting.length > 1 && this.#waitingBytes > waitingMsMax * this.#bytesPerMs) {
      this.#waitingBytes -= this.#waiting.shift()!.length;
      this.counters.sendErrors++;
    }
    if (this.#timer === null) this.#write();
  }

  /** What has not been written is lost. */
  close(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.counters.sendErrors += this.#waiting.length + (this.#current === null ? 0 : 1);
    this.#waiting.length = 0;
    this.#waitingBytes = 0;
    this.#current = null;
  }

  #write(): void {
    this.#timer = null;
    const packet = this.#current ?? this.#next();
    if (packet === null) return;
    let taken: number;
    try {
      taken = this.output.write(packet.subarray(this.#taken, this.#taken + chunkBytes));
    } catch (error) {
      return this.failed(error);
    }
    if (taken > 0) this.#progress(packet, taken);
    else if (performance.now() - this.#progressAtMs > blockedMsMax) this.#abandon();
    this.#timer = setTimeout(() => this.#write(), taken > 0 ? taken / this.#bytesPerMs : retryMs);
  }

  #next(): Uint8Array | null {
    const packet = this.#waiting.shift();
    if (packet === undefined) return null;
    this.#waitingBytes -= packet.length;
    this.#current = this.#isLineBroken ? afterNewline(packet) : packet;
    this.#isLineBroken = false;
    this.#taken = 0;
    this.#progressAtMs = performance.now();
    return this.#current;
  }

  #progress(packet: Uint8Array, taken: number): void {
    this.#taken += taken;
    this.#progressAtMs = performance.now();
    if (this.#taken < packet.length) return;
    this.#current = null;
    this.counters.sentPackets++;
    this.counters.sentBytes += packet[0] === 0x0a ? packet.length - 1 : packet.length;
  }

  #abandon(): void {
    this.output.flushOutput();
    this.#current = null;
    this.#isLineBroken = true;
    this.counters.sendErrors++;
  }
}

function afterNewline(packet: Uint8Array): Uint8Array {
  const result = new Uint8Array(packet.length + 1);
  result[0] = 0x0a;
  result.set(packet, 1);
  return result;
}
