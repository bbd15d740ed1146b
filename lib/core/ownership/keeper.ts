/**
 * Decides, for one group on one node, from the view and the settings: claim it, start it, keep it, give it up. It must
 * never start a group before every other node that could hold it is known not to (`claim.ts`, `exclusion.ts`), nor
 * keep one that a later claim has taken.
 */

import type { Context } from "../context.ts";
import type { EffectId } from "../effects.ts";
import type { WireVerdict } from "../inputs.ts";
import { earliestAfter, type Instant } from "../instant.ts";
import { counted } from "../limits.ts";
import type { Peer } from "../membership/peer.ts";
import type { GroupSettings } from "../settings.ts";
import { type GroupStatement, isSameStatement } from "../../wire/statement.ts";
import { Bar } from "./bar.ts";
import { Claim } from "./claim.ts";
import { Defence } from "./defence.ts";
import type { Exclusion } from "./exclusion.ts";
import { GroupMachine } from "./group_machine.ts";
import { Health } from "./health.ts";
import { lastHeard, Moves } from "./moves.ts";
import { type Candidate, candidateOf, holderOf, holds, mayHold, outranks, place } from "./placement.ts";
import type { Surroundings } from "./surroundings.ts";
import { Remains } from "./remains.ts";
import { lossInWords, ReturnWatch } from "./return_watch.ts";
import { Rivals } from "./rivals.ts";
import { Vigil } from "./vigil.ts";

export class Keeper {
  readonly machine: GroupMachine;
  readonly claim: Claim;
  readonly health: Health;
  readonly moves = new Moves();
  readonly returns: ReturnWatch;
  /** Highest epoch seen anywhere. */
  epoch: number;
  /** Epoch of our own last start: our claim while we hold. */
  #claimEpoch = 0;
  /** Why things are as they are, for `status`. */
  reason = "just started";
  pending: string[] = [];
  placedOn: string | null = null;
  isReleased = false;
  readonly #vigil: Vigil;
  readonly #bar: Bar;
  readonly #defence: Defence;
  readonly #rivals: Rivals;
  readonly #remains = new Remains();
  /** As at the last decision: addresses may be set. */
  #maySet = true;
  /** As at the last decision. */
  #isMaintenance = false;
  #stated: GroupStatement | null = null;

  constructor(readonly settings: GroupSettings, readonly isMember: boolean, keptEpoch: number) {
    this.machine = new GroupMachine(settings);
    this.health = new Health(settings);
    this.claim = new Claim(settings);
    this.#vigil = new Vigil(settings.name);
    this.#bar = new Bar(settings);
    this.returns = new ReturnWatch(settings.name, this.claim.leaseSeconds);
    this.#defence = new Defence(settings.name);
    this.#rivals = new Rivals(settings.name);
    this.epoch = keptEpoch;
    if (!isMember) this.machine.state = "stopped";
  }

  get name(): string {
    return this.settings.name;
  }

  /** What we state: the epoch that we hold by, or else the highest that we know. */
  get claimEpoch(): number {
    return mayHold(this.machine.state) && this.#claimEpoch > 0 ? this.#claimEpoch : this.epoch;
  }

  isAble(surroundings: Surroundings): boolean {
    if (this.#bar.reason !== null) return false;
    return this.isMember && !this.isReleased && this.health.isFit && surroundings.phase === "settled" &&
      !surroundings.isIsolated;
  }

  /** The same object as last time where nothing has changed: it lives as long as the packets that carry it. */
  statement(surroundings: Surroundings): GroupStatement {
    const statement: GroupStatement = {
      state: this.machine.state,
      epoch: this.claimEpoch,
      able: this.isAble(surroundings),
      wants: this.claim.isMade,
      leaseSeconds: this.claim.leaseSeconds,
      pin: surroundings.directives.pin(this.name),
    };
    if (this.#stated === null || !isSameStatement(this.#stated, statement)) this.#stated = statement;
    return this.#stated;
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
    const candidates = [own];
    for (const peer of peers) {
      if (peer.isInView) candidates.push(candidateOf(peer, this.name, surroundings.now));
    }
    return candidates;
  }

  /** Decides whatever is to be decided now. Called after every input. */
  reconcile(context: Context, surroundings: Surroundings): void {
    this.pending = [];
    this.#maySet = !this.claim.hasAddress || surroundings.mayRenew(this.claim.leaseSeconds);
    this.#isMaintenance = surroundings.isMaintenance;
    this.#learnEpochs(context, surroundings.peers);
    const isStopped = this.machine.state === "stopped";
    this.#bar.watch(context, surroundings.peers, isStopped, surroundings.settings.timing.deadTimeMs);
    const candidates = this.candidates(surroundings);
    const pinnedNode = surroundings.directives.pinnedNode(this.name);
    this.placedOn = place(this.settings, candidates, pinnedNode);
    this.moves.watch(
      context,
      this.name,
      this.machine.state,
      candidates,
      surroundings.self,
      (node) => surroundings.peers.some((peer) => peer.node === node && !peer.isInView && !peer.hasLeft),
    );
    const isHeld = candidates.some((candidate) => holds(candidate.state));
    this.#vigil.watchHolder(context, surroundings, isHeld, this.reason);
    if (!this.isMember) {
      this.reason = "this node is not in the group's node list";
      return;
    }
    const wasClaimed = this.claim.isMade;
    if (holds(this.machine.state)) this.returns.tick(context, this.#isMaintenance);
    else this.returns.drop();
    switch (this.machine.state) {
      case "running":
      case "starting":
        this.#remains.reset();
        this.#keep(context, surroundings, candidates);
        break;
      case "stopped":
        this.#consider(context, surroundings, pinnedNode);
        break;
      case "unknown":
      case "stopping":
      case "blocked":
        this.claim.drop();
        this.#dropRemains(context, surroundings, candidates);
        break;
    }
    if (wasClaimed !== this.claim.isMade) context.isStatementDirty = true;
  }

  deadline(now: Instant): Instant | null {
    const isRunning = this.machine.state === "running";
    return earliestAfter(now, [
      this.health.deadline(now, isRunning),
      this.claim.deadline(now),
      this.returns.retryAt,
    ]);
  }

  /** Something else than us removed an address that is held here: put it back, unless in maintenance, and say so. */
  addressLost(context: Context, resource: number, windowMs: number): void {
    if (!this.machine.canReassert(resource)) return;
    const done = this.returns.lost(context, resource, windowMs, this.#isMaintenance);
    if (done === null) return;
    const id = this.settings.resources[resource]?.id ?? this.name;
    const how = done === "asked" && !this.#maySet ? "lapsed" : done;
    const sentence = `${id} is gone from this machine; ${lossInWords[how]}`;
    context.report("warning", "address-lost", sentence, { group: this.name });
    if (how !== "lapsed" && this.health.isAddressFlapping(context.now)) {
      const often = `${id} is removed again and again: look for a network manager`;
      context.raise("address-flapping", this.name, often);
    }
  }

  /** Takes the verdict of one of our questions to the wire. Returns whether it was ours. */
  hearWire(context: Context, id: EffectId, verdict: WireVerdict): boolean {
    if (this.claim.wire.hear(id, verdict, context.now)) return true;
    const rules = { maySet: this.#maySet, isMaintenance: this.#isMaintenance };
    const returned = this.returns.hear(context, id, verdict, rules);
    if (returned === null) return false;
    if ("taken" in returned) {
      this.giveUpNow(context, returned.taken);
      return true;
    }
    for (const resource of returned) this.machine.reassert(context, resource);
    context.emit({ kind: "announce", group: this.name });
    return true;
  }

  /** Somebody else claims an address that is held here: tell the neighbours at once whose it is. */
  addressClaimed(context: Context, address: string, hardware: string, surroundings: Surroundings): void {
    if (!holds(this.machine.state) || this.returns.isLeft(this.#isMaintenance)) return;
    const why = this.#defence.meet(context, surroundings, address, hardware);
    if (why !== null) this.giveUpNow(context, why);
  }

  /** Gives the group up because others may be about to take it: the addresses go first, at once. */
  giveUpNow(context: Context, why: string): void {
    if (!mayHold(this.machine.state) || this.machine.state === "unknown") return;
    context.emit({ kind: "drop", group: this.name });
    this.giveUp(context, why);
  }

  giveUp(context: Context, why: string): void {
    if (!holds(this.machine.state) && !this.machine.isRestarting) return;
    this.reason = why;
    context.report("notice", "group-stopping", `stopping ${this.name}: ${why}`, { group: this.name });
    this.machine.stop(context);
    context.isStatementDirty = true;
  }

  #dropRemains(context: Context, surroundings: Surroundings, candidates: readonly Candidate[]): void {
    if (this.#remains.isNewlyCutOff(surroundings) && this.claim.hasAddress) {
      context.emit({ kind: "drop", group: this.name });
    }
    const rival = holderOf(candidates.slice(1));
    const isTaken = rival !== null && (!this.machine.isRestarting ||
      outranks(rival.epoch, rival.node, this.claimEpoch, surroundings.self));
    if (!this.#remains.isNewlyTaken(isTaken) || rival === null || !this.claim.hasAddress) return;
    const why = `${rival.node} holds it by epoch ${rival.epoch}`;
    context.report(
      "warning",
      "address-dropped",
      `taking the address of ${this.name} off, though it is ${this.machine.state} here: ${why}`,
      { group: this.name },
    );
    this.giveUpNow(context, why);
  }

  /** Running or starting: is there a reason to let go? */
  #keep(context: Context, surroundings: Surroundings, candidates: readonly Candidate[]): void {
    this.claim.drop();
    this.#rivals.watchReturns(context, surroundings);
    const rival = holderOf(candidates.slice(1));
    if (rival === null) this.#rivals.gone(context, this.machine.state);
    else {
      const why = this.#rivals.meet(context, rival, surroundings.self, this.claimEpoch);
      if (why !== null) return this.giveUpNow(context, why);
    }
    if (!holds(this.machine.state)) return;
    if (surroundings.isIsolated && !surroundings.mayKeep) {
      return this.giveUpNow(context, "cut off: no arbiter and not all other nodes have answered in time");
    }
    if (surroundings.phase === "leaving") return this.giveUp(context, "this node is shutting down");
    if (this.machine.state === "starting" && !this.#maySet) {
      return this.giveUpNow(
        context,
        "neither an arbiter nor the other nodes have answered lately enough to go on",
      );
    }
    if (surroundings.isMaintenance) return;
    if (this.isReleased) return this.giveUp(context, "released by an operator");
    const ailment = this.health.ailment;
    if (ailment !== null) return this.giveUp(context, ailment);
    const taker = surroundings.peers.find((peer) => peer.node === this.placedOn);
    if (taker !== undefined && taker.isInView && taker.group(this.name).wants) {
      this.moves.begin(taker.node);
      return this.giveUp(context, `handing over to ${taker.node}, where it belongs`);
    }
    // What finds a lost address missing would restart the group, though it may be back in a moment.
    if (this.machine.state !== "running" || this.returns.isAsking) return;
    if (this.health.isMonitorDue(context.now, this.machine.isMonitoring)) this.machine.monitor(context);
  }

  /** Stopped: should it be started here, and what is still missing? */
  #consider(context: Context, surroundings: Surroundings, pinnedNode: string | null): void {
    this.#rivals.gone(context, this.machine.state);
    const hindrance = this.#hindrance(surroundings);
    const isPlaced = this.placedOn === surroundings.self;
    if (
      hindrance !== null ||
      !(isPlaced || this.#isPlacedWithoutSuspects(context.now, surroundings, pinnedNode))
    ) {
      this.#vigil.endWatch(context, hindrance ?? `it belongs on ${this.placedOn ?? "no node in view"}`);
      const elsewhere = this.placedOn === null
        ? "no node in view can hold it"
        : `belongs on ${this.placedOn}`;
      this.reason = hindrance ?? elsewhere;
      this.claim.drop();
      return;
    }
    const { exclusion, missing } = this.claim.pursue(context, surroundings, isPlaced);
    if (!isPlaced) {
      this.pending = ["suspect"];
      return;
    }
    const isReady = missing === null && this.#maySet;
    if (isReady) return this.#start(context, surroundings, exclusion);
    this.reason = this.#vigil.watchWire(context, surroundings, this.claim, exclusion) ?? missing ??
      "waiting for an answer of an arbiter or of all other nodes";
    this.pending = [this.reason];
  }

  /** What keeps this node from holding anything at all; `null`: nothing. */
  #hindrance(surroundings: Surroundings): string | null {
    if (surroundings.phase === "joining") return "waiting to hear from the other nodes";
    if (surroundings.phase === "leaving") return "this node is shutting down";
    if (surroundings.isMaintenance) return "maintenance is on";
    if (surroundings.isIsolated) return "cut off: no arbiter and not all other nodes answer";
    if (this.isReleased) return "released by an operator";
    if (this.#bar.reason !== null) return this.#bar.reason;
    return this.health.ailment;
  }

  #isPlacedWithoutSuspects(now: Instant, surroundings: Surroundings, pinnedNode: string | null): boolean {
    const leadMs = this.claim.leadMs(surroundings.settings);
    const sure = surroundings.peers.filter((peer) => !peer.isSuspect(now, leadMs));
    if (sure.length === surroundings.peers.length) return false;
    return place(this.settings, this.candidates(surroundings, sure), pinnedNode) === surroundings.self;
  }

  #start(context: Context, surroundings: Surroundings, exclusion: Exclusion): void {
    this.epoch = counted(this.epoch);
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
    this.#vigil.endWatch(context, "it is being started here");
    if (exclusion.isTakeover) surroundings.directives.liftPinOfLost(this.name, surroundings.peers);
    this.claim.drop();
    context.isStatementDirty = true;
    context.emit({ kind: "keep-epoch", group: this.name, epoch: this.epoch });
    this.machine.start(context, this.epoch);
  }

  #learnEpochs(context: Context, peers: readonly Peer[]): void {
    let seen = this.epoch;
    for (const peer of peers) seen = Math.max(seen, peer.group(this.name).epoch);
    if (seen === this.epoch) return;
    this.epoch = seen;
    context.emit({ kind: "keep-epoch", group: this.name, epoch: seen });
  }
}
