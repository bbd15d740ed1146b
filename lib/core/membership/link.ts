/**
 * One (peer, medium) pair: is it alive, and does it carry in both directions? A link is refreshed only by a sequence
 * number that this very link has not brought before, so that a replay cannot keep a dead link looking alive.
 */

import { after, type Instant } from "../instant.ts";
import type { LinkView } from "../view.ts";

export class Link {
  heardAt: Instant | null = null;
  received = 0;
  copies = 0;
  lost = 0;
  #generation = 0;
  #last = 0;
  /** Since when it has looked one-way; short spells are the delay of an answer. */
  oneWaySince: Instant | null = null;
  /** The last state that was reported, so that each change is reported once. */
  reported: LinkView["state"] = "never";

  constructor(readonly medium: string) {}

  /** Notes an authenticated message. Returns whether it was news *on this link*. */
  hear(now: Instant, generation: number, sequence: number): boolean {
    const isLaterRun = generation > this.#generation;
    if (!isLaterRun && (generation < this.#generation || sequence <= this.#last)) {
      this.copies++;
      return false;
    }
    if (!isLaterRun && this.#last > 0) this.lost += sequence - this.#last - 1;
    this.#generation = generation;
    this.#last = sequence;
    this.heardAt = now;
    this.received++;
    return true;
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
