/**
 * The arbiter `ping`: reference addresses (a router, a switch, other sites) that are asked by ICMP echo. An answer
 * proves that we are not the one that is cut off. It only ever reports answers; what it means that none comes is
 * judged by the core, which knows the time.
 *
 * A forged or a stale answer must not count as proof: each run has a random identifier and each request a random
 * token, and an answer counts only from the address that was asked, once, and only while its question is young. An
 * answer that lay in the socket while this process stood still proves nothing about now.
 */

import { randomBytes } from "node:crypto";
import type { PingArbiterSettings } from "../core/settings.ts";
import { EnvironmentError } from "../errors.ts";
import { monotonicMs } from "../system/clock.ts";
import { type EchoReply, EchoSocket } from "../system/icmp.ts";
import { addressFamily, canonicalAddress, type Family, isSameBytes } from "../system/packets/ip_address.ts";
import type { Arbiter } from "./arbiter.ts";

/** What is asked: an arbiter, or a ping member. */
export type Pinged = Pick<PingArbiterSettings, "name" | "targets">;

interface Target {
  /** As the operator wrote it: reported back. */
  readonly name: string;
  /** Canonical, without zone: what a reply comes from. */
  readonly address: string;
  readonly family: Family;
  readonly socket: EchoSocket;
}

interface Question {
  readonly target: Target;
  readonly sequence: number;
  readonly token: Uint8Array;
  readonly askedAt: number;
}

const tokenBytes = 16;

/** Looks at the sockets: soon after the request, for a short round trip, then less and less often. */
const firstLookMs = 1;
const lookGrowth = 1.6;

export class PingArbiter implements Arbiter {
  readonly name: string;
  readonly #settings: Pinged;
  readonly #now: () => number;
  readonly #identifier = randomBytes(2).readUInt16BE();
  readonly #sockets = new Map<Family, EchoSocket>();
  #targets: readonly Target[] = [];
  #questions: Question[] = [];
  #sequence = 0;
  #intervalMs = 0;
  #ageMsMax = 0;
  #answered: (target: string, askedAtMs: number) => void = () => {};
  #askTimer: ReturnType<typeof setInterval> | undefined;
  #lookTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(settings: Pinged, now: () => number = monotonicMs) {
    this.name = settings.name;
    this.#settings = settings;
    this.#now = now;
  }

  /**
   * Rejects where no target can ever be asked: no address among them, or no permission for ICMP. Answers to questions
   * older than `ageMsMax` are forgotten: after two intervals, unless said.
   */
  open(
    intervalMs: number,
    answered: (target: string, askedAtMs: number) => void,
    ageMsMax = 2 * intervalMs,
  ): Promise<void> {
    try {
      this.#targets = this.#settings.targets.map((target) => this.#target(target));
    } catch (error) {
      this.#closeSockets();
      return Promise.reject(error);
    }
    this.#intervalMs = intervalMs;
    this.#ageMsMax = ageMsMax;
    this.#answered = answered;
    this.#ask();
    this.#askTimer = setInterval(() => this.#ask(), intervalMs);
    return Promise.resolve();
  }

  close(): Promise<void> {
    clearInterval(this.#askTimer);
    clearTimeout(this.#lookTimer);
    this.#questions = [];
    this.#closeSockets();
    return Promise.resolve();
  }

  #target(name: string): Target {
    const [text] = name.split("%") as [string];
    const address = canonicalAddress(text);
    const family = addressFamily(text);
    if (address === null || family === null) {
      throw new EnvironmentError(
        `Cannot ping "${this.name}": target "${name}" is no IP address; write it as 192.0.2.1 or 2001:db8::1`,
      );
    }
    let socket = this.#sockets.get(family);
    if (socket === undefined) this.#sockets.set(family, socket = EchoSocket.open(family));
    return { name, address, family, socket };
  }

  #ask(): void {
    this.#look();
    const askedAt = this.#now();
    this.#questions = this.#questions.filter((question) => this.#isYoung(question, askedAt));
    for (const target of this.#targets) {
      const sequence = this.#sequence = (this.#sequence + 1) & 0xffff;
      const token = randomBytes(tokenBytes);
      // A request that the kernel refuses (no route) is as lost as one on the wire.
      if (target.socket.send(target.name, this.#identifier, sequence, token) !== 0) continue;
      this.#questions.push({ target, sequence, token, askedAt });
    }
    this.#lookIn(firstLookMs);
  }

  #lookIn(pauseMs: number): void {
    clearTimeout(this.#lookTimer);
    if (this.#questions.length === 0) return;
    this.#lookTimer = setTimeout(() => {
      this.#look();
      this.#lookIn(Math.min(pauseMs * lookGrowth, this.#intervalMs));
    }, pauseMs);
  }

  #look(): void {
    const now = this.#now();
    for (const [family, socket] of this.#sockets) {
      for (const reply of socket.poll()) this.#take(family, reply, now);
    }
  }

  #take(family: Family, reply: EchoReply, now: number): void {
    if (reply.identifier !== this.#identifier) return;
    const index = this.#questions.findIndex(({ target, sequence, token }) =>
      target.family === family && target.address === reply.from && sequence === reply.sequence &&
      isSameBytes(token, reply.payload)
    );
    const question = this.#questions[index];
    if (question === undefined) return;
    this.#questions.splice(index, 1);
    if (this.#isYoung(question, now)) this.#answered(question.target.name, question.askedAt);
  }

  #isYoung(question: Question, now: number): boolean {
    return now - question.askedAt <= this.#ageMsMax;
  }

  #closeSockets(): void {
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }
}
