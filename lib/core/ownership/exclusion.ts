/**
 * The rule that keeps a group on one machine: before a start, every node that could hold the group must be known not
 * to. A node in view says so itself; a node out of view must have been *excluded*. Silence on the heartbeat links
 * alone excludes nobody.
 *
 * | the other node…            | may we start?                                                         |
 * |----------------------------|-----------------------------------------------------------------------|
 * | in view, states `stopped`  | yes                                                                   |
 * | in view, states otherwise  | no: it holds, starts, stops, or does not know yet                     |
 * | in view, another dialect   | no: a Heartbeat daemon's groups are unknown to us                     |
 * | said goodbye               | yes                                                                   |
 * | out of view, fenced        | yes                                                                   |
 * | out of view, heard by a third node in our view | no: only our own links to it are cut              |
 * | out of view, last heard `blocked` | once a person confirms that it is off                          |
 * | out of view, last heard in mid-start or mid-stop of what stands left of the address | when its limits are over, or a person confirms |
 * | out of view, otherwise     | once the wire is silent (groups with an address), its lease has run   |
 * |                            | out (where that is asked for) and the arbiter, if any, answers us;    |
 * |                            | a group without an address by time alone, which is told at start      |
 */

import { after, type Instant } from "../instant.ts";
import { leaseSlackMs } from "../limits.ts";
import type { Peer } from "../membership/peer.ts";
import type { GroupSettings } from "../settings.ts";
import { mayHold } from "./placement.ts";

export interface ExclusionFacts {
  readonly now: Instant;
  readonly peers: readonly Peer[];
  /** Nobody has answered for the group's addresses for long enough. */
  readonly isWireSilent: boolean;
  /** The group has an address that can be asked for. */
  readonly hasAddress: boolean;
  /** `null`: no arbiter is configured. */
  readonly isArbiterReachable: boolean | null;
  /** A person has allowed this takeover. */
  readonly isConfirmed: boolean;
}

export interface Exclusion {
  readonly isClear: boolean;
  /** What is still missing, or, when clear, by which evidence it is: one clause for people. */
  readonly why: string;
  /** A node out of view has to be excluded: the wire must be asked, delay and confirmation apply. */
  readonly isTakeover: boolean;
  /** Nothing but the passing of time excludes the former holder; the operator was told so at start. */
  readonly isUnprotected: boolean;
  /** When time alone may change the answer; `null`: never. */
  readonly retryAt: Instant | null;
  /** Only a person can tell: `heartline confirm`. */
  readonly needsPerson: boolean;
}

/** Judges whether all other nodes are known not to hold the group. */
export function judgeExclusion(group: GroupSettings, facts: ExclusionFacts): Exclusion {
  const outOfView: Peer[] = [];
  for (const peer of facts.peers) {
    if (!group.nodes.includes(peer.node)) continue;
    if (peer.isForeign) return wait(`${peer.node} runs another daemon, whose groups are not known here`);
    if (peer.isInView) {
      const state = peer.group(group.name).state;
      if (mayHold(state)) return wait(`${peer.node} states that the group is ${stateInWords(state)} there`);
      continue;
    }
    if (!peer.hasLeft && !peer.isFenced) outOfView.push(peer);
  }
  if (outOfView.length === 0) {
    return {
      isClear: true,
      why: "no other node holds it",
      isTakeover: false,
      isUnprotected: false,
      retryAt: null,
      needsPerson: false,
    };
  }
  return judgeLost(group, facts, outOfView);
}

function judgeLost(group: GroupSettings, facts: ExclusionFacts, lost: readonly Peer[]): Exclusion {
  const names = lost.map((peer) => peer.node).join(", ");
  const testimony = testimonyAgainst(facts.peers, lost);
  if (testimony !== null) return wait(testimony, true);
  const blocked = lost.find((peer) => peer.group(group.name).state === "blocked");
  if (blocked !== undefined && !facts.isConfirmed) {
    const why =
      `${blocked.node} could not stop it and is out of view: make sure that it is off, then heartline confirm`;
    return { ...wait(why, true), needsPerson: true };
  }
  const inMidMove = facts.isConfirmed ? null : lastMidMove(group, lost);
  if (inMidMove !== null && facts.now < inMidMove.end) {
    const why =
      `${inMidMove.node} was lost while it started or stopped what stands before the address, which the ` +
      "wire cannot tell; make sure that it is off, then heartline confirm, or wait for the time limits of that";
    return { ...wait(why, true), retryAt: inMidMove.end, needsPerson: true };
  }
  if (facts.isArbiterReachable === false) {
    return wait("no arbiter answers: we may be the one that is cut off", true);
  }

  if (facts.hasAddress) {
    if (!facts.isWireSilent) return wait("asking the service network who has the address", true);
    const leaseEnd = group.waitForLease ? lastLeaseEnd(group, lost) : null;
    if (leaseEnd !== null && facts.now < leaseEnd) {
      return { ...wait(`waiting until the address lease of ${names} has run out`, true), retryAt: leaseEnd };
    }
    return clear(`${names} out of view and nobody answers for the address`, false);
  }
  // That an arbiter answers us says nothing of the other: with only the heartbeat links cut it answers both.
  const arbiter = facts.isArbiterReachable === true ? " (an arbiter answers us)" : "";
  return clear(`${names} out of view, by time alone${arbiter}: no address and no fencing excludes it`, true);
}

/** Who in our view hears one of the lost nodes, in one clause; `null`: nobody does. */
export function testimonyAgainst(peers: readonly Peer[], lost: readonly Peer[]): string | null {
  for (const peer of lost) {
    const witness = peers.find((other) => hearsNow(other, peer));
    if (witness !== undefined) return `${witness.node} still hears ${peer.node}`;
  }
  return null;
}

/**
 * A lost node that was starting or stopping the group may run resources that stand to the left of the address: they
 * are started before it is there, and stopped after it has gone. The last of such nodes, and when even the slowest of
 * these operations has hit its limit.
 */
function lastMidMove(group: GroupSettings, lost: readonly Peer[]): { node: string; end: Instant } | null {
  const firstAddress = group.resources.findIndex(({ spec }) => spec.kind === "vip");
  if (firstAddress < 1) return null;
  const limitMs = group.resources.slice(0, firstAddress)
    .reduce((sum, { startLimitMs, stopLimitMs }) => sum + startLimitMs + stopLimitMs, 0);
  let latest: { node: string; end: Instant } | null = null;
  for (const peer of lost) {
    const { state } = peer.group(group.name);
    if (peer.heardAt === null || !["starting", "stopping", "unknown"].includes(state)) continue;
    const end = after(peer.heardAt, limitMs);
    if (latest === null || end > latest.end) latest = { node: peer.node, end };
  }
  return latest;
}

/** Whether a node in our view states that it hears the lost one in its present generation. */
function hearsNow(witness: Peer, lost: Peer): boolean {
  if (!witness.isInView || witness.statement === null || witness.node === lost.node) return false;
  const hears = witness.statement.hears[lost.node];
  return hears !== undefined && hears.on.length > 0;
}

/** When the last lease that a lost node stated must have run out; `null`: none of them had one. */
function lastLeaseEnd(group: GroupSettings, lost: readonly Peer[]): Instant | null {
  let latest: Instant | null = null;
  for (const peer of lost) {
    const { leaseSeconds, state } = peer.group(group.name);
    if (peer.heardAt === null || leaseSeconds === 0 || !mayHold(state)) continue;
    const end = after(peer.heardAt, leaseSeconds * 1000 + leaseSlackMs);
    if (latest === null || end > latest) latest = end;
  }
  return latest;
}

function wait(why: string, isTakeover = false): Exclusion {
  return { isClear: false, why, isTakeover, isUnprotected: false, retryAt: null, needsPerson: false };
}

function clear(why: string, isUnprotected: boolean): Exclusion {
  return { isClear: true, why, isTakeover: true, isUnprotected, retryAt: null, needsPerson: false };
}

function stateInWords(state: string): string {
  return state === "unknown" ? "possibly running (it still looks for leftovers)" : state;
}
