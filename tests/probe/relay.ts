/**
 * A lossy path between an asker and a listener on loopback: a relay that loses packets by a seeded chain in each
 * direction, delays them, and repeats or swaps some. What it lost is known exactly.
 */

import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import type { LossModel } from "../../lib/measure/loss_model.ts";
import { monotonicMs } from "../../lib/system/clock.ts";
import type { Prng } from "../../lib/core/prng.ts";

export interface RelayWay {
  readonly loss: LossModel;
  readonly delayMs: number;
  /** Share of packets that are sent twice. */
  readonly copyRate?: number;
  /** Share of packets that wait for longer than their successor. */
  readonly swapRate?: number;
  /** How much longer. */
  readonly swapMs?: number;
}

export class Relay {
  port = 0;
  /** How long packets were really held, there and back: a timer of a busy machine is late. */
  readonly heldMs = { there: [] as number[], back: [] as number[] };
  readonly #near: Socket = createSocket("udp4");
  readonly #far: Socket = createSocket("udp4");
  readonly #timers = new Set<ReturnType<typeof setTimeout>>();
  #asker: RemoteInfo | null = null;

  constructor(
    readonly target: number,
    readonly there: RelayWay,
    readonly back: RelayWay,
    readonly random: Prng,
  ) {}

  async open(): Promise<void> {
    for (const socket of [this.#near, this.#far]) {
      await new Promise<void>((resolve) => socket.bind(0, "127.0.0.1", resolve));
    }
    this.port = this.#near.address().port;
    const [there, back] = [this.#way(this.there, this.heldMs.there), this.#way(this.back, this.heldMs.back)];
    this.#near.on("message", (packet, from) => {
      this.#asker = from;
      there(packet, (copy) => this.#far.send(copy, this.target, "127.0.0.1"));
    });
    this.#far.on("message", (packet) => {
      const asker = this.#asker;
      if (asker !== null) back(packet, (copy) => this.#near.send(copy, asker.port, asker.address));
    });
  }

  async close(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of [this.#near, this.#far]) {
      await new Promise<void>((resolve) => void socket.close(() => resolve()));
    }
  }

  #way(way: RelayWay, heldMs: number[]): (packet: Uint8Array, send: (packet: Uint8Array) => void) => void {
    const random = this.random.fork();
    const { toBad, toGood, lossGood, lossBad } = way.loss;
    let isBad = random.chance(toBad / (toBad + toGood));
    return (packet, send) => {
      isBad = isBad ? !random.chance(toGood) : random.chance(toBad);
      if (random.chance(isBad ? lossBad : lossGood)) return;
      const delayMs = way.delayMs + (random.chance(way.swapRate ?? 0) ? way.swapMs ?? 0 : 0);
      for (let copies = random.chance(way.copyRate ?? 0) ? 2 : 1; copies > 0; copies--) {
        const sinceMs = monotonicMs();
        const timer = setTimeout(() => {
          heldMs.push(monotonicMs() - sinceMs);
          this.#timers.delete(timer);
          send(packet);
        }, delayMs);
        this.#timers.add(timer);
      }
    };
  }
}
