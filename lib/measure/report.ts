/**
 * What a measured series says of its path: losses of each direction, delays, and in one word whether it carries. Pure.
 */

import { type LossSummary, summarizeLoss } from "./bursts.ts";
import { type DelaySummary, summarizeDelays } from "./delay.ts";
import type { HeardLink } from "./heartbeats.ts";
import type { Arrival, SeriesOutcome } from "./series.ts";

/**
 * both: it carries there and back; outward: the far end hears us and we do not hear it; inward: we hear its
 * heartbeats, and asked nothing; silent: nothing came back, and nobody told that anything arrived; nothing: no question
 * is decided yet.
 */
export type Verdict = "both" | "outward" | "inward" | "silent" | "nothing";

export interface PathReport {
  readonly verdict: Verdict;
  readonly durationMs: number;
  readonly asked: number;
  readonly answered: number;
  readonly roundTrip: LossSummary;
  /** The single directions; `null`: the far end does not number what it hears. */
  readonly outward: LossSummary | null;
  readonly homeward: LossSummary | null;
  readonly delay: DelaySummary | null;
  /** Of heartbeats that were only listened to; then `roundTrip` is the way from there to here. */
  readonly heard: HeardFigures | null;
  readonly copies: number;
  readonly reordered: number;
  readonly late: number;
  readonly far: SeriesOutcome["far"];
  readonly refused: number;
  /** By number: for joint losses and pictures. */
  readonly outcome: SeriesOutcome;
}

export type HeardFigures = Pick<HeardLink, "intervalMs" | "lateMsMax" | "longestSilenceMs">;

/** `heardElsewhere`: questions of this path that the far end heard by its word on another one. */
export function reportOf(outcome: SeriesOutcome, heardElsewhere: number | null): PathReport {
  const { roundTrip, outward, homeward, intervalMs } = outcome;
  const answered = roundTrip.filter(Boolean).length;
  return {
    verdict: answered > 0
      ? "both"
      : roundTrip.length === 0
      ? "nothing"
      : (heardElsewhere ?? 0) > 0
      ? "outward"
      : "silent",
    durationMs: outcome.durationMs,
    asked: roundTrip.length,
    answered,
    roundTrip: summarizeLoss(roundTrip, intervalMs),
    outward: outward === null ? null : summarizeLoss(outward, intervalMs),
    homeward: homeward === null ? null : summarizeLoss(homeward, intervalMs),
    delay: summarizeDelays(outcome.roundTripsMs, outcome.variationsMs),
    heard: null,
    copies: outcome.copies,
    reordered: outcome.reordered,
    late: outcome.late,
    far: outcome.far,
    refused: outcome.refused,
    outcome,
  };
}

/** Of heartbeats that were listened to. */
export function heardReport(heard: HeardLink): PathReport {
  const { arrivals, intervalMs, durationMs, copies, reordered } = heard;
  const outcome: SeriesOutcome = {
    ...{ intervalMs, durationMs, copies, reordered },
    roundTrip: arrivals.map((arrival) => arrival === true),
    ...{ outward: null, homeward: null, roundTripsMs: [], variationsMs: [], late: 0, far: null, refused: 0 },
  };
  const report = reportOf(outcome, null);
  return { ...report, verdict: report.verdict === "both" ? "inward" : report.verdict, heard };
}

/** By number, whether at least one of several paths carried it; `null` where that is not known. */
export function jointArrivals(paths: ReadonlyArray<readonly Arrival[]>): Arrival[] {
  const length = Math.min(...paths.map((path) => path.length));
  return Array.from({ length }, (_, number) => {
    const arrivals: Arrival[] = paths.map((path) => path[number]!);
    return arrivals.includes(true) ? true : arrivals.includes(null) ? null : false;
  });
}
