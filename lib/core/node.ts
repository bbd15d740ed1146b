/**
 * The cluster node: a pure state machine. The daemon and the simulator drive this same class. An input and an instant
 * go in; effects come out; nothing else happens. It reads no clock, draws no randomness and does no IO.
 *
 *   joining ── heard all others afresh, or waited long enough ──▶ settled ── shutdown ──▶ leaving ──▶ exit
 *      ▲                                                            │
 *      └───────────── own stall: give everything up, listen ────────┘
 *
 * Each step: notice an own stall first; take the input; let time pass for peers, arbiters and groups; decide for each
 * group; and send a heartbeat when one is due or when what it tells has changed.
 */

import { AlarmBook } from "./alarms.ts";
import { Arbitration } from "./arbitration.ts";
import { type BeatIdentity, statementOf, statusMessage } from "./beat.ts";
import { obey } from "./commands.ts";
import { Context } from "./context.ts";
import type { Effect, EffectId } from "./effects.ts";
import type { Input, MessageInput, Outcome } from "./inputs.ts";
import { after, earliestAfter, type Instant } from "./instant.ts";
import {
  contactMs,
  farewellMs,
  goodbyeMs,
  promptReplyMs,
  proofMs,
  refusalReportMs,
  stallMs,
  wireWindowMs,
} from "./limits.ts";
import { Roster } from "./membership/roster.ts";
import { Directives } from "./ownership/directives.ts";
import { hearGroupEvent } from "./ownership/events.ts";
import { Keeper } from "./ownership/keeper.ts";
import { mayHold } from "./ownership/placement.ts";
import type { Surroundings } from "./ownership/surroundings.ts";
import type { Settings } from "./settings.ts";
import { snapshot } from "./snapshot.ts";
import type { NodeView } from "./view.ts";
import type { Refusal } from "../wire/message.ts";
import type { MediumStatement, Statement } from "../wire/statement.ts";

/** What makes this node this node, in this run. */
export interface Identity extends BeatIdentity {
  readonly node: string;
  /** Increases with every start of the daemon (protocol reference 6.6). */
  readonly generation: number;
  /** Highest epoch known from earlier runs, by group. */
  readonly keptEpochs: Readonly<Record<string, number>>;
  /** What the settings leave unprotected, in plain sentences. */
  readonly unprotected: readonly string[];
}

export class ClusterNode {
  readonly roster: Roster;
  readonly keepers: readonly Keeper[];
  readonly arbitration: Arbitration;
  readonly directives: Directives;
  readonly alarms = new AlarmBook();
  readonly refused: Partial<Record<Refusal, number>> = {};
  readonly #context: Context;
  #phase: Statement["phase"] = "joining";
  #startedAt: Instant | null = null;
  #settledAt: Instant | null = null;
  /** Without all others heard, we settle then. */
  #joinUntil: Instant | null = null;
  /** Statements that do not show knowledge of this message of ours are from before our start or stall. */
  #freshFrom = 1;
  #sequence = 0;
  #lastBeatAt: Instant | null = null;
  #nextBeatAt: Instant | null = null;
  /** Leaving, with nothing left to stop: when we may go if others hold what we held, and when we go in any case. */
  #goodbyeAt: Instant | null = null;
  #exitAt: Instant | null = null;
  #isIsolated: boolean | null = null;
  #replyDueAt: Instant | null = null;
  readonly #refusalReportedAt = new Map<string, Instant>();
  readonly #media: Map<string, MediumStatement>;

  constructor(readonly settings: Settings, readonly identity: Identity) {
    this.directives = new Directives(settings.groups.map(({ name }) => name));
    this.roster = new Roster(identity.node, identity.generation, settings);
    this.keepers = settings.groups.map((group) =>
      new Keeper(group, group.nodes.includes(identity.node), identity.keptEpochs[group.name] ?? 0)
    );
    this.arbitration = new Arbitration(settings.arbiters, proofMs(settings.timing));
    this.#context = new Context(this.alarms, 0 as Instant);
    this.#media = new Map(this.roster.media.map((name) => [name, { name, address: null }]));
  }

  /** Takes one input at an instant that is not before that of any earlier one. Returns what is to be done, in order. */
  step(now: Instant, input: Input): Effect[] {
    const context = this.#context;
    context.now = now > context.now ? now : context.now;
    this.#noticeStall(context);
    this.#take(context, input);
    if (this.#startedAt !== null) this.#passTime(context);
    return context.takeEffects();
  }

  /** When a `wake` is wanted at the latest; `null`: only inputs matter. */
  deadline(): Instant | null {
    const { now } = this.#context;
    const checkMs = Math.max(0, ...this.keepers.map((keeper) => keeper.claim.leadMs(this.settings)));
    return earliestAfter(now, [
      this.#nextBeatAt,
      this.#replyDueAt,
      this.#phase === "joining" ? this.#joinUntil : null,
      this.#goodbyeAt,
      this.#exitAt,
      this.roster.deadline(now, checkMs),
      this.arbitration.proofEndsAt(),
      ...this.#contactEnds(),
      this.#keepUntil(),
      ...this.keepers.map((keeper) => keeper.deadline(now)),
    ]);
  }

  view(now: Instant = this.#context.now): NodeView {
    return snapshot(this, this.#surroundings(), now, this.#startedAt ?? now, this.#isIsolated);
  }

  #take(context: Context, input: Input): void {
    switch (input.kind) {
      case "start":
        return this.#start(context);
      case "wake":
        return;
      case "message":
        return this.#hear(context, input);
      case "refused":
        return this.#refuse(context, input);
      case "medium":
        return this.#medium(context, input);
      case "command":
        return this.#command(context, input);
      case "outcome":
        return this.#outcome(context, input.id, input.outcome);
      case "arbiter":
        return this.arbitration.hear(input.name, input.askedAt ?? context.now);
      case "carrier":
        return this.#keeper(input.group)?.health.setCarrier(context, input.device, input.isUp);
      case "address-lost":
        return this.#addressLost(context, input.group, input.resource);
      case "claim":
        return this.#keeper(input.group)?.addressClaimed(context, input.address, input.hardware);
    }
  }

  #addressLost(context: Context, group: string, resource: number): void {
    this.#keeper(group)?.addressLost(context, resource, wireWindowMs(this.settings.timing.deadTimeMs));
  }

  #start(context: Context): void {
    this.#startedAt = context.now;
    this.#joinUntil = after(
      context.now,
      this.roster.peers.length === 0 ? 0 : this.settings.timing.initDeadMs,
    );
    this.#nextBeatAt = context.now;
    for (const keeper of this.keepers) if (keeper.isMember) keeper.machine.probe(context);
    for (const sentence of this.identity.unprotected) context.report("warning", "unprotected", sentence);
  }

  /** Lets due things happen, decides for each group, and speaks if there is something to say. */
  #passTime(context: Context): void {
    this.roster.tick(context);
    this.#judgeIsolation(context);
    this.#settleIfDue(context);
    const surroundings = this.#surroundings();
    for (const keeper of this.keepers) {
      keeper.health.tick(context);
      keeper.reconcile(context, surroundings);
    }
    this.#beatIfDue(context);
    this.#exitIfDone(context);
  }

  /**
   * Our own heartbeat is so late that others may have taken over: whatever the reason (stopped, starved, suspended),
   * give up, listen for one dead time, and judge nobody before. It must come before anything else in a step.
   */
  #noticeStall(context: Context): void {
    if (this.#lastBeatAt === null) return;
    const silentMs = context.now - this.#lastBeatAt;
    const { timing } = this.settings;
    if (silentMs <= Math.min(timing.warnTimeMs, stallMs(timing) - 1)) return;
    // One that said goodbye counts too: it may have come back meanwhile. Alone in its cluster a node has no rival.
    if (silentMs < stallMs(timing) || this.roster.peers.length === 0) {
      context.report("warning", "late-wake", `this node woke late: ${silentMs} ms since its last heartbeat`, {
        silentMs,
      });
      return;
    }
    const held = this.keepers.filter((keeper) => mayHold(keeper.machine.state)).map((keeper) => keeper.name);
    const consequence = held.length > 0 ? `giving up ${held.join(", ")}` : "holding nothing";
    context.report(
      "warning",
      "stalled",
      `this node stood still: ${silentMs} ms since its last heartbeat; others may have taken over; ${consequence}, ` +
        "listening before judging anybody",
      { silentMs },
    );
    for (const keeper of this.keepers) keeper.giveUpNow(context, "this node stood still");
    this.roster.forgiveSilence(context.now);
    if (this.#phase === "leaving") return;
    const wasJoining = this.#phase === "joining";
    this.#phase = "joining";
    this.#settledAt = null;
    this.#freshFrom = this.#sequence + 1;
    const listenUntil = after(context.now, timing.deadTimeMs);
    this.#joinUntil = wasJoining && this.#joinUntil! > listenUntil ? this.#joinUntil : listenUntil;
    this.#nextBeatAt = context.now;
  }

  #settleIfDue(context: Context): void {
    if (this.#phase !== "joining" || this.#joinUntil === null) return;
    const { peers } = this.roster;
    const isWaitOver = context.now >= this.#joinUntil;
    const allKnown = peers.every((peer) => peer.hasLeft || peer.isFresh(this.#freshFrom));
    const voucher = peers.find((peer) =>
      peer.isFresh(this.#freshFrom) && peer.statement?.phase === "settled"
    );
    if (!isWaitOver && !allKnown && voucher === undefined) return;
    this.#phase = "settled";
    this.#settledAt = context.now;
    context.isStatementDirty = true;
    const why = allKnown
      ? "all other nodes hear us"
      : voucher !== undefined
      ? `${voucher.node} is settled and hears us`
      : `waited ${context.now - this.#startedAt!} ms`;
    context.report("notice", "settled", `this node takes part now: ${why}`);
    for (const peer of peers) {
      if (peer.heardAt === null && !peer.hasLeft) {
        context.raise("node-missing", peer.node, `${peer.node} has not been heard since this node started`);
      }
    }
  }

  #hear(context: Context, input: MessageInput): void {
    const { source, generation } = input.message;
    if (source === this.identity.node) {
      if (generation === this.identity.generation) return;
      return this.#refuseMessage(context, "own-message", input, "another machine uses the name of this node");
    }
    if (this.roster.peer(source) === undefined) {
      return this.#refuseMessage(context, "unknown-node", input, "it is not among the configured nodes");
    }
    if (this.roster.isOldGeneration(source, generation)) {
      return this.#refuseMessage(
        context,
        "old-generation",
        input,
        "a replay from before its last start, or its hb_generation was set back",
      );
    }
    const heard = this.roster.hear(context, input);
    if (heard === null) return;
    if (heard.peer.statement !== null && this.directives.merge(heard.peer.statement)) {
      context.isStatementDirty = true;
    }
    if (heard.hasNewClaim) context.isStatementDirty = true;
    if (heard.wantsReply) {
      this.#replyDueAt ??= after(this.#lastBeatAt ?? context.now, promptReplyMs(this.settings.timing));
    }
    this.#compareSettings(context, heard.peer.node, heard.peer.statement);
  }

  #compareSettings(context: Context, node: string, statement: Statement | null): void {
    if (statement === null) {
      context.raise(
        "foreign-daemon",
        node,
        `${node} is a Heartbeat daemon: this version takes nothing while it is in view`,
      );
      return;
    }
    context.clear("foreign-daemon", node, `${node} runs Heartline ${statement.version}`);
    if (statement.settingsHash === this.identity.settingsHash) {
      context.clear("settings-differ", node, `the settings of ${node} agree with ours`);
    } else {
      const sentence =
        `the settings of ${node} differ from ours where they must agree (nodes, times, groups): ` +
        "compare the files of both nodes";
      context.raise("settings-differ", node, sentence, { theirs: statement.settingsHash });
    }
  }

  #refuse(context: Context, refused: Omit<Extract<Input, { kind: "refused" }>, "kind">): void {
    const { reason, medium, from, detail } = refused;
    const count = (this.refused[reason] ?? 0) + refused.count;
    this.refused[reason] = count;
    const last = this.#refusalReportedAt.get(reason);
    if (last !== undefined && context.now < after(last, refusalReportMs)) return;
    this.#refusalReportedAt.set(reason, context.now);
    const sentence =
      `refused a packet on ${medium} from ${from}: ${reason}${detail === "" ? "" : `, ${detail}`}; ` +
      `${count} so far, more of this kind are only counted for a while`;
    context.report("warning", "refused", sentence, { reason, medium, from, count });
  }

  #refuseMessage(context: Context, reason: Refusal, input: MessageInput, detail: string): void {
    this.#refuse(context, { reason, medium: input.medium, from: input.message.source, detail, count: 1 });
  }

  #medium(context: Context, input: Extract<Input, { kind: "medium" }>): void {
    this.#media.set(input.medium, { name: input.medium, address: input.address });
    if (input.isUp) context.clear("medium-down", input.medium, `medium ${input.medium} works`);
    else context.raise("medium-down", input.medium, `medium ${input.medium} is down: ${input.reason}`);
  }

  #command(context: Context, input: Extract<Input, { kind: "command" }>): void {
    obey(context, input.command, this.keepers, this.#surroundings());
    if (input.command.kind === "shutdown") this.#phase = "leaving";
  }

  #outcome(context: Context, id: EffectId, outcome: Outcome): void {
    if (outcome.kind === "wire") {
      for (const keeper of this.keepers) if (keeper.hearWire(context, id, outcome.verdict)) return;
      return;
    }
    if (outcome.kind === "fence") return;
    for (const keeper of this.keepers) {
      const state = keeper.machine.state;
      const event = keeper.machine.hear(context, id, outcome);
      if (keeper.machine.state !== state) context.isStatementDirty = true;
      // A round of monitoring may have begun before maintenance did: then it is the operator who stops things.
      if (event?.kind === "monitor-failed" && this.directives.maintenance.on) return;
      if (event !== null) return hearGroupEvent(context, keeper, event);
    }
  }

  /**
   * Without an arbiter's answer, contact with *every* other node is needed: one that is out of contact may be on the
   * arbiter's side of a partition and take what we hold. One that said goodbye may have come back there.
   */
  #judgeIsolation(context: Context): void {
    const windowMs = contactMs(this.settings.timing);
    const hasContact =
      this.roster.peers.every((peer) => peer.isFenced || peer.hasContact(context.now, windowMs)) ||
      (this.#phase === "joining" && this.arbitration.proofEndsAt() === null);
    const was = this.#isIsolated;
    this.#isIsolated = this.arbitration.judge(context.now, hasContact);
    if (this.#isIsolated === was) return;
    if (this.#isIsolated === true) {
      context.raise(
        "isolated",
        this.identity.node,
        "this node is cut off: no arbiter and not all other nodes have answered in time",
      );
    } else context.clear("isolated", this.identity.node, "this node is in contact again");
    context.isStatementDirty = true;
  }

  /** When a contact that we have now becomes too old, peer by peer. */
  #contactEnds(): (Instant | null)[] {
    const windowMs = contactMs(this.settings.timing);
    return this.roster.peers.map(({ echoedAt }) => echoedAt === null ? null : after(echoedAt, windowMs));
  }

  #keepUntil(): Instant | null {
    const until = this.#isIsolated === true ? this.arbitration.keepUntil() : null;
    return until === "forever" ? null : until;
  }

  #beatIfDue(context: Context): void {
    const { now } = context;
    const isRegular = this.#nextBeatAt !== null && now >= this.#nextBeatAt;
    const isReply = this.#replyDueAt !== null && now >= this.#replyDueAt;
    if (!isRegular && !isReply && !context.isStatementDirty) return;
    if (isRegular) {
      const due = after(this.#nextBeatAt!, this.settings.timing.keepaliveMs);
      this.#nextBeatAt = due > now ? due : after(now, this.settings.timing.keepaliveMs);
      for (const keeper of this.keepers) {
        if (!keeper.claim.hasAddress || context.dropped.has(keeper.name)) continue;
        // What an earlier life left is not kept alive: it is about to be stopped.
        if (!mayHold(keeper.machine.state) || keeper.machine.state === "unknown") continue;
        context.emit({ kind: "renew", group: keeper.name });
      }
    }
    this.#beat(context);
  }

  #beat(context: Context): void {
    context.isStatementDirty = false;
    this.#replyDueAt = null;
    this.#sequence++;
    const statement = statementOf(
      this.identity,
      context.now,
      [...this.#media.values()],
      this.roster,
      this.keepers,
      this.#surroundings(),
    );
    context.emit(statusMessage(statement, this.#sequence, this.settings.timing.deadTimeMs));
    this.roster.sent(this.#sequence, context.now);
    this.#lastBeatAt = context.now;
  }

  /** Leaving: once all is stopped and said, and the others hold what we held or had time to, the process may end. */
  #exitIfDone(context: Context): void {
    if (this.#phase !== "leaving" || this.keepers.some((keeper) => isBusy(keeper))) return;
    const { timing } = this.settings;
    this.#goodbyeAt ??= after(context.now, goodbyeMs);
    this.#exitAt ??= after(context.now, farewellMs(timing));
    const areTaken = this.keepers.every((keeper) => !keeper.moves.isWaitingForTaker);
    if (context.now >= this.#exitAt || (areTaken && context.now >= this.#goodbyeAt)) {
      this.#beat(context);
      context.report("notice", "goodbye", "everything held here is stopped; goodbye");
      context.emit({ kind: "exit" });
    }
  }

  #surroundings(): Surroundings {
    const { now } = this.#context;
    const settledForMs = this.#phase === "settled" && this.#settledAt !== null ? now - this.#settledAt : 0;
    return {
      self: this.identity.node,
      settings: this.settings,
      peers: this.roster.peers,
      phase: this.#phase,
      settledForMs,
      directives: this.directives,
      isMaintenance: this.directives.maintenance.on,
      isIsolated: this.#isIsolated === true,
      mayKeep: this.arbitration.mayKeep(now),
      isArbiterReachable: this.arbitration.isReachable(now),
      nextSequence: this.#sequence + 1,
      isCoordinator: this.coordinator(settledForMs) === this.identity.node,
    };
  }

  /** The longest settled node of the view, then the first by name: it speaks for the cluster and decides nothing. */
  coordinator(settledForMs: number): string {
    let best = { node: this.identity.node, ms: settledForMs };
    for (const peer of this.roster.peers) {
      if (!peer.isInView || peer.statement?.phase !== "settled") continue;
      const ms = peer.statement.settledForMs + (this.#context.now - peer.heardAt!);
      const isLonger = Math.abs(ms - best.ms) > 1_000 ? ms > best.ms : peer.node < best.node;
      if (isLonger) best = { node: peer.node, ms };
    }
    return best.node;
  }

  #keeper(group: string): Keeper | undefined {
    return this.keepers.find((keeper) => keeper.name === group);
  }
}

function isBusy(keeper: Keeper): boolean {
  return mayHold(keeper.machine.state) && keeper.machine.state !== "blocked";
}
