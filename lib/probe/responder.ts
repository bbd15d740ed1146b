/**
 * Answers questions of `heartline probe`, in the daemon and in `heartline probe --listen`. It keeps, for a few askers,
 * which of their latest questions it heard. It is handed authenticated messages and the time, and sends
 * nothing itself. It must never tell the core anything, and never cost more than its limits allow, whoever asks.
 */

import { Credit } from "../core/credit.ts";
import type { ClusterMessage } from "../wire/message.ts";
import type { SealOptions } from "../wire/packet.ts";
import {
  answeredBytesMin,
  answerFields,
  heardWindow,
  measurementOf,
  pathOf,
  ProbeSealer,
  readQuestion,
} from "../wire/probe_message.ts";

/** Series kept. Fewer let askers push each other out, which makes loss look unknown; each costs about 1 KiB. */
const seriesMax = 32;

/**
 * Answers in a second, all askers together, and at once. Fewer spoil measurements of several links; more let a
 * recorded question that is replayed take processor time from heartbeats.
 */
const answersPerSecondMax = 1_000;
const answersAtOnceMax = 500;

/** A jump ahead of a series by more than this is a mistake or an attack. */
const jumpMax = 1_000_000;

interface HeardSeries {
  readonly session: string;
  heardCount: number;
  highest: number;
  /** Ring: whether number `i` was heard, at `i % heardWindow`. */
  readonly heard: boolean[];
  copies: number;
  reordered: number;
  unanswered: number;
}

export class ProbeResponder {
  /** By medium and session, the longest unused first. */
  readonly #series = new Map<string, HeardSeries>();
  readonly #sealer = new ProbeSealer();
  readonly #credit = new Credit(answersAtOnceMax, answersPerSecondMax);

  constructor(readonly node: string) {}

  /**
   * The packet that answers a question that came at `nowMs` (monotonic) in a packet of `bytes`; `null`: it is none
   * for us, or one too many.
   */
  answer(
    message: ClusterMessage,
    medium: string,
    bytes: number,
    nowMs: number,
    options: SealOptions,
  ): Uint8Array | null {
    const question = readQuestion(message);
    if (question === null || bytes < answeredBytesMin) return null;
    if (question.to !== null && question.to !== this.node) return null;
    const { session, number } = question;
    const series = this.#take(medium, session);
    if (number > series.highest + jumpMax) return null;
    note(series, number);
    if (!this.#credit.take(nowMs)) {
      series.unanswered++;
      return null;
    }
    const answer = {
      session,
      number,
      node: this.node,
      heardAtMs: nowMs,
      heard: Array.from({ length: heardWindow }, (_, i) => isHeard(series, number - i)),
      copies: series.copies,
      reordered: series.reordered,
      unanswered: series.unanswered,
      others: this.#others(session),
    };
    return this.#sealer.seal(answerFields(answer, Math.floor(Date.now() / 1_000)), options, bytes);
  }

  /** A question may come on several media: each path has a session of its own, so that only strays share a series. */
  #take(medium: string, session: string): HeardSeries {
    const key = `${medium} ${session}`;
    const known = this.#series.get(key) ?? {
      session,
      heardCount: 0,
      highest: -1,
      heard: new Array<boolean>(heardWindow).fill(false),
      copies: 0,
      reordered: 0,
      unanswered: 0,
    };
    this.#series.delete(key);
    this.#series.set(key, known);
    if (this.#series.size > seriesMax) this.#series.delete(this.#series.keys().next().value!);
    return known;
  }

  #others(session: string): Map<number, number> {
    const measurement = measurementOf(session);
    const others = new Map<number, number>();
    for (const each of this.#series.values()) {
      if (each.session === session || measurementOf(each.session) !== measurement) continue;
      others.set(pathOf(each.session), each.heardCount);
    }
    return others;
  }
}

function note(series: HeardSeries, number: number): void {
  series.heardCount++;
  if (number <= series.highest) {
    if (isHeard(series, number)) series.copies++;
    else series.reordered++;
    if (number > series.highest - heardWindow) series.heard[number % heardWindow] = true;
    return;
  }
  for (let each = Math.max(series.highest + 1, number - heardWindow); each < number; each++) {
    series.heard[each % heardWindow] = false;
  }
  series.heard[number % heardWindow] = true;
  series.highest = number;
}

function isHeard(series: HeardSeries, number: number): boolean {
  if (number < 0 || number <= series.highest - heardWindow) return false;
  return number <= series.highest && series.heard[number % heardWindow]!;
}
