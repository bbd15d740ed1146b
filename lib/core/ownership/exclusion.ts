/**
 * The rule that keeps a group on one machine: before a start, every node that could hold the group must be known not
 * to. A node in view says so itself; a node out of view must have been *excluded*. Silence on the heartbeat links
 * alone excludes nobody.
 *
 * | the other node…            | may we start?                                                         |
 * |----------------------------|-----------------------------------------------------------------------|
 * | in view, states `stopped`  | yes                                                                   |
 * | in view, states otherwise  | no: it holds, starts, stops, or does not know yet                     |
 * | in view, a Heartbeat daemon | as it states in its own protocol, and once the wire is silent; among |
 * |                            | more than two nodes no: its groups are unknown to us                  |
 * | said goodbye               | yes                                                                   |
 * | out of view, fenced        | once the wire is silent                                               |
 * | out of view, heard by a third node in our view | no: only our own links to it are cut              |
 * | out of view, a device can fence it | once it is fenced, before which all that follows below applies  |
 * | out of view, never heard since we started, and fenced nodes come back | once an arbiter answers us, or a      |
 * |                            | person confirms: else two that fenced each other would go on by turns |
 * | out of view, last heard `blocked` | once a person confirms that it is off                          |
 * | out of view, last heard in mid-start or mid-stop of what stands left of the address | when its limits are over, or a person confirms |
 * | out of view, otherwise     | once the wire is silent (groups with an address), its lease has run   |
 * |                            | out (where that is asked for) and the arbiter, if any, answers us;    |
 * |                            | a group without an address by time alone, which is told at start      |
 */

import { after, type Instant } from "../instant.ts";
import { leaseMs } from "../limits.ts";
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
  /** Some device can switch the node off. */
  readonly canFence: (node: string) => boolean;
  /** Whoever is fenced is switched on again. */
  readonly isRebooted: boolean;
  /** A person has said, since the node was last heard, that it is off. */
  readonly isVouched: (peer: Peer) => boolean;
}

export interface Exclusion {
  readonly isClear: boolean;
  /** What is still missing, or, when clear, by which evidence it is: one clause for people. */
  readonly why: string;
  /** A node out of view has to be excluded: the wire must be asked, delay and confirmation apply. */
  readonly isTakeover: boolean;
  /** Nothing but the passing of time excludes the former holder; the operator was told so at start. */
  readonly isUnprotected: boolean;
  /** Nothing but the fencing of these is missing. */
  readonly toFence: readonly string[];
  /** When time alone may change the answer; `null`: never. */
  readonly retryAt: Instant | null;
  /** Only a person can tell: `heartline confirm`. */
  readonly needsPerson: boolean;
}

/** Judges whether all other nodes are known not to hold the group. */
export function judgeExclusion(group: GroupSettings, facts: ExclusionFacts): Exclusion {
  const lost: Peer[] = [];
  for (const peer of facts.peers) {
    if (!group.nodes.includes(peer.node)) continue;
    if (peer.isForeign) return wait(`${peer.node} runs another daemon, whose groups are not known here`);
    if (peer.isInView) {
      const state = peer.group(group.name).state;
      if (mayHold(state)) return wait(`${peer.node} states that the group is ${stateInWords(state)} there`);
      continue;
    }
    if (!peer.hasLeft) lost.push(peer);
  }
  if (lost.length === 0) return { ...plain, isClear: true, why: "no other node holds it" };
  return { ...judgeLost(group, facts, lost), isTakeover: true };
}

function judgeLost(group: GroupSettings, facts: ExclusionFacts, lost: readonly Peer[]): Exclusion {
  const testimony = testimonyAgainst(facts.peers, lost);
  if (testimony !== null) return wait(testimony);
  const fenced = lost.filter((peer) => peer.isFenced);
  const covered = lost.filter((peer) => !peer.isFenced && facts.canFence(peer.node));
  const vouched = covered.filter(facts.isVouched);
  const fenceable = covered.filter((peer) => !facts.isVouched(peer));
  const others = lost.filter((peer) => !peer.isFenced && !facts.canFence(peer.node));
  const blocked = others.find((peer) => peer.group(group.name).state === "blocked");
  if (blocked !== undefined && !facts.isConfirmed) {
    const why =
      `${blocked.node} could not stop it and is out of view: make sure that it is off, then heartline confirm`;
    return { ...wait(why), needsPerson: true };
  }
  const inMidMove = facts.isConfirmed ? null : lastMidMove(group, others);
  if (inMidMove !== null && facts.now < inMidMove.end) {
    const why =
      `${inMidMove.node} was lost while it started or stopped what stands before the address, which the ` +
      "wire cannot tell; make sure that it is off, then heartline confirm, or wait for the time limits of that";
    return { ...wait(why), retryAt: inMidMove.end, needsPerson: true };
  }
  if (facts.isArbiterReachable === false) {
    return wait("no arbiter answers: we may be the one that is cut off");
  }
  if (facts.hasAddress) {
    if (!facts.isWireSilent) return wait("asking the service network who has the address");
    const leased = [...others, ...fenceable];
    const leaseEnd = group.waitForLease ? lastLeaseEnd(group, leased) : null;
    if (leaseEnd !== null && facts.now < leaseEnd) {
      return {
        ...wait(`waiting until the address lease of ${names(leased)} has run out`),
        retryAt: leaseEnd,
      };
    }
  }
  if (fenceable.length > 0) {
    const strangers = fenceable.filter(({ heardAt }) => heardAt === null);
    const mayStrike = !facts.isRebooted || facts.isArbiterReachable === true || facts.isConfirmed;
    if (strangers.length > 0 && !mayStrike) {
      const why =
        `${names(strangers)} not heard since this node started, which may itself have been fenced and be ` +
        "still cut off: it fences nobody back; repair the network, or make sure that the other side is down, then " +
        "heartline confirm";
      return { ...wait(why), needsPerson: true };
    }
    const why = `${names(fenceable)} out of view and to be fenced`;
    return { ...wait(why), toFence: fenceable.map(({ node }) => node) };
  }
  return excluded(facts, fenced, vouched, others);
}

/** All are excluded: by what, for people. */
function excluded(
  { hasAddress, isArbiterReachable }: ExclusionFacts,
  fenced: readonly Peer[],
  vouched: readonly Peer[],
  others: readonly Peer[],
): Exclusion {
  const evidence: string[] = [];
  if (fenced.length > 0) evidence.push(`${names(fenced)} fenced`);
  if (vouched.length > 0) evidence.push(`${names(vouched)} off, as a person has confirmed`);
  if (others.length > 0 && hasAddress) {
    evidence.push(`${names(others)} out of view and nobody answers for the address`);
  }
  const isUnprotected = others.length > 0 && !hasAddress;
  if (isUnprotected) {
    // That an arbiter answers us says nothing of the other: with only the heartbeat links cut it answers both.
    const arbiter = isArbiterReachable === true ? " (an arbiter answers us)" : "";
    evidence.push(
      `${names(others)} out of view, by time alone${arbiter}: no address and no fencing excludes it`,
    );
  }
  return { ...plain, isClear: true, why: evidence.join("; "), isUnprotected };
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
    const end = after(peer.heardAt, leaseMs(leaseSeconds));
    if (latest === null || end > latest) latest = end;
  }
  return latest;
}

const plain: Omit<Exclusion, "isClear" | "why"> = {
  isTakeover: false,
  isUnprotected: false,
  toFence: [],
  retryAt: null,
  needsPerson: false,
};

function wait(why: string): Exclusion {
  return { ...plain, isClear: false, why };
}

function names(peers: readonly Peer[]): string {
  return peers.map(({ node }) => node).join(", ");
}

function stateInWords(state: string): string {
  return state === "unknown" ? "possibly running (it still looks for leftovers)" : state;
}
