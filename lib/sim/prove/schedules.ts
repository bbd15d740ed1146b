/**
 * Enumerates every schedule up to a number of faults: all sequences of moves, each after the one before by one of the
 * waits that matter to a decision. It must leave out nothing but what does the same as another schedule that is tried.
 *
 * | left out                                                   | because                                                |
 * |------------------------------------------------------------|--------------------------------------------------------|
 * | a move that changes nothing (`alphabet.ts`)                 | the schedule without it is tried                       |
 * | of two independent moves at the same instant, one order     | they touch different parts of the world                |
 */

import { isGuarded } from "../../core/arbitration.ts";
import { awaitedLeaseMs, contactMs, cutOffSilenceMs, leaseMs, wireWindowMs } from "../../core/limits.ts";
import type { Settings } from "../../core/settings.ts";
import { goodFence } from "../fence_devices.ts";
import { type Move, soundWorld, type World } from "./alphabet.ts";

/** One fault of a schedule. */
export interface Event {
  readonly move: number;
  /** Number of the wait after the event before (`waitsFor`); of the first one, of its phase (`phasesFor`). */
  readonly wait: number;
}

export type Schedule = readonly Event[];

/** Of all addresses; 0: none has a lease. */
export function longestLeaseSeconds({ groups }: Settings): number {
  const specs = groups.flatMap(({ resources }) => resources.map(({ spec }) => spec));
  return Math.max(0, ...specs.map((spec) => spec.kind === "vip" ? spec.leaseSeconds ?? 0 : 0));
}

/** How long after one fault the next one strikes: around each instant at which a node decides. */
export function waitsFor(settings: Settings): readonly number[] {
  const { fencing, timing: { keepaliveMs, deadTimeMs } } = settings;
  const leaseSeconds = longestLeaseSeconds(settings);
  const isLeaseAwaited = isGuarded(settings.arbiters) &&
    settings.groups.some(({ waitForLease }) => waitForLease);
  const silenceMs = settings.arbiters.length > 0
    ? cutOffSilenceMs(settings.timing)
    : 2 * wireWindowMs(deadTimeMs);
  return [
    // At once: before anybody can have noticed.
    0,
    // The next heartbeat has, or has not, been sent.
    keepaliveMs,
    // Just before the contact is too old: it is at most a heartbeat older than the fault.
    contactMs(settings.timing) - keepaliveMs - 1,
    // Lost, with the questions to the wire under way.
    deadTimeMs + 1,
    // The wire has been silent for long enough.
    Math.max(deadTimeMs + silenceMs, isLeaseAwaited ? awaitedLeaseMs(settings.timing, leaseSeconds) + 1 : 0),
    // Somebody is being fenced, and is off but not verified.
    ...fencing === null ? [] : [deadTimeMs + silenceMs + Math.round(0.7 * goodFence.takesMs)],
    // Every lease is over and all has come to rest again.
    2 * deadTimeMs + leaseMs(leaseSeconds) + silenceMs + fencingMs(settings),
  ];
}

/** What a fencing that works at once may take, with its delay. */
export function fencingMs({ fencing }: Settings): number {
  return fencing === null ? 0 : 2 * goodFence.takesMs + Math.max(0, ...Object.values(fencing.delayMs));
}

/** When the first fault strikes a cluster at rest: just after a heartbeat of the first node, and between two. */
export function phasesFor({ timing }: Settings): readonly number[] {
  return [1, Math.round(timing.keepaliveMs / 2)];
}

/** What is enumerated. */
export interface Space {
  readonly moves: readonly Move[];
  readonly waits: readonly number[];
  readonly phases: readonly number[];
}

/** Schedules of exactly so many faults, in a fixed order. `leftOut` is told of each that need not be tried. */
export function* schedulesOf(
  space: Space,
  faults: number,
  leftOut: () => void = () => {},
): Generator<Schedule> {
  yield* extended(space, faults, [], soundWorld, leftOut);
}

/** `world`: as the schedule so far leaves it. */
function* extended(
  space: Space,
  faults: number,
  before: Schedule,
  world: World,
  leftOut: () => void,
): Generator<Schedule> {
  if (faults === 0) return yield before;
  const waits = before.length === 0 ? space.phases : space.waits;
  for (const [index, move] of space.moves.entries()) {
    const next = move.apply(world);
    for (const wait of waits.keys()) {
      if (next === null || isSwapped(space, before, index, wait)) leftOut();
      else yield* extended(space, faults - 1, [...before, { move: index, wait }], next, leftOut);
    }
  }
}

/** At the same instant as the move before, independent of it, and lower in number: the other order is tried. */
function isSwapped({ moves, waits }: Space, before: Schedule, index: number, wait: number): boolean {
  const last = before.at(-1);
  if (last === undefined || waits[wait] !== 0 || index > last.move) return false;
  const [one, other] = [moves[last.move]!, moves[index]!];
  return [...one.touches].every((part) => !other.touches.has(part));
}
