/**
 * A serial line to one peer, the Heartbeat directive `serial`: text packets only, whatever the others carry, found
 * again after noise. The line is a wire nobody else is on, so `crc` suffices there.
 *
 *     closed ──open──▶ open ──read or write fails──▶ retrying ──opened──▶ open
 *        ╰────open, no such device yet─────────────────▲
 *
 * Not over `@serialport/stream`: that wants a binding of ten asynchronous methods for the two calls used here, its
 * reads would each block a thread of a pool that may have but two, and its delimiter parser buffers noise without
 * bound. The line is read by a timer instead, which costs a twentieth of what the line itself delays.
 */

import type { SerialSettings } from "../core/settings.ts";
import { EnvironmentError } from "../errors.ts";
import { deviceLockDirectory, lockDevice } from "../system/device_lock.ts";
import { SystemError } from "../system/errno.ts";
import { Tty } from "../system/tty.ts";
import { serialPacketBytesMax } from "../wire/limits.ts";
import { type Medium, type MediumEvents, noTraffic } from "./medium.ts";
import { SerialFramer } from "./serial_framer.ts";
import { SerialWriter } from "./serial_writer.ts";

/** Shorter costs wakes; longer delays heartbeats, and lets the kernel's 4 KiB run over at 460800 baud from 80 ms on. */
const readIntervalMs = 20;

/** First and last wait between two attempts to open, doubled each time; the dangers are those of UDP. */
const retryMsMin = 200;
const retryMsMax = 2_000;

/** Last words may leave before the line is closed. Longer delays the end of the daemon when no peer takes them. */
const drainMsMax = 500;

const readBuffer = new Uint8Array(4_096);

export interface SerialOptions {
  readonly lockDirectory?: string;
}

interface OpenLine {
  readonly tty: Tty;
  readonly writer: SerialWriter;
  readonly framer: SerialFramer;
  readonly timer: ReturnType<typeof setInterval>;
  release(): void;
}

export class Serial implements Medium {
  readonly name: string;
  readonly description: string;
  readonly packetBytesMax = serialPacketBytesMax;
  readonly format = "text";
  readonly isPrivate = true;
  readonly counters = noTraffic();
  #line: OpenLine | null = null;
  #events: MediumEvents | null = null;
  #problem: string | null = null;
  #retryTimer: ReturnType<typeof setTimeout> | null = null;
  #retryMs = retryMsMin;
  #isClosed = false;

  constructor(readonly settings: SerialSettings, readonly options: SerialOptions = {}) {
    this.name = settings.tty;
    this.description = `serial ${settings.tty} ${settings.baud}`;
  }

  /** The device while it is open. */
  get localAddress(): string | null {
    return this.#line === null ? null : this.settings.tty;
  }

  /** Why the line is not open although it should be; `null`: it is. */
  get problem(): string | null {
    return this.#problem;
  }

  /** A device that is not there yet (an adapter that is plugged in later) is no error. */
  open(events: MediumEvents): Promise<void> {
    this.#events = events;
    try {
      this.#openLine();
    } catch (error) {
      if (!isPassing(error)) {
        return Promise.reject(openError(this.description, this.settings.tty, error));
      }
      this.#retryLater(error);
    }
    return Promise.resolve();
  }

  send(packet: Uint8Array): void {
    if (this.#line === null || packet.length > this.packetBytesMax || this.#isClosed) {
      this.counters.sendErrors++;
    } else this.#line.writer.send(packet);
  }

  async close(): Promise<void> {
    const isFirst = !this.#isClosed;
    this.#isClosed = true;
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    const line = this.#line;
    if (!isFirst || line === null) return;
    clearInterval(line.timer);
    const deadlineMs = performance.now() + drainMsMax;
    while (!(line.writer.isIdle && line.tty.outputBytes() === 0) && performance.now() < deadlineMs) {
      await new Promise((resolve) => setTimeout(resolve, readIntervalMs));
      if (this.#line !== line) return;
    }
    this.#closeLine();
  }

  #openLine(): void {
    const { tty: path, baud } = this.settings;
    const lock = lockDevice(path, this.options.lockDirectory ?? deviceLockDirectory);
    if (lock.kind === "held") throw new LineInUse(lock.pid);
    try {
      const tty = Tty.open(path, baud);
      const line: OpenLine = {
        tty,
        writer: new SerialWriter(tty, baud, this.counters, (error) => this.#lost(line, error)),
        framer: new SerialFramer(this.packetBytesMax, (packet) => this.#received(packet)),
        timer: setInterval(() => this.#read(line), readIntervalMs),
        release: () => lock.release(),
      };
      this.#line = line;
    } catch (error) {
      lock.release();
      throw error;
    }
    this.#retryMs = retryMsMin;
    if (this.#problem !== null) this.#events?.recovered();
    this.#problem = null;
  }

  #read(line: OpenLine): void {
    try {
      for (let isMore = true; isMore;) {
        const length = line.tty.read(readBuffer);
        line.framer.push(readBuffer.subarray(0, length));
        isMore = length === readBuffer.length && this.#line === line;
      }
    } catch (error) {
      this.#lost(line, error);
    }
  }

  #received(packet: Uint8Array): void {
    if (this.#isClosed) return;
    this.counters.receivedPackets++;
    this.counters.receivedBytes += packet.length;
    this.#events?.received(packet, this.settings.tty, (answer) => this.send(answer));
  }

  #lost(line: OpenLine, error: unknown): void {
    if (this.#line !== line) return;
    this.#closeLine();
    this.#retryLater(error);
  }

  #retryLater(error: unknown): void {
    if (this.#isClosed) return;
    const isNews = this.#problem === null;
    this.#problem = error instanceof Error ? error.message : String(error);
    if (isNews) this.#events?.failed(this.#problem);
    this.#retryTimer = setTimeout(() => {
      this.#retryTimer = null;
      try {
        this.#openLine();
      } catch (error) {
        this.#retryLater(error);
      }
    }, this.#retryMs);
    this.#retryMs = Math.min(this.#retryMs * 2, retryMsMax);
  }

  #closeLine(): void {
    const line = this.#line;
    this.#line = null;
    if (line === null) return;
    clearInterval(line.timer);
    line.writer.close();
    line.tty.close();
    line.release();
  }
}

/** One medium for each directive. */
export function serialMedia(directives: readonly SerialSettings[]): Serial[] {
  return directives.map((directive) => new Serial(directive));
}

class LineInUse extends Error {
  constructor(readonly pid: number) {
    super(`it is in use by process ${pid}`);
  }
}

/** An adapter that is not plugged in may come; everything else wants a person. */
function isPassing(error: unknown): boolean {
  return error instanceof SystemError && ["ENOENT", "ENODEV", "ENXIO", "EIO"].includes(error.errno);
}

function openError(description: string, tty: string, cause: unknown): EnvironmentError {
  const [what, exitCode] = explain(tty, cause);
  return new EnvironmentError(`Cannot open medium "${description}": ${what}`, exitCode, { cause });
}

function explain(tty: string, cause: unknown): [string, 69 | 77] {
  if (cause instanceof LineInUse) return [`${cause.message}; stop that program, or name another device`, 69];
  const code = cause instanceof SystemError ? cause.errno : (cause as { code?: string }).code;
  const path = (cause as { path?: string }).path;
  if (path !== undefined) {
    return [
      `the lock file "${path}" cannot be written (${code}); its directory must exist and be writable`,
      77,
    ];
  }
  switch (code) {
    case "EACCES":
    case "EPERM":
      return [`permission denied; add this user to group "dialout" or name another device`, 77];
    case "ENOTTY":
    case "EINVAL":
      return [`"${tty}" is not a serial line of that speed; name a device such as /dev/ttyS0`, 69];
    default:
      return [(cause as Error).message, 69];
  }
}
