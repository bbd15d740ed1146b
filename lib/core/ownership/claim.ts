/**
 * The claim of one node on one group that it is to start: said to the others, checked against all who could hold it,
 * asked of the wire, delayed and confirmed as the settings want. It tells what is still missing; it starts nothing.
 *
 * Among nodes in view: the claimant says so (`wants`), and may start only when every other node in view that could
 * hold the group has *heard* this and still states that it holds nothing. Two that claim at once are ordered by the
 * group's node list. So nodes in view of each other exclude each other by message, and only nodes out of view need
 * the wire, a lease, an arbiter or fencing.
 */

import type { Context } from "../context.ts";
import { after, earliestAfter, type Instant } from "../instant.ts";
import { cutOffSilenceMs, leaseSlackMs, wireLeadMs, wireWindowMs } from "../limits.ts";
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

export class Claim {
  readonly wire = new WireWatch();
  isConfirmed = false;
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
    return this.hasAddress ? wireLeadMs(settings.timing.deadTimeMs, this.#silenceMs(settings)) : 0;
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
    this.wire.reset();
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
    if (exclusion.needsPerson) {
      const { name } = this.settings;
      context.raise("confirm", name, `${name} is not taken: ${exclusion.why}`, { group: name });
    }
    if (!exclusion.isClear) return { exclusion, missing: exclusion.why };
    return { exclusion, missing: this.#missing(context, surroundings, exclusion, isAddressFree) };
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
    return after(heard, Math.max(deadTimeMs, this.leaseSeconds * 1000 + leaseSlackMs) + 200);
  }

  /**
   * How long the wire must be silent before a takeover. A proof of an arbiter lasts as long as its owner's times say;
   * of a node with a longer dead time than ours no more is known than that it is below that.
   */
  #silenceMs({ timing, arbiters }: Settings, peers: readonly Peer[] = []): number {
    const longer = peers.map(({ deadTimeMs }) => deadTimeMs).filter((ms) => ms > timing.deadTimeMs);
    const byArbiterMs = arbiters.length > 0 ? Math.max(cutOffSilenceMs(timing), ...longer) : 0;
    return Math.max(2 * wireWindowMs(timing.deadTimeMs), this.#duplicateCheckMs, byArbiterMs);
  }

  #judge(now: Instant, surroundings: Surroundings): Exclusion {
    const windowMs = wireWindowMs(surroundings.settings.timing.deadTimeMs);
    return judgeExclusion(this.settings, {
      now,
      peers: surroundings.peers,
      hasAddress: this.hasAddress,
      isWireSilent: this.wire.isSilent(
        now,
        windowMs,
        this.#silenceMs(surroundings.settings, surroundings.peers),
      ),
      isArbiterReachable: surroundings.isArbiterReachable,
      isConfirmed: this.isConfirmed,
    });
  }

  /** Puts the question when it is due. Returns whether the addresses are known to be free. */
  #askWire(context: Context, surroundings: Surroundings, exclusion: Exclusion, isPlaced: boolean): boolean {
    if (!this.hasAddress) return true;
    const vetoWindowMs = wireWindowMs(surroundings.settings.timing.deadTimeMs);
    const isTakeover = exclusion.isTakeover || !isPlaced || this.#hasDeafPeer(context.now, surroundings);
    if (!isTakeover && this.#duplicateCheckMs === 0) return true;
    // While a node in view still holds the group, its kernel answers rightly: there is nothing to ask yet.
    if (!isTakeover && !exclusion.isClear) return false;
    const windowMs = isTakeover ? vetoWindowMs : Math.min(this.#duplicateCheckMs, vetoWindowMs);
    if (this.wire.pending === null && (this.wire.nextAskAt === null || context.now >= this.wire.nextAskAt)) {
      const id = context.newId();
      this.wire.asked(id, context.now, windowMs, this.leaseEnd(surroundings));
      context.emit({ kind: "ask-wire", id, group: this.settings.name, windowMs });
    }
    return isTakeover || this.wire.isSilent(context.now, windowMs, this.#duplicateCheckMs, 1);
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
      if (peer.echoedSequence < this.#sequence! && !this.#isDeaf(context.now, surroundings, peer)) {
        return `waiting until ${peer.node} has heard our claim`;
      }
      if (peer.group(this.settings.name).wants && this.#goesFirst(peer.node, surroundings.self)) {
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
      peer.isInView && this.settings.nodes.includes(peer.node) && peer.echoedSequence < this.#sequence! &&
      !peer.hasContact(now, peer.deadTimeMs)
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
      peer.isInView && peer.statement?.phase === "joining" && this.settings.nodes.includes(peer.node) &&
      this.#goesFirst(peer.node, surroundings.self)
    );
    return joining === undefined ? null : `${joining.node} is preferred and about to settle`;
  }

  #goesFirst(node: string, other: string): boolean {
    return this.settings.nodes.indexOf(node) < this.settings.nodes.indexOf(other);
  }
}
