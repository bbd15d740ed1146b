/**
 * What an observing thread and the laboratory share: a growing list of numbers, how often was looked, and the longest
 * that was not looked. One thread writes, the other reads without waiting; an entry is complete before it is counted.
 */

import { InvariantError } from "../../lib/errors.ts";

/** Where to look, as an observing thread is told. */
export type ObservationTask =
  | {
    readonly kind: "holders";
    /** Paths of the nodes' network namespaces; bit i of an entry stands for the i-th. */
    readonly namespaces: readonly string[];
    readonly address: string;
    readonly intervalMs: number;
    readonly memory: SharedArrayBuffer;
  }
  | {
    readonly kind: "ping";
    readonly namespace: string;
    readonly address: string;
    readonly intervalMs: number;
    readonly memory: SharedArrayBuffer;
  };

/** Half an hour of replies every 5 ms; 4 MB, touched only as it fills. */
const ENTRIES_MAX = 500_000;
const HEADER_BYTES = 64;
const word = { stop: 0, done: 1, numbers: 2, looks: 3, sent: 4 };
/** In units of 8 bytes, behind the words. */
const number = { gapMaxMs: 4, lastAtMs: 5 };

export class Observation {
  readonly #words: Int32Array;
  readonly #header: Float64Array;
  readonly #numbers: Float64Array;

  constructor(readonly memory: SharedArrayBuffer = new SharedArrayBuffer(HEADER_BYTES + 8 * ENTRIES_MAX)) {
    this.#words = new Int32Array(memory, 0, 8);
    this.#header = new Float64Array(memory, 0, HEADER_BYTES / 8);
    this.#numbers = new Float64Array(memory, HEADER_BYTES);
  }

  get looks(): number {
    return Atomics.load(this.#words, word.looks);
  }

  get sent(): number {
    return Atomics.load(this.#words, word.sent);
  }

  get gapMaxMs(): number {
    return this.#header[number.gapMaxMs] ?? 0;
  }

  /** Instant of the last look. */
  get lastAtMs(): number {
    return this.#header[number.lastAtMs] ?? 0;
  }

  /** How many numbers have been written. */
  get length(): number {
    return Atomics.load(this.#words, word.numbers);
  }

  at(index: number): number {
    return this.#numbers[index] ?? NaN;
  }

  get mayGoOn(): boolean {
    return Atomics.load(this.#words, word.stop) === 0;
  }

  countSent(): void {
    Atomics.add(this.#words, word.sent, 1);
  }

  push(...values: number[]): void {
    const { length } = this;
    if (length + values.length > this.#numbers.length) throw new InvariantError("an observation is full");
    this.#numbers.set(values, length);
    Atomics.store(this.#words, word.numbers, length + values.length);
  }

  /** Counts a look, after what it saw was pushed. */
  looked(atMs: number): void {
    if (this.looks > 0) this.#header[number.gapMaxMs] = Math.max(this.gapMaxMs, atMs - this.lastAtMs);
    this.#header[number.lastAtMs] = atMs;
    Atomics.add(this.#words, word.looks, 1);
    Atomics.notify(this.#words, word.looks);
  }

  /** Lets the observing thread sleep until the next look; it wakes at once when it is to stop. */
  sleep(ms: number): void {
    if (ms > 0) Atomics.wait(this.#words, word.stop, 0, ms);
  }

  finish(): void {
    Atomics.store(this.#words, word.done, 1);
    Atomics.notify(this.#words, word.done);
  }

  /** Blocks the caller until the first look; `false`: not within the limit. */
  waitForFirstLook(limitMs: number): boolean {
    return Atomics.wait(this.#words, word.looks, 0, limitMs) !== "timed-out";
  }

  /** Blocks the caller until the observing thread has let go of everything. */
  stopAndWait(limitMs: number): void {
    Atomics.store(this.#words, word.stop, 1);
    Atomics.notify(this.#words, word.stop);
    Atomics.wait(this.#words, word.done, 0, limitMs);
  }
}
