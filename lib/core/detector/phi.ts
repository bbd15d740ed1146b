/**
 * Dead once the silence has become too improbable (Hayashibara, Défago, Yared and Katayama, The φ Accrual Failure
 * Detector, SRDS 2004). With normally distributed intervals of the mean and deviation seen lately, φ = −log10 of the
 * chance that a heartbeat comes even later; the deadline is where φ reaches the threshold.
 */

import { after, type Instant } from "../instant.ts";
import { bounded, type Detector, type DetectorBounds } from "./detector.ts";

export interface PhiOptions extends DetectorBounds {
  readonly keepaliveMs: number;
  /** 8 means a wrong verdict in 10^8 intervals, if intervals were normally distributed. From 1 to 16. */
  readonly threshold: number;
}

/** Intervals that mean and deviation are taken of. Fewer: they jump; more: a change is followed later. */
const intervalsMax = 200;

/** Intervals seem never to vary less, as a part of the keepalive: else a quiet network makes any lateness a death. */
const deviationMin = 0.1;

export class PhiDetector implements Detector {
  readonly #intervals: number[] = [];
  readonly #deviations: number;
  #count = 0;
  #sum = 0;
  #squares = 0;
  #last: Instant | null = null;

  constructor(readonly options: PhiOptions) {
    this.#deviations = deviationsFor(options.threshold);
  }

  heard(at: Instant): void {
    if (this.#last !== null) this.#note(at - this.#last);
    this.#last = at;
  }

  deadline(): Instant | null {
    if (this.#last === null) return null;
    const { keepaliveMs, ceilingMs } = this.options;
    const count = this.#intervals.length;
    // Nothing is known of the network yet.
    if (count < 10) return after(this.#last, ceilingMs);
    const mean = this.#sum / count;
    const variance = Math.max(0, this.#squares / count - mean * mean);
    const deviation = Math.max(Math.sqrt(variance), deviationMin * keepaliveMs);
    return bounded(this.#last + mean + this.#deviations * deviation, this.#last, this.options);
  }

  #note(interval: number): void {
    const slot = this.#count++ % intervalsMax;
    const dropped = this.#intervals[slot] ?? 0;
    this.#intervals[slot] = interval;
    this.#sum += interval - dropped;
    this.#squares += interval * interval - dropped * dropped;
  }
}

/**
 * By how many deviations above the mean a normal variable lies with the chance 10^−φ: found by halving, with
 * Q(x) ≈ e^(−y) / (1 + e^(−y)), y = x (1.5976 + 0.070566 x²), which is what implementations of φ use.
 */
function deviationsFor(threshold: number): number {
  const phiAt = (x: number) => {
    const y = x * (1.5976 + 0.070566 * x * x);
    return (y + Math.log1p(Math.exp(-y))) / Math.LN10;
  };
  let [low, high] = [0, 40];
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (phiAt(middle) < threshold) low = middle;
    else high = middle;
  }
  return high;
}
