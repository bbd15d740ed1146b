/** A bar on a terminal's standard error while something takes long; nothing anywhere else. */

export interface ProgressStream {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

const barColumns = 24;

export class Progress {
  readonly #isShown: boolean;

  constructor(readonly stream: ProgressStream, readonly total: number, readonly what: string) {
    this.#isShown = stream.isTTY === true;
  }

  /** `elapsedMs`: since the beginning, for the speed and what is left. */
  show(done: number, elapsedMs: number): void {
    if (!this.#isShown) return;
    const share = this.total === 0 ? 1 : Math.min(1, done / this.total);
    const full = Math.floor(share * barColumns);
    const bar = "#".repeat(full) + ".".repeat(barColumns - full);
    const perSecond = done / Math.max(elapsedMs, 1) * 1000;
    const left = perSecond > 0 ? `, ${Math.ceil((this.total - done) / perSecond)} s left` : "";
    this.stream.write(
      `\r\x1b[K[${bar}] ${done} of ${this.total} ${this.what}, ${Math.round(perSecond)}/s${left}`,
    );
  }

  end(): void {
    if (this.#isShown) this.stream.write("\r\x1b[K");
  }
}
