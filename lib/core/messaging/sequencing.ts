/**
 * Decides, from a sender's generation and sequence number, whether a message is news, a copy or a replay, and keeps
 * which numbers are missing (protocol reference 6.2). It must never accept the same number of the same generation
 * twice, nor go back to an earlier generation.
 */

import type { Instant } from "../instant.ts";
import { missingSequencesMax, sequenceGapMax } from "../limits.ts";

export type SequenceVerdict =
  /** A number above all before. */
  | "new"
  /** It closes a gap, by itself: the network changed the order. */
  | "late"
  /** It closes a gap after we asked for it: it may be much older than what came before it. */
  | "resent"
  /** The first message of a daemon run later than the known one. */
  | "restart"
  /** Seen before, by another link or replayed. */
  | "copy"
  /** From an earlier run of the sender's daemon: a replay. */
  | "old-generation";

/** Whether a message of this verdict is to be taken. */
export function isAccepted(verdict: SequenceVerdict): boolean {
  return verdict !== "copy" && verdict !== "old-generation";
}

/** A number that has not arrived. */
export interface Missing {
  /** When it is to be asked for next; `null`: not decided yet. */
  askAt: Instant | null;
  isAsked: boolean;
}

export class SequenceTracker {
  #generation: number | null = null;
  #first = 0;
  #last = 0;
  /** Numbers below `last` not seen yet, lowest first. */
  readonly missing = new Map<number, Missing>();
  /** Numbers that never arrived, as far as known. */
  lost = 0;
  /** Numbers that were asked for, oldest first, as many as could be missing. */
  readonly #asked = new Set<number>();
  /** Counts the gaps noticed, so that who asks for the numbers sees that there are new ones. */
  gaps = 0;

  get generation(): number | null {
    return this.#generation;
  }

  /** Lowest number that counts in this generation; 0: none. */
  get first(): number {
    return this.#first;
  }

  /** Highest number accepted in this generation; 0: none. */
  get last(): number {
    return this.#last;
  }

  /** Up to this number nothing is missing any more; 0: nothing is there. */
  get contiguous(): number {
    for (const [lowest] of this.missing) return lowest - 1;
    return this.#last;
  }

  judge(generation: number, sequence: number): SequenceVerdict {
    if (this.#generation !== null && generation < this.#generation) return "old-generation";
    if (this.#generation === null || generation > this.#generation) {
      const isFirst = this.#generation === null;
      this.#generation = generation;
      this.#first = sequence;
      this.#last = sequence;
      this.missing.clear();
      this.#asked.clear();
      return isFirst ? "new" : "restart";
    }
    if (sequence > this.#last) {
      if (sequence > this.#last + 1) this.#noteGap(this.#last + 1, sequence - 1);
      this.#last = sequence;
      return "new";
    }
    const missing = this.missing.get(sequence);
    if (missing === undefined) return "copy";
    this.missing.delete(sequence);
    this.lost--;
    return missing.isAsked ? "resent" : "late";
  }

  /** That number is being asked for. */
  noteAsked(sequence: number): void {
    this.missing.get(sequence)!.isAsked = true;
    this.#asked.add(sequence);
    for (const oldest of this.#asked) {
      if (this.#asked.size <= missingSequencesMax) break;
      this.#asked.delete(oldest);
    }
  }

  /** We have asked for that number, so what comes by it may have been sent again. */
  wasAsked(sequence: number): boolean {
    return this.#asked.has(sequence);
  }

  /** The sender cannot send that number any more. Returns whether it was missing. */
  giveUp(sequence: number): boolean {
    return this.missing.delete(sequence);
  }

  #noteGap(first: number, last: number): void {
    this.lost += last - first + 1;
    if (last - first + 1 > sequenceGapMax) {
      this.missing.clear();
      return;
    }
    for (let n = first; n <= last; n++) this.missing.set(n, { askAt: null, isAsked: false });
    this.gaps++;
    for (const oldest of this.missing.keys()) {
      if (this.missing.size <= missingSequencesMax) break;
      this.missing.delete(oldest);
    }
  }
}
