/** Two pseudo-terminals joined by socat: what is written to one comes out of the other, as on a null-modem cable. */

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, constants, existsSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { until } from "./conformance.ts";

export const hasSocat = spawnSync("sh", ["-c", "command -v socat"]).status === 0;
if (!hasSocat) console.warn("SKIPPED: serial media over pseudo-terminals, which need socat");

export class PseudoLine {
  readonly a: string;
  readonly b: string;
  readonly #socat: ChildProcess;
  readonly #gone: Promise<unknown>;
  /** Keep both terminals open: the last one to close one of them would end the line. */
  readonly #held: number[];

  private constructor(readonly directory: string, socat: ChildProcess) {
    this.a = join(directory, "a");
    this.b = join(directory, "b");
    this.#socat = socat;
    this.#gone = new Promise((resolve) => socat.once("exit", resolve));
    this.#held = [];
  }

  static async open(): Promise<PseudoLine> {
    const directory = mkdtempSync(join(tmpdir(), "hl-serial-"));
    const end = (name: string) => `pty,raw,echo=0,link=${join(directory, name)}`;
    const line = new PseudoLine(directory, spawn("socat", [end("a"), end("b")], { stdio: "ignore" }));
    await until(() => existsSync(line.a) && existsSync(line.b), "socat has made both terminals");
    for (const path of [line.a, line.b]) {
      line.#held.push(openSync(path, constants.O_RDWR | constants.O_NOCTTY | constants.O_NONBLOCK));
    }
    return line;
  }

  /** Puts bytes on the line towards `b`, as whatever noise or foreign program would. */
  writeToB(bytes: Uint8Array): void {
    writeSync(this.#held[0]!, bytes);
  }

  /** The line stands still: socat takes nothing any more. */
  stop(): void {
    this.#signal("SIGSTOP");
  }

  continue(): void {
    this.#signal("SIGCONT");
  }

  /** As when the adapter is pulled out; the paths are gone too. */
  async unplug(): Promise<void> {
    for (const descriptor of this.#held.splice(0)) closeSync(descriptor);
    this.#signal("SIGCONT");
    this.#signal("SIGTERM");
    await this.#gone;
  }

  /** Not through the child's own `kill`, which under Deno takes the first signal for its end. */
  #signal(name: NodeJS.Signals): void {
    try {
      process.kill(this.#socat.pid!, name);
    } catch {
      // It has ended by itself, because a terminal was closed.
    }
  }

  async close(): Promise<void> {
    await this.unplug();
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Any bytes as one field of a text packet, one character each. */
export function textPacket(content: Uint8Array): Uint8Array {
  const value = Array.from(content, (byte) => String.fromCharCode(0x21 + byte % 93)).join("");
  return new TextEncoder().encode(`>>>\nx=${value}\n<<<\n`);
}
