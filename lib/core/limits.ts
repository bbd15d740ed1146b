/**
 * All bounds of the core, together. Each says what goes wrong when it is too low and when it is too high.
 */

import { counterMax } from "../wire/limits.ts";
import type { Settings, Timing } from "./settings.ts";

/**
 * A kernel removes an address whose lease ran out only when it next looks. Linux rounds that look up to a whole
 * second of its own clock where this costs at most 250 ms (`net/ipv4/devinet.c`, `check_lifetime`), plus a tick or
 * two. Too low: a lease is thought gone while the address still answers. Too high: takeovers that wait for the lease
 * wait longer.
 */
export const leaseSlackMs = 300;

/** Silence of this many questions in a row excludes. One can be lost; more only delay what follows a lease's end. */
export const silentQuestionsMin = 2;

/** How long one question to the wire stays open. Too low: a busy holder answers too late and is overlooked. */
export function wireWindowMs(deadTimeMs: number): number {
  return clamp(Math.round(deadTimeMs / 20), 10, 50);
}

/**
 * How long before a peer's death is certain we begin to ask the wire, so that the answer costs no time. Too low: the
 * takeover waits for it. Too high: every late heartbeat makes ARP traffic.
 */
export function wireLeadMs(deadTimeMs: number, silenceMs: number): number {
  const wanted = Math.max(6 * wireWindowMs(deadTimeMs), silenceMs + 2 * wireWindowMs(deadTimeMs));
  return Math.min(wanted, Math.floor(deadTimeMs * 0.8));
}

/**
 * After so many silent questions in a row the wire is asked at a third of the pace: who waits for a person or a delay
 * may wait for hours.
 */
export const silentQuestionsBrisk = 40;

/** While somebody keeps answering we ask less and less often, down to once per this. Too high: late takeover. */
export const wireBackoffMsMax = 500;

/** A question that could not be put (no carrier) is put again after this. */
export const wireBlindRetryMs = 250;

/**
 * Time without a heartbeat of our own after which others may have taken over: everything is given up. The margin to
 * the dead time covers what lies between our decision and a rival's. Too high a value lets us act on a right that is
 * already another's; too low gives up for a hiccup.
 */
export function stallMs(timing: Timing): number {
  return timing.deadTimeMs - Math.min(timing.keepaliveMs, Math.floor(timing.deadTimeMs / 5));
}

/**
 * For how long a decision to start or renew an address stays good. A process can be stopped between a decision and
 * the system call that carries it out; what comes later than this is taken back. Adding it to the age that our last
 * heartbeat can have when we decide (one keepalive) must stay below the stall limit.
 */
export function decisionGoodMs(timing: Timing): number {
  return Math.max(5, stallMs(timing) - timing.keepaliveMs - 5);
}

/**
 * The last instant at which a node whose last heartbeat went out at `sentAtMs` may set or renew an address. Alone in
 * its cluster it has no rival.
 */
export function rightEndsAt({ nodes, timing }: Settings, sentAtMs: number | null): number {
  return nodes.length === 1 || sentAtMs === null ? Infinity : sentAtMs + stallMs(timing) - 5;
}

/**
 * How long the echo of a heartbeat proves that its hearer does not take over, counted from when we *sent* it: the
 * hearer waits for a dead time from when it heard it, which was later. The margin is for our own work of letting go.
 * Lower: a node that wakes late gives up although its links are sound. Higher: it lets go too late.
 */
export function contactMs(timing: Timing): number {
  return timing.deadTimeMs - Math.max(20, Math.floor(timing.deadTimeMs / 20));
}

/**
 * How long an arbiter's answer proves that we are not cut off; arbiters are asked once per keepalive. Two answers may
 * be lost. Longer: a node that only the arbiter still kept in contact lets go later, and all takeovers wait for that
 * (`cutOffSilenceMs`). Shorter: it lets go for a lost packet.
 */
export function proofMs(timing: Timing): number {
  return Math.min(
    contactMs(timing) - timing.keepaliveMs,
    2 * timing.keepaliveMs + Math.max(10, Math.floor(timing.deadTimeMs / 20)),
  );
}

/**
 * With an arbiter the wire must be silent for longer than a proof lasts. A holder that lost its peers long ago, and
 * the service network with the arbiter only now, has then let go; and our own proof is from after the wire fell silent,
 * so that it is not we who have just been cut off.
 */
export function cutOffSilenceMs(timing: Timing): number {
  return proofMs(timing) + wireWindowMs(timing.deadTimeMs);
}

/** An immediate answer to a joining peer at most this often. Too low: two joiners chatter; too high: slow start. */
export function promptReplyMs(timing: Timing): number {
  return clamp(Math.floor(timing.keepaliveMs / 4), 5, 50);
}

/** Heartbeats whose sending time is remembered, to date an echo. Too low: a slow echo proves nothing. */
export const sentHistoryMax = 64;

/**
 * A link that works again is one-way until the kernel has asked anew for its neighbour's hardware address, which it
 * does once a second. Lower: an alarm at each repair. Higher: a later alarm about a real one-way link.
 */
export const neighbourRetryMs = 1_000;

/** Missing sequence numbers remembered per peer (protocol reference 6.2). */
export const missingSequencesMax = 499;

/** A larger jump of the sequence means that bookkeeping of gaps is pointless (protocol reference 6.2). */
export const sequenceGapMax = 250;

/** Dead time a peer may ask for, in ms: outside of this its `dt` is ignored. */
export const deadTimeMsMax = 3_600_000;

/** A second failed monitor within this time moves the group; after it, the count starts again. */
export const restartMemoryMs = 600_000;

/** An address removed by somebody else more often than `addressLossesMax` in this time raises an alarm. */
export const addressLossMemoryMs = 60_000;
export const addressLossesMax = 3;

/**
 * Least time between two announcements against a rival. Lower: two holders of a healed partition announce against each
 * other as fast as the network carries it. Higher: the last word stays with the rival for longer.
 */
export const defenceIntervalMs = 250;

/** Between the first and the last goodbye of a leaving node: one of them may be lost. */
export const goodbyeMs = 20;

/** How long a leaving node waits for others to report that they hold its groups. */
export function farewellMs(timing: Timing): number {
  return clamp(2 * timing.keepaliveMs, 100, 2_000);
}

/** Reports about refused packets are at most this frequent per reason; packets in between are counted. */
export const refusalReportMs = 60_000;

/**
 * The next value of an epoch or version. It stays at the limit that others accept: one absurd value from a faulty peer
 * or a damaged file must not make every later statement of ours refused, and us unheard.
 */
export function counted(value: number): number {
  return Math.min(value + 1, counterMax);
}

export function clamp(value: number, min: number, max: number): number {
  return Math.max(min, Math.min(max, value));
}
