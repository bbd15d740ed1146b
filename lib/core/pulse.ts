/**
 * When this node sends a heartbeat: every keepalive, soon after a peer has shown that it needs one, and at once when
 * what it tells has changed, unless that happens without end. It must never let a keepalive pass without one.
 */

import { Credit } from "./credit.ts";
import { after, type Instant } from "./instant.ts";
import { extraBeatsAtOnceMax, extraBeatsPerKeepalive, promptReplyMs } from "./limits.ts";
import type { Timing } from "./settings.ts";

export class Pulse {
  /** When the last one was sent. */
  lastAt: Instant | null = null;
  #nextAt: Instant | null = null;
  #replyAt: Instant | null = null;
  /** There is something new to tell, and that has been so too often: then. */
  #extraAt: Instant | null = null;
  readonly #extras: Credit;

  constructor(readonly timing: Timing, groups = 0) {
    const perSecond = extraBeatsPerKeepalive * 1_000 / timing.keepaliveMs;
    this.#extras = new Credit(extraBeatsAtOnceMax(groups), perSecond);
  }

  /** The next regular one is due at an instant, which may be now. */
  begin(at: Instant): void {
    this.#nextAt = at;
  }

  /** A peer waits for an answer: soon, but not for each of many that ask. */
  answerSoon(now: Instant): void {
    this.#replyAt ??= after(this.lastAt ?? now, promptReplyMs(this.timing));
  }

  /** What is due now; a regular one moves on to the next. */
  due(now: Instant, isChanged: boolean): "regular" | "extra" | null {
    if (this.#nextAt !== null && now >= this.#nextAt) {
      const next = after(this.#nextAt, this.timing.keepaliveMs);
      this.#nextAt = next > now ? next : after(now, this.timing.keepaliveMs);
      return "regular";
    }
    if (this.#replyAt !== null && now >= this.#replyAt) return "extra";
    if (!isChanged) return null;
    if (this.#extras.take(now)) return "extra";
    this.#extraAt = this.#extras.nextAtMs(now) as Instant;
    return null;
  }

  beaten(now: Instant): void {
    this.#replyAt = null;
    this.#extraAt = null;
    this.lastAt = now;
  }

  addDeadlines(instants: (Instant | null)[]): void {
    instants.push(this.#nextAt, this.#replyAt, this.#extraAt);
  }
}
