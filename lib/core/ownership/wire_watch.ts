/**
 * The questions of one group to the service network: when to ask, and whether the silence so far means that nobody
 * has the group's addresses. A question that could not be put is no silence; one answer ends all silence before it.
 */

import type { EffectId } from "../effects.ts";
import type { WireVerdict } from "../inputs.ts";
import { after, type Instant } from "../instant.ts";
import { silentQuestionsBrisk, silentQuestionsMin, wireBackoffMsMax, wireBlindRetryMs } from "../limits.ts";

export class WireWatch {
  /** The open question. */
  pending: EffectId | null = null;
  nextAskAt: Instant | null = null;
  last: WireVerdict | null = null;
  lastAt: Instant | null = null;
  #silentInARow = 0;
  #silentSince: Instant | null = null;
  #askedAt: Instant | null = null;
  #backoffMs = 0;
  #windowMs = 0;
  #eagerUntil = 0 as Instant;

  /** Nothing is wanted any more: what was learnt is stale from now on. */
  reset(): void {
    this.pending = null;
    this.nextAskAt = null;
    this.last = null;
    this.lastAt = null;
    this.#silentInARow = 0;
    this.#silentSince = null;
    this.#backoffMs = 0;
  }

  /** A question goes out; until `eagerUntil` an answer is followed by the next one without a pause. */
  asked(id: EffectId, now: Instant, windowMs: number, eagerUntil: Instant): void {
    this.pending = id;
    this.#askedAt = now;
    this.#windowMs = windowMs;
    this.#eagerUntil = eagerUntil;
  }

  /** Takes the outcome of the open question; outcomes of forgotten questions are ignored. */
  hear(id: EffectId, verdict: WireVerdict, now: Instant): boolean {
    if (id !== this.pending) return false;
    this.pending = null;
    this.last = verdict;
    this.lastAt = now;
    switch (verdict.kind) {
      case "silent":
        this.#silentInARow++;
        this.#silentSince ??= this.#askedAt;
        this.#backoffMs = 0;
        this.nextAskAt = after(now, this.#silentInARow > silentQuestionsBrisk ? 2 * this.#windowMs : 0);
        break;
      case "answered":
        this.#endSilence();
        this.nextAskAt = after(now, this.#pauseMs(now));
        break;
      case "contended":
        this.#endSilence();
        this.nextAskAt = after(now, this.#windowMs);
        break;
      case "blind":
        this.#endSilence();
        this.nextAskAt = after(now, wireBlindRetryMs);
        break;
    }
    return true;
  }

  /** Silent without a break for `durationMs`, over at least `questions`, and lately enough to count. */
  isSilent(now: Instant, windowMs: number, durationMs: number, questions = silentQuestionsMin): boolean {
    if (this.lastAt === null || this.#silentSince === null || this.#silentInARow < questions) return false;
    return now <= after(this.lastAt, 3 * windowMs + 20) && now >= after(this.#silentSince, durationMs);
  }

  /**
   * How long to wait after an answer. While the answer may be a lost holder's lease that still runs, not longer than
   * a question: the group is to be taken as soon as it is over. After that ever longer.
   */
  #pauseMs(now: Instant): number {
    if (now < this.#eagerUntil) return this.#windowMs;
    this.#backoffMs = Math.min(wireBackoffMsMax, Math.max(this.#windowMs, this.#backoffMs * 2));
    return this.#backoffMs;
  }

  #endSilence(): void {
    this.#silentInARow = 0;
    this.#silentSince = null;
  }
}
