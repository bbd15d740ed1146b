/** Round-trip times in figures: quantiles with intervals, jitter, and a histogram. Pure. */

import { type Estimate, quantile } from "./interval.ts";

export interface DelaySummary {
  readonly minMs: number;
  readonly medianMs: Estimate;
  readonly p99Ms: Estimate;
  readonly maxMs: number;
  /** Smoothed as RFC 3550, section 6.4.1 has it. */
  readonly jitterMs: number;
}

/** `null`: nothing came back. */
export function summarizeDelays(
  roundTripsMs: readonly number[],
  variationsMs: readonly number[],
): DelaySummary | null {
  if (roundTripsMs.length === 0) return null;
  const sorted = [...roundTripsMs].sort((a, b) => a - b);
  return {
    minMs: sorted[0]!,
    medianMs: quantile(sorted, 0.5),
    p99Ms: quantile(sorted, 0.99),
    maxMs: sorted.at(-1)!,
    jitterMs: variationsMs.reduce((jitter, variation) => jitter + (variation - jitter) / 16, 0),
  };
}

export interface Bin {
  readonly fromMs: number;
  readonly toMs: number;
  readonly count: number;
}

/** Bins of equal ratio: delays spread over powers of ten. At most `binsMax` of them, none empty at the ends. */
export function histogram(roundTripsMs: readonly number[], binsMax: number): Bin[] {
  if (roundTripsMs.length === 0) return [];
  const floorMs = 0.01;
  const low = Math.max(floorMs, Math.min(...chunked(roundTripsMs, Math.min)));
  const high = Math.max(low * 1.05, ...chunked(roundTripsMs, Math.max));
  const ratio = Math.max(high / low, 1.0001);
  const bins = Math.max(1, Math.min(binsMax, Math.ceil(Math.log(ratio) / Math.log(1.15))));
  const edge = (index: number) => low * ratio ** (index / bins);
  const counts = new Array<number>(bins).fill(0);
  for (const ms of roundTripsMs) {
    const index = Math.floor(Math.log(Math.max(ms, low) / low) / Math.log(ratio) * bins);
    counts[Math.min(bins - 1, index)]!++;
  }
  return counts.map((count, index) => ({ fromMs: edge(index), toMs: edge(index + 1), count }));
}

/** A call takes no more than some ten thousand arguments. */
function chunked(values: readonly number[], pick: (...values: number[]) => number): number[] {
  const picked: number[] = [];
  for (let at = 0; at < values.length; at += 10_000) picked.push(pick(...values.slice(at, at + 10_000)));
  return picked;
}
