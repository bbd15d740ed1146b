/**
 * The cluster node: a pure state machine. The daemon and the simulator drive this same class. An input and an instant
 * go in; effects come out; nothing else happens. It reads no clock, draws no chance but from the generator that it is
 * handed, and does no IO.
 *
 * Each step: notice an own stall first; take the input; let time pass for peers, arbiters and groups; decide for each
 * group; and send a heartbeat when one is due or when what it tells has changed.
 */

import { AlarmBook } from "./alarms.ts";
import { Arbitration } from "./arbitration.ts";
import { askedDeadTimeMs, type BeatIdentity, statementOf, statusMessage } from "./beat.ts";
import { obey } from "./commands.ts";
import { Context } from "./context.ts";
import type { Effect } from "./effects.ts";
import type { Input, MessageInput } from "./inputs.ts";
import { after, earliestAfter, type Instant } from "./instant.ts";
import { fencedGoodMs, proofMs, takeoverProofMs, wireWindowMs } from "./limits.ts";
import { HeartbeatDialect } from "./heartbeat_dialect/dialect.ts";
import { Isolation } from "./isolation.ts";
import { Life } from "./life.ts";
import { coordinatorOf } from "./membership/coordinator.ts";
import { compareSettings } from "./membership/agreement.ts";
import { PingMembers } from "./membership/ping_members.ts";
import { Roster } from "./membership/roster.ts";
import { admit } from "./messaging/admission.ts";
import { ClusterEvents } from "./messaging/cluster_events.ts";
import { Delivery } from "./messaging/delivery.ts";
import { Exchange } from "./messaging/exchange.ts";
import { Outbox } from "./messaging/outbox.ts";
import { Refusals } from "./messaging/refusals.ts";
import { rebootFailed } from "./ownership/events.ts";
import { Directives } from "./ownership/directives.ts";
import { Fencing } from "./ownership/fencing.ts";
import { Keeper } from "./ownership/keeper.ts";
import { hearOutcome } from "./ownership/outcomes.ts";
import { renewLeases } from "./ownership/renewals.ts";
import { Strays } from "./ownership/strays.ts";
import type { Surroundings } from "./ownership/surroundings.ts";
import type { Prng } from "./prng.ts";
import { Pulse } from "./pulse.ts";
import type { Settings } from "./settings.ts";
import { snapshot } from "./snapshot.ts";
import { noticeStall } from "./stall.ts";
import type { NodeView } from "./view.ts";
import type { MediumStatement } from "../wire/statement.ts";

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
  readonly fencing: Fencing;
  readonly pings: PingMembers;
  readonly alarms = new AlarmBook();
  readonly refusals = new Refusals();
  readonly outbox = new Outbox();
  readonly delivery: Delivery;
  readonly exchange: Exchange;
  readonly events: ClusterEvents;
  /** `null`: not a pair; a Heartbeat daemon in a larger cluster is only looked at. */
  readonly heartbeat: HeartbeatDialect | null;
  readonly #context: Context;
  readonly #life: Life;
  readonly #strays = new Strays();
  readonly #isolation: Isolation;
  readonly #pulse: Pulse;
  /** When something is due, as the last step left it. */
  #deadline: Instant | null = null;
  /** The input of this step brought nothing that was not known. */
  #isMereCopy = false;
  /** How long before a peer's death some group's wire is to be asked. */
  readonly #checkMs: number;
  #media: readonly MediumStatement[];

  /** `random`: for the delays of requests; the same seed gives the same run. */
  constructor(readonly settings: Settings, readonly identity: Identity, random: Prng) {
    this.#life = new Life(settings.timing);
    this.#pulse = new Pulse(settings.timing, settings.groups.length);
    const { node, generation, keptEpochs } = identity;
    this.delivery = new Delivery(node);
    this.directives = new Directives(settings.groups.map(({ name }) => name));
    this.roster = new Roster(node, generation, settings, this.refusals);
    const { peers } = this.roster;
    this.exchange = new Exchange(node, generation, peers, this.outbox, random, settings.maxRexmitDelayMs);
    this.events = new ClusterEvents(node, generation, peers, this.outbox, this.exchange, this.delivery);
    this.keepers = settings.groups.map((group) =>
      new Keeper(group, group.nodes.includes(node), keptEpochs[group.name] ?? 0)
    );
    this.pings = new PingMembers(settings.pingMembers, settings.deadPingMs);
    this.arbitration = new Arbitration(settings.arbiters, proofMs(settings.timing));
    this.fencing = new Fencing(settings.fencing, peers, settings.timing);
    this.#isolation = new Isolation(
      node,
      peers,
      this.arbitration,
      settings.timing,
      this.keepers.map(({ claim }) => claim.leaseSeconds),
    );
    const [other] = peers;
    this.heartbeat = other === undefined || peers.length > 1 ? null : new HeartbeatDialect(
      node,
      other,
      settings.nodes,
      this.roster,
      this.outbox,
      this.keepers,
      this.delivery,
    );
    this.#checkMs = Math.max(0, ...this.keepers.map((keeper) => keeper.claim.leadMs(settings)));
    this.#context = new Context(this.alarms, 0 as Instant);
    this.#media = this.roster.media.map((name) => ({ name, address: null }));
  }

  /** Takes one input at an instant that is not before that of any earlier one. Returns what is to be done, in order. */
  step(now: Instant, input: Input): Effect[] {
    const context = this.#context;
    context.now = now > context.now ? now : context.now;
    this.#noticeStall(context);
    this.#isMereCopy = false;
    this.#take(context, input);
    // A copy can only put off what is due: to wake a little early is cheaper than to find that out.
    if (this.#isNothingToDo(context)) return [];
    if (this.#life.startedAt !== null) this.#passTime(context);
    this.#deadline = this.#nextDeadline(context.now);
    return context.takeEffects();
  }

  /** When a `wake` is wanted at the latest; `null`: only inputs matter. */
  deadline(): Instant | null {
    return this.#deadline;
  }

  #nextDeadline(now: Instant): Instant | null {
    const instants = this.#life.deadlines();
    this.#pulse.addDeadlines(instants);
    this.#isolation.addDeadlines(instants);
    this.roster.addDeadlines(instants, this.#checkMs);
    instants.push(this.exchange.deadline(now));
    this.pings.addDeadlines(instants);
    this.fencing.addDeadlines(instants);
    for (const keeper of this.keepers) instants.push(keeper.deadline(now));
    if (this.heartbeat !== null) instants.push(this.heartbeat.deadline(now));
    return earliestAfter(now, instants);
  }

  /**
   * Another link brought what is known already, before anything is due: nobody knows more than after the step before,
   * so there is nothing to decide. Half of all packets are such where there are two links.
   */
  #isNothingToDo(context: Context): boolean {
    return this.#isMereCopy && context.isIdle && this.#deadline !== null && context.now < this.#deadline;
  }

  view(now: Instant = this.#context.now): NodeView {
    return snapshot(this, this.#surroundings(), now, this.#life.startedAt ?? now, this.#isolation.isIsolated);
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
        return this.refusals.note(context, input);
      case "medium":
        return this.#medium(context, input);
      case "not-kept":
        return this.exchange.forget(input.sequence);
      case "command":
        return this.#command(context, input);
      case "outcome":
        return hearOutcome(context, this.keepers, this.fencing, this.directives.maintenance.on, input);
      case "arbiter":
        return this.arbitration.hear(input.name, input.askedAt ?? context.now);
      case "ping":
        return this.pings.hear(input.member, input.askedAt);
      case "carrier":
        return this.#keeper(input.group)?.health.setCarrier(context, input.device, input.isUp);
      case "address-lost": {
        const windowMs = wireWindowMs(this.settings.timing.deadTimeMs);
        return this.#keeper(input.group)?.addressLost(context, input.resource, windowMs);
      }
      case "reboot-failed":
        return rebootFailed(context, this.#keeper(input.group), input.reason);
      case "stray":
        return this.#strays.note(context, input);
      case "claim":
        return this.#keeper(input.group)?.addressClaimed(
          context,
          input.address,
          input.hardware,
          this.#surroundings(),
        );
    }
  }

  #start(context: Context): void {
    this.#life.start(context.now, this.roster.peers);
    this.#pulse.begin(context.now);
    for (const keeper of this.keepers) if (keeper.isMember) keeper.machine.probe(context);
    for (const sentence of this.identity.unprotected) context.report("warning", "unprotected", sentence);
  }

  /** Lets due things happen, decides for each group, and speaks if there is something to say. */
  #passTime(context: Context): void {
    this.roster.tick(context);
    this.pings.tick(context);
    this.exchange.tick(context);
    this.delivery.tick(context);
    this.fencing.watch(context);
    this.#isolation.judge(context, this.#life.phase === "joining");
    this.heartbeat?.watch(context, this.#surroundings());
    this.#life.settleIfDue(context, this.roster.peers);
    const surroundings = this.#surroundings();
    for (const keeper of this.keepers) {
      keeper.health.tick(context);
      keeper.reconcile(context, surroundings);
    }
    this.#strays.watch(context, this.keepers);
    this.fencing.act(context);
    this.heartbeat?.act(context, surroundings);
    this.#beatIfDue(context);
    this.events.tick(context);
    this.#exitIfDone(context);
  }

  #noticeStall(context: Context): void {
    if (this.#pulse.lastAt === null) return;
    const silentMs = context.now - this.#pulse.lastAt;
    // An outcome that waited for us to wake is as old as our sleep; a machine is up again sooner than others take over.
    if (this.#deadline !== null && context.now > after(this.#deadline, fencedGoodMs)) {
      this.fencing.stoodStill();
    }
    if (!noticeStall(context, silentMs, this.settings.timing, this.roster.peers.length > 0, this.keepers)) {
      return;
    }
    for (const keeper of this.keepers) keeper.giveUpNow(context, "this node stood still");
    this.roster.forgiveSilence(context.now);
    this.fencing.stoodStill();
    if (this.#life.phase === "leaving") return;
    this.#life.listenAgain(context.now, this.outbox.last + 1);
    this.heartbeat?.stoodStill();
    this.#pulse.begin(context.now);
  }

  #hear(context: Context, input: MessageInput): void {
    const peer = admit(context, this.roster, this.refusals, input);
    if (peer === null) return;
    if (input.message.sequence === null) return this.exchange.hear(context, peer, input.message);
    const { contiguous } = peer.tracker;
    const heard = this.roster.hear(context, input);
    if (heard === null) {
      // One that closes a gap may be what others wait for, though it is no news by itself.
      this.#isMereCopy = peer.tracker.contiguous === contiguous &&
        this.roster.isLinkUp(peer.node, input.medium);
      return;
    }
    if (heard.kind === "message") return this.delivery.deliver(context, peer, input.message);
    const { statement } = peer;
    if (heard.hasNewClaim) context.isStatementDirty = true;
    if (statement !== null && this.directives.merge(statement)) context.isStatementDirty = true;
    if (statement !== null) this.exchange.hearStatement(peer, statement);
    if (statement?.clock !== undefined) this.events.heardClock(peer, peer.beatSequence, statement.clock);
    if (heard.wantsReply) this.#pulse.answerSoon(context.now);
    // A Heartbeat daemon as the other node of a pair is spoken to in its own dialect.
    if (statement !== null || this.heartbeat === null) {
      compareSettings(context, this.identity.settingsHash, peer.node, statement);
    }
  }

  #medium(context: Context, input: Extract<Input, { kind: "medium" }>): void {
    const stated = { name: input.medium, address: input.address };
    this.#media = this.#media.map((known) => known.name === input.medium ? stated : known);
    if (input.isUp) context.clear("medium-down", input.medium, `medium ${input.medium} works`);
    else context.raise("medium-down", input.medium, `medium ${input.medium} is down: ${input.reason}`);
  }

  #command(context: Context, input: Extract<Input, { kind: "command" }>): void {
    obey(context, input.command, this.keepers, this.#surroundings());
    if (input.command.kind === "shutdown") this.#life.leave();
  }

  #beatIfDue(context: Context): void {
    const due = this.#pulse.due(context.now, context.isStatementDirty);
    if (due === null) return;
    if (due === "regular") renewLeases(context, this.keepers, this.#mayRenew);
    this.#beat(context);
  }

  #beat(context: Context): void {
    context.isStatementDirty = false;
    const statement = statementOf(
      this.identity,
      context.now,
      this.#media,
      this.roster,
      this.keepers,
      this.#surroundings(),
      this.events.clock,
      context.now - (this.#life.startedAt ?? context.now),
    );
    const mayHearDaemon = this.heartbeat?.mayHear === true;
    const deadTimeMs = askedDeadTimeMs(this.settings.timing, this.keepers, mayHearDaemon);
    const message = statusMessage(statement, deadTimeMs, this.exchange.isAcknowledging);
    const sequence = this.outbox.send(context, message);
    this.roster.sent(sequence, context.now);
    this.#pulse.beaten(context.now);
  }

  #exitIfDone(context: Context): void {
    if (this.#life.phase !== "leaving" || this.keepers.some(({ machine }) => machine.isBusy)) return;
    const areTaken = this.keepers.every((keeper) => !keeper.moves.isWaitingForTaker);
    if (!this.#life.isOver(context.now, areTaken)) return;
    this.#beat(context);
    context.report("notice", "goodbye", "everything held here is stopped; goodbye");
    context.emit({ kind: "exit" });
  }

  readonly #mayRenew = (leaseSeconds: number): boolean =>
    this.#isolation.mayRenew(this.#context.now, leaseSeconds);

  #surroundings(): Surroundings {
    const { now } = this.#context;
    const settledForMs = this.#life.settledForMs(now);
    return {
      now,
      self: this.identity.node,
      settings: this.settings,
      peers: this.roster.peers,
      phase: this.#life.phase,
      settledForMs,
      directives: this.directives,
      isMaintenance: this.directives.maintenance.on,
      isIsolated: this.#isolation.isIsolated === true,
      mayKeep: this.arbitration.mayKeep(now),
      mayRenew: this.#mayRenew,
      isArbiterReachable: this.arbitration.isReachable(now, takeoverProofMs(this.settings.timing)),
      fencing: this.fencing,
      nextSequence: this.outbox.last + 1,
      isCoordinator: this.coordinator(settledForMs) === this.identity.node,
    };
  }

  /** Who speaks for the cluster. */
  coordinator(settledForMs: number): string {
    return coordinatorOf(this.#context.now, this.identity.node, settledForMs, this.roster.peers);
  }

  #keeper(group: string): Keeper | undefined {
    return this.keepers.find((keeper) => keeper.name === group);
  }
}
