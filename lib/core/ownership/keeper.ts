/**
 * Decides, for one group on one node, from the view and the settings: claim it, start it, keep it, give it up. It must
 * never start a group before every other node that could hold it is known not to (`claim.ts`, `exclusion.ts`), nor
 * keep one that a later claim has taken.
 */

import type { Context } from "../context.ts";
import type { EffectId } from "../effects.ts";
import type { WireVerdict } from "../inputs.ts";
import { after, earliestAfter, type Instant } from "../instant.ts";
import { counted, defenceIntervalMs } from "../limits.ts";
import type { Peer } from "../membership/peer.ts";
import type { GroupSettings } from "../settings.ts";
import type { GroupStatement } from "../../wire/statement.ts";
import { Bar } from "./bar.ts";
import { Claim } from "./claim.ts";
import type { Exclusion } from "./exclusion.ts";
import { GroupMachine } from "./group_machine.ts";
import { Health } from "./health.ts";
import { Moves } from "./moves.ts";
import { type Candidate, holderOf, holds, mayHold, outranks, place } from "./placement.ts";
import type { Surroundings } from "./surroundings.ts";
import { ReturnWatch } from "./return_watch.ts";
import { Vigil } from "./vigil.ts";

export class Keeper {
  readonly machine: GroupMachine;
  readonly claim: Claim;
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
  readonly #vigil: Vigil;
  readonly #bar: Bar;
  readonly #returns: ReturnWatch;
  #announceWhenAlone = false;
  #defendedAt: Instant | null = null;
  #wasCutOff = false;
  #wasTaken = false;

  constructor(readonly settings: GroupSettings, readonly isMember: boolean, keptEpoch: number) {
    this.machine = new GroupMachine(settings);
    this.health = new Health(settings);
    this.claim = new Claim(settings);
    this.#vigil = new Vigil(settings.name);
    this.#bar = new Bar(settings);
    this.#returns = new ReturnWatch(settings.name);
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

  statement(surroundings: Surroundings): GroupStatement {
    return {
      state: this.machine.state,
      epoch: this.claimEpoch,
      able: this.isAble(surroundings),
      wants: this.claim.isMade,
      leaseSeconds: this.claim.leaseSeconds,
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
    this.pending = [];
    this.#learnEpochs(context, surroundings.peers);
    const isStopped = this.machine.state === "stopped";
    this.#bar.watch(context, surroundings.peers, isStopped, surroundings.settings.timing.deadTimeMs);
    const candidates = this.candidates(surroundings);
    const pinnedNode = surroundings.directives.pinnedNode(this.name);
    this.placedOn = place(this.settings, candidates, pinnedNode);
    const lost = surroundings.peers.filter((peer) => !peer.isInView && !peer.hasLeft).map(({ node }) => node);
    this.moves.watch(context, this.name, this.machine.state, candidates, surroundings.self, lost);
    const isHeld = candidates.some((candidate) => holds(candidate.state));
    this.#vigil.watchHolder(context, surroundings, isHeld, this.reason);
    if (!this.isMember) {
      this.reason = "this node is not in the group's node list";
      return;
    }
    const wasClaimed = this.claim.isMade;
    if (holds(this.machine.state)) this.#returns.tick(context);
    else this.#returns.drop();
    switch (this.machine.state) {
      case "running":
      case "starting":
        this.#wasCutOff = false;
        this.#wasTaken = false;
        this.#keep(context, surroundings, candidates);
        break;
      case "stopped":
        this.#consider(context, surroundings, pinnedNode);
        break;
      case "unknown":
      case "stopping":
      case "blocked":
        this.claim.drop();
        this.#dropIfCutOff(context, surroundings);
        this.#dropIfTaken(context, surroundings, candidates);
        break;
    }
    if (wasClaimed !== this.claim.isMade) context.isStatementDirty = true;
  }

  deadline(now: Instant): Instant | null {
    const isRunning = this.machine.state === "running";
    return earliestAfter(now, [
      this.health.deadline(now, isRunning),
      this.claim.deadline(now),
      this.#returns.retryAt,
    ]);
  }

  /** Something else than us removed an address that is held here: put it back, and say so. */
  addressLost(context: Context, resource: number, windowMs: number): void {
    if (!this.machine.canReassert(resource)) return;
    if (!this.#returns.lost(context, resource, windowMs)) return;
    const id = this.settings.resources[resource]?.id ?? this.name;
    context.report(
      "warning",
      "address-lost",
      `${id} is gone from this machine; putting it back if it is free`,
      {
        group: this.name,
      },
    );
    if (this.health.isAddressFlapping(context.now)) {
      const what = `${id} is removed again and again: look for a network manager`;
      context.raise("address-flapping", this.name, what);
    }
  }

  /** Takes the verdict of one of our questions to the wire. Returns whether it was ours. */
  hearWire(context: Context, id: EffectId, verdict: WireVerdict): boolean {
    if (this.claim.wire.hear(id, verdict, context.now)) return true;
    const returned = this.#returns.hear(context, id, verdict);
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
  addressClaimed(context: Context, address: string, hardware: string): void {
    if (!holds(this.machine.state)) return;
    if (this.#defendedAt !== null && context.now < after(this.#defendedAt, defenceIntervalMs)) return;
    this.#defendedAt = context.now;
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
    if (!holds(this.machine.state) && !this.machine.isRestarting) return;
    this.reason = why;
    context.report("notice", "group-stopping", `stopping ${this.name}: ${why}`, { group: this.name });
    this.machine.stop(context);
    context.isStatementDirty = true;
  }

  /** A stop can take long, or be stuck; the addresses must not wait for it when others may be about to take them. */
  #dropIfCutOff(context: Context, surroundings: Surroundings): void {
    const isCutOff = surroundings.isIsolated && !surroundings.mayKeep;
    if (isCutOff && !this.#wasCutOff && this.claim.hasAddress) {
      context.emit({ kind: "drop", group: this.name });
    }
    this.#wasCutOff = isCutOff;
  }

  /** Another node holds the group although our stop is slow, or has failed: its addresses are its own at once. */
  #dropIfTaken(context: Context, surroundings: Surroundings, candidates: readonly Candidate[]): void {
    const rival = holderOf(candidates.slice(1));
    const isOurs = rival === null || (this.machine.isRestarting &&
      !outranks(rival.epoch, rival.node, this.claimEpoch, surroundings.self));
    if (!isOurs && !this.#wasTaken && this.claim.hasAddress) {
      const why = `${rival.node} holds it by epoch ${rival.epoch}`;
      context.report(
        "warning",
        "address-dropped",
        `taking the address of ${this.name} off, though it is ${this.machine.state} here: ${why}`,
        { group: this.name },
      );
      this.giveUpNow(context, why);
    }
    this.#wasTaken = !isOurs;
  }

  /** Running or starting: is there a reason to let go? */
  #keep(context: Context, surroundings: Surroundings, candidates: readonly Candidate[]): void {
    this.claim.drop();
    const rival = holderOf(candidates.slice(1));
    // A node that was cut off may have announced the address to its own half: the last word must be ours.
    if (surroundings.peers.some((peer) => peer.isInView && peer.inViewSince === context.now)) {
      this.#announceWhenAlone = true;
    }
    if (rival !== null) this.#meetRival(context, surroundings, rival);
    else this.#rivalGone(context);
    if (!holds(this.machine.state)) return;
    if (surroundings.isIsolated && !surroundings.mayKeep) {
      return this.giveUpNow(context, "cut off: no arbiter and not all other nodes have answered in time");
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
    if (missing === null) return this.#start(context, surroundings, exclusion);
    this.reason = this.#vigil.watchWire(context, surroundings, this.claim, exclusion) ?? missing;
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
    if (exclusion.isTakeover) this.#liftPinOfLost(surroundings);
    this.claim.drop();
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

  #learnEpochs(context: Context, peers: readonly Peer[]): void {
    const seen = Math.max(this.epoch, ...peers.map((peer) => peer.group(this.name).epoch));
    if (seen === this.epoch) return;
    this.epoch = seen;
    context.emit({ kind: "keep-epoch", group: this.name, epoch: seen });
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

function lastHeard(peers: readonly Peer[]): Instant | null {
  let latest: Instant | null = null;
  for (const { isInView, hasLeft, heardAt } of peers) {
    if (isInView || hasLeft || heardAt === null) continue;
    if (latest === null || heardAt > latest) latest = heardAt;
  }
  return latest;
}
