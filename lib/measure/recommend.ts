/**
 * From measured paths to a table of deadtimes with their prices, and one recommendation. Pure.
 *
 * A false alarm is a living peer taken for dead because all heartbeats of one direction were lost on all links for a
 * deadtime. Both directions count, since each node watches the other. The price is given twice: for the fitted model,
 * and for the worst model within the 95 % intervals. Neither can know of what is rarer than the time measured: in a
 * time T without an event, it comes up to once in T/3 (the rule of three), whatever the model promises.
 */

import { type LossSummary, summarizeLoss } from "./bursts.ts";
import type { LossModel } from "./loss_model.ts";
import { type Detector, linksMax, missesUntilDead, mistakeRecurrenceMs } from "./pricing.ts";
import { jointArrivals, type PathReport } from "./report.ts";
import type { Arrival } from "./series.ts";

export interface Wishes {
  /** `null`: a tenth of the deadtime or, where that is not enough, down to a thirtieth. */
  readonly keepaliveMs: number | null;
  /** What is in force, or thought of: priced beside the usual choices. */
  readonly judged: Detector | null;
  /** Longest time that one false alarm must take at worst to be acceptable. */
  readonly acceptMs: number;
}

export interface Choice {
  readonly keepaliveMs: number;
  readonly deadTimeMs: number;
  /** Heartbeats in a row that must be lost. */
  readonly misses: number;
  /** From the death to its discovery, at most. */
  readonly detectsWithinMs: number;
  /** Mean time between two false alarms; Infinity: the model has none. */
  readonly falseAlarmEveryMs: number;
  /** The same for the worst model within the intervals. */
  readonly atWorstEveryMs: number;
  /** Silences as long as this that the measurement itself saw. */
  readonly seen: number;
}

export interface Advice {
  readonly choices: readonly Choice[];
  /** What was to be judged. */
  readonly judged: Choice | null;
  /** The shortest deadtime that is acceptable at worst; `null`: none of the choices is. */
  readonly recommended: Choice | null;
  /** Events that come more often than once in this would have shown: a third of the time measured. */
  readonly provenMs: number;
  /** Whether the links' losses were priced together because they do not fail independently. */
  readonly joint: JointLoss | null;
  /** What was measured: each direction, only the way there and back, or only what we hear. */
  readonly basis: "directions" | "round-trips" | "heartbeats";
}

export interface JointLoss {
  /** Questions lost on all paths at once, and how many would be if they failed independently. */
  readonly lost: number;
  readonly expected: number;
  readonly asked: number;
  readonly isDependent: boolean;
}

/** The usual choices of deadtime. */
const deadTimesMs = [500, 1_000, 2_000, 3_000, 5_000, 10_000, 15_000, 30_000, 60_000];

/**
 * Without a wish not more often than this, and not less: fewer heartbeats in a deadtime let few losses in a row look
 * like a death, more are traffic.
 */
const keepaliveMsMin = 100;
const keepaliveMsMax = 2_000;

/** A choice that is this good needs no better one beside it. */
const plentyMs = 1_000 * 365.25 * 86_400_000;
const choicesMin = 4;
const choicesMax = 8;

/** `null`: no path carries, so there is nothing to price. */
export function advise(reports: readonly PathReport[], wishes: Wishes): Advice | null {
  const paths = reports.filter(({ verdict }) => verdict === "both" || verdict === "inward").slice(
    0,
    linksMax,
  );
  if (paths.length === 0) return null;
  const directions = directionsOf(paths);
  const variationMs = Math.max(
    ...paths.map(({ delay, heard }) => delay === null ? heard?.lateMsMax ?? 0 : delay.maxMs - delay.minMs),
  );
  const delayMs = Math.max(...paths.map(({ delay, heard }) => delay?.maxMs ?? heard?.lateMsMax ?? 0));
  const price = (detector: Detector): Choice => {
    const every = (pick: (direction: Direction) => readonly LossModel[]) =>
      1 / directions.reduce(
        (rate, direction) => rate + 1 / mistakeRecurrenceMs(pick(direction), detector, variationMs),
        0,
      );
    return {
      ...detector,
      misses: missesUntilDead(detector, variationMs),
      detectsWithinMs: detector.deadTimeMs + delayMs,
      falseAlarmEveryMs: every(({ models }) => models),
      atWorstEveryMs: every(({ worst }) => worst),
      seen: directions.reduce((sum, { silences }) => sum + silences(detector.deadTimeMs), 0),
    };
  };
  const all = deadTimesMs.flatMap((deadTimeMs) => {
    const choices = keepalivesFor(deadTimeMs, wishes.keepaliveMs).map((keepaliveMs) =>
      price({ deadTimeMs, keepaliveMs })
    );
    return choices.find((choice) => isAcceptable(choice, wishes.acceptMs)) ?? choices.slice(-1);
  });
  return {
    choices: fewOf(all),
    judged: wishes.judged === null ? null : price(wishes.judged),
    recommended: all.find((choice) => isAcceptable(choice, wishes.acceptMs)) ?? null,
    provenMs: Math.min(...paths.map(({ durationMs }) => durationMs)) / 3,
    joint: paths.length < 2 ? null : jointLoss(paths),
    basis: directions.length === 2
      ? "directions"
      : paths.some(({ heard }) => heard !== null)
      ? "heartbeats"
      : "round-trips",
  };
}

/** A tenth of the deadtime, within bounds. */
export function usualKeepaliveMs(deadTimeMs: number): number {
  return keepaliveOf(deadTimeMs, 10);
}

/** From the one that makes the least traffic on; a wish is the only one, where the deadtime allows it. */
function keepalivesFor(deadTimeMs: number, wishMs: number | null): number[] {
  if (wishMs !== null) return deadTimeMs > 2 * wishMs ? [wishMs] : [];
  return [...new Set([10, 15, 20, 30].map((parts) => keepaliveOf(deadTimeMs, parts)))];
}

function keepaliveOf(deadTimeMs: number, parts: number): number {
  return Math.min(keepaliveMsMax, Math.max(keepaliveMsMin, Math.floor(deadTimeMs / parts / 10) * 10));
}

function isAcceptable({ atWorstEveryMs, seen }: Choice, acceptMs: number): boolean {
  return atWorstEveryMs >= acceptMs && seen === 0;
}

/** Up to the first that is good beyond doubt. */
function fewOf(all: readonly Choice[]): Choice[] {
  const plenty = all.findIndex(({ atWorstEveryMs }) => atWorstEveryMs >= plentyMs);
  return all.slice(0, plenty < 0 ? all.length : Math.max(plenty + 1, choicesMin)).slice(-choicesMax);
}

/** What one node hears of the other. */
interface Direction {
  readonly models: readonly LossModel[];
  readonly worst: readonly LossModel[];
  /** How many silences of at least so many milliseconds were measured, on all paths at once. */
  readonly silences: (ms: number) => number;
}

/** Both, where all paths tell them apart; else the way there and back, which loses what the two lose together. */
function directionsOf(paths: readonly PathReport[]): Direction[] {
  const isByDirection = paths.every(({ outward, homeward }) => outward !== null && homeward !== null);
  if (!isByDirection) {
    return [
      direction(
        paths.map(({ roundTrip, outcome }) => ({ summary: roundTrip, arrivals: outcome.roundTrip })),
        paths,
      ),
    ];
  }
  return (["outward", "homeward"] as const).map((way) =>
    direction(paths.map((path) => ({ summary: path[way]!, arrivals: path.outcome[way]! })), paths)
  );
}

function direction(
  ways: ReadonlyArray<{ readonly summary: LossSummary; readonly arrivals: readonly Arrival[] }>,
  paths: readonly PathReport[],
): Direction {
  const intervalMs = paths[0]!.outcome.intervalMs;
  const joint = summarizeLoss(jointArrivals(ways.map(({ arrivals }) => arrivals)), intervalMs);
  const isDependent = ways.length > 1 && jointLoss(paths).isDependent;
  return {
    models: isDependent ? [joint.model] : ways.map(({ summary }) => summary.model),
    worst: isDependent ? [joint.worstModel] : ways.map(({ summary }) => summary.worstModel),
    silences: (ms) =>
      joint.bursts.reduce((sum, [length, count]) => sum + ((length + 1) * intervalMs > ms ? count : 0), 0),
  };
}

/** Whether questions were lost on all paths at once more often than independent losses explain (Poisson, 1 %). */
function jointLoss(paths: readonly PathReport[]): JointLoss {
  const arrivals = jointArrivals(paths.map(({ outcome }) => outcome.roundTrip));
  const asked = arrivals.length;
  const lost = arrivals.filter((arrival) => arrival === false).length;
  const expected = asked * paths.reduce((product, { roundTrip }) => product * roundTrip.loss.value, 1);
  let [term, below] = [Math.exp(-expected), 0];
  for (let k = 0; k < lost; k++) {
    below += term;
    term *= expected / (k + 1);
  }
  return { lost, expected, asked, isDependent: lost >= 2 && 1 - below < 0.01 };
}
