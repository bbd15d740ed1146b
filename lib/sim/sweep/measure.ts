/**
 * What a detector costs and buys: how soon it finds a dead node, and how often it takes a living one for dead. Drives
 * the detectors with heartbeats that go through the simulator's very links (`link_quality.ts`), on all links at once,
 * without the rest of the cluster: millions of heartbeats in a second.
 *
 * A false death is not yet a false failover: a group with an address is not taken while its holder answers on the
 * service network. Where nothing vetoes, every false death is one.
 */

import type { Detector } from "../../core/detector/detector.ts";
import { type Instant, instant } from "../../core/instant.ts";
import { Prng } from "../../core/prng.ts";
import { fates, type JitterShape, type LinkQuality, type PathMemory } from "../link_quality.ts";

export interface Stream {
  readonly seed: number;
  readonly heartbeats: number;
  readonly keepaliveMs: number;
  /** One for each link; all carry every heartbeat. */
  readonly links: readonly LinkQuality[];
}

export interface Measured {
  /** From the crash to the verdict, over crashes at every moment, in ms. */
  readonly detectionMeanMs: number;
  readonly detectionMaxMs: number;
  /** Verdicts about a node that lived. */
  readonly falseDeaths: number;
}

const yearMs = 365.25 * 24 * 3_600_000;

/** Below this nothing can be said where no false death was seen. */
export function perYear(count: number, { heartbeats, keepaliveMs }: Stream): number {
  return count * yearMs / (heartbeats * keepaliveMs);
}

export function measure(stream: Stream, detectors: readonly Detector[]): Measured[] {
  const random = new Prng(stream.seed);
  const paths = stream.links.map((quality) => ({ quality, memory: { isBad: false, busyUntilMs: 0 } }));
  const tallies = detectors.map((detector) => new Tally(detector));
  let newest = 0;
  for (const { sequence, atMs } of arrivals(stream, paths, random)) {
    // One that was overtaken says nothing new.
    if (sequence <= newest) continue;
    newest = sequence;
    const crashMs = sequence * stream.keepaliveMs + random.next() * stream.keepaliveMs;
    for (const tally of tallies) tally.heard(instant(atMs), sequence, crashMs);
  }
  return tallies.map((tally) => tally.measured());
}

interface Path {
  readonly quality: LinkQuality;
  readonly memory: PathMemory;
}

interface Arrival {
  readonly sequence: number;
  readonly atMs: number;
}

/** Heartbeats in the order of their arrival; of each, what came first on any link. */
function* arrivals(stream: Stream, paths: readonly Path[], random: Prng): Generator<Arrival> {
  const { heartbeats, keepaliveMs } = stream;
  /** Under way, in order of arrival; few, because a delay is short against the keepalive. */
  const underWay: Arrival[] = [];
  for (let sequence = 1; sequence <= heartbeats; sequence++) {
    const sentMs = sequence * keepaliveMs;
    while (underWay.length > 0 && underWay[0]!.atMs <= sentMs) yield underWay.shift()!;
    let delayMs = Infinity;
    for (const { quality, memory } of paths) {
      for (const delay of fates(quality, memory, 0, sentMs, random)) delayMs = Math.min(delayMs, delay);
    }
    if (delayMs === Infinity) continue;
    const arrival = { sequence, atMs: sentMs + delayMs };
    let place = underWay.length;
    while (place > 0 && underWay[place - 1]!.atMs > arrival.atMs) place--;
    underWay.splice(place, 0, arrival);
  }
  yield* underWay;
}

class Tally {
  #falseDeaths = 0;
  #crashes = 0;
  #sumMs = 0;
  #maxMs = 0;

  constructor(readonly detector: Detector) {}

  /** `crashMs`: had the sender crashed then, before its next heartbeat, this would have been its last one. */
  heard(at: Instant, sequence: number, crashMs: number): void {
    const due = this.detector.deadline();
    if (due !== null && at >= due) this.#falseDeaths++;
    this.detector.heard(at, sequence);
    const detectionMs = this.detector.deadline()! - crashMs;
    this.#crashes++;
    this.#sumMs += detectionMs;
    this.#maxMs = Math.max(this.#maxMs, detectionMs);
  }

  measured(): Measured {
    return {
      detectionMeanMs: this.#sumMs / Math.max(1, this.#crashes),
      detectionMaxMs: this.#maxMs,
      falseDeaths: this.#falseDeaths,
    };
  }
}

/**
 * False deaths per year of a fixed silence: the chance that so many heartbeats in a row are lost on all links. For what
 * is too rare to be seen. `null`: losses are not independent of each other, or delays decide too.
 */
export function expectedFalseDeathsPerYear(stream: Stream, deadTimeMs: number): number | null {
  const { links, keepaliveMs } = stream;
  if (links.some(({ burst, holdBack }) => burst || holdBack)) return null;
  const lost = links.reduce((product, { lossRate }) => product * lossRate, 1);
  const inARow = Math.floor(deadTimeMs / keepaliveMs);
  const restMs = deadTimeMs - inARow * keepaliveMs;
  // Where the heartbeat after the gap is due at the very end of the dead time, chance decides.
  const isOnEdge = restMs === 0;
  // The time by which the one after the longest gap that is borne is early, and the one after the next gap late.
  const slackMs = isOnEdge ? keepaliveMs : Math.min(restMs, keepaliveMs - restMs);
  if (spreadMs(links) > slackMs) return null;
  const chance = (1 - lost) *
    (isOnEdge ? 0.5 * lost ** (inARow - 1) * (1 - lost) + lost ** inARow : lost ** inARow);
  return chance * yearMs / keepaliveMs;
}

/**
 * From the earliest to the latest of a packet's delays, in `jitterMs`: for even and normal jitter of all packets. Of
 * exponential jitter one in e^32 comes later: at the shortest keepalive of 1 ms one in two thousand years. Fewer, and
 * what is printed as never happens every few years; more, and calculation is refused where it is right. The others'
 * heavy tails have no such end.
 */
const jitterWidths: Readonly<Record<JitterShape, number>> = {
  uniform: 1,
  normal: 12,
  exponential: 32,
  lognormal: Infinity,
  pareto: Infinity,
};

/** The most by which one heartbeat is later than another, by whatever links they come. */
function spreadMs(links: readonly LinkQuality[]): number {
  const latencies = links.map(({ latencyMs }) => latencyMs);
  const widths = links.map(({ jitterMs, jitterShape }) =>
    jitterMs === 0 ? 0 : jitterMs * jitterWidths[jitterShape ?? "uniform"]
  );
  return Math.max(...latencies) - Math.min(...latencies) + Math.max(...widths);
}
