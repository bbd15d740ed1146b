/**
 * Decides when to ask a peer for the numbers that are missing (protocol reference 6.3): each for the first time after
 * a random delay, since it may only be late and since others may ask as well; then again and again until it arrives or
 * cannot be had. It must never ask more often than that, however much is lost.
 */

import { after, type Instant } from "../instant.ts";
import { requestBurstMax } from "../limits.ts";
import type { Prng } from "../prng.ts";
import type { SequenceTracker } from "./sequencing.ts";

/** The first request is not before this, unless the whole delay is short (protocol reference 6.3). */
const firstDelayMsMin = 50;

export class Requests {
  /** Requests made. */
  count = 0;
  #gaps = 0;
  #nextAt: Instant | null = null;

  constructor(readonly tracker: SequenceTracker, readonly random: Prng, readonly delayMs: number) {}

  /** What is to be asked for now, lowest first, at most a burst of it. */
  due(now: Instant): number[] {
    const { tracker } = this;
    if (tracker.missing.size === 0) {
      this.#nextAt = null;
      return [];
    }
    if (tracker.gaps === this.#gaps && this.#nextAt !== null && now < this.#nextAt) return [];
    this.#gaps = tracker.gaps;
    const due: number[] = [];
    let nextAt = Infinity;
    for (const [sequence, missing] of tracker.missing) {
      missing.askAt ??= after(now, this.#firstDelayMs());
      if (missing.askAt <= now) {
        // What is too much for one burst is asked for a little later, not all at once with the next.
        const isBurst = due.length >= requestBurstMax;
        if (!isBurst) {
          due.push(sequence);
          tracker.noteAsked(sequence);
        }
        missing.askAt = after(now, isBurst ? this.#firstDelayMs() : this.delayMs);
      }
      nextAt = Math.min(nextAt, missing.askAt);
    }
    this.#nextAt = nextAt as Instant;
    this.count += due.length;
    return due;
  }

  /** When something will be due; what arrives meanwhile makes it come to nothing. */
  deadline(): Instant | null {
    return this.tracker.missing.size === 0 ? null : this.#nextAt;
  }

  #firstDelayMs(): number {
    const min = this.delayMs < 2 * firstDelayMsMin ? 0 : firstDelayMsMin;
    return Math.max(1, this.random.whole(min, this.delayMs));
  }
}
