/**
 * The client without root: looks again and again which node serves, and remembers the changes. An outage is a time in
 * which none did. It looks from the demo's own thread and notes the longest that it did not.
 */

import { monotonicMs } from "../../../lib/system/clock.ts";
import { between, type HolderChange, type HolderTimeline, longestGapMs } from "../../lab/timeline.ts";
import { askIntervalMs, type ServiceWatch } from "./stage.ts";

export class MarkWatch implements ServiceWatch {
  readonly #changes: HolderChange[] = [];
  readonly #timer = setInterval(() => this.holders(), askIntervalMs);
  #samples = 0;
  #lastAtMs: number | null = null;
  #gapMaxMs = 0;
  #lastAnswerAtMs: number | null = null;

  constructor(private readonly look: () => readonly string[]) {
    this.holders();
  }

  holders(): readonly string[] {
    const holders = this.look();
    const atMs = monotonicMs();
    if (holders.length > 0) this.#lastAnswerAtMs = atMs;
    this.#gapMaxMs = Math.max(this.#gapMaxMs, atMs - (this.#lastAtMs ?? atMs));
    this.#lastAtMs = atMs;
    this.#samples++;
    if (this.#changes.at(-1)?.holders.join() !== holders.join()) this.#changes.push({ atMs, holders });
    return holders;
  }

  timeline(): HolderTimeline {
    return {
      fromMs: this.#changes[0]?.atMs ?? 0,
      toMs: this.#lastAtMs ?? 0,
      changes: [...this.#changes],
      samples: this.#samples,
      samplingGapMaxMs: this.#gapMaxMs,
    };
  }

  outageMs(fromMs: number, toMs: number): number {
    return longestGapMs(between(this.timeline(), fromMs, toMs));
  }

  get lastAnswerAtMs(): number | null {
    return this.#lastAnswerAtMs;
  }

  get uncertaintyMs(): number {
    return this.#gapMaxMs;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
