/**
 * Decides, for one group on one node, from the view and the settings: claim it, ask the wire, start it, keep it, give
 * it up. It must never start a group before every other node that could hold it is known not to (see
 * `exclusion.ts`), nor keep one that a later claim has taken.
 *
 * How a claim works among nodes in view: a node that is to start a group first says so (`wants`), and starts only
 * when every other node in view that could hold it has *heard* this and still states that it holds nothing. Two that
 * claim at once are ordered by the group's node list. So nodes in view of each other exclude each other by message,
 * and only nodes out of view need the wire, a lease, an arbiter or fencing.
 */

import type { Context } from "../context.ts";
import { after, earliestAfter, type Instant } from "../instant.ts";
import { wireLeadMs, wireWindowMs } from "../limits.ts";
import type { Peer } from "../membership/peer.ts";
import type { GroupSettings, Timing, VipSpec } from "../settings.ts";
import type { GroupStatement } from "../../wire/statement.ts";
import { type Exclusion, judgeExclusion } from "./exclusion.ts";
import { GroupMachine } from "./group_machine.ts";
import { Health } from "./health.ts";
import { Moves } from "./moves.ts";
import { type Candidate, holderOf, holds, mayHold, outranks, place } from "./placement.ts";
import type { Surroundings } from "./surroundings.ts";
import { WireWatch } from "./wire_watch.ts";

export class Keeper {
  readonly machine: GroupMachine;
  readonly wire = new WireWatch();
  readonly health: Health;
  readonly moves = new Moves();
  /** Highest epoch seen anywhere. */
  epoch: number;
  /** Epoch of our own last start: our claim while we hold. */
  #claimEpoch = 0;
  /** Why things are as they are, for `status`. */
  reason = "just started";
  pending: string[] = [];
  placedOn: string | null = null;
  isReleased = false;
  isConfirmed = false;
  wants = false;
  readonly #vips: readonly VipSpec[];
  readonly #duplicateCheckMs: number;
  #claimSequence: number | null = null;
  #claimedAt: Instant | null = null;
  #takeoverDueAt: Instant | null = null;
  #retryAt: Instant | null = null;
  #unheldSince: Instant | null = null;
  #announceWhenAlone = false;

  constructor(readonly settings: GroupSettings, readonly isMember: boolean, keptEpoch: number) {
    this.machine = new GroupMachine(settings);
    this.health = new Health(settings);
    this.epoch = keptEpoch;
    this.#vips = settings.resources.flatMap(({ spec }) => (spec.kind === "vip" ? [spec] : []));
    this.#duplicateCheckMs = Math.max(0, ...this.#vips.map((vip) => vip.duplicateCheckMs));
    if (!isMember) this.machine.state = "stopped";
  }

  get name(): string {
    return this.settings.name;
  }

  get hasAddress(): boolean {
    return this.#vips.length > 0;
  }

  /** What we state: the epoch that we hold by, or else the highest that we know. */
  get claimEpoch(): number {
    return mayHold(this.machine.state) && this.#claimEpoch > 0 ? this.#claimEpoch : this.epoch;
  }

  isAble(surroundings: Surroundings): boolean {
    return this.isMember && !this.isReleased && this.health.isFit && surroundings.phase === "settled" &&
      !surroundings.isIsolated;
  }

  statement(surroundings: Surroundings): GroupStatement {
    return {
      state: this.machine.state,
      epoch: this.claimEpoch,
      able: this.isAble(surroundings),
      wants: this.wants,
      leaseSeconds: Math.max(0, ...this.#vips.map((vip) => vip.leaseSeconds ?? 0)),
      pin: surroundings.directives.pin(this.name),
    };
  }

  /** Own candidacy first, then that of the peers in view. */
  candidates(surroundings: Surroundings, peers: readonly Peer[] = surroundings.peers): Candidate[] {
    const own: Candidate = {
      node: surroundings.self,
      isEligible: this.isAble(surroundings),
      state: this.machine.state,
      epoch: this.claimEpoch,
      settledForMs: surroundings.settledForMs,
    };
    return [own, ...peers.filter((peer) => peer.isInView).map((peer) => candidateOf(peer, this.name))];
  }

  /** Decides whatever is to be decided now. Called after every input. */
  reconcile(context: Context, surroundings: Surroundings): void {
    this.#retryAt = null;
    this.pending = [];
    this.#learnEpochs(context, surroundings.peers);
    const candidates = this.candidates(surroundings);
    const pinnedNode = surroundings.directives.pinnedNode(this.name);
    this.placedOn = place(this.settings, candidates, pinnedNode);
    this.moves.watch(context, this.name, this.machine.state, candidates, surroundings.self);
    this.#watchUnheld(context, surroundings, candidates);
    if (!this.isMember) {
      this.reason = "this node is not in the group's node list";
      return;
    }
    const wanted = this.wants;
    this.wants = false;
    switch (this.machine.state) {
      case "running":
      case "starting":
        this.#keep(context, surroundings, candidates);
        break;
      case "stopped":
        this.#consider(context, surroundings, pinnedNode);
        break;
      case "unknown":
      case "stopping":
      case "blocked":
        this.#forgetClaim();
        break;
    }
    if (wanted !== this.wants) context.isStatementDirty = true;
  }

  /** How long before a peer's death the wire is to be asked. */
  leadMs(timing: Timing): number {
    return this.hasAddress ? wireLeadMs(timing.deadTimeMs, this.#duplicateCheckMs) : 0;
  }

  deadline(now: Instant): Instant | null {
    const isClaiming = this.machine.state === "stopped" && this.wants;
    return earliestAfter(now, [
      this.health.deadline(now, this.machine.state === "running"),
      this.#retryAt,
      isClaiming ? this.#takeoverDueAt : null,
      isClaiming && this.wire.pending === null ? this.wire.nextAskAt : null,
    ]);
  }

  /** Something else than us removed an address that is held here: put it back, and say so. */
  addressLost(context: Context, resource: number): void {
    if (this.machine.state !== "running") return;
    const id = this.settings.resources[resource]?.id ?? this.name;
    context.report("warning", "address-lost", `${id} was removed by something else; putting it back`, {
      group: this.name,
    });
    if (this.health.isAddressFlapping(context.now)) {
      context.raise(
        "address-flapping",
        this.name,
        `${id} is removed again and again: look for a network manager`,
      );
    }
    this.machine.reassert(context, resource);
    context.emit({ kind: "announce", group: this.name });
  }

  /** Somebody else claims an address that is held here: tell the neighbours at once whose it is. */
  addressClaimed(context: Context, address: string, hardware: string): void {
    if (!holds(this.machine.state)) return;
    context.report(
      "warning",
      "rival-claim",
      `${hardware} claims ${address}, which is held here; announcing it again`,
      {
        group: this.name,
        hardware,
      },
    );
    context.emit({ kind: "announce", group: this.name });
  }

  /** Gives the group up because others may be about to take it: the addresses go first, at once. */
  giveUpNow(context: Context, why: string): void {
    if (!mayHold(this.machine.state) || this.machine.state === "unknown") return;
    context.emit({ kind: "drop", group: this.name });
    this.giveUp(context, why);
  }

  giveUp(context: Context, why: string): void {
    if (this.machine.state !== "running" && this.machine.state !== "starting") return;
    this.reason = why;
    context.report("notice", "group-stopping", `stopping ${this.name}: ${why}`, { group: this.name });
    this.machine.stop(context);
    context.isStatementDirty = true;
  }

  /** Running or starting: is there a reason to let go? */
  #keep(context: Context, surroundings: Surroundings, candidates: readonly Candidate[]): void {
    this.#forgetClaim();
    const rival = holderOf(candidates.slice(1));
    // A node that was cut off may have announced the address to its own half: the last word must be ours.
    if (surroundings.peers.some((peer) => peer.isInView && peer.inViewSince === context.now)) {
      this.#announceWhenAlone = true;
    }
    if (rival !== null) this.#meetRival(context, surroundings, rival);
    else this.#rivalGone(context);
    if (!holds(this.machine.state)) return;
    if (surroundings.isIsolated && !surroundings.mayKeep) {
      return this.giveUpNow(context, "isolated: no peer and no arbiter has answered for too long");
    }
    if (surroundings.phase === "leaving") return this.giveUp(context, "this node is shutting down");
    if (surroundings.isMaintenance) return;
    if (this.isReleased) return this.giveUp(context, "released by an operator");
    const ailment = this.health.ailment;
    if (ailment !== null) return this.giveUp(context, ailment);
    const taker = surroundings.peers.find((peer) => peer.node === this.placedOn);
    if (taker !== undefined && taker.isInView && taker.group(this.name).wants) {
      this.moves.begin(taker.node);
      return this.giveUp(context, `handing over to ${taker.node}, where it belongs`);
    }
    if (
      this.machine.state === "running" && this.health.isMonitorDue(context.now, this.machine.isMonitoring)
    ) {
      this.machine.monitor(context);
    }
  }

  #meetRival(context: Context, surroundings: Surroundings, rival: Candidate): void {
    const both = `${surroundings.self} (epoch ${this.claimEpoch}) and ${rival.node} (epoch ${rival.epoch})`;
    context.raise("split-brain", this.name, `two holders of ${this.name}: ${both}`, { group: this.name });
    if (outranks(rival.epoch, rival.node, this.claimEpoch, surroundings.self)) {
      this.giveUpNow(context, `${rival.node} holds it by the later epoch ${rival.epoch}`);
    } else {
      this.#announceWhenAlone = true;
    }
  }

  #rivalGone(context: Context): void {
    context.clear("split-brain", this.name, `${this.name} has one holder again`);
    // A start announces by itself when it is through, and who holds nothing has nothing to announce.
    if (this.machine.state === "stopped") this.#announceWhenAlone = false;
    if (!this.#announceWhenAlone || this.machine.state !== "running") return;
    this.#announceWhenAlone = false;
    context.emit({ kind: "announce", group: this.name });
  }

  /** Stopped: should it be started here, and what is still missing? */
  #consider(context: Context, surroundings: Surroundings, pinnedNode: string | null): void {
    this.#rivalGone(context);
    const hindrance = this.#hindrance(surroundings);
    const isPlaced = this.placedOn === surroundings.self;
    if (
      hindrance !== null ||
      !(isPlaced || this.#isPlacedWithoutSuspects(context.now, surroundings, pinnedNode))
    ) {
      this.#clearVeto(context, "the view is whole again, or the group belongs elsewhere");
      this.reason = hindrance ??
        (this.placedOn === null ? "no node in view can hold it" : `belongs on ${this.placedOn}`);
      this.#forgetClaim();
      return;
    }
    this.wants = true;
    this.#claimSequence ??= surroundings.nextSequence;
    this.#claimedAt ??= context.now;
    const exclusion = this.#judge(context.now, surroundings);
    const isAddressFree = this.#askWire(context, surroundings, exclusion, isPlaced);
    if (!isPlaced) {
      this.pending = ["suspect"];
      return;
    }
    const missing = exclusion.isClear
      ? this.#missing(context, surroundings, exclusion, isAddressFree)
      : exclusion.why;
    if (missing !== null) {
      this.reason = missing;
      this.pending = [missing];
      this.#retryAt = exclusion.retryAt;
      this.#watchVeto(context, surroundings, exclusion);
      return;
    }
    this.#start(context, surroundings, exclusion);
  }

  /** What keeps this node from holding anything at all; `null`: nothing. */
  #hindrance(surroundings: Surroundings): string | null {
    if (surroundings.phase === "joining") return "waiting to hear from the other nodes";
    if (surroundings.phase === "leaving") return "this node is shutting down";
    if (surroundings.isMaintenance) return "maintenance is on";
    if (surroundings.isIsolated) return "isolated: no peer and no arbiter answers";
    if (this.isReleased) return "released by an operator";
    return this.health.ailment;
  }

  #isPlacedWithoutSuspects(now: Instant, surroundings: Surroundings, pinnedNode: string | null): boolean {
    const leadMs = wireLeadMs(surroundings.settings.timing.deadTimeMs, this.#duplicateCheckMs);
    const sure = surroundings.peers.filter((peer) => !peer.isSuspect(now, leadMs));
    if (sure.length === surroundings.peers.length) return false;
    return place(this.settings, this.candidates(surroundings, sure), pinnedNode) === surroundings.self;
  }

  #judge(now: Instant, surroundings: Surroundings): Exclusion {
    const windowMs = wireWindowMs(surroundings.settings.timing.deadTimeMs);
    return judgeExclusion(this.settings, {
      now,
      peers: surroundings.peers,
      hasAddress: this.hasAddress,
      isWireSilent: this.wire.isSilent(now, windowMs, Math.max(2 * windowMs, this.#duplicateCheckMs)),
      isArbiterReachable: surroundings.isArbiterReachable,
    });
  }

  /** Puts the question when it is due. Returns whether the addresses are known to be free. */
  #askWire(context: Context, surroundings: Surroundings, exclusion: Exclusion, isPlaced: boolean): boolean {
    if (!this.hasAddress) return true;
    const vetoWindowMs = wireWindowMs(surroundings.settings.timing.deadTimeMs);
    const isTakeover = exclusion.isTakeover || !isPlaced;
    if (!isTakeover && this.#duplicateCheckMs === 0) return true;
    // While a node in view still holds the group, its kernel answers rightly: there is nothing to ask yet.
    if (!isTakeover && !exclusion.isClear) return false;
    const windowMs = isTakeover ? vetoWindowMs : Math.min(this.#duplicateCheckMs, vetoWindowMs);
    if (this.wire.pending === null && (this.wire.nextAskAt === null || context.now >= this.wire.nextAskAt)) {
      const id = context.newId();
      this.wire.asked(id, context.now, windowMs, this.#leaseEnd(surroundings));
      context.emit({ kind: "ask-wire", id, group: this.name, windowMs });
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
      if (
        peer.echoedSequence < this.#claimSequence! && !this.#isDeafAndGone(context.now, surroundings, peer)
      ) {
        return `waiting until ${peer.node} has heard our claim`;
      }
      if (peer.group(this.name).wants && this.#goesFirst(peer.node, surroundings.self)) {
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
      context.raise(
        "confirm",
        this.name,
        `${this.name} could be taken (${exclusion.why}): heartline confirm ${this.name}`,
      );
      return "waiting for heartline confirm";
    }
    return null;
  }

  /**
   * We hear a peer that has not heard our claim for a whole dead time: the links to it are cut in one direction. It
   * states that it holds nothing; whether that is still so, the wire must confirm as for a node out of view.
   */
  #isDeafAndGone(now: Instant, surroundings: Surroundings, peer: Peer): boolean {
    if (!this.hasAddress || peer.hasContact(now, peer.deadTimeMs)) return false;
    const windowMs = wireWindowMs(surroundings.settings.timing.deadTimeMs);
    return now >= after(this.#claimedAt!, peer.deadTimeMs) && this.wire.isSilent(now, windowMs, 2 * windowMs);
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

  #start(context: Context, surroundings: Surroundings, exclusion: Exclusion): void {
    this.epoch++;
    this.#claimEpoch = this.epoch;
    this.reason = exclusion.why;
    this.moves.starting(exclusion.isTakeover ? lastHeard(surroundings.peers) : null);
    const from = exclusion.isTakeover ? "taking" : "starting";
    context.report(
      exclusion.isUnprotected ? "warning" : "notice",
      "group-starting",
      `${from} ${this.name} with epoch ${this.epoch}: ${exclusion.why}`,
      { group: this.name, epoch: this.epoch, takeover: exclusion.isTakeover },
    );
    this.#clearVeto(context, "it is being started here");
    if (exclusion.isTakeover) this.#liftPinOfLost(surroundings);
    this.#forgetClaim();
    this.wants = false;
    this.isConfirmed = false;
    context.isStatementDirty = true;
    context.emit({ kind: "keep-epoch", group: this.name, epoch: this.epoch });
    this.machine.start(context, this.epoch);
  }

  /** A pin ends when its node is lost and another takes over: its return must not move the group once more. */
  #liftPinOfLost(surroundings: Surroundings): void {
    const pinned = surroundings.directives.pinnedNode(this.name);
    const isLost = surroundings.peers.some((peer) => peer.node === pinned && !peer.isInView);
    if (isLost) surroundings.directives.setPin(this.name, null);
  }

  #watchVeto(context: Context, surroundings: Surroundings, exclusion: Exclusion): void {
    const last = this.wire.last;
    if (last === null || last.kind === "silent" || last.kind === "contended") {
      if (last !== null && !exclusion.isTakeover) {
        context.clear("address-in-use", this.name, `nobody else answers for ${this.name} any more`);
      }
      return;
    }
    if (last.kind === "blind") {
      this.reason = `cannot ask the service network: ${last.reason}`;
      return;
    }
    const who = `${last.hardware} answers for ${last.address}`;
    this.reason = exclusion.isTakeover ? `not taken: ${who}` : `not started: ${who}`;
    this.pending = [this.reason];
    if (!exclusion.isTakeover) {
      context.raise("address-in-use", this.name, `${this.name} is not started: ${who}`, {
        hardware: last.hardware,
      });
      return;
    }
    // For the rest of its lease a killed holder's address answers too; only later is it sure that the holder lives.
    const isPastLease = context.now >= this.#leaseEnd(surroundings);
    if (!isPastLease) return;
    context.raise(
      "wire-veto",
      this.name,
      `${this.name} is not taken although ${lostNames(surroundings.peers)} is out of view: ${who}. ` +
        "The holder lives and only the heartbeat links to it are cut, or a stranger uses the address",
      { group: this.name, hardware: last.hardware },
    );
  }

  #clearVeto(context: Context, why: string): void {
    for (const code of ["wire-veto", "address-in-use", "confirm"]) {
      context.clear(code, this.name, `${this.name}: ${why}`);
    }
  }

  #leaseEnd(surroundings: Surroundings): Instant {
    const heard = lastHeard(surroundings.peers) ?? (0 as Instant);
    const seconds = Math.max(0, ...this.#vips.map((vip) => vip.leaseSeconds ?? 0));
    return after(heard, Math.max(surroundings.settings.timing.deadTimeMs, seconds * 1000) + 500);
  }

  #watchUnheld(context: Context, surroundings: Surroundings, candidates: readonly Candidate[]): void {
    const isHeld = candidates.some((candidate) => holds(candidate.state));
    if (isHeld || surroundings.phase !== "settled" || !surroundings.isCoordinator) {
      this.#unheldSince = null;
      if (isHeld) context.clear("group-unheld", this.name, `${this.name} has a holder again`);
      return;
    }
    this.#unheldSince ??= context.now;
    const patienceMs = Math.max(5_000, 2 * surroundings.settings.timing.deadTimeMs);
    if (context.now < after(this.#unheldSince, patienceMs)) return;
    context.raise("group-unheld", this.name, `no node in view holds ${this.name}: ${this.reason}`);
  }

  #learnEpochs(context: Context, peers: readonly Peer[]): void {
    const seen = Math.max(this.epoch, ...peers.map((peer) => peer.group(this.name).epoch));
    if (seen === this.epoch) return;
    this.epoch = seen;
    context.emit({ kind: "keep-epoch", group: this.name, epoch: seen });
  }

  #forgetClaim(): void {
    this.#claimSequence = null;
    this.#claimedAt = null;
    this.#takeoverDueAt = null;
    this.wire.reset();
  }
}

function candidateOf(peer: Peer, group: string): Candidate {
  const { able, state, epoch } = peer.group(group);
  const isSettled = peer.statement?.phase === "settled";
  return {
    node: peer.node,
    isEligible: able && isSettled,
    state,
    epoch,
    settledForMs: peer.statement?.settledForMs ?? 0,
  };
}

function lostNames(peers: readonly Peer[]): string {
  return peers.filter((peer) => !peer.isInView && !peer.hasLeft).map((peer) => peer.node).join(", ");
}

function lastHeard(peers: readonly Peer[]): Instant | null {
  let latest: Instant | null = null;
  for (const { isInView, hasLeft, heardAt } of peers) {
    if (isInView || hasLeft || heardAt === null) continue;
    if (latest === null || heardAt > latest) latest = heardAt;
  }
  return latest;
}
