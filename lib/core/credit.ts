/**
 * How often something may be done that others can ask for: so many times at once, so many a second in the long run.
 * It must never be so tight that somebody honest notices it.
 */

export class Credit {
  #left: number;
  #atMs = 0;

  constructor(readonly atOnceMax: number, readonly perSecondMax: number) {
    this.#left = atOnceMax;
  }

  /** Takes one. `false`: there is none left at this time, by whatever clock of milliseconds all calls use. */
  take(nowMs: number): boolean {
    this.#gain(nowMs);
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }

  /** When the next one can be taken, in whole milliseconds; `nowMs`: at once. */
  nextAtMs(nowMs: number): number {
    this.#gain(nowMs);
    return nowMs + Math.max(0, Math.ceil((1 - this.#left) * 1_000 / this.perSecondMax));
  }

  #gain(nowMs: number): void {
    const gained = Math.max(0, nowMs - this.#atMs) * this.perSecondMax / 1_000;
    this.#left = Math.min(this.atOnceMax, this.#left + gained);
    this.#atMs = Math.max(this.#atMs, nowMs);
  }
}
