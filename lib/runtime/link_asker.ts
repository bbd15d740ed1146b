/**
 * Questions that an operator has the daemon send over one of its own links (`heartline probe`): the only way to
 * measure a TCP connection or a serial line that belongs to the daemons. It decides how often that may be, from what
 * the link carries, so that measuring never crowds out heartbeats; it keeps what is unanswered within a bound.
 */

import { linkName, type MediumSettings, type Settings } from "../core/settings.ts";
import type { Medium } from "../media/medium.ts";
import { monotonicMs } from "../system/clock.ts";
import {
  type ProbeAnswer,
  probeBytesMin,
  type ProbeQuestion,
  ProbeSealer,
  questionFields,
} from "../wire/probe_message.ts";
import type { Field } from "../wire/message.ts";
import type { SealOptions } from "../wire/packet.ts";

export interface LinkAnswer {
  readonly answer: ProbeAnswer;
  /** From the hand-over to the medium until the answer had come and was verified. */
  readonly roundTripMs: number;
}

/** Why a question was not sent, for the one who asked. */
export class LinkRefusal extends Error {}

/** Questions a second on a link with room for them. More than this measures nothing that fewer do not. */
const questionsPerSecondMax = 20;

/** Of a serial line, one part in so many is for questions: a line of 19200 baud carries four heartbeats a second. */
const serialShare = 10;

/** Sent at once after a pause, so that a timer that comes late costs no question. */
const burstMax = 4;

/** Longest wait for an answer, and most questions that wait. Beyond, memory for those who ask and hang up. */
const waitMsMax = 10_000;
const waitingMax = 256;

/** The least between two questions on a link of the settings, in milliseconds. */
export function askIntervalMsMin(medium: MediumSettings): number {
  return medium.kind === "serial"
    ? Math.ceil(serialShare * probeBytesMin * 10 * 1000 / medium.baud)
    : 1000 / questionsPerSecondMax;
}

interface Waiting {
  readonly sentAtMs: number;
  readonly end: (answer: ProbeAnswer | null, atMs: number) => void;
}

export class LinkAsker {
  readonly #sealer = new ProbeSealer();
  /** By session and number. */
  readonly #waiting = new Map<string, Waiting>();
  /** By medium: what is left of the burst, and since when. */
  readonly #credit = new Map<string, { left: number; atMs: number }>();

  constructor(
    readonly settings: Settings,
    readonly node: string,
    readonly media: readonly Medium[],
  ) {}

  /** `null`: no answer within the wait. Rejects with a `LinkRefusal`. */
  ask(name: string, question: ProbeQuestion, waitMs: number): Promise<LinkAnswer | null> {
    const medium = this.media.find((each) => each.name === name);
    const settings = this.settings.media.find((each) => linkName(each) === name);
    if (medium === undefined || settings === undefined) {
      return refused(
        `there is no link "${name}"; the links are ${this.media.map((each) => each.name).join(", ")}`,
      );
    }
    if (medium.localAddress === null) return refused(`link "${name}" does not work at this moment`);
    if (this.#waiting.size >= waitingMax) {
      return refused("too many questions wait for answers; ask less often");
    }
    if (!this.#mayAsk(name, askIntervalMsMin(settings))) return refused(`link "${name}" is asked too often`);
    const packet = this.#sealer.seal(this.#fields(question), this.#sealOptions(medium), probeBytesMin);
    if (packet === null) return refused("the question does not fit into a packet");
    return this.#sent(medium, packet, question, Math.min(waitMs, waitMsMax));
  }

  /** An answer that was verified. */
  received(answer: ProbeAnswer): void {
    this.#waiting.get(keyOf(answer))?.end(answer, monotonicMs());
  }

  #sent(medium: Medium, packet: Uint8Array, question: ProbeQuestion, waitMs: number) {
    return new Promise<LinkAnswer | null>((resolve) => {
      const key = keyOf(question);
      const sentAtMs = monotonicMs();
      const end: Waiting["end"] = (answer, atMs) => {
        if (answer !== null && question.to !== null && answer.node !== question.to) return;
        clearTimeout(timer);
        this.#waiting.delete(key);
        resolve(answer === null ? null : { answer, roundTripMs: atMs - sentAtMs });
      };
      const timer = setTimeout(() => end(null, 0), waitMs);
      this.#waiting.get(key)?.end(null, 0);
      this.#waiting.set(key, { sentAtMs, end });
      medium.send(packet);
    });
  }

  #fields(question: ProbeQuestion): Field[] {
    return questionFields(question, this.node, Math.floor(Date.now() / 1000));
  }

  #sealOptions({ format }: Medium): SealOptions {
    const { messageFormat, authentication } = this.settings;
    return { format: format === "any" ? messageFormat : format, authentication };
  }

  #mayAsk(name: string, intervalMs: number): boolean {
    const nowMs = monotonicMs();
    const { left, atMs } = this.#credit.get(name) ?? { left: burstMax, atMs: nowMs };
    const now = Math.min(burstMax, left + (nowMs - atMs) / intervalMs);
    const isAllowed = now >= 1;
    this.#credit.set(name, { left: isAllowed ? now - 1 : now, atMs: nowMs });
    return isAllowed;
  }
}

function keyOf({ session, number }: { readonly session: string; readonly number: number }): string {
  return `${session} ${number}`;
}

function refused(reason: string): Promise<never> {
  return Promise.reject(new LinkRefusal(reason));
}
