/** Waiting times of the pair's protocol. A Heartbeat daemon reacts at its own ticks (protocol reference 1.1). */

import type { Timing } from "../settings.ts";

/** How long an offer waits for its taker (protocol reference 9.5). Lower: a slow daemon is given up; higher: it hangs. */
export const offerMs = 10_000;

/**
 * How long a giver may take to begin after we have promised to take: it gives its offer up by itself when it has not
 * heard us within `offerMs`, and says so to nobody. Lower: it may begin after that; higher: its next offer is not heard.
 */
export const promiseMs = 2 * offerMs;

/** How long the later steps may take: scripts run meanwhile (protocol reference 9.5). A minute more than the daemon's. */
export const stepMs = 3_660_000;

/** After an offer that found no taker. Lower: the daemon is pestered; higher: a group waits longer for its place. */
export const offerPauseMs = 10_000;

/** After that the daemon counts as not able to take a set, so that it can be placed elsewhere. */
export const offersMax = 3;

/** Between two requests for a set. A daemon in its first ten seconds ignores them. */
export const takeoverAskMs = 10_000;
export const takeoverAskedMax = 3;

/**
 * How long a run of the daemon must have been heard, without a later one, before it can free anything. One that is up
 * is heard within a keepalive. Lower: a recording of an earlier run counts. Higher: joining a daemon takes longer.
 */
export function runProofMs(timing: Timing): number {
  return 2 * timing.keepaliveMs;
}

/**
 * Answers to the daemon that tell it nothing new (what we hold, the names of the nodes): at once, and in a second. A
 * sane one asks once a second at most, and twice within a step of a move. Lower: it waits. Higher: a broken one floods.
 */
export const answersAtOnceMax = 10;
export const answersPerSecondMax = 5;

/** Between two questions for what the other one holds; it does not hear them before its start-up is over. */
export function askAgainMs(timing: Timing): number {
  return Math.max(1_000, 2 * timing.keepaliveMs);
}

/**
 * Between two old requests, twice as long each time: the daemon runs its scripts for every one of them, one after the
 * other, and does nothing else before they are through. Lower: they pile up. Higher: one that it ignored, at its
 * start, is repeated late.
 */
export function requestAgainMs(timing: Timing, asked: number): number {
  return askAgainMs(timing) * 2 ** Math.min(asked, 5);
}
