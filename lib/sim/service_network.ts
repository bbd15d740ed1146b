/**
 * The network that the clients are on: who answers for an address, who hears a question or an announcement. Machines
 * on the same segment reach each other; a machine on no segment has no carrier. Answers come from the kernel, so they
 * do not need a living daemon.
 *
 * A question is two probes, at its beginning and in the middle of its window, as `lib/system/ask_wire.ts` puts them.
 * An answer and an announcement count as somebody who has the address; a rival's probe as one who is about to
 * (RFC 5227), and of two rivals one goes first.
 */

import type { WireVerdict } from "../core/inputs.ts";
import type { EventQueue } from "./event_queue.ts";
import type { Prng } from "../core/prng.ts";

/** What the network needs to know of a machine. */
export interface Station {
  readonly name: string;
  /** It can hear and answer. */
  readonly isAwake: boolean;
  readonly hasAddress: (group: string) => boolean;
  /** Somebody announced an address. */
  readonly hearClaim: (group: string, from: string) => void;
}

/** Where the targets of the arbiters are; `null`: nowhere; `all`: on each segment is one that answers. */
export type ArbiterSegment = number | "all" | null;

/** How arbiters answer those whom they answer at all. */
export interface ArbiterQuality {
  readonly latencyMs: number;
  readonly lossRate: number;
}

export const goodArbiter: ArbiterQuality = { latencyMs: 0.5, lossRate: 0 };

interface Question {
  readonly station: Station;
  readonly group: string;
  readonly ended: (verdict: WireVerdict) => void;
  isOpen: boolean;
}

export class ServiceNetwork {
  lossRate = 0;
  /** When a station was moved last, or all was healed. */
  changedMs = 0;
  arbiterSegment: ArbiterSegment = 0;
  arbiterQuality: ArbiterQuality = goodArbiter;
  readonly #segments = new Map<string, number | null>();
  readonly #stations: Station[] = [];
  readonly #questions = new Set<Question>();
  /** Machines whose questions cannot be put, for whatever reason, although they are attached. */
  readonly blind = new Set<string>();

  constructor(readonly queue: EventQueue, readonly random: Prng, readonly latencyMs: number) {}

  attach(station: Station): void {
    this.#stations.push(station);
    this.#segments.set(station.name, 0);
  }

  segment(name: string): number | null {
    return this.#segments.get(name) ?? null;
  }

  move(name: string, segment: number | null): void {
    this.changedMs = this.queue.nowMs;
    this.#segments.set(name, segment);
  }

  heal(): void {
    for (const { name } of this.#stations) this.move(name, 0);
    this.lossRate = 0;
    this.arbiterSegment = 0;
    this.arbiterQuality = goodArbiter;
    this.blind.clear();
  }

  areConnected(one: string, other: string): boolean {
    const segment = this.segment(one);
    return segment !== null && segment === this.segment(other);
  }

  reachesArbiter(name: string): boolean {
    const segment = this.segment(name);
    return segment !== null && (this.arbiterSegment === "all" || segment === this.arbiterSegment) &&
      !this.random.chance(this.lossRate) &&
      !this.random.chance(this.arbiterQuality.lossRate);
  }

  /** `isRunning`: the asker's process can end the question now; else it ends it when it runs again. */
  ask(station: Station, group: string, windowMs: number, ended: (verdict: WireVerdict) => void): Closing {
    const question: Question = { station, group, ended, isOpen: true };
    if (this.segment(station.name) === null || this.blind.has(station.name)) {
      this.queue.in(0.5, () => this.#end(question, { kind: "blind", reason: "it cannot be asked" }));
      return { close: () => {}, abandon: () => this.#abandon(question) };
    }
    this.#questions.add(question);
    this.#probe(question);
    this.queue.in(windowMs / 2, () => this.#probe(question));
    const close = () => {
      const isBlind = this.segment(station.name) === null;
      this.#end(question, isBlind ? { kind: "blind", reason: "the carrier went" } : { kind: "silent" });
    };
    return { close, abandon: () => this.#abandon(question) };
  }

  announce(station: Station, group: string): void {
    this.#flood(station, (hearer) => {
      for (const question of [...this.#questions]) {
        if (question.station === hearer && question.group === group) this.#answer(question, station.name);
      }
      hearer.hearClaim(group, station.name);
    });
  }

  #probe(question: Question): void {
    if (!question.isOpen || !question.station.isAwake) return;
    const { station, group } = question;
    this.#flood(station, (hearer) => {
      for (const rival of [...this.#questions]) {
        if (rival.station === hearer && rival.group === group) this.#meet(rival, station.name);
      }
      if (!hearer.hasAddress(group)) return;
      this.#unicast(hearer, station, () => this.#answer(question, hearer.name));
    });
  }

  /** Of two that ask at once the lower hardware address, here the name, goes first; it tells the other one so. */
  #meet(question: Question, rival: string): void {
    if (rival < question.station.name) {
      this.#end(question, { kind: "contended", address: question.group, hardware: rival });
    } else this.#probe(question);
  }

  #flood(from: Station, heard: (hearer: Station) => void): void {
    for (const to of this.#stations) if (to !== from) this.#unicast(from, to, () => heard(to));
  }

  #unicast(from: Station, to: Station, arrived: () => void): void {
    if (!this.areConnected(from.name, to.name) || this.random.chance(this.lossRate)) return;
    this.queue.in(this.latencyMs * this.random.between(0.5, 1), () => {
      if (to.isAwake && this.areConnected(from.name, to.name)) arrived();
    });
  }

  #answer(question: Question, from: string): void {
    this.#end(question, { kind: "answered", address: question.group, hardware: from });
  }

  #end(question: Question, verdict: WireVerdict): void {
    if (!question.isOpen) return;
    question.isOpen = false;
    this.#questions.delete(question);
    question.ended(verdict);
  }

  #abandon(question: Question): void {
    question.isOpen = false;
    this.#questions.delete(question);
  }
}

/** How the asker ends its question. */
export interface Closing {
  /** The window is over and the asker looks. */
  close(): void;
  /** The asker is gone. */
  abandon(): void;
}
