/** One line on a terminal that tells a waiting person what is going on, and for how long already. */

import process from "node:process";

/** How long a step takes before a terminal is told that it still runs. */
const PROGRESS_AFTER_MS = 1000;

/** Written to standard error, and wiped at the end. */
export class Waiting {
  #timer: ReturnType<typeof setInterval> | undefined;
  #isShown = false;
  constructor(readonly isOn: boolean) {}

  begin(what: string): void {
    if (!this.isOn) return;
    const startedMs = performance.now();
    this.#timer = setInterval(() => {
      this.#isShown = true;
      process.stderr.write(`\r${what}, ${Math.round((performance.now() - startedMs) / 1000)} s\x1b[K`);
    }, PROGRESS_AFTER_MS);
  }

  end(): void {
    clearInterval(this.#timer);
    if (this.#isShown) process.stderr.write("\r\x1b[K");
    this.#isShown = false;
  }
}
