/**
 * The questions of one group to the service network: when to ask, and whether the silence so far means that nobody
 * has the group's addresses. A question that could not be put is no silence; one answer ends all silence before it.
 */

import type { EffectId } from "../effects.ts";
import type { WireVerdict } from "../inputs.ts";
import { after, type Instant } from "../instant.ts";
import { silentQuestionsMin, wireBackoffMsMax, wireBlindRetryMs } from "../limits.ts";

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
  /** First of an unbroken run of answers. */
  answeredSince: Instant | null = null;

  /** Nothing is wanted any more: what was learnt is stale from now on. */
  reset(): void {
    this.pending = null;
    this.nextAskAt = null;
    this.last = null;
    this.lastAt = null;
    this.answeredSince = null;
    this.#silentInARow = 0;
    this.#silentSince = null;
    this.#backoffMs = 0;
  }

  asked(id: EffectId, now: Instant): void {
    this.pending = id;
    this.#askedAt = now;
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
        this.answeredSince = null;
        this.nextAskAt = now;
        break;
      case "answered":
        this.#endSilence();
        this.answeredSince ??= now;
        this.nextAskAt = after(now, this.#backoffMs);
        this.#backoffMs = Math.min(wireBackoffMsMax, Math.max(5, this.#backoffMs * 2));
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

  #endSilence(): void {
    this.#silentInARow = 0;
    this.#silentSince = null;
  }
}
