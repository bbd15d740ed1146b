/** How good a heartbeat path is, and what chance makes of one packet on it: lost, late, copied, overtaken. */

import { exp, ln } from "./exact_math.ts";
import type { Prng } from "../core/prng.ts";

export interface LinkQuality {
  readonly latencyMs: number;
  /** Added to the latency; what it means depends on `jitterShape`. */
  readonly jitterMs: number;
  readonly lossRate: number;
  readonly copyRate: number;
  readonly isCut: boolean;
  /** Default: `uniform`. */
  readonly jitterShape?: JitterShape;
  readonly burst?: BurstLoss | null;
  readonly holdBack?: HoldBack | null;
  /** `null`: packets never queue up. */
  readonly bitsPerSecond?: number | null;
}

/**
 * | shape       | a packet's jitter, with `jitterMs` = x                          |
 * |-------------|------------------------------------------------------------------|
 * | uniform     | evenly spread from 0 to x                                        |
 * | normal      | normal with deviation x around 0; a packet is never early than 0 |
 * | exponential | mean x                                                           |
 * | lognormal   | median x, sigma 1: now and then ten times x                      |
 * | pareto      | mean x, shape 2.5: rarely, but then a hundred times x            |
 */
export const jitterShapes = ["uniform", "normal", "exponential", "lognormal", "pareto"] as const;
export type JitterShape = typeof jitterShapes[number];

/** Loss in bursts (Gilbert 1960, Elliott 1963): in its bad state a path loses everything. */
export interface BurstLoss {
  /** Share of packets lost in the long run; less than 1. */
  readonly lossRate: number;
  /** Mean length of a burst, in packets; at least 1. */
  readonly meanPackets: number;
}

/** This share of packets is held back, so that later ones overtake them. */
export interface HoldBack {
  readonly rate: number;
  readonly ms: number;
}

export const goodLink: LinkQuality = {
  latencyMs: 0.2,
  jitterMs: 0.2,
  lossRate: 0,
  copyRate: 0,
  isCut: false,
};

/** Packets that wait for a slow line. Too high: heartbeats older than the dead time arrive; too low: bursts are lost. */
const queuedPacketsMax = 16;

/** What a path remembers from packet to packet. */
export interface PathMemory {
  /** In the bad state of burst loss. */
  isBad: boolean;
  /** Until then the line is busy with earlier packets. */
  busyUntilMs: number;
}

/** Delays of the copies that arrive, the first one included; none: the packet is lost. */
export function fates(
  quality: LinkQuality,
  memory: PathMemory,
  bytes: number,
  nowMs: number,
  random: Prng,
): readonly number[] {
  if (quality.isCut || random.chance(quality.lossRate)) return [];
  if (quality.burst && isLostInBurst(quality.burst, memory, random)) return [];
  const waitMs = quality.bitsPerSecond ? queueMs(quality.bitsPerSecond, memory, bytes, nowMs) : 0;
  if (waitMs === null) return [];
  const copies = random.chance(quality.copyRate) ? 2 : 1;
  const delays: number[] = [];
  for (let copy = 0; copy < copies; copy++) {
    let delayMs = waitMs + quality.latencyMs + jitter(quality, random);
    if (quality.holdBack && random.chance(quality.holdBack.rate)) delayMs += quality.holdBack.ms;
    delays.push(Math.max(0, delayMs));
  }
  return delays;
}

/** The chances to enter and to leave the bad state follow from the share of loss and the mean length of a burst. */
function isLostInBurst({ lossRate, meanPackets }: BurstLoss, memory: PathMemory, random: Prng): boolean {
  const leave = 1 / meanPackets;
  const enter = Math.min(1, leave * lossRate / (1 - lossRate));
  memory.isBad = random.chance(memory.isBad ? 1 - leave : enter);
  return memory.isBad;
}

/** Time until the packet is on the line; `null`: too many wait already. */
function queueMs(bitsPerSecond: number, memory: PathMemory, bytes: number, nowMs: number): number | null {
  const ownMs = bytes * 8_000 / bitsPerSecond;
  const startMs = Math.max(nowMs, memory.busyUntilMs);
  if (startMs - nowMs > queuedPacketsMax * ownMs) return null;
  memory.busyUntilMs = startMs + ownMs;
  return memory.busyUntilMs - nowMs;
}

function jitter({ jitterMs, jitterShape }: LinkQuality, random: Prng): number {
  if (jitterMs === 0) return 0;
  switch (jitterShape ?? "uniform") {
    case "uniform":
      return random.next() * jitterMs;
    case "normal":
      return normal(random) * jitterMs;
    case "exponential":
      return -ln(1 - random.next()) * jitterMs;
    case "lognormal":
      return exp(normal(random)) * jitterMs;
    case "pareto": {
      const shape = 2.5;
      return jitterMs * (shape - 1) / shape * exp(-ln(1 - random.next()) / shape);
    }
  }
}

/** Sum of twelve even draws: mean 0, deviation 1, never beyond 6. */
function normal(random: Prng): number {
  let sum = -6;
  for (let i = 0; i < 12; i++) sum += random.next();
  return sum;
}
