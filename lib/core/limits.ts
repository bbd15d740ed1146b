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
export function wireLeadMs(timing: Timing, silenceMs: number): number {
  const { deadTimeMs } = timing;
  const wanted = Math.max(6 * wireWindowMs(deadTimeMs), silenceMs + 2 * wireWindowMs(deadTimeMs));
  return Math.min(wanted, wireLeadMsMax(timing));
}

/** A heartbeat that is due, or a little late, is no reason to ask: questions of several nodes disturb each other. */
function wireLeadMsMax({ deadTimeMs, keepaliveMs }: Timing): number {
  return Math.floor(Math.min(deadTimeMs * 0.8, Math.max(deadTimeMs / 2, deadTimeMs - 1.5 * keepaliveMs)));
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
 * How long an arbiter's answer proves that we are not cut off; arbiters are asked three times per keepalive, so that
 * some answers in a row may be lost. Longer: a node that only the arbiter still kept in contact lets go later, and all takeovers wait for that
 * (`cutOffSilenceMs`). Shorter: it lets go for a lost packet.
 */
export function proofMs(timing: Timing): number {
  return Math.min(
    contactMs(timing) - timing.keepaliveMs,
    2 * timing.keepaliveMs + Math.max(10, Math.floor(timing.deadTimeMs / 20)),
  );
}

/**
 * How old an arbiter's answer may be on which a takeover rests; a holder keeps what it has for longer. Higher: both take
 * the arbiter for their own when the sides of a partition change in that time. Lower: lost packets delay a takeover.
 */
export function takeoverProofMs(timing: Timing): number {
  return Math.min(timing.keepaliveMs, proofMs(timing));
}

/**
 * With an arbiter the wire must be silent for longer than a proof lasts. A holder that lost its peers long ago, and
 * the service network with the arbiter only now, has then let go; and our own proof is from after the wire fell silent,
 * so that it is not we who have just been cut off.
 */
export function cutOffSilenceMs(timing: Timing): number {
  return proofMs(timing) + wireWindowMs(timing.deadTimeMs);
}

/**
 * For how long a start may rest on the verified fencing of a node. All else was in order when it was fenced, so this is
 * for what lags behind. Lower: a slow answer of the service network makes us fence again. Higher: the node is up again
 * where we do not hear it, and has taken what we then start.
 */
export const fencedGoodMs = 1_000;

/**
 * How old the contact with the other nodes may be when a lease is renewed, where no arbiter answers and those who are
 * cut off let go. A lease that is renewed later could outlive the dead time of those who have not heard us since; who
 * waits for it counts on this (`awaitedLeaseMs`). Never shorter than an arbiter's proof: a heartbeat may be lost.
 */
export function renewalContactMs(timing: Timing, leaseSeconds: number): number {
  return Math.max(proofMs(timing), timing.deadTimeMs - leaseMs(leaseSeconds));
}

/**
 * Longest time from the last heartbeat that was heard of a holder to the end of its lease, if it was cut off then. It
 * renews until its contact is too old, and may be killed just after that.
 */
export function leaseEndsMs(timing: Timing, leaseSeconds: number): number {
  return renewalContactMs(timing, leaseSeconds) + leaseMs(leaseSeconds);
}

/**
 * How long after a holder's last heartbeat the address is taken where that waits for its lease and cut-off nodes let
 * go; the dead time at least.
 */
export function awaitedLeaseMs(timing: Timing, leaseSeconds: number): number {
  const silenceMs = cutOffSilenceMs(timing) + leaseMs(leaseSeconds);
  const firstQuestionMs = timing.deadTimeMs - wireLeadMs(timing, silenceMs);
  return Math.max(timing.deadTimeMs, leaseEndsMs(timing, leaseSeconds), firstQuestionMs + silenceMs);
}

/** By when the kernel has surely removed an address after its last renewal. */
export function leaseMs(leaseSeconds: number): number {
  return leaseSeconds * 1000 + leaseSlackMs;
}

/**
 * The longest lease that costs no takeover any time. Never below 1: the kernel counts whole seconds. Where cut-off
 * nodes let go (`isGuarded`), room is needed for the last renewal of one that is cut off, and for the silence after it.
 */
export function autoLeaseSeconds(timing: Timing, isGuarded: boolean): number {
  const { deadTimeMs } = timing;
  const roomMs = isGuarded
    ? Math.min(deadTimeMs - proofMs(timing), wireLeadMsMax(timing) - cutOffSilenceMs(timing))
    : deadTimeMs;
  return Math.max(1, Math.floor((roomMs - leaseSlackMs) / 1000));
}

/** An immediate answer to a joining peer at most this often. Too low: two joiners chatter; too high: slow start. */
export function promptReplyMs(timing: Timing): number {
  return clamp(Math.floor(timing.keepaliveMs / 4), 5, 50);
}

/**
 * Heartbeats beside the regular ones, because what we tell has changed: in the long run, per keepalive. A peer can make us
 * tell something new with each of its messages. Lower: moves of many groups one after another wait. Higher: two faulty
 * nodes chatter.
 */
export const extraBeatsPerKeepalive = 8;

/** As many at once: all groups can be moved, and changes of one step are one heartbeat. */
export function extraBeatsAtOnceMax(groups: number): number {
  return 16 + 4 * groups;
}

/** Heartbeats whose sending time is remembered, to date an echo. Too low: a slow echo proves nothing. */
export const sentHistoryMax = 64;

/**
 * A link that works again is one-way until the kernel has asked anew for its neighbour's hardware address, which it
 * does once a second. Lower: an alarm at each repair. Higher: a later alarm about a real one-way link.
 */
export const neighbourRetryMs = 1_000;

/**
 * Own packets that are kept to be sent again (protocol reference 6.1). Fewer: a peer that was deaf for a while gets a
 * refusal for what it missed. More: memory; a real daemon never asks for older ones.
 */
export const sentPacketsMax = 500;

/**
 * The same in bytes. Lower: nodes with hundreds of groups, whose heartbeats have 40 KiB, keep few of them. Higher:
 * memory that large messages of ours take for nothing.
 */
export const sentBytesMax = 16 * 1024 * 1024;

/** Missing sequence numbers remembered per peer (protocol reference 6.2). */
export const missingSequencesMax = 499;

/** A larger jump of the sequence means that bookkeeping of gaps is pointless (protocol reference 6.2). */
export const sequenceGapMax = 250;

/**
 * Messages of one sender that wait for an earlier one. Lower: order is lost over a long gap. Higher: memory that a
 * peer with many gaps can take.
 */
export const heldMessagesMax = 500;

/** The same in bytes. Lower: a few large messages lose their order. Higher: what one peer can make us keep. */
export const heldBytesMax = 4 * 1024 * 1024;

/**
 * How long such a message waits. Its sender may hear our requests no more and answer none, and what waits may be that it
 * has taken over. Lower: order is lost where several requests in a row are. Higher: two holders for that long.
 */
export const heldMs = 5_000;

/**
 * Cluster events that wait to be told, or to be known in order. Lower: a flood of reports is lost to the history of
 * the cluster, or out of order in it. Higher: memory. The own history of each node has them all the same.
 */
export const eventsWaitingMax = 500;

/** Requests of one step to one peer. Lower: a long gap is filled slowly. Higher: a burst of packets into a weak link. */
export const requestBurstMax = 50;

/** Messages sent again for one request at most (protocol reference 6.3). Higher: one packet makes us send many. */
export const resendsMax = 50;

/**
 * Messages sent again for one peer: at once as many as it may miss without having acknowledged them, and in a second.
 * Requests have no numbers, so a recorded one can be played again and again. Lower: a peer that was deaf for a while, or
 * behind a lossy link, waits (100 a second were never needed at 30 % loss). Higher: a broken peer makes us flood.
 */
export const resendsAtOnceMax = 250;
export const resendsPerSecondMax = 500;

/** Refusals to one peer, the same. Lower: it asks in vain for longer. Higher: each request can cost 50 packets. */
export const refusalsAtOnceMax = 50;
export const refusalsPerSecondMax = 100;

/** One message in so many is acknowledged (protocol reference 6.5). A real daemon waits for no more than 250. */
export const ackEvery = 10;

/** Messages without acknowledgement at which local producers wait, and those at which it is an alarm (6.5). */
export const unackedMax = 250;
export const unackedAlarm = 375;

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
