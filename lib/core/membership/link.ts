/**
 * One (peer, medium) pair: is it alive, and does it carry in both directions? A link is refreshed only by a sequence
 * number that this very link has not brought before, so that a replay cannot keep a dead link looking alive.
 */

import { after, type Instant } from "../instant.ts";
import { missingSequencesMax, sequenceGapMax } from "../limits.ts";
import type { LinkView } from "../view.ts";
import { LinkTiming } from "./link_timing.ts";

export class Link {
  heardAt: Instant | null = null;
  /** Numbers that this link has brought, each counted once. */
  received = 0;
  /** Numbers that it brought again. */
  copies = 0;
  /** Numbers that it has not brought, or only after they were asked for. */
  lost = 0;
  /** Numbers that it brought after higher ones, without being asked. */
  reordered = 0;
  /** Numbers that it had lost and brought when they were sent again. */
  retransmitted = 0;
  readonly timing = new LinkTiming();
  #generation = 0;
  #last = 0;
  /** Numbers below the last that it has not brought, oldest first. */
  readonly #missing = new Set<number>();
  /** Since when it has looked one-way; short spells are the delay of an answer. */
  oneWaySince: Instant | null = null;
  /** The last state that was reported, so that each change is reported once. */
  reported: LinkView["state"] = "never";

  constructor(readonly medium: string) {}

  /**
   * Notes an authenticated message; `isResent`: we have asked for it. Returns whether it was news *on this link*: a
   * number above all that it brought before.
   */
  hear(now: Instant, generation: number, sequence: number, isResent = false): boolean {
    const isLaterRun = generation > this.#generation;
    if (!isLaterRun && (generation < this.#generation || sequence <= this.#last)) {
      this.#fillGap(generation, sequence, isResent);
      return false;
    }
    if (isLaterRun) this.#missing.clear();
    else if (this.#last > 0) this.#noteGap(this.#last + 1, sequence - 1);
    if (isLaterRun) this.timing.restart();
    this.#generation = generation;
    this.#last = sequence;
    this.heardAt = now;
    this.received++;
    return true;
  }

  #fillGap(generation: number, sequence: number, isResent: boolean): void {
    if (generation !== this.#generation || !this.#missing.delete(sequence)) {
      this.copies++;
      return;
    }
    this.received++;
    if (isResent) this.retransmitted++;
    else {
      this.reordered++;
      this.lost--;
    }
  }

  #noteGap(first: number, last: number): void {
    this.lost += last - first + 1;
    if (last - first + 1 > sequenceGapMax) {
      this.#missing.clear();
      return;
    }
    for (let n = first; n <= last; n++) this.#missing.add(n);
    for (const oldest of this.#missing) {
      if (this.#missing.size <= missingSequencesMax) break;
      this.#missing.delete(oldest);
    }
  }

  isAlive(now: Instant, deadTimeMs: number): boolean {
    return this.heardAt !== null && now < after(this.heardAt, deadTimeMs);
  }

  /** When this link is dead unless something is heard; `peerSince`: since when the peer is in view by any link. */
  deathAt(peerSince: Instant, deadTimeMs: number): Instant {
    const from = this.heardAt === null || this.heardAt < peerSince ? peerSince : this.heardAt;
    return after(from, deadTimeMs);
  }

  /** A link that has not spoken since the peer came into view is `never` heard for a dead time, then dead. */
  state(
    now: Instant,
    peerSince: Instant,
    deadTimeMs: number,
    warnTimeMs: number,
    isHeardByPeer: boolean,
  ): LinkView["state"] {
    if (now >= this.deathAt(peerSince, deadTimeMs)) return "dead";
    if (this.heardAt === null || this.heardAt < peerSince) return "never";
    if (!isHeardByPeer) return "one-way";
    return now >= after(this.heardAt, warnTimeMs) ? "late" : "up";
  }
}
