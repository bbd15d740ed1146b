/**
 * Dead a fixed margin after the next heartbeat was to be expected (Chen, Toueg and Aguilera, On the Quality of Service
 * of Failure Detectors, IEEE Transactions on Computers 51(5), 2002: NFD-E). The expectation is the mean, over the last
 * arrivals, of how late each was against its number; so one late heartbeat does not put off the deadline of the next,
 * as it does with a fixed silence.
 */

import type { Instant } from "../instant.ts";
import { bounded, type Detector, type DetectorBounds } from "./detector.ts";

export interface ChenOptions extends DetectorBounds {
  readonly keepaliveMs: number;
  /** After the expected arrival. Lower: quicker, and fewer lost heartbeats are borne. */
  readonly marginMs: number;
}

/** Arrivals that the mean is taken of. Fewer: jitter shows; more: a change of the delay is followed later. */
const arrivalsMax = 100;

export class ChenDetector implements Detector {
  /** Arrival less number times keepalive, in a ring. */
  readonly #offsets: number[] = [];
  #count = 0;
  #sum = 0;
  #last: Instant | null = null;
  #lastSequence = 0;
  /** Offsets are kept relative to the first, so that the sum stays exact. */
  #origin = 0;

  constructor(readonly options: ChenOptions) {}

  heard(at: Instant, sequence: number): void {
    const offset = at - sequence * this.options.keepaliveMs;
    if (this.#count === 0) this.#origin = offset;
    const slot = this.#count++ % arrivalsMax;
    this.#sum += offset - this.#origin - (this.#offsets[slot] ?? 0);
    this.#offsets[slot] = offset - this.#origin;
    this.#last = at;
    this.#lastSequence = sequence;
  }

  deadline(): Instant | null {
    if (this.#last === null) return null;
    const mean = this.#origin + this.#sum / this.#offsets.length;
    const expected = mean + (this.#lastSequence + 1) * this.options.keepaliveMs;
    return bounded(expected + this.options.marginMs, this.#last, this.options);
  }
}
