/**
 * Acknowledgements with one peer (protocol reference 6.5): which of its messages we acknowledge, and what it has
 * acknowledged of ours. About one message in ten is acknowledged, by a random phase, so that all nodes do not answer the
 * same one. It must never acknowledge a number below which one is missing.
 */

import { ackEvery } from "../limits.ts";
import type { Prng } from "../prng.ts";
import type { SequenceTracker } from "./sequencing.ts";

export class Acks {
  /** Highest number of ours that the peer has acknowledged in its present run; 0: none. */
  heard = 0;
  /** Our highest number when the peer came into view: it owes no acknowledgement for what was before. */
  since = 0;
  readonly #phase: number;
  #generation: number | null = null;
  #sent = 0;

  constructor(readonly tracker: SequenceTracker, random: Prng) {
    this.#phase = random.whole(0, ackEvery - 1);
  }

  /** The peer came into view, or began a new run: it knows nothing that it knew. */
  begin(last: number): void {
    this.heard = 0;
    this.since = last;
  }

  /** An acknowledgement; one beyond our highest number is corrupt, a lower one than before is old. */
  hear(sequence: number, last: number): void {
    if (sequence <= last && sequence > this.heard) this.heard = sequence;
  }

  /** Of our `last` messages, those that the peer has not acknowledged. */
  unacknowledged(last: number): number {
    return last - Math.max(this.heard, this.since);
  }

  /** The number to acknowledge now, `null`: none. */
  due(): number | null {
    const { tracker } = this;
    if (tracker.generation !== this.#generation) {
      this.#generation = tracker.generation;
      this.#sent = 0;
    }
    const { contiguous } = tracker;
    const candidate = contiguous - (contiguous - this.#phase + ackEvery) % ackEvery;
    if (candidate <= this.#sent || candidate < tracker.first) return null;
    this.#sent = candidate;
    return candidate;
  }
}
