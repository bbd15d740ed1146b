/**
 * Answers a peer's request for messages of ours (protocol reference 6.3): sends again what is kept, refuses what is
 * not, and leaves what needs no answer. It must never let a request, or one peer's many requests, cost more than a
 * bounded number of packets, nor send the same message again for every node that asks.
 */

import { after, type Instant } from "../instant.ts";
import { Credit } from "../credit.ts";
import {
  refusalsAtOnceMax,
  refusalsPerSecondMax,
  resendsAtOnceMax,
  resendsMax,
  resendsPerSecondMax,
  sentPacketsMax,
} from "../limits.ts";

/** A message sent again this much less than the delay of requests ago is on its way (protocol reference 6.3). */
const repeatSlackMs = 10;

export interface Answer {
  readonly resend: readonly number[];
  /** Numbers that are kept no more. */
  readonly refuse: readonly number[];
  /** How many were asked for too often to be answered. */
  readonly unanswered: number;
}

/** What one peer may cost us. */
export class AnswerCredit {
  readonly resends = new Credit(resendsAtOnceMax, resendsPerSecondMax);
  readonly refusals = new Credit(refusalsAtOnceMax, refusalsPerSecondMax);
}

export class Answers {
  /** When a number was sent again, or refused. */
  readonly #answeredAt = new Map<number, Instant>();

  /** Up to this number the driver keeps none any more, though they are not many. */
  #forgotten = 0;

  constructor(readonly delayMs: number) {}

  forget(sequence: number): void {
    this.#forgotten = Math.max(this.#forgotten, sequence);
  }

  /** `acked`: up to this number the asker has said that it has all; `last`: our highest number. */
  to(
    now: Instant,
    first: number,
    end: number,
    acked: number,
    last: number,
    credit: AnswerCredit,
  ): Answer {
    const lowest = Math.max(1, last - sentPacketsMax + 1, this.#forgotten + 1);
    const resend: number[] = [];
    const refuse: number[] = [];
    let unanswered = 0;
    const from = Math.max(first, acked + 1);
    const to = Math.min(end, last, from + resendsMax - 1);
    for (let sequence = from; sequence <= to; sequence++) {
      if (this.#isOnItsWay(now, sequence)) continue;
      const isKept = sequence >= lowest;
      if (!(isKept ? credit.resends : credit.refusals).take(now)) unanswered++;
      else {
        (isKept ? resend : refuse).push(sequence);
        this.#note(sequence, now);
      }
    }
    return { resend, refuse, unanswered };
  }

  #isOnItsWay(now: Instant, sequence: number): boolean {
    const at = this.#answeredAt.get(sequence);
    return at !== undefined && now < after(at, this.delayMs - repeatSlackMs);
  }

  #note(sequence: number, now: Instant): void {
    this.#answeredAt.delete(sequence);
    this.#answeredAt.set(sequence, now);
    if (this.#answeredAt.size <= sentPacketsMax) return;
    for (const oldest of this.#answeredAt.keys()) {
      this.#answeredAt.delete(oldest);
      return;
    }
  }
}
