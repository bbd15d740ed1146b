/**
 * Lines to a file descriptor without ever holding up the caller: a full pipe, a hung journal or a dead disk delays
 * the writer, never the heartbeats. (The runtimes' own `process.stderr` writes to pipes synchronously.) What does not
 * fit is dropped and counted, and the gap is marked. Must never throw.
 */

import { close, write } from "node:fs";

/** Waiting lines. Too low: a burst loses lines; too high: memory, while nobody reads. */
const linesMax = 1000;

/** So many lines are written at once, however long they could still be gathered. */
const gatheredMax = 200;

/** After a write that failed or would have blocked. */
const retryMs = 50;

export class LineWriter {
  #lines: string[] = [];
  #dropped = 0;
  #isWriting = false;
  #idle: (() => void) | null = null;
  #gathering: ReturnType<typeof setTimeout> | undefined;

  /** `mark` makes the line that stands for `count` lost ones. Lines within `gatherMs` are written by one call. */
  constructor(
    private readonly descriptor: number,
    private readonly mark: (count: number) => string,
    private readonly gatherMs = 0,
  ) {}

  /** Whether the next line would be kept. */
  get hasRoom(): boolean {
    return this.#lines.length < linesMax;
  }

  /** One line, without its end. */
  write(line: string): void {
    if (this.#lines.length >= linesMax) {
      this.#dropped++;
      return;
    }
    this.#lines.push(line);
    if (this.#isWriting) return;
    if (this.gatherMs === 0 || this.#lines.length >= gatheredMax) this.#next();
    else this.#gathering ??= setTimeout(() => this.#next(), this.gatherMs);
  }

  /** Waits until everything is written, at most `limitMs`. */
  async flush(limitMs: number): Promise<void> {
    if (!this.#isWriting && this.#lines.length > 0) this.#next();
    if (!this.#isWriting) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const idle = new Promise<void>((resolve) => this.#idle = resolve);
    await Promise.race([idle, new Promise<void>((resolve) => timer = setTimeout(resolve, limitMs))]);
    clearTimeout(timer);
  }

  /** `flush`, and closes the descriptor. */
  async close(limitMs: number): Promise<void> {
    await this.flush(limitMs);
    await new Promise<void>((resolve) => close(this.descriptor, () => resolve()));
  }

  #next(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    if (this.#lines.length === 0) {
      this.#isWriting = false;
      this.#idle?.();
      return;
    }
    this.#isWriting = true;
    const lines = this.#lines;
    this.#lines = [];
    if (this.#dropped > 0) lines.push(this.mark(this.#dropped));
    this.#dropped = 0;
    this.#put(Buffer.from(lines.join("\n") + "\n"), 0);
  }

  #put(bytes: Buffer, from: number): void {
    try {
      write(this.descriptor, bytes, from, bytes.length - from, null, (error, written) => {
        if (error !== null) this.#retry(error, bytes, from);
        else if (from + written < bytes.length) this.#put(bytes, from + written);
        else this.#next();
      });
    } catch (error) {
      this.#retry(error as NodeJS.ErrnoException, bytes, from);
    }
  }

  /** A full pipe or disk may have room again; a descriptor that is gone never comes back. */
  #retry(error: NodeJS.ErrnoException, bytes: Buffer, from: number): void {
    if (error.code !== "EAGAIN" && error.code !== "ENOSPC" && error.code !== "EINTR") return this.#next();
    setTimeout(() => this.#put(bytes, from), retryMs).unref();
  }
}
