/**
 * Writes the demo's text: lines that stay, and on a terminal one line below them that changes in place. Knows nothing
 * of what it writes. A reader who goes away (a closed pipe) ends the demo as SIGTERM does, clean-up included.
 */

import process from "node:process";
import { type Paint, paintFor, WIDTH } from "./text.ts";

const CLEAR_LINE = "\r\u001b[2K";

export class Screen {
  #changing = "";
  #isSilent = false;

  private constructor(readonly paint: Paint, readonly isLive: boolean) {}

  static async open(): Promise<Screen> {
    const { stdout, env } = process;
    const isTerminal = stdout.isTTY === true;
    // The changing line must not wrap: it could not be cleared.
    const isLive = isTerminal && env.TERM !== "dumb" && (stdout.columns ?? WIDTH) >= WIDTH;
    stdout.on("error", () => process.kill(process.pid, "SIGTERM"));
    return new Screen(await paintFor(isTerminal), isLive);
  }

  print(...lines: readonly string[]): void {
    if (this.#isSilent) return;
    const text = lines.map((line) => `${line}\n`).join("");
    process.stdout.write(this.isLive ? `${CLEAR_LINE}${text}${this.#changing}` : text);
  }

  /** Replaces the changing line; an empty one takes it away. At most `WIDTH` - 1 columns. */
  change(line: string): void {
    if (!this.isLive || this.#isSilent || line === this.#changing) return;
    this.#changing = line;
    process.stdout.write(`${CLEAR_LINE}${line}`);
  }

  /** Nothing more is of interest: what is going on is being taken down. */
  silence(): void {
    this.change("");
    this.#isSilent = true;
  }

  /** Resolves when everything is written. */
  close(): Promise<void> {
    this.change("");
    return new Promise((resolve) => process.stdout.write("", () => resolve()));
  }
}
