/**
 * What must survive a restart of the daemon: the heartbeat generation, which must never go down for a node's name
 * (protocol reference 6.6, 12.2), the node's UUID, and the highest epoch seen of each group. Every change is durable
 * on disk before it is used: written beside, synced, renamed, directory synced.
 *
 * What is written while the daemon works is written beside the event loop: a disk that hangs, or is busy for seconds,
 * must never cost a heartbeat.
 */

import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { EnvironmentError } from "../errors.ts";
import { replaceFile, replaceFileBeside } from "../system/durable_file.ts";
import { counterMax } from "../wire/limits.ts";

const generationFile = "hb_generation";
const uuidFile = "hb_uuid";
const epochsFile = "epochs.json";

export class StateFiles {
  readonly generation: number;
  /** 16 bytes. */
  readonly uuid: Uint8Array;
  readonly epochs: Record<string, number>;
  /** The last write of epochs: done, under way, or waiting for the one before it. */
  #kept: Promise<void> = Promise.resolve();
  /** A write that has not begun and will tell of all epochs known by then. */
  #waiting: Promise<void> | null = null;

  /**
   * Opens the directory, creating it if needed, and takes the next generation. `legacyDirectory` is where a Heartbeat
   * daemon keeps its own: a node that moves over goes on counting from there, and back again.
   */
  constructor(readonly directory: string, legacyDirectory: string | null) {
    try {
      mkdirSync(directory, { recursive: true, mode: 0o755 });
      this.generation = this.#nextGeneration(legacyDirectory);
      this.uuid = this.#ownUuid(legacyDirectory);
      this.epochs = this.#readEpochs();
    } catch (cause) {
      const why = `Cannot use state directory "${directory}": ${
        cause instanceof Error ? cause.message : cause
      }`;
      if (cause instanceof DamagedFile) throw new EnvironmentError(why, 69, { cause });
      throw new EnvironmentError(
        `${why}; it must be writable: run as root, or set another with --state-dir`,
        77,
        { cause },
      );
    }
  }

  /** Keeps the highest epoch of a group; durable when it resolves. Rejects with the error of the file system. */
  keepEpoch(group: string, epoch: number): Promise<void> {
    if ((this.epochs[group] ?? 0) >= epoch) return this.#kept;
    this.epochs[group] = epoch;
    this.#waiting ??= this.#kept.catch(() => {}).then(() => {
      this.#waiting = null;
      const content = Buffer.from(JSON.stringify(this.epochs) + "\n");
      return replaceFileBeside(join(this.directory, epochsFile), content);
    });
    return this.#kept = this.#waiting;
  }

  /** Waits for what is being written, at most `limitMs`. */
  async close(limitMs: number): Promise<void> {
    await withinLimit(this.#kept.catch(() => {}), limitMs);
  }

  #nextGeneration(legacyDirectory: string | null): number {
    const known = [this.directory, legacyDirectory]
      .map((directory) => (directory === null ? null : readGeneration(join(directory, generationFile))))
      .filter((generation) => generation !== null);
    const last = known.length > 0 ? Math.max(...known) : Math.floor(Date.now() / 1000);
    const content = Buffer.from(`${String(last + 1).padStart(15)}\n`);
    replaceFile(join(this.directory, generationFile), content);
    // Where Heartbeat has counted, it goes on from here should it come back: its peers refuse what is lower.
    if (legacyDirectory !== null && read(join(legacyDirectory, generationFile)) !== null) {
      replaceFile(join(legacyDirectory, generationFile), content);
    }
    return last + 1;
  }

  #ownUuid(legacyDirectory: string | null): Uint8Array {
    for (const directory of [this.directory, legacyDirectory]) {
      const uuid = directory === null ? null : read(join(directory, uuidFile));
      if (uuid?.length === 16) return uuid;
    }
    const uuid = randomBytes(16);
    uuid[6] = (uuid[6]! & 0x0f) | 0x40;
    uuid[8] = (uuid[8]! & 0x3f) | 0x80;
    replaceFile(join(this.directory, uuidFile), uuid);
    return uuid;
  }

  #readEpochs(): Record<string, number> {
    const epochs: Record<string, number> = Object.create(null);
    const path = join(this.directory, epochsFile);
    const text = read(path)?.toString();
    if (text === undefined) return epochs;
    const known = parse(text);
    const wanted = "the epochs of groups; remove it while another node is up, which tells them";
    if (typeof known !== "object" || known === null || Array.isArray(known)) {
      throw new DamagedFile(path, text, wanted);
    }
    for (const [group, epoch] of Object.entries(known)) {
      if (!Number.isSafeInteger(epoch) || epoch < 0) throw new DamagedFile(path, text, wanted);
      epochs[group] = Math.min(epoch, counterMax);
    }
    return epochs;
  }
}

/** Guessing what such a file held could make a generation or an epoch go back, and an old claim win. */
class DamagedFile extends Error {
  constructor(path: string, content: string, wanted: string) {
    super(`${JSON.stringify(path)} holds ${JSON.stringify(content.slice(0, 40))}, not ${wanted}`);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Missing: `null`. A file with anything but a number in it is an error: guessing could go back in time. */
function readGeneration(path: string): number | null {
  const text = read(path)?.toString().trim();
  if (text === undefined) return null;
  if (!/^\d{1,15}$/.test(text) || Number(text) >= counterMax) {
    throw new DamagedFile(
      path,
      text,
      `a number below ${counterMax}; remove it to begin at the present time`,
    );
  }
  return Number(text);
}

function read(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as { code?: string }).code === "ENOENT") return null;
    throw error;
  }
}

/** Whether it was fulfilled in time. Rejects as the promise does. */
export async function withinLimit(promise: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<false>((resolve) => timer = setTimeout(() => resolve(false), limitMs));
  try {
    return await Promise.race([promise.then(() => true), limit]);
  } finally {
    clearTimeout(timer);
  }
}
