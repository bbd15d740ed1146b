/**
 * How long the heartbeats of one link take, for the eyes of an operator: round trip and jitter. Nothing is decided from
 * it. Instants are whole milliseconds, so both are good to about a millisecond; no clocks of two machines are compared.
 */

import type { Instant } from "../instant.ts";

export class LinkTiming {
  /** Number of the latest heartbeat on this link; 0: none. */
  beatSequence = 0;
  #beatAt: Instant | null = null;
  #transitMs: number | null = null;
  #jitterMs: number | null = null;
  #roundTripMs: number | null = null;
  #echoed = 0;

  /** Variation of the time that heartbeats take, as RFC 3550 (6.4.1) has it; `null`: not known yet. */
  get jitterMs(): number | null {
    return this.#jitterMs;
  }

  /** There and back, smoothed as in RFC 6298; `null`: not known yet. The way back may be another link. */
  get roundTripMs(): number | null {
    return this.#roundTripMs;
  }

  /** A heartbeat was news on this link. `sentMs`: when, by the clock of its sender; a Heartbeat daemon does not say. */
  hearBeat(now: Instant, sequence: number, sentMs: number | undefined): void {
    this.beatSequence = sequence;
    this.#beatAt = now;
    if (sentMs === undefined) return;
    const transitMs = now - sentMs;
    if (this.#transitMs !== null) {
      const jitterMs = this.#jitterMs ?? 0;
      this.#jitterMs = jitterMs + (Math.abs(transitMs - this.#transitMs) - jitterMs) / 16;
    }
    this.#transitMs = transitMs;
  }

  /** How long ago the latest heartbeat came on this link, for our own statement. */
  beatAgoMs(now: Instant): number {
    return this.#beatAt === null ? 0 : now - this.#beatAt;
  }

  /** The peer has told that it heard our heartbeat, sent at `sentAt`, on this link, and how long it kept that to itself. */
  hearEcho(now: Instant, sequence: number, sentAt: Instant, agoMs: number): void {
    if (sequence <= this.#echoed) return;
    this.#echoed = sequence;
    const ms = Math.max(0, now - sentAt - agoMs);
    this.#roundTripMs = this.#roundTripMs === null ? ms : this.#roundTripMs + (ms - this.#roundTripMs) / 8;
  }

  /** The sender runs anew: its clock and its numbers do. What we sent goes on counting. */
  restart(): void {
    this.beatSequence = 0;
    this.#transitMs = null;
  }
}
