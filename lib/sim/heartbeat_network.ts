/**
 * The heartbeat links: one directed path per (sender, medium, receiver), each with its own delay, loss, copies and
 * cuts. Decides from chance which packets arrive when; a delay that varies more than the packets' distance reorders
 * them.
 */

import type { MessageInput } from "../core/inputs.ts";
import type { EventQueue } from "./event_queue.ts";
import type { Prng } from "./prng.ts";

export interface LinkQuality {
  readonly latencyMs: number;
  /** Added to the latency, evenly spread from 0. */
  readonly jitterMs: number;
  readonly lossRate: number;
  readonly copyRate: number;
  readonly isCut: boolean;
}

export const goodLink: LinkQuality = {
  latencyMs: 0.2,
  jitterMs: 0.2,
  lossRate: 0,
  copyRate: 0,
  isCut: false,
};

/** Packets kept for replays. Too low: only recent ones can be replayed. Too high: memory of the simulator. */
const recordedMax = 4_000;

export type Deliver = (to: string, input: MessageInput) => void;

export class HeartbeatNetwork {
  readonly #links = new Map<string, LinkQuality>();
  readonly #recorded: MessageInput[] = [];

  constructor(
    readonly nodes: readonly string[],
    readonly media: readonly string[],
    readonly queue: EventQueue,
    readonly random: Prng,
    readonly deliver: Deliver,
  ) {
    this.heal();
  }

  heal(): void {
    for (const from of this.nodes) {
      for (const medium of this.media) {
        for (const to of this.nodes) this.#links.set(key(from, medium, to), goodLink);
      }
    }
  }

  /** Changes all directed paths that match; `null` matches every one. */
  set(from: string | null, medium: string | null, to: string | null, quality: Partial<LinkQuality>): void {
    for (const sender of from === null ? this.nodes : [from]) {
      for (const name of medium === null ? this.media : [medium]) {
        for (const receiver of to === null ? this.nodes : [to]) {
          const path = key(sender, name, receiver);
          this.#links.set(path, { ...(this.#links.get(path) ?? goodLink), ...quality });
        }
      }
    }
  }

  /** Sends one packet on all media to all other nodes. */
  send(from: string, packet: Omit<MessageInput, "medium" | "kind">): void {
    for (const medium of this.media) {
      const input: MessageInput = { kind: "message", medium, ...packet };
      this.#record(input);
      for (const to of this.nodes) if (to !== from) this.#carry(from, medium, to, input);
    }
  }

  /** Somebody who recorded a packet sends it again, from anywhere, on any medium. `null`: none was recorded. */
  replay(to: string, age: number): MessageInput | null {
    const index = Math.floor(age * this.#recorded.length);
    const input = this.#recorded[this.#recorded.length - 1 - index];
    if (input === undefined) return null;
    const replayed = { ...input, medium: this.random.pick(this.media) };
    this.queue.in(0.1, () => this.deliver(to, replayed));
    return replayed;
  }

  #carry(from: string, medium: string, to: string, input: MessageInput): void {
    const link = this.#links.get(key(from, medium, to))!;
    if (link.isCut || this.random.chance(link.lossRate)) return;
    const copies = this.random.chance(link.copyRate) ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const delayMs = link.latencyMs + (link.jitterMs > 0 ? this.random.next() * link.jitterMs : 0);
      this.queue.in(delayMs, () => {
        if (!this.#links.get(key(from, medium, to))!.isCut) this.deliver(to, input);
      });
    }
  }

  #record(input: MessageInput): void {
    this.#recorded.push(input);
    if (this.#recorded.length > 2 * recordedMax) this.#recorded.splice(0, recordedMax);
  }
}

function key(from: string, medium: string, to: string): string {
  return `${from} ${medium} ${to}`;
}
