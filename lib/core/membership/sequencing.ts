/**
 * Decides, from a sender's generation and sequence number, whether a message is news, a copy or a replay
 * (protocol reference 6.2). It must never accept the same number of the same generation twice, nor go back to an
 * earlier generation.
 */

import { missingSequencesMax, sequenceGapMax } from "../limits.ts";

export type SequenceVerdict =
  /** The next number, or one that closes a gap. */
  | "new"
  /** The first message of a daemon run later than the known one. */
  | "restart"
  /** Seen before, by another link or replayed. */
  | "copy"
  /** From an earlier run of the sender's daemon: a replay. */
  | "old-generation";

export class SequenceTracker {
  #generation: number | null = null;
  #last = 0;
  /** Numbers below `#last` not seen yet, oldest first. */
  readonly #missing = new Set<number>();
  /** Numbers that never arrived, as far as known. */
  lost = 0;

  get generation(): number | null {
    return this.#generation;
  }

  /** Highest number accepted in this generation; 0: none. */
  get last(): number {
    return this.#last;
  }

  judge(generation: number, sequence: number): SequenceVerdict {
    if (this.#generation !== null && generation < this.#generation) return "old-generation";
    if (this.#generation === null || generation > this.#generation) {
      const isFirst = this.#generation === null;
      this.#generation = generation;
      this.#last = sequence;
      this.#missing.clear();
      return isFirst ? "new" : "restart";
    }
    if (sequence > this.#last) {
      this.#noteGap(this.#last + 1, sequence - 1);
      this.#last = sequence;
      return "new";
    }
    if (this.#missing.delete(sequence)) {
      this.lost--;
      return "new";
    }
    return "copy";
  }

  #noteGap(first: number, last: number): void {
    if (last - first + 1 > sequenceGapMax) {
      this.#missing.clear();
      this.lost += last - first + 1;
      return;
    }
    for (let n = first; n <= last; n++) {
      this.#missing.add(n);
      this.lost++;
    }
    for (const oldest of this.#missing) {
      if (this.#missing.size <= missingSequencesMax) break;
      this.#missing.delete(oldest);
    }
  }
}
