/**
 * The claim of one node on one group that it is to start: said to the others, checked against all who could hold it,
 * asked of the wire, delayed and confirmed as the settings want. It tells what is still missing; it starts nothing.
 *
 * Among nodes in view: the claimant says so (`wants`), and may start only when every other node in view that could
 * hold the group has *heard* this and still states that it holds nothing. Two that claim at once are ordered by the
 * group's node list. So nodes in view of each other exclude each other by message, and only nodes out of view need
 * the wire, a lease, an arbiter or fencing.
 */

import { isGuarded } from "../arbitration.ts";
import type { Context } from "../context.ts";
import { after, earliestAfter, type Instant } from "../instant.ts";
import { cutOffSilenceMs, leaseMs, wireLeadMs, wireWindowMs } from "../limits.ts";
import type { Peer } from "../membership/peer.ts";
import type { GroupSettings, Settings, VipSpec } from "../settings.ts";
import { type Exclusion, judgeExclusion } from "./exclusion.ts";
import type { Surroundings } from "./surroundings.ts";
import { WireWatch } from "./wire_watch.ts";

export interface Judgement {
  readonly exclusion: Exclusion;
  /** What is missing before a start, in words; `null`: nothing. */
  readonly missing: string | null;
}

/** Left so long ago that it may have come back, settled and taken something where we do not hear it. */
function mayBeBack(now: Instant, { hasLeft, heardAt, deadTimeMs }: Peer): boolean {
  return hasLeft && heardAt !== null && now > after(heardAt, deadTimeMs);
}

export class Claim {
  readonly wire = new WireWatch();
  isConfirmed = false;
  /** Of which lost nodes a person has said that they are off, and when they had been heard last by then. */
  readonly #vouched = new Map<string, Instant | null>();
  /** Whose fencing is all that is missing. */
  toFence: readonly string[] = [];
  readonly vips: readonly VipSpec[];
  readonly #duplicateCheckMs: number;
  /** Number of our heartbeat that told of the claim; `null`: no claim. */
  #sequence: number | null = null;
  #since: Instant | null = null;
  #takeoverDueAt: Instant | null = null;
  #retryAt: Instant | null = null;

  constructor(readonly settings: GroupSettings) {
    this.vips = settings.resources.flatMap(({ spec }) => (spec.kind === "vip" ? [spec] : []));
    this.#duplicateCheckMs = Math.max(0, ...this.vips.map((vip) => vip.duplicateCheckMs));
  }

  get isMade(): boolean {
    return this.#sequence !== null;
  }

  get hasAddress(): boolean {
    return this.vips.length > 0;
  }

  /** Whole seconds of kernel lease on the addresses; 0: none. */
  get leaseSeconds(): number {
    return Math.max(0, ...this.vips.map((vip) => vip.leaseSeconds ?? 0));
  }

  /** How long before a peer's death the wire is to be asked, so that the answer costs no time. */
  leadMs(settings: Settings): number {
    return this.hasAddress ? wireLeadMs(settings.timing, this.#silenceMs(settings)) : 0;
  }

  deadline(now: Instant): Instant | null {
    if (!this.isMade) return null;
    const askAt = this.wire.pending === null ? this.wire.nextAskAt : null;
    return earliestAfter(now, [this.#retryAt, this.#takeoverDueAt, askAt]);
  }

  drop(): void {
    this.#sequence = null;
    this.#since = null;
    this.#takeoverDueAt = null;
    this.#retryAt = null;
    // Given for this claim: the next one may be about another loss.
    this.isConfirmed = false;
    if (this.#vouched.size > 0) this.#vouched.clear();
    this.toFence = [];
    this.wire.reset();
  }

  /** A person says that those whose fencing is waited for are off. It is over when they are heard. */
  vouch(peers: readonly Peer[]): void {
    for (const { node, heardAt } of peers) {
      if (this.toFence.includes(node)) this.#vouched.set(node, heardAt);
    }
  }

  /**
   * Makes the claim, or pursues it. `isPlaced`: the group belongs here by the present view, not only if those who are
   * overdue should be lost.
   */
  pursue(context: Context, surroundings: Surroundings, isPlaced: boolean): Judgement {
    this.#sequence ??= surroundings.nextSequence;
    this.#since ??= context.now;
    const exclusion = this.#judge(context.now, surroundings);
    const isAddressFree = this.#askWire(context, surroundings, exclusion, isPlaced);
    this.#retryAt = exclusion.retryAt;
    if (!exclusion.isTakeover) {
      // Nobody is lost (any more): a delay and a confirmation were about that loss.
      this.#takeoverDueAt = null;
      this.isConfirmed = false;
    }
    if (exclusion.needsPerson) {
      const { name } = this.settings;
      context.raise("confirm", name, `${name} is not taken: ${exclusion.why}`, { group: name });
    }
    this.toFence = [];
    if (exclusion.toFence.length > 0) {
      const missing = this.#missing(context, surroundings, exclusion, isAddressFree);
      return { exclusion, missing: missing ?? this.#fence(context.now, surroundings, exclusion.toFence) };
    }
    if (!exclusion.isClear) return { exclusion, missing: exclusion.why };
    return { exclusion, missing: this.#missing(context, surroundings, exclusion, isAddressFree) };
  }

  /** Everything else is in order. Returns how far the fencing is, in words. */
  #fence(now: Instant, { fencing }: Surroundings, nodes: readonly string[]): string {
    this.toFence = nodes;
    return nodes.map((node) => fencing.want(now, node, this.settings.name)).join("; ");
  }

  /**
   * When the lease of a lost holder must have run out at the latest: while it runs, the address of a killed holder
   * answers too, and only later is it sure that an answer comes from one that lives.
   */
  leaseEnd(surroundings: Surroundings): Instant {
    let heard = 0 as Instant;
    for (const { isInView, hasLeft, heardAt } of surroundings.peers) {
      if (!isInView && !hasLeft && heardAt !== null && heardAt > heard) heard = heardAt;
    }
    const { deadTimeMs } = surroundings.settings.timing;
    return after(heard, Math.max(deadTimeMs, leaseMs(this.leaseSeconds)) + 200);
  }

  /**
   * How long the wire must be silent before a takeover. A proof of an arbiter lasts as long as its owner's times say;
   * of a node with a longer dead time than ours no more is known than that it is below that. With its last proof it
   * may have renewed its lease, and have been killed before it could let go.
   */
  #silenceMs({ timing, arbiters }: Settings, peers: readonly Peer[] = []): number {
    const longer = peers.map(({ deadTimeMs }) => deadTimeMs).filter((ms) => ms > timing.deadTimeMs);
    const proofsMs = arbiters.length > 0 ? Math.max(cutOffSilenceMs(timing), ...longer) : 0;
    const seconds = this.settings.waitForLease && isGuarded(arbiters) ? this.#longestLease(peers) : 0;
    const byArbiterMs = proofsMs + (seconds > 0 ? leaseMs(seconds) : 0);
    return Math.max(2 * wireWindowMs(timing.deadTimeMs), this.#duplicateCheckMs, byArbiterMs);
  }

  /** Seconds of the longest lease that anybody may have on the addresses. */
  #longestLease(peers: readonly Peer[]): number {
    return Math.max(
      this.leaseSeconds,
      ...peers.map((peer) => peer.group(this.settings.name).leaseSeconds),
    );
  }

  #judge(now: Instant, surroundings: Surroundings): Exclusion {
    const { settings, peers, fencing } = surroundings;
    const windowMs = wireWindowMs(settings.timing.deadTimeMs);
    const isWireSilent = this.wire.isSilent(now, windowMs, this.#silenceMs(settings, peers));
    const exclusion = judgeExclusion(this.settings, {
      now,
      peers,
      hasAddress: this.hasAddress,
      isWireSilent,
      isArbiterReachable: surroundings.isArbiterReachable,
      isConfirmed: this.isConfirmed,
      canFence: (node) => fencing.covers(node),
      isRebooted: settings.fencing?.action === "reboot",
      isVouched: ({ node, heardAt }) => this.#vouched.get(node) === heardAt,
    });
    if (this.hasAddress && !isWireSilent) this.#veto(now, surroundings, exclusion);
    return exclusion;
  }

  /**
   * Whose address answers lives, and is not switched off for another group either. While a node in view may hold the
   * group, as after a restart of its daemon, nothing is asked: then the last answer counts for a dead time.
   */
  #veto(now: Instant, { peers, fencing, settings }: Surroundings, { isTakeover }: Exclusion): void {
    const { last, lastAt } = this.wire;
    const isFresh = lastAt !== null && now < after(lastAt, settings.timing.deadTimeMs);
    if (!isTakeover && !(isFresh && last?.kind === "answered")) return;
    for (const { isInView, hasLeft, node } of peers) {
      if (!isInView && !hasLeft && this.settings.nodes.includes(node)) fencing.veto(node, this.settings.name);
    }
  }

  /** Puts the question when it is due. Returns whether the addresses are known to be free. */
  #askWire(context: Context, surroundings: Surroundings, exclusion: Exclusion, isPlaced: boolean): boolean {
    if (!this.hasAddress) return true;
    const vetoWindowMs = wireWindowMs(surroundings.settings.timing.deadTimeMs);
    const isTakeover = exclusion.isTakeover || !isPlaced || this.#hasDeafPeer(context.now, surroundings);
    // A Heartbeat daemon that was killed and started again does not look for the address that it left, and nothing that
    // it says, not even its goodbye, is bound to this run of ours: it may be a recording.
    const isUnsure = surroundings.peers.some((peer) => peer.foreign !== null || mayBeBack(context.now, peer));
    const silenceMs = Math.max(this.#duplicateCheckMs, isUnsure ? vetoWindowMs : 0);
    if (!isTakeover && silenceMs === 0) return true;
    // While a node in view still holds the group, its kernel answers rightly: there is nothing to ask yet.
    if (!isTakeover && !exclusion.isClear) return false;
    const windowMs = isTakeover ? vetoWindowMs : Math.min(silenceMs, vetoWindowMs);
    if (this.wire.pending === null && (this.wire.nextAskAt === null || context.now >= this.wire.nextAskAt)) {
      const id = context.newId();
      this.wire.asked(id, context.now, windowMs, this.leaseEnd(surroundings));
      context.emit({ kind: "ask-wire", id, group: this.settings.name, windowMs });
    }
    return isTakeover || this.wire.isSilent(context.now, windowMs, silenceMs, 1);
  }

  /** What is missing although all others are excluded; `null`: nothing, start. */
  #missing(
    context: Context,
    surroundings: Surroundings,
    exclusion: Exclusion,
    isAddressFree: boolean,
  ): string | null {
    for (const peer of surroundings.peers) {
      if (!peer.isInView || !this.settings.nodes.includes(peer.node)) continue;
      if (peer.foreign !== null) {
        const objection = peer.foreign.objection(this.settings.name);
        if (objection !== null) return objection;
        continue;
      }
      const isUnheard = peer.echoedSequence < this.#sequence!;
      if (isUnheard && !this.#isDeaf(context.now, surroundings, peer)) {
        return `waiting until ${peer.node} has heard our claim`;
      }
      // One that does not hear us gives way to nobody: it may start at any moment.
      const goesFirst = isUnheard || this.#goesFirst(peer.node, surroundings.self);
      if (peer.group(this.settings.name).wants && goesFirst) {
        return `${peer.node} claims it too and goes first`;
      }
    }
    if (!isAddressFree) return "checking that nobody else uses the address";
    if (!exclusion.isTakeover) return this.#isSettlingAhead(surroundings);
    if (surroundings.settings.takeoverDelayMs > 0) {
      this.#takeoverDueAt ??= after(context.now, surroundings.settings.takeoverDelayMs);
      if (context.now < this.#takeoverDueAt) return "delay before a takeover";
    }
    if (surroundings.settings.takeoverConfirm && !this.isConfirmed) {
      const { name } = this.settings;
      context.raise("confirm", name, `${name} could be taken (${exclusion.why}): heartline confirm ${name}`);
      return "waiting for heartline confirm";
    }
    return null;
  }

  #hasDeafPeer(now: Instant, { peers }: Surroundings): boolean {
    return peers.some((peer) =>
      peer.isInView && peer.foreign === null && this.settings.nodes.includes(peer.node) &&
      peer.echoedSequence < this.#sequence! && !peer.hasContact(now, peer.deadTimeMs)
    );
  }

  /**
   * We hear a peer that has not heard our claim for a whole dead time: the links to it are cut in one direction. It
   * states that it holds nothing; whether that is still so, the wire must confirm as for a node out of view.
   */
  #isDeaf(now: Instant, surroundings: Surroundings, peer: Peer): boolean {
    if (!this.hasAddress || peer.hasContact(now, peer.deadTimeMs)) return false;
    const windowMs = wireWindowMs(surroundings.settings.timing.deadTimeMs);
    return now >= after(this.#since!, peer.deadTimeMs) &&
      this.wire.isSilent(now, windowMs, this.#silenceMs(surroundings.settings, surroundings.peers));
  }

  /** All start together: a more preferred node that is about to settle should not have to take the group back. */
  #isSettlingAhead(surroundings: Surroundings): string | null {
    if (surroundings.settledForMs > 2 * surroundings.settings.timing.keepaliveMs) return null;
    const joining = surroundings.peers.find((peer) =>
      peer.isInView && peer.phase === "joining" && this.settings.nodes.includes(peer.node) &&
      this.#goesFirst(peer.node, surroundings.self)
    );
    return joining === undefined ? null : `${joining.node} is preferred and about to settle`;
  }

  #goesFirst(node: string, other: string): boolean {
    return this.settings.nodes.indexOf(node) < this.settings.nodes.indexOf(other);
  }
}
