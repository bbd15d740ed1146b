/**
 * The daemon's journal: every input of the core with its instant, in a file that is bounded and rotated, so that
 * `heartline simulate replay` can have a night again. It is written beside the event loop: a disk that hangs costs
 * records, which is said in the journal, and never a heartbeat. Must never throw once it is open.
 *
 * Two files of half the size: FILE grows, and takes the place of FILE.1 when it is full. Nothing is synced to disk: a
 * machine that loses its power loses the last seconds.
 */

import { closeSync, fstatSync, mkdirSync, open, openSync, readSync, rename } from "node:fs";
import { dirname } from "node:path";
import type { Effect } from "../core/effects.ts";
import type { Input } from "../core/inputs.ts";
import { JournalEncoder } from "../core/journal/codec.ts";
import { digestOf } from "../core/journal/digest.ts";
import { isOfNote, type JournalHeader, type Resume } from "../core/journal/format.ts";
import { LineWriter } from "./line_writer.ts";

const fileMode = 0o600;
const newline = 0x0a;

/** How long the end of the daemon, and a rotated file, wait for a disk that hangs. */
const flushLimitMs = 1_000;

/** Lines kept while files change places. Too low: records are lost; too high: memory, while a disk hangs. */
const waitingMax = 1_000;

export interface JournalOptions {
  readonly file: string;
  /** Of both files together. */
  readonly bytesMax: number;
  /** How the groups stand, for a file that does not hold the beginning of the run. */
  readonly groups: () => Resume["groups"];
  /** Called once when the journal ends for good, with the reason. */
  readonly failed: (reason: string) => void;
}

export class Journal {
  readonly #encoder = new JournalEncoder();
  #writer: LineWriter | null;
  /** Lines that wait for a rotation to end; `null`: none goes on. */
  #waiting: string[] | null = null;
  #bytes: number;
  #lost = 0;
  /** The latest news of each medium. */
  readonly #media = new Map<string, Resume["media"][number]>();
  #part = 0;
  #isClosed = false;

  /** Throws the error of node:fs when the file cannot be opened. A run is appended to what is there. */
  constructor(readonly options: JournalOptions, readonly head: Omit<JournalHeader, "now" | "at" | "part">) {
    mkdirSync(dirname(options.file), { recursive: true });
    const descriptor = openSync(options.file, "a+", fileMode);
    let isCutOff: boolean;
    try {
      this.#bytes = fstatSync(descriptor).size;
      isCutOff = this.#bytes > 0 && !endsALine(descriptor, this.#bytes);
    } catch (error) {
      closeSync(descriptor);
      throw error;
    }
    this.#writer = writerFor(descriptor);
    // Behind a line that a crash or a full disk cut off, the header would be part of it, and the run of the old one.
    if (isCutOff) this.#put("");
  }

  /** The run begins; before its first step. */
  begin(now: number): void {
    this.#put(this.#header(now));
  }

  step(now: number, input: Input, effects: readonly Effect[]): void {
    if (this.#isClosed || (this.#writer === null && this.#waiting === null)) return;
    if (!this.#hasRoom()) {
      this.#lost++;
      return;
    }
    if (this.#lost > 0) {
      this.#put(this.#encoder.lost(this.#lost, now));
      this.#lost = 0;
    }
    if (input.kind === "medium") this.#media.set(input.medium, input);
    const noted = effects.filter(isOfNote);
    this.#put(this.#encoder.step({ now, input, digest: digestOf(effects), noted }));
    if (this.#bytes > this.options.bytesMax / 2 && this.#waiting === null) this.#rotate(now);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    await this.#writer?.close(flushLimitMs);
    this.#writer = null;
  }

  #hasRoom(): boolean {
    return this.#waiting === null ? this.#writer!.hasRoom : this.#waiting.length < waitingMax;
  }

  #put(line: string): void {
    this.#bytes += line.length + 1;
    if (this.#waiting !== null) this.#waiting.push(line);
    else this.#writer?.write(line);
  }

  #header(now: number): string {
    const at = new Date().toISOString();
    const resume = this.#part === 0 ? {} : {
      resume: { media: [...this.#media.values()], groups: this.options.groups() },
    };
    return this.#encoder.header({ ...this.head, now, at, part: this.#part, ...resume });
  }

  /** The full file moves aside while the core goes on: what it does meanwhile waits for the new one. */
  #rotate(now: number): void {
    const { file } = this.options;
    const full = this.#writer!;
    this.#writer = null;
    this.#waiting = [];
    this.#bytes = 0;
    this.#part++;
    this.#put(this.#header(now));
    void full.close(flushLimitMs);
    rename(file, `${file}.1`, (error) => {
      if (error) return this.#fail(error);
      open(file, "w", fileMode, (error, descriptor) => {
        if (error) return this.#fail(error);
        this.#writer = writerFor(descriptor);
        for (const line of this.#waiting ?? []) this.#writer.write(line);
        this.#waiting = null;
        if (this.#isClosed) void this.close();
      });
    });
  }

  #fail(error: Error): void {
    this.#waiting = null;
    this.options.failed(error.message);
  }
}

function endsALine(descriptor: number, bytes: number): boolean {
  const last = new Uint8Array(1);
  readSync(descriptor, last, 0, 1, bytes - 1);
  return last[0] === newline;
}

/** Higher costs fewer calls at short keepalives; a daemon that is killed takes so much of its last moment along. */
const gatherMs = 50;

function writerFor(descriptor: number): LineWriter {
  // Never asked for: a line is only written when there is room.
  return new LineWriter(descriptor, (count) => JSON.stringify({ lost: count }), gatherMs);
}
